"""Embeddings: a row of numbers for each index, and for each position; the mean over positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...conversion import Array
from ..precision import DEFAULT_PRODUCTS, Products
from .initialisers import Initialiser
from .layers import Draws, Layer, Shapes, check_sizes
from .tensor import Tensor

DEVIATION = 0.02
"""The standard deviation of embeddings as they are drawn (Radford et al. 2019)."""


@dataclass(frozen=True)
class Embedding(Layer):
    """A row for each index: integers of shape (...) to (..., width). Taking rows is exact.

    The gradient of a row is the rounded sum of those of all its places: a frequent index has a long sum.

    Examples
    --------
    >>> import fp16sim as fs
    >>> weight = Tensor(fs.array([[0.5, 1.0], [2.0, 3.0]], "bfloat16"))
    >>> Embedding(2, 2)({"weight": weight}, np.array([1, 0, 1])).value
    FloatArray([[  2,   3],
                [0.5,   1],
                [  2,   3]], bfloat16)
    """

    rows: int
    width: int

    takes_indices = True

    def __post_init__(self) -> None:
        check_sizes(self, "rows", "width")

    def shapes(self) -> Shapes:
        """Of the rows."""
        return {"weight": (self.rows, self.width)}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Normal with a standard deviation of 0.02."""
        return {"weight": _drawn(self.shapes()["weight"], generator, init)}

    def __call__(self, params: Mapping[str, Tensor], x: Any, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The rows."""
        if isinstance(x, Tensor):
            raise TypeError(
                f"x of shape={x.shape} for an Embedding has real numbers; give integers, which only the first layer of "
                "a model is given as they are"
            )
        return params["weight"].take(x, accumulator=how.accumulator)


@dataclass(frozen=True)
class LearnedPositions(Layer):
    """A learned row added to each position: (..., time, width) to the same shape, for at most `length` positions."""

    length: int
    width: int

    def __post_init__(self) -> None:
        check_sizes(self, "length", "width")

    def shapes(self) -> Shapes:
        """Of the rows."""
        return {"weight": (self.length, self.width)}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Normal with a standard deviation of 0.02."""
        return {"weight": _drawn(self.shapes()["weight"], generator, init)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """x with the first rows added."""
        if x.ndim < 2 or x.shape[-2] > self.length or x.shape[-1] != self.width:
            raise ValueError(
                f"x.shape={x.shape} must end with at most {self.length} positions and width={self.width} for this layer"
            )
        time = x.shape[-2]
        return x.add(params["weight"] if time == self.length else params["weight"][:time], how.accumulator)


def _drawn(shape: tuple[int, ...], generator: np.random.Generator, init: Initialiser | None) -> Array:
    return DEVIATION * generator.standard_normal(shape) if init is None else init(shape, generator)


@dataclass(frozen=True)
class MeanPool(Layer):
    """The mean over all positions: (batch, time, width) to (batch, width)."""

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The sum over the positions, divided by their number: two roundings after the sum's own."""
        return x.sum(how.accumulator, axis=-2) / x.shape[-2]
