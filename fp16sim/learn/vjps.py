"""The calculus: each operation, and for each of its arguments the vector-Jacobian product.

Everything here is written with the operators of FloatArray, each of which rounds once. So the backward pass is rounded
as the forward pass is, without one more line. In an entry, `forward(*args)` gives y, and the k-th vjp takes the
cotangent g of y, y itself and the arguments, and gives the cotangent of argument k. Shapes that were broadcast are
summed back by the caller. No graph is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import Accumulator
from ..floatarray import FloatArray, array


class Operation(NamedTuple):
    """A differentiable operation: y = forward(*args), and a vjp for each argument; settings go to both by keyword."""

    forward: Callable[..., FloatArray]
    vjps: tuple[Callable[..., FloatArray], ...]


def _spread(g: FloatArray, like: FloatArray, axis: int | None) -> FloatArray:
    """The cotangent of a sum, at each of its terms: exact."""
    values = g.values if axis is None else np.expand_dims(g.values, axis)
    return FloatArray(np.broadcast_to(values, like.shape), g.fmt, g.mode, g.rng)


def _relu(x: FloatArray) -> FloatArray:
    return FloatArray(np.maximum(x.values, x.values.dtype.type(0)), x.fmt, x.mode, x.rng)


def _where_positive(g: FloatArray, x: FloatArray) -> FloatArray:
    return FloatArray(np.where(x.values > 0, g.values, g.values.dtype.type(0)), g.fmt, g.mode, g.rng)


def _log_softmax(x: FloatArray) -> FloatArray:
    """log(e^x / sum e^x) along the last axis, stable: the largest shifted exponent is 0, so no e^x overflows."""
    shifted = x - x.max(axis=-1, keepdims=True)
    total = shifted.exp().sum(axis=-1)
    return shifted - total.log().reshape(*total.shape, 1)


def _log_softmax_vjp(g: FloatArray, y: FloatArray, x: FloatArray) -> FloatArray:
    total = g.sum(axis=-1)
    return g - y.exp() * total.reshape(*total.shape, 1)


OPERATIONS: dict[str, Operation] = {
    "add": Operation(lambda a, b, **how: a + b, (lambda g, y, a, b, **how: g, lambda g, y, a, b, **how: g)),
    "subtract": Operation(lambda a, b: a - b, (lambda g, y, a, b: g, lambda g, y, a, b: -g)),
    "multiply": Operation(lambda a, b: a * b, (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)),
    "divide": Operation(lambda a, b: a / b, (lambda g, y, a, b: g / b, lambda g, y, a, b: -(g * y) / b)),
    "negate": Operation(lambda a: -a, (lambda g, y, a: -g,)),
    "matmul": Operation(
        lambda a, b, **how: a.matmul(b, **how),
        (lambda g, y, a, b, **how: g.matmul(b.T, **how), lambda g, y, a, b, **how: a.T.matmul(g, **how)),
    ),
    "exp": Operation(lambda x: x.exp(), (lambda g, y, x: g * y,)),
    "log": Operation(lambda x: x.log(), (lambda g, y, x: g / x,)),
    "sqrt": Operation(lambda x: x.sqrt(), (lambda g, y, x: g / (y + y),)),
    "tanh": Operation(lambda x: x.tanh(), (lambda g, y, x: g * (1 - y * y),)),
    "relu": Operation(_relu, (lambda g, y, x: _where_positive(g, x),)),
    "sum": Operation(lambda x: x.sum(), (lambda g, y, x: _spread(g, x, None),)),
    "sum_rows": Operation(lambda x: x.sum(axis=-1), (lambda g, y, x: _spread(g, x, -1),)),
    "log_softmax": Operation(_log_softmax, (_log_softmax_vjp,)),
}


def unbroadcast(g: FloatArray, shape: tuple[int, ...], accumulator: Accumulator | None = None) -> FloatArray:
    """The cotangent of an argument that was broadcast: the rounded sum over the axes that were repeated."""
    while g.ndim > len(shape):
        g = g.sum(axis=0, accumulator=accumulator)
    for axis, size in enumerate(shape):
        if size == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, accumulator=accumulator).reshape((*g.shape[:axis], 1, *g.shape[axis + 1 :]))
    return g


def constant(x: Any, like: FloatArray) -> FloatArray:
    """A number or array in the format and mode of another array."""
    if isinstance(x, FloatArray):
        return x
    return array(x, like.fmt, like.mode, rng=like.rng)
