"""Models and losses of your own: a list of layers, a function of parameters and a batch, a function of the output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from ...accumulators import Accumulator
from ...conversion import Array, Seed, plain_array
from ...wording import did_you_mean, quoted
from ..precision import DEFAULT_PRODUCTS, Products
from ..rules import layer_of
from ..scaled_products import VIEWS
from .autograd import consumers_first
from .in_force import put_in_force
from .initialisers import get_initialiser, he
from .layers import Draws, Layer, Shapes
from .losses import cross_entropy, mean_squared_error
from .models import Chain, Network
from .tensor import Tensor

# --- models ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class FunctionModel(Network):
    """A model that is a function: `apply(params, x)` gives the output for a batch.

    Every operation in it is rounded as the policy of the run says, its accumulator and the formats of factors included.
    Parameters whose names have a dot belong to a layer, as "attention.query" to "attention": reports say what each
    layer lost. Operations without parameters belong to the layer of their first operand.

    Parameters
    ----------
    apply : callable
        Called with a dict of Tensors and the batch: a Tensor, or an integer array if the inputs are integers, for
        `Tensor.take`. It returns a Tensor.
    params : mapping of str to shape or array
        For a shape of two axes or more, weights are drawn by He's rule, or as the option `init` says; for one axis they
        start at 0, as biases do. An array has the first values themselves.

    Examples
    --------
    >>> model = FunctionModel(lambda params, x: (x @ params["w"] + params["b"]).tanh(), {"w": (3, 2), "b": (2,)})
    >>> {name: x.shape for name, x in model.draw(0).items()}
    {'w': (3, 2), 'b': (2,)}
    """

    apply: Callable[[Mapping[str, Tensor], Any], Tensor]
    params: Mapping[str, npt.ArrayLike | tuple[int, ...]]

    takes_indices = True

    def __post_init__(self) -> None:
        if not callable(self.apply):
            raise TypeError(f"apply={quoted(self.apply)} is not a function of params and x")
        if not isinstance(self.params, Mapping) or not self.params:
            raise TypeError(f"params={quoted(self.params)} is not a dict with a shape or an array for each parameter")
        for name, given in self.params.items():
            _check_parameter(name, given)

    @property
    def name(self) -> str:
        """The name of the function."""
        return getattr(self.apply, "__name__", type(self.apply).__name__)

    def shapes(self) -> Shapes:
        """Those given, and those of the arrays."""
        return {name: tuple(x) if _is_shape(x) else np.shape(x) for name, x in self.params.items()}

    def draw(self, rng: Seed = None, init: str = "") -> Draws:
        """Weights by He's rule or that of `init`, biases 0, arrays as they were given."""
        generator, rule = np.random.default_rng(rng), get_initialiser(init) if init else he
        drawn: Draws = {}
        for name, given in self.params.items():
            if _is_shape(given):
                drawn[name] = rule(given, generator) if len(given) > 1 else np.zeros(given)
            else:
                drawn[name] = np.array(given, np.float64)
        return drawn

    def __call__(self, params: Mapping[str, Tensor], x: Any, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output."""
        with put_in_force(products=how, owners={id(p): (p, layer_of(name)) for name, p in params.items()}, made={}):
            y = self.apply(params, x)
        if not isinstance(y, Tensor):
            raise TypeError(f"model={quoted(self.name)} gave {quoted(y)}, not a Tensor; compute with those it is given")
        y = y if y.home is None else y.home.copy_of(y)
        return name_by_parameters(y, params)


def _is_shape(x: Any) -> TypeGuard[tuple[int, ...]]:
    return isinstance(x, tuple) and all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in x)


def _check_parameter(name: str, given: Any) -> None:
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"params has the name {quoted(name)}; use a text without '/', such as 'layer1.weight'")
    if _is_shape(given):
        if min(given, default=1) < 1:
            raise ValueError(f"params[{quoted(name)}]={given} is not a shape; use numbers of 1 or more")
        return
    values = plain_array(given, f"params[{quoted(name)}]")
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ValueError(f"params[{quoted(name)}] has dtype={values.dtype}; give finite real numbers, or a shape")


def name_by_parameters(y: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """Write on each operation behind y the layer to which its parameters belong, or else that of its operands."""
    layers = {id(x): layer_of(name) for name, x in params.items()}
    for tensor in reversed(consumers_first(y, lambda x: bool(x.operation) and not x.layer)):
        own = layers.get(id(tensor)) or next((layers[id(x)] for x in tensor.arguments if id(x) in layers), "")
        if own and tensor.operation in VIEWS:
            layers[id(tensor)] = own
        inherited = next((x.layer for x in tensor.arguments if x.layer), "model")
        object.__setattr__(tensor, "layer", own or inherited)
    return y


@dataclass(frozen=True, eq=False)
class Bound(Network):
    """A model with a row of the data that it is for: what `check` and `costs` need to know of the data."""

    network: Network
    inputs: Array
    targets: Array
    image_shape: tuple[int, ...]
    classes: int

    takes_indices = property(lambda self: self.network.takes_indices)

    @property
    def name(self) -> str:
        """That of the model."""
        return self.network.name

    def shapes(self) -> Shapes:
        """Those of the model."""
        return self.network.shapes()

    def draw(self, rng: Seed = None, init: str = "") -> Draws:
        """As the model draws them."""
        return self.network.draw(rng, init)

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output of the model."""
        return self.network(params, x, how)


ModelLike: TypeAlias = str | Network | Sequence[Layer]
"""The name of a model that is built in, a model, or a list of layers."""


def as_model(given: ModelLike) -> str | Network:
    """A name as it is, and layers as a Chain.

    >>> from fp16sim.learn import Linear, ReLU
    >>> [name for name, _ in as_model([Linear(4, 3), ReLU(), Linear(3, 2)]).layers]
    ['linear1', 'relu1', 'linear2']
    """
    if isinstance(given, (str, Network)):
        return given
    if isinstance(given, (list, tuple)) and given and all(isinstance(layer, Layer) for layer in given):
        return _chain(given)
    way_out = "give 'mlp', 'cnn', a list of layers, or a FunctionModel"
    if callable(given):
        way_out = "give its parameters too: FunctionModel(apply, {'w': (4, 3)})"
    raise TypeError(f"model={quoted(given)} is not a model; {way_out}")


def _chain(layers: Sequence[Layer]) -> Chain:
    named: list[tuple[str, Layer]] = []
    counts: dict[str, int] = {}
    for layer in layers:
        kind = str(getattr(layer, "name", type(layer).__name__)).lower()
        counts[kind] = counts.get(kind, 0) + 1
        named.append((f"{kind}{counts[kind]}", layer))
    return Chain(tuple(named))


# --- losses ---------------------------------------------------------------------------------------------------------

LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
}
"""Those that are built in; a file names them."""


@dataclass(frozen=True)
class Loss:
    """A loss: a function of the model's output and the targets of a batch, which gives a number."""

    name: str
    function: Callable[..., Tensor] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.name

    def __call__(self, output: Tensor, targets: Array, accumulator: Accumulator | None = None) -> Tensor:
        """The loss, whose sums are taken by the accumulator."""
        if self.function is None:
            raise ValueError(
                f"loss={quoted(self.name)} is not built in, and its file has not its code; give it as loss="
            )
        takes = "accumulator" in inspect.signature(self.function).parameters
        with put_in_force(products=Products(accumulator)):
            y = self.function(output, targets, **({"accumulator": accumulator} if takes else {}))
        if not isinstance(y, Tensor) or y.shape:
            shape = f"shape={y.shape}" if isinstance(y, Tensor) else f"type={type(y).__name__}"
            raise ValueError(f"loss={quoted(self.name)} gave {shape}, not a single number; use the mean or the sum")
        return y

    @classmethod
    def from_plain(cls, given: Any, what: str) -> Loss:
        """From its name."""
        if not isinstance(given, str):
            raise ValueError(f"{what}={quoted(given)} is not a text")
        return cls(given, LOSSES.get(given))


LossLike: TypeAlias = str | Loss | Callable[..., Tensor]
"""The name of a loss that is built in, or a function of the output and the targets."""


def as_loss(given: LossLike) -> Loss:
    """A loss by its name, or from a function."""
    if isinstance(given, Loss):
        return given
    if isinstance(given, str):
        if given not in LOSSES:
            known = f"{did_you_mean(given, LOSSES)}use one of {', '.join(map(repr, LOSSES))}, or a function"
            raise ValueError(f"loss={quoted(given)} is unknown; {known}")
        return Loss(given, LOSSES[given])
    if not callable(given):
        raise TypeError(f"loss={quoted(given)} is not a function of the output and the targets")
    name = getattr(given, "__name__", type(given).__name__)
    return Loss(name, given) if LOSSES.get(name, given) is given else Loss(f"own {name}", given)
