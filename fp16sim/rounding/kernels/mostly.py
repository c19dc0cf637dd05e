"""Stochastic rounding of float32 numbers that are mostly normal in the format: on the bits, and the rest by scaling."""

from __future__ import annotations

import numpy as np

from ...conversion import Array
from ...formats import BINARY32, Format, Rounding
from .bits import carrying
from .scratch import BOOL, U4, Method, Row

ONE_IN = 16
"""Up to one number in so many may be below min_normal; if there are more, scaling all is as quick."""

_MAGNITUDES, _SMALL, _ONE, _WITHOUT_SIGN = Row(1, U4), Row(2, BOOL), np.array(1, U4), np.array(0x7FFFFFFF, U4)


def mostly_on_bits(fmt: Format, scaling: Method) -> Method:
    """`scaling`, but for what lies from min_normal to 2^emax, whose dropped bits are of one number, by their addition.

    Zeros round to themselves either way. What scaling has to do in float64, since a draw has more bits than float32,
    is there a matter of the few numbers below min_normal.
    """
    on_bits = carrying(fmt, Rounding.STOCHASTIC)
    # The bits of min_normal, less 1 as the magnitudes are.
    least = np.array(((fmt.emin + BINARY32.bias) << BINARY32.trailing_bits) - 1, U4)

    def places(x: Array) -> Array | None:
        """Where the numbers below min_normal are, zeros aside; None if they are not few."""
        magnitudes, small = _MAGNITUDES(x.size), _SMALL(x.size)
        np.bitwise_and(x.view(U4), _WITHOUT_SIGN, out=magnitudes)
        np.subtract(magnitudes, _ONE, out=magnitudes)  # 0 becomes the largest
        np.less(magnitudes, least, out=small)
        return np.flatnonzero(small) if np.count_nonzero(small) <= x.size // ONE_IN else None

    def round(x: Array, out: Array, draws: Array | None, far: bool) -> None:
        at = None if far else places(x)
        if at is None or draws is None:
            scaling.round(x, out, draws, far)
            return
        few = x[at]  # now, since `out` may be x
        on_bits(x, out, draws, False)
        if few.size:
            scaling.reaches(few, True)
            scaling.round(few, few, draws[at], False)
            out[at] = few

    return Method(scaling.reaches, round, scaling.overflows)
