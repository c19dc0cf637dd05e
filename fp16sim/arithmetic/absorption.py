"""Absorption: an addend that is not zero, and a sum that equals the other addend.

A sum of two numbers equals one of them only if the other is zero. So the rounded sum that does so is inexact, and one
comparison finds it. In fma the addends are the exact product and c.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ..conversion import Array
from ..flags import Tally

SUMS = ("add", "subtract", "fma")


def note_absorbed(tally: Tally, name: str, operands: Sequence[Array], y: Array) -> None:
    """Note which elements of a rounded sum are equal to one addend although the other is not zero.

    Parameters
    ----------
    tally : Tally
    name : str
        Other operations than sums add nothing.
    operands : sequence of ndarray
        Values of the format; they broadcast.
    y : ndarray
        The result.
    """
    if name in SUMS and tally.wants("absorbed"):
        with np.errstate(all="ignore"):
            if name == "fma":
                a, b, c = operands
                found = _of_products(a, b, c, y)
            else:
                a, b = operands
                found = _of_numbers(a, -b if name == "subtract" else b, y)
        tally.note("absorbed", np.broadcast_to(found, y.shape).reshape(-1))


def _of_numbers(a: Array, b: Array, y: Array) -> Array:
    """Where a + b = y is a, or b. An infinite sum is that of an infinity, or an overflow."""
    same = ((y == a) & (b != 0)) | ((y == b) & (a != 0))
    return np.asarray(same & np.isfinite(y) & np.isfinite(a) & np.isfinite(b))


def _of_products(a: Array, b: Array, c: Array, y: Array) -> Array:
    """Where a * b + c = y is c, or a * b. If float64 holds that product, the product equals y there as well."""
    finite = np.isfinite(y) & np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    of_product = (y == c) & (a != 0) & (b != 0)
    of_c = np.asarray(finite & (c != 0) & (y == a.astype(np.float64) * b) & ~of_product)
    if of_c.any() and not all(np.array_equal(x.astype(np.float32), x, equal_nan=True) for x in (a, b)):
        arrays = np.broadcast_arrays(a, b, y)
        for at in map(tuple, np.argwhere(of_c)):
            left, right, total = (Fraction(float(x[at])) for x in arrays)
            of_c[at] = left * right == total
    return np.asarray((finite & of_product) | of_c)
