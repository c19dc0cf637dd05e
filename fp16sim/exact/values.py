"""Exact values: what is given -> a Fraction, or one of the four floats that no Fraction can be."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

from .parsing import INF, Value, parse


def as_exact(x: Any) -> Value:
    """The exact value of an int, float, Fraction, Decimal, string or NumPy scalar.

    >>> as_exact(0.5), as_exact("1/3"), as_exact(-0.0)
    (Fraction(1, 2), Fraction(1, 3), -0.0)
    """
    if isinstance(x, str):
        return parse(x)
    if isinstance(x, Rational) or hasattr(x, "__index__"):
        return Fraction(x if isinstance(x, Rational) else x.__index__())
    if isinstance(x, Decimal):
        return parse(str(x).lower().replace("snan", "nan"))
    if not hasattr(x, "as_integer_ratio"):
        # NumPy's bool and the scalars of ml_dtypes know their Python value.
        plain = x.item() if hasattr(x, "item") and getattr(x, "shape", None) == () else x
        if type(plain) is type(x):
            raise TypeError(
                f"x={x!r} of type {type(x).__name__} is not a real number; give an int, float, Fraction or text"
            )
        return as_exact(plain)
    if x != x or abs(x) == INF or x == 0:  # not math.isinf, to which a large longdouble is infinite
        return float(x) if x != 0 or math.copysign(1, x) < 0 else Fraction(0)
    return Fraction(*x.as_integer_ratio())


def is_negative(x: Value) -> bool:
    """The sign bit: true for -0.0 too."""
    return math.copysign(1, x) < 0 if isinstance(x, float) else x < 0


def is_finite(x: Value) -> bool:
    """False for nan and the infinities."""
    return not isinstance(x, float) or math.isfinite(x)


def is_nan(x: Value) -> bool:
    """True for nan; math.isnan would first turn a Fraction into a float, which overflows for a large one."""
    return isinstance(x, float) and math.isnan(x)


def signed(negative: bool, magnitude: Value) -> Value:
    """`magnitude` with a sign; keeps the sign of zero."""
    if magnitude == 0:
        return -0.0 if negative else Fraction(0)
    return -magnitude if negative else magnitude


def exponent_of(magnitude: Fraction) -> int:
    """floor(log2(magnitude)) by integers: the e with 2^e <= magnitude < 2^(e + 1)."""
    n, d = magnitude.numerator, magnitude.denominator
    e = n.bit_length() - d.bit_length()  # 2^(e - 1) < n / d < 2^(e + 1)
    reached = n >= d << e if e >= 0 else n << -e >= d
    return e if reached else e - 1
