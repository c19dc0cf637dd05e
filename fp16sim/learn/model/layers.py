"""Layers: frozen descriptions without state. A layer draws its parameters, and computes with parameters it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array
from ...wording import did_you_mean, quoted
from ..precision import DEFAULT_PRODUCTS, Products
from .in_force import layer_in_force
from .initialisers import Initialiser, he, xavier
from .tensor import Tensor
from .windows import sizes_after

Params: TypeAlias = dict[str, FloatArray]
Draws: TypeAlias = dict[str, Array]
"""Parameters as they were drawn: float64 arrays that are not rounded yet."""
Shapes: TypeAlias = dict[str, tuple[int, ...]]
"""The shape of each parameter."""


class Layer:
    """What all layers can do; this one has no parameters."""

    takes_indices = False
    """Whether it is given integers as they are, as an embedding is."""

    def shapes(self) -> Shapes:
        """The shapes of the parameters, known before any is drawn."""
        return {}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """The parameters, in float64. `init` replaces the layer's own rule for weights."""
        return {}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output for a batch; `params` are the parameters of this layer by the names in `draw`."""
        raise NotImplementedError


def shapes_of(parts: Iterable[tuple[str, Layer]]) -> Shapes:
    """The shapes of all parameters of layers that have names: "layer.parameter"."""
    return {f"{name}.{own}": shape for name, layer in parts for own, shape in layer.shapes().items()}


def drawn(parts: Iterable[tuple[str, Layer]], generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
    """All their parameters, layer by layer from one generator."""
    return {f"{name}.{own}": x for name, layer in parts for own, x in layer.draw(generator, init).items()}


def call_part(name: str, layer: Layer, params: Mapping[str, Tensor], x: Any, how: Products) -> Tensor:
    """The output of a layer that is part of something larger, with its own ones among the parameters of the whole.

    Its operations bear its name, and so do the casts of its parameters, which were made before.
    """
    own = {parameter[len(name) + 1 :]: p for parameter, p in params.items() if parameter.startswith(f"{name}.")}
    with layer_in_force(name, how) as (path, how):
        for p in own.values():
            if p.operation and not p.layer:
                object.__setattr__(p, "layer", path)
        return layer(own, x, how)


class Compound(Layer):
    """A layer that is made of layers with names."""

    def parts(self) -> dict[str, Layer]:
        """The layers, by name."""
        raise NotImplementedError

    def shapes(self) -> Shapes:
        """Those of all parts."""
        return shapes_of(self.parts().items())

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """As the parts draw them."""
        return drawn(self.parts().items(), generator, init)


def check_sizes(layer: Layer, *names: str, least: int = 1) -> None:
    """ValueError for a size that is less than the least."""
    for name in names:
        if (value := getattr(layer, name)) < least:
            raise ValueError(f"{name}={value} of {type(layer).__name__} must be {least} or more")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, how: Products = DEFAULT_PRODUCTS) -> Tensor:
    """x @ weight + bias: `how` says how the products are rounded and summed; adding the bias is one more rounding.

    The axes of x before the last one count rows of one matrix, so that a weight's gradient is one sum over all rows.
    """
    y = (x if x.ndim == 2 else x.reshape(-1, x.shape[-1])).matmul(weight, how)
    y = y if bias is None else y.add(bias, how.accumulator)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[-1])


@dataclass(frozen=True)
class Linear(Layer):
    """A fully connected layer: (..., inputs) to (..., outputs), such as (batch, inputs) to (batch, outputs).

    >>> {name: x.shape for name, x in Linear(4, 3).draw(np.random.default_rng(0)).items()}
    {'weight': (4, 3), 'bias': (3,)}
    """

    inputs: int
    outputs: int
    bias: bool = True
    init: Initialiser = he

    def __post_init__(self) -> None:
        check_sizes(self, "inputs", "outputs")

    def shapes(self) -> Shapes:
        """Of the weights and the biases."""
        return {"weight": (self.inputs, self.outputs), **({"bias": (self.outputs,)} if self.bias else {})}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Weights by He's rule, or by the rule that the layer was given; biases 0."""
        weight = (init or self.init)((self.inputs, self.outputs), generator)
        return {"weight": weight, **({"bias": np.zeros(self.outputs)} if self.bias else {})}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """x @ weight + bias."""
        if x.ndim < 2 or x.shape[-1] != self.inputs:
            raise ValueError(f"x.shape={x.value.shape} must be (batch, {self.inputs}) for this layer")
        return linear(x, params["weight"], params.get("bias"), how)


@dataclass(frozen=True)
class Conv2d(Layer):
    """A convolution over images: (batch, rows, columns, inputs) to (batch, rows', columns', outputs).

    The weights have the shape (kernel, kernel, inputs, outputs). Each window of the images becomes the row of a matrix,
    which is multiplied by the weights: the sum runs over the rows of the window, its columns and the channels, with the
    channels innermost.
    """

    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, "inputs", "outputs", "kernel", "stride")
        check_sizes(self, "padding", least=0)

    def shapes(self) -> Shapes:
        """Of the weights and the biases."""
        return {"weight": (self.kernel, self.kernel, self.inputs, self.outputs), "bias": (self.outputs,)}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Weights by He's rule, biases 0."""
        return {"weight": (init or he)(self.shapes()["weight"], generator), "bias": np.zeros(self.outputs)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The convolution."""
        if x.value.ndim != 4 or x.value.shape[3] != self.inputs:
            raise ValueError(f"x.shape={x.value.shape} must be (batch, rows, columns, {self.inputs}) for this layer")
        kernel = (self.kernel, self.kernel)
        shape = sizes_after(x.value.shape[1:3], kernel, self.stride, self.padding)
        rows = x.patches(kernel, self.stride, self.padding, how.accumulator)
        weight = params["weight"].reshape(self.kernel**2 * self.inputs, self.outputs)
        return linear(rows, weight, params["bias"], how).reshape(len(x.value), *shape, self.outputs)


@dataclass(frozen=True)
class MaxPool2d(Layer):
    """The largest number in each window of size x size, without overlap; pixels that fill no window are left out."""

    size: int = 2

    def __post_init__(self) -> None:
        check_sizes(self, "size")

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The largest number of each window: exact."""
        return x.max_pool(self.size)


@dataclass(frozen=True)
class Flatten(Layer):
    """All axes after the first, in one: (batch, ...) to (batch, numbers)."""

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The same numbers."""
        return x if x.value.ndim == 2 else x.reshape(len(x.value), int(np.prod(x.value.shape[1:])))


@dataclass(frozen=True)
class Images(Layer):
    """Rows of pixels as images, the channels last: (batch, pixels) to (batch, rows, columns, channels)."""

    rows: int
    columns: int
    channels: int = 1

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The same numbers."""
        return x.reshape(len(x.value), self.rows, self.columns, self.channels)


@dataclass(frozen=True)
class Activation(Layer):
    """A function of each element ("relu", "tanh", "sigmoid", "gelu", "silu") or of each row ("softmax")."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in ACTIVATIONS:
            known = f"{did_you_mean(self.name, ACTIVATIONS)}use one of {', '.join(ACTIVATIONS)}"
            raise ValueError(f"activation={quoted(self.name)} is unknown; {known}")

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The function."""
        return x.softmax(how.accumulator) if self.name == "softmax" else ACTIVATIONS[self.name](x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": Tensor.relu,
    "tanh": Tensor.tanh,
    "sigmoid": Tensor.sigmoid,
    "gelu": Tensor.gelu,
    "silu": Tensor.silu,
    "softmax": Tensor.softmax,
}


def ReLU() -> Activation:
    """max(x, 0)."""
    return Activation("relu")


def Tanh() -> Activation:
    """The hyperbolic tangent."""
    return Activation("tanh")


def Sigmoid() -> Activation:
    """1 / (1 + e^-x)."""
    return Activation("sigmoid")


def GELU() -> Activation:
    """x Phi(x), with the distribution function Phi of the standard normal distribution: one rounding."""
    return Activation("gelu")


def SiLU() -> Activation:
    """x / (1 + e^-x): x times its sigmoid, two roundings."""
    return Activation("silu")


def Softmax() -> Activation:
    """e^x / sum of e^x along the last axis, without overflow."""
    return Activation("softmax")


@dataclass(frozen=True)
class RNN(Layer):
    """A simple recurrent layer, h = tanh(x_t @ input + h @ recurrent + bias): (batch, time, inputs) to (batch, hidden).

    The recurrent weights start as an orthogonal matrix times `gain`. Below 1 gradients vanish with time, above 1 they
    explode.
    """

    inputs: int
    hidden: int
    gain: float = 1.0
    activation: str = "tanh"

    def __post_init__(self) -> None:
        check_sizes(self, "inputs", "hidden")
        Activation(self.activation)

    def shapes(self) -> Shapes:
        """Of both weights and the biases."""
        n = self.hidden
        return {"input": (self.inputs, n), "recurrent": (n, n), "bias": (n,)}

    def draw(self, generator: np.random.Generator, init: Initialiser | None = None) -> Draws:
        """Input weights by Xavier's rule, recurrent weights orthogonal, biases 0."""
        square, _ = np.linalg.qr(generator.standard_normal((self.hidden, self.hidden)))
        weight = (init or xavier)((self.inputs, self.hidden), generator)
        return {"input": weight, "recurrent": square * self.gain, "bias": np.zeros(self.hidden)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The hidden state after the last step."""
        return self.states(params, x, how)[-1]

    def states(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> list[Tensor]:
        """The hidden state after each step."""
        if x.value.ndim != 3 or x.value.shape[2] != self.inputs:
            raise ValueError(f"x.shape={x.value.shape} must be (batch, time, {self.inputs}) for this layer")
        states: list[Tensor] = []
        for t in range(x.value.shape[1]):
            z = linear(x[:, t], params["input"], params["bias"], how)
            z = z + states[-1].matmul(params["recurrent"], how) if states else z
            states.append(ACTIVATIONS[self.activation](z))
        return states
