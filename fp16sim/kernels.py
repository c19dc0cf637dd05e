"""Fast paths of rounding. Deleting this module would change no result, only the time it takes.

Each kernel rounds float32 numbers to nearest, ties to even, in a few whole-array steps, and is proved equal to the
general path by tests that enumerate its inputs. `find` returns the kernel for a format and mode, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TypeAlias

import numpy as np

from .formats import BINARY32, Format, Rounding, Specials, Subnormals
from .lifting import Array

Kernel: TypeAlias = Callable[[Array, Array], None]
"""Rounds its first argument into its second (which may be the same array); both float32, contiguous, of one size. The
caller silences NumPy's errstate: the hardware's own exceptions say nothing about the format."""

_SIGN, _EXPONENT, _HALF = np.int32(-(2**31)), np.int32(0x7F800000), 0x00400000


@lru_cache(maxsize=256)
def find(fmt: Format, mode: Rounding, carrier: str) -> Kernel | None:
    """The kernel for float32 input and output, or None where the general path has to do it."""
    if carrier != "float32" or fmt.specials is not Specials.IEEE:
        return None
    if fmt.saturate or fmt.subnormals is not Subnormals.GRADUAL:
        return None
    if fmt == BINARY32:
        return _copy
    if mode is not Rounding.TIES_TO_EVEN or not fmt.fits_in(BINARY32):
        return None
    if fmt.exponent_bits == BINARY32.exponent_bits:
        return partial(_round_bits, dropped=BINARY32.precision - fmt.precision)
    if fmt.trailing_bits <= 21 and fmt.exponent_bits <= 7:
        return partial(_round_by_addition, fmt=fmt)
    return None


def _copy(x: Array, out: Array) -> None:
    np.copyto(out, x)


def _round_bits(x: Array, out: Array, dropped: int) -> None:
    """Formats with binary32's exponents: the code is the leading bits of the float32, so rounding is integer addition.

    Half a unit less one, plus the last kept bit, carries into the kept bits exactly when the dropped bits are above
    half, or half with an odd neighbour. The carry runs into the exponent as it should, up to infinity.
    """
    bits, nan = x.view(np.uint32), np.isnan(x)
    payload = x[nan] if nan.any() else None
    kept = (bits >> np.uint32(dropped)) & np.uint32(1)
    kept += np.uint32((1 << (dropped - 1)) - 1)
    kept += bits
    kept &= np.uint32(0xFFFFFFFF ^ ((1 << dropped) - 1))
    out.view(np.uint32)[...] = kept
    if payload is not None:
        out[nan] = payload


def _round_by_addition(x: Array, out: Array, fmt: Format) -> None:
    """Formats with fewer exponents: adding and subtracting c = 1.5 * 2^(e + 23 - t) lets the hardware round.

    For 2^e <= |x| < 2^(e + 1) and t trailing bits the sum x + c stays within c's binade, since |x| <= c / 3, and there
    float32 has the quantum 2^(e - t): the sum is x rounded to t trailing bits, ties to even (c is an even multiple of
    the quantum), and subtracting c is exact. With e raised to emin at least the quantum is that of the subnormals; with
    e lowered to emax + 1 at most c stays finite, and what is beyond remains beyond. Scaling by 2^(127 - emax) makes
    just those infinite that are 2^(emax + 1) or more. The sign, lost where the result is zero, is put back.
    """
    bits = x.view(np.int32)
    sign = bits & _SIGN
    c = bits & _EXPONENT
    np.maximum(c, (fmt.emin + 127) << 23, out=c)
    np.minimum(c, (fmt.emax + 128) << 23, out=c)
    c += ((23 - fmt.trailing_bits) << 23) | _HALF
    shift = c.view(np.float32)
    np.add(x, shift, out=out)
    out -= shift
    out *= np.float32(2.0 ** (127 - fmt.emax))
    out *= np.float32(2.0 ** (fmt.emax - 127))
    np.bitwise_or(out.view(np.int32), sign, out=out.view(np.int32))
