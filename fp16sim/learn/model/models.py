"""Models: what a run needs of one; chains of named layers. They draw parameters, and compute with given ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ...conversion import Seed
from ...formats import FormatLike, Rounding, get_format, get_rounding
from ...wording import quoted
from ..precision import DEFAULT_PRODUCTS, Precision, Products
from ..records import from_plain
from .initialisers import get_initialiser
from .layers import (
    RNN,
    Activation,
    Conv2d,
    Draws,
    Flatten,
    Images,
    Layer,
    Linear,
    MaxPool2d,
    Params,
    Shapes,
    call_part,
    drawn,
    shapes_of,
)
from .tensor import Tensor


class Network:
    """What a run needs of a model: the shapes of its parameters, their first values, and its output for a batch."""

    @property
    def name(self) -> str:
        """What it is called in messages, reports and files."""
        return type(self).__name__.lower()

    takes_indices = False
    """Whether inputs that are integers are given to it as they are; else they are rounded like all inputs."""

    def __str__(self) -> str:
        return self.name

    def shapes(self) -> Shapes:
        """The shapes of all parameters, known before any is drawn."""
        raise NotImplementedError

    def draw(self, rng: Seed = None, init: str = "") -> Draws:
        """All parameters in float64. `init` names an initialiser for all weights."""
        raise NotImplementedError

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output for a batch; `how` says how products and sums are rounded."""
        raise NotImplementedError

    @classmethod
    def from_plain(cls, given: Any, what: str) -> Network:
        """What a file says of a model that is not built in."""
        stored: _Stored = from_plain(_Stored, given, what)
        return StoredModel(stored.name, stored.shapes)

    def to_plain(self) -> dict[str, Any]:
        """What a file says of it: its name, and the shapes of its parameters."""
        return {"name": self.name, "shapes": {name: list(shape) for name, shape in self.shapes().items()}}


@dataclass(frozen=True)
class _Stored:
    name: str
    shapes: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class StoredModel(Network):
    """A model of one's own as a file knows it: without its code, so it has shapes but cannot compute."""

    label: str
    parameters: Shapes

    @property
    def name(self) -> str:
        """As the file has it."""
        return self.label

    def shapes(self) -> Shapes:
        """As the file has them."""
        return dict(self.parameters)

    def draw(self, rng: Seed = None, init: str = "") -> Draws:
        """Nothing can be drawn."""
        raise self._without_code()

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """Nothing can be computed."""
        raise self._without_code()

    def _without_code(self) -> ValueError:
        return ValueError(
            f"model={quoted(self.name)} is not built in, and its file has its parameters without its code; give it, "
            "as in load_model(path, model=...)"
        )


@dataclass(frozen=True)
class Chain(Network):
    """Layers one after the other, each with a name. A parameter's name is its layer's name, a dot, and its own.

    Examples
    --------
    >>> model = Chain((("hidden", Linear(4, 3)), ("relu", Activation("relu")), ("out", Linear(3, 2))))
    >>> {name: x.shape for name, x in model.init("binary16", rng=0).items()}
    {'hidden.weight': (4, 3), 'hidden.bias': (3,), 'out.weight': (3, 2), 'out.bias': (2,)}
    """

    layers: tuple[tuple[str, Layer], ...] = ()

    __str__ = Network.__str__

    takes_indices = property(lambda self: any(layer.takes_indices for _, layer in self.layers[:1]))

    def __post_init__(self) -> None:
        names = [name for name, _ in self.layers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"layers has two layers with the name {twice!r}; give each its own name")

    def shapes(self) -> Shapes:
        """The shapes of all parameters, known before any is drawn."""
        return shapes_of(self.layers)

    def draw(self, rng: Seed = None, init: str = "") -> Draws:
        """All parameters in float64. `init` names an initialiser for all weights; without it each layer has its own."""
        return drawn(self.layers, np.random.default_rng(rng), get_initialiser(init) if init else None)

    def init(
        self,
        fmt: FormatLike,
        mode: Rounding | str = "ties_to_even",
        *,
        rng: Seed = None,
        init: str = "",
    ) -> Params:
        """All parameters, drawn in float64 and rounded once; see `draw`."""
        generator = np.random.default_rng(rng)
        rounding = generator.spawn(1)[0]
        precision = Precision(get_format(fmt), get_rounding(mode))
        return {name: precision.array(x, rounding) for name, x in self.draw(generator, init).items()}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output of the last layer."""
        for name, layer in self.layers:
            x = call_part(name, layer, params, x, how)
        return x


def MLP(sizes: tuple[int, ...], activation: str = "relu") -> Chain:
    """A multilayer perceptron: linear layers with an activation between each two.

    Parameters
    ----------
    sizes : tuple of int
        Inputs, units of each hidden layer, outputs.
    activation : {"relu", "tanh", "sigmoid"}

    Examples
    --------
    >>> {name: x.shape for name, x in MLP((4, 3, 2)).init("binary16", rng=0).items()}
    {'layer1.weight': (4, 3), 'layer1.bias': (3,), 'layer2.weight': (3, 2), 'layer2.bias': (2,)}
    """
    if len(sizes) < 2 or any(n < 1 for n in sizes):
        raise ValueError(f"sizes={sizes} is not a network; give at least inputs and outputs, each 1 or more")
    layers: list[tuple[str, Layer]] = []
    for k, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        layers += [(f"layer{k}", Linear(inputs, outputs)), (f"{activation}{k}", Activation(activation))]
    return Chain(tuple(layers[:-1]))


def CNN(shape: tuple[int, int] = (28, 28), classes: int = 10) -> Chain:
    """Three convolutions of 3 x 3 with 32, 64 and 64 channels, two poolings, 64 hidden units: the article's network.

    >>> sum(x.size for x in CNN().init("binary16", rng=0).values())
    93322
    """
    if min(shape) < 18:
        raise ValueError(f"shape={shape} is too small for the CNN; use images of at least 18 x 18 pixels, or MLP")
    rows, columns = (((n - 2) // 2 - 2) // 2 - 2 for n in shape)  # three windows of 3, two poolings
    layers: list[tuple[str, Layer]] = [("images", Images(*shape))]
    for k, (inputs, outputs) in enumerate(((1, 32), (32, 64), (64, 64)), start=1):
        layers += [(f"conv{k}", Conv2d(inputs, outputs)), (f"relu{k}", Activation("relu"))]
        layers += [(f"pool{k}", MaxPool2d(2))] if k < 3 else []
    layers += [("flatten", Flatten()), ("dense1", Linear(rows * columns * 64, 64)), ("relu4", Activation("relu"))]
    return Chain((*layers, ("dense2", Linear(64, classes))))


def SimpleRNN(inputs: int, hidden: int, classes: int, gain: float = 1.0) -> Chain:
    """A recurrent layer, and a linear layer on its last state."""
    return Chain((("rnn", RNN(inputs, hidden, gain)), ("out", Linear(hidden, classes))))
