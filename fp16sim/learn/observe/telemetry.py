"""The microscope: what rounding lost, tensor by tensor, on some steps of a run.

On an examined step each vjp is computed once more in binary64 from the same rounded operands. So its exponents before
rounding are known, and a `Survey` of them says what the format made of them and what any other loss scale would do. A
cotangent that was 0 before is not counted again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from html import escape
from math import inf
from operator import add
from typing import Any, TypeAlias

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array
from ...formats import BINARY64, Format, Rounding, get_format
from ...wording import count, quoted
from ..model.autograd import backward_step, consumers_first
from ..model.layers import Params
from ..model.tensor import Tensor
from ..records import from_plain
from ..scaled_products import ROLES
from ..shares import Share
from ..state import StepResult
from .binades import Binade
from .exponents import Survey, survey
from .findings import PATTERNS, Finding, findings, merged

EVERY = 50
"""At least every 50th step is examined. An examined step takes as long as two to four others."""

PER_EPOCH = 3
"""At least this many steps of each epoch are examined, so that a curve over the epochs has no gaps. In the main job,
with 23 steps in an epoch, that takes about a tenth of the time."""


def usual_interval(batches: int) -> int:
    """How many steps there are from one examined step to the next, in a run with this many batches in an epoch.

    >>> usual_interval(1875), usual_interval(23), usual_interval(2)
    (50, 7, 1)
    """
    return max(1, min(EVERY, batches // PER_EPOCH))


FACTOR_KINDS = {role: f"{role} factor" for role in ROLES}
"""What scaled factors of products are called."""

KINDS = (
    "activation",
    "activation gradient",
    "product cotangent",
    "weight gradient",
    "step",
    "weight",
    *FACTOR_KINDS.values(),
)
"""What is examined: the outputs of layers; the gradients inside layers; these as factors of products, if they have a
format of their own there; the gradients of weights; the optimizer's steps; the weights; and the factors of products, as
they are rounded after they were multiplied by their scales, by the weight of the product."""


def count_absorbed(before: Params, after: Params, steps: Params) -> Share:
    """Of the nonzero elements of the steps, those that left their weight unchanged because they were absorbed."""
    absorbed = Share()
    for name, step in steps.items():
        moving = step.values != 0
        same = np.logical_and(moving, after[name].values == before[name].values)
        absorbed += Share(int(np.count_nonzero(same)), int(np.count_nonzero(moving)))
    return absorbed


# --- what is stored -------------------------------------------------------------------------------------------------

Arrival: TypeAlias = tuple[int | None, float | None]
"""`absorbed` and `arrived` of a TensorCounts."""


@dataclass(frozen=True)
class TensorCounts:
    """One tensor on one step, by the fate of its elements.

    Attributes
    ----------
    step : int
        Counted from 1.
    kind, name : str
        One of KINDS; the layer or the weight.
    total, zeros, nan : int
        All elements; those that were 0 or NaN before rounding.
    lost, subnormal, overflowed : int
        Nonzero elements that became 0 and subnormal; elements that are or became infinite.
    absorbed : int or None
        Of an optimizer's step: the elements that left their weight unchanged. None for all other kinds.
    arrived : float or None
        Of an optimizer's step: how much of it reached the weights, as a factor; 1 if nothing was lost. None for all
        other kinds, and if the whole step was 0.
    """

    step: int
    kind: str
    name: str
    total: int
    zeros: int
    subnormal: int
    lost: int
    overflowed: int
    nan: int
    absorbed: int | None = None
    arrived: float | None = None


@dataclass(repr=False)
class Telemetry:
    """What a microscope saw of a run.

    Attributes
    ----------
    rows : list of TensorCounts
        One for each tensor on each examined step.
    surveys : dict of (kind, name) to Survey
        The exponents of each tensor, those of all examined steps together.
    scales : list of (int, float)
        (step, loss scale) for the first step, and whenever the scale changed.
    skipped : list of int
        The steps that were skipped.
    findings : list of Finding
        Known troubles in the graphs of the examined steps, and of the step in which the run died.
    """

    rows: list[TensorCounts] = field(default_factory=list)
    surveys: dict[tuple[str, str], Survey] = field(default_factory=dict)
    scales: list[tuple[int, float]] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __repr__(self) -> str:
        seen = f"{count(len(self.surveys), 'tensor')} on {count(len({row.step for row in self.rows}), 'step')}"
        return f"<Telemetry: {seen}, {count(len(self.skipped), 'skipped step')}; `.surveys` has the exponents>"

    def _repr_html_(self) -> str:
        """A card for notebooks: for each kind of tensor, how many elements were seen and what became of them."""
        rows = "".join(self._card_row(kind) for kind in KINDS if any(row.kind == kind for row in self.rows))
        heads = "".join(f"<th>{head}</th>" for head in ("kind", "elements", "became 0", "overflowed", "without effect"))
        return f"<div><strong>{escape(repr(self)[1:-1])}</strong><table><tr>{heads}</tr>{rows}</table></div>"

    def _card_row(self, kind: str) -> str:
        seen = [row for row in self.rows if row.kind == kind]
        lost, overflowed = sum(row.lost for row in seen), sum(row.overflowed for row in seen)
        counted = [row.absorbed for row in seen if row.absorbed is not None]
        absorbed = f"{sum(counted):,}" if counted else "-"
        cells = (kind, f"{sum(row.total for row in seen):,}", f"{lost:,}", f"{overflowed:,}", absorbed)
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    def copy(self) -> Telemetry:
        """The same records, to which nothing is added later."""
        return Telemetry([*self.rows], {**self.surveys}, [*self.scales], [*self.skipped], [*self.findings])

    def add(self, step: int, kind: str, name: str, seen: Survey, arrival: Arrival = (None, None)) -> None:
        """Store what was seen of one tensor on one step, and for an optimizer's step how it arrived."""
        fate, key = seen.fate(), (kind, name)
        row = TensorCounts(
            step=step,
            kind=kind,
            name=name,
            total=seen.total,
            zeros=seen.zeros,
            subnormal=fate.subnormal,
            lost=fate.underflowed,
            overflowed=fate.overflowed + seen.infinities,
            nan=seen.nans,
            absorbed=arrival[0],
            arrived=arrival[1],
        )
        self.rows.append(row)
        self.surveys[key] = self.surveys[key] + seen if key in self.surveys else seen

    def total(self, kind: str) -> Survey | None:
        """All tensors of a kind together; None if there are none. Of several formats: the one with most elements."""
        chosen: dict[Format, list[Survey]] = {}
        for (other, _), seen in self.surveys.items():
            if other == kind:
                chosen.setdefault(seen.fmt, []).append(seen)
        return max((reduce(add, each) for each in chosen.values()), key=lambda seen: seen.total, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": [dict(vars(row)) for row in self.rows],
            "surveys": [
                {"kind": kind, "name": name, **_survey_to_dict(seen)} for (kind, name), seen in self.surveys.items()
            ],
            "scales": [list(pair) for pair in self.scales],
            "skipped": list(self.skipped),
            "findings": [dict(vars(found)) for found in self.findings],
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Telemetry:
        """What `to_dict` wrote; ValueError for anything else."""
        stored = from_plain(_StoredTelemetry, given, "telemetry")
        for step, scale in stored.scales:
            if step < 1 or not 0 < scale < inf:
                raise ValueError(
                    f"telemetry: scale={quoted(scale)} at step={step}; a loss scale is positive and finite"
                )
        surveys = {(seen.kind, seen.name): seen.survey() for seen in stored.surveys}
        for found in stored.findings:
            if found.pattern not in PATTERNS or not 0 < found.count <= found.total:
                raise ValueError(f"telemetry.findings has {quoted(found)}, which no run gives")
        return cls(stored.rows, surveys, stored.scales, stored.skipped, stored.findings)


@dataclass(frozen=True)
class _StoredSurvey:
    kind: str
    name: str
    format: str | Format
    total: int
    zeros: int
    nans: int
    infinities: int
    lowest: int
    binades: tuple[Binade, ...]

    def survey(self) -> Survey:
        """The survey, if it can be one of binary64 numbers: sums of others would need much memory."""
        counts = (self.total, self.zeros, self.nans, self.infinities)
        all_counts = (*counts, *(n for binade in self.binades for n in binade))
        highest = self.lowest + len(self.binades)
        if not (-1074 <= self.lowest <= highest <= 1024 and all(0 <= n < 1 << 62 for n in all_counts)):
            raise ValueError(f"the survey of {self.name} has exponents or counts that no array has")
        return Survey(get_format(self.format), *counts, lowest=self.lowest, binades=self.binades)


@dataclass(frozen=True)
class _StoredTelemetry:
    rows: list[TensorCounts]
    surveys: list[_StoredSurvey]
    scales: list[tuple[int, float]]
    skipped: list[int]
    findings: list[Finding]


def _survey_to_dict(seen: Survey) -> dict[str, Any]:
    plain = {name: getattr(seen, name) for name in ("total", "zeros", "nans", "infinities", "lowest")}
    return {"format": seen.fmt.to_plain(), **plain, "binades": [list(binade) for binade in seen.binades]}


# --- what is examined -----------------------------------------------------------------------------------------------

_MOVES = (
    "reshape",
    "select",
    "pick",
    "narrow",
    "max_pool",
    "transpose",
    "concatenate",
    "broadcast",
    "masked",
    "max",
    "min",
)
"""Operations whose vjps move numbers and compute nothing."""

_VIEWS = ("cast", "reshape", "narrow", "transpose")
"""Operations that give a weight in another shape or format."""


def _weight(tensor: Tensor) -> str:
    """The name of the weight that a tensor is, if only in another shape or format; else "".

    A weight that is cast outside all layers is one of a penalty, which belongs to the loss and has its format.
    """
    while not tensor.name and tensor.operation in _VIEWS and (tensor.layer or tensor.operation != "cast"):
        tensor = tensor.arguments[0]
    return tensor.name


def _widen(x: FloatArray) -> FloatArray:
    return FloatArray(x.values.astype(np.float64), BINARY64, Rounding.TIES_TO_EVEN)


def _wide_step(tensor: Tensor, k: int, g: FloatArray) -> Array:
    """The cotangent of argument k in binary64, from the rounded operands."""
    if tensor.operation != "matmul" or any(x.value.ndim > 2 for x in tensor.arguments):
        return backward_step(tensor, k, g, _widen).values
    left, right = (_widen(x.value).values for x in tensor.arguments)
    wide = g.values.astype(np.float64)  # products by BLAS, which is much faster
    return wide @ right.T if k == 0 else left.T @ wide


def _outside(tensor: Tensor) -> str:
    """What a tensor outside all layers belongs to: the loss, or a cast of the last layer's output or of the logits."""
    if tensor.operation != "cast":
        return "loss"
    return "logits" if tensor.arguments[0].layer else "output"


class BackwardObserver:
    """Sees every vjp of a backward pass, and surveys what it is in binary64, before the format rounds it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Survey]] = []

    def __call__(self, tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        fmt, weight = part.fmt, _weight(tensor.arguments[k])
        if tensor.operation in _MOVES or (weight and tensor.operation in _VIEWS):
            return
        if weight and (tensor.layer or "." not in weight):
            kind, name = "weight gradient", weight
        else:  # a weight outside all layers is one of a penalty, which belongs to the loss
            kind, name = "activation gradient", tensor.layer or _outside(tensor)
        if tensor.operation == "narrow_back":
            kind, fmt = "product cotangent", tensor.settings["to"].fmt
        self.seen.append((kind, name, survey(_wide_step(tensor, k, g), fmt)))

    @property
    def lost(self) -> Share:
        """Of the finite nonzero cotangents, those that became 0."""
        fates = [seen.fate() for _, _, seen in self.seen]
        finite = sum(seen.finite for _, _, seen in self.seen)
        return Share(sum(fate.underflowed for fate in fates), finite)


class Microscope:
    """Examines the first step of a run and every `every`-th after it; 0 for none."""

    def __init__(self, every: int = EVERY, telemetry: Telemetry | None = None) -> None:
        if every < 0:
            raise ValueError(f"every={every} is negative; use 0 to examine no step, or 1 to examine each")
        self.every = every
        self.telemetry = telemetry or Telemetry()

    def observer(self, step: int) -> BackwardObserver | None:
        """After `step` steps: an observer for the backward pass of the next one, if that one is examined."""
        return BackwardObserver() if self.every and step % self.every == 0 else None

    def look(self, step: StepResult, backward: BackwardObserver | None) -> None:
        """Store what a step showed: its loss scale, whether it was skipped, and its tensors if it is examined."""
        number, telemetry, scale = step.after.step, self.telemetry, step.before.loss_scale.scale
        if not telemetry.scales or telemetry.scales[-1][1] != scale:
            telemetry.scales.append((number, scale))
        if step.skipped:
            telemetry.skipped.append(number)
        if backward is not None or step.after.death is not None:
            telemetry.findings[:] = merged([*telemetry.findings, *findings(step.loss)])
        if backward is None:
            return
        for kind, name, seen in _merged(backward.seen):
            telemetry.add(number, kind, name, seen)
        factors = ((FACTOR_KINDS[x.role], x.name, survey(x.shares, x.fmt)) for x in step.factors)
        for kind, name, seen in _merged(factors):
            telemetry.add(number, kind, name, seen)
        for tensor in _outputs(step.loss):
            telemetry.add(number, "activation", tensor.layer, _surveyed(tensor.value))
        for name, x in step.after.weights.items():
            telemetry.add(number, "weight", name, _surveyed(x))
        for name, x in step.steps.items():
            arrival = _arrival(step.before.weights[name], step.after.weights[name], x)
            telemetry.add(number, "step", name, _surveyed(x), arrival)


def _surveyed(x: FloatArray) -> Survey:
    return survey(x.values, x.fmt)


def _merged(seen: Iterable[tuple[str, str, Survey]]) -> Iterable[tuple[str, str, Survey]]:
    """Surveys of one kind and name together. What enters an island has another format: that is named too."""
    merged: dict[tuple[str, str], Survey] = {}
    for kind, name, found in seen:
        first = merged.get((kind, name))
        key = kind, name if first is None or first.fmt == found.fmt else f"{name} ({found.fmt.name})"
        merged[key] = merged[key] + found if key in merged else found
    return ((kind, name, found) for (kind, name), found in merged.items())


def _outputs(loss: Tensor) -> list[Tensor]:
    """The last tensor of each layer, from the loss to the input."""
    found: dict[str, Tensor] = {}
    for tensor in consumers_first(loss):
        if tensor.layer:
            found.setdefault(tensor.layer, tensor)
    return list(found.values())


def _arrival(before: FloatArray, after: FloatArray, step: FloatArray) -> Arrival:
    """How many elements of a step were absorbed, and how much of it arrived: the projection of the move on the step."""
    wanted = step.values.astype(np.float64).reshape(-1)
    moved = after.values.astype(np.float64).reshape(-1) - before.values.reshape(-1)
    absorbed = int(np.count_nonzero((wanted != 0) & (moved == 0)))
    length = float(wanted @ wanted)
    return absorbed, float(moved @ wanted) / length if length else None
