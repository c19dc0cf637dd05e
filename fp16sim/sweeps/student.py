"""The mean of a few runs, and the interval in which the mean of all runs may be: Student's t."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """The mean of values that differ by chance, such as those of several seeds.

    Attributes
    ----------
    mean : float
    half : float or None
        Half the width of the 95 % interval of the mean; None for one value, which shows no spread, and where one is
        infinite or NaN.
    values : tuple of float
    """

    mean: float
    half: float | None
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """The spread of values, which are taken to be normally distributed; None if there are none.

        >>> found = Spread.of([0.97, 0.98, 0.99])
        >>> print(f"{found.mean:.3f} from {found.low:.3f} to {found.high:.3f}")
        0.980 from 0.955 to 1.005
        """
        n = len(values)
        if not n:
            return None
        if not all(map(math.isfinite, values)):
            return cls(sum(values) / n, None, tuple(values))
        half = student(n - 1) * statistics.stdev(values) / math.sqrt(n) if n > 1 else None
        return cls(statistics.fmean(values), half, tuple(values))

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.half is None else self.mean - self.half

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return None if self.half is None else self.mean + self.half


@lru_cache(maxsize=256)
def student(freedom: int, level: float = LEVEL) -> float:
    """The t between whose negative and itself Student's distribution has `level`; right to ten digits.

    `freedom` counts the degrees of freedom: the values, less 1.

    >>> [round(student(n), 3) for n in (1, 2, 4, 9, 1000)]
    [12.706, 4.303, 2.776, 2.262, 1.962]
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(freedom, angle) < level else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _within(freedom: int, angle: float) -> float:
    """How much of the distribution lies between -t and t, where t = sqrt(freedom) tan(angle).

    Abramowitz and Stegun (1964), 26.7.3 and 26.7.4: a finite sum of even or of odd powers of the cosine.
    """
    cosine, odd = math.cos(angle), freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(1, freedom // 2 + 1):
        total += term
        term *= cosine * cosine * (2 * k - 1 + odd) / (2 * k + odd)
    inside = math.sin(angle) * total
    return 2 / math.pi * (angle + inside) if odd else inside
