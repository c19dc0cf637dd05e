"""Rounding by scaling: float32 or float64 numbers to formats with fewer exponents, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...conversion import Array
from ...formats import Format, Rounding, Specials
from .buffers import BOOL, F4, F8, U4, U8, Buffer
from .method import Method


class Layout(NamedTuple):
    """The layout of the bits of float32 or float64."""

    floats: np.dtype[Any]
    words: np.dtype[Any]
    trailing_bits: int
    bias: int


CARRIERS = {"float32": Layout(F4, U4, 23, 127), "float64": Layout(F8, U8, 52, 1023)}


def by_scaling(fmt: Format, mode: Rounding, carrier: Layout) -> Method | None:
    """Round x * 2^(t - e) to an integer and scale it back, for t trailing bits and 2^e <= |x| < 2^(e + 1).

    That is the general path, with the factors made from x's own exponent bits: masked, they are 2^e; with e raised to
    emin at least, the quantum is that of the subnormals; subtracted from a constant, they are a power of two again.
    Scaling is exact: small numbers are scaled up, and of large ones t bits stay before the point. The integer has t + 1
    bits, and the result is a number of the format. Some modes want the integer scaled by 2^`shift`.

    With e lowered to emax at most, numbers beyond emax stay beyond. Where there may be any, the way back has a detour,
    on which numbers of 2^(emax + 1) or more overflow, and no others.
    """
    t, shift, bias = fmt.trailing_bits, _SHIFT.get(mode, 0), carrier.bias
    spare_bits = 5 if mode is Rounding.TIES_TO_AWAY else 1
    if t + spare_bits > carrier.trailing_bits or fmt.emin - t < 1 - bias or t + shift - fmt.emin > bias:
        return None
    # 2^(emax - bias) brings results back from the detour: it must be a number of the carrier, subnormal or not.
    if not 1 - carrier.trailing_bits <= fmt.emax < bias:
        return None
    floats, words = carrier.floats, carrier.words

    def field(exponent: int) -> Array:
        """The bits of the carrier for a biased exponent: 0-dimensional, which ufuncs take faster than a scalar."""
        return np.array((exponent << carrier.trailing_bits) % (1 << (8 * words.itemsize)), words)

    mask, least, most = field(2 * bias + 1), field(fmt.emin + bias), field(fmt.emax + bias)
    # 2^a has the biased exponent a + bias. So 2 bias + t + shift, less that of 2^e, is that of 2^(t + shift - e).
    up = field(2 * bias + shift + t)
    detour = bias - fmt.emax  # 2^(emax + 1) times 2^detour is 2^(bias + 1), the carrier's infinity
    down = {False: field(shift), True: field(shift + detour)}
    after_detour = np.array(2.0**-detour, floats)
    to_integer, bottom, top = _to_integer(mode, t, carrier), int(least), int(most)
    exponents = Buffer(0, words)

    def prepare(x: Array) -> Array:
        return np.bitwise_and(x.view(words), mask, out=exponents(x.size))

    def may_overflow(e: Array) -> bool:
        return e.item(e.argmax()) >= top  # faster than max()

    def round(x: Array, e: Array, out: Array, draws: Array | None, may_overflow: bool) -> None:
        if may_overflow or x.size > FEW or e.item(e.argmin()) < bottom:
            e.clip(least, most, out=e)  # np.maximum, which would often do, is three times slower
        np.subtract(up, e, out=e)
        factor = e.view(floats)
        np.multiply(x, factor, out=out)
        to_integer(out, draws)
        if may_overflow or shift:
            np.subtract(e, down[may_overflow], out=e)
        np.divide(out, factor, out=out)  # by a power of two: exact, and one pass less than making the reciprocal
        if may_overflow:
            np.multiply(out, after_detour, out=out)

    return Method(prepare, may_overflow, round, overflows_to_infinity=fmt.specials is Specials.IEEE, keeps_order=True)


FEW = 4096
"""Up to this size it is faster to look first whether any number is below min_normal."""

_SHIFT = {Rounding.TIES_TO_AWAY: 1, Rounding.TO_ODD: -1}

# --- to an integer --------------------------------------------------------------------------------------------------

ToInteger: TypeAlias = Callable[[Array, "Array | None"], None]
"""Rounds n in place to an integer, given the draws; |n| <= 2^(t + 1 + shift). Zeros keep their signs."""


def _to_integer(mode: Rounding, t: int, carrier: Layout) -> ToInteger:
    if mode in _UFUNCS:
        return partial(_by_ufunc, _UFUNCS[mode])
    if mode is Rounding.TIES_TO_AWAY:
        return partial(_ties_to_away, np.array(0.5 + 2.0 ** -(t + 4), carrier.floats))
    return {Rounding.TO_ODD: _to_odd, Rounding.STOCHASTIC: _stochastic}[mode]


_UFUNCS = {
    Rounding.TIES_TO_EVEN: np.rint,
    Rounding.TOWARD_ZERO: np.trunc,
    Rounding.TOWARD_POSITIVE: np.ceil,
    Rounding.TOWARD_NEGATIVE: np.floor,
}


def _by_ufunc(ufunc: np.ufunc, n: Array, draws: Array | None) -> None:
    ufunc(n, out=n)


def _ties_to_away(nudged_half: Array, n: Array, draws: Array | None) -> None:
    # n is twice the number. Its integer part m decides: m / 2 is k, and stays, or k + 1/2, and goes away from zero. A
    # nudge by a relative 2^-(t + 3) breaks the tie, and is too small to do more: k <= 2^(t + 1) moves by 1/4 at most.
    np.trunc(n, out=n)
    np.multiply(n, nudged_half, out=n)
    np.rint(n, out=n)


def _to_odd(n: Array, draws: Array | None) -> None:
    # n is half the number: an integer j stands for the even 2j, and everything between j and j + 1 for the odd 2j + 1.
    floor = _WHOLE[n.dtype](n.size)
    np.floor(n, out=floor)
    np.ceil(n, out=n)
    np.add(n, floor, out=n)


def _stochastic(n: Array, draws: Array | None) -> None:
    # As in the general path: away from zero where draw + 1/2 < 2^32 |fraction|, which float64 compares exactly.
    whole, points, thresholds = _WHOLE[n.dtype](n.size), _POINTS(n.size), _THRESHOLDS(n.size)
    assert draws is not None
    np.trunc(n, out=whole)
    np.subtract(n, whole, out=n)
    np.abs(n, out=n)
    np.multiply(n, _UNITS, out=thresholds, dtype=F8)
    np.add(draws, _HALF, out=points, dtype=F8)
    up = np.less(points, thresholds, out=_UP(n.size))
    np.copyto(n, up)  # 0 or 1, which gets the sign of the number, so that -0 + -0 is -0
    signs = _SIGNS[n.dtype](n.size)
    np.bitwise_and(whole.view(signs.dtype), signs.dtype.type(1 << (8 * n.itemsize - 1)), out=signs)
    np.bitwise_or(n.view(signs.dtype), signs, out=n.view(signs.dtype))
    np.add(n, whole, out=n)


_UNITS, _HALF = np.array(2.0**32), np.array(0.5)
_WHOLE, _SIGNS = {F4: Buffer(2, F4), F8: Buffer(2, F8)}, {F4: Buffer(3, U4), F8: Buffer(3, U8)}
_THRESHOLDS, _POINTS, _UP = Buffer(3, F8), Buffer(4, F8), Buffer(5, BOOL)
