"""Which linear systems iterative refinement solves with factors in 16 bits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from .. import linalg
from ..conversion import Array, Seed
from ..formats import BINARY16, BINARY32, Format, FormatLike, Rounding, get_rounding
from ..rounding import round_to
from .common import format_reaching, frozen

WAYS = {"LU": ("lu", None), "LU, scaled": ("lu", "rows_columns"), "GMRES, scaled": ("gmres", "rows_columns")}
"""How corrections are found, and whether the matrix is scaled before its factors are computed."""


@dataclass(frozen=True)
class Refined:
    """Refinement with factors in one format, x in binary32 and residuals in binary64, by way and condition number.

    Attributes
    ----------
    conditions : ndarray
        The condition numbers, before the rows are scaled.
    steps : ndarray
        The corrections until x has all its digits, one row for each of `WAYS`; NaN where it does not get them.
    fits : ndarray
        Whether the numbers of the matrix are within the range of the format, one row for each of `WAYS`.
    """

    fmt: Format
    mode: Rounding
    conditions: Array
    steps: Array
    fits: Array

    def limit(self, way: str) -> float | None:
        """The last condition number up to which all systems converge; None if the first one does not."""
        failed = np.flatnonzero(np.isnan(self.steps[list(WAYS).index(way)]))
        last = len(self.conditions) - 1 if not len(failed) else int(failed[0]) - 1
        return float(self.conditions[last]) if last >= 0 else None

    @property
    def lesson(self) -> str:
        """What it shows."""
        lu, gmres = (self.limit(way) for way in ("LU, scaled", "GMRES, scaled"))
        if lu is None:
            alone = f"suffice by GMRES alone, up to condition {_ten(gmres)}"
            return f"Factors in {self.fmt.name} {alone if gmres else 'are too coarse for refinement'}"
        more = "" if gmres is None else f", by GMRES {_ten(gmres)}"
        return f"Factors in {self.fmt.name} suffice up to condition {_ten(lu)}{more}"


def _ten(x: float | None) -> str:
    return "none" if x is None else f"10^{round(np.log10(x))}"


def refinement(fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, rng: Seed = 0) -> Refined:
    """Systems of ten equations, by condition number: rows of very different size, factors in a narrow format.

    The sizes of the rows are from 2^-10 to 2^24, so that binary16 does not hold the matrix. (E. Carson, N. J. Higham,
    SIAM J. Sci. Comput. 40, 2018; N. J. Higham, S. Pranesh, M. Zounon, SIAM J. Sci. Comput. 41, 2019.)

    Examples
    --------
    >>> data = refinement("binary16")
    >>> data.limit("LU"), data.limit("LU, scaled"), data.limit("GMRES, scaled")
    (None, 10000.0, 100000000.0)
    """
    return _refined(format_reaching(4, fmt), get_rounding(mode), rng)


SIZE = 10
"""Equations of a system."""


@lru_cache(maxsize=32)
def _refined(fmt: Format, mode: Rounding, rng: Seed) -> Refined:
    exponents = range(1, 11)
    results = [[_solved(fmt, mode, k, *way, rng) for k in exponents] for way in WAYS.values()]
    steps = [[_steps(result, k) for k, result in zip(exponents, row, strict=True)] for row in results]
    fits = [[result.cause != "beyond the format" for result in row] for row in results]
    return Refined(fmt, mode, frozen(10.0 ** np.array(exponents)), frozen(steps), frozen(fits))


def _solved(fmt: Format, mode: Rounding, k: int, method: str, scaling: str | None, rng: Seed) -> linalg.Refinement:
    """The system of condition number 10^k."""
    a, b = _system(k)
    with np.errstate(all="ignore"):
        return linalg.refine(a, b, "binary32", mode, factor_format=fmt, method=method, scaling=scaling, rng=rng)


def _steps(result: linalg.Refinement, k: int) -> float:
    """The corrections, if every element of x is then within 4 u of the largest one of the true x."""
    truth = _solution(k)
    right = np.abs(result.x - truth).max() <= 4 * float(BINARY32.unit_roundoff) * np.abs(truth).max()  # False for NaN
    return float(result.steps) if right else np.nan


@lru_cache(maxsize=16)
def _system(k: int) -> tuple[Array, Array]:
    """A matrix and a right side of binary32."""
    powers = np.random.default_rng(k).permutation(np.linspace(-10, 24, SIZE).round())
    a = round_to(linalg.matrices.with_condition(SIZE, 10.0**k) * np.exp2(powers)[:, None], "binary32")
    return frozen(a), frozen(round_to(a.sum(axis=1), "binary32"))


@lru_cache(maxsize=16)
def _solution(k: int) -> Array:
    """The solution of that system, by fractions."""
    rows = [[Fraction(float(x)) for x in row] for row in np.column_stack(_system(k))]
    for i in range(SIZE):
        pivot = next(j for j in range(i, SIZE) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j in range(SIZE):
            if j != i:
                rows[j] = [x - rows[j][i] * y for x, y in zip(rows[j], rows[i], strict=True)]
    return frozen([float(row[-1]) for row in rows])
