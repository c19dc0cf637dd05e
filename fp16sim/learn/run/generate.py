"""What a language model writes: one character after the other, drawn from the probabilities that it gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...conversion import Array
from ...wording import quoted
from ..data import Text
from ..model.layers import Params
from ..model.tensor import Tensor
from ..precision import Policy, PolicyLike
from .engine import Engine

SAMPLE, TEMPERATURE = 120, 0.8
"""How many characters are written at the end of an epoch, and at which temperature."""


def generate(
    model: Any,
    prompt: str = "",
    length: int = SAMPLE,
    *,
    temperature: float = TEMPERATURE,
    policy: PolicyLike | None = None,
    rng: int = 0,
) -> str:
    """Text that a trained language model writes; every operation is rounded as in its training, or by another policy.

    Parameters
    ----------
    model : Model or History
        A model "gpt": as `load_model` reads it, or as `train` returns it.
    prompt : str
        What the text begins with; a new line if it is empty.
    length : int
        How many characters are added.
    temperature : float
        The logits are divided by it: below 1 the most probable characters are drawn more often; 0 takes always the
        most probable one. The probabilities are computed in binary64.
    policy : Policy, str, Format or dtype, optional
        Another precision than that of its training, such as "e4m3fn".
    rng : int
        The seed of the draws.

    Returns
    -------
    str
        The prompt and what follows. It is shorter if a logit is NaN.

    Examples
    --------
    >>> from fp16sim.learn import text_data, train
    >>> data = text_data("abc" * 300, context=8)
    >>> small = {"context": 8, "width": 8, "heads": 1, "blocks": 1}
    >>> history = train("bfloat16-plain", data, model="gpt", gpt=small, batch=4, epochs=1, lr=0.05)
    >>> generate(history, "ab", 8, temperature=0)
    'abcabcabca'
    """
    config, params = model.config, model.params
    if config.model != "gpt":
        raise ValueError(f"model={quoted(str(config.model))} writes no text; give a model of train(..., model='gpt')")
    if length < 0 or not temperature >= 0:
        raise ValueError(f"length={length} and temperature={temperature} must be 0 or more")
    own = config.policy if policy is None else Policy.of(policy)
    context, vocabulary = config.gpt.context, config.gpt.vocabulary
    none = np.zeros((1, context), np.int64)
    data = Text("the text of the model", none, none, none, none, vocabulary=vocabulary)
    engine = Engine(replace(config, policy=own, batch=1, validation=0.0), data)
    rounded = {name: own.param_of(name).array(x, engine.rng) for name, x in params.items()}
    with np.errstate(all="ignore"):
        return write(engine, rounded, prompt, length, temperature, rng)


def write(
    engine: Engine,
    params: Params,
    prompt: str = "",
    length: int = SAMPLE,
    temperature: float = TEMPERATURE,
    rng: int = 0,
) -> str:
    """The prompt, and characters drawn one after the other; the text ends where a logit is NaN."""
    data, generator = engine.data, np.random.default_rng(rng)
    assert isinstance(data, Text)
    written = list(data.encode(prompt)) or [max(data.vocabulary.find("\n"), 0)]
    tensors = {name: Tensor(x, wanted=False) for name, x in params.items()}
    for _ in range(length):
        seen = np.array([written[-data.context :]])
        logits = engine.logits(tensors, seen).value.values[0, -1].astype(np.float64)
        if np.isnan(logits).any():
            break
        written.append(_drawn(logits, temperature, generator))
    return data.decode(np.array(written if prompt else written[1:], np.int64))


def _drawn(logits: Array, temperature: float, generator: np.random.Generator) -> int:
    """The number of a character."""
    if temperature == 0 or not np.isfinite(logits.max()):
        return int(logits.argmax())
    powers = np.exp((logits - logits.max()) / temperature)
    return int(
        np.searchsorted(np.cumsum(powers), generator.random() * powers.sum(), side="right").clip(0, len(logits) - 1)
    )
