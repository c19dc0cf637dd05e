"""Compensated accumulation: the rounding error of each addition is computed, and corrected by the next."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..conversion import Array
from ..formats import Format, Rounding
from . import chain, floats
from .base import Accumulator, Steps


def _step(steps: Steps, state: chain.State, x: Array) -> chain.State:
    s, lost = state
    y = steps.subtract(x, lost)
    t = steps.add(s, y)
    return t, steps.subtract(steps.subtract(t, s), y)


@lru_cache(maxsize=256)
def _runner(fmt: Format, mode: Rounding) -> chain.Runner | None:
    """Loops over floats. If terms and states are below a quarter of max_finite, y and t - s are below it, even where a
    step rounds away half of its result.
    """
    add, c = floats.adder(fmt, mode), floats.shifter(fmt, mode)
    quick = None if c is None else floats.quick_compensated_sums(c)
    careful = floats.random_compensated_sums if mode.random else floats.compensated_sums
    return None if add is None else chain.by_floats(quick, careful(add), float(fmt.max_finite) / 4)


COMPENSATED_ADDITIONS = chain.Recurrence(
    first=lambda steps, x: (x, np.zeros_like(x)), step=_step, runner=_runner, draws=4
)


class Kahan(Accumulator):
    """Compensated: what each addition lost is subtracted from the next term; more terms hardly increase the error.

    Defined by the loop (Kahan 1965), which starts from the first term, or from c where given::

        s, lost = x[0], 0
        for k in range(1, n):
            y = subtract(x[k], lost)
            t = add(s, y)
            s, lost = t, subtract(subtract(t, s), y)

    Examples
    --------
    >>> Kahan("binary16").sum([1.0] * 4096)
    np.float64(4096.0)
    """

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The loop."""
        return chain.run(COMPENSATED_ADDITIONS, steps, None, [terms])[0]

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The values of s along the way."""
        out = np.empty(terms.shape, steps.carrier)
        if len(terms):
            chain.run(COMPENSATED_ADDITIONS, steps, None, [terms], out)
        return out
