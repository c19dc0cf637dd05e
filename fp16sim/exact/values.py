"""Exact values: what is given -> a Fraction, or one of the floats that no Fraction can be."""

from __future__ import annotations

import math
import operator
import struct
import sys
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

from ..formats import get_format, quoted
from .parsing import INF, NAN, REACH, Value, out_of_reach, parse, parse_to_round, stand_in

SIGNALING_NAN: float = struct.unpack("<d", struct.pack("<Q", 0x7FF4 << 48))[0]
"""A NaN whose first payload bit is 0: an operation on it raises invalid, and gives a quiet NaN."""


def as_exact(x: Any, strict: bool = False) -> Value:
    """The exact value of an int, float, Fraction, Decimal, string or NumPy scalar, in Python's own integers.

    A text or Decimal with too many digits (beyond 2^20000 or below 2^-20000) becomes that power of two, which every
    format rounds in the same way; ValueError if `strict`.

    >>> as_exact(0.5), as_exact("1/3"), as_exact(-0.0)
    (Fraction(1, 2), Fraction(1, 3), -0.0)
    """
    if type(x) is Fraction and type(x.numerator) is type(x.denominator) is int:
        return x
    if isinstance(x, str):
        return parse(x) if strict else parse_to_round(x)
    if isinstance(x, Decimal):
        return _from_decimal(x, strict)
    if isinstance(x, Rational):
        return _from_ratio(x)
    if getattr(x, "shape", None) == () and hasattr(x, "item") and not hasattr(x, "as_integer_ratio"):
        return _from_item(x)
    if hasattr(x, "__index__"):
        return _from_ratio(x)
    if not hasattr(x, "as_integer_ratio"):
        raise _not_real(x)
    if x != x:
        return SIGNALING_NAN if _has_signaling_bits(x) else NAN
    if abs(x) == INF or x == 0:  # not math.isinf, to which a large longdouble is infinite
        return float(x) if x != 0 or math.copysign(1, x) < 0 else Fraction(0)
    return Fraction(*map(int, x.as_integer_ratio()))


def _not_real(x: Any) -> TypeError:
    return TypeError(
        f"x={quoted(x)} of type {type(x).__name__} is not a real number; give an int, float, Fraction or text"
    )


def _from_item(x: Any) -> Value:
    """From an array of one number, NumPy's bool, and the scalars of ml_dtypes."""
    plain = x.item()
    if isinstance(plain, float) and plain != plain:
        return SIGNALING_NAN if _has_signaling_bits(x) else NAN
    if getattr(plain, "shape", None) == ():
        raise _not_real(x)
    return as_exact(plain)


def _from_ratio(x: Any) -> Fraction:
    """From Python's and NumPy's integers and Fractions: with NumPy's integers inside, a Fraction would overflow."""
    try:
        if not isinstance(x, Rational):
            return Fraction(operator.index(x))
        return Fraction(operator.index(x.numerator), operator.index(x.denominator))
    except TypeError:  # NumPy's timedelta, or an array of integers
        raise _not_real(x) from None


def _from_decimal(x: Decimal, strict: bool) -> Value:
    if not x.is_finite():
        return SIGNALING_NAN if x.is_snan() else float(x)
    if not x:
        return -0.0 if x.is_signed() else Fraction(0)
    if abs(x.adjusted()) <= REACH:
        return Fraction(x)
    if strict:
        raise out_of_reach("x", x, x.adjusted() > 0)
    return stand_in(x.is_signed(), x.adjusted() > 0)


# --- what a value is --------------------------------------------------------------------------------------------------


def _has_signaling_bits(x: Any) -> bool:
    """Whether a NaN is signaling by the bits of its own dtype; a cast to another dtype would make it quiet."""
    if isinstance(x, float):
        return not struct.unpack("<Q", struct.pack("<d", x))[0] >> 51 & 1
    try:
        fmt = get_format(x.dtype)
        code = int.from_bytes(x.tobytes(), sys.byteorder)
    except (AttributeError, TypeError, ValueError):  # a longdouble, or a type that is not NumPy's
        return False
    return fmt.has_payloads and not code >> (fmt.trailing_bits - 1) & 1


def is_negative(x: Value) -> bool:
    """The sign bit: true for -0.0 too."""
    return math.copysign(1, x) < 0 if isinstance(x, float) else x < 0


def is_finite(x: Value) -> bool:
    """False for nan and the infinities."""
    return not isinstance(x, float) or math.isfinite(x)


def is_nan(x: Value) -> bool:
    """True for nan; math.isnan would first turn a Fraction into a float, which overflows for a large one."""
    return isinstance(x, float) and math.isnan(x)


def is_signaling(x: Value) -> bool:
    """True for a signaling NaN: one whose first payload bit is 0."""
    return is_nan(x) and _has_signaling_bits(x)


def signed(negative: bool, magnitude: Value) -> Value:
    """`magnitude` with a sign; keeps the sign of zero."""
    if magnitude == 0:
        return -0.0 if negative else Fraction(0)
    return -magnitude if negative else magnitude


def exponent_of(magnitude: Fraction) -> int:
    """floor(log2(magnitude)) by integers: the e with 2^e <= magnitude < 2^(e + 1)."""
    return exponent_of_ratio(magnitude.numerator, magnitude.denominator)


def exponent_of_ratio(n: int, d: int) -> int:
    """The same for the magnitude n / d."""
    e = n.bit_length() - d.bit_length()  # 2^(e - 1) < n / d < 2^(e + 1)
    reached = n >= d << e if e >= 0 else n << -e >= d
    return e if reached else e - 1
