"""The settings that matter, for the lines under a table: those that runs share, and those in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from .config import Config
from .recipes import RECIPES
from .unused import UNUSED, unused

MAIN = ("optimizer", "lr", "momentum", "epsilon", "weight decay", "batch", "epochs", "loss scale", "accumulator")
"""These are always said; the others where a run differs from the default or from its recipe, or where runs differ."""

_APART = ("policy", "recipe", "data", "optimizer", "loss_scale", "unscale", "growth_interval")
"""Options that name the run, or that are said in another way."""


@dataclass(frozen=True)
class Settings:
    """The settings of several runs, as text.

    Attributes
    ----------
    common : dict of str to str
        Those that all runs share.
    differing : dict of str to tuple of str
        The others, with the text of each run.
    """

    common: dict[str, str]
    differing: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        """What the runs share, in one line."""
        return ", ".join(f"{name} {text}" for name, text in self.common.items())


def settings_of(config: Config) -> dict[str, str]:
    """The settings of one run: the main ones, and those that are not the default.

    Examples
    --------
    >>> from fp16sim.learn import get_config
    >>> for name, text in settings_of(get_config("pure-binary16-scaled")).items():
    ...     print(f"{name}: {text}")
    optimizer: adam
    lr: 0.001
    epsilon: 0.0001
    batch: 32
    epochs: 20
    loss scale: 1024 (not divided out)
    accumulator: sequential
    beta2: 0.999
    """
    return compare_settings([config]).common


def compare_settings(configs: Sequence[Config]) -> Settings:
    """What several runs share, and where they differ; a setting that a run does not use is "-" there.

    Examples
    --------
    >>> found = compare_settings([Config("binary16"), Config("bfloat16", lr=1e-3)])
    >>> print(found)
    optimizer adam, epsilon 0.0001, batch 64, epochs 20, loss scale 1024 (not divided out), accumulator sequential
    >>> found.differing
    {'lr': ('0.01', '0.001')}
    """
    each, usual = [_used(config) for config in configs], _used(Config())
    changed = {name for config in configs for name in _changed(config)}
    common, differing = {}, {}
    for name in dict.fromkeys(name for one in each for name in one):
        texts = tuple(one.get(name, "-") for one in each)
        values = set(texts) - {"-"} if name not in MAIN else set(texts)
        if len(values) > 1:
            differing[name] = texts
        elif name in MAIN or name in changed or values != {usual.get(name)}:
            (common[name],) = values
    return Settings(common, differing)


BY_MODEL = {"mlp": ("gpt",), "gpt": ("layers", "normalisation", "validation")}
"""By model: the options about models and data that it does not use."""


def _used(config: Config) -> dict[str, str]:
    """All settings that the run uses, as text, the main ones first."""
    by_model = {"mlp": ("gpt",), "gpt": ("layers", "normalisation", "validation")}.get(
        str(config.model), ("layers", "gpt")
    )
    unused = (*_APART, *UNUSED[config.optimizer], *by_model)
    options = {f.name.replace("_", " "): getattr(config, f.name) for f in fields(Config) if f.name not in unused}
    options |= {"optimizer": config.optimizer, "loss scale": _loss_scale(config)}
    options |= {"accumulator": config.policy.accumulator}
    first = [name for name in MAIN if name in options]
    return {name: _text(options[name]) for name in dict.fromkeys((*first, *options))}


def _changed(config: Config) -> set[str]:
    """The settings in which a run has not what the name of its recipe says."""
    recipe = RECIPES.get(config.recipe)
    options = recipe.options if recipe else {}
    return {name.replace("_", " ") for name, value in options.items() if getattr(config, name) != value}


def without_effect(config: Config) -> dict[str, str]:
    """Options of a Config that were changed and have no effect on the run, each with the reason.

    `get_config` and `train` refuse them among their own options; a Config that is made directly may have them.

    >>> without_effect(Config("binary16", momentum=0.5))
    {'momentum': 'adam does not use it, sgd does (optimizer, --optimizer)'}
    """
    # A recipe with other formats has lost its name, and still has its options.
    recipes = [RECIPES[config.recipe]] if config.recipe in RECIPES else [*RECIPES.values()]
    usual = {
        f.name: [f.default, *(recipe.options[f.name] for recipe in recipes if f.name in recipe.options)]
        for f in fields(Config)
    }
    apart = ("layers",) if config.data != "digits" else ()
    return {
        name: why
        for name, why in unused(config).items()
        if name not in apart and getattr(config, name) not in usual[name]
    }


def _loss_scale(config: Config) -> str:
    if config.loss_scale == "dynamic":
        return f"dynamic (doubles after {config.growth_interval} steps)"
    if config.make_loss_scale().scale == 1:
        return "none"
    return f"{_text(config.loss_scale)} ({'divided out' if config.unscale else 'not divided out'})"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " x ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value) or "default"
