"""What the report's figures show, as data: windows of formats, histograms over them, shares over steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..formats import Format, Subnormals
from ..learn import History, Survey, diagnose
from ..learn.observe.telemetry import Telemetry, TensorCounts
from ..learn.scaling import is_representable
from ..learn.shares import Share

GRADIENTS = ("activation gradient", "product cotangent", "weight gradient")
"""Kinds of numbers that a loss scale moves."""


class Zone(NamedTuple):
    """The exponents e, low <= e < high, of numbers that rounding treats alike."""

    name: str
    low: float
    high: float


def zones(fmt: Format) -> tuple[Zone, ...]:
    """What rounding to a format makes of the binades, from the smallest to the largest; exact except at single points.

    Let min_subnormal = 2^q. With gradual underflow the binades below that of 2^(q-1) become 0: 2^(q-1) itself is a tie
    and goes to 0, but all other numbers in its binade become min_subnormal.

    >>> from fp16sim import BINARY16
    >>> for zone in zones(BINARY16):
    ...     print(*zone)
    zero -inf -25
    subnormal -25 -14
    normal -14 16
    overflow 16 inf
    """
    normal = fmt.emin - (fmt.subnormals is Subnormals.FLUSH_TO_NEAREST)
    gradual = fmt.subnormals is Subnormals.GRADUAL
    zero = fmt.quantum_exponent_min - 1 if gradual else normal
    found = (
        Zone("zero", -math.inf, zero),
        Zone("subnormal", zero, normal),
        Zone("normal", normal, fmt.emax + 1),
        Zone("overflow", fmt.emax + 1, math.inf),
    )
    return tuple(zone for zone in found if zone.low < zone.high)


# --- histograms over the window -------------------------------------------------------------------------------------


LEAST = 0.05
"""The height of the lowest bar, relative to the highest: two pixels."""


@dataclass(frozen=True)
class Histogram:
    """The exponents of one tensor's finite nonzero numbers, and what a multiplication by a power of two would change.

    Attributes
    ----------
    name : str
    seen : Survey
    shift, own : int
        The powers of two with the smallest expected error: for all tensors together, and for this one alone.
    """

    name: str
    seen: Survey
    shift: int = 0
    own: int = 0

    def lost(self, shift: int = 0) -> float:
        """The share of the nonzero numbers that become 0 or overflow, if multiplied by 2^shift."""
        return self.seen.fate(shift).lost / self.seen.finite if self.seen.finite else 0.0

    def heights(self) -> dict[int, float]:
        """For each exponent its count relative to the largest; at least `LEAST`, so that every bar can be seen."""
        counts = self.seen.exponents
        top = max(counts.values(), default=1)
        return {e: max(n / top, LEAST) for e, n in counts.items() if n}


@dataclass(frozen=True)
class Window:
    """Histograms of one kind of number, over the window of their format, on one axis of exponents."""

    kind: str
    fmt: Format
    rows: tuple[Histogram, ...]
    shift: int
    low: int
    high: int
    """Exponents e with low <= e < high are shown."""


MARGIN = 10
"""The axis is extended to an end of a zone that is at most this many binades away from the numbers."""


def windows(history: History, kind: str, suggested: int | None = None) -> tuple[Window, ...]:
    """The histograms of a kind of number in a run, one window for each of its formats. All counts are exact.

    The shift of a window is a change of the loss scale by a power of two; it is 0 for numbers that do not depend on the
    loss scale. For the compute format it is the suggested shift, if there is one. Otherwise it is the shift with
    the smallest expected error, among those with which the loss's format can represent the scale.
    """
    chosen: dict[Format, dict[str, Survey]] = {}
    for (other, name), seen in history.telemetry.surveys.items():
        if other == kind and seen.total:
            chosen.setdefault(seen.fmt, {})[name] = seen
    shifts = possible_shifts(history) if kind in GRADIENTS else [0]
    found = []
    for fmt, surveys in chosen.items():
        advised = suggested if kind in GRADIENTS and fmt == history.config.policy.compute.fmt else None
        shift = best_shift(history.telemetry, fmt, shifts) if advised is None else advised
        found.append(_window(kind, fmt, surveys, shift, shifts))
    return tuple(found)


def suggested_shift(history: History) -> int | None:
    """The power of two by which the diagnosis would change the loss scale; None if it suggests no change."""
    shifts = [a.evidence["shift"] for a in diagnose(history) if a.topic == "loss scale" and "shift" in a.evidence]
    return int(shifts[0]) if shifts else None


def _window(kind: str, fmt: Format, chosen: dict[str, Survey], shift: int, shifts: Sequence[int]) -> Window:
    rows = tuple(Histogram(name, seen, shift, seen.best_shift(shifts)) for name, seen in chosen.items())
    return Window(kind, fmt, rows, shift, *_axis(fmt, rows, shift))


def possible_shifts(history: History) -> list[int]:
    """The exponents k for which the loss's format can represent 2^k times the last loss scale."""
    now, fmt = current_scale(history), history.config.policy.loss.fmt
    with np.errstate(over="ignore"):
        return [k for k in range(-24, 25) if k == 0 or is_representable(now * 2.0**k, fmt)]


def current_scale(history: History) -> float:
    """The loss scale of the last step."""
    scales = history.telemetry.scales
    return scales[-1][1] if scales else history.config.make_loss_scale().scale


def best_shift(telemetry: Telemetry, fmt: Format, shifts: Sequence[int]) -> int:
    """The k for which 2^k times the loss scale has the smallest expected error, over all gradients in a format."""
    total = Survey(fmt)
    for (kind, _), seen in telemetry.surveys.items():
        if kind in GRADIENTS and seen.fmt == fmt:
            total = total + seen
    return total.best_shift(shifts)


def _axis(fmt: Format, rows: Sequence[Histogram], shift: int) -> tuple[int, int]:
    ends = [e for row in rows if row.seen.binades for e in (row.seen.lowest, row.seen.highest)] or [fmt.emin, fmt.emax]
    low, high = min(ends) + min(shift, 0), max(ends) + max(shift, 0) + 1
    edges = [int(zone.low) for zone in zones(fmt) if math.isfinite(zone.low)]
    near = [edge for edge in edges if low - MARGIN <= edge <= high + MARGIN]
    return min(low, *(edge - 3 for edge in near), low) - 1, max(high, *(edge + 3 for edge in near), high) + 1


# --- shares over steps ----------------------------------------------------------------------------------------------


def _nonzero(row: TensorCounts) -> int:
    return row.total - row.zeros - row.nan


SHARES: dict[str, Callable[[TensorCounts], Share]] = {
    "become 0": lambda row: Share(row.lost, _nonzero(row)),
    "become subnormal": lambda row: Share(row.subnormal, _nonzero(row)),
    "overflow or NaN": lambda row: Share(row.overflowed + row.nan, row.total),
    "were 0 before": lambda row: Share(row.zeros, row.total),
    "without effect": lambda row: Share() if row.absorbed is None else Share(row.absorbed, _nonzero(row)),
}
"""The measures over the steps of a run. Each is a count of a total, so that several steps can be added up."""


class Strip(NamedTuple):
    """A measure of one tensor on the examined steps."""

    name: str
    measure: str
    steps: tuple[int, ...]
    shares: tuple[Share, ...]

    @property
    def largest(self) -> float | None:
        """The largest share on any step; None if there was nothing to count on any of them."""
        return max((share.value for share in self.shares if share.value is not None), default=None)


def strips(telemetry: Telemetry, kind: str, measure: str) -> tuple[Strip, ...]:
    """A measure of each tensor of a kind, in the order in which the tensors were first seen."""
    return tuple(
        Strip(name, measure, tuple(row.step for row in rows), tuple(SHARES[measure](row) for row in rows))
        for name, rows in by_tensor(telemetry, kind).items()
    )


def by_tensor(telemetry: Telemetry, kind: str) -> dict[str, list[TensorCounts]]:
    """The rows of each tensor of a kind."""
    found: dict[str, list[TensorCounts]] = {}
    for row in telemetry.rows:
        if row.kind == kind:
            found.setdefault(row.name, []).append(row)
    return found


def columns(shares: Sequence[Share], most: int) -> list[Share]:
    """Neighbouring shares added up, so that at most `most` are left.

    >>> columns([Share(1, 4), Share(0, 4), Share(2, 4)], 2)
    [Share(count=1, total=8), Share(count=2, total=4)]
    """
    each = -(-len(shares) // most)
    return [sum(shares[i : i + each], Share()) for i in range(0, len(shares), each)]


LEVELS = (1e-3, 1e-2, 0.1, 0.5)
"""Where levels 2 to 5 begin; level 1 begins above 0."""


def level(share: Share) -> int:
    """The level of a share, from 0 for none, or if there was nothing to count, to 5 for half or more.

    >>> [level(Share(n, 10_000)) for n in (0, 1, 10, 100, 1000, 5000)]
    [0, 1, 2, 3, 4, 5]
    """
    value = share.value or 0.0
    return (value > 0) + sum(value >= edge for edge in LEVELS)


class Arrival(NamedTuple):
    """How much of each step of a tensor arrived at its weights: how far they moved along it, relative to its length."""

    name: str
    steps: tuple[int, ...]
    arrived: tuple[float | None, ...]
    """None for a step that was 0."""


def arrivals(telemetry: Telemetry) -> tuple[Arrival, ...]:
    """The arrivals of each weight tensor."""
    return tuple(
        Arrival(name, tuple(row.step for row in rows), tuple(row.arrived for row in rows))
        for name, rows in by_tensor(telemetry, "step").items()
    )


# --- curves ---------------------------------------------------------------------------------------------------------


def stairs(history: History) -> list[tuple[int, float]]:
    """(step, loss scale) at each change and at the end."""
    scales = list(history.telemetry.scales)
    return [*scales, (max(history.steps, scales[-1][0]), scales[-1][1])] if scales else []


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers in an interval, at distances of 1, 2 or 5 times a power of ten.

    >>> ticks(0.0, 1.0), ticks(93, 100)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [94.0, 96.0, 98.0, 100.0])
    """
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]
