"""A model of one's own, tried on two samples before the first step; what cannot be trained is refused, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ...archives import MAX_BYTES
from ...wording import joined, quoted, shortened
from ..model.autograd import consumers_first
from ..model.models import Network
from ..model.tensor import Tensor
from .config import Config
from .engine import BYTES_OF_A_NUMBER, Engine

BYTES_OF_A_RESULT = 24
"""Memory that a step needs for each number that the forward pass computes, with its cotangent."""


def check_model(engine: Engine, max_bytes: int = MAX_BYTES) -> None:
    """Refuse a model or a loss of one's own that fails, a parameter that is never used, and a run that is too large.

    Raises
    ------
    ValueError
        That names the model or the loss, what it was given, and what went wrong.
    """
    config, data = engine.config, engine.data
    if not isinstance(config.model, Network) and config.loss.name == "cross_entropy":
        return
    for name in ("l1", "l2"):
        if getattr(config, name) and all(len(shape) < 2 for shape in engine.model.shapes().values()):
            raise ValueError(
                f"{name}={getattr(config, name):g} would have no effect: it is for parameters of two axes or more, and "
                f"model={quoted(str(config.model))} has none; leave it out"
            )
    chosen = np.arange(min(2, len(data.train_labels)))
    inputs, targets = data.train_images[chosen], data.train_labels[chosen]
    with np.errstate(all="ignore"), _drawing_nothing(engine.rng):
        params = {name: Tensor(x, name=name) for name, x in engine.start().params.items()}
        with _named(f"model={quoted(str(config.model))}", f"x of shape={inputs.shape}"):
            output = engine.logits(params, inputs)
        given = f"an output of shape={output.shape} and targets of shape={targets.shape}"
        with _named(f"loss={quoted(str(config.loss))}", given):
            loss = engine.loss(output, targets)
    graph = consumers_first(loss)
    reached = {id(x) for x in graph}
    if unused := [name for name, x in params.items() if id(x) not in reached]:
        names = joined(map(quoted, unused))
        raise ValueError(f"model={quoted(str(config.model))} never uses its parameter {names}; use it, or leave it out")
    _check_memory(config, sum(x.size for x in params.values()), sum(x.size for x in graph) / len(chosen), max_bytes)


@contextmanager
def _drawing_nothing(rng: np.random.Generator) -> Iterator[None]:
    """Random numbers that are drawn within it are drawn again afterwards: the run is as without the trial."""
    before = rng.bit_generator.state
    try:
        yield
    finally:
        rng.bit_generator.state = before


@contextmanager
def _named(who: str, given: str) -> Iterator[None]:
    """Errors with the name of the model or the loss, and what it was given."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        said = shortened(str(error), 500)
        if said.startswith(who):
            raise
        raise ValueError(f"{who} failed with {given}: {type(error).__name__}: {said}") from error


def _check_memory(config: Config, parameters: int, results: float, max_bytes: int) -> None:
    needed = BYTES_OF_A_NUMBER * parameters + BYTES_OF_A_RESULT * results * config.batch
    if needed > max_bytes:
        raise ValueError(
            f"batch={quoted(config.batch)} needs about {needed / 2**30:.3g} GiB of memory with this model, more than "
            f"the limit of {max_bytes / 2**30:.3g} GiB; use less, or give a larger limit (max_bytes)"
        )
