"""Kernels on the bits: float32 numbers to formats with the exponents of binary32, such as bfloat16, in every mode."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from ..formats import BINARY32, Format, Rounding
from ..lifting import Array
from .base import F4, I4, U4, Method, Row


def on_bits(fmt: Format, mode: Rounding) -> Method:
    """Formats with binary32's exponents: the code is the leading bits of the float32, so rounding is integer addition.

    What is added to the dropped bits carries into the kept ones, and from there into the exponent, as it should.
    """
    dropped = BINARY32.precision - fmt.precision
    low, half, one = (np.array(bits, U4) for bits in ((1 << dropped) - 1, 1 << (dropped - 1), 1))
    kept, nearly_half = np.array(0xFFFFFFFF ^ int(low), U4), np.array(int(half) - 1, U4)
    position, rest, all_but_sign = np.array(dropped, U4), np.array(32 - dropped, U4), np.array(31, I4)

    def ties_to_even(bits: Array, carry: Array, draws: Array | None) -> None:
        # Half a unit less one, plus the last kept bit: above half it carries, and at half where that bit is odd.
        np.right_shift(bits, position, out=carry)
        np.bitwise_and(carry, one, out=carry)
        np.add(carry, nearly_half, out=carry)
        np.add(carry, bits, out=carry)

    def ties_to_away(bits: Array, carry: Array, draws: Array | None) -> None:
        np.add(bits, half, out=carry)

    def toward_zero(bits: Array, carry: Array, draws: Array | None) -> None:
        np.copyto(carry, bits)

    def toward_negative(bits: Array, carry: Array, draws: Array | None) -> None:
        # A shift that copies the sign bit makes 32 ones of it: a unit less one for the negative, nothing for others.
        np.right_shift(bits.view(I4), all_but_sign, out=carry.view(I4))
        np.bitwise_and(carry, low, out=carry)
        np.add(carry, bits, out=carry)

    def toward_positive(bits: Array, carry: Array, draws: Array | None) -> None:
        np.invert(bits, out=carry)
        np.right_shift(carry.view(I4), all_but_sign, out=carry.view(I4))
        np.bitwise_and(carry, low, out=carry)
        np.add(carry, bits, out=carry)

    def to_odd(bits: Array, carry: Array, draws: Array | None) -> None:
        # Dropped bits, unless all are 0, plus a unit less one reach the last kept bit, which is then set.
        np.bitwise_and(bits, low, out=carry)
        np.add(carry, low, out=carry)
        np.bitwise_or(carry, bits, out=carry)

    def stochastic(bits: Array, carry: Array, draws: Array | None) -> None:
        # Away from zero where draw < dropped bits * 2^rest, so where the draw's leading bits are less than the dropped
        # ones: where these and the complement of those, added, carry.
        assert draws is not None
        np.invert(draws, out=carry)
        np.right_shift(carry, rest, out=carry)
        np.add(carry, bits, out=carry)

    steps = (ties_to_even, ties_to_away, toward_zero, toward_negative, toward_positive, to_odd, stochastic)
    step = {f.__name__: f for f in steps}[mode.value]
    rounded = Row(0, U4)

    def round(x: Array, draws: Array | None, far: bool) -> Array:
        bits, y = x.view(U4), rounded(x.size)
        step(bits, y, draws)
        np.bitwise_and(y, kept, out=y)
        return y.view(F4)

    def reaches(x: Array, sure: bool) -> bool:
        return sure or not (np.maximum.reduce(x) < edge and np.minimum.reduce(x) > -edge)

    edge = 2.0**fmt.emax
    attempt = None
    if mode is Rounding.TIES_TO_EVEN and _hardware_tells():
        attempt = partial(_split, factor=np.array((1 << dropped) + 1, F4), low=int(low))
    return Method(reaches, round, overflows=False, attempt=attempt)


# --- ties to even, sooner -------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _hardware_tells() -> bool:
    """Whether NumPy hears of invalid operations here; it does not in WebAssembly, for one."""
    infinite = np.full(99, np.inf, F4)
    try:
        with np.errstate(invalid="raise"):
            np.subtract(infinite, infinite)
    except FloatingPointError:
        return True
    return False


_C, _Y = Row(0, F4), Row(1, F4)


def _split(x: Array, out: Array, start: int, size: int, *, factor: Any, low: int) -> int:
    """Ties to even in three operations of the hardware, after Veltkamp and Dekker.

    c = x (2^d + 1), rounded, and c - (c - x) is x rounded to 24 - d bits; that ties go to even is no theorem but was
    checked on all significands. It fails in two cases, which show. Where c overflows or x is infinite, the hardware
    calls one of the differences invalid. Where x is subnormal, the result has bits that the format would have to drop
    (or none, and then x, rounded to a finer quantum and found on the coarser one, is rounded to that as well).
    """
    if x.size - start < 4096:
        return start  # the preparations cost more than they save
    try:
        with np.errstate(invalid="raise"):
            while start < x.size:
                piece = x[start : start + size]
                c, y = _C(piece.size), _Y(piece.size)
                np.multiply(piece, factor, out=c)
                np.subtract(c, piece, out=y)
                np.subtract(c, y, out=y)
                if int(np.bitwise_or.reduce(y.view(U4))) & low:
                    break
                np.copyto(out[start : start + size], y)
                start += size
    except FloatingPointError:
        pass
    return start
