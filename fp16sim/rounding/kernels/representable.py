"""Whether a format holds all numbers of an array, sooner than rounding them would show it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...conversion import Array
from ...formats import BINARY32, Format, Subnormals
from .scratch import BOOL, F4, U4, Row

CHUNK = 1 << 16
"""Elements looked at at a time; a few of them first, since what is not held mostly shows at once."""


class Marks(NamedTuple):
    """How a float32 is told to be a number of a format."""

    low: int
    """Bits that are 0 in all of them."""
    scale: Array | None
    """A power of two that makes integers of them; None where the low bits say that, too."""
    largest: float


@lru_cache(maxsize=256)
def _marks(fmt: Format) -> Marks | None:
    if not fmt.fits_in(BINARY32) or fmt == BINARY32 or fmt.subnormals is not Subnormals.GRADUAL:
        return None
    low = (1 << (BINARY32.precision - fmt.precision)) - 1
    if fmt.quantum_exponent_min == BINARY32.emin - fmt.trailing_bits:
        return Marks(low, None, float(fmt.max_finite))
    if fmt.quantum_exponent_min < BINARY32.emin:
        return None
    return Marks(low, np.array(2.0**-fmt.quantum_exponent_min, F4), float(fmt.max_finite))


_SCALED, _INTEGERS, _SAME = Row(0, F4), Row(1, F4), Row(2, BOOL)


def holds(x: Array, fmt: Format) -> bool:
    """True only if all are finite numbers of the format; false for float64 and what is not contiguous, unseen."""
    marks = _marks(fmt)
    if marks is None or x.dtype != F4 or not x.flags.c_contiguous or not x.flags.aligned:
        return False
    flat = x.reshape(-1)
    with np.errstate(all="ignore"):
        return _shows(flat[:64], marks) and all(
            _shows(flat[start : start + CHUNK], marks) for start in range(0, flat.size, CHUNK)
        )


def _shows(x: Array, marks: Marks) -> bool:
    if int(np.bitwise_or.reduce(x.view(U4))) & marks.low:
        return False
    # The sum of squares, in one pass, bounds all magnitudes at once, to 2^-8; where it does not, their extremes do.
    bound: Any = np.sqrt(np.dot(x, x)) * 1.01
    if not (bound <= marks.largest or (x.size and max(x.max(), -x.min()) <= marks.largest)):
        return False
    if marks.scale is None:
        return True
    scaled = np.multiply(x, marks.scale, out=_SCALED(x.size))
    integers = np.rint(scaled, out=_INTEGERS(x.size))
    return bool(np.equal(scaled, integers, out=_SAME(x.size)).all())
