"""The extension `linalg`: the algorithms of `fp16sim.linalg`, on stacks of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import linalg
from ..arrays import FloatArray
from ..wording import quoted
from .arrays import Namespace, RealArray
from .dtypes import no_complex
from .operands import operand, operands
from .products import matmul, square


class EigenResult(NamedTuple):
    """What `eigh` finds."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """What `qr` finds."""

    Q: Any
    R: Any


class SlogdetResult(NamedTuple):
    """What `slogdet` finds."""

    sign: Any
    logabsdet: Any


class SVDResult(NamedTuple):
    """What `svd` finds."""

    U: Any
    S: Any
    Vh: Any


def _each(function: Callable[..., Any], *stacks: Any) -> tuple[Any, ...]:
    """A function of matrices for each of the stacks, which broadcast; its results, stacked."""
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
    spread = [np.broadcast_to(x.values, batch + x.shape[-2:]) for x in stacks]
    plain = [FloatArray(values, x.fmt, x.mode, x.rng) for values, x in zip(spread, stacks, strict=True)]
    places = list(np.ndindex(batch)) if math.prod(batch) else []
    found = [function(*(x[place] for x in plain)) for place in places]
    if not found:  # no matrices: the shapes are those for any of this size
        ones = [FloatArray(np.eye(*x.shape[-2:], dtype=x.values.dtype), x.fmt, x.mode, x.rng) for x in stacks]
        found = [function(*ones)]
    parts = [one if isinstance(one, tuple) else (one,) for one in found]
    return tuple(
        stacks[0]._like(np.stack([part.values for part in parts_of_one])[: len(places)].reshape((*batch, *shape)))
        for parts_of_one in zip(*parts, strict=True)
        for shape in [parts_of_one[0].shape]
    )


def _matrices(xp: Namespace, name: str, x: Any) -> RealArray:
    y: RealArray = operand(xp, name, x, "floating")
    if y.ndim < 2:
        raise ValueError(f"{name}: x.shape={y.shape} has no matrices; give at least two axes")
    return y


def _squares(xp: Namespace, name: str, x: Any) -> Any:
    return square(_matrices(xp, name, x), name)


def cholesky(xp: Namespace, x: Any, /, *, upper: bool = False) -> Any:
    """The Cholesky factors of symmetric positive definite matrices; see `fp16sim.linalg.cholesky`."""
    y = _squares(xp, "cholesky", x)
    factor = _each(_with(linalg.cholesky, xp), y)[0] if y.shape[-1] else +y
    return xp.matrix_transpose(factor) if upper else factor


def det(xp: Namespace, x: Any, /) -> Any:
    """The determinants, by LU factors; see `fp16sim.linalg.det`."""
    y = _squares(xp, "det", x)
    return xp.ones(y.shape[:-2], dtype=y.dtype) if not y.shape[-1] else _each(_with(linalg.det, xp), y)[0]


def _with(function: Callable[..., Any], xp: Namespace) -> Callable[..., Any]:
    return lambda *matrices: function(*matrices, accumulator=xp.accumulator)


def eigh(xp: Namespace, x: Any, /) -> EigenResult:
    """Eigenvalues, in ascending order, and eigenvectors of symmetric matrices; see `fp16sim.linalg.eigh`."""
    return EigenResult(*_each(_with(linalg.eigh, xp), _squares(xp, "eigh", x)))


def eigvalsh(xp: Namespace, x: Any, /) -> Any:
    """The eigenvalues of symmetric matrices, in ascending order."""
    return eigh(xp, x).eigenvalues


def eig(xp: Namespace, x: Any, /) -> Any:
    """Raises TypeError: eigenvalues of a matrix that is not symmetric are complex."""
    raise no_complex("what eig gives")


def eigvals(xp: Namespace, x: Any, /) -> Any:
    """Raises TypeError: eigenvalues of a matrix that is not symmetric are complex."""
    raise no_complex("what eigvals gives")


def inv(xp: Namespace, x: Any, /) -> Any:
    """The inverses, by LU factors; see `fp16sim.linalg.inv`."""
    y = _squares(xp, "inv", x)
    return _each(_with(linalg.inv, xp), y)[0] if y.shape[-1] else +y


def solve(xp: Namespace, x1: Any, x2: Any, /) -> Any:
    """x with x1 @ x = x2, by LU factors with partial pivoting; see `fp16sim.linalg.solve`."""
    a, b = operands(xp, "solve", _squares(xp, "solve", x1), x2, category="floating")
    columns = b[:, None] if b.ndim == 1 else b
    if a.shape[-1] != columns.shape[-2]:
        raise ValueError(f"solve: x1.shape={a.shape} and x2.shape={b.shape}; give as many rows in both")
    if a.size and columns.size:
        (y,) = _each(_with(linalg.solve, xp), a, columns)
    else:
        y = xp.zeros((*np.broadcast_shapes(a.shape[:-2], columns.shape[:-2]), *columns.shape[-2:]), dtype=a.dtype)
    return y[..., 0] if b.ndim == 1 else y


def qr(xp: Namespace, x: Any, /, *, mode: str = "reduced") -> QRResult:
    """QR factors by Householder's reflections; see `fp16sim.linalg.qr`."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"mode={quoted(mode)} is unknown; use 'reduced' or 'complete'")
    y = _matrices(xp, "qr", x)
    rows, columns = y.shape[-2:]
    missing = rows - columns if mode == "complete" else 0
    if missing > 0:  # with columns of zeros, which need no reflection, q is square
        y = xp.concat([y, xp.zeros((*y.shape[:-1], missing), dtype=y.dtype)], axis=-1)
    q, r = _each(_with(linalg.qr, xp), y)
    return QRResult(q, r[..., :columns])


def svd(xp: Namespace, x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """The singular value decompositions, by Jacobi's rotations; see `fp16sim.linalg.svd`."""
    u, s, vh = _each(_with(linalg.svd, xp), _matrices(xp, "svd", x))
    if full_matrices:
        u, vh = _completed(xp, u), xp.matrix_transpose(_completed(xp, xp.matrix_transpose(vh)))
    return SVDResult(u, s, vh)


def _completed(xp: Namespace, u: Any) -> Any:
    """Orthogonal columns, and those that complete them to a square matrix."""
    missing = u.shape[-2] - u.shape[-1]
    return xp.concat([u, qr(xp, u, mode="complete").Q[..., u.shape[-1] :]], axis=-1) if missing else u


def svdvals(xp: Namespace, x: Any, /) -> Any:
    """The singular values, in descending order."""
    return svd(xp, x, full_matrices=False).S


def slogdet(xp: Namespace, x: Any, /) -> SlogdetResult:
    """Signs of determinants, and the sums of the logarithms of the pivots of LU factors: no overflow."""
    y = _squares(xp, "slogdet", x)
    if not y.shape[-1]:
        return SlogdetResult(xp.ones(y.shape[:-2], dtype=y.dtype), xp.zeros(y.shape[:-2], dtype=y.dtype))
    sign, pivots = _each(lambda a: _sign_and_pivots(linalg.lu(a, accumulator=xp.accumulator)), y)
    return SlogdetResult(sign * xp.prod(xp.sign(pivots), axis=-1), xp.sum(xp.log(abs(pivots)), axis=-1))


def _sign_and_pivots(factors: linalg.LU) -> tuple[Any, Any]:
    """The sign of the order of the rows, and the diagonal of the upper factor."""
    order, pivots = factors.permutation, factors.upper.diagonal()
    exchanges = np.count_nonzero(np.triu(order[:, None] > order, 1))
    return pivots[:1].constant(-1.0 if exchanges % 2 else 1.0), pivots


def matrix_rank(xp: Namespace, x: Any, /, *, rtol: Any = None) -> Any:
    """How many singular values are more than rtol times the largest one."""
    s = svdvals(xp, x)
    return xp.count_nonzero(s > _limit(xp, x, s, rtol), axis=-1)


def _limit(xp: Namespace, x: Any, s: Any, rtol: Any) -> Any:
    """The singular values that count as zero are up to this one."""
    if rtol is None:
        rtol = max(x.shape[-2:]) * float(s.fmt.machine_epsilon)
    relative = xp.asarray(rtol, dtype=s.dtype)
    return xp.max(s, axis=-1, keepdims=True) * (relative[..., None] if relative.ndim else relative)


def pinv(xp: Namespace, x: Any, /, *, rtol: Any = None) -> Any:
    """The pseudo-inverses, by singular values."""
    u, s, vh = svd(xp, x, full_matrices=False)
    large = s > _limit(xp, x, s, rtol)
    inverse = xp.where(large, 1 / xp.where(large, s, 1), 0)
    return matmul(xp, xp.matrix_transpose(vh) * inverse[..., None, :], xp.matrix_transpose(u))


def matrix_norm(xp: Namespace, x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norms of matrices: sums by the accumulator of the namespace, or singular values."""
    y = _matrices(xp, "matrix_norm", x)
    if ord == "fro":
        return xp.linalg.vector_norm(y, axis=(-2, -1), keepdims=keepdims)
    if ord not in NORMS:
        raise ValueError(f"ord={quoted(ord)} is not an order of a matrix norm; use one of {', '.join(map(str, NORMS))}")
    norms = NORMS[ord](xp, y)
    return norms[..., None, None] if keepdims else norms


NORMS: dict[Any, Callable[[Namespace, Any], Any]] = {
    "fro": lambda xp, x: matrix_norm(xp, x),
    "nuc": lambda xp, x: xp.sum(svdvals(xp, x), axis=-1),
    1: lambda xp, x: xp.max(xp.sum(abs(x), axis=-2), axis=-1),
    -1: lambda xp, x: xp.min(xp.sum(abs(x), axis=-2), axis=-1),
    2: lambda xp, x: xp.max(svdvals(xp, x), axis=-1),
    -2: lambda xp, x: xp.min(svdvals(xp, x), axis=-1),
    math.inf: lambda xp, x: xp.max(xp.sum(abs(x), axis=-1), axis=-1),
    -math.inf: lambda xp, x: xp.min(xp.sum(abs(x), axis=-1), axis=-1),
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(cholesky, det, eig, eigvals, eigh, eigvalsh, inv, solve, qr, svd, svdvals, slogdet),
        *(matrix_rank, pinv, matrix_norm),
    )
}
