"""What a training step costs, counted exactly: bytes that are held, operations, and bytes moved.

Counted on the graph of one batch, from shapes and widths alone. A CPU that emulates cannot say how fast hardware for a
format is: that depends on its units, its memory, and on how much of the traffic stays in caches. What it can say is
what any hardware has to do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import FloatArray
from ...formats import Format
from ..data import Dataset
from ..model.autograd import Tensor, consumers_first
from ..model.layers import Params
from ..run.config import Config
from ..run.recipes import get_config

SHAPES = {"digits": (8, 8)}
"""Images of other data are 28 x 28."""


@dataclass(frozen=True)
class Costs:
    """Bytes and operations of a run; those of a step are for one batch.

    Attributes
    ----------
    parameters : int
        How many numbers the model has.
    weights, master, gradients, state, activations : int
        Bytes held during a step: the weights that the model computes with; their second copy, or what Kahan's update
        carries; one gradient for each; the optimizer's moments; results kept for the backward pass.
    model_file, checkpoint : int
        Bytes of the numbers in a saved model, and in a checkpoint.
    multiply_adds, elementwise : int
        Operations of a step: products that are summed, and all others, the optimizer's among them.
    bytes_moved : int
        What is read and written if every operation reads its operands from memory and writes its result back.
    """

    recipe: str
    parameters: int
    weights: int
    master: int
    gradients: int
    state: int
    activations: int
    model_file: int
    checkpoint: int
    multiply_adds: int
    elementwise: int
    bytes_moved: int

    @property
    def held(self) -> int:
        """All bytes held during a step."""
        return self.weights + self.master + self.gradients + self.state + self.activations


def costs(given: Config | str, **options: Any) -> Costs:
    """Count what a step of a run holds, computes and moves: exact, for the model, batch and policy of the run.

    >>> both = [costs(name, data="mnist", model="cnn") for name in ("binary32", "mixed-binary16")]
    >>> [c.parameters for c in both]
    [93322, 93322]
    >>> [c.weights + c.master for c in both]  # with master weights it is not half
    [373288, 559932]
    """
    from ..run.engine import Engine

    config = get_config(given, **options)
    engine = Engine(config, example_data(config))
    progress, policy = engine.start(), config.policy
    graph = example_graph(config)
    second = _bytes(progress.weights) if policy.master is not None else 0
    state = sum(_bytes(x) for x in progress.state.values() if isinstance(x, dict))
    parameters = sum(x.size for x in progress.params.values())
    weights = _bytes(progress.params)
    products, others, moved = _work(graph, parameters * OPTIMIZER_OPERATIONS[config.optimizer], policy.state.fmt)
    kept = [x for x in graph if x.operation not in ("", "reshape")]
    carried = _bytes(progress.carry)
    return Costs(
        recipe=config.label,
        parameters=parameters,
        weights=weights,
        master=second + carried,
        gradients=_size(parameters, policy.gradient.fmt),
        state=state,
        activations=sum(_size(x.value.size, x.value.fmt) for x in kept),
        model_file=weights,
        checkpoint=weights + second + carried + state,
        multiply_adds=products,
        elementwise=others,
        bytes_moved=moved,
    )


def example_data(config: Config) -> Dataset:
    """One batch of the shape of a run's data, all zeros."""
    shape = SHAPES.get(config.data, (28, 28))
    images = np.zeros((config.batch, shape[0] * shape[1]), np.float32)
    labels = np.full(config.batch, 9)
    return Dataset(config.data, images, labels, images[:1], labels[:1], image_shape=shape)


def example_graph(config: Config) -> list[Tensor]:
    """All tensors of the graph of one batch."""
    from ..run.engine import Engine

    single = replace(config, validation=0.0)
    engine = Engine(single, example_data(single))
    with np.errstate(all="ignore"):
        loss, _ = engine.graph(engine.start(), np.arange(config.batch))
    return consumers_first(loss)


def _size(n: int, fmt: Format) -> int:
    """Bytes of n numbers, packed."""
    return -(-n * fmt.width // 8)


def _bytes(arrays: Params) -> int:
    return sum(_size(x.size, x.fmt) for x in arrays.values() if isinstance(x, FloatArray))


OPTIMIZER_OPERATIONS = {"adam": 14, "adamw": 16, "rmsprop": 8, "sgd": 3}
"""Elementwise operations for each parameter, the addition to the weight included."""


def _work(graph: list[Tensor], updates: int, state: Format) -> tuple[int, int, int]:
    """Multiply-adds, other operations, bytes moved: of the forward pass, the backward pass and the optimizer."""
    products = others = moved = 0
    for y in graph:
        if y.operation in ("", "reshape"):
            continue
        wanted = sum(x.wanted for x in y.arguments)
        own = _size(y.value.size, y.value.fmt)
        given = sum(_size(x.value.size, x.value.fmt) for x in y.arguments)
        if y.operation == "matmul":
            products += (1 + wanted) * y.value.size * y.arguments[0].value.shape[-1]
        else:
            others += (1 + wanted) * y.value.size
        moved += (
            own + given + wanted * (2 * own + given)
        )  # a vjp reads g and the operands, and writes as much as it got
    return products, others + updates, moved + 3 * _size(updates, state)
