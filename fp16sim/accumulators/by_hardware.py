"""Many sums at once by float32 or float64, row by row of their terms: the loops over add, and over multiply and add.

They are right where the hardware may compute the steps (`hardware_for`) and nothing exceptional happens: a partial sum
that overflows leaves an infinity or a NaN in the result, so a finite result proves that none did.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arithmetic.intermediates import hardware_for
from ..conversion import Array
from ..flags import PER_ELEMENT, current_listeners
from ..formats import BINARY32, BINARY64, Format
from ..rounding import CHUNK, kernels
from .base import Start, Steps
from .bounded import bounded_products


def _hardware(steps: Steps) -> tuple[Any, kernels.Kernel | None]:
    """The dtype that may compute the steps (None if there is none), and the kernel that then rounds them, if needed."""
    if not current_listeners().names.isdisjoint(PER_ELEMENT):
        return None, None
    native = steps.fmt in (BINARY32, BINARY64)
    return hardware_for(steps.fmt, steps.mode), None if native else kernels.find(steps.fmt, steps.mode, "float32")


def _unless_exceptional(y: Array) -> Array | None:
    """The result; None if an exception may have been raised that somebody listens for."""
    return y if not current_listeners().names or np.isfinite(y).all() else None


def sum_by_hardware(x: Array, steps: Steps, sums: Array | None = None) -> Array | None:
    """The sum over the first axis; None if the clear path has to compute it. `sums` takes the sum after each term."""
    dtype, kernel = _hardware(steps)
    if dtype is None:
        return None
    with np.errstate(all="ignore"):
        rows = np.ascontiguousarray(x, dtype).reshape(len(x), -1)
        y = _add_terms(None, rows, kernel, None if sums is None else sums.reshape(rows.shape)).reshape(x.shape[1:])
    return _unless_exceptional(np.asarray(y))


def _add_terms(total: Array | None, terms: Array, kernel: kernels.Kernel | None, sums: Array | None = None) -> Array:
    for k, term in enumerate(terms):
        if total is None:
            total = np.array(term)
        else:
            total += term
            if kernel:
                kernel(total, total)
        if sums is not None:
            sums[k] = total
    assert total is not None
    return total


def dot_by_hardware(left: Array, right: Array, start: Start, steps: Steps) -> Array | None:
    """start + the sum of left[k] * right[k]; None if the clear path has to compute it."""
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
            total = _add_terms(total, products, kernel and kernels.find_for_sums(steps.fmt, steps.mode))
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
