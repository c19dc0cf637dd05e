"""LU factors with partial pivoting, and what follows from them: solve, inv, det."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from .breakdown import Breakdown
from .scaling import Powers, powers_for
from .triangular import solve_triangle
from .work import Work, begin, check_matrix, check_no_overflow, check_right_side, check_square, exponents, start


class LU(NamedTuple):
    """Factors of a matrix: a[permutation] is about lower @ upper."""

    lower: Any
    """Lower trapezoidal, with ones on its diagonal, and no element beyond 1 in magnitude."""
    upper: Any
    """Upper trapezoidal; its diagonal has the pivots."""
    permutation: Array
    """The row of a that became each row."""


class Factors(NamedTuple):
    """The same in one array, as LAPACK keeps them: the lower factor below the diagonal, without its ones."""

    packed: Array
    permutation: Array
    swaps: int

    def zero_pivot(self) -> int | None:
        """The first zero on the diagonal of the upper factor."""
        zeros = np.flatnonzero(np.diagonal(self.packed) == 0)
        return int(zeros[0]) if len(zeros) else None


def lu(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> LU:
    """LU factors with partial pivoting, every operation rounded: lower @ upper is a[permutation] up to backward errors.

    The error is at most n u / (1 - n u) abs(lower) @ abs(upper), element by element (Higham, Accuracy and Stability,
    theorem 9.3; u is the unit roundoff, or twice that in modes other than to nearest). `Sequential` sums are a[i, j],
    less lower[i, 0] upper[0, j], less lower[i, 1] upper[1, j] ..., every product and every difference rounded.

    Parameters
    ----------
    a : array_like
        A matrix of m rows and n columns.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    accumulator, rng
        As for `matmul`. In a wider accumulator, an element leaves its format when its column is reached.

    Returns
    -------
    LU
        `lower` (m, k), `upper` (k, n) with k = min(m, n), FloatArrays if a is one; `permutation`, integers.
        Where a column has nothing but zeros left, the pivot is 0 and the column of `lower` is that of the identity.

    Raises
    ------
    Breakdown
        A ValueError: for what overflows.
    ValueError, TypeError
        For a shape that is not that of a matrix.

    Examples
    --------
    >>> import fp16sim as fs
    >>> factors = fs.linalg.lu([[1.0, 2.0], [3.0, 4.0]], "binary16")
    >>> factors.permutation, factors.lower[1], factors.upper[1]
    (array([1, 0]), array([0.33325195, 1.        ]), array([0.        , 0.66699219]))
    """
    work, (x,) = start("lu", {"a": a}, fmt, mode, accumulator, rng)
    check_matrix(work.label, "a", x)
    packed, permutation, _ = factor(work, x)
    k = min(x.shape)
    lower = np.tril(packed[:, :k], -1) + np.eye(len(x), k, dtype=packed.dtype)
    return LU(work.result(lower), work.result(np.triu(packed[:k])), permutation)


def factor(work: Work, a: Array) -> Factors:
    """The factors of values of the format."""
    factors = _by_outer_products(work, a) if work.is_chain else _by_sums(work, a)
    check_no_overflow(work, "the factors of a", factors.packed)
    return factors


def _by_outer_products(work: Work, a: Array) -> Factors:
    """Each step subtracts a product of column and row from all that is left: the k-th term of every sum at once."""
    left, packed, order, swaps = np.array(work.to_sums(a)), np.empty_like(a), np.arange(len(a)), 0
    for k in range(min(a.shape)):
        column = work.from_sums(left[k:, k])
        best = int(np.argmax(np.abs(column)))
        if best:
            swaps += 1
            column = _swapped(column, 0, best)
            for x in (left, packed, order):
                x[[k, k + best]] = x[[k + best, k]]
        packed[k, k:] = work.from_sums(left[k, k:])
        packed[k, k] = column[0]
        packed[k + 1 :, k] = _multipliers(work, column)
        if k + 1 < a.shape[1] and k + 1 < len(a):
            rest = left[k + 1 :, k + 1 :]
            rest[...] = work.less_products(rest, packed[None, k + 1 :, k, None], packed[None, k, None, k + 1 :])
    return Factors(packed, order, swaps)


def _by_sums(work: Work, a: Array) -> Factors:
    """Each column, then each row, from sums of all their products (Crout's order of the work)."""
    a, packed, order, swaps = np.array(a), np.zeros_like(a), np.arange(len(a)), 0
    for k in range(min(a.shape)):
        column = _sums(work, a[k:, k], packed[k:, :k].T, packed[:k, k, None])
        best = int(np.argmax(np.abs(column)))
        if best:
            swaps += 1
            column = _swapped(column, 0, best)
            for x in (a, packed, order):
                x[[k, k + best]] = x[[k + best, k]]
        packed[k, k], packed[k + 1 :, k] = column[0], _multipliers(work, column)
        packed[k, k + 1 :] = _sums(work, a[k, k + 1 :], packed[k, :k, None], packed[:k, k + 1 :])
    return Factors(packed, order, swaps)


def _sums(work: Work, first: Array, left: Array, right: Array) -> Array:
    return work.from_sums(work.less_products(work.to_sums(first), left, right)) if first.size else first


def _swapped(x: Array, i: int, j: int) -> Array:
    x = np.array(x)
    x[[i, j]] = x[[j, i]]
    return x


def _multipliers(work: Work, column: Array) -> Array:
    """The column of the lower factor; zeros if all of the column is zero."""
    return work.steps.operate("divide", column[1:], column[0]) if column[0] != 0 else np.zeros_like(column[1:])


# --- solve, inv, det ------------------------------------------------------------------------------------------------


def solve(
    a: Any,
    b: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    scaling: str | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """x with a x = b by LU factors with partial pivoting, every operation rounded: backward stable.

    The computed x solves (a + e) x = b with abs(e) <= 3 n u / (1 - 3 n u) abs(lower) @ abs(upper), rows permuted
    (Higham, Accuracy and Stability, theorem 9.4). `refine` gives more digits.

    Parameters
    ----------
    a : array_like
        A square matrix.
    b : array_like
        A vector, or a matrix of which each column is a right side.
    fmt, mode : optional
        As for `round_to`; by default those of a FloatArray among a and b, else binary16 and ties to even.
    scaling : {None, "rows_columns", "matrix", "symmetric"}
        Scale by powers of two first, so that numbers beyond the range of the format do not overflow: see `equilibrate`.
        Each column of b is scaled too. x itself is of the format.
    accumulator, rng
        As for `matmul`.

    Returns
    -------
    ndarray or FloatArray
        A FloatArray if a is one.

    Raises
    ------
    Breakdown
        A ValueError: for a pivot of 0, and for what overflows.
    ValueError, TypeError
        For shapes that do not match, and formats that differ.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.solve([[2.0, 1.0], [1.0, 3.0]], [3.0, 5.0], "binary16")
    array([0.79980469, 1.40039062])
    >>> fs.linalg.solve([[1e6, 2e6], [3.0, 4.0]], [3e6, 7.0], "binary16", scaling="rows_columns")
    array([1.00097656, 1.        ])
    """
    work, sources = begin("solve", {"a": a, "b": b}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", sources[0])
    check_right_side(work.label, *sources)
    if scaling is None:
        x, y = (work.operand(name, source) for name, source in zip("ab", sources, strict=True))
        return work.result(solve_factored(work, factor(work, x), y))
    wide = work.in_binary64("a", sources[0])
    powers = powers_for(work.label, wide, work.fmt, scaling)
    factors = factor(work, work.steps.round(powers.scaled(wide)))
    return work.result(solve_scaled(work, factors, powers, work.in_binary64("b", sources[1])))


def solve_scaled(work: Work, factors: Factors, powers: Powers, b: Array) -> Array:
    """x from the factors of a scaled matrix, for right sides in float64: each is scaled too."""
    columns = np.ldexp(b[:, None] if b.ndim == 1 else b, powers.rows[:, None])
    size = exponents(np.abs(columns).max(axis=0))
    y = solve_factored(work, factors, work.steps.round(np.ldexp(columns, -size)))
    x = work.scaled(y, powers.columns[:, None] + powers.factor + size).reshape(b.shape)
    check_no_overflow(work, "x", x.T)
    return x


def solve_factored(work: Work, factors: Factors, b: Array) -> Array:
    """x by two triangular systems; Breakdown for a pivot of 0."""
    zero = factors.zero_pivot()
    if zero is not None:
        raise Breakdown(
            "zero pivot",
            zero,
            f"{work.label}: the pivot of column {zero} is 0: "
            f"the matrix is singular, or rounding to {work.fmt.name} made it so",
        )
    y = solve_triangle(work, factors.packed, b[factors.permutation], lower=True, unit_diagonal=True)
    return solve_triangle(work, factors.packed, y, lower=False)


def inv(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The inverse: `solve` with the columns of the identity, so each column is backward stable for a matrix near a.

    The inverse as a whole need not be that of one matrix near a (Higham, Accuracy and Stability, section 14.1): to
    solve a system, call `solve`. Parameters and errors as for `solve`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.inv([[2.0, 1.0], [0.0, 4.0]], "binary16")
    array([[ 0.5  , -0.125],
           [ 0.   ,  0.25 ]])
    """
    work, (x,) = start("inv", {"a": a}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", x)
    return work.result(solve_factored(work, factor(work, x), np.eye(len(x), dtype=x.dtype)))


def det(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The determinant: the product of the pivots of `lu`, one factor after the other, each product rounded.

    It is the determinant of a matrix near a, but for n rounding errors (Higham, Accuracy and Stability, section 14.6),
    and often beyond a narrow format: then it is infinite, or 0. Parameters and errors as for `lu`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.det([[1.0, 2.0], [3.0, 4.0]], "binary16")
    np.float64(-2.0)
    """
    work, (x,) = start("det", {"a": a}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", x)
    factors = factor(work, x)
    product: Array = np.asarray((-1.0) ** factors.swaps, x.dtype)
    for pivot in np.diagonal(factors.packed):
        product = work.steps.multiply(product, np.asarray(pivot))
    return work.result(product)
