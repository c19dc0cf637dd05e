"""Cholesky factors of a symmetric positive definite matrix, and of one whose diagonal is made larger."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from ..wording import quoted
from .breakdown import Breakdown
from .work import Work, check_square, overflow, start


class ShiftedCholesky(NamedTuple):
    """A Cholesky factor of the matrix whose diagonal is multiplied by 1 + shift, rounded to the format."""

    lower: Any
    """Lower triangular."""
    shift: float
    """The share of the diagonal that was added to it."""


def cholesky(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The lower triangle l with a = l @ l.T up to backward errors, every operation rounded.

    The error is at most (n + 1) u / (1 - (n + 1) u) abs(l) @ abs(l.T), element by element (Higham, Accuracy and
    Stability, theorem 10.3; u is the unit roundoff, or twice that in modes other than to nearest). l[i, j] is a[i, j],
    less the products of l[i] and l[j] in the order of the accumulator, divided by l[j, j]; on the diagonal the root.

    Parameters
    ----------
    a : array_like
        A square matrix, symmetric and positive definite. Only its lower triangle is read.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    accumulator, rng
        As for `matmul`.

    Returns
    -------
    ndarray or FloatArray
        Lower triangular; a FloatArray if a is one.

    Raises
    ------
    Breakdown
        A ValueError: if the root of a number that is not positive is asked for ("indefinite"): a is not positive
        definite, or rounding made it so. `shifted_cholesky` is the cure. And for what overflows.
    ValueError, TypeError
        For a shape that is not square.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.cholesky([[4.0, 2.0], [2.0, 10.0]], "binary16")
    array([[2., 0.],
           [1., 3.]])
    """
    work, (x,) = start("cholesky", {"a": a}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", x)
    return work.result(cholesky_factor(work, x))


def shifted_cholesky(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    shift: float | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> ShiftedCholesky:
    """`cholesky` of a matrix whose diagonal is multiplied by 1 + shift: for a matrix that rounding made indefinite.

    Rounding an n x n matrix changes its eigenvalues by up to n u times its largest diagonal element, so a shift of a
    few u makes most such matrices definite; the factors then serve `refine` or as a preconditioner (Higham and Pranesh,
    "Exploiting lower precision arithmetic in solving symmetric positive definite linear systems", SIAM J. Sci. Comput.
    43, 2021).

    Parameters
    ----------
    a, fmt, mode, accumulator, rng
        As for `cholesky`.
    shift : float, optional
        By default 0, then u, 2 u, 4 u, ... up to 1, until there is a factor; u is the unit roundoff of the format.

    Returns
    -------
    ShiftedCholesky
        `lower` and the `shift` that was needed.

    Raises
    ------
    Breakdown
        A ValueError: if the shift is not enough.
    ValueError, TypeError
        As for `cholesky`, and for a shift that is negative or not finite.

    Examples
    --------
    >>> import fp16sim as fs
    >>> hilbert = fs.linalg.matrices.hilbert(8)
    >>> fs.linalg.shifted_cholesky(hilbert, "binary16").shift
    0.00048828125
    """
    work, (x,) = start("shifted_cholesky", {"a": a}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", x)
    if shift is not None and not 0 <= shift < math.inf:
        raise ValueError(f"shifted_cholesky: shift={quoted(shift)} is not a share of the diagonal; give 0 or more")
    u = float(work.fmt.unit_roundoff)
    shifts = [0.0, *(u * 2.0**k for k in range(math.ceil(-math.log2(u)) + 1))] if shift is None else [float(shift)]
    for tried in shifts:
        try:
            return ShiftedCholesky(work.result(cholesky_factor(work, _shifted(work, x, tried))), tried)
        except Breakdown as breakdown:
            if breakdown.cause != "indefinite" or tried == shifts[-1]:
                raise
    raise AssertionError("the last shift returns or raises")


def _shifted(work: Work, a: Array, shift: float) -> Array:
    """The matrix with shift times its diagonal, rounded, added to its diagonal."""
    y, diagonal = np.array(a), np.diagonal(a)
    if shift:
        np.fill_diagonal(y, work.steps.add(diagonal, work.steps.multiply(diagonal, work.steps.round(shift))))
    return y


def cholesky_factor(work: Work, a: Array) -> Array:
    """The factor of values of the format."""
    left, lower = np.array(work.to_sums(a)), np.zeros_like(a)
    for k in range(len(a)):
        if work.is_chain:
            column = work.from_sums(left[k:, k])
        else:
            column = work.from_sums(work.less_products(left[k:, k], lower[k:, :k].T, lower[k, :k, None]))
        if not np.isfinite(column).all():
            raise overflow(work, "the factor of a", k)
        if column[0] <= 0:
            raise Breakdown(
                "indefinite",
                k,
                f"{work.label}: step {k} asks for the root of {float(column[0]):g}: a is not positive definite, or "
                f"rounding to {work.fmt.name} made it so",
            )
        lower[k, k] = work.steps.operate("sqrt", column[0])
        lower[k + 1 :, k] = work.steps.operate("divide", column[1:], lower[k, k])
        if work.is_chain and k + 1 < len(a):
            rest, below = left[k + 1 :, k + 1 :], lower[k + 1 :, k]
            rest[...] = work.less_products(rest, below[None, :, None], below[None, None])
    return lower
