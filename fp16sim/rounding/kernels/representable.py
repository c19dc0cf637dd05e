"""Whether a format holds all numbers of an array: a check that is faster than rounding them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...conversion import Array
from ...formats import BINARY32, Format, Subnormals
from .buffers import BOOL, F4, U4, Buffer

CHUNK = 1 << 16
"""Elements checked at a time."""


class Criteria(NamedTuple):
    """How to tell that a float32 is a number of a format."""

    zero_bits: int
    """Bits that are 0 in every number of the format."""
    scale: Array | None
    """A power of two that makes every number of the format an integer; None where `zero_bits` are enough."""
    largest: float


@lru_cache(maxsize=256)
def _criteria(fmt: Format) -> Criteria | None:
    if (
        not fmt.has_negative_zero
        or not fmt.fits_in(BINARY32)
        or fmt == BINARY32
        or fmt.subnormals is not Subnormals.GRADUAL
    ):
        return None
    zero_bits = (1 << (BINARY32.precision - fmt.precision)) - 1
    if fmt.quantum_exponent_min == BINARY32.emin - fmt.trailing_bits:
        return Criteria(zero_bits, None, float(fmt.max_finite))
    if fmt.quantum_exponent_min < BINARY32.emin:
        return None
    return Criteria(zero_bits, np.array(2.0**-fmt.quantum_exponent_min, F4), float(fmt.max_finite))


_SCALED, _INTEGERS, _SAME = Buffer(0, F4), Buffer(1, F4), Buffer(2, BOOL)


def all_representable(x: Array, fmt: Format) -> bool:
    """True only if all are finite numbers of the format. False, without a check, for float64 and strided arrays."""
    criteria = _criteria(fmt)
    if criteria is None or x.dtype != F4 or not x.flags.c_contiguous or not x.flags.aligned:
        return False
    flat = x.reshape(-1)
    with np.errstate(all="ignore"):
        # A few numbers first: of an array that needs rounding, they mostly show it.
        return _meet(flat[:64], criteria) and all(
            _meet(flat[start : start + CHUNK], criteria) for start in range(0, flat.size, CHUNK)
        )


def _meet(x: Array, criteria: Criteria) -> bool:
    if int(np.bitwise_or.reduce(x.view(U4))) & criteria.zero_bits:
        return False
    # The sum of squares, in one pass, bounds all magnitudes at once, to 2^-8; if that is too large, their extremes do.
    bound: Any = np.sqrt(np.dot(x, x)) * 1.01
    if not (bound <= criteria.largest or (x.size and max(x.max(), -x.min()) <= criteria.largest)):
        return False
    if criteria.scale is None:
        return True
    scaled = np.multiply(x, criteria.scale, out=_SCALED(x.size))
    integers = np.rint(scaled, out=_INTEGERS(x.size))
    return bool(np.equal(scaled, integers, out=_SAME(x.size)).all())
