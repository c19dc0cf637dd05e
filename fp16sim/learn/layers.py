"""Layers: functions of parameters and an input. A model makes its parameters and, given them, computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..accumulators import Accumulator
from ..floatarray import FloatArray, array
from ..formats import FormatLike, Rounding
from .autograd import Tensor

Params: TypeAlias = dict[str, FloatArray]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda x: x.relu(),
    "tanh": lambda x: x.tanh(),
}


def linear(params: Mapping[str, Tensor], name: str, x: Tensor, accumulator: Accumulator | None = None) -> Tensor:
    """x @ weight + bias, every product and every partial sum rounded as the accumulator says."""
    return x.matmul(params[f"{name}.weight"], accumulator).add(params[f"{name}.bias"], accumulator)


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron: linear layers with an activation between them.

    Parameters
    ----------
    sizes : tuple of int
        Inputs, hidden units, outputs.
    activation : {"relu", "tanh"}
    accumulator : Accumulator, optional
        How matrix products are summed; one term after the other, all rounded, by default.

    Examples
    --------
    >>> model = MLP((4, 3, 2))
    >>> params = model.init("binary16", rng=0)
    >>> {name: x.shape for name, x in params.items()}
    {'layer1.weight': (4, 3), 'layer1.bias': (3,), 'layer2.weight': (3, 2), 'layer2.bias': (2,)}
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    accumulator: Accumulator | None = None

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or any(n < 1 for n in self.sizes):
            raise ValueError(f"sizes={self.sizes} is no network; give at least inputs and outputs, each 1 or more")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation={self.activation!r} is unknown; use one of {', '.join(ACTIVATIONS)}")

    def init(
        self, fmt: FormatLike, mode: Rounding | str = "ties_to_even", *, rng: int | np.random.Generator | None = None
    ) -> Params:
        """Weights by He's rule, normal with variance 2 / inputs, drawn in float64 and rounded once; biases zero."""
        generator = np.random.default_rng(rng)
        rounding = generator.spawn(1)[0]
        params: Params = {}
        for k, (inputs, outputs) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            weight = generator.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)
            params[f"layer{k}.weight"] = array(weight, fmt, mode, rng=rounding)
            params[f"layer{k}.bias"] = array(np.zeros(outputs), fmt, mode, rng=rounding)
        return params

    def __call__(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The logits of a batch."""
        depth = len(self.sizes) - 1
        for k in range(1, depth):
            x = ACTIVATIONS[self.activation](linear(params, f"layer{k}", x, self.accumulator))
        return linear(params, f"layer{depth}", x, self.accumulator)
