"""Runs and models on disk: numbers as codes in their formats' own widths, so that the round trip is exact.

A file is a NumPy archive of unsigned integers and a text in JSON; nothing in it is executed when it is read. A model
has the parameters and the configuration; a checkpoint has all else that the next step depends on, too.
"""

from __future__ import annotations

import json
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import FloatArray
from ...codes import decode
from ...files import atomic_path
from ...formats import Format
from ..model.layers import Params
from ..observe.telemetry import Share, Telemetry
from ..precision import Precision
from ..scaling import DynamicLossScale
from .config import Config

if TYPE_CHECKING:
    from .train import Loop, LoopState

VERSION = 1

_DAMAGE = (zipfile.BadZipFile, zlib.error, LookupError, ValueError, TypeError, OSError, EOFError, RuntimeError)
"""What zipfile, NumPy and json raise where a file is not what it should be (RuntimeError: "encrypted")."""


# --- arrays ---------------------------------------------------------------------------------------------------------


def word(fmt: Format) -> Any:
    """The unsigned integers that hold the codes of a format: uint8 for fp8, uint16 for binary16, ..."""
    return next(
        dtype for dtype in (np.uint8, np.uint16, np.uint32, np.uint64) if np.dtype(dtype).itemsize * 8 >= fmt.width
    )


def to_codes(arrays: Mapping[str, FloatArray], prefix: str) -> dict[str, Any]:
    """Arrays as codes, by prefixed names."""
    return {f"{prefix}/{name}": x.codes.astype(word(x.fmt)) for name, x in arrays.items()}


def from_codes(stored: Mapping[str, Any], prefix: str, precision: Precision, rng: Any = None) -> Params:
    """What `to_codes` wrote, in the precision that it had."""
    start = f"{prefix}/"
    return {
        name.removeprefix(start): precision.array(decode(codes, precision.fmt), rng)
        for name, codes in stored.items()
        if name.startswith(start)
    }


def write(path: str | Path, about: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """An archive of arrays with a text about them, whole or not at all."""
    text = np.frombuffer(json.dumps({"version": VERSION, **about}).encode(), np.uint8)
    with atomic_path(path) as place, place.open("wb") as file:
        np.savez(file, about=text, **arrays)


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `write` wrote; ValueError for anything else."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"path={str(path)!r} is no file; give a model or checkpoint that fp16sim train wrote")
    try:
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = dict(json.loads(bytes(arrays.pop("about"))))
    except _DAMAGE as error:
        raise ValueError(
            f"path={str(path)!r} is no model or checkpoint of fp16sim, or it is damaged ({error}); "
            "give a file that fp16sim train wrote"
        ) from None
    if about.get("version") != VERSION:
        raise ValueError(f"path={str(path)!r} has version={about.get('version')}, and this fp16sim reads {VERSION}")
    return about, arrays


# --- models ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """A trained model as stored: its parameters, and the configuration that it was trained by."""

    config: Config
    params: Params
    image_shape: tuple[int, ...]
    classes: int


def save_model(path: str | Path, model: Model) -> None:
    """Write the parameters in their format's own width: a binary16 file is half as large as a binary32 one."""
    about = {"config": model.config.to_dict(), "image_shape": list(model.image_shape), "classes": model.classes}
    write(path, about, to_codes(model.params, "params"))


def load_model(path: str | Path) -> Model:
    """Read a model, or the model in a checkpoint: exactly the numbers that were written."""
    about, arrays = read(path)
    config = Config.from_dict(about["config"])
    params = from_codes(arrays, "params", config.policy.param)
    return Model(config, params, tuple(about["image_shape"]), about["classes"])


# --- checkpoints ----------------------------------------------------------------------------------------------------


def _state_arrays(state: Mapping[str, Any]) -> dict[str, FloatArray]:
    """The arrays of an optimizer's state: m and v by parameter, and scalars that are rounded."""
    flat: dict[str, FloatArray] = {}
    for name, x in state.items():
        if isinstance(x, FloatArray):
            flat[name] = x
        elif isinstance(x, dict):
            flat.update({f"{name}/{key}": part for key, part in x.items()})
    return flat


def _state_from(arrays: Params, numbers: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = dict(numbers)
    for path, x in arrays.items():
        name, _, key = path.partition("/")
        if key:
            state.setdefault(name, {})[key] = x
        else:
            state[name] = x
    return state


class Keeper:
    """Keeps a run in a file, every so many seconds and at the end of each epoch; or does nothing without a path.

    When it is written changes nothing in the run.
    """

    def __init__(self, path: str | Path | None, seconds: float = 20.0) -> None:
        if seconds < 0:
            raise ValueError(f"checkpoint_seconds={seconds} is negative; use 0 to write after each step")
        self.path, self.seconds, self.last = None if path is None else Path(path), seconds, time.monotonic()

    def offer(self, run: Loop, state: LoopState) -> None:
        """Write, if it is time."""
        if self.path is not None and (state.batch == 0 or time.monotonic() - self.last >= self.seconds):
            save_run(self.path, run, state)
            self.last = time.monotonic()

    def load(self, run: Loop, weights: Params | None = None) -> LoopState:
        """Go on from the file if there is one, else from the start, with weights that are drawn or given."""
        if self.path is None:
            raise ValueError("resume=True needs checkpoint_path, the file to go on from")
        return load_run(self.path, run) if self.path.exists() else run.start(weights)

    def refuse_unfinished(self) -> None:
        """ValueError if the file has a run that was interrupted: it would be lost."""
        if self.path is not None and self.path.exists() and (left := unfinished(self.path)):
            raise ValueError(
                f"path={str(self.path)!r} has a run that was interrupted after {left}; go on with resume (--resume), "
                "name another file, or delete it"
            )


def unfinished(path: str | Path) -> str:
    """Where the run in a checkpoint was interrupted, such as "step 120"; "" if it is over."""
    about, _ = read(path)
    over = "step" not in about or about["death"] or len(about["epochs"]) >= about["config"]["epochs"]
    return "" if over else f"step {about['step']}"


def save_run(path: str | Path, run: Loop, state: LoopState) -> None:
    """Write all that the next step depends on, and all that is remembered."""
    progress, policy = state.progress, run.config.policy
    numbers = {k: x for k, x in progress.state.items() if isinstance(x, (int, float)) and not isinstance(x, bool)}
    about = {
        "config": run.config.to_dict(),
        "image_shape": list(run.engine.data.image_shape),
        "classes": run.engine.data.classes,
        "data": run.engine.data.name,
        "step": progress.step,
        "batch": state.batch,
        "epochs": [asdict(epoch) for epoch in state.epochs],
        "tally": asdict(progress.tally),
        "death": None if progress.death is None else asdict(progress.death),
        "state": numbers,
        "loss_scale": asdict(progress.loss_scale),  # type: ignore[call-overload]
        "telemetry": run.microscope.telemetry.to_dict(),
        "look_every": run.microscope.every,
        "rng": run.engine.rng.bit_generator.state,
    }
    arrays = {**to_codes(progress.params, "params"), **to_codes(_state_arrays(progress.state), "state")}
    arrays |= to_codes(progress.carry, "carry")
    if policy.master is not None:
        arrays |= to_codes(progress.weights, "weights")
    write(path, about, arrays)


def load_run(path: str | Path, run: Loop) -> LoopState:
    """What `save_run` wrote, for a run of the same configuration; ValueError for any other."""
    from ..observe.telemetry import Death
    from .engine import Progress, Tally
    from .train import Epoch, LoopState

    about, arrays = read(path)
    _check_same(path, about, run)
    engine, policy = run.engine, run.config.policy
    params = from_codes(arrays, "params", policy.param, engine.rng)
    weights = from_codes(arrays, "weights", policy.weights, engine.rng) if policy.master is not None else params
    state = _state_from(from_codes(arrays, "state", policy.state, engine.rng), about["state"])
    scale = run.config.make_loss_scale()
    if isinstance(scale, DynamicLossScale):
        scale = replace(scale, **about["loss_scale"])
    progress = Progress(
        about["step"],
        params,
        weights,
        state,
        scale,
        from_codes(arrays, "carry", policy.weights, engine.rng),
        _with_shares(Tally, about["tally"]),
        None if about["death"] is None else Death(**about["death"]),
    )
    run.microscope.telemetry = Telemetry.from_dict(about["telemetry"])
    engine.rng.bit_generator.state = about["rng"]  # at last: making arrays of a stochastic format draws
    return LoopState(progress, tuple(_with_shares(Epoch, epoch) for epoch in about["epochs"]), about["batch"])


def _with_shares(kind: Any, given: dict[str, Any]) -> Any:
    return kind(**{name: Share(**x) if isinstance(x, dict) else x for name, x in given.items()})


MAY_CHANGE = ("epochs",)
"""Options in which a resumed run may differ: it may be made longer."""


def _check_same(path: str | Path, about: dict[str, Any], run: Loop) -> None:
    if "step" not in about:
        raise ValueError(
            f"path={str(path)!r} is a model and no checkpoint: there is nothing to resume; use it to start"
        )
    stored, now = Config.from_dict(about["config"]), run.config
    differ = [
        f.name for f in fields(Config) if f.name not in MAY_CHANGE and getattr(stored, f.name) != getattr(now, f.name)
    ]
    if differ:
        listed = ", ".join(f"{name}={getattr(stored, name)} there and {getattr(now, name)} here" for name in differ)
        raise ValueError(
            f"path={str(path)!r} belongs to another configuration ({listed}); give the same options, or another file"
        )
    data = run.engine.data
    if about["data"] != data.name or about["look_every"] != run.microscope.every:
        raise ValueError(
            f"path={str(path)!r} was made with data={about['data']!r} and look_every={about['look_every']}, and here "
            f"they are {data.name!r} and {run.microscope.every}; give the same, or another file"
        )
