"""Norms of matrices, and an estimate of the condition number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from .breakdown import Breakdown
from .jacobi import singular_values
from .lu import Factors, factor
from .triangular import solve_triangle
from .work import Work, check_matrix, check_square, chosen, exponents, start

NORMS = ("fro", 1, 2, math.inf, "max")


def matrix_norm(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    ord: str | float = "fro",
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """A norm of a matrix, every operation rounded: sums have relative errors of at most n u / (1 - n u).

    Parameters
    ----------
    a : array_like
        A matrix.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    ord : {"fro", 1, inf, 2, "max"}
        The root of the sum of squares; the largest sum of magnitudes in a column; in a row; the largest singular value;
        the largest magnitude, which is exact. For "fro", a power of two keeps the squares from overflowing.
    accumulator, rng
        As for `sum`.

    Returns
    -------
    scalar or FloatArray
        A FloatArray if a is one.

    Raises
    ------
    ValueError, TypeError
        For a shape that is not that of a matrix, and an unknown norm.

    Examples
    --------
    >>> import fp16sim as fs
    >>> a = [[3.0, 0.0], [4.0, 0.0]]
    >>> [float(fs.linalg.matrix_norm(a, "binary16", ord=ord)) for ord in ("fro", 1, float("inf"), 2, "max")]
    [5.0, 7.0, 4.0, 5.0, 4.0]
    """
    work, (x,) = start("matrix_norm", {"a": a}, fmt, mode, accumulator, rng)
    check_matrix(work.label, "a", x)
    return work.result(_NORMS[chosen(work.label, "ord", ord, NORMS)](work, x))


def _by_sums(work: Work, a: Array) -> Array:
    return np.asarray(work.total(np.abs(a)).max())


_NORMS: dict[str | float, Any] = {
    "fro": lambda work, a: work.length(a.reshape(-1)),
    1: _by_sums,
    2: lambda work, a: singular_values(work, a)[0],
    math.inf: lambda work, a: _by_sums(work, a.T),
    "max": lambda work, a: np.abs(a).max(),
}


def cond(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    ord: float = 1,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> float:
    """An estimate of the condition number norm(a) norm(a^-1), from LU factors and a few solutions in the format.

    Hager's method as LAPACK has it (Higham, Accuracy and Stability, algorithm 15.4): a lower bound but for rounding
    errors, and mostly within a factor of 3. In a format of unit roundoff u, a condition beyond about 1/u is seen as one
    of that size, or as infinity.

    Parameters
    ----------
    a : array_like
        A square matrix.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    ord : {1, inf}
    accumulator, rng
        As for `matmul`.

    Returns
    -------
    float
        A plain number, since it may be beyond the format: the product of two norms of the format. Infinity for a
        matrix that is singular in the format.

    Raises
    ------
    Breakdown
        A ValueError: if a number of the matrix is beyond the format.
    ValueError, TypeError
        For a shape that is not square, and an unknown norm.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.cond([[4.0, 0.0], [0.0, 0.5]], "binary16"), fs.linalg.cond([[1.0, 1.0], [1.0, 1.0]], "binary16")
    (8.0, inf)
    """
    work, (x,) = start("cond", {"a": a}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", x)
    x = x.T if chosen(work.label, "ord", ord, (1, math.inf)) == math.inf else x
    x = work.scaled(x, -int(exponents(np.abs(x).max())))  # the condition number stays
    try:
        return float(_by_sums(work, x)) * _norm_of_inverse(work, factor(work, x))
    except Breakdown:  # a pivot of 0, or a solution beyond the format
        return math.inf


def _norm_of_inverse(work: Work, factors: Factors) -> float:
    """A lower bound of the 1-norm of the inverse: solutions for unit vectors where the norm grows fastest.

    Right sides are small powers of two in place of ones, so that long solutions do not overflow.
    """
    n, unit = len(factors.packed), 2.0 ** -(work.fmt.emax // 2)
    y = solve_both(work, factors, work.steps.round(np.full(n, unit / n)))
    estimate, signs, best = float(work.total(np.abs(y))), np.zeros(n), -1
    for _ in range(5):
        if np.array_equal(signs, np.copysign(1, y)):
            break
        signs = np.copysign(1, y)
        z = solve_both(work, factors, (unit * signs).astype(y.dtype), transposed=True)
        if int(np.argmax(np.abs(z))) == best:
            break
        best = int(np.argmax(np.abs(z)))
        y = solve_both(work, factors, (unit * np.eye(n)[best]).astype(y.dtype))
        if float(work.total(np.abs(y))) <= estimate:
            break
        estimate = float(work.total(np.abs(y)))
    return max(estimate, _by_alternating_signs(work, factors, unit)) / unit


def _by_alternating_signs(work: Work, factors: Factors, unit: float) -> float:
    """Higham's other bound, with b[i] = (-1)^i (1 + i / (n - 1)), which no matrix that fools the first one fools."""
    n = len(factors.packed)
    b = work.steps.round(unit * (-1.0) ** np.arange(n) * (1 + np.arange(n) / max(1, n - 1)))
    return 2 * float(work.total(np.abs(solve_both(work, factors, b)))) / (3 * n)


def solve_both(work: Work, factors: Factors, b: Array, transposed: bool = False) -> Array:
    """The solution from LU factors, or that for the transposed matrix."""
    packed, permutation, _ = factors
    if not transposed:
        y = solve_triangle(work, packed, b[permutation], lower=True, unit_diagonal=True)
        return solve_triangle(work, packed, y, lower=False)
    y = solve_triangle(work, packed.T, b, lower=True)
    x = np.empty_like(y)
    x[permutation] = solve_triangle(work, packed.T, y, lower=False, unit_diagonal=True)
    return x
