"""Recipes: names for bundles of options, each a usual way to train. An explicit option overrides its recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..precision import Policy
from .config import Config

_ARTICLE: dict[str, Any] = {
    "lr": 1e-3,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "loss_scale": "none",
    "unscale": True,
    "constants": "rounded",
    "epochs": 1,
    "batch": 32,
}
"""Adam as it is written in papers and tutorials, and nothing that would help a narrow format."""

_BFLOAT16 = {**_ARTICLE, "policy": Policy("bfloat16"), "constants": "binary64"}

RECIPES: dict[str, dict[str, Any]] = {
    "binary32": {**_ARTICLE, "policy": Policy("binary32")},
    # Everything in binary16, as written. Epsilon is 0 there, and so is the square of a small gradient: 0 / 0.
    "pure-binary16": {**_ARTICLE, "policy": Policy("binary16")},
    # The same network survives with a loss scale, which Adam need not divide out, and an epsilon that the format holds.
    "pure-binary16-scaled": {
        **_ARTICLE,
        "policy": Policy("binary16"),
        "loss_scale": 1024.0,
        "unscale": False,
        "epsilon": 1e-4,
    },
    # Micikevicius et al. 2018: binary16 products, binary32 sums, master weights, moments and loss; dynamic loss scale.
    "mixed-binary16": {
        **_ARTICLE,
        "policy": Policy(
            "binary16",
            loss="binary32",
            gradient="binary32",
            state="binary32",
            master="binary32",
            accumulator="blas",
        ),
        "loss_scale": "dynamic",
    },
    # Everything in bfloat16, Adam's constants too: beta2 is 1 there, so 1 - beta2 is 0, and its correction 0 / 0.
    "pure-bfloat16": {**_ARTICLE, "policy": Policy("bfloat16")},
    # Tensors in bfloat16, the optimizer's scalars in binary64, as libraries do it.
    "bfloat16": _BFLOAT16,
    "bfloat16-kahan": {**_BFLOAT16, "update": "kahan"},
    "bfloat16-stochastic": {**_BFLOAT16, "update": "stochastic"},
    # Micikevicius et al. 2022: factors in e4m3fn, cotangents in e5m2; products go to bfloat16 by binary32 sums.
    "fp8-mixed": {
        **_ARTICLE,
        "policy": Policy(
            "bfloat16",
            loss="binary32",
            gradient="binary32",
            state="binary32",
            master="binary32",
            operand="e4m3fn",
            cotangent="e5m2",
            accumulator="blas",
        ),
        "loss_scale": 1024.0,
    },
}
"""What each recipe sets, beside the defaults of Config."""


def get_config(given: str | Config, **options: Any) -> Config:
    """The Config of a recipe, with options that override it.

    Parameters
    ----------
    given : str or Config
        The name of a recipe, or a Config to change.
    **options
        Fields of Config; None leaves the recipe's value. `accumulator` stands for that part of the policy. If not
        given, the CNN's sums are by BLAS in binary32, and the number of epochs and hidden units suits the data.

    Examples
    --------
    >>> config = get_config("pure-binary16-scaled", data="mnist", model="cnn", accumulator="blas")
    >>> config.epsilon, config.policy.accumulator
    (0.0001, 'blas')
    """
    given_options = {name: value for name, value in options.items() if value is not None}
    if isinstance(given, Config):
        base = {name: getattr(given, name) for name in Config.__dataclass_fields__}
    elif given in RECIPES:
        base = {"recipe": given, **RECIPES[given], **suited(given_options)}
    else:
        raise ValueError(f"recipe={given!r} is unknown; use one of {', '.join(RECIPES)}")
    accumulator = given_options.pop("accumulator", base.pop("accumulator", None))
    merged = {**base, **given_options}
    policy = Policy.of(merged.get("policy", Config.policy))
    if accumulator is not None and (policy.accumulator == "sequential" or "accumulator" in options):
        policy = replace(policy, accumulator=accumulator)
    return Config(**{**merged, "policy": policy})


def suited(options: dict[str, Any]) -> dict[str, Any]:
    """What suits the data and the model, if not said otherwise.

    The CNN has 2.7 million products an image, so its sums are BLAS's unless a recipe or an option says more, and its
    weights begin as the article's library draws them; hidden layers and passes are for the size of the data.
    """
    digits = options.get("data", "digits") == "digits"
    suits: dict[str, Any] = {"epochs": 20} if digits else {"layers": (128,)}
    return {**suits, "accumulator": "blas", "init": "xavier"} if options.get("model") == "cnn" else suits
