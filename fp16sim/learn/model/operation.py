"""What an operation is: a forward function and its vector-Jacobian products; and what several tables of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from ...arrays import FloatArray
from ...elementary.evaluation import evaluate
from .windows import like

Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all."""


class Operation(NamedTuple):
    """A differentiable operation: y = forward(*args), and a vjp for each argument. All take settings by keyword."""

    forward: Callable[..., FloatArray]
    vjps: tuple[Callable[..., FloatArray], ...]
    any_number: bool = False
    """Whether it takes any number of arguments; then the one vjp is also given the number of its argument, first."""

    def vjp(self, k: int) -> Callable[..., FloatArray]:
        """The vjp of argument k."""
        return partial(self.vjps[0], k) if self.any_number else self.vjps[k]


def spread(g: FloatArray, x: FloatArray, axis: Axes = None, keepdims: bool = False) -> FloatArray:
    """A number for each sum over axes of x, repeated for each of its terms: exact."""
    values = g.values
    if axis is not None and not keepdims:
        values = np.expand_dims(values, axis if isinstance(axis, int) else tuple(axis))
    return like(np.broadcast_to(values, x.shape), g)


def elementary(name: str, *operands: FloatArray) -> FloatArray:
    """An elementary function of arrays of one format; see `fp16sim.elementary` for the accuracy.

    >>> import fp16sim as fs
    >>> elementary("erf", fs.array([0.5, 3.0], "binary16"))
    FloatArray([0.5205, 1], binary16)
    """
    x = operands[0]
    y = evaluate(name, [operand.values for operand in operands], x.fmt, x.mode, x.rng, x.values.dtype)
    return like(np.asarray(y), x)
