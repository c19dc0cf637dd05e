"""Loss scales: three kinds with the same verbs, so that the training loop has no `if`.

A loss scale says what the backward pass starts from (`scale`), and what is next once it is known whether all gradients
were finite (`adjust`). `skips` says whether a step with gradients that are not is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

from ..formats import Format
from ..rounding import round_to

SMALLEST = 2.0**-149
"""Where halving ends: PyTorch's scale, a binary32 number, would become 0 and stay there."""


class LossScale(Protocol):
    """What all three have in common."""

    @property
    def scale(self) -> float:
        """What the loss is multiplied by."""

    @property
    def skips(self) -> bool:
        """Whether steps with gradients that are not finite are skipped."""

    def adjust(self, finite: bool) -> Self:
        """The loss scale of the next step."""


@dataclass(frozen=True)
class NoLossScale:
    """The loss as it is."""

    scale: float = 1.0
    skips: bool = False

    def adjust(self, finite: bool) -> Self:
        """The same."""
        return self


@dataclass(frozen=True)
class StaticLossScale:
    """The same factor in every step."""

    scale: float = 1024.0
    skips: bool = False

    def __post_init__(self) -> None:
        if not (self.scale > 0 and math.isfinite(self.scale)):
            raise ValueError(f"loss_scale={self.scale} must be positive; 1 means no scaling")

    def adjust(self, finite: bool) -> Self:
        """The same."""
        return self


@dataclass(frozen=True)
class DynamicLossScale:
    """Halved, and the step skipped, when a gradient is not finite; doubled after `interval` finite steps in a row.

    Defaults and steps are those of PyTorch's GradScaler: the count of finite steps starts again after each change, and
    the scale grows only if it stays finite, here in the format of the loss: `limit` is the largest power of two there.

    >>> scale = DynamicLossScale(scale=8.0, interval=2)
    >>> scale.adjust(True).adjust(True).scale, scale.adjust(False).scale
    (16.0, 4.0)
    """

    scale: float = 2.0**16
    growth: float = 2.0
    backoff: float = 0.5
    interval: int = 2000
    limit: float = 2.0**127
    finite_steps: int = 0
    skips: bool = True

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"loss_scale={self.scale} must be positive; PyTorch starts from 65536")
        if not self.growth > 1 or not 0 < self.backoff < 1 or self.interval < 1:
            raise ValueError(
                f"growth={self.growth}, backoff={self.backoff}, interval={self.interval}: growth must be above 1, "
                "backoff between 0 and 1, and the interval 1 step or more"
            )

    @classmethod
    def starting_in(cls, fmt: Format, scale: float = 2.0**16, interval: int = 2000) -> DynamicLossScale:
        """The default for a loss of this format: 2^16, or the largest power of two that the format holds."""
        limit = float(2.0 ** min(fmt.emax, 1023))
        return cls(scale=min(scale, limit), limit=limit, interval=interval)

    def adjust(self, finite: bool) -> Self:
        """The next scale, and the next count."""
        if not finite:
            return replace(self, scale=max(self.scale * self.backoff, SMALLEST), finite_steps=0)
        if self.finite_steps + 1 < self.interval:
            return replace(self, finite_steps=self.finite_steps + 1)
        grown = self.scale * self.growth
        return replace(self, scale=grown if grown <= self.limit else self.scale, finite_steps=0)


def get_loss_scale(given: str | float, fmt: Format, interval: int = 2000) -> LossScale:
    """The loss scale that "none", "dynamic" or a number stands for, for a loss of a format.

    >>> from fp16sim import BINARY16
    >>> get_loss_scale("dynamic", BINARY16).scale
    32768.0
    """
    if given == "none":
        return NoLossScale()
    if given == "dynamic":
        return DynamicLossScale.starting_in(fmt, interval=interval)
    if isinstance(given, str):
        raise ValueError(f"loss_scale={given!r} is unknown; use 'none', 'dynamic' or a number such as 1024")
    return StaticLossScale(float(given))


def held(scale: float, fmt: Format) -> bool:
    """Whether a format holds a loss scale: what it does not hold becomes infinity before the first gradient."""
    return -float(fmt.max_finite) <= scale <= float(fmt.max_finite) and float(round_to(scale, fmt)) == scale
