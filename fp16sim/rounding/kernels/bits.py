"""Kernels on the bits: float32 numbers to formats with the exponents of binary32, such as bfloat16, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...conversion import Array
from ...formats import BINARY32, Format, Rounding
from .scratch import I4, U4, Method, Row


class Words(NamedTuple):
    """Words of 32 bits for a number of dropped bits: 0-dimensional, which ufuncs take sooner than a scalar."""

    dropped: Array
    rest: Array
    low: Array
    kept: Array
    half: Array
    nearly_half: Array


def _words(dropped: int) -> Words:
    low, half = (1 << dropped) - 1, 1 << (dropped - 1)
    return Words(*(np.array(word, U4) for word in (dropped, 32 - dropped, low, 0xFFFFFFFF ^ low, half, half - 1)))


def on_bits(fmt: Format, mode: Rounding) -> Method:
    """Formats with binary32's exponents: the code is the leading bits of the float32, so rounding is integer addition.

    What is added to the dropped bits carries into the kept ones, and from there into the exponent, as it should. The
    table `_CARRIES` says what a mode adds.
    """
    edge = 2.0**fmt.emax

    def reaches(x: Array, sure: bool) -> bool:
        return sure or not (np.maximum.reduce(x) < edge and np.minimum.reduce(x) > -edge)

    return Method(reaches, carrying(fmt, mode), overflows=False)


def carrying(fmt: Format, mode: Rounding) -> Callable[[Array, Array, Array | None, bool], None]:
    """`Method.round` for numbers of which as many bits are dropped as of a normal number of the format."""
    words, carry = _words(BINARY32.precision - fmt.precision), _CARRIES[mode]

    def round(x: Array, out: Array, draws: Array | None, far: bool) -> None:
        y = _SUM(x.size)
        carry(words, x.view(U4), y, draws)
        np.bitwise_and(y, words.kept, out=out.view(U4))

    return round


_SUM = Row(0, U4)
_ONE, _ALL_BUT_SIGN = np.array(1, U4), np.array(31, I4)


# --- the bits and what a mode adds to them, in y --------------------------------------------------------------------


def _ties_to_even(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    # Half a unit less one, plus the last kept bit: above half it carries, and at half where that bit is odd.
    np.right_shift(bits, words.dropped, out=y)
    np.bitwise_and(y, _ONE, out=y)
    np.add(y, words.nearly_half, out=y)
    np.add(y, bits, out=y)


def _ties_to_away(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    np.add(bits, words.half, out=y)


def _toward_zero(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    np.copyto(y, bits)


def _toward_negative(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    # A shift that copies the sign bit makes 32 ones of it: a unit less one for the negative, nothing for others.
    np.right_shift(bits.view(I4), _ALL_BUT_SIGN, out=y.view(I4))
    np.bitwise_and(y, words.low, out=y)
    np.add(y, bits, out=y)


def _toward_positive(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    np.invert(bits, out=y)
    np.right_shift(y.view(I4), _ALL_BUT_SIGN, out=y.view(I4))
    np.bitwise_and(y, words.low, out=y)
    np.add(y, bits, out=y)


def _to_odd(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    # Dropped bits, unless all are 0, plus a unit less one reach the last kept bit, which is then set.
    np.bitwise_and(bits, words.low, out=y)
    np.add(y, words.low, out=y)
    np.bitwise_or(y, bits, out=y)


def _stochastic(words: Words, bits: Array, y: Array, draws: Array | None) -> None:
    # Away from zero where draw < dropped bits * 2^rest, so where the draw's leading bits are less than the dropped
    # ones: where these and the complement of those, added, carry.
    assert draws is not None
    np.invert(draws, out=y)
    np.right_shift(y, words.rest, out=y)
    np.add(y, bits, out=y)


_CARRIES: dict[Rounding, Callable[[Words, Array, Array, Array | None], None]] = {
    Rounding.TIES_TO_EVEN: _ties_to_even,
    Rounding.TIES_TO_AWAY: _ties_to_away,
    Rounding.TOWARD_ZERO: _toward_zero,
    Rounding.TOWARD_POSITIVE: _toward_positive,
    Rounding.TOWARD_NEGATIVE: _toward_negative,
    Rounding.TO_ODD: _to_odd,
    Rounding.STOCHASTIC: _stochastic,
}
