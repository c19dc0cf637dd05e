"""What to do about a run, from what it showed: each advice with its evidence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...formats import BFLOAT16, E5M2
from ...wording import count, joined, percent, power_of_two
from ..factors import Factors
from ..model.own import Bound
from ..observe.exponents import Survey
from ..observe.findings import GENERAL
from ..observe.telemetry import FACTOR_KINDS, TensorCounts
from ..precision import PRECISIONS, Policy
from ..run.config import Config
from ..run.train import History
from ..scaling import DynamicLossScale, StaticLossScale, is_representable
from ..shares import Share
from ..state import Phase
from .advice import Advice
from .checks import (
    check,
    complete,
    divides_by_second_moment,
    received_scale,
    rounds_updates_to_nearest,
    usual_rates,
    wider_accumulator,
    wider_than,
)
from .examine import as_advice
from .forecast import first_step
from .log_advice import advice_on
from .logs import Log
from .runs import read_run

WORTH_MENTIONING = 0.01
"""The least share of lost gradients that is mentioned."""

ABSORBED, MOSTLY = 0.2, 0.5
"""The least share of absorbed updates that is mentioned; and of a moving average, which moves little in the end."""


def diagnose(run: History | Log | str | Path) -> tuple[Advice, ...]:
    """What a run lost to rounding, why, and which options would help, each with its evidence.

    Parameters
    ----------
    run : History or path
        A history with its telemetry: nothing is known about steps that were not examined. Or a file: a checkpoint of
        `train`, or the log of a run elsewhere that `fp16sim.learn.recorder` wrote; or a folder with one such file.

    Returns
    -------
    tuple of Advice
        First what the configuration alone says (`check`), then what the run showed; one for each topic. Of a log, how
        the run died comes first, and no options of `train` are named.

    Raises
    ------
    ValueError
        If the file is no log or checkpoint, or is damaged. A log whose last line is cut off is read.

    Examples
    --------
    >>> from fp16sim.learn import train
    >>> print(diagnose(train("pure-binary16", epochs=1))[0])
    epsilon=1e-08 is 0 in binary16: where the second moment is 0 as well, a step is 0 / 0. Try --epsilon 0.0001.
    """
    if isinstance(run, (str, Path)):
        run = read_run(run)
    return advice_on(run) if isinstance(run, Log) else _of_history(run)


def _of_history(history: History) -> tuple[Advice, ...]:
    known = check(history.config)
    with np.errstate(all="ignore"):
        seen = [_completed(advice, history.config) for find in FINDERS if (advice := find(history)) is not None]
    said = GENERAL if history.death else ()
    seen += [
        as_advice(found, history.config.policy) for found in history.telemetry.findings if found.pattern not in said
    ]
    topics = {advice.topic for advice in seen}
    return (*(advice for advice in known if advice.topic not in topics), *seen)


def _completed(advice: Advice, config: Config) -> Advice:
    """The advice, with what else the changed run needs."""
    return replace(advice, change=complete(config, advice.change)) if advice.change else advice


def _surveys(history: History, *kinds: str) -> dict[str, Survey]:
    """What the microscope saw of the given kinds of tensors, by layer and by weight."""
    return {name: seen for (kind, name), seen in history.telemetry.surveys.items() if kind in kinds}


def _gradients(history: History) -> dict[str, Survey]:
    return _surveys(history, "activation gradient", "weight gradient")


def _weight_gradients(history: History) -> dict[str, Survey]:
    return _surveys(history, "weight gradient")


def _highest(surveys: dict[str, Survey]) -> int:
    """The largest exponent of all."""
    return max((seen.highest for seen in surveys.values() if seen.binades), default=0)


def _underflow(history: History) -> Advice | None:
    """Gradients that became 0, and the loss scale that would have saved them."""
    config, scale = history.config, history.config.make_loss_scale()
    fmt = config.policy.compute.fmt
    surveys = {name: seen for name, seen in _gradients(history).items() if seen.fmt == fmt and seen.finite}
    if not surveys or isinstance(scale, DynamicLossScale):
        return None
    name, worst = max(surveys.items(), key=lambda item: _missed(item[1]))
    shift = _best_shift(history, sum(surveys.values(), Survey(fmt)), scale.scale)
    if _missed(worst) < WORTH_MENTIONING or _missed(worst, shift) > _missed(worst) / 2:
        return None
    lost, left = (worst.fate(k).underflowed / worst.finite for k in (0, shift))
    better = scale.scale * 2.0**shift
    text = (
        f"{percent(lost)} of {name}'s gradients become zero in {fmt.name}: a loss scale of {power_of_two(better)} "
        f"would save all but {percent(left)}."
    )
    change: dict[str, Any] = {"loss_scale": better}
    if config.unscale and config.policy.gradient.fmt == fmt:
        change["unscale"] = False  # if they were divided again in the same format, they would be lost there
    return Advice("loss scale", text, change, {"lost": lost, "left": left, "shift": shift})


def _missed(seen: Survey, shift: int = 0) -> float:
    """The share of numbers that become 0 under 2^shift and are missed.

    A number that is 2^24 times as small as the largest of its tensor changes no sum with it, not even in binary32.
    """
    negligible = sum(n for e, n in seen.exponents.items() if e < seen.highest - 24)
    return max(seen.fate(shift).underflowed - negligible, 0) / seen.finite


def _best_shift(history: History, seen: Survey, scale: float) -> int:
    """The power of two by which the loss scale should grow so that the expected error is the smallest."""
    fmt = history.config.policy.loss.fmt
    shifts = [k for k in range(min(_headroom(history), 1023) + 1) if is_representable(scale * 2.0**k, fmt)]
    return seen.best_shift(shifts) if shifts else 0


def _saturated(history: History) -> Advice | None:
    """Gradients beyond the largest number of the format in which products take them, which they become."""
    seen, scale = history.telemetry.total("product cotangent"), history.config.make_loss_scale()
    if seen is None or not seen.finite or isinstance(scale, DynamicLossScale):
        return None
    lost, shift = seen.fate().overflowed / seen.finite, seen.best_shift()
    if lost < WORTH_MENTIONING or shift >= 0:
        return None
    better, largest = scale.scale * 2.0**shift, float(seen.fmt.max_finite)
    text = (
        f"{percent(lost)} of the gradients in products are beyond {largest:g}, the largest number of {seen.fmt.name}, "
        f"and become {largest:g}: the loss scale {power_of_two(scale.scale)} is too large."
    )
    return Advice("saturated gradients", text, {"loss_scale": better}, {"lost": lost})


def _delayed_saturation(history: History) -> Advice | None:
    """Factors of products beyond the largest of their format, because amax grew after the delayed scale was found."""
    factors, telemetry = history.config.factors, history.telemetry
    kinds = {kind: role for role, kind in FACTOR_KINDS.items()}
    rows = [row for row in telemetry.rows if row.kind in kinds and row.overflowed]
    if factors is None or factors.scaling != "delayed" or not rows:
        return None
    worst = max(rows, key=lambda row: row.overflowed / row.total)
    role, seen = kinds[worst.kind], telemetry.surveys[worst.kind, worst.name]
    beyond, share = seen.highest - seen.fmt.emax, worst.overflowed / worst.total
    if share < WORTH_MENTIONING and beyond < 2:
        return None
    needed = max(beyond + 1, 1)
    jumped = "the scale is 1 before an amax is known" if worst.step == 1 else "amax jumped"
    text = (
        f"At step {worst.step} {jumped}: the delayed scale saturated {worst.overflowed:,} of "
        f"{count(worst.total, f'{role} factor')} of {worst.name}. Of the examined steps, "
        f"{len({row.step for row in rows})} of {len({row.step for row in telemetry.rows})} have such factors."
    )
    change = replace(factors, margin=factors.margin + needed) if needed <= 3 else Factors.of("fp8-current")
    return Advice("delayed scale", text, {"factors": change}, {"saturated": share})


def _vanished_factors(history: History) -> Advice | None:
    """Gradients that become 0 as factors, in a format of less range than e5m2."""
    factors = history.config.factors
    if factors is None or factors.has_blocks or factors.backward.emin <= E5M2.emin:
        return None
    rows = [row for row in history.telemetry.rows if row.kind == FACTOR_KINDS["gradient"] and row.step > 1]
    lost, finite = sum(row.lost for row in rows), sum(row.total - row.zeros - row.nan for row in rows)
    if not finite or lost / finite < WORTH_MENTIONING:
        return None
    text = f"{percent(lost / finite)} of the gradients become 0 as factors of products in {factors.backward.name}."
    change = {"factors": replace(factors, backward=E5M2)}
    return Advice("vanished factors", text, change, {"lost": lost / finite})


def _headroom(history: History) -> int:
    """How many times the loss scale may be doubled before gradients, or their squares in the state, overflow."""
    config, fmt = history.config, history.config.policy.compute.fmt
    headroom = fmt.emax - _highest(_gradients(history))
    if divides_by_second_moment(config) and not (config.unscale and config.policy.gradient.fmt != fmt):
        top = (config.policy.state.fmt.emax + 1) // 2 - 1
        headroom = min(headroom, top - _highest(_weight_gradients(history)))
    return max(headroom, 0)


def _squares_overflow(history: History) -> Advice | None:
    """Gradients whose squares are infinite: the second moment stays infinite, and all later steps are 0."""
    config, fmt = history.config, history.config.policy.state.fmt
    edge, seen = first_step(config).overflowing, _received(history, math.ceil(math.log2(max(_scales(history)))))
    beyond, total = sum(n for e, n in seen.items() if 2.0**e >= edge), sum(seen.values())
    if not beyond:
        return None
    text = (
        f"The square of {percent(beyond / total)} of the weights' gradients is infinite in {fmt.name} (from {edge:g} "
        "on): their second moment stays infinite, and these weights no longer change."
    )
    smaller = received_scale(config) * edge / 2.0 ** (max(seen) + 2)
    change = {"policy": replace(config.policy, state="binary32")} if config.unscale else {"loss_scale": smaller}
    return Advice("second moment overflow", text, change, {"beyond": beyond / total})


def _second_moment(history: History) -> Advice | None:
    """Gradients whose second moment is 0 from the start."""
    config = history.config
    fmt, edge = config.policy.state.fmt, first_step(config).vanishing
    seen = _received(history, math.floor(math.log2(min(_scales(history)))))
    gone, total = _up_to(edge, seen), sum(seen.values())
    if not total or gone / total < 0.5 or edge < config.epsilon / 2:
        return None
    text = (
        f"The second moment of at least {percent(gone / total)} of the weights' gradients is 0 in {fmt.name} (of those "
        f"up to {edge:.2g}): their steps are divided by epsilon={config.epsilon:g} alone."
    )
    return Advice("second moment", text, _save_squares(history, edge), {"gone": gone / total, "edge": edge})


def _save_squares(history: History, edge: float) -> dict[str, Any]:
    """A loss scale that is not divided out again; or binary32 for the state, if no scale saves half of the squares."""
    config, seen = history.config, _received(history, 0)
    shift = min(_headroom(history), 10)
    scale = config.make_loss_scale().scale * 2.0**shift
    change = {"loss_scale": scale, "unscale": False}
    saved = _up_to(edge / 2.0**shift, seen) < sum(seen.values()) / 2 and is_representable(scale, config.policy.loss.fmt)
    return (
        change if saved and complete(config, change) == change else {"policy": replace(config.policy, state="binary32")}
    )


def _up_to(edge: float, seen: Mapping[int, int]) -> int:
    """How many numbers are in binades that end at an edge or below it."""
    return sum(n for e, n in seen.items() if 2.0 ** (e + 1) <= edge)


def _received(history: History, doublings: int) -> dict[int, int]:
    """How many gradients of weights have each exponent when the optimizer receives them.

    They were seen before they were divided by the loss scale, 2^doublings, if the run does that.
    """
    found: Counter[int] = Counter()
    for seen in _weight_gradients(history).values():
        found.update({e - doublings * history.config.unscale: n for e, n in seen.exponents.items()})
    return found


def _scales(history: History) -> list[float]:
    """All loss scales of the run."""
    return [scale for _, scale in history.telemetry.scales] or [1.0]


def _absorbed(history: History) -> Advice | None:
    """Updates too small to change their weight."""
    config = history.config
    share = _share(history, "absorbed_updates")
    if share is None or share < ABSORBED or not rounds_updates_to_nearest(config) or _divergence(history):
        return None
    formats = joined(dict.fromkeys(config.policy.weights_of(name).fmt.name for name in history.params))
    text = f"{percent(share)} of the updates were too small to change their weight in {formats} (absorption)"
    worst = _least_arrived(history.telemetry.rows)
    text += f"; of {worst[1]}'s last step {percent(worst[0])} arrived." if worst else "."
    return Advice("absorbed updates", text, {"update": "kahan"}, {"absorbed": share})


def _accumulated(history: History) -> Advice | None:
    """Gradients of micro-batches that were too small to change the sum of those before them."""
    config, share = history.config, _share(history, "absorbed_gradients")
    if share is None or share < ABSORBED:
        return None
    fmt = config.accumulation.fmt
    text = (
        f"{percent(share)} of the gradients that were added up over {config.accumulate} micro-batches were too "
        f"small to change the sum in {fmt.name} (absorption)."
    )
    return Advice("accumulated gradients", text, {"accumulate_in": wider_than(fmt)}, {"absorbed": share})


def _average(history: History) -> Advice | None:
    """A moving average of the weights that hardly moves."""
    config, share = history.config, _share(history, "absorbed_average")
    if share is None or share < MOSTLY:
        return None
    fmt = config.average_of(next(iter(history.params))).fmt
    text = (
        f"{percent(share)} of the updates of the moving average were too small to change it in {fmt.name} "
        "(absorption): it does not follow the weights."
    )
    return Advice("moving average", text, {"ema_in": wider_than(fmt)}, {"absorbed": share})


def _share(history: History, name: str) -> float | None:
    return sum((getattr(epoch, name) for epoch in history.epochs), Share()).value


def _least_arrived(rows: list[TensorCounts]) -> tuple[float, str] | None:
    """Of each weight's last step that was examined: the least that arrived, and the name of its weight."""
    last = {row.name: row.arrived for row in rows if row.arrived is not None}
    return min(((arrived, name) for name, arrived in last.items()), default=None)


def _skipped(history: History) -> Advice | None:
    """More skipped steps than a search for the right scale needs."""
    config, scales = history.config, _scales(history)
    searching = sum(step == k for k, step in enumerate(history.telemetry.skipped, start=1))
    skipped = len(history.telemetry.skipped) - searching
    if history.death or history.steps < 100 or skipped / history.steps < 0.05:
        return None
    text = f"{percent(skipped / history.steps)} of the steps were skipped because a gradient was not finite"
    grown = sum(after > before for before, after in pairwise(scales))
    if 2 * grown >= skipped:
        text += f", and the loss scale was doubled {count(grown, 'time')}: it grows too often."
        return Advice("skipped steps", text, {"growth_interval": 4 * config.growth_interval}, {"skipped": skipped})
    if any(not math.isfinite(epoch.loss or 0) for epoch in history.epochs):
        text += ": the loss was not finite either, and no loss scale changes that."
    else:
        text += f", and the loss scale fell to {power_of_two(scales[-1])}: the gradients become larger and larger."
    return Advice("skipped steps", text, {"lr": _lower_rate(config)}, {"skipped": skipped})


def _lower_rate(config: Config) -> float:
    """A tenth of the learning rate, or a usual one if that is lower still."""
    return min(config.lr / 10, usual_rates(config)[0])


def _divergence(history: History) -> Advice | None:
    """A run with a high learning rate whose loss is larger at the end than that of a guess."""
    config, loss, last = history.config, history.epochs[-1].loss, list(history.params.values())[-1]
    if config.loss.name != "cross_entropy":
        return None
    classes = config.model.classes if isinstance(config.model, Bound) else last.shape[-1]
    guess = math.log(len(config.gpt.vocabulary) if config.model == "gpt" else classes)
    if loss is None or not guess < loss < math.inf or config.l1 or config.l2 or not _has_high_rate(config):
        return None
    text = (
        f"At the end the loss is {loss:.3g}, and that of a guess is {guess:.3g}: with the learning rate {config.lr:g} "
        "the run diverges."
    )
    return Advice("learning rate", text, {"lr": _lower_rate(config)}, {"loss": loss})


def _has_high_rate(config: Config) -> bool:
    return config.lr > 10 * usual_rates(config)[0]


# --- how a run died -------------------------------------------------------------------------------------------------


def _overflow(history: History) -> Advice | None:
    """A run that died because gradients overflowed under a loss scale that never becomes smaller."""
    death, config, scale = history.death, history.config, history.config.make_loss_scale()
    if death is None or not isinstance(scale, StaticLossScale) or scale.scale <= 1:
        return None
    cause = death.cause
    in_state = death.phase is Phase.OPTIMIZER and abs(cause.operands[0]) > cause.largest
    if death.phase not in _GRADIENTS and not in_state:
        return None
    text = f"Gradients overflowed under the loss scale {power_of_two(scale.scale)}: {death}."
    change: dict[str, Any] = {"loss_scale": "dynamic", "unscale": True}
    if _weights_changed(history) and _has_high_rate(config):
        change["lr"] = _lower_rate(config)  # no loss scale saves a run that diverges
    return Advice("gradient overflow", text, change, {"scale": scale.scale})


_GRADIENTS = (Phase.SCALING, Phase.BACKWARD, Phase.UNSCALING)

_OVERFLOWED = {
    Phase.FORWARD: "Activations",
    Phase.LOSS: "Numbers in the loss",
    Phase.SCALING: "The loss scale",
    Phase.BACKWARD: "Gradients",
    Phase.UNSCALING: "Gradients",
    Phase.OPTIMIZER: "Steps",
    Phase.UPDATE: "Weights",
}
"""What overflowed, by phase."""


def _explosion(history: History) -> Advice | None:
    """A run that died of numbers that had become too large, or were so from the start."""
    death, config = history.death, history.config
    if death is None or _overflow(history) or (death.phase is Phase.OPTIMIZER and complete(config, {})):
        return None
    text = f"{_OVERFLOWED[death.phase]} overflowed: {death}."
    if _weights_changed(history) or death.phase in (Phase.OPTIMIZER, Phase.UPDATE):
        return Advice("learning rate", text, {"lr": _lower_rate(config)}, {"lr": config.lr})
    text += " No weight had changed yet, so the learning rate is not the cause."
    narrow = death.cause.largest < float(BFLOAT16.max_finite)
    return Advice("range", text, {"policy": _with_more_range(config.policy)} if narrow else {})


def _weights_changed(history: History) -> bool:
    """Whether a step was taken before the one in which the run died."""
    death, skipped = history.death, history.telemetry.skipped
    return death is not None and death.step - 1 > len(set(skipped) - {death.step})


def _with_more_range(policy: Policy) -> Policy:
    """The policy with bfloat16 instead of each format with less range; the factors of products saturate instead."""
    given = {name: getattr(policy, name) for name in PRECISIONS if name not in ("operand", "cotangent")}
    narrow = [name for name, p in given.items() if p is not None and p.fmt.emax < BFLOAT16.emax]
    wider = {name: given[name]._replace(fmt=BFLOAT16) for name in narrow}
    return replace(policy, **wider, accumulator=wider_accumulator(policy))


FINDERS: tuple[Callable[[History], Advice | None], ...] = (
    _overflow,
    _explosion,
    _underflow,
    _saturated,
    _delayed_saturation,
    _vanished_factors,
    _squares_overflow,
    _second_moment,
    _absorbed,
    _accumulated,
    _average,
    _skipped,
    _divergence,
)
