"""A single number, in Python's own floats: what `reference` gives, several times faster than an array of one element.

A rounder takes a number and returns the rounded one; or None where the general path has to decide, because the number
may raise an exception that someone listens for, or the format is unusual. If every rounder returned None, no result
would change, only the time it takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from math import copysign, frexp, ldexp
from typing import Any, TypeAlias

import numpy as np

from .. import flags
from ..formats import BINARY32, BINARY64, Format, Rounding, Subnormals

Rounder: TypeAlias = Callable[[float], "float | None"]
"""The rounded number, or None. The caller asks first whether flags are recorded: then all numbers are for the general
path."""

TYPES = frozenset({float, int, bool, np.float64, np.float32})
"""The types of numbers that are rounded here. Subclasses are not among them: they may compute in their own way."""

# --- the integer step, by mode, as in `reference` -------------------------------------------------------------------


def _ties_to_away(n: float) -> int:
    whole = math.trunc(n)
    return whole + math.trunc(2 * (n - whole))


def _to_odd(n: float) -> int:
    low = math.floor(n)
    return low if low == n else low | 1


TO_INTEGER: dict[Rounding, Callable[[float], int]] = {
    Rounding.TIES_TO_EVEN: round,
    Rounding.TIES_TO_AWAY: _ties_to_away,
    Rounding.TOWARD_ZERO: math.trunc,
    Rounding.TOWARD_POSITIVE: math.ceil,
    Rounding.TOWARD_NEGATIVE: math.floor,
    Rounding.TO_ODD: _to_odd,
}

# --- rounders -------------------------------------------------------------------------------------------------------


def rounder(fmt: Format, mode: Rounding) -> Rounder:
    """The rounder of a format and a mode, which the format keeps."""
    found: Rounder | None = fmt.plans.get(mode)
    if found is None:
        found = fmt.plans[mode] = _make(fmt, mode)
    return found


@lru_cache(maxsize=256)
def _make(fmt: Format, mode: Rounding) -> Rounder:
    usual = fmt.has_negative_zero and fmt.precision > 1 and fmt.subnormals is Subnormals.GRADUAL
    if mode not in TO_INTEGER or not usual or not fmt.fits_in(BINARY64) or fmt.quantum_exponent_min > 0:
        return no_number
    to_integer, precision, most = TO_INTEGER[mode], fmt.precision, -fmt.quantum_exponent_min
    largest, normal = float(fmt.max_finite), float(fmt.min_normal)
    least, subnormal = -largest, -normal

    def round_finite(x: float) -> float | None:
        if not least <= x <= largest:
            return None  # perhaps an overflow; an infinity or a NaN
        # frexp's exponent is one more than ours, so the integer has `precision` bits, or fewer if x is subnormal.
        shift = precision - frexp(x)[1]
        if shift > most:
            shift = most
        y = ldexp(to_integer(ldexp(x, shift)), -shift)
        if y == x:
            return x
        if subnormal < x < normal and not flags.ignored("underflow"):
            return None
        return y or copysign(y, x)

    return round_finite


def no_number(*operands: float) -> None:
    """The rounder that leaves everything to the general path."""


# --- numbers of any type --------------------------------------------------------------------------------------------


def plain_number(x: Any) -> float | None:
    """A number of one of the TYPES as a float; None for every other type, and for integers that float64 rounds."""
    kind = type(x)
    if kind not in TYPES or (kind is int and not -(2**53) <= x <= 2**53):
        return None
    return float(x)


def carrier_of(fmt: Format, float32: bool) -> type[np.float32] | type[np.float64]:
    """The type of a result: float32 if an operand is one (Python's own numbers do not count) and it holds `fmt`."""
    return np.float32 if float32 and fmt.fits_in(BINARY32) else np.float64


def round_number(x: Any, fmt: Format, mode: Rounding) -> np.floating[Any] | None:
    """`round_to` for a single number; None where that has to take the general path."""
    plain = x if type(x) is float else plain_number(x)
    if plain is None or flags.recording():
        return None
    y = rounder(fmt, mode)(plain)
    if y is None:
        return None
    return np.float64(y) if plain is x else carrier_of(fmt, type(x) is np.float32)(y)
