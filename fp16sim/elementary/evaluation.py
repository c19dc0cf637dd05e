"""Elementary functions, correctly rounded for formats of up to 11 bits of precision, in every mode.

float64 gives y within 2^-40 of the truth (any libm does better). Let t be the nearest number of precision + 1 bits: the
numbers where a rounding decision changes are of that kind. If y is further than 2^-40 |t| from t, y is on the true side
of it and decides every mode. If not, the truth may be t or on either side of it, and the function's `side` says which:
the sign of f(x) - t, by an inequality that holds for all x (e^x - 1 > x, |sin x| < |x|) or by an exact residual
(x - t^3 for the cube root). Then y becomes t moved one float64 ulp to that side. Overflow and underflow of float64
itself become a huge and a tiny number, so that the directed modes see something finite and nonzero. Last comes the one
rounding. That no input comes near a t in any other way is certified by enumerating all of them (`certify`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..conversion import Array, Generator
from ..flags import PER_ELEMENT, Tally, current_listeners, without_flags
from ..formats import BINARY32, Format, Rounding
from ..rounding import exponent, round_array, round_to
from .definitions import FUNCTIONS, FUNCTIONS_OF_TWO

CERTIFIED_PRECISION = 11
HUGE, SMALL = 2.0**1000, 2.0**-1000
NEAR = 2.0**-40


def nearest_boundary(y: Array, fmt: Format) -> Array:
    """The nearest number of precision + 1 bits, wherever the exponents of the format end."""
    scale = fmt.trailing_bits + 1 - exponent(y)
    return np.ldexp(np.rint(np.ldexp(y, scale)), -scale)


def decide(name: str, operands: list[Array], fmt: Format) -> Array:
    """float64 numbers that round to `fmt`, in every mode, as the function's exact values do."""
    function = FUNCTIONS.get(name) or FUNCTIONS_OF_TWO[name]
    with np.errstate(all="ignore"):
        y = np.asarray(function.evaluate(*operands), np.float64)
        if fmt.precision > CERTIFIED_PRECISION:
            return y
        ordinary = np.logical_and.reduce([np.isfinite(x) for x in operands]) & ~function.pole(*operands)
        y = np.where(ordinary & np.isinf(y), np.copysign(HUGE, y), y)
        y = np.where(ordinary & (y == 0) & ~function.zero(*operands), np.copysign(SMALL, y), y)
        t = nearest_boundary(y, fmt)
        near = ordinary & (np.abs(y - t) <= NEAR * np.abs(t)) & (np.abs(y) < HUGE) & (np.abs(y) > SMALL)
        if not near.any():
            return y
        x_near = [np.broadcast_to(x, y.shape)[near] for x in operands]
        side = function.side(t[near], *x_near)
        toward = np.where(side > 0, np.inf, -np.inf)
        y[near] = np.where(side == 0, t[near], np.nextafter(t[near], toward))
        return y


def _clear(name: str, operands: list[Array], fmt: Format, mode: Rounding, rng: Generator, carrier: Any) -> Array:
    """The definition: decide, then round once, and report the flags."""
    function = FUNCTIONS.get(name) or FUNCTIONS_OF_TWO[name]
    wide = list(np.broadcast_arrays(*(x.astype(np.float64, copy=False) for x in operands)))
    lifted = decide(name, wide, fmt)
    tally = Tally(current_listeners())
    nan = np.logical_or.reduce([np.isnan(x) for x in wide])
    tally.note("invalid", (np.isnan(lifted) & ~nan).reshape(-1))
    tally.note("divide_by_zero", (np.isinf(lifted) & function.pole(*wide)).reshape(-1))
    return round_array(lifted, fmt, mode, rng, out=np.empty(lifted.shape, carrier), operation=name, tally=tally)


# --- by table -------------------------------------------------------------------------------------------------------
# A format of 11 bits of precision has few enough numbers to keep all results. A float32 that holds one of them is
# determined by its leading 8 + precision bits, which are the index.

PIECE = 1 << 14
TABLE_FROM = 1 << 13
"""A function that met so many elements in all gets a table; for fewer, making it would not pay."""

_met: dict[tuple[str, Format, Rounding], int] = {}


def _pays(name: str, fmt: Format, mode: Rounding, elements: int) -> bool:
    """Whether there is a table, or is to be one from now on, and may be: of a small format, and nothing drawn."""
    if not _may_have_table(fmt, mode):
        return False
    key = (name, fmt, mode)
    _met[key] = _met.get(key, 0) + elements
    return _met[key] >= TABLE_FROM


@lru_cache(maxsize=256)
def _may_have_table(fmt: Format, mode: Rounding) -> bool:
    small = fmt.precision <= CERTIFIED_PRECISION and fmt.fits_in(BINARY32) and fmt.has_nan
    return small and mode is not Rounding.STOCHASTIC


@lru_cache(maxsize=64)
def _table(name: str, fmt: Format, mode: Rounding) -> Array:
    dropped = BINARY32.precision - fmt.precision
    x = (np.arange(2 ** (32 - dropped), dtype=np.uint64) << np.uint64(dropped)).astype(np.uint32).view(np.float32)
    with without_flags():
        held = np.isnan(x) | (np.asarray(round_to(x, fmt)) == x)
        table = np.full(x.size, np.nan, np.float32)
        table[held] = _clear(name, [x[held]], fmt, mode, None, np.float32)
    table.flags.writeable = False
    return table


def by_table(name: str, x: Array, fmt: Format, mode: Rounding, carrier: Any) -> Array | None:
    """The results where nothing exceptional happens, fast; None where the clear path has to look.

    That includes numbers that the format does not hold: they have lower bits, or a place without a result.
    """
    by_element = not current_listeners().names.isdisjoint(PER_ELEMENT)
    if x.dtype != np.float32 or by_element or not _pays(name, fmt, mode, x.size):
        return None
    table, dropped = _table(name, fmt, mode), np.uint32(BINARY32.precision - fmt.precision)
    bits = np.ascontiguousarray(x).view(np.uint32).reshape(-1)
    out = np.empty(x.shape, np.float32)
    results, index = out.reshape(-1), np.empty(min(PIECE, x.size), np.intp)
    with np.errstate(all="ignore"):
        for first in range(0, bits.size, PIECE):
            given, piece = bits[first : first + PIECE], results[first : first + PIECE]
            if _any_bits(given) & ((1 << int(dropped)) - 1):
                return None
            places = np.right_shift(given, dropped, out=index[: given.size])
            np.take(table, places, out=piece, mode="wrap")  # never outside; so told, it is quicker
            # The sum of squares is the quickest way to see that all is finite; it may be too large for that.
            if not (np.isfinite(np.dot(piece, piece)) or np.isfinite(piece).all()):
                return None
    return out.astype(carrier, copy=False)


def _any_bits(words: Array) -> int:
    """The union of the bits of 32-bit words, two by two where they are even in number."""
    if words.size % 2:
        return int(np.bitwise_or.reduce(words))
    both = int(np.bitwise_or.reduce(words.view(np.uint64)))
    return (both | both >> 32) & 0xFFFFFFFF


def apply(name: str, x: Array, fmt: Format, mode: Rounding, rng: Generator, carrier: Any) -> Array:
    """A function of an array whose values `fmt` holds; the result in `carrier`, flags reported."""
    y = by_table(name, x, fmt, mode, carrier)
    return _clear(name, [x], fmt, mode, rng, carrier) if y is None else y


def apply_two(name: str, x: Array, y: Array, fmt: Format, mode: Rounding, rng: Generator, carrier: Any) -> Array:
    """A function of two arrays whose values `fmt` holds; the result in `carrier`, flags reported."""
    return _clear(name, [x, y], fmt, mode, rng, carrier)
