"""Elementary functions, correctly rounded for formats of up to 11 bits of precision, in every mode.

float64 gives y within 2^-40 of the truth (any libm is more accurate). Let t be the nearest number of precision + 1
bits: the numbers where a rounding decision changes are of that kind. If y is further than 2^-40 |t| from t, y and the
truth are on the same side of it, so y decides in every mode. If not, the truth may be t or on either side of it, and
the function's `side` says which: the sign of f(x) - t, by an inequality that is true for all x (e^x - 1 > x,
|sin x| < |x|) or by an exact residual (x - t^3 for the cube root). Then y becomes t, moved one float64 ulp to that
side. Where float64 itself overflows or underflows, y becomes a huge or a tiny number, so that the directed modes see
something finite and nonzero. The last step is the one rounding. No input comes near a t in any other way:
`certificates` proves that by enumerating all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..conversion import Array, Generator
from ..flags import PER_ELEMENT, Tally, current_listeners, without_flags
from ..formats import BINARY32, Format, Rounding
from ..nans import any_signaling, widened
from ..rounding import exponent, round_array, round_to
from .definitions import DEFINITIONS

CERTIFIED_PRECISION = 11
HUGE, TINY = 2.0**1000, 2.0**-1000
NEAR = 2.0**-40


def evaluate(name: str, operands: list[Array], fmt: Format, mode: Rounding, rng: Generator, carrier: Any) -> Array:
    """A function of values of the format, correctly rounded, flags reported; the result in `carrier`."""
    y = evaluate_by_table(name, operands[0], fmt, mode, carrier) if len(operands) == 1 else None
    return evaluate_directly(name, operands, fmt, mode, rng, carrier) if y is None else y


# --- by definition --------------------------------------------------------------------------------------------------


def evaluate_directly(
    name: str, operands: list[Array], fmt: Format, mode: Rounding, rng: Generator, carrier: Any
) -> Array:
    """Find a float64 that decides, round it once, and report the flags."""
    wide = list(np.broadcast_arrays(*map(widened, operands)))
    signaling = any_signaling(*wide)
    y = np.where(signaling, np.nan, deciding_float64(name, wide, fmt))  # 1^NaN is 1, but only for a quiet one
    tally = Tally(current_listeners())
    nan = np.logical_or.reduce([np.isnan(x) for x in wide])
    tally.note("invalid", (signaling | (np.isnan(y) & ~nan)).reshape(-1))
    tally.note("divide_by_zero", (np.isinf(y) & DEFINITIONS[name].pole(*wide)).reshape(-1))
    return round_array(y, fmt, mode, rng, out=np.empty(y.shape, carrier), operation=name, tally=tally)


def deciding_float64(name: str, operands: list[Array], fmt: Format) -> Array:
    """float64 numbers that round to `fmt`, in every mode, as the function's exact values do."""
    function = DEFINITIONS[name]
    with np.errstate(all="ignore"):
        y = np.asarray(function.approximate(*operands), np.float64)
        if fmt.precision > CERTIFIED_PRECISION:
            return y
        ordinary = np.logical_and.reduce([np.isfinite(x) for x in operands]) & ~function.pole(*operands)
        y = np.where(ordinary & np.isinf(y), np.copysign(HUGE, y), y)
        y = np.where(ordinary & (y == 0) & ~function.zero(*operands), np.copysign(TINY, y), y)
        t = nearest_boundary(y, fmt)
        near = ordinary & (np.abs(y - t) <= NEAR * np.abs(t)) & (np.abs(y) < HUGE) & (np.abs(y) > TINY)
        if not near.any():
            return y
        x_near = [np.broadcast_to(x, y.shape)[near] for x in operands]
        side = function.side(t[near], *x_near)
        toward = np.where(side > 0, np.inf, -np.inf)
        y[near] = np.where(side == 0, t[near], np.nextafter(t[near], toward))
        return y


def nearest_boundary(y: Array, fmt: Format) -> Array:
    """The nearest number of precision + 1 bits, as if the exponents of the format had no end."""
    scale = fmt.trailing_bits + 1 - exponent(y)
    return np.ldexp(np.rint(np.ldexp(y, scale)), -scale)


# --- by table -------------------------------------------------------------------------------------------------------
# A format of up to 11 bits of precision has so few values that all results fit in a table. A float32 that is one of
# these values is determined by its leading 8 + precision bits, which are the index.

CHUNK = 1 << 14
ELEMENTS_FOR_A_TABLE = 1 << 13
"""After this many elements in all a function gets a table; for fewer, making it would cost more than it saves."""

_elements_so_far: dict[tuple[str, Format, Rounding], int] = {}


def evaluate_by_table(name: str, x: Array, fmt: Format, mode: Rounding, carrier: Any) -> Array | None:
    """The results from a table, fast; None if there is no table, or if it has no result for some element.

    It has none for exceptions, nor for numbers that are not values of the format: those have more bits than the index,
    or an index without a result.
    """
    by_element = not current_listeners().names.isdisjoint(PER_ELEMENT)
    if x.dtype != np.float32 or by_element or not _has_table(name, fmt, mode, x.size):
        return None
    table, dropped = _table(name, fmt, mode), np.uint32(BINARY32.precision - fmt.precision)
    bits = np.ascontiguousarray(x).view(np.uint32).reshape(-1)
    out = np.empty(x.shape, np.float32)
    results, index = out.reshape(-1), np.empty(min(CHUNK, x.size), np.intp)
    with np.errstate(all="ignore"):
        for first in range(0, bits.size, CHUNK):
            words, y = bits[first : first + CHUNK], results[first : first + CHUNK]
            if _union(words) & ((1 << int(dropped)) - 1):
                return None
            places = np.right_shift(words, dropped, out=index[: words.size])
            np.take(table, places, out=y, mode="wrap")  # No index is outside, but this mode is faster than a check.
            # The sum of squares is the fastest test that all are finite; it may itself be too large for that.
            if not (np.isfinite(np.dot(y, y)) or np.isfinite(y).all()):
                return None
    return out.astype(carrier, copy=False)


def _has_table(name: str, fmt: Format, mode: Rounding, elements: int) -> bool:
    """Whether there is a table, or shall be one from this call on."""
    if not _can_have_table(fmt, mode):
        return False
    key = (name, fmt, mode)
    _elements_so_far[key] = _elements_so_far.get(key, 0) + elements
    return _elements_so_far[key] >= ELEMENTS_FOR_A_TABLE


@lru_cache(maxsize=256)
def _can_have_table(fmt: Format, mode: Rounding) -> bool:
    small = fmt.precision <= CERTIFIED_PRECISION and fmt.fits_in(BINARY32) and fmt.has_nan
    return small and not mode.random


@lru_cache(maxsize=64)
def _table(name: str, fmt: Format, mode: Rounding) -> Array:
    """The results of all float32 numbers whose dropped bits are 0; NaN for those that are not values of the format."""
    dropped = BINARY32.precision - fmt.precision
    x = (np.arange(2 ** (32 - dropped), dtype=np.uint64) << np.uint64(dropped)).astype(np.uint32).view(np.float32)
    with without_flags():
        is_value = np.isnan(x) | (np.asarray(round_to(x, fmt)) == x)
        table = np.full(x.size, np.nan, np.float32)
        table[is_value] = evaluate_directly(name, [x[is_value]], fmt, mode, None, np.float32)
    table.flags.writeable = False
    return table


def _union(words: Array) -> int:
    """All bits that are set in any of these 32-bit words; an even number of them is read in pairs, which is faster."""
    if words.size % 2:
        return int(np.bitwise_or.reduce(words))
    pair = int(np.bitwise_or.reduce(words.view(np.uint64)))
    return (pair | pair >> 32) & 0xFFFFFFFF
