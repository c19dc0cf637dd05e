"""Formulas that are right on paper only: a difference of nearly equal numbers consists of their rounding errors."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import sqrt
from ..arrays import FloatArray, array
from ..conversion import Array, Seed, as_generator
from ..elementary import cos, sin
from ..exact import round_to as exact_round
from ..formats import BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from ..rounding import round_to
from ..wording import count, number
from .common import error_text, format_reaching, frozen, relative


class _Setting:
    """The format, the mode and the random numbers with which every step of a formula is rounded."""

    def __init__(self, fmt: FormatLike, mode: Rounding | str, rng: Seed) -> None:
        self.fmt, self.mode = get_format(fmt), get_rounding(mode)
        self.rng = as_generator(self.mode, rng)

    def array(self, x: Any) -> FloatArray:
        return array(x, self.fmt, self.mode, rng=self.rng)


@dataclass(frozen=True)
class TwoWays:
    """One quantity by a naive formula, and by a careful one without cancellation.

    Attributes
    ----------
    x : ndarray
        The arguments: numbers of the format.
    naive, careful, exact : ndarray
    """

    fmt: Format
    mode: Rounding
    x: Array
    naive: Array
    careful: Array
    exact: Array
    lesson: str


def one_minus_cos(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, points: int = 160, rng: Seed = 0
) -> TwoWays:
    """(1 - cos x) / x^2, and 0.5 (sin(x/2) / (x/2))^2, which is the same on paper; every step correctly rounded.

    Examples
    --------
    >>> way = one_minus_cos("binary16")
    >>> float(way.naive[0]), float(way.careful[0])
    (0.0, 0.5)
    """
    s = _Setting(fmt, mode, rng)
    # cos x rounds to 1 up to x = sqrt(2u), where 1 - x^2/2 is a tie: start below that.
    start = float(s.fmt.unit_roundoff) ** 0.5 / 4
    x = np.unique(round_to(np.geomspace(start, 2, points), s.fmt))
    rounded, half = s.array(x), s.array(x) / 2
    naive = ((1 - s.array(cos(x, s.fmt, s.mode, rng=s.rng))) / (rounded * rounded)).values
    ratio = s.array(sin(half.values, s.fmt, s.mode, rng=s.rng)) / half
    exact = 0.5 * (np.sin(x / 2) / (x / 2)) ** 2
    zeros = x[(naive == 0) & (x < 1)]
    end = f"{zeros.max(initial=0):.2g}"
    lesson = f"(1 - cos x) / x^2 tends to 1/2; {s.fmt.name} finds 0 up to {end}"
    return TwoWays(s.fmt, s.mode, frozen(x), frozen(naive), frozen((ratio * ratio * 0.5).values), frozen(exact), lesson)


def quadratic(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, points: int = 60, rng: Seed = 0
) -> TwoWays:
    """The small root of x^2 - b x + 1 = 0 against b: (b - sqrt(b^2 - 4)) / 2, and 2 / (b + sqrt(b^2 - 4)).

    Every step is correctly rounded. The truth is the root for the rounded b, to within 2^-52.
    """
    s = _Setting(format_reaching(4, fmt), mode, rng)
    top = min(2.0 / float(s.fmt.unit_roundoff) ** 0.75, float(s.fmt.max_finite) ** 0.5 / 2)
    x = np.unique(round_to(np.geomspace(2.5, top, points), s.fmt))
    b = s.array(x)
    root = s.array(sqrt((b * b - 4).values, s.fmt, s.mode, rng=s.rng))
    naive, careful = ((b - root) / 2).values, (2 / (b + root)).values
    exact = 2 / (x + np.sqrt(x - 2) * np.sqrt(x + 2))
    lost = x[naive == 0]
    start = number(float(f"{lost.min():.2g}")) if len(lost) else ""
    worst = f"{s.fmt.name} is left with 0 from b = {start}" if len(lost) else f"{s.fmt.name} loses digits"
    lesson = f"b - sqrt(b^2 - 4) cancels: {worst}"
    return TwoWays(s.fmt, s.mode, frozen(x), frozen(naive), frozen(careful), frozen(exact), lesson)


def polynomial(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, points: int = 400, rng: Seed = 0
) -> TwoWays:
    """(x - 1)^7 near 1, from its coefficients by Horner's rule, and as a power; every step correctly rounded."""
    s = _Setting(fmt, mode, rng)
    # Horner's error is near u times the sum of |coefficients|, which is 2^7: go to where the truth is as small as that.
    radius = min(0.75, 1.3 * (2**7 * float(s.fmt.unit_roundoff)) ** (1 / 7))
    x = np.unique(round_to(np.linspace(1 - radius, 1 + radius, points), s.fmt))
    rounded = s.array(x)
    value = s.array(np.ones_like(x))
    for coefficient in (-7, 21, -35, 35, -21, 7, -1):
        value = value * rounded + coefficient
    d = rounded - 1
    square = d * d
    careful = square * square * square * d
    crossings = int(np.count_nonzero(np.diff(np.sign(value.values[value.values != 0]))))
    lesson = f"(x - 1)^7 multiplied out: {count(crossings, 'sign change')} in {s.fmt.name}"
    return TwoWays(s.fmt, s.mode, frozen(x), frozen(value.values), frozen(careful.values), frozen((x - 1) ** 7), lesson)


# --- the V of a difference quotient ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Derivative:
    """The relative error of a difference quotient against its step.

    Attributes
    ----------
    steps, error : ndarray
    best : float
        The step with the least error.
    """

    fmt: Format
    mode: Rounding
    steps: Array
    error: Array
    best: float

    @property
    def formula(self) -> Array:
        """The relative error without any rounding: h / (3 + h)."""
        return frozen(self.steps / (3 + self.steps))

    @property
    def least(self) -> str:
        """The least error, in percent. Several steps can have about the same."""
        return error_text(float(self.error.min()))

    @property
    def lesson(self) -> str:
        """What it shows."""
        return f"Smaller h is not better: {self.fmt.name} is at least {self.least} off"


def derivative(fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, rng: Seed = 0) -> Derivative:
    """(f(x + h) - f(x)) / h for f(x) = 1/x at x = 3, for h = 2^0, 2^-1, ...: every step correctly rounded.

    The relative error has two parts: h / (3 + h) from the formula, and up to about 3u / h from the roundings.
    """
    s = _Setting(format_reaching(4, fmt), mode, rng)
    steps = 2.0 ** -np.arange(0, s.fmt.precision + 2)
    x, h = s.array(np.full_like(steps, 3.0)), s.array(steps)
    error = relative(((1 / (x + h) - 1 / x) / h).values, -1 / 9)
    return Derivative(s.fmt, s.mode, frozen(steps), frozen(error), float(steps[np.argmin(error)]))


# --- variance -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variance:
    """The variance of eight numbers, offset + 0, 0.1, ..., 0.7, by one pass and by two.

    Attributes
    ----------
    offsets, one_pass, two_pass, exact : ndarray
        The exact variance is that of the rounded numbers.
    """

    fmt: Format
    mode: Rounding
    offsets: Array
    one_pass: Array
    two_pass: Array
    exact: Array

    @property
    def lesson(self) -> str:
        """What it shows."""
        ends = {"negative": self.one_pass < 0, "infinite": ~np.isfinite(self.one_pass)}
        parts = [f"{name} from {number(float(self.offsets[x][0]))}" for name, x in ends.items() if x.any()]
        error = relative(self.one_pass, self.exact)
        worst = float(error[np.isfinite(error)].max(initial=0))  # of small formats, the exact variance can be 0
        what = ", ".join(parts) if parts else f"up to {error_text(worst)} off"
        return f"One-pass variance, {self.fmt.name}: {what}"


OFFSETS = tuple(float(x) for x in np.unique(np.geomspace(1, 200, 60).round()))


def variance(
    fmt: FormatLike = BINARY16,
    mode: Rounding | str = "ties_to_even",
    *,
    offsets: tuple[float, ...] = OFFSETS,
    rng: Seed = 0,
) -> Variance:
    """One-pass and two-pass variance, every operation correctly rounded, against the exact one of the rounded data.

    Examples
    --------
    >>> v = variance("binary16", offsets=(100.0,))
    >>> float(v.one_pass[0]), round(float(v.two_pass[0]), 4), round(float(v.exact[0]), 4)
    (inf, 0.0532, 0.0517)
    """
    s = _Setting(format_reaching(max(offsets), fmt), mode, rng)
    x = s.array([[Fraction(k, 10) + Fraction(offset) for offset in offsets] for k in range(8)])
    with np.errstate(all="ignore"):
        mean = x.sum(axis=0) / 8
        one_pass = (x * x).sum(axis=0) / 8 - mean * mean
        centred = x - mean
        two_pass = (centred * centred).sum(axis=0) / 8
    exact = [_variance(column) for column in x.values.T.astype(float)]
    return Variance(s.fmt, s.mode, frozen(offsets), frozen(one_pass.values), frozen(two_pass.values), frozen(exact))


def _variance(values: Array) -> float:
    """Exactly, then rounded to binary64."""
    terms = [Fraction(float(v)) for v in values]
    mean = sum(terms) / len(terms)
    return float(exact_round(sum((t - mean) ** 2 for t in terms) / len(terms), "binary64"))
