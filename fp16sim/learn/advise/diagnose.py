"""What to do about a run, from what it showed: each advice with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...formats import Format
from ...wording import percent, power_of_two
from ..observe.exponents import Survey
from ..observe.telemetry import TensorCounts
from ..run.train import History
from ..scaling import DynamicLossScale, is_representable
from ..state import Phase, Share
from .advice import Advice
from .checks import check, divides_by_second_moment, squares_vanish_below

WORTH_MENTIONING = 0.01
"""The least share of lost gradients that is mentioned."""


def diagnose(history: History) -> tuple[Advice, ...]:
    """What a run lost to rounding, why, and which options would help, each with its evidence.

    Parameters
    ----------
    history : History
        With its telemetry: nothing is known about steps that were not examined.

    Returns
    -------
    tuple of Advice
        First what the configuration alone says (`check`), then what the run showed; one for each topic.

    Examples
    --------
    >>> from fp16sim.learn import train
    >>> print(diagnose(train("pure-binary16", epochs=1))[0])
    epsilon=1e-08 is 0 in binary16: where the second moment is 0 as well, a step is 0 / 0. Try --epsilon 0.0001.
    """
    known = check(history.config)
    seen = [advice for find in FINDERS if (advice := find(history)) is not None]
    topics = {advice.topic for advice in seen}
    return (*(advice for advice in known if advice.topic not in topics), *seen)


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
    name, worst = max(surveys.items(), key=lambda item: item[1].fate().underflowed / item[1].finite)
    shift = _best_shift(history, sum(surveys.values(), Survey(fmt)), scale.scale)
    lost, left = (worst.fate(k).underflowed / worst.finite for k in (0, shift))
    if lost < WORTH_MENTIONING or left > lost / 2:
        return None
    better = scale.scale * 2.0**shift
    text = (
        f"{percent(lost)} of {name}'s gradients become zero in {fmt.name}: a loss scale of {power_of_two(better)} "
        f"would save all but {percent(left)}."
    )
    change: dict[str, Any] = {"loss_scale": better}
    if config.unscale and config.policy.gradient.fmt == fmt and config.optimizer != "sgd":
        change["unscale"] = False  # if they were divided again in the same format, they would be lost there
    return Advice("loss scale", text, change, {"lost": lost, "left": left, "shift": shift})


def _best_shift(history: History, seen: Survey, scale: float) -> int:
    """The power of two by which the loss scale should grow so that the expected error is the smallest."""
    fmt = history.config.policy.loss.fmt
    shifts = [k for k in range(_headroom(history) + 1) if is_representable(scale * 2.0**k, fmt)]
    return seen.best_shift(shifts) if shifts else 0


def squares_overflow_from(fmt: Format) -> float:
    """The power of two from which on squares are beyond max_finite."""
    return 2.0 ** ((fmt.emax + 1) // 2)


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
    scale = config.make_loss_scale().scale
    if not divides_by_second_moment(config) or scale <= 1:
        return None
    edge, surveys = squares_overflow_from(fmt), _weight_gradients(history)
    beyond = sum(n for seen in surveys.values() for e, n in seen.exponents.items() if 2.0**e >= edge)
    total = sum(seen.finite for seen in surveys.values())
    if not beyond:
        return None
    smaller = scale * edge / 2.0 ** (_highest(surveys) + 2)
    text = (
        f"The square of {percent(beyond / total)} of the weights' gradients is infinite in {fmt.name} (from {edge:g} "
        f"on): their second moment stays infinite, and these weights no longer change."
    )
    return Advice("second moment overflow", text, {"loss_scale": smaller}, {"beyond": beyond / total})


def _overflow(history: History) -> Advice | None:
    """A run that died because gradients overflowed."""
    death, scale = history.death, history.config.make_loss_scale().scale
    if death is None or death.phase not in (Phase.SCALING, Phase.BACKWARD, Phase.UNSCALING) or scale <= 1:
        return None
    text = f"Gradients overflowed under the loss scale {power_of_two(scale)}: {death}."
    return Advice("gradient overflow", text, {"loss_scale": "dynamic", "unscale": True}, {"scale": scale})


def _explosion(history: History) -> Advice | None:
    """A run that died in the forward pass or in the loss: the weights had become too large."""
    death, config = history.death, history.config
    if death is None or death.phase not in (Phase.FORWARD, Phase.LOSS):
        return None
    what = "Activations" if death.phase is Phase.FORWARD else "Numbers in the loss"
    text = f"{what} overflowed: {death}."
    return Advice("learning rate", text, {"lr": config.lr / 10}, {"lr": config.lr})


def _second_moment(history: History) -> Advice | None:
    """Gradients whose squares are 0, so that the second moment is 0 too."""
    config = history.config
    if not divides_by_second_moment(config):
        return None
    fmt = config.policy.state.fmt
    weights = _weight_gradients(history)
    total = sum(seen.finite for seen in weights.values())
    edge = squares_vanish_below(fmt)
    gone = sum(n for seen in weights.values() for e, n in seen.exponents.items() if 2.0 ** (e + 1) <= edge)
    if not total or gone / total < 0.5 or edge / config.epsilon < 0.5:
        return None
    text = (
        f"The square of at least {percent(gone / total)} of the weights' gradients is 0 in {fmt.name} (those below "
        f"{edge:.2g}): their steps are divided by epsilon={config.epsilon:g} alone."
    )
    return Advice("second moment", text, _larger_scale(history), {"gone": gone / total, "edge": edge})


def _larger_scale(history: History) -> dict[str, Any]:
    config = history.config
    shift = min(_headroom(history), 10)
    scale = config.make_loss_scale().scale * 2.0**shift
    return {"loss_scale": scale, "unscale": False} if shift and is_representable(scale, config.policy.loss.fmt) else {}


def _absorbed(history: History) -> Advice | None:
    """Updates too small to change their weight."""
    config = history.config
    share = sum((epoch.absorbed_updates for epoch in history.epochs), Share()).value
    if share is None or share < 0.2 or config.update != "plain":
        return None
    fmt = config.policy.weights.fmt
    text = f"{percent(share)} of the updates were too small to change their weight in {fmt.name} (absorption)"
    worst = _least_arrived(history.telemetry.rows)
    text += f"; of {worst[1]}'s last step {percent(worst[0])} arrived." if worst else "."
    return Advice("absorbed updates", text, {"update": "kahan"}, {"absorbed": share})


def _least_arrived(rows: list[TensorCounts]) -> tuple[float, str] | None:
    """Of each weight's last step that was examined: the least that arrived, and the name of its weight."""
    last = {row.name: row.arrived for row in rows if row.arrived is not None}
    return min(((arrived, name) for name, arrived in last.items()), default=None)


def _skipped(history: History) -> Advice | None:
    """More skipped steps than a search for the right scale needs."""
    skipped = sum(epoch.skipped for epoch in history.epochs)
    if history.steps < 100 or skipped / history.steps < 0.05:
        return None
    text = (
        f"{percent(skipped / history.steps)} of the steps were skipped because a gradient was not finite: the loss "
        "scale grows too often, or the run diverges."
    )
    return Advice("skipped steps", text, {"growth_interval": 2 * history.config.growth_interval}, {"skipped": skipped})


FINDERS: tuple[Callable[[History], Advice | None], ...] = (
    _overflow,
    _explosion,
    _underflow,
    _squares_overflow,
    _second_moment,
    _absorbed,
    _skipped,
)
