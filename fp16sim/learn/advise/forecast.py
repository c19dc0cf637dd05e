"""The first step of an optimizer for gradients of every size: its own arithmetic, in the formats of a run.

Formulas for where epsilon or a square becomes 0 forget a rounding: 1 - beta2 times a square becomes 0 before the square
does, and sqrt(v) + 1e-8 is 0 in binary16 although 1e-8 is a Python number. So nothing is derived here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ...conversion import Array
from ..precision import Policy
from ..run.config import Config


@dataclass(frozen=True, eq=False)
class FirstStep:
    """What an optimizer makes of gradients in its first step.

    Attributes
    ----------
    gradients : ndarray
        0, and eight numbers of each binade of the gradients' format, as the optimizer receives them; ascending.
    steps : ndarray
        What is subtracted from a weight with each of these gradients, in the format of the weights.
    exact : ndarray
        The same in binary64 with epsilon = 0, so for Adam the learning rate. NaN for 0.
    moments : ndarray
        The second moments; empty for an optimizer without them.
    """

    gradients: Array
    steps: Array
    exact: Array
    moments: Array

    @property
    def dies(self) -> bool:
        """Whether the step of a gradient of 0 is not finite. Nearly every batch has such a gradient."""
        return not np.isfinite(self.steps[0])

    @property
    def vanishing(self) -> float:
        """The largest gradient up to which all second moments are 0; 0 if there is none."""
        positive = np.flatnonzero(self.moments)
        return float(self.gradients[positive[0] - 1]) if len(positive) else 0.0

    @property
    def overflowing(self) -> float:
        """The smallest gradient whose second moment is not finite; infinity if there is none."""
        beyond = np.flatnonzero(~np.isfinite(self.moments))
        return float(self.gradients[beyond[0]]) if len(beyond) else np.inf

    def excess(self, least: float) -> float:
        """How many times as large as it should be the step of a gradient can be, of those from `least` on."""
        factors = self._factors[self._place(least) :]
        return float(factors[np.isfinite(factors)].max(initial=0.0))

    def factor(self, gradient: float) -> float:
        """The step of a gradient, as a multiple of what it should be; 0 if the gradient itself becomes 0."""
        place = self._place(gradient)
        return float(self._factors[place]) if place else 0.0

    def _place(self, gradient: float) -> int:
        """Where the largest of `gradients` up to a number is."""
        return int(np.searchsorted(self.gradients, gradient, side="right")) - 1

    @property
    def _factors(self) -> Array:
        with np.errstate(all="ignore"):
            return self.steps / self.exact


@lru_cache(maxsize=64)
def first_step(config: Config) -> FirstStep:
    """The first step of a run's optimizer without clipping, for weights that are 0.

    Examples
    --------
    >>> from fp16sim.learn import get_config
    >>> first = first_step(get_config("pure-binary16", constants="binary64"))
    >>> first.dies, first.vanishing
    (True, 0.00537109375)
    """
    config = replace(config, clip_norm=0.0)
    exactly = replace(config, policy=Policy("binary64"), factors=None, epsilon=0.0, constants="binary64")
    with np.errstate(all="ignore"):
        rng, policy = np.random.default_rng(config.rng), config.policy
        received = policy.state.array(policy.gradient.array(_probes(config), rng), rng)
        gradients = received.values.astype(np.float64)
        steps, moments = _taken(config, gradients)
        return FirstStep(gradients, steps, _taken(exactly, gradients)[0], moments)


def _probes(config: Config) -> Array:
    """0, and eight numbers from 2^e to 2^(e+1) for each exponent e of the gradients' format from -1022 on."""
    fmt = config.policy.gradient.fmt
    exponents = np.arange(max(fmt.quantum_exponent_min, -1022), fmt.emax + 1)
    return np.concatenate([[0.0], np.outer(np.ldexp(1.0, exponents), np.arange(8, 16) / 8).reshape(-1)])


def _taken(config: Config, gradients: Array) -> tuple[Array, Array]:
    """The steps, negated, and the second moments."""
    policy, rng = config.policy, np.random.default_rng(config.rng)
    optimizer = config.make_optimizer(rng)
    weights, grads = ({"w": policy.state.array(x, rng)} for x in (np.zeros_like(gradients), gradients))
    steps, state = optimizer.update(grads, optimizer.init(weights), weights)
    moments = state.v["w"].values if state.v else np.zeros(0)
    return -policy.weights.array(steps["w"], rng).values.astype(np.float64), moments
