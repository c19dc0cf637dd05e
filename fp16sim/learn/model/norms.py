"""Normalisation of rows: LayerNorm and RMSNorm, every operation rounded.

Both square numbers, and in binary16 the square of 256 is infinite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..precision import DEFAULT_PRODUCTS, Products
from .initialisers import Initialiser
from .layers import Draws, Layer, Shapes, check_sizes
from .tensor import Tensor


@dataclass(frozen=True)
class LayerNorm(Layer):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift along the last axis (Ba et al. 2016), in two passes.

    epsilon is rounded to the format, as every constant is: in binary16, 1e-5 is subnormal and 1e-8 becomes 0.
    """

    size: int
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_sizes(self, "size")

    def shapes(self) -> Shapes:
        """Of scale and shift."""
        return {"scale": (self.size,), "shift": (self.size,)}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Scale 1, shift 0."""
        return {"scale": np.ones(self.size), "shift": np.zeros(self.size)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The normalised rows, scaled and shifted."""
        centred = x - _mean(x, how)
        normal = centred / (_mean(centred * centred, how) + self.epsilon).sqrt()
        return normal.multiply(params["scale"], how.accumulator).add(params["shift"], how.accumulator)


@dataclass(frozen=True)
class RMSNorm(Layer):
    """x / sqrt(mean of x^2 + epsilon) * scale along the last axis (Zhang and Sennrich 2019).

    The quotient is x times rsqrt(...), as most implementations compute it. epsilon is rounded to the format.

    Examples
    --------
    >>> import fp16sim as fs
    >>> one = {"scale": Tensor(fs.array([1.0, 1.0], "binary16"))}
    >>> RMSNorm(2)(one, Tensor(fs.array([3.0, 4.0], "binary16"))).value
    FloatArray([0.8486, 1.132], binary16)
    >>> with np.errstate(over="ignore"):  # 300^2 is infinite in binary16
    ...     RMSNorm(2)(one, Tensor(fs.array([300.0, 400.0], "binary16"))).value
    FloatArray([0, 0], binary16)
    """

    size: int
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_sizes(self, "size")

    def shapes(self) -> Shapes:
        """Of the scale."""
        return {"scale": (self.size,)}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Scale 1."""
        return {"scale": np.ones(self.size)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The normalised rows, scaled."""
        normal = x * (_mean(x * x, how) + self.epsilon).rsqrt()
        return normal.multiply(params["scale"], how.accumulator)


def _mean(x: Tensor, how: Products) -> Tensor:
    """The sum of each row divided by its length, as a column."""
    return (x.sum_rows(how.accumulator) / x.shape[-1]).reshape(*x.shape[:-1], 1)


NORMS = {"rmsnorm": RMSNorm, "layernorm": LayerNorm}
"""By the name that the language model's option has."""
