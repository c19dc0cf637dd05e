"""What is known of a run before its first step: constants that vanish, steps too small to change a weight, ..."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array
from ...formats import BINARY32, Format
from ...rounding import round_to
from ...wording import percent, power_of_two
from ..precision import Policy, Precision
from ..run.config import Config
from ..run.engine import make_model
from ..run.recipes import get_config
from ..scaling import StaticLossScale, is_representable
from .advice import Advice
from .costs import example_data, example_graph
from .forecast import first_step

TYPICAL = 2.0**-7
"""The size of a gradient that is neither large nor small, before any loss scale."""

TOO_LARGE = 100
"""A step is too large if it is more than this number of times as large as it should be."""

TOO_SMALL = 0.5
"""A step is too small if it is less than this part of what it should be."""


def check(given: Config | str, **options: Any) -> tuple[Advice, ...]:
    """What speaks against a run before its first step, each point with what would help.

    Nothing is estimated from formulas: the run's own optimizer takes its first step, in the run's formats, for
    gradients of every size, and each change is tried in the same way before it is advised. What scaled factors of
    products will lose depends on the largest numbers of each step, so nothing is said of them: see `diagnose`.

    Parameters
    ----------
    given : Config or str
        A configuration, or the name of a recipe.
    **options
        Fields of Config that replace the recipe's. For a model of your own, `data` are its data.

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
        found = [advice for find in CHECKS if (advice := find(config)) is not None]
        return tuple(replace(advice, change=complete(config, advice.change)) for advice in found)


def divides_by_second_moment(config: Config) -> bool:
    """Whether the optimizer divides by the root of a second moment, as Adam and RMSProp do."""
    return config.optimizer != "sgd"


# --- what would help ------------------------------------------------------------------------------------------------


def first_that(helps: Callable[[Config], bool], config: Config, changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The first of several changes with which a configuration is as it should be.

    If none is enough: gradients, the optimizer's state and a second copy of the weights in binary32.
    """
    wide = replace(config.policy, gradient="binary32", state="binary32", master="binary32")
    return dict(next((change for change in changes if helps(replace(config, **change))), {"policy": wide}))


def complete(config: Config, change: Mapping[str, Any]) -> dict[str, Any]:
    """A change, with what else the changed run needs: other constants, if it would die of them or stand still."""
    for find in (_epsilon, _betas, _rate, _clip):
        if (advice := find(replace(config, **change))) is not None:
            change = {**change, **advice.change}
    return dict(change)


def _values(name: str, *values: Any) -> list[dict[str, Any]]:
    return [{name: value} for value in values]


def received_scale(config: Config) -> float:
    """By how much the gradients that the optimizer receives are multiplied."""
    return 1.0 if config.unscale else config.make_loss_scale().scale


# --- constants ------------------------------------------------------------------------------------------------------


def _epsilon(config: Config) -> Advice | None:
    """An epsilon that is 0, or so small that it divides by too little where the second moment is 0."""
    if not divides_by_second_moment(config):
        return None
    usable = replace(
        config,
        constants="binary64" if _rounded_to_1(config) else config.constants,
        lr=1.0 if _rate(config) else config.lr,
    )
    first, fmt = first_step(usable), config.policy.state.fmt
    if first.dies and config.constants == "rounded" and round_to(config.epsilon, fmt) == 0:
        text = f"epsilon={config.epsilon:g} is 0 in {fmt.name}: where the second moment is 0 as well, a step is 0 / 0."
    elif first.dies:
        text = f"sqrt(0) + epsilon={config.epsilon:g} is 0 in {fmt.name}: the step of a gradient of 0 is 0 / 0."
    elif (excess := first.excess(_small(config))) > TOO_LARGE:
        text = (
            f"In {fmt.name} the second moment of a gradient up to {first.vanishing:.2g} is 0, so that "
            f"epsilon={config.epsilon:g} alone divides it: "
            f"its step is up to {excess:,.0f} times as large as it should be."
        )
    else:
        return None
    change = first_that(_has_large_epsilon, usable, _values("epsilon", *(10.0**k for k in range(-8, 0))))
    return Advice("epsilon", text, change, {"edge": first.vanishing})


def _has_large_epsilon(config: Config) -> bool:
    first = first_step(config)
    return not first.dies and first.excess(_small(config)) <= TOO_LARGE


def _small(config: Config) -> float:
    """A gradient that is small, but so common that its step matters."""
    return TYPICAL / 16 * received_scale(config)


def _betas(config: Config) -> Advice | None:
    """A factor of a moment that is 1 in the moment's format."""
    fmt, name = config.policy.state.fmt, _rounded_to_1(config)
    if not name:
        return None
    value = config.optimizer_constants()[name]
    corrected = config.bias_correction and config.optimizer in ("adam", "adamw")
    then = "its bias correction is 0 / 0" if corrected else "it never changes"
    text = f"{name}={value:g} is 1 in {fmt.name}, and 1 - {name} is 0: the moment stays 0, and {then}."
    change: dict[str, Any] = {"constants": "binary64"}
    if name == "momentum":
        text = f"momentum={value:g} is 1 in {fmt.name}: the moment is the sum of all gradients, old and new."
        change = first_that(lambda changed: not _rounded_to_1(changed), config, _values("momentum", 0.99, 0.9))
    return Advice(name, text, change, {"rounded": 1.0})


def _rounded_to_1(config: Config) -> str:
    """The first option among the factors of the moments that is 1 in their format; "" if there is none."""
    constants, fmt = config.optimizer_constants(), config.policy.state.fmt
    factors = [name for name in ("beta2", "beta1", "momentum") if round_to(constants.get(name, 0.0), fmt) == 1]
    return factors[0] if factors else ""


def _rate(config: Config) -> Advice | None:
    """A learning rate with which the step of a typical gradient is 0, or infinite."""
    factor, fmt, rate = _typical_factor(config), config.policy.state.fmt, config.rate(0)
    if _moves(config):
        return None
    change = first_that(_moves, config, _values("lr", *usual_rates(config)))
    if "lr" not in change and (factor != 0 or _rounded_to_1(config) or _square_overflows(config)):
        return None
    rounded = float(round_to(rate, fmt)) if config.constants == "rounded" else rate
    if rounded in (0, math.inf):
        then = "no weight will change" if rounded == 0 else "steps are infinite"
        text = f"The learning rate {rate:g} is {rounded:g} in {fmt.name}: {then}."
    else:
        size = "0" if factor == 0 else "infinite"
        text = f"With the learning rate {rate:g} the step of a gradient of {TYPICAL:g} is {size} in {fmt.name}."
    return Advice("learning rate", text, change, {"rounded": rounded})


def usual_rates(config: Config) -> tuple[float, float]:
    """Learning rates that suit the optimizer, the better one first."""
    return (1e-3, 1e-2) if divides_by_second_moment(config) else (0.1, 0.01)


def _moves(config: Config) -> bool:
    return 0 < _typical_factor(config) < math.inf


def _typical_factor(config: Config) -> float:
    """The first step of a typical gradient, as a multiple of what it should be."""
    return first_step(config).factor(TYPICAL * received_scale(config))


def _loss_scale(config: Config) -> Advice | None:
    scale, fmt = config.make_loss_scale(), config.policy.loss.fmt
    if not isinstance(scale, StaticLossScale) or is_representable(scale.scale, fmt):
        return None
    usual = 2.0 ** min(fmt.emax - 5, 10)
    rounded = float(round_to(scale.scale, fmt))
    digits = 6 if f"{rounded:g}" != f"{scale.scale:g}" else 17
    text = f"A loss scale of {scale.scale:g} is {rounded:.{digits}g} in {fmt.name}, the loss's format."
    return Advice("loss scale", text, {"loss_scale": usual}, {"rounded": rounded})


def _squares(config: Config) -> Advice | None:
    """A loss scale that makes the squares of typical gradients infinite."""
    if not _square_overflows(config):
        return None
    scale, fmt = received_scale(config), config.policy.state.fmt
    text = (
        f"Multiplied by the loss scale {power_of_two(scale)}, a gradient of {TYPICAL:g} has an infinite square in "
        f"{fmt.name}: its second moment stays infinite, and its weight never changes."
    )
    smaller = (scale / 2.0**k for k in range(1, 40))
    change = first_that(lambda x: not _square_overflows(x, 16), config, _values("loss_scale", *smaller))
    return Advice("second moment overflow", text, change, {"scale": scale})


def _square_overflows(config: Config, times: float = 1.0) -> bool:
    return times * TYPICAL * received_scale(config) >= first_step(config).overflowing


# --- weights --------------------------------------------------------------------------------------------------------


def _decay(config: Config) -> Advice | None:
    """Weight decay that is too small to change a weight."""
    if config.optimizer != "adamw" or not config.weight_decay or not rounds_updates_to_nearest(config):
        return None
    relative, (weights, steps) = config.lr * config.weight_decay, _decayed(config)
    still = float(np.mean((weights + steps).values == weights.values))
    if still < 0.99:
        return None
    text = (
        f"Weight decay alone leaves {percent(still)} of the initial weights unchanged: a step takes {relative:.2g} of "
        f"a weight, less than half the distance to the next {weights.fmt.name} number."
    )
    change = first_that(_has_decay, config, _values("update", "stochastic"))
    return Advice("weight decay", text, change, {"still": still})


def _decayed(config: Config) -> tuple[FloatArray, FloatArray]:
    """The initial weights, and the optimizer's steps if all gradients are 0."""
    policy, weights, rng = config.policy, _initial_weights(config), np.random.default_rng(config.rng)
    params = {"w": policy.state.array(weights, rng)}
    optimizer = replace(config, clip_norm=0.0, clip_value=0.0).make_optimizer()
    steps, _ = optimizer.update({"w": params["w"] * 0.0}, optimizer.init(params), params)
    return weights, Precision(weights.fmt, weights.mode).array(steps["w"], rng)


def _has_decay(config: Config) -> bool:
    return bool(np.mean(_decayed(config)[1].values != 0) > 0.9)


def rounds_updates_to_nearest(config: Config) -> bool:
    """Whether small steps can be lost: they are added without a carry, and no sum is rounded stochastically."""
    return config.update == "plain" and not config.policy.weights.mode.random


def wider_than(fmt: Format) -> str:
    """The name of binary32, or of binary64 if that is not wider."""
    return "binary32" if fmt.precision < BINARY32.precision else "binary64"


AVERAGE_BLIND = 0.1
"""A moving average that misses differences up to this part of a weight, or more, is mentioned."""


def _average(config: Config) -> Advice | None:
    """A moving average whose updates are absorbed: weight and average may be far apart, and it does not move.

    The update is (1 - decay) times the distance, and changes the average if it is more than half a unit in the last
    place: at least u times the average, where u is the unit roundoff.
    """
    if not config.ema:
        return None
    fmt, mode = config.average_of("")
    blind = float(fmt.unit_roundoff) / (1 - config.ema)
    if blind < AVERAGE_BLIND or mode.random:
        return None
    text = (
        f"In {fmt.name} a moving average with the decay {config.ema:g} does not move as long as it is within "
        f"{percent(blind)} of its weight: (1 - {config.ema:g}) times the distance is absorbed."
    )
    return Advice("moving average", text, {"ema_in": wider_than(fmt)}, {"blind": blind})


def _absorbed(config: Config) -> Advice | None:
    """Adam's steps are about as large as the learning rate: how many of the initial weights would one change?"""
    if not divides_by_second_moment(config) or not rounds_updates_to_nearest(config):
        return None
    weights = _initial_weights(config)
    step = weights.constant(config.lr)
    still = float(np.mean((weights - step).values == weights.values))
    if still < 0.1 or float(step) == 0:
        return None
    text = (
        f"A step of the learning rate {config.lr:g} does not change {percent(still)} of the initial weights: it is "
        f"less than half the distance to the next {weights.fmt.name} number."
    )
    return Advice("absorbed updates", text, {"update": "kahan"}, {"absorbed": still})


def _initial_weights(config: Config) -> FloatArray:
    """The weights of two axes or more; where rules give them several formats, those of the most common one."""
    drawn, groups = _draw(config), dict[Precision, list[Array]]()
    matrices = {name: x for name, x in drawn.items() if x.ndim > 1}
    for name, x in (matrices or drawn).items():
        groups.setdefault(config.policy.weights_of(name), []).append(x.reshape(-1))
    precision, chosen = max(groups.items(), key=lambda group: sum(x.size for x in group[1]))
    return precision.array(np.concatenate(chosen), np.random.default_rng(config.rng))


def _draw(config: Config) -> dict[str, Array]:
    return make_model(config, example_data(config)).draw(config.rng, config.init)


# --- sums and norms -------------------------------------------------------------------------------------------------


def _sums(config: Config) -> Advice | None:
    """A sum of equal terms, one after the other, stops growing at 2^p of them: in products, and in the norm to clip."""
    policy = config.policy
    sums = [("A matrix product adds", *longest)] if (longest := _longest_sum(config)) else []
    if config.clip_norm and policy.accumulator == "sequential":
        sums.append(("The norm that clips adds", _parameters(config), policy.state))
    for what, terms, (fmt, mode) in sums:
        stall = 2**fmt.precision
        if terms > stall and not mode.random:
            text = (
                f"{what} {terms:,} terms one after the other in {fmt.name}, where a sum of equal terms stops growing "
                f"at {stall:,} of them."
            )
            change = {"policy": replace(policy, accumulator=wider_accumulator(policy))}
            return Advice("accumulator", text, change, {"terms": terms, "stall": stall})
    return None


def wider_accumulator(policy: Policy) -> str:
    """One term after the other in binary32, or in binary64 if the terms do not fit in binary32."""
    return f"sequential:{'binary32' if policy.compute.fmt.fits_in(BINARY32) else 'binary64'}"


def _longest_sum(config: Config) -> tuple[int, Precision] | None:
    """Of the products whose terms are added one after the other in their own format: the most terms, for its digits."""
    found = [
        (x.arguments[0].value.shape[-1], Precision(x.value.fmt, x.value.mode))
        for x in example_graph(config)
        if x.operation == "matmul" and config.policy.of_operation(x.layer, x.operation).accumulator == "sequential"
    ]
    return max(found, key=lambda one: one[0] / 2 ** one[1].fmt.precision, default=None)


def _parameters(config: Config) -> int:
    return sum(x.size for x in _draw(config).values())


def _clip(config: Config) -> Advice | None:
    """A norm to clip to with which the factor that clips, or the step of a clipped gradient, becomes too small."""
    if not config.clip_norm or _clips_well(config) or not _moves(config):
        return None
    fmt, limit, size = config.policy.state.fmt, config.clip_limit, _clipped_size(config)
    factor = first_step(config).factor(size)
    if factor < TOO_SMALL:
        text = (
            f"Gradients that are clipped to a norm of {limit:g} are about {size:.2g} each, and the step of such a "
            f"gradient is {'0' if factor == 0 else f'{factor:.2g} times as large as it should be'} in {fmt.name}."
        )
    else:
        least = limit / float(fmt.min_subnormal) * 2
        text = (
            f"From a norm of {least:.2g} on, the factor that clips gradients to {limit:g} is 0 in {fmt.name}: then all "
            "steps are 0."
        )
    change = first_that(_clips_well, config, _values("clip_norm", 1.0, 10.0, 100.0, 1e3))
    return Advice("clip norm", text, change, {"factor": factor, "size": size})


def _clips_well(config: Config) -> bool:
    """Whether the steps of clipped gradients are large enough, and the factor for the largest gradient is not 0."""
    largest, fmt = float(config.policy.gradient.fmt.max_finite), config.policy.state.fmt
    if config.constants == "rounded" and round_to(config.clip_limit / largest, fmt) == 0:
        return False
    return first_step(config).factor(_clipped_size(config)) >= TOO_SMALL


def _clipped_size(config: Config) -> float:
    """The size of each gradient if all are equal and their norm is the one to clip to."""
    return config.clip_limit / math.sqrt(_parameters(config))


CHECKS: tuple[Callable[[Config], Advice | None], ...] = (
    _epsilon,
    _betas,
    _rate,
    _clip,
    _loss_scale,
    _squares,
    _decay,
    _absorbed,
    _average,
    _sums,
)
"""The most important first."""
