"""Small formulas with large errors: chaos, a limit that repels, and an agreement that proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from .. import exact
from ..arrays import array
from ..conversion import Array, Seed, as_generator
from ..formats import BINARY16, Format, FormatLike, Rounding, get_rounding
from ..wording import count, number
from .common import format_reaching, frozen


@dataclass(frozen=True)
class Orbit:
    """A recurrence computed in a format, and exactly.

    Attributes
    ----------
    values, exact : ndarray
        Element n is term n of the recurrence; the exact terms are rounded to binary64.
    lost_at : int or None
        The first term with an error of more than 0.1.
    """

    fmt: Format
    mode: Rounding
    values: Array
    exact: Array
    lost_at: int | None
    lesson: str

    @property
    def leaves_at(self) -> int:
        """The term with the largest error if that exceeds 110, else the first with one over 30, or the last finite."""
        error = np.where(np.isfinite(self.error), self.error, 0)
        peak, away = int(np.argmax(error)), np.flatnonzero(error > 30)
        if error[peak] > 110:
            return peak
        return int(away[0]) if len(away) else int(np.flatnonzero(np.isfinite(self.error))[-1])

    @property
    def error(self) -> Array:
        """abs(values - exact)."""
        with np.errstate(all="ignore"):
            return frozen(np.abs(self.values.astype(float) - self.exact))


def _first_lost(values: Array, truth: Array) -> int | None:
    with np.errstate(all="ignore"):
        lost = np.flatnonzero(~(np.abs(values - truth) <= 0.1))
    return int(lost[0]) if len(lost) else None


# --- the logistic map -----------------------------------------------------------------------------------------------

_WIDE = Format("wide", width=415, precision=400)
"""The logistic map doubles an error in each step: after 100 steps, 400 bits still have 300 right ones."""


def logistic(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, steps: int = 60, rng: Seed = 0
) -> Orbit:
    """x = 4 x (1 - x) from x = 0.3, every step correctly rounded, and the same with 400 bits.

    Examples
    --------
    >>> logistic("binary16").lost_at, logistic("binary32").lost_at
    (11, 22)
    """
    fmt, mode = format_reaching(4, fmt), get_rounding(mode)
    if not 1 <= steps <= 100:
        raise ValueError(f"steps={steps}: the exact orbit is known for 1 to 100 steps")
    x = array(0.3, fmt, mode, rng=as_generator(mode, rng))
    values, truth = [float(x)], _logistic_exactly()[: steps + 1]
    for _ in range(steps):
        x = 4 * x * (1 - x)
        values.append(float(x))
    lost = _first_lost(np.array(values), np.array(truth))
    lesson = f"Chaos doubles errors: {fmt.name} loses the orbit after {count(lost, 'step') if lost else 'no step'}"
    return Orbit(fmt, mode, frozen(values), frozen(truth), lost, lesson)


@lru_cache(maxsize=1)
def _logistic_exactly() -> tuple[float, ...]:
    t: Any = exact.round_to("0.3", _WIDE)
    truth = [float(t)]
    for _ in range(100):
        t = exact.multiply(exact.multiply(4, t, _WIDE), exact.subtract(1, t, _WIDE), _WIDE)
        truth.append(float(t))
    return tuple(truth)


# --- Muller's recurrence --------------------------------------------------------------------------------------------


def muller(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, steps: int = 30, rng: Seed = 0
) -> Orbit:
    """x[n+1] = 111 - 1130 / x[n] + 3000 / (x[n] x[n-1]) from 2, -4: every step correctly rounded, and exactly.

    The limit is 6, but it repels: any error leads to 100, which attracts. (J.-M. Muller, Arithmetique des ordinateurs,
    1989.)

    Examples
    --------
    >>> [round(float(muller(f).values[-1])) for f in ("binary16", "bfloat16", "binary32", "binary64")]
    [100, 100, 100, 100]
    >>> round(float(muller("binary16").exact[-1]), 3)
    6.006
    """
    fmt, mode = format_reaching(4, fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    x = [array(float(v), fmt, mode, rng=generator) for v in (2, -4)]
    t = [Fraction(2), Fraction(-4)]
    with np.errstate(all="ignore"):
        for _ in range(steps - 1):
            x.append(111 - 1130 / x[-1] + 3000 / (x[-1] * x[-2]))
            t.append(111 - 1130 / t[-1] + 3000 / (t[-1] * t[-2]))
    values, truth = np.array([float(v) for v in x]), np.array([float(v) for v in t])
    end = float(values[-1])
    ends = f"converges, calmly, to {number(end)}" if np.isfinite(end) else "ends at infinity or NaN"
    lesson = f"The limit is 6; {fmt.name} {ends}"
    return Orbit(fmt, mode, frozen(values), frozen(truth), _first_lost(values, truth), lesson)


# --- Rump's polynomial ----------------------------------------------------------------------------------------------


NAMED = {24: "binary32", 53: "binary64", 113: "binary128"}
"""The precisions of formats that have a name."""


@dataclass(frozen=True)
class Rump:
    """Rump's polynomial, computed in each precision.

    Attributes
    ----------
    precisions : ndarray of int
    values : ndarray
        The result in each precision, with a wide range of exponents.
    exact : float
    right_from : int
        From this precision on the result is within 0.01 of the truth.
    """

    mode: Rounding
    precisions: Array
    values: Array
    exact: float
    right_from: int

    @property
    def lesson(self) -> str:
        """What it shows."""
        found = {number(round(float(v), 4)) for p, v in zip(self.precisions, self.values, strict=True) if p in NAMED}
        verb = "agree on" if len(found) == 1 else "find"
        return f"Three formats {verb} {' or '.join(sorted(found))}, but the truth is {self.exact:.4f}"


def rump(mode: Rounding | str = "ties_to_even", *, least: int = 8, most: int = 128) -> Rump:
    """Rump's polynomial at (77617, 33096) in the form of Loh and Walster, every step correctly rounded, by precision.

        (333.75 - a^2) b^6 + a^2 (11 a^2 b^2 - 121 b^4 - 2) + 5.5 b^8 + a / (2 b)

    E. Loh and W. Walster, "Rump's example revisited" (2002).

    Examples
    --------
    >>> r = rump(least=24, most=24)
    >>> round(float(r.values[0]), 6), round(r.exact, 6)
    (1.172604, -0.827396)
    """
    mode = get_rounding(mode)
    precisions = np.arange(least, most + 1)
    values = [float(_rump(Format(f"p{p}", width=int(p) + 15, precision=int(p)), mode)) for p in precisions]
    truth = float(_rump_exactly(Fraction(77617), Fraction(33096)))
    wrong = np.flatnonzero(~(np.abs(np.array(values) - truth) < 0.01))
    right_from = int(precisions[wrong[-1]]) + 1 if len(wrong) else least
    return Rump(mode, frozen(precisions), frozen(values), truth, right_from)


def _rump(fmt: Format, mode: Rounding) -> Any:
    """By `fp16sim.exact`, whose formats may be wider than binary64."""

    def do(operation: Any, x: Any, y: Any) -> Any:
        return operation(x, y, fmt, mode)

    add, subtract, multiply = exact.add, exact.subtract, exact.multiply
    a, b = (exact.round_to(n, fmt, mode) for n in (77617, 33096))
    a2, b2 = do(multiply, a, a), do(multiply, b, b)
    b4 = do(multiply, b2, b2)
    b6, b8 = do(multiply, b4, b2), do(multiply, b4, b4)
    first = do(multiply, do(subtract, exact.round_to("333.75", fmt, mode), a2), b6)
    inner = do(subtract, do(multiply, do(multiply, 11, a2), b2), do(multiply, 121, b4))
    total = do(add, first, do(multiply, a2, do(subtract, inner, 2)))
    total = do(add, total, do(multiply, exact.round_to("5.5", fmt, mode), b8))
    return do(add, total, do(exact.divide, a, do(multiply, 2, b)))


def _rump_exactly(a: Fraction, b: Fraction) -> Fraction:
    return (
        (Fraction("333.75") - a**2) * b**6
        + a**2 * (11 * a**2 * b**2 - 121 * b**4 - 2)
        + Fraction("5.5") * b**8
        + a / (2 * b)
    )
