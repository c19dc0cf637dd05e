"""How a step is added to its weight: rounded to nearest, with a carry (Kahan), or rounded stochastically.

Each way is a pair of pure functions, as an optimizer is: `init(weights)` makes the carry, and
`add(weights, steps, carry, rng)` gives the next weights and the next carry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...arrays import FloatArray
from ...conversion import Generator
from ...formats import Rounding
from .layers import Params
from .vjps import zeros_like


class Update(NamedTuple):
    """`init(weights)` -> carry; `add(weights, steps, carry, rng)` -> (weights, carry)."""

    init: Callable[[Params], Params]
    add: Callable[[Params, Params, Params, Generator], tuple[Params, Params]]


def _no_carry(weights: Params) -> Params:
    return {}


def _zero_carry(weights: Params) -> Params:
    return {name: zeros_like(w) for name, w in weights.items()}


def _plain(weights: Params, steps: Params, carry: Params, rng: Generator) -> tuple[Params, Params]:
    return {name: w + steps[name] for name, w in weights.items()}, carry


def _kahan(weights: Params, steps: Params, carry: Params, rng: Generator) -> tuple[Params, Params]:
    """The next step gets back what rounding took from this sum (Kahan 1965; Zamirai et al. 2020)."""
    wanted = {name: step + carry[name] for name, step in steps.items()}
    moved = {name: w + wanted[name] for name, w in weights.items()}
    return moved, {name: wanted[name] - (moved[name] - w) for name, w in weights.items()}


def _stochastic(weights: Params, steps: Params, carry: Params, rng: Generator) -> tuple[Params, Params]:
    """A step below half an ulp moves the weight by a whole ulp now and then, so that the mean is right."""

    def added(w: FloatArray, step: FloatArray) -> FloatArray:
        a, b = (FloatArray(x.values, x.fmt, Rounding.STOCHASTIC, rng) for x in (w, step))
        return FloatArray((a + b).values, w.fmt, w.mode, w.rng)

    return {name: added(w, steps[name]) for name, w in weights.items()}, carry


UPDATES = {
    "plain": Update(_no_carry, _plain),
    "kahan": Update(_zero_carry, _kahan),
    "stochastic": Update(_no_carry, _stochastic),
}
"""The values of Config's option `update`."""
