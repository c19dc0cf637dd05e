"""Rounding on the bits of float32: the numbers whose codes in the format are their leading bits, in every mode.

Those are all numbers, if the format has the exponents of binary32 as bfloat16 has; else the ones normal in the format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...conversion import Array
from ...formats import BINARY32, Format, Rounding
from .buffers import BOOL, I4, U4, Buffer
from .method import Method


def on_bits(fmt: Format, mode: Rounding) -> Method:
    """The method for formats with the exponents of binary32."""
    top = (fmt.emax + BINARY32.bias) << BINARY32.trailing_bits  # the bits of 2^emax, from where on NaN lies too
    minus_top, largest = top | 1 << 31, np.maximum.reduce

    def may_overflow(x: Array) -> bool:
        # As signed integers the positive numbers are the largest, as unsigned ones the negative: faster than as floats.
        return bool(largest(x.view(I4)) >= top or largest(x.view(U4)) >= minus_top)

    return Method(lambda x: x, may_overflow, _by_addition(fmt, mode), overflows_to_infinity=False, keeps_order=False)


SMALL_SHARE = 1 / 16
"""At most this share of the numbers may be below min_normal; with more of them, it is as fast to scale all numbers."""


def on_bits_where_normal(fmt: Format, scaling: Method) -> Method:
    """The method for STOCHASTIC and other formats: on the bits from min_normal to 2^emax, and `scaling` for the rest.

    Scaling is slower: it needs float64, because a draw has more bits than float32. Zeros come out right either way.
    """
    on_bits = _by_addition(fmt, Rounding.STOCHASTIC)
    # The bits of min_normal, less 1 as the magnitudes are.
    min_normal = np.array(((fmt.emin + BINARY32.bias) << BINARY32.trailing_bits) - 1, U4)

    def find_small(x: Array) -> Array | None:
        """The indices of the numbers below min_normal, without zeros; None if they are many."""
        magnitudes, small = _MAGNITUDES(x.size), _SMALL(x.size)
        np.bitwise_and(x.view(U4), _WITHOUT_SIGN, out=magnitudes)
        np.subtract(magnitudes, _ONE, out=magnitudes)  # 0 becomes the largest
        np.less(magnitudes, min_normal, out=small)
        return np.flatnonzero(small) if np.count_nonzero(small) <= x.size * SMALL_SHARE else None

    def round(x: Array, prepared: Array, out: Array, draws: Array | None, may_overflow: bool) -> None:
        at = None if may_overflow else find_small(x)
        if at is None or draws is None:
            scaling.round(x, prepared, out, draws, may_overflow)
            return
        small = x[at]  # a copy, made now because `out` may be x
        on_bits(x, x, out, draws, False)
        if small.size:
            scaling.round(small, scaling.prepare(small), small, draws[at], False)
            out[at] = small

    return Method(scaling.prepare, scaling.may_overflow, round, scaling.overflows_to_infinity, scaling.keeps_order)


_MAGNITUDES, _SMALL, _WITHOUT_SIGN = Buffer(1, U4), Buffer(2, BOOL), np.array(0x7FFFFFFF, U4)

# --- integer addition -----------------------------------------------------------------------------------------------


class Constants(NamedTuple):
    """What the modes need for a number of dropped bits: 0-dimensional, which ufuncs take faster than scalars."""

    dropped_bits: Array
    kept_bits: Array
    dropped_mask: Array
    kept_mask: Array
    half: Array
    half_less_one: Array


def _constants(dropped: int) -> Constants:
    low, half = (1 << dropped) - 1, 1 << (dropped - 1)
    return Constants(*(np.array(n, U4) for n in (dropped, 32 - dropped, low, 0xFFFFFFFF ^ low, half, half - 1)))


def _by_addition(fmt: Format, mode: Rounding) -> Callable[[Array, Array, Array, Array | None, bool], None]:
    """`Method.round`: add to the bits what the mode says, then clear the dropped ones.

    The sum carries into the kept bits, and from there into the exponent, as it should.
    """
    constants, add = _constants(BINARY32.precision - fmt.precision), _ADDITIONS[mode]

    def round(x: Array, prepared: Array, out: Array, draws: Array | None, may_overflow: bool) -> None:
        y = _SUM(x.size)
        add(constants, x.view(U4), y, draws)
        np.bitwise_and(y, constants.kept_mask, out=out.view(U4))

    return round


_SUM = Buffer(0, U4)
_ONE, _ALL_BUT_SIGN = np.array(1, U4), np.array(31, I4)

# Each function stores in y the bits plus what the mode adds to them.


def _ties_to_even(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    # Half a unit less one, plus the last kept bit: above half it carries, and at half where that bit is odd.
    np.right_shift(bits, c.dropped_bits, out=y)
    np.bitwise_and(y, _ONE, out=y)
    np.add(y, c.half_less_one, out=y)
    np.add(y, bits, out=y)


def _ties_to_away(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    np.add(bits, c.half, out=y)


def _toward_zero(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    np.copyto(y, bits)


def _toward_negative(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    # A shift that copies the sign bit makes 32 ones of it: a unit less one for negative numbers, nothing for others.
    np.right_shift(bits.view(I4), _ALL_BUT_SIGN, out=y.view(I4))
    np.bitwise_and(y, c.dropped_mask, out=y)
    np.add(y, bits, out=y)


def _toward_positive(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    np.invert(bits, out=y)
    np.right_shift(y.view(I4), _ALL_BUT_SIGN, out=y.view(I4))
    np.bitwise_and(y, c.dropped_mask, out=y)
    np.add(y, bits, out=y)


def _to_odd(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    # Dropped bits, unless all are 0, plus a unit less one reach the last kept bit, which is then set.
    np.bitwise_and(bits, c.dropped_mask, out=y)
    np.add(y, c.dropped_mask, out=y)
    np.bitwise_or(y, bits, out=y)


def _stochastic(c: Constants, bits: Array, y: Array, draws: Array | None) -> None:
    # Away from zero where draw < dropped bits * 2^kept_bits: where the leading bits of the draw are less than the
    # dropped bits. There the dropped bits carry when the complement of the draw's leading bits is added.
    assert draws is not None
    np.invert(draws, out=y)
    np.right_shift(y, c.kept_bits, out=y)
    np.add(y, bits, out=y)


_ADDITIONS: dict[Rounding, Callable[[Constants, Array, Array, Array | None], None]] = {
    Rounding.TIES_TO_EVEN: _ties_to_even,
    Rounding.TIES_TO_AWAY: _ties_to_away,
    Rounding.TOWARD_ZERO: _toward_zero,
    Rounding.TOWARD_POSITIVE: _toward_positive,
    Rounding.TOWARD_NEGATIVE: _toward_negative,
    Rounding.TO_ODD: _to_odd,
    Rounding.STOCHASTIC: _stochastic,
}
