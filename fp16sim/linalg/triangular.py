"""Triangular systems: one unknown after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from .breakdown import Breakdown
from .work import Work, check_no_overflow, check_right_side, check_square, start


def triangular_solve(
    a: Any,
    b: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    lower: bool = False,
    unit_diagonal: bool = False,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """x with a x = b for a triangular matrix: backward stable by rows, every operation rounded.

    Each computed x solves (a + e) x = b with abs(e) <= n u / (1 - n u) abs(a), where u is the unit roundoff, or
    twice that in modes other than to nearest (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition,
    theorem 8.5). x[i] is b[i], less the products of a[i]
    and the unknowns in the order in which they were found, divided by a[i, i].

    Parameters
    ----------
    a : array_like
        A square matrix. The other triangle is not read.
    b : array_like
        A vector, or a matrix of which each column is a right side.
    fmt, mode : optional
        As for `round_to`; by default those of a FloatArray among a and b, else binary16 and ties to even.
    lower : bool
        Whether a is lower triangular: then the first unknown is found first, else the last.
    unit_diagonal : bool
        Whether the diagonal counts as ones and is not read.
    accumulator, rng
        As for `matmul`.

    Returns
    -------
    ndarray or FloatArray
        A FloatArray if a is one.

    Raises
    ------
    Breakdown
        A ValueError: for a zero on the diagonal, and for what overflows.
    ValueError, TypeError
        For shapes that do not match, and formats that differ.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.triangular_solve([[2.0, 1.0], [0.0, 3.0]], [4.0, 6.0], "bfloat16")
    array([1., 2.])
    """
    work, (t, y) = start("triangular_solve", {"a": a, "b": b}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", t)
    check_right_side(work.label, t, y)
    return work.result(solve_triangle(work, t, y, lower, unit_diagonal))


def solve_triangle(work: Work, a: Array, b: Array, lower: bool, unit_diagonal: bool = False) -> Array:
    """The same for values of the format. Unknowns are found from the first (lower) or the last."""
    diagonal = np.diagonal(a)
    zeros = np.flatnonzero(diagonal == 0)
    if len(zeros) and not unit_diagonal:
        k = int(zeros[0])
        raise Breakdown("zero pivot", k, f"{work.label}: a[{k}, {k}]=0 on the diagonal of a triangular matrix")
    if not lower:  # reversed, an upper triangle is a lower one
        a, b, diagonal = a[::-1, ::-1], b[::-1], diagonal[::-1]
    rows = b[:, None] if b.ndim == 1 else b
    x = (
        _by_columns(work, a, rows, diagonal, unit_diagonal)
        if work.is_chain
        else _by_rows(work, a, rows, diagonal, unit_diagonal)
    )
    x = x.reshape(b.shape)
    x = x if lower else x[::-1]
    check_no_overflow(work, "x", x.T)
    return x


def _by_columns(work: Work, a: Array, b: Array, diagonal: Array, unit_diagonal: bool) -> Array:
    """Each unknown is subtracted from all equations that follow, as soon as it is known."""
    left, x = np.array(work.to_sums(b)), np.empty(b.shape, work.steps.carrier)
    for k in range(len(a)):
        found = work.from_sums(left[k])
        x[k] = found if unit_diagonal else work.steps.operate("divide", found, diagonal[k])
        if k + 1 < len(a):
            left[k + 1 :] = work.less_products(left[k + 1 :], a[None, k + 1 :, k, None], x[None, k : k + 1])
    return x


def _by_rows(work: Work, a: Array, b: Array, diagonal: Array, unit_diagonal: bool) -> Array:
    """Each unknown from a sum of products of all that are known, in the order of the accumulator."""
    x = np.empty(b.shape, work.steps.carrier)
    for k in range(len(a)):
        found = work.from_sums(work.less_products(work.to_sums(b[k]), a[k, :k, None], x[:k]))
        x[k] = found if unit_diagonal else work.steps.operate("divide", found, diagonal[k])
    return x
