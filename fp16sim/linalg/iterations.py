"""Conjugate gradients and the power method: matrix products, and little else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from ..wording import quoted
from .breakdown import Breakdown
from .work import Work, check_no_overflow, check_right_side, check_square, exponents, start


class Iterated(NamedTuple):
    """A solution, and how it was reached."""

    x: Any
    """The solution, or the last one that was computed."""
    converged: bool
    """Whether the residual is within the tolerance."""
    steps: int
    """Products with the matrix."""
    residuals: tuple[float, ...]
    """The length of the residual that the iteration keeps, divided by that of b, from the start on."""


class DominantEigen(NamedTuple):
    """The eigenvalue of largest magnitude, and how it was reached."""

    value: Any
    """The eigenvalue."""
    vector: Any
    """Its eigenvector, of length 1."""
    converged: bool
    """Whether the value no longer changed."""
    steps: int
    """Products with the matrix."""


def conjugate_gradients(
    a: Any,
    b: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    tolerance: float | None = None,
    most_steps: int | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Iterated:
    """x with a x = b for a symmetric positive definite matrix by conjugate gradients, every operation rounded.

    The residual that it keeps can become as small as you ask. That of x, b - a x, stays at about u norm(a) times the
    largest x on the way (Greenbaum 1997, "Estimating the attainable accuracy of recursively computed residual
    methods"). In exact arithmetic n steps are enough.

    Parameters
    ----------
    a : array_like
        A square matrix, symmetric and positive definite; both triangles are used.
    b : array_like
        A vector. A power of two makes it at most 1 first, so that squares do not overflow.
    fmt, mode : optional
        As for `round_to`; by default those of a FloatArray among a and b, else binary16 and ties to even.
    tolerance : float, optional
        Stop when the residual is at most so much of b; by default the unit roundoff of the format.
    most_steps : int, optional
        Give up after so many steps; by default after 10 n.
    accumulator, rng
        As for `matmul`: for products with the matrix and for inner products.

    Returns
    -------
    Iterated
        `x` (a FloatArray if a is one), whether it `converged`, the `steps` and the `residuals`.

    Raises
    ------
    Breakdown
        A ValueError: for a direction p with p.(a p) <= 0 ("indefinite"), and for what overflows.
    ValueError, TypeError
        For shapes that do not match, and formats that differ.

    Examples
    --------
    >>> import fp16sim as fs
    >>> result = fs.linalg.conjugate_gradients([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0], "binary16")
    >>> result.x, result.converged, result.steps
    (array([0.09094238, 0.63623047]), True, 2)
    """
    work, (m, y) = start("conjugate_gradients", {"a": a, "b": b}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", m)
    check_right_side(work.label, m, y)
    if y.ndim != 1:
        raise ValueError(f"conjugate_gradients: b.shape={y.shape} is not that of a vector; solve for one a call")
    least = float(work.fmt.unit_roundoff) if tolerance is None else tolerance
    _check_limits(work.label, least, most_steps)
    power = int(exponents(np.abs(y).max()))
    steps = 10 * len(y) if most_steps is None else most_steps
    x, converged, residuals = _gradients(work, m, work.scaled(y, -power), least, steps)
    x = work.scaled(x, power)
    check_no_overflow(work, "x", x)
    return Iterated(work.result(x), converged, len(residuals) - 1, tuple(residuals))


def _gradients(work: Work, a: Array, b: Array, least: float, most_steps: int) -> tuple[Array, bool, list[float]]:
    do, x, r, p = work.steps, np.zeros_like(b), b, b
    square = work.inner(r, r)
    first, residuals = float(square) or 1.0, [1.0 if np.any(square) else 0.0]
    for step in range(most_steps):
        if residuals[-1] <= least:
            break
        q = work.product(a, p)
        curvature = work.inner(p, q)
        if not curvature > 0:
            found = f"{work.label}: in step {step}, p.(a p)={float(curvature):g} is not positive"
            cause = "overflow" if np.isnan(curvature) else "indefinite"
            raise Breakdown(cause, step, f"{found}: a is not positive definite, or rounding made it so")
        alpha = do.operate("divide", square, curvature)
        x = do.add(x, do.multiply(alpha, p))
        r = do.subtract(r, do.multiply(alpha, q))
        before, square = square, work.inner(r, r)
        residuals.append(float(np.sqrt(np.float64(square) / first)))
        p = do.add(r, do.multiply(do.operate("divide", square, before), p))
    return x, residuals[-1] <= least, residuals


def power_iteration(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    first: Any = None,
    tolerance: float | None = None,
    most_steps: int = 1000,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> DominantEigen:
    """The eigenvalue of largest magnitude and its vector by the power method, every operation rounded.

    For a symmetric matrix the value has an error of a few n u norm(a) once it no longer changes. The steps that this
    takes grow with the ratio of the two largest eigenvalues (Golub and Van Loan, section 7.3). v is a v divided by its
    length, and the value is v.(a v).

    Parameters
    ----------
    a : array_like
        A square matrix.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    first : array_like, optional
        The vector to start from; by default 1, 1/2, 1/3, ...
    tolerance : float, optional
        Stop when the value changes by at most so much of itself, twice in a row; by default 2 u.
    most_steps : int
        Give up after so many products with a.
    accumulator, rng
        As for `matmul`.

    Returns
    -------
    DominantEigen
        `value` and `vector` (FloatArrays if a is one), whether it `converged`, and the `steps`.

    Raises
    ------
    Breakdown
        A ValueError: for a product a v of length 0, and for what overflows.
    ValueError, TypeError
        For shapes that do not match, and formats that differ.

    Examples
    --------
    >>> import fp16sim as fs
    >>> result = fs.linalg.power_iteration([[2.0, 1.0], [1.0, 2.0]], "binary16")
    >>> result.value, result.converged
    (np.float64(3.0), True)
    """
    given = {} if first is None else {"first": first}
    work, (m, *v) = start("power_iteration", {"a": a, **given}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", m)
    vector = v[0] if v else work.steps.round(1 / np.arange(1.0, len(m) + 1))
    if vector.shape != (len(m),):
        raise ValueError(
            f"power_iteration: first.shape={vector.shape} is not ({len(m)},); give a vector of that length"
        )
    least = 2 * float(work.fmt.unit_roundoff) if tolerance is None else tolerance
    _check_limits(work.label, least, most_steps)
    power = int(exponents(np.abs(m).max()))
    value, vector, converged, steps = _powers(work, work.scaled(m, -power), vector, least, most_steps)
    value = work.scaled(value, power)
    check_no_overflow(work, "the value", np.atleast_1d(value))
    return DominantEigen(work.result(value), work.result(vector), converged, steps)


def _powers(work: Work, a: Array, v: Array, least: float, most_steps: int) -> tuple[Array, Array, bool, int]:
    value, quiet = np.zeros((), a.dtype), 0
    v = _normalized(work, v, 0)
    for step in range(1, most_steps + 1):
        w = work.product(a, v)
        before, value = value, np.asarray(work.inner(v, w))
        quiet = quiet + 1 if abs(float(value) - float(before)) <= least * abs(float(value)) else 0
        v = _normalized(work, w, step)
        if quiet == 2:
            return value, v, True, step
    return value, v, False, most_steps


def _normalized(work: Work, v: Array, step: int) -> Array:
    """The vector divided by its length; a power of two makes it at most 1 first, which loses nothing."""
    small = work.scaled(v, -int(exponents(np.abs(v).max())))
    length = work.length(small[:, None])[0]
    if length == 0:
        raise Breakdown("zero pivot", step, f"{work.label}: the vector of step {step} is zero")
    return work.steps.operate("divide", small, length)


def _check_limits(label: str, tolerance: Any, most_steps: Any) -> None:
    if not isinstance(tolerance, (int, float, np.number)) or not tolerance >= 0:
        raise ValueError(f"{label}: tolerance={quoted(tolerance)} is not a share; give a number of 0 or more")
    if most_steps is not None and (not isinstance(most_steps, (int, np.integer)) or most_steps < 1):
        raise ValueError(f"{label}: most_steps={quoted(most_steps)} is not a count; allow at least one step")
