"""Rows about linear algebra: LU factors against the same algorithm with another emulator's rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ... import linalg
from ...conversion import Array
from ..inputs import edge, need, rounded
from ..measure import Comparison, Pair


def _lu_with(chop: Callable[[Array], Array], a: Array) -> Array:
    """LU factors in place, with partial pivoting, as people write them with a function that rounds."""
    a = np.array(a)
    for k in range(len(a) - 1):
        pivot = k + int(np.argmax(np.abs(a[k:, k])))
        a[[k, pivot]] = a[[pivot, k]]
        a[k + 1 :, k] = chop(a[k + 1 :, k] / a[k, k])
        a[k + 1 :, k + 1 :] = chop(a[k + 1 :, k + 1 :] - chop(np.outer(a[k + 1 :, k], a[k, k + 1 :])))
    return a


def _lu(scale: float) -> Pair:
    chop = need("pychop").Chop(5, 10)
    n = edge(scale, 128)
    a = rounded("binary16", n * n).reshape(n, n)
    return Pair.in_one_thread(lambda: linalg.lu(a, "binary16"), lambda: _lu_with(chop, a))


ROWS = (
    Comparison(
        "linalg",
        "lu",
        "LU factors, 128 x 128, binary16",
        "pychop.Chop",
        1 / 20,
        "LU factors of a matrix of 128 x 128 with partial pivoting, every operation rounded to binary16. The rival is "
        "the same algorithm, one outer product for each column, rounded by pychop.Chop, and gives the same bits; "
        "pychop's own linalg.lu computes in float64 and rounds only the factors.",
        _lu,
    ),
)
