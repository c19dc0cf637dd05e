"""Runs and models on disk: numbers are stored as codes of their formats, so that every bit comes back.

A file is a NumPy archive of unsigned integers, and of a text in JSON. Nothing in it is executed when it is read. A
model is the parameters and the configuration; a checkpoint also has everything else that the next step depends on.

A file can come from anyone. So the text is compared with the types of `ModelText` or `RunText`, and the headers of the
arrays with what the configuration needs, before a number is read.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...archives import MAX_BYTES, Archive, check_memory, open_archive
from ...arrays import FloatArray
from ...codes import decode
from ...conversion import Array, Generator
from ...files import atomic_path, why_not_writable
from ...formats import BINARY32, Format
from ...wording import quoted, shortened
from ..chance import Answers
from ..factors import Factors
from ..model.layers import Params, Shapes
from ..model.optimizers import State
from ..model.own import LossLike, ModelLike
from ..model.transformer import GPTConfig
from ..observe.telemetry import Telemetry
from ..precision import Precision
from ..records import from_plain
from ..scaled_products import ROLES, Amaxes
from ..state import Death, Epoch, LoopState, Progress, Tally
from .config import FALLING, Config
from .engine import model_for

VERSION = 5

BYTES_KEPT, BYTES_WHILE_READ = 8, 72
"""How much memory a number takes, and how much more while its array is decoded; for a character of the text both."""


# --- arrays ---------------------------------------------------------------------------------------------------------


def word(fmt: Format) -> np.dtype[Any]:
    """The smallest unsigned integers for the codes of a format: uint8 for fp8, uint16 for binary16, ..."""
    if fmt.width > 64:
        raise ValueError(f"{fmt} has {fmt.width} bits; codes of at most 64 bits are stored")
    return next(dtype for dtype in map(np.dtype, ("u1", "u2", "u4", "u8")) if dtype.itemsize * 8 >= fmt.width)


def to_codes(arrays: Mapping[str, FloatArray], prefix: str) -> dict[str, Array]:
    """The codes of arrays, each named "prefix/name"."""
    return {f"{prefix}/{name}": x.codes.astype(word(x.fmt)) for name, x in arrays.items()}


def write(path: str | Path, about: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write arrays and a text about them as one archive; if that fails, the old file stays."""
    text = np.frombuffer(json.dumps({"version": VERSION, **about}).encode(), np.uint8)
    with atomic_path(path) as place, place.open("wb") as file:
        np.savez(file, about=text, **arrays)


# --- reading --------------------------------------------------------------------------------------------------------


class _Refusal(ValueError):
    """A message that is complete: it names the file and the way out."""


@contextmanager
def opened(path: str | Path, max_bytes: int = MAX_BYTES) -> Iterator[tuple[dict[str, Any], Archive]]:
    """The text of a file that `write` wrote, and its arrays, of which only the headers are read.

    Raises
    ------
    ValueError
        For any other file; and for what goes wrong in the `with` block, with the name of the file.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"path={str(path)!r} is not a file; give a model or checkpoint that fp16sim train wrote")
    try:
        with open_archive(path) as archive:
            _check_memory(path, archive, max_bytes)
            yield _text(path, archive), archive
    except _Refusal:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ValueError(
            f"path={str(path)!r} is not a model or checkpoint of fp16sim, or it is damaged "
            f"({shortened(str(error), 500)}); give a file that fp16sim train wrote"
        ) from None


def _check_memory(path: Path, archive: Archive, max_bytes: int) -> None:
    sizes = [header.size for header in archive.headers.values()]
    try:
        check_memory(BYTES_KEPT * sum(sizes) + BYTES_WHILE_READ * max(sizes, default=0), max_bytes)
    except ValueError as error:
        raise _Refusal(f"path={str(path)!r} is refused: {error}") from None


def _text(path: Path, archive: Archive) -> dict[str, Any]:
    if "about" not in archive.headers:
        raise ValueError("it has no text about its arrays")
    about = json.loads(archive.read("about").astype(np.uint8, casting="no").tobytes())
    if not isinstance(about, dict):
        raise ValueError("its text is not an object of JSON")
    if (version := about.get("version")) != VERSION:
        raise _Refusal(
            f"path={str(path)!r} has version={quoted(version)}, but this fp16sim reads version {VERSION}; "
            "use the fp16sim that wrote it, or delete it and train again"
        )
    return about


def read(path: str | Path, max_bytes: int = MAX_BYTES) -> tuple[dict[str, Any], dict[str, Array]]:
    """What `write` wrote; ValueError for any other file."""
    with opened(path, max_bytes) as (about, archive):
        return about, {name: archive.read(name) for name in archive.headers if name != "about"}


PrecisionOf: TypeAlias = Callable[[str], Precision]
"""The precision of an array by its name."""


def _same(precision: Precision) -> PrecisionOf:
    return lambda name: precision


def _read_params(archive: Archive, kind: str, shapes: Shapes, precision: PrecisionOf, rng: Generator = None) -> Params:
    """The arrays of a kind, after their headers have been compared with what the configuration needs."""
    needed = {f"{kind}/{name}": shape for name, shape in shapes.items()}
    for name in sorted({name for name in archive.headers if name.startswith(f"{kind}/")} - needed.keys()):
        raise ValueError(f"{name} does not belong to its configuration")
    for name, shape in needed.items():
        if name not in archive.headers:
            raise ValueError(f"{name} is missing")
        header, dtype = archive.headers[name], word(precision(name.partition("/")[2]).fmt)
        if header.shape != shape or header.dtype is None or header.dtype.newbyteorder("=") != dtype:
            raise ValueError(
                f"{name} has dtype={header.descr} and shape={header.shape}, but its configuration needs {dtype} and "
                f"{shape}"
            )
    return {
        name: precision(name).array(decode(archive.read(f"{kind}/{name}"), precision(name).fmt), rng) for name in shapes
    }


# --- models ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """A trained model as stored: its parameters, and the configuration of its training."""

    config: Config
    params: Params
    image_shape: tuple[int, ...]
    classes: int


@dataclass(frozen=True)
class ModelText:
    """The text in the file of a model."""

    version: int
    config: dict[str, Any]
    image_shape: tuple[int, ...]
    classes: int

    def __post_init__(self) -> None:
        least = 0 if isinstance(self.config.get("model"), dict) else 1
        if min((*self.image_shape, self.classes + 1 - least)) < 1:
            raise ValueError(f"image_shape={self.image_shape} and classes={self.classes} must be 1 or more")

    def make_config(self) -> Config:
        """The configuration; ValueError if a language model has another context or vocabulary than the file says."""
        config = Config.from_dict(self.config)
        if config.model == "gpt" and (len(config.gpt.vocabulary), (config.gpt.context,)) != (
            self.classes,
            self.image_shape,
        ):
            raise ValueError(
                f"classes={self.classes} and image_shape={self.image_shape} are not those of its language model, which "
                f"knows {len(config.gpt.vocabulary)} characters and sees {config.gpt.context}"
            )
        return config

    def shapes(self) -> Shapes:
        """The shapes that the parameters must have."""
        return model_for(self.make_config(), self.image_shape, self.classes).shapes()


def save_model(path: str | Path, model: Model) -> None:
    """Write a model. Parameters take the width of their format: a binary16 file is half as large as a binary32 one.

    Raises
    ------
    ValueError
        If the parameters are not those of the configuration: no one could read the file.
    """
    needed = model_for(model.config, model.image_shape, model.classes).shapes()
    given = {name: x.shape for name, x in model.params.items()}
    if given != needed:
        raise ValueError(f"params={given} of the model do not fit its configuration, which needs {needed}")
    param_of = model.config.policy.param_of
    if other := next((name for name, x in model.params.items() if x.fmt != param_of(name).fmt), None):
        raise ValueError(
            f"{other} of the model is in {model.params[other].fmt}, and its configuration says "
            f"param={param_of(other).fmt}; give parameters in that format, or another policy"
        )
    about = {"config": model.config.to_dict(), "image_shape": list(model.image_shape), "classes": model.classes}
    write(path, about, to_codes(model.params, "params"))


def load_model(
    path: str | Path,
    *,
    model: ModelLike | None = None,
    loss: LossLike | None = None,
    average: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Model:
    """Read a model, or the model in a checkpoint. The numbers are exactly those that were written.

    Parameters
    ----------
    path : path
    model, loss : optional
        A model and a loss of your own, as `train` took them: a file has their names and shapes, and not their code.
    average : bool
        Of a run with a moving average of the weights (`ema`): the average instead of the weights, in their formats.
    max_bytes : int
        A file that needs more memory is refused.

    Raises
    ------
    ValueError
        If the file is not a model or checkpoint, or its arrays are not those that its configuration needs; if it has no
        average.
    """
    with opened(path, max_bytes) as (about, archive):
        text = _model_text(about)
        config = text.make_config()
        config = config if model is None else replace(config, model=model)
        config = config if loss is None else replace(config, loss=loss)
        needed, held = model_for(config, text.image_shape, text.classes).shapes(), text.shapes()
        if needed != held:
            raise _Refusal(f"model has the parameters {needed}, and path={str(path)!r} has {held}; give its own model")
        param_of = config.policy.param_of
        if average:
            if not any(name.startswith("average/") for name in archive.headers):
                raise _Refusal(f"path={str(path)!r} has no moving average of the weights; train with ema=0.99 (--ema)")
            averages = _read_params(archive, "average", held, config.average_of)
            params = {name: param_of(name).array(x, np.random.default_rng(config.rng)) for name, x in averages.items()}
        else:
            params = _read_params(archive, "params", held, param_of)
        return Model(config, params, text.image_shape, text.classes)


def _model_text(about: dict[str, Any]) -> ModelText:
    return from_plain(RunText if "step" in about else ModelText, about, "about")


def load_arrays(path: str | Path, *, max_bytes: int = MAX_BYTES) -> dict[str, FloatArray]:
    """All arrays of a model or a checkpoint, by the names that they have in the file, such as "params/W1" or "m/W1"."""
    with opened(path, max_bytes) as (about, archive):
        text = _model_text(about)
        config = text.make_config()
        policy = config.policy
        found: dict[str, FloatArray] = {}
        state, average = _same(policy.state), config.average_of
        kinds = {"weights": policy.weights_of, "m": state, "v": state, "carry": policy.weights_of, "average": average}
        for kind, precision in {"params": policy.param_of, **kinds}.items():
            stored = kind == "params" or any(name.startswith(f"{kind}/") for name in archive.headers)
            arrays = _read_params(archive, kind, text.shapes() if stored else {}, precision)
            found |= {f"{kind}/{name}": x for name, x in arrays.items()}
        amaxes = _read_amaxes(archive, config.factors, text.shapes())
        return found | {f"amax/{name}": x for name, x in amaxes.items()}


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


EPOCH_SECONDS = 1.0
"""At the end of an epoch a run is written, unless it was written so little time ago: that takes a disk a while."""


class Checkpointer:
    """Writes a run to a file at the ends of epochs, every `seconds` between, and when it is interrupted or finished.

    Without a path it does nothing. How often it writes does not change the run.
    """

    def __init__(self, path: str | Path | None, seconds: float = 20.0, max_bytes: int = MAX_BYTES) -> None:
        if seconds < 0:
            raise ValueError(f"checkpoint_seconds={seconds} is negative; use 0 to write after each step")
        self.path, self.seconds, self.max_bytes = None if path is None else Path(path), seconds, max_bytes
        self.begun, self.last = time.monotonic(), -math.inf
        if self.path is not None and (why := why_not_writable(self.path)):
            raise ValueError(f"checkpoint_path={str(path)!r}: {why}")

    def save_if_due(self, run: Snapshot) -> None:
        """Write the run if the time has passed."""
        ends = run.state.batch == 0
        since = self.last if ends else max(self.begun, self.last)
        if time.monotonic() - since >= (min(self.seconds, EPOCH_SECONDS) if ends else self.seconds):
            self.save(run)

    def save(self, run: Snapshot) -> None:
        """Write the run, if it has begun."""
        if self.path is not None and run.state.progress.step:
            save_run(self.path, run)
            self.last = time.monotonic()

    def resume(self, start: Snapshot, rng: Generator) -> Snapshot:
        """The run in the file if there is one, else the given start."""
        if self.path is None:
            raise ValueError("resume=True needs checkpoint_path, the file of the run")
        return load_run(self.path, start, rng, self.max_bytes) if self.path.exists() else start

    def refuse_unfinished(self) -> None:
        """ValueError if the file has an interrupted run, which would be overwritten."""
        if self.path is not None and self.path.exists() and (left := unfinished(self.path, self.max_bytes)):
            raise ValueError(
                f"path={str(self.path)!r} has a run that was interrupted after {left}; go on with resume (--resume), "
                "name another file, or delete it"
            )


@dataclass(frozen=True)
class RunText(ModelText):
    """The text in the file of a run: what `save_run` writes beside the arrays."""

    data: str
    step: int
    batch: int
    epochs: tuple[Epoch, ...]
    tally: Tally
    answers: Answers | None
    hopeless: int
    death: Death | None
    optimizer: tuple[int, float, float]
    loss_scale: dict[str, Any]
    telemetry: dict[str, Any]
    look_every: int
    rng: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.step, self.batch, self.tally.images) < 0:
            raise ValueError(f"step={self.step}, batch={self.batch} and images={self.tally.images} must be 0 or more")


def unfinished(path: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """Where the run in a checkpoint was interrupted, such as "step 120"; "" if it is finished."""
    with opened(path, max_bytes) as (about, _):
        text = _model_text(about)
        over = not isinstance(text, RunText) or text.death or len(text.epochs) >= text.make_config().epochs
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
        "answers": None if run.state.answers is None else asdict(run.state.answers),
        "hopeless": progress.hopeless,
        "death": None if progress.death is None else asdict(progress.death),
        "optimizer": [state.count, float(state.beta1_power), float(state.beta2_power)],
        "loss_scale": asdict(progress.loss_scale),
        "telemetry": run.telemetry.to_dict(),
        "look_every": run.look_every,
        "rng": run.rng,
    }
    arrays = to_codes(progress.params, "params") | to_codes(progress.carry, "carry")
    arrays |= to_codes(state.m, "m") | to_codes(state.v, "v") | to_codes(progress.amaxes, "amax")
    arrays |= to_codes(progress.average, "average")
    if run.config.policy.master is not None:
        arrays |= to_codes(progress.weights, "weights")
    write(path, about, arrays)


def load_run(path: str | Path, start: Snapshot, rng: Generator, max_bytes: int = MAX_BYTES) -> Snapshot:
    """What `save_run` wrote, for a run with this start; ValueError if the file belongs to another run.

    `rng` gives the random numbers to arrays of a stochastic format.
    """
    with opened(path, max_bytes) as (about, archive):
        text = _model_text(about)
        if not isinstance(text, RunText):
            raise _Refusal(
                f"path={str(path)!r} is a model, not a checkpoint: it has no run to resume; give it as start_from "
                "(--from)"
            )
        _check_same(path, text, start)
        _check_generator(text.rng)
        state = LoopState(_read_progress(archive, text, start, rng), text.epochs, text.batch, text.tally, text.answers)
        return replace(start, state=state, telemetry=Telemetry.from_dict(text.telemetry), rng=text.rng)


def _read_progress(archive: Archive, text: RunText, start: Snapshot, rng: Generator) -> Progress:
    """Where the run stands. The arrays must be those of its start, with other numbers."""
    policy, first = start.config.policy, start.state.progress

    def arrays(kind: str, like: Params, precision: PrecisionOf) -> Params:
        return _read_params(archive, kind, {name: x.shape for name, x in like.items()}, precision, rng)

    params, state = arrays("params", first.params, policy.param_of), _same(policy.state)
    weights = arrays("weights", first.weights, policy.weights_of) if policy.master is not None else params
    m, v = arrays("m", first.state.m, state), arrays("v", first.state.v, state)
    return replace(
        first,
        step=text.step,
        params=params,
        weights=weights,
        state=_optimizer_state(first.state, m, v, *text.optimizer),
        loss_scale=from_plain(type(first.loss_scale), text.loss_scale, "loss_scale"),
        carry=arrays("carry", first.carry, policy.weights_of),
        average=arrays("average", first.average, start.config.average_of),
        hopeless=text.hopeless,
        death=text.death,
        amaxes=_read_amaxes(archive, start.config.factors, first.weights),
    )


def _read_amaxes(archive: Archive, factors: Factors | None, weights: Collection[str]) -> Amaxes:
    """What delayed scaling remembers, of factors that the model can have."""
    names = [name.removeprefix("amax/") for name in archive.headers if name.startswith("amax/")]
    if names and (factors is None or factors.scaling != "delayed"):
        raise ValueError(f"amax/{names[0]} does not belong to its configuration")
    for name in names:
        product, _, role = name.rpartition(" ")
        if role not in ROLES or not (product in weights or re.fullmatch(r"product [1-9]\d{0,5}", product)):
            raise ValueError(f"amax/{name} is of no factor of the model")
    length = factors.amax_history_len + 1 if factors else 0
    return _read_params(archive, "amax", dict.fromkeys(names, (length,)), _same(Precision(BINARY32)))


def _check_generator(state: Any) -> None:
    try:
        np.random.PCG64().state = state
    except (ValueError, TypeError, LookupError, OverflowError):
        raise ValueError("rng is not the state of a generator of random numbers") from None


def _optimizer_state(start: State, m: Params, v: Params, count: int, *powers: float) -> State:
    """The state with the powers of the betas as rounded scalars or Python numbers, whichever they were at the start."""
    firsts = (start.beta1_power, start.beta2_power)
    kept = (x.constant(power) if isinstance(x, FloatArray) else power for x, power in zip(firsts, powers, strict=True))
    return State(count, m, v, *kept)


MAY_CHANGE = ("epochs",)
"""Options that a resumed run may change: it may be made longer, unless the learning rate falls until its end."""


def _difference(name: str, there: Any, here: Any) -> str:
    """An option that two runs have otherwise; of a language model also the characters of its text."""
    if str(there) == str(here) and isinstance(there, GPTConfig):
        return f"characters {quoted(there.vocabulary)} there and {quoted(here.vocabulary)} here"
    return f"{name}={there} there and {here} here"


def _check_same(path: str | Path, text: RunText, start: Snapshot) -> None:
    stored, now = text.make_config(), start.config
    there, here = stored.to_dict(), now.to_dict()
    longer = () if now.schedule in FALLING and not now.decay_steps else MAY_CHANGE
    options: list[tuple[str, Any, Any]] = [
        (f.name, getattr(stored, f.name), getattr(now, f.name))
        for f in fields(Config)
        if f.name not in longer and there[f.name] != here[f.name]
    ]
    options += [("image_shape", text.image_shape, start.image_shape), ("classes", text.classes, start.classes)]
    if differ := [option for option in options if option[0] in there or option[1] != option[2]]:
        listed = ", ".join(_difference(*option) for option in differ)
        falls = "epochs" in (name for name, *_ in differ)
        why = "; with other epochs each step would have had another learning rate (schedule)" if falls else ""
        raise _Refusal(
            f"path={str(path)!r} belongs to another configuration ({listed}){why}; give the same options, or another "
            "file"
        )
    if text.data != start.data or text.look_every != start.look_every:
        raise _Refusal(
            f"path={str(path)!r} was made with data={text.data!r} and look_every={text.look_every}, and here "
            f"they are {start.data!r} and {start.look_every}; give the same, or another file"
        )
