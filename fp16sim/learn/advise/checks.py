"""What is known of a run before its first step: constants that vanish, steps too small to change a weight, ..."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...arithmetic import subtract
from ...conversion import Array
from ...formats import Format
from ...rounding import round_to
from ...wording import percent
from ..run.config import Config
from ..run.engine import make_model
from ..run.recipes import get_config
from ..scaling import StaticLossScale, is_representable
from .advice import Advice
from .costs import example_data, example_graph


def check(given: Config | str, **options: Any) -> tuple[Advice, ...]:
    """What speaks against a run before its first step, each point with what would help. Exact: computed in its formats.

    Parameters
    ----------
    given : Config or str
        A configuration, or the name of a recipe.
    **options
        Fields of Config that replace the recipe's.

    Returns
    -------
    tuple of Advice
        Empty if nothing speaks against the run.

    Examples
    --------
    >>> for advice in check("pure-bfloat16"):
    ...     print(advice.topic)
    beta2
    """
    config = get_config(given, **options)
    with np.errstate(all="ignore"):
        return tuple(advice for find in CHECKS if (advice := find(config)) is not None)


def divides_by_second_moment(config: Config) -> bool:
    """Whether the optimizer divides by the root of a second moment, as Adam and RMSProp do."""
    return config.optimizer != "sgd"


def squares_vanish_below(fmt: Format) -> float:
    """Numbers up to this one have the square 0: at most half of min_subnormal, which is a tie and goes to 0."""
    return math.sqrt(float(fmt.min_subnormal) / 2)


def _epsilon(config: Config) -> Advice | None:
    if not divides_by_second_moment(config):
        return None
    fmt = config.policy.state.fmt
    kept = float(round_to(config.epsilon, fmt)) if config.constants == "rounded" else config.epsilon
    edge = squares_vanish_below(fmt)
    safe = 10.0 ** math.ceil(math.log10(edge / 2))
    if kept == 0:
        text = f"epsilon={config.epsilon:g} is 0 in {fmt.name}: where the second moment is 0 as well, a step is 0 / 0."
    elif edge / kept > 2:
        text = (
            f"In {fmt.name} the square of a gradient up to {edge:.2g} is 0, so that epsilon={config.epsilon:g} alone "
            f"divides it: steps of up to {edge / kept:.0f} times the learning rate."
        )
    else:
        return None
    return Advice("epsilon", text, {"epsilon": safe}, {"epsilon": kept, "edge": edge})


def _betas(config: Config) -> Advice | None:
    constants, fmt = config.optimizer_constants(), config.policy.state.fmt
    for name in ("beta2", "beta1", "momentum"):
        value = constants.get(name, 0.0)
        if float(round_to(value, fmt)) == 1:
            corrected = config.bias_correction and config.optimizer in ("adam", "adamw")
            then = "its bias correction is 0 / 0" if corrected else "it never changes"
            text = f"{name}={value:g} is 1 in {fmt.name}, and 1 - {name} is 0: the moment stays 0, and {then}."
            return Advice(name, text, {"constants": "binary64"}, {"rounded": 1.0})
    return None


def _rate(config: Config) -> Advice | None:
    fmt, rate = config.policy.state.fmt, config.rate(0)
    if config.constants == "rounded" and float(round_to(rate, fmt)) == 0:
        text = f"The learning rate {rate:g} is 0 in {fmt.name}: no weight will change."
        return Advice("learning rate", text, {"lr": 1e-3}, {"rounded": 0.0})
    return None


def _loss_scale(config: Config) -> Advice | None:
    scale, fmt = config.make_loss_scale(), config.policy.loss.fmt
    if not isinstance(scale, StaticLossScale) or is_representable(scale.scale, fmt):
        return None
    usual = 2.0 ** min(fmt.emax - 5, 10)
    text = f"A loss scale of {scale.scale:g} is {float(round_to(scale.scale, fmt)):g} in {fmt.name}, the loss's format."
    return Advice("loss scale", text, {"loss_scale": usual}, {"rounded": float(round_to(scale.scale, fmt))})


def _decay(config: Config) -> Advice | None:
    fmt = config.policy.weights.fmt
    relative, u = config.lr * config.weight_decay, float(fmt.unit_roundoff)
    if config.optimizer != "adamw" or not 0 < relative < u / 2 or config.update != "plain":
        return None
    text = (
        f"Weight decay alone does nothing: a step takes {relative:.2g} of a weight, but half the distance to the next "
        f"{fmt.name} number is at least {u / 2:.2g} of it."
    )
    return Advice("weight decay", text, {"update": "stochastic"}, {"asked": relative, "needed": u / 2})


def _absorbed(config: Config) -> Advice | None:
    """Adam's steps are about as large as the learning rate: how many of the initial weights would one change?"""
    if not divides_by_second_moment(config) or config.update != "plain":
        return None
    fmt, weights = config.policy.weights.fmt, _initial_weights(config)
    step = float(round_to(config.lr, fmt))
    still = float(np.mean(subtract(weights, step, fmt) == weights)) if step else 1.0
    if still < 0.1:
        return None
    text = (
        f"A step of the learning rate {config.lr:g} does not change {percent(still)} of the initial weights: it is "
        f"less than half the distance to the next {fmt.name} number."
    )
    return Advice("absorbed updates", text, {"update": "kahan"}, {"absorbed": still})


def _initial_weights(config: Config) -> Array:
    drawn = make_model(config, example_data(config)).draw(config.rng, config.init)
    flat = np.concatenate([x.reshape(-1) for x in drawn.values() if x.ndim > 1])
    return round_to(flat, config.policy.weights.fmt)


def _sums(config: Config) -> Advice | None:
    """A sum of equal terms, one after the other, stops growing at 2^p of them."""
    policy = config.policy
    terms, stall = _longest_sum(config), 2**policy.compute.fmt.precision
    if policy.accumulator != "sequential" or terms <= stall:
        return None
    text = (
        f"Sums of {terms:,} terms are added one after the other in {policy.compute.fmt.name}, where a sum of equal "
        f"terms stops growing at {stall:,} of them."
    )
    change = {"policy": replace(policy, accumulator="sequential:binary32")}
    return Advice("accumulator", text, change, {"terms": terms, "stall": stall})


def _longest_sum(config: Config) -> int:
    return max(x.arguments[0].value.shape[-1] for x in example_graph(config) if x.operation == "matmul")


CHECKS: tuple[Callable[[Config], Advice | None], ...] = (_epsilon, _betas, _rate, _loss_scale, _decay, _absorbed, _sums)
"""The most important first."""
