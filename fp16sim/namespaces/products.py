"""Products of vectors and matrices, and norms of vectors: sums of products by the accumulator of the namespace."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import numpy_functions
from ..wording import quoted
from .arrays import Namespace, PlainArray, RealArray
from .operands import operand, operands
from .places import matrix_transpose


def matmul(xp: Namespace, x1: Any, x2: Any, /) -> Any:
    """The matrix product: every product and every partial sum rounded."""
    a, b = operand(xp, "matmul", x1, "numeric"), operand(xp, "matmul", x2, "numeric")
    a, b = operands(xp, "matmul", a, b, category="numeric")
    if isinstance(a, RealArray):
        return a.matmul(b)
    return xp.wrap(np.matmul(a.values, b.values))


def tensordot(xp: Namespace, x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """The sum of products over some axes of x1 and as many of x2."""
    a, b = operands(xp, "tensordot", x1, x2, category="numeric")
    if isinstance(a, PlainArray):
        return xp.wrap(np.tensordot(a.values, b.values, axes))
    return a._like(numpy_functions.tensordot(xp.steps(a.fmt), a.values, b.values, axes, xp.accumulator))


def vecdot(xp: Namespace, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The dot products of vectors along an axis."""
    a, b = operands(xp, "vecdot", x1, x2, category="numeric")
    ndim = min(a.ndim, b.ndim)
    if not -ndim <= axis < 0:
        raise ValueError(f"vecdot: axis={axis} is not one of the last {ndim} axes; count it from the end, such as -1")
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"vecdot: x1.shape={a.shape} and x2.shape={b.shape} differ along axis={axis}; make it equal")
    left, right = (np.moveaxis(x.values, axis, -1) for x in (a, b))
    left, right = np.broadcast_arrays(left, right)
    y = matmul(xp, a._like(left[..., None, :]), b._like(right[..., :, None]))
    return y[..., 0, 0]


def outer(xp: Namespace, x1: Any, x2: Any, /) -> Any:
    """All products of an element of x1 and one of x2."""
    a, b = operands(xp, "outer", x1, x2, category="numeric")
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"outer: x1.shape={a.shape} and x2.shape={b.shape}; give two vectors")
    return xp.multiply(a[:, None], b[None, :])


def cross(xp: Namespace, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross products of vectors of three elements: two products and a difference each, all rounded."""
    a, b = xp.broadcast_arrays(*operands(xp, "cross", x1, x2, category="numeric"))
    if a.shape[axis] != 3:
        raise ValueError(f"cross: the vectors along axis={axis} have {a.shape[axis]} elements; give vectors of 3")
    left, right = (xp.unstack(x, axis=axis) for x in (a, b))
    turns = ((1, 2), (2, 0), (0, 1))
    return xp.stack([left[i] * right[k] - left[k] * right[i] for i, k in turns], axis=axis)


def diagonal(xp: Namespace, x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals of matrices."""
    y = operand(xp, "diagonal", x)
    return y._like(np.diagonal(y.values, offset, -2, -1).copy())


def trace(xp: Namespace, x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of the diagonals of matrices."""
    y = diagonal(xp, operand(xp, "trace", x, "numeric"), offset=offset)
    return xp.sum(y, axis=-1, dtype=None if dtype is None else xp.checked(dtype))


def matrix_power(xp: Namespace, x: Any, n: int, /) -> Any:
    """Powers of square matrices, by squaring; a negative power is one of the inverse."""
    y = square(operand(xp, "matrix_power", x, "floating"), "matrix_power")
    if n < 0:
        return matrix_power(xp, xp.linalg.inv(y), -n)
    result = None
    while n:
        if n & 1:
            result = y if result is None else matmul(xp, result, y)
        n >>= 1
        y = matmul(xp, y, y) if n else y
    return xp.broadcast_to(xp.eye(y.shape[-1], dtype=y.dtype), y.shape) if result is None else result


def square(x: Any, name: str) -> Any:
    """Matrices that have to be square."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: x.shape={x.shape} has no square matrices; make the last two axes equally long")
    return x


def vector_norm(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norms of vectors: sums by the accumulator of the namespace, without scaling."""
    y = operand(xp, "vector_norm", x, "floating")
    if ord == 2:
        return y.norm(axis, keepdims)
    size = abs(y)
    if math.isinf(ord):
        return (xp.max if ord > 0 else xp.min)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return xp.astype(xp.count_nonzero(y, axis=axis, keepdims=keepdims), y.dtype)
    if ord == 1:
        return xp.sum(size, axis=axis, keepdims=keepdims)
    if isinstance(ord, (int, float)):
        return xp.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)
    raise ValueError(f"ord={quoted(ord)} is not an order of a norm; give a number, inf or -inf")


MAIN: dict[str, Callable[..., Any]] = {f.__name__: f for f in (matmul, tensordot, vecdot, matrix_transpose)}
LINALG: dict[str, Callable[..., Any]] = MAIN | {
    f.__name__: f for f in (outer, cross, diagonal, trace, matrix_power, vector_norm)
}
