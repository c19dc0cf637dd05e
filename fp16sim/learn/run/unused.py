"""Options without effect on a run, and why: whoever gives one is told so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...wording import joined, quoted
from .config import OPTIMIZERS, Config

UNUSED = {
    "sgd": ("epsilon", "beta1", "beta2", "bias_correction", "weight_decay"),
    "rmsprop": ("momentum", "beta1", "bias_correction", "weight_decay"),
    "adam": ("momentum", "weight_decay"),
    "adamw": ("momentum",),
}
"""By optimizer: the options of Config that it does not use."""


LAYERS = {
    "cnn": "the layers of the cnn are fixed, those of the mlp are not (model, --model)",
    "gpt": "the language model has blocks, whose sizes are options (gpt, --blocks, --width, --hidden)",
}
OF_TEXTS = "a text has no pixels, and its last tenth is kept to test on"


def unused(config: Config) -> dict[str, str]:
    """By name: the options of Config that have no effect on this run, each with the reason.

    >>> unused(Config("binary16", optimizer="rmsprop", loss_scale="dynamic", unscale=True))["momentum"]
    'rmsprop does not use it, sgd does (optimizer, --optimizer)'
    """
    found = {name: _by_optimizer(config.optimizer, name) for name in UNUSED[config.optimizer]}
    if config.model != "mlp":
        found["layers"] = LAYERS.get(str(config.model), "a model of your own has its own layers")
    if config.model == "gpt":
        found |= dict.fromkeys(("normalisation", "validation"), OF_TEXTS)
    else:
        found["gpt"] = "these options are those of the language model (model='gpt', --model gpt)"
    if config.accumulate == 1:
        found["accumulate_in"] = "a batch is taken in one part, and nothing is added up (accumulate, --accumulate)"
    if not config.ema:
        found["ema_in"] = "there is no moving average of the weights (ema, --ema)"
    if config.schedule == "constant":
        reason = "the learning rate falls only by a schedule (schedule, --schedule cosine)"
        found |= dict.fromkeys(("decay_steps", "final_lr"), reason)
    if not config.decay_every:
        found["decay_factor"] = "the learning rate does not change without decay_every (--decay-every)"
    if config.loss_scale != "dynamic":
        found["growth_interval"] = "only a dynamic loss scale grows (loss_scale, --loss-scale dynamic)"
        if config.make_loss_scale().scale == 1:
            found["unscale"] = "there is no loss scale to divide by (loss_scale, --loss-scale)"
    return found


def _by_optimizer(optimizer: str, name: str) -> str:
    users = [other for other in OPTIMIZERS if name not in UNUSED[other]]
    return f"{optimizer} does not use it, {joined(users)} {'do' if len(users) > 1 else 'does'} (optimizer, --optimizer)"


def refuse_unused(configs: Sequence[Config], given: Iterable[str]) -> list[str]:
    """What to say about options that were given and have an effect on some of the runs only.

    Raises
    ------
    ValueError
        If one has no effect on any.
    """
    reasons, notes = [unused(config) for config in configs], []
    for name in given:
        without = [config.label for config, why in zip(configs, reasons, strict=True) if name in why]
        if without and len(without) == len(configs):
            value = quoted(getattr(configs[0], name))
            raise ValueError(f"{name}={value} would have no effect: {reasons[0][name]}; leave it out")
        if without:
            notes.append(f"{name} has no effect on {joined(without)}")
    return notes
