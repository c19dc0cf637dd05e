"""var, std, average, trace of values of a format: every step rounded, as a program of that format computes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike
from ..accumulators.base import Steps
from ..conversion import Array
from .ufuncs import Axes, kept_shape, reduce


def variance(
    steps: Steps,
    x: Array,
    axis: Axes = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
    accumulator: AccumulatorLike | None = None,
) -> Array:
    """The mean of the squared distances from the mean, in two passes; `correction` is another name of `ddof`."""
    centre = reduce(steps, "mean", x, axis, True, accumulator)
    distance = steps.subtract(x, centre)
    total = reduce(steps, "sum", steps.multiply(distance, distance), axis, keepdims, accumulator)
    kept = kept_shape(x, axis)
    count = math.prod(n for n, one in zip(x.shape, kept, strict=True) if one == 1)
    freedom = max(count - (ddof if correction is None else correction), 0)
    return steps.operate("divide", total, steps.round(freedom))


def deviation(
    steps: Steps,
    x: Array,
    axis: Axes = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Array:
    """The root of the variance."""
    return steps.operate("sqrt", variance(steps, x, axis, ddof=ddof, keepdims=keepdims, correction=correction))


def average(
    steps: Steps,
    x: Array,
    axis: Axes = None,
    weights: Array | None = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The sum of the elements times their weights, divided by the sum of the weights; without weights, the mean."""
    if weights is None:
        y = reduce(steps, "mean", x, axis, keepdims)
        total = steps.round(x.size / max(y.size, 1))
    else:
        spread = _spread(x, axis, weights)
        total = reduce(steps, "sum", spread, axis, keepdims)
        y = steps.operate("divide", reduce(steps, "sum", steps.multiply(x, spread), axis, keepdims), total)
    return (y, np.broadcast_to(total, y.shape)) if returned else y


def _spread(x: Array, axis: Axes, weights: Array) -> Array:
    """Weights for each element from those for each place along one axis."""
    if weights.shape == x.shape:
        return weights
    if not isinstance(axis, (int, np.integer)) or weights.shape != (x.shape[axis],):
        raise ValueError(
            f"weights.shape={weights.shape} is neither that of the array, {x.shape}, nor the length of one axis; "
            "give the axis, and one weight for each place along it"
        )
    return np.broadcast_to(np.moveaxis(weights.reshape(-1, *[1] * (x.ndim - 1)), 0, axis), x.shape)


def trace(
    steps: Steps,
    x: Array,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    accumulator: AccumulatorLike | None = None,
) -> Array:
    """The sum along a diagonal."""
    return reduce(steps, "sum", np.diagonal(x, offset, axis1, axis2), -1, False, accumulator)
