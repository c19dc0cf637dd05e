"""Runs and models on disk: numbers are stored as codes of their formats, so that every bit comes back.

A file is a NumPy archive of unsigned integers, and of a text in JSON. Nothing in it is executed when it is read. A
model is the parameters and the configuration; a checkpoint also has everything else that the next step depends on.
"""

from __future__ import annotations

import json
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ...arrays import FloatArray
from ...codes import decode
from ...conversion import Array, Generator
from ...files import atomic_path
from ...formats import Format
from ..model.layers import Params
from ..model.optimizers import State
from ..observe.telemetry import Telemetry
from ..precision import Precision
from ..state import Death, Epoch, LoopState, Progress, Share, Tally
from .config import Config

VERSION = 3

_DAMAGE = (zipfile.BadZipFile, zlib.error, LookupError, ValueError, TypeError, OSError, EOFError, RuntimeError)
"""What zipfile, NumPy and json raise if a file is not what it should be (RuntimeError: "encrypted")."""


# --- arrays ---------------------------------------------------------------------------------------------------------


def word(fmt: Format) -> np.dtype[Any]:
    """The smallest unsigned integers for the codes of a format: uint8 for fp8, uint16 for binary16, ..."""
    return next(dtype for dtype in map(np.dtype, ("u1", "u2", "u4", "u8")) if dtype.itemsize * 8 >= fmt.width)


def to_codes(arrays: Mapping[str, FloatArray], prefix: str) -> dict[str, Array]:
    """The codes of arrays, each named "prefix/name"."""
    return {f"{prefix}/{name}": x.codes.astype(word(x.fmt)) for name, x in arrays.items()}


def from_codes(stored: Mapping[str, Array], prefix: str, precision: Precision, rng: Generator = None) -> Params:
    """The arrays that `to_codes` stored, in the precision that they had."""
    start = f"{prefix}/"
    return {
        name.removeprefix(start): precision.array(decode(codes, precision.fmt), rng)
        for name, codes in stored.items()
        if name.startswith(start)
    }


def write(path: str | Path, about: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write arrays and a text about them as one archive; if that fails, the old file stays."""
    text = np.frombuffer(json.dumps({"version": VERSION, **about}).encode(), np.uint8)
    with atomic_path(path) as place, place.open("wb") as file:
        np.savez(file, about=text, **arrays)


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """What `write` wrote; ValueError for any other file."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"path={str(path)!r} is not a file; give a model or checkpoint that fp16sim train wrote")
    try:
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = dict(json.loads(bytes(arrays.pop("about"))))
    except _DAMAGE as error:
        raise ValueError(
            f"path={str(path)!r} is not a model or checkpoint of fp16sim, or it is damaged ({error}); "
            "give a file that fp16sim train wrote"
        ) from None
    if about.get("version") != VERSION:
        raise ValueError(
            f"path={str(path)!r} has version={about.get('version')}, but this fp16sim reads version {VERSION}; "
            "use the fp16sim that wrote it, or train again"
        )
    return about, arrays


# --- models ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """A trained model as stored: its parameters, and the configuration of its training."""

    config: Config
    params: Params
    image_shape: tuple[int, ...]
    classes: int


def save_model(path: str | Path, model: Model) -> None:
    """Write a model. Parameters take the width of their format: a binary16 file is half as large as a binary32 one."""
    about = {"config": model.config.to_dict(), "image_shape": list(model.image_shape), "classes": model.classes}
    write(path, about, to_codes(model.params, "params"))


def load_model(path: str | Path) -> Model:
    """Read a model, or the model in a checkpoint. The numbers are exactly those that were written."""
    about, arrays = read(path)
    config = Config.from_dict(about["config"])
    params = from_codes(arrays, "params", config.policy.param)
    return Model(config, params, tuple(about["image_shape"]), about["classes"])


def load_arrays(path: str | Path) -> dict[str, FloatArray]:
    """All arrays of a model or a checkpoint, by the names that they have in the file, such as "params/W1" or "m/W1"."""
    about, arrays = read(path)
    policy = Config.from_dict(about["config"]).policy
    kinds = {
        "params": policy.param,
        "weights": policy.weights,
        "m": policy.state,
        "v": policy.state,
        "carry": policy.weights,
    }
    return {
        f"{kind}/{name}": x
        for kind, precision in kinds.items()
        for name, x in from_codes(arrays, kind, precision).items()
    }


# --- checkpoints ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Snapshot:
    """A run between two steps: all that the next step depends on, and all that is reported at the end.

    Attributes
    ----------
    config : Config
    data : str
        The name of the data.
    image_shape, classes
        What the model was made for.
    look_every : int
        How often the microscope examines a step.
    state : LoopState
    telemetry : Telemetry
    rng : mapping
        The state of the random numbers of stochastic rounding.
    """

    config: Config
    data: str
    image_shape: tuple[int, ...]
    classes: int
    look_every: int
    state: LoopState
    telemetry: Telemetry = field(default_factory=Telemetry)
    rng: Mapping[str, Any] = field(default_factory=dict)


class Checkpointer:
    """Writes a run to a file at the end of each epoch and every `seconds` between; without a path it does nothing.

    How often it writes does not change the run.
    """

    def __init__(self, path: str | Path | None, seconds: float = 20.0) -> None:
        if seconds < 0:
            raise ValueError(f"checkpoint_seconds={seconds} is negative; use 0 to write after each step")
        self.path, self.seconds, self.last = None if path is None else Path(path), seconds, time.monotonic()

    def save_if_due(self, run: Snapshot) -> None:
        """Write the run if an epoch has ended or the time has passed."""
        if self.path is not None and (run.state.batch == 0 or time.monotonic() - self.last >= self.seconds):
            save_run(self.path, run)
            self.last = time.monotonic()

    def resume(self, start: Snapshot, rng: Generator) -> Snapshot:
        """The run in the file if there is one, else the given start."""
        if self.path is None:
            raise ValueError("resume=True needs checkpoint_path, the file of the run")
        return load_run(self.path, start, rng) if self.path.exists() else start

    def refuse_unfinished(self) -> None:
        """ValueError if the file has an interrupted run, which would be overwritten."""
        if self.path is not None and self.path.exists() and (left := unfinished(self.path)):
            raise ValueError(
                f"path={str(self.path)!r} has a run that was interrupted after {left}; go on with resume (--resume), "
                "name another file, or delete it"
            )


def unfinished(path: str | Path) -> str:
    """Where the run in a checkpoint was interrupted, such as "step 120"; "" if it is finished."""
    about, _ = read(path)
    over = "step" not in about or about["death"] or len(about["epochs"]) >= about["config"]["epochs"]
    return "" if over else f"step {about['step']}"


def save_run(path: str | Path, run: Snapshot) -> None:
    """Write a run."""
    progress, state = run.state.progress, run.state.progress.state
    about = {
        "config": run.config.to_dict(),
        "image_shape": list(run.image_shape),
        "classes": run.classes,
        "data": run.data,
        "step": progress.step,
        "batch": run.state.batch,
        "epochs": [asdict(epoch) for epoch in run.state.epochs],
        "tally": asdict(run.state.tally),
        "death": None if progress.death is None else asdict(progress.death),
        "optimizer": [state.count, float(state.beta1_power), float(state.beta2_power)],
        "loss_scale": asdict(progress.loss_scale),
        "telemetry": run.telemetry.to_dict(),
        "look_every": run.look_every,
        "rng": run.rng,
    }
    arrays = to_codes(progress.params, "params") | to_codes(progress.carry, "carry")
    arrays |= to_codes(state.m, "m") | to_codes(state.v, "v")
    if run.config.policy.master is not None:
        arrays |= to_codes(progress.weights, "weights")
    write(path, about, arrays)


def load_run(path: str | Path, start: Snapshot, rng: Generator) -> Snapshot:
    """What `save_run` wrote, for a run with this start; ValueError if the file belongs to another run.

    `rng` gives the random numbers to arrays of a stochastic format.
    """
    about, arrays = read(path)
    _check_same(path, about, start)
    policy, first = start.config.policy, start.state.progress
    params = from_codes(arrays, "params", policy.param, rng)
    weights = from_codes(arrays, "weights", policy.weights, rng) if policy.master is not None else params
    m, v = (from_codes(arrays, moment, policy.state, rng) for moment in ("m", "v"))
    progress = Progress(
        about["step"],
        params,
        weights,
        _optimizer_state(first.state, m, v, *about["optimizer"]),
        replace(first.loss_scale, **about["loss_scale"]),
        from_codes(arrays, "carry", policy.weights, rng),
        None if about["death"] is None else Death.from_dict(about["death"]),
    )
    epochs = tuple(_with_shares(Epoch, epoch) for epoch in about["epochs"])
    state = LoopState(progress, epochs, about["batch"], _with_shares(Tally, about["tally"]))
    return replace(start, state=state, telemetry=Telemetry.from_dict(about["telemetry"]), rng=about["rng"])


def _optimizer_state(start: State, m: Params, v: Params, count: int, *powers: float) -> State:
    """The state with the powers of the betas as rounded scalars or Python numbers, whichever they were at the start."""
    firsts = (start.beta1_power, start.beta2_power)
    kept = (x.constant(power) if isinstance(x, FloatArray) else power for x, power in zip(firsts, powers, strict=True))
    return State(count, m, v, *kept)


Sums = TypeVar("Sums")


def _with_shares(kind: type[Sums], given: Mapping[str, Any]) -> Sums:
    return kind(**{name: Share(**x) if isinstance(x, dict) else x for name, x in given.items()})


MAY_CHANGE = ("epochs",)
"""Options that a resumed run may change: it may be made longer."""


def _check_same(path: str | Path, about: Mapping[str, Any], start: Snapshot) -> None:
    if "step" not in about:
        raise ValueError(
            f"path={str(path)!r} is a model, not a checkpoint: it has no run to resume; give it as start_from (--from)"
        )
    stored, now = Config.from_dict(about["config"]), start.config
    differ = [
        f.name for f in fields(Config) if f.name not in MAY_CHANGE and getattr(stored, f.name) != getattr(now, f.name)
    ]
    if differ:
        listed = ", ".join(f"{name}={getattr(stored, name)} there and {getattr(now, name)} here" for name in differ)
        raise ValueError(
            f"path={str(path)!r} belongs to another configuration ({listed}); give the same options, or another file"
        )
    if about["data"] != start.data or about["look_every"] != start.look_every:
        raise ValueError(
            f"path={str(path)!r} was made with data={about['data']!r} and look_every={about['look_every']}, and here "
            f"they are {start.data!r} and {start.look_every}; give the same, or another file"
        )
