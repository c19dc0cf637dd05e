"""The calculus: each operation, and for each of its arguments the vector-Jacobian product.

Everything here is written with the operators of FloatArray, each of which rounds once. So the backward pass is rounded
like the forward pass, and no line of code is needed for that. In an entry, `forward(*args)` gives y. The k-th vjp takes
the cotangent g of y, y itself and the arguments, and gives the cotangent of argument k. If an argument was broadcast,
the caller sums its cotangent back to its shape (`unbroadcast`). Nothing here knows the graph.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ...accumulators import Accumulator
from ...arrays import FloatArray, array
from ...conversion import Array, Generator
from ...wording import quoted
from ..precision import Precision
from ..scaled_products import ScaledProduct
from . import windows
from .elementwise import ELEMENTWISE
from .moves import MOVES
from .operation import Axes, Operation, spread
from .windows import like

# --- activations ----------------------------------------------------------------------------------------------------


def _relu(x: FloatArray) -> FloatArray:
    zero = x.values.dtype.type(0)
    y = np.asarray(np.maximum(x.values, zero))
    return like(np.add(y, zero, out=y), x)  # -0 + 0 is +0


def _by_sign(g: FloatArray, x: FloatArray) -> FloatArray:
    return like(g.values * np.sign(x.values), g)


def _column(x: FloatArray) -> FloatArray:
    return x.reshape(*x.shape, 1)


def _shifted(x: FloatArray) -> FloatArray:
    """x minus the largest number of its row: no number is above 0, so no e^x overflows."""
    return x - x.max(axis=-1, keepdims=True)


def _log_softmax(x: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
    """log(e^x / sum e^x) along the last axis, stable in any format."""
    shifted = _shifted(x)
    return shifted - _column(shifted.exp().sum(axis=-1, accumulator=accumulator).log())


def _log_softmax_vjp(g: FloatArray, y: FloatArray, x: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
    return g - y.exp() * _column(g.sum(axis=-1, accumulator=accumulator))


def _softmax(x: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
    """e^x / sum e^x along the last axis, stable in any format."""
    e = _shifted(x).exp()
    return e / _column(e.sum(axis=-1, accumulator=accumulator))


def _softmax_vjp(g: FloatArray, y: FloatArray, x: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
    return y * (g - _column((g * y).sum(axis=-1, accumulator=accumulator)))


# --- between formats ------------------------------------------------------------------------------------------------


def _cast(x: FloatArray, to: Precision, rng: Generator = None) -> FloatArray:
    return to.array(x, rng)


def _cast_back(g: FloatArray, y: FloatArray, x: FloatArray, **how: Any) -> FloatArray:
    return Precision(x.fmt, x.mode).array(g, x.rng)


def narrowed(x: FloatArray, to: Precision | None = None, rng: Generator = None) -> FloatArray:
    """x rounded to a narrower format, but still in its own; numbers beyond the largest become the largest."""
    if to is None:
        return x
    largest = float(to.fmt.max_finite)
    values = to.array(np.clip(x.values, -largest, largest), rng).values
    return like(values.astype(x.values.dtype, copy=False), x)


# --- moving numbers -------------------------------------------------------------------------------------------------


def _choose(a: Any, b: Any, condition: Array) -> Any:
    """The elements of a where the condition is true, those of b elsewhere; one of them may be a Python number."""
    return np.where(condition, a, b)


Index: TypeAlias = int | slice | EllipsisType | tuple[int | slice | EllipsisType | None, ...] | None


def _select(x: FloatArray, index: Index) -> FloatArray:
    parts = index if isinstance(index, tuple) else (index,)
    if not all(part is None or part is Ellipsis or isinstance(part, (slice, int, np.integer)) for part in parts):
        raise TypeError(f"index={quoted(index)} is not made of integers, slices, ... and None; use those, or pick")
    return like(np.array(x.values[index]), x)


def _select_vjp(g: FloatArray, y: FloatArray, x: FloatArray, index: Index) -> FloatArray:
    values = np.zeros(x.shape, g.values.dtype)
    values[index] = g.values
    return like(values, g)


def _pick(x: FloatArray, columns: Array) -> FloatArray:
    return like(x.values[np.arange(len(x)), columns], x)


def _pick_vjp(g: FloatArray, y: FloatArray, x: FloatArray, columns: Array) -> FloatArray:
    values = np.zeros(x.shape, g.values.dtype)
    values[np.arange(len(x)), columns] = g.values
    return like(values, g)


def _matmul(a: FloatArray, b: FloatArray, factors: ScaledProduct | None = None, **how: Any) -> FloatArray:
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape} are not both matrices, or stacks of matrices; reshape"
        )
    return factors.forward(a, b, **how) if factors else a.matmul(b, **how)


def _matmul_left(
    g: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray, factors: ScaledProduct | None = None, **how: Any
) -> FloatArray:
    return factors.left_gradient(g, b, **how) if factors else g.matmul(_turned(b), **how)


def _matmul_right(
    g: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray, factors: ScaledProduct | None = None, **how: Any
) -> FloatArray:
    return factors.right_gradient(g, a, **how) if factors else _turned(a).matmul(g, **how)


def _turned(x: FloatArray) -> FloatArray:
    """Each matrix of a stack transposed."""
    return x.T if x.ndim == 2 else x.swapaxes(-1, -2)


# --- sums and means -------------------------------------------------------------------------------------------------


def _sum_vjp(g: FloatArray, y: FloatArray, x: FloatArray, axis: Axes = None, keepdims: bool = False, **how: Any) -> Any:
    return spread(g, x, axis, keepdims)


def _mean_vjp(
    g: FloatArray, y: FloatArray, x: FloatArray, axis: Axes = None, keepdims: bool = False, **how: Any
) -> FloatArray:
    return spread(g / (x.size // y.size if y.size else 0), x, axis, keepdims)


# --- Python numbers in binary64 -------------------------------------------------------------------------------------

WITH_NUMBER: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": np.power,
}
"""Operations whose other operand may be a Python number that is not rounded to the format first."""


def _once(x: FloatArray, function: Callable[[Array], Array]) -> FloatArray:
    """A function of the numbers in binary64, rounded once to the format."""
    return array(function(x.values.astype(np.float64)), x.fmt, x.mode, rng=x.rng)


def _with_number(x: FloatArray, name: str, number: float, swapped: bool) -> FloatArray:
    """x and a Python number, computed in binary64 and rounded once."""
    compute = WITH_NUMBER[name]
    return _once(x, lambda values: compute(number, values) if swapped else compute(values, number))


def _with_number_vjp(
    g: FloatArray, y: FloatArray, x: FloatArray, name: str, number: float, swapped: bool
) -> FloatArray:
    if name in ("add", "subtract"):
        return -g if swapped and name == "subtract" else g
    if name == "power":
        slope = _once(x, lambda values: number * values ** (number - 1))
        return g * (y * math.log(number) if swapped else slope)
    if swapped and name == "divide":
        return -(g * y) / x
    return _with_number(g, name, number, False)


OPERATIONS: dict[str, Operation] = {
    "add": Operation(lambda a, b, **how: a + b, (lambda g, y, a, b, **how: g, lambda g, y, a, b, **how: g)),
    "subtract": Operation(lambda a, b: a - b, (lambda g, y, a, b: g, lambda g, y, a, b: -g)),
    "multiply": Operation(
        lambda a, b, **how: a * b, (lambda g, y, a, b, **how: g * b, lambda g, y, a, b, **how: g * a)
    ),
    "divide": Operation(lambda a, b: a / b, (lambda g, y, a, b: g / b, lambda g, y, a, b: -(g * y) / b)),
    "with_number": Operation(_with_number, (_with_number_vjp,)),
    "negate": Operation(lambda a: -a, (lambda g, y, a: -g,)),
    "matmul": Operation(_matmul, (_matmul_left, _matmul_right)),
    "exp": Operation(lambda x: x.exp(), (lambda g, y, x: g * y,)),
    "log": Operation(lambda x: x.log(), (lambda g, y, x: g / x,)),
    "sqrt": Operation(lambda x: x.sqrt(), (lambda g, y, x: g / (y + y),)),
    "tanh": Operation(lambda x: x.tanh(), (lambda g, y, x: g * (1 - y * y),)),
    "sigmoid": Operation(lambda x: x.sigmoid(), (lambda g, y, x: g * (y * (1 - y)),)),
    "relu": Operation(_relu, (lambda g, y, x: like(windows.kept(g.values, x.values > 0), g),)),
    "absolute": Operation(abs, (lambda g, y, x: _by_sign(g, x),)),
    "sum": Operation(lambda x, **how: x.sum(**how), (_sum_vjp,)),
    "sum_rows": Operation(lambda x, **how: x.sum(axis=-1, **how), (lambda g, y, x, **how: spread(g, x, -1),)),
    "mean": Operation(lambda x, **how: x.mean(**how), (_mean_vjp,)),
    "log_softmax": Operation(_log_softmax, (_log_softmax_vjp,)),
    "softmax": Operation(_softmax, (_softmax_vjp,)),
    "cast": Operation(_cast, (_cast_back,)),
    "narrow": Operation(narrowed, (lambda g, y, x, **how: g,)),
    "narrow_back": Operation(lambda x, **how: x, (lambda g, y, x, **how: narrowed(g, **how),)),
    "where": Operation(
        _choose,
        (
            lambda g, y, a, b, condition: _choose(g, 0.0, condition),
            lambda g, y, a, b, condition: _choose(0.0, g, condition),
        ),
    ),
    "reshape": Operation(lambda x, shape: x.reshape(shape), (lambda g, y, x, shape: g.reshape(x.shape),)),
    "select": Operation(_select, (_select_vjp,)),
    "pick": Operation(_pick, (_pick_vjp,)),
    "patches": Operation(
        lambda x, accumulator=None, **how: windows.patches(x, **how),
        (windows.patches_vjp,),
    ),
    "max_pool": Operation(windows.max_pool, (windows.max_pool_vjp,)),
    **ELEMENTWISE,
    **MOVES,
}


def unbroadcast(g: FloatArray, shape: tuple[int, ...], accumulator: Accumulator | None = None) -> FloatArray:
    """The cotangent of an argument that was broadcast: the rounded sum over the axes along which it was repeated."""
    while g.ndim > len(shape):
        g = g.sum(axis=0, accumulator=accumulator)
    for axis, size in enumerate(shape):
        if size == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, accumulator=accumulator).reshape((*g.shape[:axis], 1, *g.shape[axis + 1 :]))
    return g


def zeros_like(x: FloatArray) -> FloatArray:
    """+0 in every element, in the shape, format and mode of x."""
    return like(np.zeros(x.shape, x.values.dtype), x)


def constant(x: FloatArray | npt.ArrayLike, y: FloatArray) -> FloatArray:
    """A number or array in the format and mode of y; a FloatArray as it is."""
    if isinstance(x, FloatArray):
        return x
    return y.constant(x) if isinstance(x, (int, float)) else array(x, y.fmt, y.mode, rng=y.rng)
