"""The shadow of a scalar: an exact fraction while that lasts, then a wide number with a radius.

A `Wide` stands for mid +- radius. `mid` is a Fraction; or a float that is an infinity or NaN. A fraction that has more
than LONGEST bits is rounded to DIGITS bits, and the radius takes what that changes. Functions are computed by mpmath,
with its precision raised until two results agree; without mpmath, by the double-double functions of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from ..elementary.definitions import DEFINITIONS
from . import pair_functions
from .pairs import Pair

LONGEST = 1 << 13
"""Bits of a fraction: arithmetic on longer ones takes milliseconds an operation."""
DIGITS = 1 << 11
NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class Wide:
    """mid +- radius; a radius of None says that nothing is known."""

    mid: Fraction | float
    radius: Fraction | None = NOTHING

    @property
    def finite(self) -> bool:
        """Whether it is a number."""
        return isinstance(self.mid, Fraction)

    @property
    def exact(self) -> bool:
        """Whether the fraction is the true value."""
        return self.radius == 0


LOST = Wide(math.nan, None)


def wide(x: Any) -> Wide:
    """A number, exactly."""
    if isinstance(x, (int, Fraction)):
        return Wide(Fraction(x))
    x = float(x)
    return Wide(Fraction(x)) if math.isfinite(x) else Wide(x)


def as_float(x: Wide) -> float:
    """The nearest float, or an infinity."""
    try:
        return float(x.mid)
    except OverflowError:
        return math.copysign(math.inf, x.mid)


def as_pair(x: Wide) -> Pair:
    """The same as a pair of no dimensions."""
    if not isinstance(x.mid, Fraction):
        return Pair(np.asarray(x.mid), 0.0, 0.0 if x.radius is not None else np.asarray(np.inf))
    hi = as_float(x)
    if not math.isfinite(hi):
        return Pair(np.asarray(hi), 0.0, np.asarray(np.inf))
    rest = x.mid - Fraction(hi)
    lo = float(rest)
    slip = abs(rest - Fraction(lo)) + (NOTHING if x.radius is None else x.radius)
    if x.radius is not None and not slip:
        return Pair(np.asarray(hi), np.asarray(lo) if lo else 0.0)
    return Pair(np.asarray(hi), np.asarray(lo), np.asarray(np.inf if x.radius is None else _above(slip)))


def of_pair(x: Pair) -> Wide:
    """A pair of no dimensions as a Wide."""
    hi, lo, radius = float(x.hi), float(x.lo), float(x.radius)
    if not math.isfinite(hi):
        return Wide(hi) if radius == 0 else Wide(hi, None)
    if not math.isfinite(radius):
        return Wide(Fraction(hi) + Fraction(lo), None)
    return Wide(Fraction(hi) + Fraction(lo), Fraction(radius))


def _above(x: Fraction) -> float:
    return math.nextafter(float(x), math.inf) if x else 0.0


def _kept(mid: Fraction, radius: Fraction | None) -> Wide:
    """A result, rounded if it has become long."""
    if mid.numerator.bit_length() + mid.denominator.bit_length() > LONGEST:
        short = _short(mid, DIGITS)
        radius = None if radius is None else radius + abs(mid) / (1 << (DIGITS - 2))
        mid = short
    if radius:
        radius = _rounded_up(radius)
    return Wide(mid, radius)


def _short(x: Fraction, bits: int) -> Fraction:
    """A fraction cut to so many bits: right to 2^(1 - bits) of its size."""
    shift = x.denominator.bit_length() - x.numerator.bit_length() + bits
    scaled = (x.numerator << shift) // x.denominator if shift >= 0 else x.numerator // (x.denominator << -shift)
    return Fraction(scaled, 1 << shift) if shift >= 0 else Fraction(scaled << -shift)


def _rounded_up(x: Fraction) -> Fraction:
    """A positive number of 60 bits that is not less."""
    if x.numerator.bit_length() + x.denominator.bit_length() < 256:
        return x
    short = _short(x, 60)
    return short + short / (1 << 58)


# --- arithmetic -----------------------------------------------------------------------------------------------------


def _special(operation: Callable[[Any, Any], Any], a: Wide, b: Wide) -> Wide:
    """An operation on infinities and NaN."""
    if a.radius is None or b.radius is None:
        return LOST
    with np.errstate(all="ignore"):
        y = float(operation(np.float64(_sign(a)), np.float64(_sign(b))))
    return wide(y)


def _sign(x: Wide) -> float:
    """A float that stands for the number beside infinities."""
    return float((x.mid > 0) - (x.mid < 0)) if isinstance(x.mid, Fraction) else x.mid


def add(a: Wide, b: Wide) -> Wide:
    """a + b."""
    if isinstance(a.mid, Fraction) and isinstance(b.mid, Fraction):
        return _kept(a.mid + b.mid, _total(a.radius, b.radius))
    return _special(np.add, a, b)


def negative(a: Wide) -> Wide:
    """-a."""
    return Wide(-a.mid, a.radius)


def subtract(a: Wide, b: Wide) -> Wide:
    """a - b."""
    return add(a, negative(b))


def _total(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else a + b


def multiply(a: Wide, b: Wide) -> Wide:
    """a * b."""
    if not (isinstance(a.mid, Fraction) and isinstance(b.mid, Fraction)):
        return _special(np.multiply, a, b)
    if a.radius is None or b.radius is None:
        return Wide(a.mid * b.mid, None)
    radius = abs(a.mid) * b.radius + abs(b.mid) * a.radius + a.radius * b.radius if a.radius or b.radius else NOTHING
    return _kept(a.mid * b.mid, radius)


def divide(a: Wide, b: Wide) -> Wide:
    """a / b."""
    if not (isinstance(a.mid, Fraction) and isinstance(b.mid, Fraction)):
        return _special(np.divide, a, b)
    if b.mid == 0:
        return _special(np.divide, a, b) if a.radius == 0 == b.radius else LOST
    quotient = a.mid / b.mid
    if a.radius is None or b.radius is None or b.radius >= abs(b.mid):
        return Wide(quotient, None)
    exact = not a.radius and not b.radius
    return _kept(quotient, NOTHING if exact else (a.radius + abs(quotient) * b.radius) / (abs(b.mid) - b.radius))


def absolute(a: Wide) -> Wide:
    """|a|."""
    return negative(a) if a.mid < 0 else a


def maximum(a: Wide, b: Wide) -> Wide:
    """The larger one; NaN if one is NaN."""
    return a if a.mid >= b.mid or a.mid != a.mid else b


def minimum(a: Wide, b: Wide) -> Wide:
    """The smaller one; NaN if one is NaN."""
    return a if a.mid <= b.mid or a.mid != a.mid else b


def sqrt(a: Wide) -> Wide:
    """The square root, by integers."""
    if not isinstance(a.mid, Fraction) or a.mid < 0:
        return LOST if a.radius is None or (a.mid == a.mid and a.mid < 0 and a.radius) else wide(_float_sqrt(a))
    shift = 2 * DIGITS + 2 * max(0, a.mid.denominator.bit_length() - a.mid.numerator.bit_length())
    scaled = (a.mid.numerator << shift) // a.mid.denominator
    root = math.isqrt(scaled)
    mid = Fraction(root, 1 << (shift // 2))
    return _kept(mid, _radius_of_root(a, mid, Fraction(1, 1 << (shift // 2))))


def _radius_of_root(a: Wide, mid: Fraction, step: Fraction) -> Fraction | None:
    """Of a root that is right to `step`: sqrt(a + r) - sqrt(a) is at most r / sqrt(a), and at most sqrt(r)."""
    if a.radius is None:
        return None
    radius = NOTHING if mid * mid == a.mid else step
    if a.radius:
        radius += a.radius / mid if mid else 2 * Fraction(sqrt(Wide(a.radius)).mid)
    return radius


def _float_sqrt(a: Wide) -> float:
    return math.inf if a.mid == math.inf else math.nan


# --- functions ------------------------------------------------------------------------------------------------------


@cache
def library() -> ModuleType | None:
    """mpmath, if it is installed."""
    try:
        return import_module("mpmath")
    except ImportError:
        return None


NAMES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip
FORMULAS: dict[str, Callable[..., Any]] = {
    "exp2": lambda mp, x: mp.power(2, x),
    "log2": lambda mp, x: mp.log(x) / mp.log(mp.mpf(2)),
    "log10": lambda mp, x: mp.log(x) / mp.log(mp.mpf(10)),
    "cbrt": lambda mp, x: mp.sign(x) * mp.cbrt(abs(x)),
    "rsqrt": lambda mp, x: 1 / mp.sqrt(x),
    "sigmoid": lambda mp, x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda mp, x: mp.log1p(mp.exp(x)),
    "gelu": lambda mp, x: x * mp.erfc(-x / mp.sqrt(mp.mpf(2))) / 2,
    "logaddexp": lambda mp, x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))),
}

START, MOST = 256, 4096
"""Bits of precision: the first, and the last that is tried."""
AGREEMENT = 200
"""Two results that differ by 2^-200 of their size agree."""


def evaluate(name: str, *x: Wide) -> Wide:
    """A function by its name."""
    if name == "power" and len(x) == 2 and _is_integer(x[1]):
        return _integer_power(x[0], int(x[1].mid))
    if name == "hypot":
        return sqrt(add(multiply(x[0], x[0]), multiply(x[1], x[1])))
    if all(isinstance(one.mid, Fraction) and one.radius is not None for one in x) and library() is not None:
        found = _by_mpmath(name, x)
        if found is not None:
            return found
    return of_pair(pair_functions.evaluate(name, *map(as_pair, x)))


def _is_integer(x: Wide) -> bool:
    return isinstance(x.mid, Fraction) and x.exact and x.mid.denominator == 1 and abs(x.mid) <= pair_functions.MOST


def _integer_power(x: Wide, n: int) -> Wide:
    y = wide(1)
    for _ in range(abs(n)):
        y = multiply(y, x)
    return divide(wide(1), y) if n < 0 else y


def _by_mpmath(name: str, x: tuple[Wide, ...]) -> Wide | None:
    """The function at the middle, and at both ends for what the radii may change; None where it is no real number."""
    middle = _agreed(name, tuple(one.mid for one in x))
    if middle is None:
        return None
    y, slip = middle
    for k, one in enumerate(x):
        for change in (-one.radius, one.radius) if one.radius else ():
            moved: Any = [other.mid for other in x]
            moved[k] += change
            end = _agreed(name, tuple(moved))
            if end is None:
                return Wide(y, None)
            slip += 2 * abs(end[0] - y) + end[1]
    return _kept(y, slip)


def _agreed(name: str, x: tuple[Any, ...]) -> tuple[Fraction, Fraction] | None:
    """The function of fractions to 2^-200, and the radius; None if it is no real number or does not settle."""
    before, bits = _at(name, x, START), 2 * START
    while before is not None and bits <= MOST:
        now = _at(name, x, bits)
        if now is None:
            return None
        if abs(now - before) <= abs(now) / (1 << AGREEMENT):
            slip = NOTHING if _plain(name, x) == 0 == now else abs(now) / (1 << AGREEMENT)
            return now, slip
        before, bits = now, 2 * bits
    return None


def _plain(name: str, x: tuple[Any, ...]) -> float:
    """float64's function, which says where a result is exactly 0."""
    with np.errstate(all="ignore"):
        try:
            return float(DEFINITIONS[name].approximate(*(np.asarray(float(one)) for one in x)))
        except OverflowError:
            return math.nan


def _at(name: str, x: tuple[Any, ...], bits: int) -> Fraction | None:
    mp: Any = library()
    with mp.workprec(bits):
        arguments = [mp.mpf(one.numerator) / mp.mpf(one.denominator) for one in x]
        try:
            y = FORMULAS[name](mp, *arguments) if name in FORMULAS else getattr(mp, NAMES.get(name, name))(*arguments)
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
        if not isinstance(y, mp.mpf) or not mp.isfinite(y):
            return None
        sign, significand, exponent, _ = y._mpf_
    if exponent < -(1 << 16) or exponent > 1 << 16:  # e^(10^6): no fraction
        return None
    value = Fraction(significand) * (Fraction(2) ** exponent)
    return -value if sign else value
