"""Iterative refinement in up to three formats: cheap factors, and corrections from accurate residuals.

E. Carson, N. J. Higham, "Accelerating the solution of linear systems by iterative refinement in three precisions", SIAM
J. Sci. Comput. 40 (2018). With scaling: N. J. Higham, S. Pranesh, M. Zounon, SIAM J. Sci. Comput. 41 (2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import Format, FormatLike, Rounding, get_format
from ..wording import quoted
from .breakdown import Breakdown
from .gmres import gmres
from .lu import Factors, factor, solve_factored
from .norms import solve_both
from .scaling import Powers, powers_for
from .work import Work, begin, check_no_overflow, check_right_side, check_square, chosen, exponents

METHODS = ("lu", "gmres")


class Refinement(NamedTuple):
    """A solution, and how it was reached."""

    x: Any
    """In the working format; NaN if there are no factors."""
    converged: bool
    """Whether the last correction was below 2 u of x: then x has about all the digits that its format allows."""
    steps: int
    """Corrections that were computed."""
    corrections: tuple[float, ...]
    """The largest magnitude of each correction, divided by that of x."""
    backward_errors: tuple[float, ...]
    """norm(b - a x) / (norm(a) norm(x) + norm(b)) before each correction and at the end, in the norm of the maximum."""
    cause: str
    """Why it did not converge: "" or "diverged", "too many steps", or the cause of a Breakdown of the factorization."""


def refine(
    a: Any,
    b: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    factor_format: FormatLike = "binary16",
    residual_format: FormatLike = "binary64",
    method: str = "lu",
    scaling: str | None = None,
    most_steps: int = 30,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Refinement:
    """x with a x = b by iterative refinement in three formats: x has almost all the digits of `fmt` where it converges.

    Factors are computed in `factor_format`, x and its corrections in `fmt`, and the residual b - a x in
    `residual_format`, each with every operation rounded. With "lu" it converges while the condition number is below
    about 1 / u of the factors; with "gmres" up to about 1 / u of `fmt`: 10^4 and 10^8 for binary16, binary32 and
    binary64 (Carson and Higham 2018). The error of x is then of order u, whatever the condition number.

    Parameters
    ----------
    a : array_like
        A square matrix.
    b : array_like
        A vector.
    fmt, mode : optional
        The working format; by default that of a FloatArray among a and b, else binary32 and ties to even.
    factor_format, residual_format : Format, str or dtype
        The format of the LU factors, and that of the residual. The working format fits in the latter.
    method : {"lu", "gmres"}
        "lu" solves for the correction with the factors, in their format. "gmres" solves for it by GMRES in the working
        format; the factors are the preconditioner, applied in `residual_format`.
    scaling : {None, "rows_columns", "matrix", "symmetric"}
        Scale by powers of two before the matrix is rounded to `factor_format`: see `equilibrate`.
    most_steps : int
        Give up after so many corrections.
    accumulator, rng
        As for `matmul`: for the sums of all three formats, which it must accept; by default one term after the other,
        in each format itself.

    Returns
    -------
    Refinement
        `x` (a FloatArray if a is one), whether it `converged`, and what each step did. A factorization that breaks down
        is a result too: x is then NaN, and `cause` says why.

    Raises
    ------
    ValueError, TypeError
        For shapes that do not match, formats that do not fit in each other, an unknown method or scaling, and numbers
        beyond the working format.

    Examples
    --------
    >>> import numpy as np
    >>> import fp16sim as fs
    >>> a = fs.linalg.matrices.with_condition(20, 1000.0)
    >>> result = fs.linalg.refine(a, np.ones(20))  # binary16, binary32, binary64
    >>> result.converged, result.backward_errors[-1] < 2.0**-24
    (True, True)
    >>> harder = fs.linalg.matrices.with_condition(20, 1e6)
    >>> fs.linalg.refine(harder, np.ones(20)).cause, fs.linalg.refine(harder, np.ones(20), method="gmres").converged
    ('diverged', True)
    """
    work, sources = begin("refine", {"a": a, "b": b}, fmt, mode, accumulator, rng, default="binary32")
    x, y = (work.operand(name, source) for name, source in zip("ab", sources, strict=True))
    check_square("refine", "a", x)
    check_right_side("refine", x, y)
    if y.ndim != 1:
        raise ValueError(f"refine: b.shape={y.shape} is not that of a vector; refine one right side a call")
    if not isinstance(most_steps, (int, np.integer)) or most_steps < 1:
        raise ValueError(f"refine: most_steps={quoted(most_steps)} is not a count; allow at least one correction")
    factors, residuals = (get_format(name) for name in (factor_format, residual_format))
    _check_formats(factors, work.fmt, residuals)
    in_format = {f: _work_in(f, work, accumulator, rng) for f in (factors, residuals)}
    solver = _METHODS[chosen("refine", "method", method, METHODS)]
    powers = powers_for("refine", x, factors, scaling)
    try:
        correct = solver(x, powers, in_format[factors], work, in_format[residuals])
    except Breakdown as breakdown:
        return Refinement(work.result(np.full(len(y), np.nan)), False, 0, (), (), breakdown.cause)
    return _refined(work, in_format[residuals], x, y, correct, most_steps)


def _check_formats(factors: Format, own: Format, residuals: Format) -> None:
    if not factors.fits_in(own):
        raise ValueError(
            f"refine: factor_format={factors.name} does not fit in fmt={own.name}; factors are of a narrower format"
        )
    if not own.fits_in(residuals):
        raise ValueError(
            f"refine: fmt={own.name} does not fit in residual_format={residuals.name}; give a wider one, as binary64"
        )


def _work_in(fmt: Format, work: Work, accumulator: AccumulatorLike | None, rng: Seed) -> Work:
    return begin("refine", {}, fmt, work.steps.mode, accumulator, work.generator if rng is None else rng)[0]


# --- the loop -------------------------------------------------------------------------------------------------------

Correct = Callable[[Array], Array]
"""A solution for a residual of the working format, in the working format."""


def _refined(work: Work, wide: Work, a: Array, b: Array, correct: Correct, most_steps: int) -> Refinement:
    """Residual, correction, sum; until a correction is no more than a rounding error of x, or grows."""
    u, x = float(work.fmt.unit_roundoff), np.zeros_like(b)
    size, corrections, errors, cause = float(np.abs(a).sum(axis=1).max()), [], [], "too many steps"
    for step in range(most_steps + 1):
        residual = wide.from_sums(wide.less_products(wide.to_sums(b.astype(wide.steps.carrier)), a.T, x[:, None]))
        length, largest = float(np.abs(x).max()), float(np.abs(b).max())
        errors.append(float(np.abs(residual).max()) / (size * length + largest or 1))
        if cause != "too many steps":
            break
        try:
            d = correct(residual)
        except Breakdown as breakdown:
            cause = breakdown.cause
            break
        x = work.steps.add(x, d)
        if not np.isfinite(x).all():
            cause = "overflow"
            break
        share = float(np.abs(d).max()) / (float(np.abs(x).max()) or 1)
        if step:  # the first one is the solution itself
            corrections.append(share)
            if share <= 2 * u:
                cause = ""
            elif len(corrections) > 2 and min(corrections[-2:]) > 0.9 * min(corrections[:-2]):
                cause = "diverged"
    return Refinement(work.result(x), not cause, len(corrections), tuple(corrections), tuple(errors), cause)


# --- two ways to a correction ---------------------------------------------------------------------------------------


def _scaled_factors(a: Array, powers: Powers, narrow: Work) -> Factors:
    """The factors of the scaled matrix, rounded to their format; Breakdown for a pivot of 0, and for what overflows."""
    factors = factor(narrow, narrow.operand("a", powers.scaled(a)))
    zero = factors.zero_pivot()
    if zero is not None:
        raise Breakdown("zero pivot", zero, f"refine: the pivot of column {zero} is 0 in {narrow.fmt.name}")
    return factors


def _small(residual: Array, powers: Powers) -> tuple[Array, int]:
    """A residual with its rows scaled, at most 1, so that it does not underflow; and the power of two to undo it."""
    rows = np.ldexp(residual.astype(np.float64), powers.rows)
    power = int(exponents(np.abs(rows).max()))
    return np.ldexp(rows, -power), power


def _by_factors(a: Array, powers: Powers, narrow: Work, work: Work, wide: Work) -> Correct:
    factors = _scaled_factors(a, powers, narrow)

    def correct(residual: Array) -> Array:
        small, power = _small(residual, powers)
        d = solve_factored(narrow, factors, narrow.steps.round(small))
        return work.steps.round(np.ldexp(d.astype(np.float64), powers.columns + powers.factor + power))

    return correct


def _by_gmres(a: Array, powers: Powers, narrow: Work, work: Work, wide: Work) -> Correct:
    """GMRES for the scaled matrix. Its products and the factors are applied in the residual's format."""
    narrow_factors = _scaled_factors(a, powers, narrow)
    factors = narrow_factors._replace(packed=narrow_factors.packed.astype(wide.steps.carrier))
    scaled = work.steps.round(powers.scaled(a)).astype(wide.steps.carrier)
    check_no_overflow(work, "the scaled matrix", scaled)

    def precondition(y: Array) -> Array:
        return work.steps.round(solve_both(wide, factors, y))

    def product(v: Array) -> Array:
        return precondition(wide.product(scaled, v.astype(wide.steps.carrier)))

    def correct(residual: Array) -> Array:
        small, power = _small(residual, powers)
        d = gmres(work, product, precondition(work.steps.round(small).astype(wide.steps.carrier)))
        return work.steps.round(np.ldexp(d.astype(np.float64), powers.columns + powers.factor + power))

    return correct


_METHODS = {"lu": _by_factors, "gmres": _by_gmres}
