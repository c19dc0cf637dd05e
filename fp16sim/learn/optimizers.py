"""Optimizers as pure pairs: `init(params)` makes a state, `update(grads, state)` gives steps and the next state.

Constants are Python numbers that adopt the format of the arrays they meet by rounding: in binary16 epsilon = 1e-8 *is*
0, in bfloat16 beta2 = 0.999 *is* 1. Nothing is mutated, so a step can be taken again to look at it more closely.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..floatarray import FloatArray, array
from .layers import Params

State: TypeAlias = dict[str, Any]


class Optimizer(NamedTuple):
    """`init(params)` -> state; `update(grads, state)` -> (steps, state). A step is added to its parameter."""

    init: Callable[[Params], State]
    update: Callable[[Params, State], tuple[Params, State]]


def _zeros(params: Params) -> Params:
    return {name: FloatArray(np.zeros_like(x.values), x.fmt, x.mode, x.rng) for name, x in params.items()}


def _one(params: Params) -> FloatArray:
    """The number 1 in the format and mode of the parameters, for arithmetic on constants alone."""
    like = next(iter(params.values()))
    return array(1, like.fmt, like.mode, rng=like.rng)


def sgd(lr: float = 0.1, momentum: float = 0.0) -> Optimizer:
    """Stochastic gradient descent: m = momentum * m + g, step = -lr * m."""
    _positive("lr", lr)
    _below_one("momentum", momentum)

    def update(grads: Params, state: State) -> tuple[Params, State]:
        m = {name: momentum * state["m"][name] + g for name, g in grads.items()} if momentum else grads
        return {name: -lr * x for name, x in m.items()}, {"m": m}

    return Optimizer(lambda params: {"m": _zeros(params)}, update)


def adam(lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Adam (Kingma and Ba 2015) as written: both moments, both corrections of bias, epsilon outside the root.

    The powers beta1^t and beta2^t are running products in the format, so every number in it is rounded.
    """
    _positive("lr", lr)
    _below_one("beta1", beta1)
    _below_one("beta2", beta2)
    if epsilon < 0:
        raise ValueError(f"epsilon={epsilon} is negative; use 0 or more, for example 1e-4 in binary16")

    def init(params: Params) -> State:
        one = _one(params)
        return {"m": _zeros(params), "v": _zeros(params), "power1": one, "power2": one}

    def update(grads: Params, state: State) -> tuple[Params, State]:
        one = _one(grads)
        b1, b2 = one * beta1, one * beta2
        power1, power2 = state["power1"] * b1, state["power2"] * b2
        m = {name: b1 * state["m"][name] + (1 - b1) * g for name, g in grads.items()}
        v = {name: b2 * state["v"][name] + (1 - b2) * (g * g) for name, g in grads.items()}
        steps = {name: -lr * (m[name] / (1 - power1)) / ((v[name] / (1 - power2)).sqrt() + epsilon) for name in grads}
        return steps, {"m": m, "v": v, "power1": power1, "power2": power2}

    return Optimizer(init, update)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}={value} must be positive; try 1e-3")


def _below_one(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{name}={value} must be from 0 up to, not including, 1; try 0.9")
