"""Running error analysis: numbers with a bound of their error, and operations that round.

A `Ball` is an exact value, computed in float64, and a radius: the computed number differs from the value by at most the
radius. Each operation of `Steps` propagates the radii of its operands, adds the error of its own rounding in the
kernel's format, and the error of float64 itself, with which the value was computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..conversion import Array
from ..formats import Format, Rounding
from .permitted import Additions
from .sums import Chance, rounding_error, smallest, sum_error, unit

FLOAT64 = 2.0**-53
"""The relative error of an operation in float64."""
LIBRARY = 2.0**-50
"""The relative error of NumPy's exp in float64, for which 4 ulp are assumed; an ulp is at most 2^-52 of a number."""


@dataclass(frozen=True)
class Ball:
    """Exact values, how far the computed numbers may be from them, and where an overflow may have come before."""

    value: Array
    radius: Array
    up: Array | bool = False
    """Where a sum may have become +infinity."""
    down: Array | bool = False

    @property
    def reach(self) -> Array:
        """The largest magnitude of the computed number."""
        return np.abs(self.value) + self.radius


@dataclass
class Steps:
    """Operations that are rounded to one format, and the theorems that they used."""

    how: Additions
    chance: Chance | None
    ulps: float
    """The error of functions such as exp, in ulp."""
    used: list[str] = field(default_factory=list)

    @property
    def fmt(self) -> Format:
        """The format of the steps."""
        return self.how.fmt

    @property
    def mode(self) -> Rounding:
        """How they are rounded."""
        return self.how.mode

    def rounded(self, value: Array, radius: Array, of: tuple[Ball, ...] = (), extra: float = FLOAT64) -> Ball:
        """A result that is rounded to the format."""
        ball = Ball(value, radius + extra * np.abs(value))
        return overflowing(ball, ball.radius + rounding_error(ball.reach, self.fmt, self.mode), self.fmt, self.mode, of)

    def subtract(self, a: Ball, b: Ball) -> Ball:
        """a - b"""
        return self.rounded(a.value - b.value, a.radius + b.radius, (a, b))

    def add(self, a: Ball, b: Ball) -> Ball:
        """a + b"""
        return self.rounded(a.value + b.value, a.radius + b.radius, (a, b))

    def multiply(self, a: Ball, b: Ball) -> Ball:
        """a * b"""
        return self.rounded(a.value * b.value, np.abs(a.value) * b.radius + b.reach * a.radius, (a, b))

    def divide(self, a: Ball, b: Ball) -> Ball:
        """a / b, or a times the rounded reciprocal of b: the larger error."""
        q, away = a.value / b.value, np.abs(b.value) - b.radius
        radius = np.where(away > 0, (a.radius + np.abs(q) * b.radius) / away, np.inf)
        at_once = self.rounded(q, radius, (a, b))
        one = np.ones_like(b.value)
        radius = np.where(away > 0, b.radius / (np.abs(b.value) * away), np.inf)
        in_two = self.multiply(a, self.rounded(one / b.value, radius, (b,)))
        return Ball(q, np.maximum(at_once.radius, in_two.radius + 4 * FLOAT64 * np.abs(q)), at_once.up, at_once.down)

    def reciprocal_root(self, a: Ball) -> Ball:
        """1 / sqrt(a): a root and a reciprocal, or one function; the larger error."""
        lowest = a.value - a.radius
        value = 1 / np.sqrt(a.value)
        furthest = np.where(lowest > 0, 1 / np.sqrt(np.where(lowest > 0, lowest, 1.0)) - value, np.inf)
        v = unit(self.fmt, self.mode)
        relative = max(v * (2 + v) / (1 - v), 2 * float(self.fmt.unit_roundoff) * self.ulps)
        return self.rounded(value, furthest + relative * (value + furthest), (a,), 4 * FLOAT64)

    def exponential(self, a: Ball) -> Ball:
        """e^a for a of at most 0, with so many ulp of error."""
        value = np.exp(a.value)
        moved = value * np.expm1(np.minimum(a.radius, 700.0))
        furthest = value + moved
        error = 2 * self.ulps * rounding_error(furthest, self.fmt, Rounding.TIES_TO_EVEN)
        relative = LIBRARY + 2 * FLOAT64 * np.where(np.isfinite(a.value), np.abs(a.value), 0.0)
        return Ball(value, moved + error + relative * value, a.up, False)

    def total(self, a: Ball, n: int) -> Ball:
        """The sum of n terms over the last axis, taken by the accumulator."""
        value, total = a.value.sum(axis=-1, keepdims=True), a.reach.sum(axis=-1, keepdims=True)
        before = a.radius.sum(axis=-1, keepdims=True) + n * FLOAT64 * total
        ball = Ball(value, before, _some(a.up), _some(a.down))
        return self.summed(ball, n, total)

    def summed(self, exact: Ball, n: int, total: Array, top: Array | None = None) -> Ball:
        """A sum whose terms err by `exact.radius` in all, after the additions."""
        size = exact.reach
        error, names = smallest(sum_error(self.how, n, size, total, self.chance, top))
        self.used += [name for name in names if name not in self.used]
        if self.how.exact:
            return exact
        limit, radius = float(self.fmt.max_finite), exact.radius + error
        up, down = ((total + sign * exact.value) / 2 + radius > limit for sign in (1, -1))
        return Ball(exact.value, radius, exact.up | up, exact.down | down)


def overflowing(before: Ball, radius: Array, fmt: Format, mode: Rounding, of: tuple[Ball, ...]) -> Ball:
    """A result after its rounding, with the signs that an overflow may have."""
    edge = float(fmt.max_finite) + (2.0 ** (fmt.emax - fmt.trailing_bits - 1) if mode.nearest else 0.0)
    up, down = before.value + before.radius >= edge, before.value - before.radius <= -edge
    for one in of:
        up, down = up | one.up, down | one.down
    return Ball(before.value, radius, up, down)


def final(before: Ball, fmt: Format, mode: Rounding) -> Ball:
    """The result of a kernel, rounded to its format."""
    return overflowing(before, before.radius + rounding_error(before.reach, fmt, mode), fmt, mode, (before,))


def _some(mask: Array | bool) -> Array | bool:
    return np.any(mask, axis=-1, keepdims=True) if isinstance(mask, np.ndarray) else mask


Algorithm = Callable[[Steps], Ball]
