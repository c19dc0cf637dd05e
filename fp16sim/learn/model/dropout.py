"""Dropout: in training, each number is set to 0 with a probability, and the others are scaled up.

The masks are not drawn from a stream that goes on: each depends on the seeds that a step gives, and on how many masks
the step has drawn before. So a resumed run has the same masks, and other random numbers of the run stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count

import numpy as np

from ...wording import quoted
from ..precision import DEFAULT_PRODUCTS, Products
from .layers import Layer
from .tensor import Tensor

_GENERATORS: ContextVar[Iterator[np.random.Generator] | None] = ContextVar("dropout", default=None)


@contextmanager
def dropout_on(*seeds: int) -> Iterator[None]:
    """Within it, dropout is on: mask k depends on the seeds and on k alone. Elsewhere it is off."""
    before = _GENERATORS.set(np.random.default_rng([*seeds, k]) for k in count())
    try:
        yield
    finally:
        _GENERATORS.reset(before)


def dropout(x: Tensor, rate: float) -> Tensor:
    """x / (1 - rate) with each element set to 0 with the probability `rate` (Srivastava et al. 2014); x if it is off.

    The factor 1 / (1 - rate) is rounded to the format of x, and so is each product.

    >>> import fp16sim as fs
    >>> x = Tensor(fs.array([1.0, 2.0, 3.0, 4.0], "binary16"))
    >>> with dropout_on(0):
    ...     dropout(x, 0.5).value
    FloatArray([2, 0, 0, 0], binary16)
    >>> dropout(x, 0.5) is x
    True
    """
    check_rate(rate)
    generators = _GENERATORS.get()
    if generators is None or not rate:
        return x
    kept = next(generators).random(x.shape) >= rate
    return (x * (1 / (1 - rate))).where(kept, 0.0)


def check_rate(rate: float) -> None:
    """ValueError for a rate that keeps nothing, or that is no probability."""
    if not isinstance(rate, (int, float, np.number)) or not 0 <= rate < 1:
        raise ValueError(f"dropout={quoted(rate)} is no probability below 1; use 0.1, or 0 for none")


@dataclass(frozen=True)
class Dropout(Layer):
    """`dropout` as a layer."""

    rate: float = 0.1

    def __post_init__(self) -> None:
        check_rate(self.rate)

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """x with some elements set to 0 in training."""
        return dropout(x, self.rate)
