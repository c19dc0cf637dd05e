"""Rows and columns scaled by powers of two, so that a matrix fits into a format of a narrow range.

N. J. Higham, S. Pranesh, M. Zounon, "Squeezing a matrix into half precision, with an application to solving linear
systems", SIAM J. Sci. Comput. 41 (2019): algorithms 2.2 (one number), 2.4 (rows and columns) and 2.5 (symmetric).
Here the factors are rounded to powers of two, which keeps every digit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..arrays import FloatArray, array
from ..conversion import Array, Seed
from ..formats import Format, FormatLike, Rounding, get_format
from ..rounding import round_to
from ..wording import quoted
from .work import check_matrix, check_square, chosen, exponents, start

SCALINGS = ("matrix", "rows_columns", "symmetric")


class Equilibrated(NamedTuple):
    """A scaled matrix and its factors: matrix = factor * diag(rows) @ a @ diag(columns), rounded to the format.

    The solution of a x = b is columns * (factor * y), where matrix y = rows * b.
    """

    matrix: Any
    """The scaled matrix, rounded to the format."""
    rows: Array
    """Powers of two, in float64."""
    columns: Array
    """Powers of two, in float64."""
    factor: float
    """A power of two."""


class Powers(NamedTuple):
    """The factors of a scaling, by their exponents."""

    rows: Array
    columns: Array
    factor: int

    def scaled(self, a: Array) -> Array:
        """The scaled matrix in float64, exact but for what float64 cannot hold."""
        return np.ldexp(a.astype(np.float64), self.rows[:, None] + self.columns + self.factor)


def powers_for(label: str, a: Array, fmt: Format, kind: str | None, theta: float = 0.1) -> Powers:
    """The factors for a matrix in float64. After them its largest number is about theta times that of the format."""
    none = Powers(np.zeros(a.shape[0], np.int64), np.zeros(a.shape[1], np.int64), 0)
    if kind is None:
        return none
    rows, columns = _KINDS[chosen(label, "scaling", kind, SCALINGS)](np.abs(a))
    largest = np.abs(none._replace(rows=rows, columns=columns).scaled(a)).max()
    room = int(exponents(np.asarray(theta * float(fmt.max_finite)))) - 1  # 2^room is at most theta max_finite
    return Powers(rows, columns, room - int(exponents(largest)) if largest else 0)


def _none(size: Array) -> tuple[Array, Array]:
    return np.zeros(size.shape[0], np.int64), np.zeros(size.shape[1], np.int64)


def _rows_columns(size: Array) -> tuple[Array, Array]:
    """The largest of each row becomes less than 1, then that of each column."""
    rows = -exponents(size.max(axis=1))
    return rows, -exponents(np.ldexp(size, rows[:, None]).max(axis=0))


def _symmetric(size: Array) -> tuple[Array, Array]:
    """Both sides alike, by the roots of the largest numbers, until these are near 1 (Knight, Ruiz and Ucar 2014)."""
    powers = np.zeros(len(size), np.int64)
    for _ in range(20):
        step = -(exponents(np.ldexp(size, powers[:, None] + powers).max(axis=1)) // 2)
        if not step.any():
            break
        powers = powers + step
    return powers, powers


_KINDS = {"matrix": _none, "rows_columns": _rows_columns, "symmetric": _symmetric}


def equilibrate(
    a: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    scaling: str = "rows_columns",
    theta: float = 0.1,
    rng: Seed = None,
) -> Equilibrated:
    """Scale a matrix by powers of two so that it fits into a format: each number is rounded once.

    Squeezing a matrix into binary16 this way (Higham, Pranesh and Zounon 2019) avoids overflow, and all but the
    smallest numbers keep their relative accuracy.

    Parameters
    ----------
    a : array_like
        In any format, mostly float64. Its numbers may be beyond the range of `fmt`, not beyond that of binary64.
    fmt, mode, rng
        As for `round_to`.
    scaling : {"rows_columns", "matrix", "symmetric"}
        "rows_columns" divides each row by its largest number, then each column. "symmetric" scales both sides of a
        square matrix alike. "matrix" takes one number for all.
    theta : float
        The largest number becomes about theta times the largest of the format, so that a factorization has room.

    Returns
    -------
    Equilibrated
        The matrix of the format, a FloatArray if a is one; `rows`, `columns` and `factor`, powers of two in float64.

    Raises
    ------
    ValueError, TypeError
        As `round_to` does, for a matrix that is not finite, an unknown scaling, and theta outside of 0 < theta <= 1.

    Examples
    --------
    >>> import fp16sim as fs
    >>> scaled = fs.linalg.equilibrate([[1e6, 2.0], [3.0, 4e-5]], "binary16")
    >>> scaled.matrix
    array([[3906.,  512.],
           [3072., 2684.]])
    >>> scaled.rows, scaled.columns, scaled.factor
    (array([9.53674316e-07, 2.50000000e-01]), array([1.0000e+00, 6.5536e+04]), 4096.0)
    """
    fmt = get_format(fmt)
    work, (values,) = start("equilibrate", {"a": getattr(a, "values", a)}, "binary64", mode, None, rng)
    check_matrix(work.label, "a", values)
    if scaling == "symmetric":
        check_square(work.label, "a", values)
    if not 0 < theta <= 1:
        raise ValueError(f"equilibrate: theta={quoted(theta)} is not a share of the range; give 0 < theta <= 1")
    powers = powers_for(work.label, values, fmt, chosen(work.label, "scaling", scaling, SCALINGS), theta)
    matrix: Any = round_to(powers.scaled(values), fmt, mode, rng=work.generator)
    if isinstance(a, FloatArray):
        matrix = array(matrix, fmt, mode, rng=work.generator)
    return Equilibrated(matrix, np.exp2(powers.rows), np.exp2(powers.columns), float(np.exp2(powers.factor)))
