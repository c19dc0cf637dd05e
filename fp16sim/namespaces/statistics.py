"""Sums, products, means, extremes along axes: every step rounded, sums in the order of the namespace's accumulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import Namespace, PlainArray, RealArray
from .operands import operand, operands


def _with_dtype(xp: Namespace, name: str, x: Any, dtype: Any) -> Any:
    """An argument that is converted before its elements are added or multiplied."""
    y = operand(xp, name, x, "numeric")
    return y if dtype is None else xp.astype(y, xp.checked(dtype), copy=False)


def sum(xp: Namespace, x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes, by the accumulator of the namespace; integers are added in 64 bits."""
    y = _with_dtype(xp, "sum", x, dtype)
    if isinstance(y, RealArray):
        return y.sum(axis, keepdims)
    return xp.wrap(np.sum(y.values, axis=axis, dtype=dtype, keepdims=keepdims))


def prod(xp: Namespace, x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product over axes, one factor after the other; integers are multiplied in 64 bits."""
    y = _with_dtype(xp, "prod", x, dtype)
    if isinstance(y, RealArray):
        return y.prod(axis, keepdims)
    return xp.wrap(np.prod(y.values, axis=axis, dtype=dtype, keepdims=keepdims))


def mean(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes divided by the number of elements."""
    return operand(xp, "mean", x, "floating").mean(axis, keepdims)


def var(xp: Namespace, x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The variance, in two passes; the sum of squares is divided by n - correction."""
    return operand(xp, "var", x, "floating").var(axis, correction, keepdims)


def std(xp: Namespace, x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The root of the variance."""
    return operand(xp, "std", x, "floating").std(axis, correction, keepdims)


def max(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest elements; NaN if one is NaN."""
    y = operand(xp, "max", x, "numeric")
    return y._like(np.asarray(np.max(y.values, axis=axis, keepdims=keepdims)))


def min(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest elements; NaN if one is NaN."""
    y = operand(xp, "min", x, "numeric")
    return y._like(np.asarray(np.min(y.values, axis=axis, keepdims=keepdims)))


def cumulative_sum(
    xp: Namespace, x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The partial sums along an axis, each by the accumulator of the namespace."""
    y = _with_dtype(xp, "cumulative_sum", x, dtype)
    place = _one_axis("cumulative_sum", y, axis)
    if isinstance(y, RealArray):
        sums: Any = y.cumsum(place)
    else:
        sums = xp.wrap(np.cumsum(y.values, place, dtype))
    return _with_initial(xp, sums, place, 0) if include_initial else sums


def cumulative_prod(
    xp: Namespace, x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The partial products along an axis."""
    y = _with_dtype(xp, "cumulative_prod", x, dtype)
    place = _one_axis("cumulative_prod", y, axis)
    products: Any = y.cumprod(place) if isinstance(y, RealArray) else xp.wrap(np.cumprod(y.values, place, dtype))
    return _with_initial(xp, products, place, 1) if include_initial else products


def _one_axis(name: str, x: Any, axis: int | None) -> int:
    if axis is None and x.ndim != 1:
        raise ValueError(f"{name}: x.shape={x.shape} has {x.ndim} axes; name one by axis=")
    return 0 if axis is None else axis


def _with_initial(xp: Namespace, y: Any, axis: int, initial: int) -> Any:
    shape = list(y.shape)
    shape[axis] = 1
    return xp.concat([xp.full(tuple(shape), initial, dtype=y.dtype), y], axis=axis)


def all(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all elements along axes are true, or not zero."""
    return xp.wrap(np.all(operand(xp, "all", x).values, axis=axis, keepdims=keepdims))


def any(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any element along axes is true, or not zero."""
    return xp.wrap(np.any(operand(xp, "any", x).values, axis=axis, keepdims=keepdims))


def diff(xp: Namespace, x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """n times: each element minus the one before it, rounded."""
    given = operands(xp, "diff", x, prepend, append, category="numeric")
    y = given[0]
    parts = [part for part in (given[1], y, given[2]) if part is not None]
    y = xp.concat(parts, axis=axis) if len(parts) > 1 else y
    if isinstance(y, PlainArray):
        return xp.wrap(np.diff(y.values, n, axis))
    return xp.wrap(np.diff(y, n, axis))  # FloatArray's own, which rounds


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (*(sum, prod, mean, var, std, max, min, cumulative_sum, cumulative_prod, all, any, diff),)
}
