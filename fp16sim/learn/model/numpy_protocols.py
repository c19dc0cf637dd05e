"""NumPy's functions for tensors: those that have a gradient here, and those that ask for a shape. Others are refused.

The tables know no graph: an implementation is written with the operators and methods of its arguments.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .einsums import einsum

Function = Callable[..., Any]


def unsupported(name: str, detail: str = "") -> TypeError:
    """The error for a function that is not supported: it names the function and the way out."""
    return TypeError(
        f"{name}{detail} is not supported for Tensor, because no gradient is known for it; write it with the operators "
        "and methods of Tensor, or give it t.value, a FloatArray, if you need no gradient"
    )


def leaves_the_graph(call: str) -> TypeError:
    """The error for a conversion to plain numbers."""
    return TypeError(
        f"{call.format('t')} would take the numbers of a Tensor out of the graph, and their gradient would be lost; "
        f"use {call.format('t.value')} if you need no gradient"
    )


UFUNCS: dict[str, Function] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "matmul": operator.matmul,
    "negative": operator.neg,
    "absolute": abs,
    "square": operator.methodcaller("square"),
    "power": operator.pow,
    "reciprocal": lambda x: 1 / x,
    "maximum": lambda a, b: a.maximum(b),
    "minimum": lambda a, b: a.minimum(b),
    **{name: operator.methodcaller(name) for name in ("exp", "log", "sqrt", "tanh", "sin", "cos")},
}


def _dot(a: Any, b: Any) -> Any:
    dimensions = {a.value.ndim, b.value.ndim}
    if 0 in dimensions:
        return a * b
    return (a * b).sum() if dimensions == {1} and a.value.shape == b.value.shape else a @ b


def _reshape(a: Any, shape: int | tuple[int, ...]) -> Any:
    return a.reshape(*(shape if isinstance(shape, tuple) else (shape,)))


def _reduction(name: str) -> Function:
    return lambda a, axis=None, keepdims=False: getattr(a, name)(axis=axis, keepdims=keepdims)


def _variance(name: str) -> Function:
    return lambda a, axis=None, *, ddof=0, keepdims=False: getattr(a, name)(axis, ddof, keepdims)


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        raise unsupported("numpy.concatenate", " with axis=None")
    return arrays[0].concatenate(*arrays[1:], axis=axis)


FUNCTIONS: dict[Function, Function] = {
    np.sum: _reduction("sum"),
    np.mean: _reduction("mean"),
    np.max: _reduction("max"),
    np.min: _reduction("min"),
    np.amax: _reduction("max"),
    np.amin: _reduction("min"),
    np.var: _variance("var"),
    np.std: _variance("std"),
    np.clip: lambda a, a_min=None, a_max=None, *, min=None, max=None: a.clip(
        a_min if min is None else min, a_max if max is None else max
    ),
    np.dot: _dot,
    np.where: lambda condition, x, y: x.where(condition, y),
    np.reshape: _reshape,
    np.ravel: lambda a: a.reshape(-1),
    np.transpose: lambda a, axes=None: a.transpose(*(axes or ())),
    np.swapaxes: lambda a, axis1, axis2: a.swapaxes(axis1, axis2),
    np.moveaxis: lambda a, source, destination: a.moveaxis(source, destination),
    np.broadcast_to: lambda a, shape: a.broadcast_to(*(shape if isinstance(shape, tuple) else (shape,))),
    np.concatenate: _concatenate,
    np.stack: lambda arrays, axis=0: arrays[0].stack(*arrays[1:], axis=axis),
    np.einsum: lambda text, *operands: einsum(text, *operands),
    np.split: lambda a, parts, axis=0: a.split(parts, axis),
    np.take: lambda a, indices, axis=None: (a.reshape(-1) if axis is None else a).take(indices, axis or 0),
    np.shape: lambda a: a.value.shape,
    np.ndim: lambda a: a.value.ndim,
    np.size: lambda a: a.value.size,
}

OPERANDS = frozenset("abxy")
"""The names of the parameters that are tensors, or numbers and arrays beside one."""

SEQUENCES = frozenset(("arrays", "operands"))
"""The names of the parameters that are several of them."""


def find_ufunc(ufunc: np.ufunc, method: str, keywords: dict[str, Any]) -> Function:
    """The implementation of a ufunc; TypeError if it is not supported."""
    name = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if method != "__call__" or ufunc.__name__ not in UFUNCS:
        raise unsupported(name)
    for keyword in keywords:
        raise unsupported(name, f" with {keyword}=")
    return UFUNCS[ufunc.__name__]


def find_function(function: Function, args: Any, keywords: dict[str, Any]) -> tuple[Function, inspect.BoundArguments]:
    """The implementation of a function, and its arguments by name; TypeError if it does not take them."""
    name = f"{function.__module__}.{function.__name__}"
    if function not in FUNCTIONS:
        raise unsupported(name)
    try:
        bound = inspect.signature(FUNCTIONS[function]).bind(*args, **keywords)
    except TypeError as error:
        raise unsupported(name, f", called like this ({error}),") from None
    return FUNCTIONS[function], bound
