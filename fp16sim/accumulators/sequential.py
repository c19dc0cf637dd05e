"""One term after the other: the plain loops, and the same loop on the hardware where that is safe."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arithmetic.intermediates import hardware_for
from ..conversion import Array
from ..flags import PER_ELEMENT, current_listeners
from ..formats import BINARY16, BINARY32, BINARY64, Format
from ..rounding import CHUNK, kernels
from .base import Accumulator, Start, Steps
from .bounded import bounded_products


class Sequential(Accumulator):
    """One term after the other, every product and every partial sum rounded: more terms can mean more error.

    Defined by the loop, which starts from the first term, or from c where given:

        s = x[0]                              s = c, or multiply(a[0], b[0])
        for k in range(1, n):                 for k in ...:
            s = add(s, x[k])                      s = add(s, multiply(a[k], b[k]))

    Examples
    --------
    >>> Sequential("binary16").sum([2048.0, 1.0, 1.0, 1.0])
    np.float64(2048.0)
    >>> Sequential("binary32").dot([2048.0, 1.0], [1.0, 1.0])
    np.float64(2049.0)
    """

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The loop over add."""
        y = _hardware_sum(terms, steps)
        if y is not None:
            return y
        total = terms[0]
        for term in terms[1:]:
            total = steps.add(total, term)
        return total

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """The loop over multiply and add; the products are never all in memory."""
        if not len(left):
            return super().reduce_products(left, right, start, steps)
        y = _hardware_dot(left, right, start, steps)
        if y is not None:
            return y.astype(steps.carrier, copy=False)
        total = start
        for a, b in zip(left, right, strict=True):
            product = steps.multiply(a, b)
            total = product if total is None else steps.add(total, product)
        return np.array(total)

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The partial sums of the loop."""
        out = np.array(terms)
        for k in range(1, len(out)):
            out[k] = steps.from_row(k, out).add(out[k - 1], out[k])
        return out


class Fused(Sequential):
    """A chain of fused multiply-adds: products are not rounded on their own.

    Defined by the loop, which starts from the first product, or from c where given (a sum of plain terms has no
    products, and is Sequential's):

        s = multiply(a[0], b[0])
        for k in range(1, n):
            s = fma(a[k], b[k], s)

    Examples
    --------
    >>> Fused("binary16").dot([3.0], [683.0], 2.0**-24)  # the product alone would round to 2048
    np.float64(2050.0)
    """

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """The loop over fma."""
        if not len(left):
            return super().reduce_products(left, right, start, steps)
        total = start
        for a, b in zip(left, right, strict=True):
            total = steps.multiply(a, b) if total is None else steps.fma(a, b, total)
        return np.array(total)


# --- the same loop on the hardware ----------------------------------------------------------------------------------
# Where float32 or float64 may compute the steps (`hardware_for`), and only if nothing exceptional happens: a partial
# sum that overflows leaves an infinity or a NaN in the result, so a finite result proves that none did.

_NUMPY_TYPES = {BINARY16: np.float16, BINARY32: np.float32, BINARY64: np.float64}


def _hardware(steps: Steps) -> tuple[Any, kernels.Kernel | None]:
    """The dtype that may compute the steps (None if there is none), and the kernel that then rounds them, if needed."""
    if not current_listeners().names.isdisjoint(PER_ELEMENT):
        return None, None
    native = steps.fmt in (BINARY32, BINARY64)
    return hardware_for(steps.fmt, steps.mode), None if native else kernels.find(steps.fmt, steps.mode, "float32")


def _unless_exceptional(y: Array) -> Array | None:
    """The result; None if an exception may have been raised that somebody listens for."""
    return y if not current_listeners().names or np.isfinite(y).all() else None


def _hardware_sum(x: Array, steps: Steps) -> Array | None:
    dtype, kernel = _hardware(steps)
    if dtype is None:
        return None
    with np.errstate(all="ignore"):
        if x.ndim == 1 and steps.fmt in _NUMPY_TYPES:
            # NumPy accumulates from left to right, and adds two float16 as float32, rounded: correct for binary16.
            y = np.add.accumulate(x.astype(_NUMPY_TYPES[steps.fmt]))[-1]
        else:
            rows = np.ascontiguousarray(x, dtype).reshape(len(x), -1)
            y = _add_terms(None, rows, kernel).reshape(x.shape[1:])
    return _unless_exceptional(np.asarray(y))


def _add_terms(total: Array | None, terms: Array, kernel: kernels.Kernel | None) -> Array:
    for term in terms:
        if total is None:
            total = np.array(term)
            continue
        total += term
        if kernel:
            kernel(total, total)
    assert total is not None
    return total


def _hardware_dot(left: Array, right: Array, start: Start, steps: Steps) -> Array | None:
    dtype, kernel = _hardware(steps)
    shape = np.broadcast_shapes(left.shape, right.shape)
    if dtype is None or not math.prod(shape[1:]):
        return None
    left, right = (x.astype(dtype, copy=False) for x in (left, right))
    if kernel and _is_bounded(left, right, start, steps.fmt):
        return bounded_products(left, right, start, steps.fmt)
    size = math.prod(shape[1:])
    at_once = max(1, 2 * CHUNK // size)
    total = None if start is None else start.astype(dtype).reshape(size)
    with np.errstate(all="ignore"):
        for k in range(0, shape[0], at_once):
            # Products of several k are rounded together, because they do not depend on each other.
            products = np.ascontiguousarray(left[k : k + at_once] * right[k : k + at_once]).reshape(-1, size)
            if kernel:
                kernel(products, products)
            total = _add_terms(total, products, kernel)
    assert total is not None
    return _unless_exceptional(total.reshape(shape[1:]))


def _is_bounded(left: Array, right: Array, start: Start, fmt: Format) -> bool:
    """Whether the magnitudes of the factors prove that no partial sum overflows; False with NaN or infinity.

    A sum of k products of at most m is at most k m (1 + u)^(k + 1): each rounding adds a factor of at most 1 + u. The
    constant c of `bounded_products` must stay finite too.
    """
    if not left.size or not right.size:
        return False
    most = float(np.abs(left).max()) * float(np.abs(right).max())
    first = 0.0 if start is None or not start.size else float(np.abs(start).max())
    growth = (1 + float(fmt.unit_roundoff)) ** min(len(left) + 2, 1 << 20)
    return (len(left) * most + first) * growth < min(float(fmt.max_finite), 2.0 ** (102 + fmt.trailing_bits))
