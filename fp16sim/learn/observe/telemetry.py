"""The microscope: what rounding took away, tensor by tensor, on some steps of a run.

On a step that is looked at, each vjp is taken again in binary64 from the same rounded operands. So what it would have
been is known, exponent by exponent, before it was rounded: a `Survey` tells what the format made of it and what any
other loss scale would have. What came in as 0 already is counted where it was lost, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import FloatArray
from ...formats import BINARY64, Rounding, get_format
from ..model.autograd import Tensor, backward_step, consumers_first
from ..model.layers import Params
from .exponents import Survey, survey

if TYPE_CHECKING:
    from ..run.engine import Seen

EVERY = 50
"""Steps between two looks: a look costs about as much as four steps, so that is below 10 % of the time."""

KINDS = ("activation", "activation gradient", "product cotangent", "weight gradient", "step", "weight")
"""What is looked at: outputs of layers; gradients inside layers; what those become as factors of products, where that
is a format of its own; gradients of weights; the optimizer's steps; weights."""


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int = 0
    total: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.count + other.count, self.total + other.total)

    def __float__(self) -> float:
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True)
class Death:
    """Where a run ended: the first step after which something was not finite."""

    step: int
    tensor: str
    reason: str
    layer: str = ""
    operation: str = ""

    def __str__(self) -> str:
        return f"died at step {self.step}: {self.tensor} is not finite: {self.reason}"


def all_finite(arrays: Mapping[str, FloatArray]) -> bool:
    """Whether every element of every array is finite."""
    return all(bool(np.isfinite(x.values).all()) for x in arrays.values())


def count_absorbed(before: Params, after: Params, steps: Params) -> Share:
    """How many of the nonzero steps changed nothing because they were absorbed."""
    absorbed = Share()
    for name, step in steps.items():
        moving = step.values != 0
        same = np.logical_and(moving, after[name].values == before[name].values)
        absorbed += Share(int(np.count_nonzero(same)), int(np.count_nonzero(moving)))
    return absorbed


# --- what is remembered ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One tensor on one step. Counts are of elements; `lost` is of the nonzero ones that became 0."""

    step: int
    kind: str
    name: str
    total: int
    zeros: int
    subnormal: int
    lost: int
    overflowed: int
    nan: int
    absorbed: int = 0
    """Of a step: elements that left their weight as it was."""
    arrived: float = 1.0
    """Of a step: how much of it arrived at the weights, as a factor of the learning rate; 1 when nothing is lost."""


@dataclass
class Telemetry:
    """What a microscope saw: a row for each look at a tensor, and for each tensor all its exponents together."""

    rows: list[Row] = field(default_factory=list)
    surveys: dict[tuple[str, str], Survey] = field(default_factory=dict)
    scales: list[tuple[int, float]] = field(default_factory=list)
    """(step, loss scale) whenever it changed."""
    skipped: list[int] = field(default_factory=list)
    """Steps that were skipped."""

    def add(self, row: Row, seen: Survey) -> None:
        """Remember a look."""
        self.rows.append(row)
        key = (row.kind, row.name)
        self.surveys[key] = self.surveys[key] + seen if key in self.surveys else seen

    def total(self, kind: str) -> Survey | None:
        """All tensors of a kind together; None if there are none. They have one format in a run."""
        chosen = [seen for (other, _), seen in self.surveys.items() if other == kind]
        if not chosen:
            return None
        result = chosen[0]
        for seen in chosen[1:]:
            result = result + seen
        return result

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "surveys": [
                {"kind": kind, "name": name, **_survey_to_dict(seen)} for (kind, name), seen in self.surveys.items()
            ],
            "scales": [list(pair) for pair in self.scales],
            "skipped": list(self.skipped),
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Telemetry:
        """What `to_dict` wrote."""
        surveys = {(s["kind"], s["name"]): _survey_from_dict(s) for s in given["surveys"]}
        scales = [(int(step), float(scale)) for step, scale in given["scales"]]
        return cls([Row(**row) for row in given["rows"]], surveys, scales, list(given["skipped"]))


def _survey_to_dict(seen: Survey) -> dict[str, Any]:
    plain = {name: getattr(seen, name) for name in ("total", "zeros", "nans", "infinities", "lowest")}
    return {"format": seen.fmt.to_plain(), **plain, "binades": [list(binade) for binade in seen.binades]}


def _survey_from_dict(given: dict[str, Any]) -> Survey:
    from .binades import Binade

    plain = {name: int(given[name]) for name in ("total", "zeros", "nans", "infinities", "lowest")}
    return Survey(get_format(given["format"]), **plain, binades=tuple(Binade(*b) for b in given["binades"]))


# --- looking --------------------------------------------------------------------------------------------------------

_MOVES = ("reshape", "select", "pick", "narrow", "max_pool")
"""Operations whose vjps only move numbers."""

_VIEWS = ("cast", "reshape", "narrow")
"""Operations whose result is still the weight that they were given."""


def _weight(tensor: Tensor) -> str:
    """The name of the weight that a tensor is, perhaps in another shape or format; "" if it is none."""
    while not tensor.name and tensor.operation in _VIEWS:
        tensor = tensor.arguments[0]
    return tensor.name


def _widen(x: FloatArray) -> FloatArray:
    return FloatArray(x.values.astype(np.float64), BINARY64, Rounding.TIES_TO_EVEN)


def _wide_step(tensor: Tensor, k: int, g: FloatArray) -> Any:
    """The cotangent of argument k in binary64, from the rounded operands: those of products by BLAS."""
    if tensor.operation != "matmul":
        return backward_step(tensor, k, g, _widen).values
    left, right = (_widen(x.value).values for x in tensor.arguments)
    wide = g.values.astype(np.float64)
    return wide @ right.T if k == 0 else left.T @ wide


class Backward:
    """An observer of the backward pass: what each vjp would have been in binary64, and what the format made of it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Survey]] = []

    def __call__(self, tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        fmt, weight = part.fmt, _weight(tensor.arguments[k])
        if tensor.operation in _MOVES or (weight and tensor.operation in _VIEWS):
            return
        kind, name = ("weight gradient", weight) if weight else ("activation gradient", tensor.layer)
        if tensor.operation == "narrow_back":
            kind, fmt = "product cotangent", tensor.settings["to"].fmt
        # Outside all layers there are the loss and, perhaps in a format of its own, what it was given.
        outside = "logits" if tensor.operation == "cast" else "loss"
        self.seen.append((kind, name or outside, survey(_wide_step(tensor, k, g), fmt)))

    @property
    def lost(self) -> Share:
        """Of the nonzero cotangents, those that became 0."""
        fates = [seen.fate() for _, _, seen in self.seen]
        finite = sum(seen.finite for _, _, seen in self.seen)
        return Share(sum(fate.underflowed for fate in fates), finite)


class Microscope:
    """Looks at every `every`-th step of a run, the first included; 0 for never."""

    def __init__(self, every: int = EVERY, telemetry: Telemetry | None = None) -> None:
        if every < 0:
            raise ValueError(f"every={every} is negative; use 0 to look at no step, 50 for the default")
        self.every = every
        self.telemetry = telemetry or Telemetry()

    def observer(self, step: int) -> Backward | None:
        """For the step that comes after so many: an observer of its backward pass if it is looked at."""
        return Backward() if self.every and step % self.every == 0 else None

    def look(self, seen: Seen, backward: Backward | None) -> None:
        """Remember what a step showed."""
        step, telemetry = seen.after.step, self.telemetry
        scale = seen.progress.loss_scale.scale
        if not telemetry.scales or telemetry.scales[-1][1] != scale:
            telemetry.scales.append((step, scale))
        if not seen.grads:
            telemetry.skipped.append(step)
        if backward is None:
            return
        for kind, name, found in _merged(backward.seen):
            telemetry.add(_row(step, kind, name, found), found)
        for tensor in _outputs(seen.loss):
            found = survey(tensor.value.values, tensor.value.fmt)
            telemetry.add(_row(step, "activation", tensor.layer, found), found)
        for name, x in seen.after.weights.items():
            found = survey(x.values, x.fmt)
            telemetry.add(_row(step, "weight", name, found), found)
        for name, x in seen.steps.items():
            found = survey(x.values, x.fmt)
            absorbed, arrived = _arrival(seen.progress.weights[name], seen.after.weights[name], x)
            telemetry.add(_row(step, "step", name, found, absorbed, arrived), found)


def _merged(seen: Iterable[tuple[str, str, Survey]]) -> Iterable[tuple[str, str, Survey]]:
    merged: dict[tuple[str, str], Survey] = {}
    for kind, name, found in seen:
        merged[kind, name] = merged[kind, name] + found if (kind, name) in merged else found
    return ((kind, name, found) for (kind, name), found in merged.items())


def _row(step: int, kind: str, name: str, seen: Survey, absorbed: int = 0, arrived: float = 1.0) -> Row:
    fate = seen.fate()
    overflowed = fate.overflowed + seen.infinities
    return Row(
        step, kind, name, seen.total, seen.zeros, fate.subnormal, fate.underflowed, overflowed, seen.nans, absorbed,
        arrived,
    )  # fmt: skip


def _outputs(loss: Tensor) -> list[Tensor]:
    """The last tensor of each layer, from the loss to the input."""
    found: dict[str, Tensor] = {}
    for tensor in consumers_first(loss):
        if tensor.layer:
            found.setdefault(tensor.layer, tensor)
    return list(found.values())


def _arrival(before: FloatArray, after: FloatArray, step: FloatArray) -> tuple[int, float]:
    """How many elements of a step were absorbed, and what share of the step arrived: its projection on what moved."""
    wanted = step.values.astype(np.float64).reshape(-1)
    moved = after.values.astype(np.float64).reshape(-1) - before.values.reshape(-1)
    absorbed = int(np.count_nonzero((wanted != 0) & (moved == 0)))
    length = float(wanted @ wanted)
    return absorbed, float(moved @ wanted) / length if length else 1.0
