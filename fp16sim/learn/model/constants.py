"""Constants of optimizers, and how they meet arrays: in the arrays' format, or in binary64.

"rounded": a constant is first rounded to the arrays' format, so that in binary16 epsilon = 1e-8 *is* 0 and in bfloat16
beta2 = 0.999 *is* 1. "binary64": it stays a Python number, and its sum or product with an array is computed in binary64
and rounded to the format once. Libraries do so if their scalars are wider than their tensors.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ...arrays import FloatArray, array
from .layers import Params

Constant: TypeAlias = FloatArray | float
"""A scalar of the arrays' format and mode, or a Python number."""

CONSTANTS = ("rounded", "binary64")


def constant(value: float, arrays: Params, constants: str) -> Constant:
    """A constant of the optimizer, in the format and mode of the arrays if constants are "rounded"."""
    if constants == "binary64":
        return float(value)
    return next(iter(arrays.values())).constant(float(value))


def times(x: FloatArray, c: Constant) -> FloatArray:
    """x * c, rounded to the format of x."""
    return _combine(operator.mul, x, c)


def over(x: FloatArray, c: Constant) -> FloatArray:
    """x / c, rounded to the format of x."""
    return _combine(operator.truediv, x, c)


def plus(x: FloatArray, c: Constant) -> FloatArray:
    """x + c, rounded to the format of x."""
    return _combine(operator.add, x, c)


def _combine(operation: Callable[[Any, Any], Any], x: FloatArray, c: Constant) -> FloatArray:
    """operation(x, c), rounded to the format of x; with a Python number c it is first computed in binary64."""
    if not isinstance(c, float):
        return operation(x, c)
    return array(operation(x.values.astype(np.float64), c), x.fmt, x.mode, rng=x.rng)
