"""A trained model in other formats: how good it is with weights and activations rounded to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ...conversion import Array
from ...formats import Format, FormatLike, Rounding, get_format, get_rounding
from ...wording import quoted
from ..chance import Answers
from ..data import Dataset, Text
from ..observe.metrics import bits_per_character
from ..precision import Policy, Precision
from .checkpoint import Model
from .engine import Engine
from .recipes import with_vocabulary

NO_ANSWER = -1
"""Stands for the class of an image with a logit that is NaN: it is a wrong answer, and agrees with nothing."""


@dataclass(frozen=True)
class Evaluation:
    """A model in one format.

    Attributes
    ----------
    fmt : str
        The name of the format.
    answers, trained : Answers
        Which test images it got wrong, and which the model in the precision of its training. Of a language model: which
        next characters of the text to test on.
    agreement : float or None
        Of the test images to which the model in the precision of its training gives a class, the part that gets the
        same class. None if there is no such image.
    bytes : int
        The size of the weights in this format.
    lost_weights : float or None
        The part of the nonzero weights that became 0; None if all weights are 0.
    predictions : array of int
        The class of each test image, or each next character's number; NO_ANSWER if a logit is NaN.
    bits, trained_bits : float or None
        Bits per character of a language model in this format, and in the precision of its training.
    """

    fmt: str
    answers: Answers
    trained: Answers
    agreement: float | None
    bytes: int
    lost_weights: float | None
    predictions: Array
    bits: float | None = None
    trained_bits: float | None = None

    @property
    def accuracy(self) -> float:
        """On the test images."""
        return self.answers.accuracy

    @property
    def chance(self) -> float:
        """How probable so large a difference from `trained` is if both are equally good; see `mcnemar`."""
        return self.answers.chance(self.trained)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "fmt": self.fmt,
            "accuracy": self.accuracy,
            "interval": list(self.answers.interval),
            "trained_accuracy": self.trained.accuracy,
            "chance": self.chance,
            "agreement": self.agreement,
            "bytes": self.bytes,
            "lost_weights": self.lost_weights,
            "bits_per_character": self.bits,
            "trained_bits_per_character": self.trained_bits,
            "predictions": self.predictions.tolist(),
        }


def evaluate(
    model: Model,
    data: Dataset,
    formats: Iterable[FormatLike],
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: str = "blas",
    weights_only: bool = False,
    on_format: Callable[[int, int], None] | None = None,
) -> list[Evaluation]:
    """The accuracy of a trained model with weights, activations and results rounded to each format.

    Of a language model also the bits per character of the text to test on; its answers are the next characters.

    Parameters
    ----------
    model : Model
        As `load_model` reads it.
    data : Dataset
        Its test images are used.
    formats, mode
        Formats of 8 bits and fewer saturate, as usual for them.
    accumulator : str
        How products are summed; by default in binary32 by BLAS. See `Policy`.
    weights_only : bool
        Round only the weights, and compute in binary32: compression.
    on_format : callable, optional
        Called after each format with the number of formats done and the number in all.
    """
    if (data.image_shape, data.classes) != (model.image_shape, model.classes):
        raise ValueError(
            f"the model is for images of shape {model.image_shape} in {model.classes} classes, and {data.name} has "
            f"{data.image_shape} in {data.classes}; give the data that it was trained on"
        )
    if model.config.model == "gpt" and isinstance(data, Text):
        with_vocabulary(model.config, data)  # refuses another text
    if not data.classes:
        raise ValueError(
            f"data={quoted(data.name)} has targets that are not class numbers, and evaluate measures accuracy; "
            "compare the test losses of runs in these formats instead"
        )
    policies = [policy_in(fmt, mode, accumulator, weights_only) for fmt in formats]
    trained = _outcome(model, data, model.config.policy)
    found = []
    for policy in policies:
        found.append(_evaluation(model, data, policy, trained))
        if on_format:
            on_format(len(found), len(policies))
    return found


def policy_in(fmt: FormatLike, mode: Rounding | str, accumulator: str = "blas", weights_only: bool = False) -> Policy:
    """The policy of an evaluation in a format; formats of 8 bits and fewer saturate."""
    precision = Precision(_saturating(get_format(fmt)), get_rounding(mode))
    return Policy("binary32" if weights_only else precision, param=precision, accumulator=accumulator)


class _Outcome(NamedTuple):
    """The class of each test image, or each next character, and a language model's bits per character."""

    predictions: Array
    bits: float | None


def _evaluation(model: Model, data: Dataset, policy: Policy, trained: _Outcome) -> Evaluation:
    """`trained` is the outcome in the precision of the training."""
    predictions, bits = _outcome(model, data, policy)
    labels, answered = data.test_labels.reshape(-1), trained.predictions != NO_ANSWER
    weights = np.concatenate([x.values.reshape(-1) for x in model.params.values()])
    return Evaluation(
        fmt=policy.param.fmt.name,
        answers=Answers.of(predictions == labels),
        trained=Answers.of(trained.predictions == labels),
        agreement=_part((predictions == trained.predictions)[answered]),
        bytes=-(-weights.size * policy.param.fmt.width // 8),
        lost_weights=_lost(weights, policy.param),
        predictions=predictions,
        bits=bits,
        trained_bits=trained.bits,
    )


def _saturating(fmt: Format) -> Format:
    return replace(fmt, saturate=True) if fmt.width <= 8 else fmt


def _answers(logits: Array) -> Array:
    """The class of each row."""
    return np.where(np.isnan(logits).any(axis=-1), NO_ANSWER, logits.argmax(axis=-1)).reshape(-1)


def _lost(weights: Array, precision: Precision) -> float | None:
    """The part of the nonzero weights that become 0."""
    with np.errstate(all="ignore"):  # the weights of a run that died
        rounded = precision.array(weights, np.random.default_rng(0)).values
    return _part(rounded[weights != 0] == 0)


def _part(chosen: Array) -> float | None:
    """The part that is true; None if there is nothing."""
    return float(np.mean(chosen)) if chosen.size else None


def _outcome(model: Model, data: Dataset, policy: Policy) -> _Outcome:
    factors = model.config.factors if policy is model.config.policy else None  # a format is measured without scales
    engine = Engine(replace(model.config, policy=policy, factors=factors, validation=0.0), data)
    with np.errstate(all="ignore"):
        params = {name: policy.param_of(name).array(x, engine.rng) for name, x in model.params.items()}
        logits = engine.predict(params, data.test_images)
        bits = bits_per_character(logits, data.test_labels) if isinstance(data, Text) else None
    return _Outcome(_answers(logits), bits)
