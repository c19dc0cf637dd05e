"""Optimizers as pure pairs: `init(params)` makes a state, `update(grads, state, params)` the steps and the next state.

`constants` says how a constant meets arrays: rounded, or in binary64. Nothing is mutated, so a step can be taken again,
to examine it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from ... import reductions
from ...accumulators import Accumulator
from ...arrays import FloatArray, array
from ...wording import quoted
from .adam_steps import Rates, adam_steps
from .constants import CONSTANTS, Constant, constant, plus, times
from .layers import Params
from .vjps import zeros_like

Schedule: TypeAlias = "float | Callable[[int], float]"
"""A learning rate, or a function that gives it for a step's number, counted from 0."""


@dataclass(frozen=True)
class State:
    """What an optimizer remembers from step to step; what it does not use stays empty.

    The powers beta1^t and beta2^t are running products, which are rounded as every constant is.
    """

    count: int
    """The steps taken."""
    m: Params
    """The first moment of each gradient."""
    v: Params
    """The second moment of each gradient."""
    beta1_power: Constant = 1.0
    beta2_power: Constant = 1.0


class Optimizer(NamedTuple):
    """`init(params)` -> state; `update(grads, state, params)` -> (steps, state). A step is added to its parameter."""

    init: Callable[[Params], State]
    update: Callable[..., tuple[Params, State]]


# --- learning rates -------------------------------------------------------------------------------------------------


def _rate(lr: Schedule, count: int) -> float:
    return lr(count) if callable(lr) else lr


def step_decay(lr: float, every: int, factor: float = 0.1) -> Callable[[int], float]:
    """The schedule lr * factor^(step // every).

    >>> rate = step_decay(0.1, every=100, factor=0.5)
    >>> rate(0), rate(99), rate(100)
    (0.1, 0.1, 0.05)
    """
    _positive("lr", lr)
    _positive("factor", factor)
    if every < 1:
        raise ValueError(f"every={every} must be 1 step or more")
    return lambda count: lr * factor ** (count // every)


def linear_decay(lr: float, steps: int, final: float = 0.0) -> Callable[[int], float]:
    """The schedule that falls along a line from lr at step 0 to `final` at step `steps`, and stays there.

    >>> rate = linear_decay(0.1, steps=100)
    >>> rate(0), rate(50), rate(200)
    (0.1, 0.05, 0.0)
    """
    _falls(lr, steps, final)
    return lambda count: lr + (final - lr) * min(count / steps, 1.0)


def cosine_decay(lr: float, steps: int, final: float = 0.0) -> Callable[[int], float]:
    """The schedule that falls along half a cosine from lr at step 0 to `final` at step `steps`, and stays there.

    final + (lr - final) (1 + cos(pi step / steps)) / 2 (Loshchilov and Hutter 2017, without restarts).

    >>> rate = cosine_decay(0.1, steps=100)
    >>> rate(0), round(rate(50), 6), rate(200)
    (0.1, 0.05, 0.0)
    """
    _falls(lr, steps, final)
    return lambda count: final + (lr - final) * (1 + math.cos(math.pi * min(count / steps, 1.0))) / 2


def warm_up(lr: Schedule, steps: int) -> Callable[[int], float]:
    """Another schedule after a warm-up: before, its first rate times 1 / steps, 2 / steps, ...

    >>> rate = warm_up(0.1, steps=4)
    >>> rate(0), rate(3), rate(4)
    (0.025, 0.1, 0.1)
    """
    if steps < 1:
        raise ValueError(f"warmup={steps} must be 1 step or more")
    return lambda count: _rate(lr, 0) * ((count + 1) / steps) if count < steps else _rate(lr, count - steps)


def _falls(lr: float, steps: int, final: float) -> None:
    _positive("lr", lr)
    if steps < 1:
        raise ValueError(f"steps={steps} must be 1 step or more")
    if not 0 <= final <= lr:
        raise ValueError(f"final_lr={final} must be from 0 to lr={lr}")


# --- optimizers -----------------------------------------------------------------------------------------------------


def _zeros(params: Params) -> Params:
    return {name: zeros_like(x) for name, x in params.items()}


def sgd(lr: Schedule = 0.1, momentum: float = 0.0, *, constants: str = "rounded") -> Optimizer:
    """Stochastic gradient descent: m = momentum * m + g, step = -lr * m."""
    _check(constants, lr=lr, below_one={"momentum": momentum})

    def update(grads: Params, state: State, params: Params | None = None) -> tuple[Params, State]:
        m = grads
        if momentum:
            c = constant(momentum, grads, constants)
            m = {name: times(state.m[name], c) + g for name, g in grads.items()}
        rate = constant(-_rate(lr, state.count), grads, constants)
        steps = {name: times(x, rate) for name, x in m.items()}
        return steps, State(state.count + 1, m if momentum else {}, {})

    return Optimizer(lambda params: State(0, _zeros(params) if momentum else {}, {}), update)


def rmsprop(lr: Schedule = 1e-3, decay: float = 0.9, epsilon: float = 1e-8, *, constants: str = "rounded") -> Optimizer:
    """RMSProp (Tieleman and Hinton 2012): v = decay * v + (1 - decay) * g^2, step = -lr * g / (sqrt(v) + epsilon)."""
    _check(constants, lr=lr, below_one={"decay": decay}, epsilon=epsilon)

    def update(grads: Params, state: State, params: Params | None = None) -> tuple[Params, State]:
        c, tiny = (constant(value, grads, constants) for value in (decay, epsilon))
        rate = constant(-_rate(lr, state.count), grads, constants)
        rest = 1 - c
        v = {name: times(state.v[name], c) + times(g * g, rest) for name, g in grads.items()}
        steps = {name: times(g, rate) / plus(v[name].sqrt(), tiny) for name, g in grads.items()}
        return steps, State(state.count + 1, {}, v)

    return Optimizer(lambda params: State(0, {}, _zeros(params)), update)


def adam(
    lr: Schedule = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    *,
    bias_correction: bool = True,
    weight_decay: float = 0.0,
    constants: str = "rounded",
) -> Optimizer:
    """Adam (Kingma and Ba 2015) as written: both moments, both corrections of bias, epsilon outside the root.

    Without `bias_correction` the first steps are (1 - beta1) / sqrt(1 - beta2) times as large as with it. With
    `weight_decay` it is AdamW (Loshchilov and Hutter 2019): the step also has -lr * weight_decay * parameter.
    """
    _check(constants, lr=lr, below_one={"beta1": beta1, "beta2": beta2}, epsilon=epsilon)
    if weight_decay < 0:
        raise ValueError(f"weight_decay={weight_decay} is negative; use 0 or more")

    def init(params: Params) -> State:
        one = constant(1.0, params, constants)
        return State(0, _zeros(params), _zeros(params), one, one)

    def update(grads: Params, state: State, params: Params | None = None) -> tuple[Params, State]:
        b1, b2, tiny = (constant(value, grads, constants) for value in (beta1, beta2, epsilon))
        rate = _rate(lr, state.count)
        step_rate = constant(-rate, grads, constants)
        power1, power2 = state.beta1_power * b1, state.beta2_power * b2
        rest1, rest2 = 1 - b1, 1 - b2
        left1, left2 = (1 - power1, 1 - power2) if bias_correction else (None, None)
        rates = Rates(b1, rest1, b2, rest2, left1, left2, step_rate, tiny)
        steps, m, v = adam_steps(grads, state.m, state.v, rates)
        if weight_decay:
            steps = _decayed(steps, params, constant(-rate * weight_decay, grads, constants))
        return steps, State(state.count + 1, m, v, power1, power2)

    return Optimizer(init, update)


def adamw(
    lr: Schedule = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 1e-2,
    *,
    constants: str = "rounded",
) -> Optimizer:
    """Adam with decoupled weight decay; see `adam`."""
    return adam(lr, beta1, beta2, epsilon, weight_decay=weight_decay, constants=constants)


def _decayed(steps: Params, params: Params | None, factor: Constant) -> Params:
    if params is None:
        raise TypeError("params=None: weight decay needs the parameters; call update(grads, state, params)")
    return {name: step + times(_converted(params[name], step), factor) for name, step in steps.items()}


def _converted(x: FloatArray, y: FloatArray) -> FloatArray:
    """x in the format and mode of y."""
    return x if x.fmt == y.fmt and x.mode is y.mode else array(x.values, y.fmt, y.mode, rng=y.rng)


def clipped(
    optimizer: Optimizer, norm: float, accumulator: Accumulator | None = None, *, constants: str = "rounded"
) -> Optimizer:
    """The optimizer, for gradients that are first scaled down if the norm of all of them together is above `norm`.

    The gradients are multiplied by `norm / length`, where `length` is their norm. If constants are "rounded", this
    factor is a number of their format, as in PyTorch, and 0 if it is too small for it. A gradient that is not finite
    passes unchanged with all others: no factor could make it finite, and the factor 0 would hide it.

    The accumulator adds up the squares, in its own format; without one the gradients' format rounds each square and
    each partial sum, and a sum of many equal squares stops growing. No square overflows, and no large one becomes 0:
    as in BLAS's nrm2, the gradients are multiplied by a power of two first, and the norm is divided by it afterwards.

    >>> import fp16sim as fs
    >>> grads = {"w": fs.array([300.0, 400.0], "binary16")}  # 300^2 is infinite in binary16
    >>> optimizer = clipped(sgd(1.0), 1.0)
    >>> steps, _ = optimizer.update(grads, optimizer.init(grads))
    >>> steps["w"]
    FloatArray([-0.6, -0.8003], binary16)
    """
    _check_constants(constants)
    _positive("norm", norm)

    def update(grads: Params, state: State, params: Params | None = None) -> tuple[Params, State]:
        length, limit = _norm(grads, accumulator), float(constant(norm, grads, constants))
        if length > limit:
            factor = constant(limit / length, grads, constants)
            grads = {name: times(g, factor) for name, g in grads.items()}
        return optimizer.update(grads, state, params)

    return Optimizer(optimizer.init, update)


def clipped_by_value(optimizer: Optimizer, limit: float, *, constants: str = "rounded") -> Optimizer:
    """The optimizer, for gradients of which each element beyond `limit` is first set to it, with its sign.

    If constants are "rounded", the limit is a number of the gradients' format. NaN stays, and infinity becomes the
    limit, as in PyTorch.

    >>> import fp16sim as fs
    >>> grads = {"w": fs.array([0.5, -4.0], "binary16")}
    >>> optimizer = clipped_by_value(sgd(1.0), 1.0)
    >>> optimizer.update(grads, optimizer.init(grads))[0]["w"]
    FloatArray([-0.5, 1], binary16)
    """
    _check_constants(constants)
    _positive("limit", limit)

    def update(grads: Params, state: State, params: Params | None = None) -> tuple[Params, State]:
        bound = constant(limit, grads, constants)
        kept = {name: g.clip(-float(bound), float(bound)) for name, g in grads.items()}
        return optimizer.update(kept, state, params)

    return Optimizer(optimizer.init, update)


def _norm(grads: Params, accumulator: Accumulator | None) -> float:
    """The norm of all gradients together: a number of their format times a power of two; NaN if one is not finite.

    With n gradients below 2^k, each square is below 2^2k, their sum below n 2^2k and the norm below sqrt(n) 2^k. So k
    is chosen such that the sum does not overflow in the accumulator's format, and the norm does not in the gradients'.
    """
    first = next(iter(grads.values()))
    fmt, sums = first.fmt, accumulator or first
    values = np.concatenate([g.values.reshape(-1) for g in grads.values()])
    largest = float(np.abs(values).max())
    if largest == 0:
        return 0.0
    if not math.isfinite(largest):
        return math.nan
    n = math.ceil(math.log2(values.size))
    shift = min((sums.fmt.emax - n) // 2, fmt.emax - (n + 1) // 2) - math.frexp(largest)[1]
    scaled = np.ldexp(values, shift)
    return math.ldexp(float(reductions.norm(scaled, fmt, first.mode, accumulator=accumulator, rng=first.rng)), -shift)


# --- checks ---------------------------------------------------------------------------------------------------------


def _check(constants: str, *, lr: Schedule, below_one: dict[str, float], epsilon: float = 0.0) -> None:
    _check_constants(constants)
    if not callable(lr):
        _positive("lr", lr)
    for name, value in below_one.items():
        _below_one(name, value)
    if epsilon < 0:
        raise ValueError(f"epsilon={epsilon} is negative; use 0 or more, for example 1e-4 in binary16")


def _check_constants(constants: str) -> None:
    if constants not in CONSTANTS:
        raise ValueError(f"constants={quoted(constants)} is unknown; use 'rounded' or 'binary64'")


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}={value} must be positive; try 1e-3")


def _below_one(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{name}={value} must be 0 or more and less than 1; try 0.9")
