"""NumPy's functions for tensors: those that have a gradient here, and those that ask for a shape. Others are refused.

The tables know no graph: an implementation is written with the operators and methods of its arguments.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

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
    "square": lambda x: x * x,
    **{name: operator.methodcaller(name) for name in ("exp", "log", "sqrt", "tanh")},
}


def _sum(a: Any, axis: int | None = None, name: str = "sum") -> Any:
    if axis is None:
        return a.sum()
    if not a.value.ndim or axis not in (-1, a.value.ndim - 1):
        raise unsupported(f"numpy.{name}", f" with axis={axis}")
    return a.sum_rows()


def _mean(a: Any, axis: int | None = None) -> Any:
    """As `fp16sim.mean`: the sum, the count and the quotient are rounded."""
    return _sum(a, axis, "mean") / (a.value.size if axis is None else a.value.shape[-1])


def _dot(a: Any, b: Any) -> Any:
    dimensions = {a.value.ndim, b.value.ndim}
    if 0 in dimensions:
        return a * b
    return (a * b).sum() if dimensions == {1} and a.value.shape == b.value.shape else a @ b


def _reshape(a: Any, shape: int | tuple[int, ...]) -> Any:
    return a.reshape(*(shape if isinstance(shape, tuple) else (shape,)))


FUNCTIONS: dict[Function, Function] = {
    np.sum: lambda a, axis=None: _sum(a, axis),
    np.mean: _mean,
    np.dot: _dot,
    np.where: lambda condition, x, y: x.where(condition, y),
    np.reshape: _reshape,
    np.ravel: lambda a: a.reshape(-1),
    np.shape: lambda a: a.value.shape,
    np.ndim: lambda a: a.value.ndim,
    np.size: lambda a: a.value.size,
}

OPERANDS = frozenset("abxy")
"""The names of the parameters that are tensors, or numbers and arrays beside one."""


def find_ufunc(ufunc: np.ufunc, method: str, keywords: dict[str, Any]) -> Function:
    """The implementation of a ufunc; TypeError if it is not supported."""
    name = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if method != "__call__" or ufunc.__name__ not in UFUNCS:
        raise unsupported(name)
    for keyword in keywords:
        raise unsupported(name, f" with {keyword}=")
    return UFUNCS[ufunc.__name__]


def find_function(function: Function, args: Any, keywords: dict[str, Any]) -> tuple[Function, dict[str, Any]]:
    """The implementation of a function, and its arguments by name; TypeError if it does not take them."""
    name = f"{function.__module__}.{function.__name__}"
    if function not in FUNCTIONS:
        raise unsupported(name)
    try:
        bound = inspect.signature(FUNCTIONS[function]).bind(*args, **keywords)
    except TypeError as error:
        raise unsupported(name, f", called like this ({error}),") from None
    return FUNCTIONS[function], bound.arguments
