"""GMRES: the vector of a Krylov space whose residual is shortest, every operation rounded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..conversion import Array
from .triangular import solve_triangle
from .work import Work


def gmres(work: Work, product: Callable[[Array], Array], b: Array) -> Array:
    """x with product(x) about b, in at most as many steps as b has elements; the residual is at most sqrt(u) of b.

    Modified Gram-Schmidt makes the basis orthogonal, and Givens' rotations keep the small least-squares problem
    triangular (Saad and Schultz 1986). Refinement needs no more than a few right digits of a correction.
    """
    do, n = work.steps, len(b)
    beta = work.length(b[:, None])[0]
    if beta == 0:
        return np.zeros_like(b)
    basis, triangle = [do.operate("divide", b, beta)], np.zeros((n, n), b.dtype)
    right = np.zeros(n + 1, b.dtype)
    rotations: list[tuple[Array, Array]] = []
    right[0] = beta
    tolerance = float(work.fmt.unit_roundoff) ** 0.5 * float(beta)
    for k in range(n):
        w, column = product(basis[k]), np.zeros(k + 2, b.dtype)
        for i, v in enumerate(basis):
            column[i] = work.inner(v[:, None], w[:, None])[0]
            w = do.subtract(w, do.multiply(column[i], v))
        column[k + 1] = work.length(w[:, None])[0]
        for i, rotation in enumerate(rotations):
            column[i], column[i + 1] = _rotated(work, *rotation, column[i], column[i + 1])
        c, s, column[k] = _rotation(work, column[k], column[k + 1])
        rotations.append((c, s))
        right[k], right[k + 1] = _rotated(work, c, s, right[k], right[k + 1])
        triangle[: k + 1, k] = column[: k + 1]
        if abs(right[k + 1]) <= tolerance or column[k + 1] == 0:
            break
        basis.append(do.operate("divide", w, column[k + 1]))
    return _combined(work, np.array(basis[: k + 1]), triangle[: k + 1, : k + 1], right[: k + 1])


def _rotation(work: Work, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """c, s and length with (c x + s y, c y - s x) = (length, 0)."""
    length = work.length(np.array([[x], [y]]))[0]
    if length == 0:
        return np.ones_like(x), np.zeros_like(x), length
    return work.steps.operate("divide", x, length), work.steps.operate("divide", y, length), length


def _rotated(work: Work, c: Array, s: Array, x: Array, y: Array) -> tuple[Array, Array]:
    do = work.steps
    return do.add(do.multiply(c, x), do.multiply(s, y)), do.subtract(do.multiply(c, y), do.multiply(s, x))


def _combined(work: Work, basis: Array, triangle: Array, right: Array) -> Array:
    """The combination of the basis whose coefficients solve the triangular system."""
    return work.product(basis.T, solve_triangle(work, triangle, right, lower=False))
