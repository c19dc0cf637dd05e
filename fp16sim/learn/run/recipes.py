"""Recipes: the usual ways to train, as bundles of options with names. An option that is given replaces the recipe's.

No recipe has the name of a format. A run that is named "binary32" is a run of the main job, which compares formats in
one setting, that of Config's defaults; a recipe has settings of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from ...formats import get_format
from ...wording import did_you_mean, quoted
from ..data import Dataset, Text
from ..factors import FACTORS, Factors
from ..model.models import Network
from ..model.own import Bound
from ..model.transformer import GPTConfig
from ..precision import Policy, PolicyLike
from ..records import refuse_unknown
from .config import Config
from .unused import refuse_unused, unused

OPTIONS = (*(field.name for field in fields(Config)), "accumulator")
"""What `get_config` can replace."""


class Recipe(NamedTuple):
    """A bundle of options of Config, and a line about it.

    `fatal` names an option that is too small or too near 1 for the format, so that the run is expected to die.
    """

    description: str
    options: Mapping[str, Any]
    fatal: str = ""


_AS_PUBLISHED: dict[str, Any] = {
    "lr": 1e-3,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "loss_scale": "none",
    "unscale": True,
    "constants": "rounded",
    "epochs": 1,
    "batch": 32,
}
"""Adam as in papers and tutorials, without anything that helps a narrow format."""

_WIDE: dict[str, Any] = {
    "loss": "binary32",
    "gradient": "binary32",
    "state": "binary32",
    "master": "binary32",
    "accumulator": "blas",
}
"""Of mixed precision: what stays in binary32."""


def _recipe(description: str, policy: Policy, fatal: str = "", **options: Any) -> Recipe:
    return Recipe(description, {**_AS_PUBLISHED, "policy": policy, **options}, fatal)


def _scaled(name: str, description: str) -> Recipe:
    """bfloat16 activations, the rest in binary32, and scaled factors in all products with a weight."""
    policy = Policy("bfloat16", **_WIDE)
    return _recipe(description, policy, factors=FACTORS[name])


RECIPES = {
    "pure-binary32": _recipe("everything in binary32, Adam as published: the reference", Policy("binary32")),
    # Epsilon is 0 in binary16, and so is the square of a small gradient: the step is 0 / 0.
    "pure-binary16": _recipe(
        "everything in binary16, Adam as published: epsilon is 0, and the run dies at step 1",
        Policy("binary16"),
        fatal="epsilon",
    ),
    # Adam's steps do not depend on the scale of the gradients, so nothing has to divide by it.
    "pure-binary16-scaled": _recipe(
        "the same with a loss scale of 1024 that is never divided out, and an epsilon of 1e-4",
        Policy("binary16"),
        loss_scale=1024.0,
        unscale=False,
        epsilon=1e-4,
    ),
    # Micikevicius et al. 2018.
    "mixed-binary16": _recipe(
        "binary16 products, binary32 sums, master weights, moments and loss, and a dynamic loss scale",
        Policy("binary16", **_WIDE),
        loss_scale="dynamic",
    ),
    # Beta2 is 1 in bfloat16, so 1 - beta2 is 0, and the bias correction is 0 / 0.
    "pure-bfloat16": _recipe(
        "everything in bfloat16, Adam as published: beta2 is 1, and the run dies at step 1",
        Policy("bfloat16"),
        fatal="beta2",
    ),
    "bfloat16-plain": _recipe(
        "tensors in bfloat16, the optimizer's constants in binary64, as libraries do",
        Policy("bfloat16"),
        constants="binary64",
    ),
    "bfloat16-kahan": _recipe(
        "the same, and what rounding takes from a weight's step is added to its next one",
        Policy("bfloat16"),
        constants="binary64",
        update="kahan",
    ),
    "bfloat16-stochastic": _recipe(
        "bfloat16 with steps that are added with stochastic rounding",
        Policy("bfloat16"),
        constants="binary64",
        update="stochastic",
    ),
    # Micikevicius et al. 2022.
    "fp8-mixed": _recipe(
        "e4m3fn factors and e5m2 gradients in products, bfloat16 activations, and the rest in binary32",
        Policy("bfloat16", operand="e4m3fn", cotangent="e5m2", **_WIDE),
        loss_scale=1024.0,
    ),
    # TransformerEngine's Float8CurrentScaling and DelayedScaling; DeepSeek-V3's blocks.
    "fp8-current": _scaled("fp8-current", "each factor of a product scaled by its own amax: e4m3fn, gradients e5m2"),
    "fp8-delayed": _scaled("fp8-delayed", "the same with scales from the amax of the steps before"),
    "fp8-block": _scaled("fp8-block", "e4m3fn with a scale for 1 x 128 numbers, and 128 x 128 weights"),
    "mxfp8": _scaled("mxfp8", "e4m3fn with a power of two for 32 numbers along the sum (MXFP8)"),
    # The pretraining paper of NVFP4, and TransformerEngine's NVFP4BlockScaling.
    "nvfp4": _scaled(
        "nvfp4",
        "e2m1fn in blocks of 16, weights 16 x 16, Hadamard, stochastic gradients, the last layer in bfloat16",
    ),
}
"""By name; what a recipe does not set has the default of Config."""


def is_expected_to_die(config: Config) -> bool:
    """Whether a run is known to die: its recipe is a lesson about that, and the fatal option is as the recipe has it.

    >>> is_expected_to_die(get_config("pure-binary16")), is_expected_to_die(get_config("pure-binary16", epsilon=1e-4))
    (True, False)
    """
    recipe = RECIPES.get(config.recipe)
    if recipe is None or not recipe.fatal or recipe.fatal in unused(config):
        return False
    same = all(getattr(config, name) == recipe.options[name] for name in ("constants", recipe.fatal))
    return same and _has_policy_of(config.recipe, config.policy)


def get_config(given: str | Config, **options: Any) -> Config:
    """The Config of a recipe, or a Config with some options replaced.

    Parameters
    ----------
    given : str or Config
        The name of a recipe, or a Config to change.
    **options
        Fields of Config; None leaves a field as it is. `accumulator` replaces that part of the policy, and a text for
        `factors` without a name, such as "hadamard=0", changes those of the recipe. Unless given,
        epochs and hidden layers suit the data, and the CNN's products are summed in binary32 by BLAS. With another
        policy than the recipe's, the run is named after its policy. `data` may be a Dataset: of it a model of your own
        keeps a row, by which `check` and `costs` know its shape.

    Raises
    ------
    ValueError
        If there is no recipe of this name, or an option would have no effect, such as momentum without sgd.
    TypeError
        If an option is none of Config.

    Examples
    --------
    >>> config = get_config("pure-binary16-scaled", data="mnist", model="cnn", accumulator="blas")
    >>> config.epsilon, config.policy.accumulator
    (0.0001, 'blas')
    """
    data = options.get("data")
    if isinstance(data, Dataset):
        options["data"] = data.name
    config = make_config(given, **options)
    if isinstance(data, Text) and config.model == "gpt":
        config = with_vocabulary(config, data)
    if isinstance(data, Dataset) and isinstance(config.model, Network):
        config = replace(config, model=bound(config.model, data))
    refuse_unused([config], (name for name, value in options.items() if value is not None))
    return config


def bound(model: Network, data: Dataset) -> Bound:
    """A model of one's own with the first row of its data."""
    network = model.network if isinstance(model, Bound) else model
    return Bound(network, data.train_images[:1], data.train_labels[:1], data.image_shape, data.classes)


def with_vocabulary(config: Config, data: Text) -> Config:
    """The Config of a language model with the characters of its text; ValueError if it has others."""
    known = config.gpt.vocabulary
    if known and known != data.vocabulary:
        raise ValueError(
            f"the model knows {len(known)} characters, and {data.name} has {len(data.vocabulary)}, "
            f"{'others' if len(known) == len(data.vocabulary) else 'not the same'}; give the text of its training"
        )
    return replace(config, gpt=replace(config.gpt, vocabulary=data.vocabulary))


def make_config(given: str | Config, **options: Any) -> Config:
    """The same Config, without an error for an option that has no effect: on another run it may have one."""
    refuse_unknown("Config", options, OPTIONS)
    chosen = {name: value for name, value in options.items() if value is not None}
    if isinstance(given, Config):
        base = {field.name: getattr(given, field.name) for field in fields(Config)}
    elif given in RECIPES:
        base = {"recipe": given, **RECIPES[given].options, **suitable(chosen)}
    else:
        raise ValueError(f"recipe={quoted(given)} is {_what_else(given)}use one of {', '.join(RECIPES)}")
    accumulator = chosen.pop("accumulator", base.pop("accumulator", None))
    if isinstance(chosen.get("factors"), str) and chosen["factors"].lower() != "none":
        chosen["factors"] = _factors(chosen["factors"], base)
    merged = {**base, **chosen}
    if isinstance(chosen.get("gpt"), Mapping):  # fields that are not named stay as they are
        merged["gpt"] = {**GPTConfig.of(base.get("gpt", {})).to_dict(), **chosen["gpt"]}
    policy = Policy.of(merged["policy"], Policy.of(base["policy"]) if "policy" in base else None)
    if accumulator is not None and ("accumulator" in options or not _names_accumulator(merged["policy"], policy)):
        policy = replace(policy, accumulator=accumulator)
    if "policy" in chosen and not _has_policy_of(merged.get("recipe", ""), policy):
        merged["recipe"] = ""
    return Config(**{**merged, "policy": policy})


def _factors(given: str, base: Mapping[str, Any]) -> Factors:
    """The factors of a text; ValueError for parts alone beside a recipe that has no factors."""
    before, first = base.get("factors"), re.split(r"[,\s]+", given.strip())[0]
    if base.get("recipe") and before is None and "=" in first and "scaling=" not in given:
        raise ValueError(
            f"factors={quoted(given)} has parts alone, and recipe={quoted(base['recipe'])} has no factors that they "
            f"could change; name what they are parts of, as in {quoted(f'fp8-current {given}')}"
        )
    return Factors.of(given, before)


def _names_accumulator(given: PolicyLike, policy: Policy) -> bool:
    """Whether a policy has another accumulator than usual, or its text names the usual one."""
    named = isinstance(given, str) and re.search(r"(^|[\s,])accumulator=", given) is not None
    return named or policy.accumulator != "sequential"


def without_recipe(policy: PolicyLike, given: Mapping[str, Any]) -> Config:
    """A run without a recipe, with what suits the data, the model and the optimizer; no error as of `make_config`.

    >>> without_recipe("bfloat16", {"optimizer": "sgd"}).lr
    0.1
    """
    suits: dict[str, Any] = {}
    if given.get("model") == "gpt":
        suits |= {"data": "alice", **LANGUAGE_MODEL}
    elif given.get("data", "digits") != "digits":
        suits |= {"epochs": 1, "layers": (128,), "lr": 1e-3}
    if given.get("model") == "cnn":
        suits |= {"accumulator": "blas", "init": "xavier"}
    if given.get("optimizer") == "sgd":
        suits["lr"] = 0.1
    if _names_accumulator(policy, Policy.of(policy)):
        suits.pop("accumulator", None)
    return make_config(Config(policy), **{**suits, **with_unscale(given)})


def with_unscale(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options with which a dynamic loss scale has what it needs: gradients that are divided by it."""
    return {**({"unscale": True} if given.get("loss_scale") == "dynamic" else {}), **given}


def _what_else(name: str) -> str:
    """What a name is that is no recipe's."""
    try:
        fmt = get_format(name).name
    except ValueError:
        return f"unknown; {did_you_mean(name, RECIPES)}"
    return f"a format, not a recipe; to train in it, give Config({fmt!r}) (--format {fmt}); "


def _has_policy_of(recipe: str, policy: Policy) -> bool:
    """Whether a policy is that of a recipe, if only with another accumulator; every policy is that of a free name."""
    return recipe not in RECIPES or replace(RECIPES[recipe].options["policy"], accumulator=policy.accumulator) == policy


LANGUAGE_MODEL: dict[str, Any] = {"epochs": 12, "batch": 16, "lr": 3e-3, "accumulator": "blas"}
"""What suits the language model: some 1,500 steps, in which it learns to write words."""


def suitable(options: Mapping[str, Any]) -> dict[str, Any]:
    """What suits the data and the model.

    The CNN has 2.7 million products an image, so BLAS sums them unless the recipe sums them in another way. Its
    weights are drawn as the article's library draws them.
    """
    if options.get("model") == "gpt":
        return {**LANGUAGE_MODEL, **({"data": "alice"} if options.get("data") is None else {})}
    digits = options.get("data", "digits") == "digits"
    suits: dict[str, Any] = {"epochs": 20} if digits else {"layers": (128,)}
    return {**suits, "accumulator": "blas", "init": "xavier"} if options.get("model") == "cnn" else suits
