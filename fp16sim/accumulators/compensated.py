"""Compensated accumulation: the rounding error of each addition is computed, and corrected by the next."""

from __future__ import annotations

import numpy as np

from ..conversion import Array
from .base import Accumulator, Steps


class Kahan(Accumulator):
    """Compensated: what each addition lost is subtracted from the next term; more terms hardly increase the error.

    Defined by the loop (Kahan 1965), which starts from the first term, or from c where given:

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
        return self._sums(terms, [steps] * len(terms))[-1]

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The values of s along the way."""
        return self._sums(terms, [steps.from_row(k, terms) for k in range(len(terms))])

    def _sums(self, terms: Array, all_steps: list[Steps]) -> Array:
        out = np.array(terms)
        lost = np.zeros(out.shape[1:])
        for k in range(1, len(out)):
            steps = all_steps[k]
            y = steps.subtract(out[k], lost)
            out[k] = steps.add(out[k - 1], y)
            lost = steps.subtract(steps.subtract(out[k], out[k - 1]), y)
        return out
