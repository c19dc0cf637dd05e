"""Kernels by scaling: float32 or float64 numbers to formats with fewer exponents, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..formats import Format, Rounding, Specials
from ..lifting import Array
from .base import BOOL, F4, F8, U4, U8, Method, Row


class Carrier(NamedTuple):
    """float32 or float64, and the layout of its bits."""

    floats: np.dtype[Any]
    words: np.dtype[Any]
    trailing_bits: int
    bias: int


CARRIERS = {"float32": Carrier(F4, U4, 23, 127), "float64": Carrier(F8, U8, 52, 1023)}


def by_scaling(fmt: Format, mode: Rounding, carrier: Carrier) -> Method | None:
    """Round x * 2^(t - e) to an integer and scale it back, for t trailing bits and 2^e <= |x| < 2^(e + 1).

    That is the general path, with the factors made from x's own exponent bits: masked, they are 2^e; with e raised to
    emin at least, the quantum is that of the subnormals; subtracted from a constant, they are a power of two again.
    Scaling is exact: small numbers are scaled up, and of large ones t bits stay before the point. The integer has t + 1
    bits, and the result is a number of the format. `shift` is what the mode wants the integer scaled by.

    With e lowered to emax at most, numbers beyond remain beyond. Where there are any, the way back has a detour, on
    which overflows what is 2^(emax + 1) or more, and nothing else.
    """
    t, shift = fmt.trailing_bits, _SHIFT.get(mode, 0)
    roomy = t <= carrier.trailing_bits - (5 if mode is Rounding.TIES_TO_AWAY else 1)
    if not roomy or fmt.emin - t < 1 - carrier.bias or t + shift - fmt.emin > carrier.bias or fmt.emax >= carrier.bias:
        return None
    floats, words = carrier.floats, carrier.words

    def field(exponent: int) -> Any:
        """The bits of the carrier for a biased exponent: 0-dimensional, which ufuncs take sooner than a scalar."""
        return np.array(exponent << carrier.trailing_bits, words)

    mask = field(2 * carrier.bias + 1)
    edge, least = field(fmt.emax + carrier.bias), field(fmt.emin + carrier.bias)
    # 2^a has the biased exponent a + bias. So 2 bias + t + shift, less that of 2^e, is that of 2^(t + shift - e); and
    # 2 bias + shift, less that, is the one of 2^(e - t).
    up, down = field(2 * carrier.bias + shift + t), field(2 * carrier.bias + shift)
    detour = carrier.bias - fmt.emax  # 2^(emax + 1) times 2^detour is 2^(bias + 1), the carrier's infinity
    down_detour, back = field(2 * carrier.bias + shift + detour), np.array(2.0**-detour, floats)
    to_integer = _to_integer(mode, t, carrier)
    exponents, rounded = Row(0, words), Row(1, floats)

    def reaches(x: Array, sure: bool) -> bool:
        e = exponents(x.size)
        np.bitwise_and(x.view(words), mask, out=e)
        return sure or bool(e[e.argmax()] >= edge)  # sooner than max()

    def round(x: Array, draws: Array | None, far: bool) -> Array:
        e, y = exponents(x.size), rounded(x.size)  # e as `reaches` left it
        e.clip(least, edge, out=e)  # np.maximum, which would often do, is three times slower
        np.subtract(up, e, out=e)
        factor = e.view(floats)
        np.multiply(x, factor, out=y)
        to_integer(y, draws)
        np.subtract(down_detour if far else down, e, out=e)
        np.multiply(y, factor, out=y)
        if far:
            np.multiply(y, back, out=y)
        return y

    return Method(reaches, round, overflows=fmt.specials is Specials.IEEE)


_SHIFT = {Rounding.TIES_TO_AWAY: 1, Rounding.TO_ODD: -1}
_UFUNCS = {
    Rounding.TIES_TO_EVEN: np.rint,
    Rounding.TOWARD_ZERO: np.trunc,
    Rounding.TOWARD_POSITIVE: np.ceil,
    Rounding.TOWARD_NEGATIVE: np.floor,
}


def _to_integer(mode: Rounding, t: int, carrier: Carrier) -> Callable[[Array, Array | None], None]:
    """Round n, where it stands, to an integer; |n| <= 2^(t + 1 + shift). Signs of zeros stay."""
    floats, words = carrier.floats, carrier.words
    other, thresholds_row, points_row, signs_row, flags = (
        Row(number, dtype) for number, dtype in ((2, floats), (3, F8), (4, F8), (3, words), (5, BOOL))
    )

    ufunc = _UFUNCS.get(mode, np.rint)

    def by_ufunc(n: Array, draws: Array | None) -> None:
        ufunc(n, out=n)

    def ties_to_away(n: Array, draws: Array | None) -> None:
        # n is twice the number. What is left of it without its fraction, m, says all: half of it, k or k + 1/2, goes
        # to k or away from it. A nudge of a relative 2^-(t + 3) breaks the tie and is too small to do more, since
        # k <= 2^(t + 1) moves by 1/4 at most.
        np.trunc(n, out=n)
        np.multiply(n, nudged_half, out=n)
        np.rint(n, out=n)

    nudged_half = floats.type(0.5 + 2.0 ** -(t + 4))

    def to_odd(n: Array, draws: Array | None) -> None:
        # n is half the number: an integer j stands for the even 2j, and all between j and j + 1 for the odd 2j + 1.
        floor = other(n.size)
        np.floor(n, out=floor)
        np.ceil(n, out=n)
        np.add(n, floor, out=n)

    def stochastic(n: Array, draws: Array | None) -> None:
        # As in the general path: away from zero where draw + 1/2 < 2^32 |fraction|, which float64 compares exactly.
        whole, points, thresholds = other(n.size), points_row(n.size), thresholds_row(n.size)
        assert draws is not None
        np.trunc(n, out=whole)
        np.subtract(n, whole, out=n)
        np.abs(n, out=n)
        np.multiply(n, 2.0**32, out=thresholds, dtype=F8)
        np.add(draws, 0.5, out=points, dtype=F8)
        up = np.less(points, thresholds, out=flags(n.size))
        np.copyto(n, up)  # 0 or 1, which gets the sign of the number, so that -0 + -0 is -0
        signs = signs_row(n.size)
        np.bitwise_and(whole.view(words), words.type(1 << (8 * words.itemsize - 1)), out=signs)
        np.bitwise_or(n.view(words), signs, out=n.view(words))
        np.add(n, whole, out=n)

    own = {Rounding.TIES_TO_AWAY: ties_to_away, Rounding.TO_ODD: to_odd, Rounding.STOCHASTIC: stochastic}
    return own.get(mode, by_ufunc)
