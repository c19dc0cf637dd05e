"""The command line that repeats a run, with some options changed."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from ..learn import RECIPES, Config, GPTConfig, get_config
from ..learn.data.text import PREFIX
from ..learn.model.own import LOSSES
from ..learn.precision import Policy
from ..learn.run.unused import unused


def command(config: Config, **change: Any) -> str:
    """The shortest command that runs a configuration with some options changed.

    The command line reads it back as that same configuration, but for options that have no effect on it.

    >>> from fp16sim.learn import get_config
    >>> command(get_config("pure-binary16", data="mnist", model="cnn"), epsilon=1e-4)
    'fp16sim train --data mnist --model cnn --recipe pure-binary16 --epsilon 0.0001'
    """
    wanted = get_config(config, **change)
    if not isinstance(wanted.model, str):
        return _call(wanted)
    base = _recipe(wanted)
    first = ("policy", str(wanted.policy)) if base is None else ("recipe", wanted.recipe)
    data = ("text", wanted.data.removeprefix(PREFIX)) if wanted.data.startswith(PREFIX) else ("data", wanted.data)
    parts = [data, ("model", wanted.model), first, *_options(wanted, base)]
    return " ".join(["fp16sim train", *(_option(name, value) for name, value in parts)])


def _call(wanted: Config) -> str:
    """The call in Python, for a model that the command line does not have."""
    base = _recipe(wanted)
    first = repr(wanted.recipe) if base else f"Config({str(wanted.policy)!r})"
    options = [(name, value) for name, value in _options(wanted, base) if name != "loss"]
    parts = [first, "data", "model=model", *([] if wanted.loss.name in LOSSES else ["loss=loss"])]
    return f"fs.learn.train({', '.join([*parts, *(f'{name}={value!r}' for name, value in options)])})"


def _recipe(wanted: Config) -> Config | None:
    """The configuration of its recipe alone; None if it has no recipe, or another policy than the recipe's."""
    if wanted.recipe not in RECIPES:
        return None
    base = get_config(wanted.recipe, data=wanted.data, model=wanted.model)
    return base if _without_accumulator(base.policy) == _without_accumulator(wanted.policy) else None


def _without_accumulator(policy: Policy) -> dict[str, Any]:
    return {field.name: getattr(policy, field.name) for field in fields(policy) if field.name != "accumulator"}


BY_DATA = ("layers", "epochs", "lr")
"""Without a recipe the command line chooses these by the data, so the command always states them."""


def _options(wanted: Config, base: Config | None) -> list[tuple[str, Any]]:
    """The options whose values differ from those that the command has by itself."""
    usual, parts, without = base or Config(wanted.policy), [], unused(wanted)
    always = () if base else (*BY_DATA, *(["batch"] if wanted.model == "gpt" else []))
    if base is None or base.policy.accumulator != wanted.policy.accumulator:
        parts.append(("accumulator", wanted.policy.accumulator))
    for field in fields(Config):
        value = getattr(wanted, field.name)
        if field.name == "gpt" and wanted.model == "gpt":
            parts += _of_language_model(value)
        named = field.name not in ("policy", "recipe", "data", "model", "gpt", *without)
        if named and (value != getattr(usual, field.name) or field.name in always):
            parts.append((field.name, value))
    return parts


def _of_language_model(wanted: GPTConfig) -> list[tuple[str, Any]]:
    """Its options that are not the default."""
    usual = GPTConfig() if wanted.attention == "online" else GPTConfig(tile=wanted.tile)
    names = [f.name for f in fields(GPTConfig) if f.name != "vocabulary"]
    return [(name, getattr(wanted, name)) for name in names if getattr(wanted, name) != getattr(usual, name)]


def _option(name: str, value: Any) -> str:
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{'' if value else 'no-'}{dashed}"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if str(value).startswith("-"):
        return f"--{dashed}={shlex.quote(str(value))}"
    return f"--{dashed} {shlex.quote(_number(value) if isinstance(value, float) else str(value))}"


def _number(x: float) -> str:
    short = f"{x:g}"
    return short if float(short) == x else repr(x)
