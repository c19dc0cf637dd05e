"""From what a run showed to what to do about it: each piece of advice with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..observe.exponents import Survey
from ..observe.telemetry import Row, Share
from ..run.train import History
from ..scaling import DynamicLossScale, held
from .advice import Advice, percent, power
from .checks import check, squares_vanish_below

Found = Advice | None

WORTH_SAYING = 0.01
"""The share of gradients lost from which on it is worth a word."""


def diagnose(history: History) -> tuple[Advice, ...]:
    """What a run lost to rounding, why, and which options would help, each with its evidence.

    Parameters
    ----------
    history : History
        With its telemetry: what was not looked at cannot be told.

    Returns
    -------
    tuple of Advice
        First what is known from the configuration alone (`check`), then what was seen; one for each topic.

    Examples
    --------
    >>> from fp16sim.learn import train
    >>> print(diagnose(train("pure-binary16", epochs=1))[0])
    epsilon=1e-08 is 0 in binary16: where the second moment is 0 as well, a step is 0 / 0. Try --epsilon 0.0001.
    """
    known = check(history.config)
    seen = [advice for look in LOOKS if (advice := look(history)) is not None]
    topics = {advice.topic for advice in seen}
    return (*(advice for advice in known if advice.topic not in topics), *seen)


def _gradients(history: History) -> dict[str, Survey]:
    """What the vjps would have been, by layer and by weight."""
    surveys = history.telemetry.surveys
    return {name: seen for (kind, name), seen in surveys.items() if "gradient" in kind}


def _together(surveys: dict[str, Survey], fmt: Any) -> Survey:
    total = Survey(fmt)
    for seen in surveys.values():
        total = total + seen if seen.fmt == fmt else total
    return total


def _underflow(history: History) -> Found:
    """Gradients that became 0, and the loss scale that would have saved them."""
    config, surveys = history.config, _gradients(history)
    fmt = config.policy.compute.fmt
    layers = {name: seen for name, seen in surveys.items() if seen.fmt == fmt and seen.finite}
    if not layers or isinstance(config.make_loss_scale(), DynamicLossScale):
        return None
    name, worst = max(layers.items(), key=lambda item: item[1].fate().underflowed / item[1].finite)
    lost = worst.fate().underflowed / worst.finite
    if lost < WORTH_SAYING:
        return None
    now = config.make_loss_scale().scale
    shifts = [k for k in range(_room(history) + 1) if held(now * 2.0**k, config.policy.loss.fmt)]
    shift = _together(layers, fmt).best_shift(shifts) if shifts else 0
    if shift == 0:
        return None
    left = worst.fate(shift).underflowed / worst.finite
    if left > lost / 2:
        return None
    text = (
        f"{percent(lost)} of {name}'s gradients become zero in {fmt.name}: a loss scale of {power(now * 2.0**shift)} "
        f"would save all but {percent(left)}."
    )
    change: dict[str, Any] = {"loss_scale": now * 2.0**shift}
    if config.unscale and config.policy.gradient.fmt == fmt and config.optimizer != "sgd":
        change["unscale"] = False  # divided again in the same format, they would be lost after all
    return Advice("loss scale", text, change, {"lost": lost, "left": left, "shift": shift})


def _weight_gradients(history: History) -> dict[str, Survey]:
    return {name: seen for (kind, name), seen in history.telemetry.surveys.items() if kind == "weight gradient"}


def squares_overflow_from(fmt: Any) -> float:
    """Numbers from this one on have a square beyond max_finite, to the accuracy of a binade."""
    return 2.0 ** ((fmt.emax + 1) // 2)


def _room(history: History) -> int:
    """By how many powers of two the loss scale may grow before gradients, or their squares in the state, overflow."""
    config, fmt = history.config, history.config.policy.compute.fmt
    room = fmt.emax - max((seen.highest for seen in _gradients(history).values() if seen.binades), default=0)
    if config.optimizer != "sgd" and not (config.unscale and config.policy.gradient.fmt != fmt):
        top = (config.policy.state.fmt.emax + 1) // 2 - 1
        highest = max((seen.highest for seen in _weight_gradients(history).values() if seen.binades), default=0)
        room = min(room, top - highest)
    return max(room, 0)


def _squares_overflow(history: History) -> Found:
    """Gradients whose squares are infinite: the second moment stays infinite, and the steps are 0 for ever."""
    config, fmt = history.config, history.config.policy.state.fmt
    if config.optimizer == "sgd" or config.make_loss_scale().scale <= 1:
        return None
    edge, surveys = squares_overflow_from(fmt), _weight_gradients(history)
    beyond = sum(n for seen in surveys.values() for e, n in seen.exponents.items() if 2.0**e >= edge)
    total = sum(seen.finite for seen in surveys.values())
    if not beyond:
        return None
    scale = config.make_loss_scale().scale
    highest = max(seen.highest for seen in surveys.values() if seen.binades)
    smaller = scale * edge / 2.0 ** (highest + 2)
    text = (
        f"The square of {percent(beyond / total)} of the weights' gradients is infinite in {fmt.name} (from {edge:g} "
        f"on): their second moment stays infinite, and their weights stay where they are."
    )
    return Advice("second moment overflow", text, {"loss_scale": smaller}, {"beyond": beyond / total})


def _overflow(history: History) -> Found:
    """A run that died because gradients left the format at the top."""
    death, config = history.death, history.config
    if death is None or not death.tensor.startswith("the gradient") or "vanish" in death.reason:
        return None
    scale = config.make_loss_scale().scale
    if scale <= 1:
        return None
    text = f"Gradients overflowed under the loss scale {power(scale)}: {death}."
    change = {"loss_scale": "dynamic", "unscale": True}
    return Advice("gradient overflow", text, change, {"scale": scale})


def _explosion(history: History) -> Found:
    """A run that died in the forward pass: the weights had become too large."""
    death, config = history.death, history.config
    if death is None or "forward pass" not in death.reason:
        return None
    text = f"Activations left the format: {death}."
    return Advice("learning rate", text, {"lr": config.lr / 10}, {"lr": config.lr})


def _second_moment(history: History) -> Found:
    """Gradients whose squares are 0, so that Adam's second moment does not know of them."""
    config = history.config
    if config.optimizer == "sgd":
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
    shift = min(_room(history), 10)
    scale = config.make_loss_scale().scale * 2.0**shift
    return {"loss_scale": scale, "unscale": False} if shift and held(scale, config.policy.loss.fmt) else {}


def _absorbed(history: History) -> Found:
    """Steps that left their weights as they were."""
    config = history.config
    share = sum((epoch.absorbed_updates for epoch in history.epochs), Share())
    if float(share) < 0.2 or config.update != "plain":
        return None
    rows = [row for row in history.telemetry.rows if row.kind == "step"]
    fmt = config.policy.weights.fmt
    text = f"{percent(float(share))} of the steps left their weight as it was in {fmt.name}"
    worst = _least_arrived(rows)
    text += f"; of {worst.name}'s last step {percent(worst.arrived)} arrived." if worst else "."
    change = {"update": "kahan"}
    return Advice("absorbed updates", text, change, {"absorbed": float(share)})


def _least_arrived(rows: list[Row]) -> Row | None:
    last = {row.name: row for row in rows}
    return min(last.values(), key=lambda row: row.arrived, default=None)


def _skipped(history: History) -> Found:
    """More skipped steps than finding the scale takes."""
    skipped = sum(epoch.skipped for epoch in history.epochs)
    if history.steps < 100 or skipped / history.steps < 0.05:
        return None
    text = (
        f"{percent(skipped / history.steps)} of the steps were skipped, since a gradient was not finite: the loss "
        "scale grows too eagerly, or the run diverges."
    )
    return Advice("skipped steps", text, {"growth_interval": 2 * history.config.growth_interval}, {"skipped": skipped})


LOOKS: tuple[Callable[[History], Found], ...] = (
    _overflow,
    _explosion,
    _underflow,
    _squares_overflow,
    _second_moment,
    _absorbed,
    _skipped,
)
