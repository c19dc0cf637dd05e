"""The numbers of a format: where they lie, how far apart they are, and to which of them another number is rounded."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import neighbours
from ..codes import all_values
from ..conversion import Array, Seed, as_generator
from ..formats import BINARY16, E2M1FN, E4M3FN, Format, FormatLike, Rounding, get_format, get_rounding
from ..rounding import round_to
from ..wording import number
from .common import error_text, frozen

TOY = Format("toy", width=6, precision=3)
"""Six bits: small enough to see every number, and with every kind of number that a large format has."""


def finite_values(fmt: Format) -> Array:
    """The finite numbers of a small format in ascending order, zero once."""
    values = all_values(fmt)
    return np.unique(values[np.isfinite(values)])


# --- where the numbers are ------------------------------------------------------------------------------------------


class Binade(NamedTuple):
    """Numbers with a common gap: from `low` to below `high`."""

    low: float
    high: float
    size: int
    gap: float
    subnormal: bool


@dataclass(frozen=True)
class NumberLine:
    """The nonnegative numbers of a format, and their binades."""

    fmt: Format
    values: Array
    binades: tuple[Binade, ...]

    @property
    def lesson(self) -> str:
        """What it shows."""
        below = int((self.values < 1).sum())
        return f"Each power of two doubles the gap; {below} of {len(self.values)} numbers are below 1"


def number_line(fmt: FormatLike = TOY) -> NumberLine:
    """The numbers of a small format from 0 up; exact.

    Raises
    ------
    ValueError
        For a format of more than 8 bits, which has too many numbers for a picture.

    Examples
    --------
    >>> [binade.gap for binade in number_line(TOY).binades]
    [0.0625, 0.0625, 0.125, 0.25, 0.5, 1.0, 2.0]
    """
    fmt = get_format(fmt)
    if fmt.width > 8:
        raise ValueError(f"fmt={fmt.name} has 2^{fmt.width} numbers, too many to draw; use a format of 8 bits or fewer")
    values = finite_values(fmt)
    values = values[values >= 0]
    # The subnormals with zero, then a binade for each exponent.
    edges = [0.0, *(2.0**e for e in range(fmt.emin, fmt.emax + 2))]
    binades = tuple(
        Binade(low, high, int(((values >= low) & (values < high)).sum()), float(neighbours.ulp(low, fmt)), low == 0)
        for low, high in itertools.pairwise(edges)
    )
    return NumberLine(fmt, frozen(values), binades)


# --- how far apart --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gaps:
    """The ulp in each binade: `gaps[k]` is valid from `magnitudes[k]` to `magnitudes[k + 1]`.

    Attributes
    ----------
    magnitudes, gaps : ndarray
    last_odd : float
        2^precision: from there on the gap is at least 2, so odd integers are skipped.
    """

    fmt: Format
    magnitudes: Array
    gaps: Array
    last_odd: float

    @property
    def lesson(self) -> str:
        """What it shows."""
        return f"Above {number(self.last_odd)}, {self.fmt.name} skips odd numbers"


def ulp(fmt: FormatLike = BINARY16) -> Gaps:
    """The gap between neighbours in every binade of a format, with the subnormals; exact.

    Examples
    --------
    >>> ulp("binary16").last_odd, ulp("bfloat16").last_odd
    (2048.0, 256.0)
    """
    fmt = get_format(fmt)
    magnitudes = 2.0 ** np.arange(fmt.quantum_exponent_min, fmt.emax + 1)
    return Gaps(fmt, frozen(magnitudes), frozen(neighbours.ulp(magnitudes, fmt)), 2.0**fmt.precision)


# --- where a number between them goes -------------------------------------------------------------------------------


class Step(NamedTuple):
    """An open interval and the value to which it is rounded; for "stochastic" the two possible values."""

    low: float
    high: float
    values: tuple[float, ...]


class Dot(NamedTuple):
    """A place where the staircase jumps: its value there, and its values to the left and to the right of it."""

    x: float
    value: float
    left: float
    right: float
    tie: bool


@dataclass(frozen=True)
class Staircase:
    """A rounding as a function of x: its steps, and its dots where it jumps."""

    fmt: Format
    mode: Rounding
    steps: tuple[Step, ...]
    dots: tuple[Dot, ...]

    @property
    def lesson(self) -> str:
        """What it shows."""
        return f"{self.mode.value}: {_RULES.get(self.mode, 'up or down by chance, and nearly x on average')}"


_RULES = {
    Rounding.TIES_TO_EVEN: "a tie goes to the even significand",
    Rounding.TIES_TO_AWAY: "a tie goes away from zero",
    Rounding.TOWARD_ZERO: "digits are cut off",
    Rounding.TOWARD_POSITIVE: "never below x: an upper bound",
    Rounding.TOWARD_NEGATIVE: "never above x: a lower bound",
    Rounding.TO_ODD: "an odd last bit says that digits were lost",
    Rounding.STOCHASTIC: "up or down by chance, and x on average",
}


def staircase(
    fmt: FormatLike = E2M1FN, mode: Rounding | str = "ties_to_even", *, low: float = -4.5, high: float = 4.5
) -> Staircase:
    """A rounding mode as a function from `low` to `high`: correctly rounded at every tie and between them.

    Between a number and the next tie, or a tie and the next number, the result is constant. So the whole function is
    known from one value inside each of these intervals and the values at their ends.

    Examples
    --------
    >>> [dot.value for dot in staircase("e2m1fn", low=0, high=3).dots if dot.tie]
    [0.0, 1.0, 1.0, 2.0, 2.0]
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    values = number_range(fmt, low, high)
    ties = (values[:-1] + values[1:]) / 2
    ends = np.unique([low, high, *values, *ties])
    ends = ends[(ends >= low) & (ends <= high)]
    inner = (ends[:-1] + ends[1:]) / 2
    if mode.random:
        both = zip(round_to(inner, fmt, "toward_negative"), round_to(inner, fmt, "toward_positive"), strict=True)
        return Staircase(fmt, mode, _steps(ends, [(float(a), float(b)) for a, b in both]), ())
    reached = [(float(y),) for y in round_to(inner, fmt, mode)]
    at = round_to(ends[1:-1], fmt, mode)
    dots = (
        Dot(float(x), float(y), left[0], right[0], bool(np.isin(x, ties)))
        for x, y, left, right in zip(ends[1:-1], at, reached[:-1], reached[1:], strict=True)
    )
    return Staircase(fmt, mode, _steps(ends, reached), tuple(d for d in dots if not d.left == d.value == d.right))


def number_range(fmt: Format, low: float, high: float) -> Array:
    """The finite numbers of a format from the last at or below `low` to the first at or above `high`."""
    if fmt.width > 8:
        raise ValueError(f"fmt={fmt.name} has 2^{fmt.width} numbers, too many to draw; use a format of 8 bits or fewer")
    if not low < high:
        raise ValueError(f"low={low} must be less than high={high}")
    values = finite_values(fmt)
    first = max(0, int(np.searchsorted(values, low, "right")) - 1)
    return values[first : int(np.searchsorted(values, high)) + 1]


def _steps(ends: Array, reached: Sequence[tuple[float, ...]]) -> tuple[Step, ...]:
    """The intervals between `ends`; neighbours with the same result are joined."""
    steps: list[Step] = []
    for low, high, values in zip(ends[:-1], ends[1:], reached, strict=True):
        if steps and steps[-1].values == values:
            steps[-1] = steps[-1]._replace(high=float(high))
        else:
            steps.append(Step(float(low), float(high), values))
    return tuple(steps)


# --- how much is lost -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RelativeError:
    """The relative error of rounding against x: 0 at the numbers of the format, and largest between them.

    Attributes
    ----------
    x, error : ndarray
        Corners of the sawtooth, in ascending order.
    bound : float
        u for the modes to nearest, 2u for the others; valid from min_normal on.
    """

    fmt: Format
    mode: Rounding
    x: Array
    error: Array
    bound: float

    @property
    def lesson(self) -> str:
        """What it shows."""
        name = "u" if self.bound == self.fmt.unit_roundoff else "2u"
        return f"{self.fmt.name} errs by at most {name} = {error_text(self.bound, 3)}, except among subnormals"


def relative_error(fmt: FormatLike = E4M3FN, mode: Rounding | str = "ties_to_even", *, rng: Seed = 0) -> RelativeError:
    """The relative error of `round_to` at the corners of its sawtooth: exact errors of correctly rounded results.

    Four binades of subnormals and four of normal numbers, with at most 16 teeth in each binade. Of a format with more
    teeth, those at equal distances are kept.
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    low, high = 2.0 ** max(fmt.quantum_exponent_min - 1, fmt.emin - 4), 2.0 ** min(fmt.emin + 4, fmt.emax)
    x = _corners(fmt, low, high)
    error = np.abs(round_to(x, fmt, mode, rng=as_generator(mode, rng)) - x) / x
    nearest = mode in (Rounding.TIES_TO_EVEN, Rounding.TIES_TO_AWAY)
    return RelativeError(fmt, mode, frozen(x), frozen(error), float(fmt.unit_roundoff) * (1 if nearest else 2))


def _corners(fmt: Format, low: float, high: float) -> Array:
    """Numbers, ties, and the binary64 neighbours of both: where the error in any mode turns or jumps."""
    corners: list[Array] = []
    start = low
    while start < high:
        gap = float(neighbours.ulp(start, fmt))
        teeth = max(1, round(start / gap))
        chosen = np.arange(0, teeth, max(1, teeth // 16)) * gap
        number = max(start, gap / 2) + chosen if start >= gap else np.array([])
        middle = number + gap / 2 if len(number) else np.array([gap / 2])
        corners += [number, middle, *(np.nextafter(middle, side) for side in (0, np.inf))]
        corners += [np.nextafter(number, 0), np.nextafter(number, np.inf), np.nextafter(number + gap, 0)]
        start *= 2
    x = np.unique(np.concatenate(corners))
    return x[(x >= low) & (x <= high)]
