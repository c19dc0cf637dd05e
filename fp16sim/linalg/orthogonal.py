"""QR factors by Householder's reflections and by modified Gram-Schmidt, and least squares."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from .breakdown import Breakdown
from .triangular import solve_triangle
from .work import Work, check_matrix, check_no_overflow, check_right_side, chosen, exponents, start

METHODS = ("householder", "mgs")


class QR(NamedTuple):
    """Factors of a matrix: a is about q @ r."""

    q: Any
    """Columns of length 1, nearly orthogonal."""
    r: Any
    """Upper triangular, or trapezoidal."""


class Reflection(NamedTuple):
    """x - tau v (v . x) on the rows from k on: Householder's reflection, with v[0] = 1."""

    k: int
    v: Array
    tau: Array


def qr(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    method: str = "householder",
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> QR:
    """QR factors of an m x n matrix, every operation rounded: q @ r is a up to a backward error of order m n u.

    Householder's reflections: each column of a has an error of at most c m n u times its length, and q is that near to
    an orthogonal matrix (Higham, Accuracy and Stability, theorem 19.4; c is a small constant). Modified Gram-Schmidt
    has the same backward error, but its q is only orthogonal up to cond(a) m n u (theorem 19.13): in 16 bits a
    condition number of 1000 leaves nothing.

    Parameters
    ----------
    a : array_like
        A matrix of m rows and n columns.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    method : {"householder", "mgs"}
        "mgs" is modified Gram-Schmidt, for m >= n.
    accumulator, rng
        As for `matmul`: for lengths and inner products. Lengths are taken of columns that a power of two has made
        small, so squares do not overflow.

    Returns
    -------
    QR
        `q` (m, k) and `r` (k, n) with k = min(m, n), FloatArrays if a is one. Householder's r may have negative numbers
        on its diagonal.

    Raises
    ------
    Breakdown
        A ValueError: if "mgs" finds a column of length 0 ("dependent columns"), and for what overflows.
    ValueError, TypeError
        For a shape that is not that of a matrix, and an unknown method.

    Examples
    --------
    >>> import fp16sim as fs
    >>> factors = fs.linalg.qr([[3.0, 1.0], [4.0, 2.0]], "binary16")
    >>> factors.r
    array([[-5.        , -2.19921875],
           [ 0.        ,  0.40039062]])
    >>> fs.linalg.qr([[3.0, 1.0], [4.0, 2.0]], "binary16", method="mgs").r[0]
    array([5.        , 2.19921875])
    """
    work, (x,) = start("qr", {"a": a}, fmt, mode, accumulator, rng)
    check_matrix(work.label, "a", x)
    if chosen(work.label, "method", method, METHODS) == "mgs":
        q, r = gram_schmidt(work, x)
    else:
        reflections, whole = householder(work, x)
        r = whole[: min(x.shape)]
        q = reflected(work, reflections[::-1], np.eye(len(x), len(r), dtype=x.dtype))
    return QR(work.result(q), work.result(r))


def householder(work: Work, a: Array) -> tuple[list[Reflection], Array]:
    """The reflections that make a upper triangular, the first one first, and the triangle."""
    r, reflections = np.array(a), []
    for k in range(min(len(a) - 1, a.shape[1])):
        column = r[k:, k]
        power = int(exponents(np.abs(column).max()))
        small = work.scaled(column, -power)
        if not small[1:].any():
            continue  # the column is that of a triangle
        length = work.steps.operate("sqrt", np.asarray(work.inner(small, small)))
        end = -np.copysign(length, small[0])
        off = work.steps.subtract(small[0], end)
        v = np.concatenate([[1], work.steps.operate("divide", small[1:], off)]).astype(r.dtype)
        reflection = Reflection(k, v, work.steps.operate("divide", work.steps.subtract(end, small[0]), end))
        r[k, k], r[k + 1 :, k] = work.scaled(end, power), 0
        r[:, k + 1 :] = reflected(work, [reflection], r[:, k + 1 :])
        reflections.append(reflection)
    check_no_overflow(work, "the factor r of a", r)
    return reflections, r


def reflected(work: Work, reflections: list[Reflection], x: Array) -> Array:
    """A matrix after reflections: an inner product with each column, a product, and a difference."""
    x = np.array(x)
    for k, v, tau in reflections:
        if x.shape[1]:
            weights = work.steps.multiply(tau, work.inner(v[:, None], x[k:]))
            x[k:] = work.steps.subtract(x[k:], work.steps.multiply(v[:, None], weights))
    return x


def gram_schmidt(work: Work, a: Array) -> tuple[Array, Array]:
    """Each column is divided by its length, and then its part is subtracted from all that follow."""
    m, n = a.shape
    if m < n:
        raise ValueError(f"{work.label}: a.shape={a.shape} has more columns than rows; use method='householder'")
    q, r = np.array(a), np.zeros((n, n), a.dtype)
    for k in range(n):
        r[k, k] = work.length(q[:, k])
        if r[k, k] == 0:
            raise Breakdown(
                "dependent columns", k, f"{work.label}: column {k} of a has length 0 after the columns before it"
            )
        q[:, k] = work.steps.operate("divide", q[:, k], r[k, k])
        if k + 1 < n:
            r[k, k + 1 :] = work.inner(q[:, k, None], q[:, k + 1 :])
            part = work.steps.multiply(q[:, k, None], r[k, None, k + 1 :])
            q[:, k + 1 :] = work.steps.subtract(q[:, k + 1 :], part)
    check_no_overflow(work, "the factors of a", np.concatenate([q, r]))
    return q, r


def lstsq(
    a: Any,
    b: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    method: str = "householder",
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The x for which a x - b is shortest, by QR factors, every operation rounded: backward stable.

    The computed x is the exact solution for a matrix and a right side that differ from a and b by c m n u of their
    norms (Higham, Accuracy and Stability, theorem 20.3). "mgs" treats b as one more column, which makes it as stable
    (section 20.3).

    Parameters
    ----------
    a : array_like
        A matrix with at least as many rows as columns, of full rank.
    b : array_like
        A vector, or a matrix of which each column is a right side.
    fmt, mode, method, accumulator, rng
        As for `qr`.

    Returns
    -------
    ndarray or FloatArray
        A FloatArray if a is one.

    Raises
    ------
    Breakdown
        A ValueError: for a matrix without full rank, and for what overflows.
    ValueError, TypeError
        For shapes that do not match, formats that differ, and an unknown method.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0], "binary16")  # 1 + 2 t
    array([0.99755859, 2.00195312])
    """
    work, (x, y) = start("lstsq", {"a": a, "b": b}, fmt, mode, accumulator, rng)
    check_matrix(work.label, "a", x)
    check_right_side(work.label, x, y)
    m, n = x.shape
    if m < n:
        raise ValueError(f"lstsq: a.shape={x.shape} has fewer rows than columns; give at least as many rows")
    columns = y[:, None] if y.ndim == 1 else y
    if chosen(work.label, "method", method, METHODS) == "mgs":
        r, right = _with_right_side(work, x, columns)
    else:
        reflections, r = householder(work, x)
        right = reflected(work, reflections, columns)[:n]
    zeros = np.flatnonzero(np.diagonal(r) == 0)
    if len(zeros):
        k = int(zeros[0])
        raise Breakdown("dependent columns", k, f"lstsq: r[{k}, {k}]=0: column {k} of a depends on those before it")
    return work.result(solve_triangle(work, r[:n], right, lower=False).reshape((n, *y.shape[1:])))


def _with_right_side(work: Work, a: Array, b: Array) -> tuple[Array, Array]:
    """r, and the parts of b along the columns of q: each is subtracted before the next is taken."""
    (q, r), right, left = gram_schmidt(work, a), np.empty((a.shape[1], b.shape[1]), a.dtype), np.array(b)
    for k in range(len(r)):
        right[k] = work.inner(q[:, k, None], left)
        left = work.steps.subtract(left, work.steps.multiply(q[:, k, None], right[k]))
    return r, right
