"""Sums of rounded products where nothing can overflow: the same bits, with fewer passes over the arrays.

A sum or product x is rounded by `kernels.split`. Where the exponent e of x needs a lower clamp, adding and subtracting
c = 1.5 * 2^(e + 23 - t) gives the same. Three things that `kernels` must do cannot matter here, and are left out:

- overflow, that of C x too, see `kernels.sums`: the caller has proved a bound;
- the lower clamp of e in sums: both terms are multiples of min_subnormal, so a sum below min_normal is exact, and a
  finer quantum rounds nothing; and in products, where the smallest factors prove that none is below min_normal;
- the sign of a product that rounds to zero: adding +0 or -0 to a partial sum makes a difference only if the partial sum
  is -0, that is, if every product before was a negative zero. Such results are +0 here and get their sign at the end.
"""

from __future__ import annotations

import numpy as np

from ..conversion import Array
from ..formats import Format
from ..rounding import kernels
from .base import Start, terms_of

AT_ONCE = 1 << 15
"""Elements of a tile, and products rounded together: three arrays of this size stay in the second-level cache."""

_EXPONENT, _HALF = np.int32(0x7F800000), 0x00400000


def bounded_products(left: Array, right: Array, start: Start, fmt: Format) -> Array:
    """start + sum of left[k] * right[k] in float32, every product and every partial sum rounded to `fmt`."""
    shape = np.broadcast_shapes(left.shape, right.shape)
    out = np.empty(shape[1:], np.float32)
    with np.errstate(all="ignore"):
        for tile in _tiles(out.shape):
            first = None if start is None else np.asarray(start, np.float32)[tile]
            a, b = terms_of(tile, left), terms_of(tile, right)
            total = _sum_tile(a, b, first, out[tile].shape, fmt)
            _sign_zeros(total, a, b, first)
            out[tile] = total
    return out


def _tiles(shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Slices of the results along their longest axis, of about AT_ONCE elements."""
    if not shape:
        return [()]
    axis = int(np.argmax(shape))
    step = max(1, AT_ONCE * shape[axis] // max(1, int(np.prod(shape))))
    before, after = (slice(None),) * axis, (slice(None),) * (len(shape) - axis - 1)
    return [(*before, slice(first, first + step), *after) for first in range(0, shape[axis], step)]


def _sum_tile(left: Array, right: Array, start: Start, shape: tuple[int, ...], fmt: Format) -> Array:
    lowest = np.int32(max(fmt.emin + 127, 1) << 23)
    may_underflow = _smallest(left) * _smallest(right) < float(fmt.min_normal)
    lift = np.int32(((23 - fmt.trailing_bits) << 23) | _HALF)
    at_once = min(len(left), max(1, AT_ONCE // max(1, int(np.prod(shape)))))
    products, shifts = np.empty((2, at_once, *shape), np.float32)
    total, scaled = np.empty(shape, np.float32), np.empty(shape, np.float32)  # arrays, for a single result too
    factor, fresh = np.array((1 << (23 - fmt.trailing_bits)) + 1, np.float32), start is None
    if start is not None:
        total[...] = start
    for k in range(0, len(left), at_once):
        n = min(at_once, len(left) - k)
        p, c = products[:n], shifts[:n]
        np.multiply(left[k : k + n], right[k : k + n], out=p)
        if may_underflow:
            bits = c.view(np.int32)
            np.bitwise_and(p.view(np.int32), _EXPONENT, out=bits)
            bits.clip(lowest, _EXPONENT, out=bits)  # np.maximum is three times slower
            np.add(bits, lift, out=bits)
            np.add(p, c, out=p)
            np.subtract(p, c, out=p)
        else:
            kernels.split(p, factor, c, p)
        for product in p:
            if fresh:
                total[...], fresh = product, False
                continue
            np.add(total, product, out=total)
            kernels.split(total, factor, scaled, total)
    return total


def _smallest(x: Array) -> float:
    """The smallest magnitude that is not zero; infinity if there is none."""
    return float(np.min(np.abs(x), where=x != 0, initial=np.inf))


def _sign_zeros(total: Array, left: Array, right: Array, start: Start) -> None:
    """A zero sum is -0 exactly if the start and every product are negative: then each of them rounded to -0."""
    negative = total == 0
    if start is not None:
        negative &= np.signbit(start)
    for a, b in zip(np.signbit(left), np.signbit(right), strict=True):
        if not negative.any():
            return
        negative &= a != b
    total[negative] = -0.0
