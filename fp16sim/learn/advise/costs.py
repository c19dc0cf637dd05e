"""What a training step costs, counted exactly: bytes in memory, operations, and bytes moved.

The counts follow from the shapes and widths in the graph of one batch. They say what any hardware has to do. They do
not say how fast it is: that depends on its units, its memory and its caches, and an emulator cannot measure it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import FloatArray
from ...formats import Format
from ...wording import quoted
from ..data import Dataset, Samples, Text
from ..data.text import load_text
from ..model.autograd import consumers_first
from ..model.layers import Params
from ..model.models import Network
from ..model.own import Bound
from ..model.tensor import Tensor
from ..run.config import Config
from ..run.engine import Engine, check_memory
from ..run.recipes import get_config
from ..scaled_products import ScaledProduct

SHAPES = {"digits": (8, 8)}
"""The images of all other data sets are 28 x 28."""


@dataclass(frozen=True)
class Costs:
    """Bytes and operations of one training step, with one batch, and of the files of a run.

    Attributes
    ----------
    recipe : str
        The name of the run.
    parameters : int
        How many numbers the model has.
    weights, master, gradients, state, activations : int
        Bytes in memory during a step: the weights that the model computes with; their second copy, what Kahan's
        update carries, and their moving average; one gradient for each weight, and the sums over micro-batches; the
        optimizer's moments; the results that the backward pass of a batch or of a micro-batch needs.
    model_file, checkpoint : int
        Bytes of the numbers in a saved model, and in a checkpoint.
    multiply_adds, elementwise : int
        Operations of a step: products that are added up, and all others, with those of the optimizer, and conversions
        of scaled factors.
    bytes_moved : int
        Bytes read and written if every operation reads its operands from memory and writes its result to memory.
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
    def bytes_in_memory(self) -> int:
        """All bytes in memory during a step."""
        return self.weights + self.master + self.gradients + self.state + self.activations


BYTES = {
    "weights": "weights",
    "master": "second copy, Kahan's carry, average",
    "gradients": "gradients",
    "state": "state of the optimizer",
    "activations": "activations of a batch",
    "bytes_in_memory": "in memory during a step",
    "model_file": "saved model",
    "checkpoint": "checkpoint",
    "bytes_moved": "moved in a step",
}
OPERATIONS = {"multiply_adds": "multiply-adds in a step", "elementwise": "other operations in a step"}
"""What tables call the counts of Costs, by unit."""


def costs(given: Config | str, **options: Any) -> Costs:
    """Count the bytes and operations of a run's training step: exact, for its model, batch and policy.

    Parameters
    ----------
    given : Config or str
        A Config, or the name of a recipe.
    **options
        Fields of Config that replace those of the recipe. For a model of your own, `data` are its data.

    >>> both = [costs(name, data="mnist", model="cnn") for name in ("pure-binary32", "mixed-binary16")]
    >>> [c.parameters for c in both]
    [93322, 93322]
    >>> [c.weights + c.master for c in both]  # more, not half, because of the master weights
    [373288, 559932]
    """
    config = get_config(given, **options)
    engine = Engine(config, example_data(config))
    progress, policy = engine.start(), config.policy
    parts = _micro_batches(config)
    computed = parts[0][1]
    second = _bytes(progress.weights) if policy.master is not None else 0
    state = _bytes(progress.state.m) + _bytes(progress.state.v)
    parameters = sum(x.size for x in progress.params.values())
    weights = _bytes(progress.params)
    updates = OPTIMIZER_OPERATIONS[config.optimizer] + AVERAGE_OPERATIONS * bool(config.ema) + config.accumulate - 1
    works = [[times * n for n in _work(own, 0, policy.state.fmt)] for times, own in parts]
    works.append(list(_work([], parameters * updates, policy.state.fmt)))
    products, others, moved = map(sum, zip(*works, strict=True))
    carried = _bytes(progress.carry) + _bytes(progress.average)
    summed = _size(parameters, config.accumulation.fmt) if config.accumulate > 1 else 0
    return Costs(
        recipe=config.label,
        parameters=parameters,
        weights=weights,
        master=second + carried,
        gradients=_size(parameters, policy.gradient.fmt) + summed,
        state=state,
        activations=sum(_size(x.value.size, x.value.fmt) for x in computed),
        model_file=weights,
        checkpoint=weights + second + carried + state + _remembered(config, computed),
        multiply_adds=products,
        elementwise=others,
        bytes_moved=moved,
    )


def _micro_batches(config: Config) -> list[tuple[int, list[Tensor]]]:
    """For each size of the micro-batches of a step, the largest first: how many there are, and what one computes.

    What a step is given, and another shape of the same numbers, cost nothing.
    """
    sizes = Counter(map(len, np.array_split(np.arange(config.batch), config.accumulate)))
    graphs = (
        (times, example_graph(replace(config, batch=size, accumulate=1, accumulate_in="")))
        for size, times in sizes.items()
    )
    return [(times, [x for x in graph if x.operation not in ("", "reshape")]) for times, graph in graphs]


def _remembered(config: Config, computed: list[Tensor]) -> int:
    """Bytes of what delayed scaling remembers: a scale and a history in binary32 for each of three factors."""
    factors = config.factors
    if factors is None or factors.scaling != "delayed":
        return 0
    names = {x.settings["factors"].name for x in computed if x.settings.get("factors")}
    return len(names) * 3 * 4 * (1 + factors.amax_history_len)


def example_data(config: Config) -> Dataset:
    """One batch with the shape of a run's data: images of zeros."""
    if isinstance(config.model, Network):
        return _example_of_own(config)
    if config.model == "gpt":
        return _example_of_text(config)
    shape = SHAPES.get(config.data, (28, 28))
    check_memory(config, shape, 10)
    images = np.zeros((config.batch, shape[0] * shape[1]), np.float32)
    labels = np.full(config.batch, 9)
    return Dataset(config.data, images, labels, images[:1], labels[:1], image_shape=shape)


def _example_of_text(config: Config) -> Dataset:
    """One batch of windows of the first character, for as many characters as the text has."""
    vocabulary = config.gpt.vocabulary or load_text(config.data, config.gpt.context).vocabulary
    check_memory(config, (config.gpt.context,), len(vocabulary))
    windows = np.zeros((config.batch, config.gpt.context), np.int64)
    return Text(config.data, windows, windows, windows[:1], windows[:1], vocabulary=vocabulary)


def _example_of_own(config: Config) -> Dataset:
    """One batch of copies of the first sample, for a model of one's own."""
    if not isinstance(config.model, Bound):
        raise ValueError(
            f"model={quoted(str(config.model))} is your own, and its data are unknown; give them: data=..."
        )
    inputs, targets = (np.repeat(x, config.batch, axis=0) for x in (config.model.inputs, config.model.targets))
    if config.model.classes:
        targets[0] = config.model.classes - 1
    return Samples(config.data, inputs, targets, inputs[:0], targets[:0])


def example_graph(config: Config) -> list[Tensor]:
    """All tensors in the graph of one batch."""
    single = replace(config, validation=0.0)
    engine = Engine(single, example_data(single))
    with np.errstate(all="ignore"):
        loss, _ = engine.graph(engine.start(), np.arange(config.batch))
    return consumers_first(loss)


def _scaled_work(y: Tensor, scaled: ScaledProduct) -> tuple[int, int]:
    """Conversions and bytes moved of a product of scaled factors: converted numbers are written, and read by products.

    Each number is read and written once for each conversion; a product reads two narrow factors and writes its result.
    """
    factors, wanted = scaled.step.factors, sum(x.wanted for x in y.arguments)
    given = [(scaled.left, y.arguments[0]), (scaled.right, y.arguments[1])] + ([("gradient", y)] if wanted else [])
    conversions = moved = 0
    for role, x in given:
        times = factors.conversions(role) if wanted else 1
        narrow = math.ceil(x.size * factors.bits(role) / 8)
        conversions += times * x.size
        uses = wanted if role == "gradient" else 1 + wanted - (not x.wanted)
        moved += times * (_size(x.size, x.value.fmt) + narrow) + uses * narrow
    results = [y, *(x for x in y.arguments if x.wanted)]
    return conversions, moved + sum(_size(x.size, x.value.fmt) for x in results)


def _size(n: int, fmt: Format) -> int:
    """Bytes of n numbers without gaps between them."""
    return -(-n * fmt.width // 8)


def _bytes(arrays: Params) -> int:
    return sum(_size(x.size, x.fmt) for x in arrays.values() if isinstance(x, FloatArray))


AVERAGE_OPERATIONS = 3
"""Elementwise operations of a moving average for each parameter."""

OPTIMIZER_OPERATIONS = {"adam": 14, "adamw": 16, "rmsprop": 8, "sgd": 3}
"""Elementwise operations for each parameter, with the addition to the weight."""


def _work(computed: list[Tensor], updates: int, state: Format) -> tuple[int, int, int]:
    """Multiply-adds, other operations and bytes moved, in the forward pass, the backward pass and the optimizer."""
    products = others = moved = 0
    for y in computed:
        wanted = sum(x.wanted for x in y.arguments)
        own = _size(y.value.size, y.value.fmt)
        given = sum(_size(x.value.size, x.value.fmt) for x in y.arguments)
        if y.operation == "matmul":
            products += (1 + wanted) * y.value.size * y.arguments[0].value.shape[-1]
            if scaled := y.settings.get("factors"):
                conversions, bytes_moved = _scaled_work(y, scaled)
                others, moved = others + conversions, moved + bytes_moved
                continue
        else:
            others += (1 + wanted) * y.value.size
        # A vjp reads a cotangent and the operands, and writes about as much as the cotangent.
        moved += own + given + wanted * (2 * own + given)
    return products, others + updates, moved + 3 * _size(updates, state)
