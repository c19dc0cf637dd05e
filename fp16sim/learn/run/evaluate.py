"""A trained model in other formats: what its accuracy is when weights and activations are rounded to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...formats import Format, FormatLike, Rounding, get_format, get_rounding
from ..data import Dataset
from ..observe.metrics import accuracy
from ..precision import Policy, Precision
from .checkpoint import Model
from .engine import Engine


@dataclass(frozen=True)
class Evaluation:
    """A model in one format.

    Attributes
    ----------
    fmt : str
    accuracy : float
        On the test images.
    agreement : float
        The share of test images of which it says the same as the model as it was trained.
    bytes : int
        Of the weights, in this format.
    lost_weights : float
        The share of nonzero weights that became 0.
    predictions : array of int
        The class of each test image.
    """

    fmt: str
    accuracy: float
    agreement: float
    bytes: int
    lost_weights: float
    predictions: Any


def evaluate(
    model: Model,
    data: Dataset,
    formats: Iterable[FormatLike],
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: str = "blas",
    weights_only: bool = False,
) -> list[Evaluation]:
    """The accuracy of a trained model with weights, activations and results rounded to each format.

    Parameters
    ----------
    model : Model
        As `load_model` read it.
    data : Dataset
        Its test part is used.
    formats, mode
        Formats of 8 bits and fewer saturate, as is usual for them.
    accumulator : str
        How products are summed, in binary32 by BLAS by default; see `Policy`.
    weights_only : bool
        Round the weights alone, and compute in binary32: compression.
    """
    names = [_saturating(get_format(fmt)) for fmt in formats]
    trained = _predictions(model, data, model.config.policy)
    found = []
    for fmt in names:
        precision = Precision(fmt, get_rounding(mode))
        policy = Policy("binary32" if weights_only else precision, param=precision, accumulator=accumulator)
        said = _predictions(model, data, policy)
        before = np.concatenate([x.values.reshape(-1) for x in model.params.values()])
        after = precision.array(before, np.random.default_rng(0)).values
        gone = float(np.mean(after[before != 0] == 0))
        agreement = float(np.mean(said.argmax(axis=1) == trained.argmax(axis=1)))
        size = -(-before.size * fmt.width // 8)
        found.append(Evaluation(fmt.name, accuracy(said, data.test_labels), agreement, size, gone, said.argmax(axis=1)))
    return found


def _saturating(fmt: Format) -> Format:
    return replace(fmt, saturate=True) if fmt.width <= 8 else fmt


def _predictions(model: Model, data: Dataset, policy: Policy) -> Any:
    engine = Engine(replace(model.config, policy=policy, validation=0.0), data)
    params = {name: policy.param.array(x, engine.rng) for name, x in model.params.items()}
    with np.errstate(all="ignore"):
        return engine.predict(params, data.test_images)
