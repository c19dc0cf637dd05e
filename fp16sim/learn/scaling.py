"""Loss scales: three kinds with the same verbs, so that the training loop need not ask which kind it has.

The backward pass starts from `scale`; `unscale` divides the gradients by it again; `accepts` says whether a step with
these gradients is taken or skipped, and `may_recover` whether a smaller scale could have saved a skipped one; `adjust`
gives the loss scale of the next step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from .. import exact
from ..arrays import FloatArray, array
from ..formats import BINARY32, Format
from ..rounding import round_to
from ..wording import did_you_mean, quoted

SMALLEST = 2.0**-149
"""The smallest dynamic scale: PyTorch's scale, a binary32 number, would become 0 and stay there."""

PATIENCE = 16
"""A run is dead after this number of skipped steps that no loss scale could have saved, if no step was taken between.

A skipped step changes no weight, so only the images of the next one differ. PyTorch's GradScaler has no smallest scale
and skips for ever. Others stop: DeepSpeed at 1, which is 16 halvings below 2^16, and fairseq at 1e-4. They look at the
scale. Here a scale below 1 may be right, for gradients beyond 65504; only steps count for which no scale is.
"""


def all_finite(arrays: Mapping[str, FloatArray]) -> bool:
    """Whether every element of every array is finite."""
    return all(bool(np.isfinite(x.values).all()) for x in arrays.values())


def _in_binary32(product: float) -> float:
    """The number of binary32 that GradScaler stores: its products are computed in binary64 first, like this one."""
    return float(exact.round_to(product, BINARY32))


def _divided(g: FloatArray, scale: float) -> FloatArray:
    """g / scale, computed in binary64 and rounded once to the format of g. For a power of two the quotient is exact."""
    return array(g.values.astype(np.float64) / scale, g.fmt, g.mode, rng=g.rng)


@dataclass(frozen=True)
class LossScale:
    """What all kinds have in common: a factor that never changes, and no step is skipped."""

    scale: float = 1.0

    def unscale(self, grads: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """The gradients divided by the scale. The quotient is rounded once, even if no format stores the scale."""
        return grads if self.scale == 1 else {name: _divided(g, self.scale) for name, g in grads.items()}

    def accepts(self, grads: Mapping[str, FloatArray]) -> bool:
        """Whether a step with these gradients is taken."""
        return True

    def may_recover(self, loss: FloatArray, scaled: Mapping[str, FloatArray]) -> bool:
        """Whether gradients that are not finite could be finite under a smaller scale.

        Not if the loss is not finite either, because no scale changes the forward pass. Not if the gradients are finite
        until they are divided by the scale: then they are too large for their format. Nor if no scale is smaller.
        """
        return bool(np.isfinite(loss.values)) and not all_finite(scaled) and self.adjust(False).scale < self.scale

    def adjust(self, finite: bool) -> Self:
        """The loss scale of the next step, once it is known whether all gradients of this one were finite."""
        return self


@dataclass(frozen=True)
class NoLossScale(LossScale):
    """The loss as it is."""


@dataclass(frozen=True)
class StaticLossScale(LossScale):
    """The same factor in every step."""

    scale: float = 1024.0

    def __post_init__(self) -> None:
        if not (self.scale > 0 and math.isfinite(self.scale)):
            raise ValueError(f"loss_scale={self.scale} must be positive and finite; 1 means no scaling")


@dataclass(frozen=True)
class DynamicLossScale(LossScale):
    """Halved, and the step skipped, when a gradient is not finite; doubled after `interval` finite steps in a row.

    The defaults are those of PyTorch's GradScaler, and so are the rules: the scale is a number of binary32, to which
    each product with `growth` or `backoff` is rounded; the count of finite steps starts again after each change; and
    the scale grows only if it stays finite. Here that also means at most `limit`, which `starting_in` sets to the
    largest power of two in the format of the loss.

    >>> scale = DynamicLossScale(scale=8.0, interval=2)
    >>> scale.adjust(True).adjust(True).scale, scale.adjust(False).scale
    (16.0, 4.0)
    """

    scale: float = 2.0**16
    growth: float = 2.0
    backoff: float = 0.5
    interval: int = 2000
    limit: float = float(BINARY32.max_finite)
    finite_steps: int = 0

    def __post_init__(self) -> None:
        scale = _in_binary32(self.scale)
        if not 0 < scale < math.inf:
            raise ValueError(
                f"loss_scale={self.scale} must be positive and finite in binary32; PyTorch starts from 65536"
            )
        object.__setattr__(self, "scale", scale)
        if not self.growth > 1 or not 0 < self.backoff < 1 or self.interval < 1:
            raise ValueError(
                f"growth={self.growth}, backoff={self.backoff}, interval={self.interval}: growth must be above 1, "
                "backoff between 0 and 1, and the interval 1 step or more"
            )

    @classmethod
    def starting_in(cls, fmt: Format, scale: float = 2.0**16, interval: int = 2000) -> DynamicLossScale:
        """The default for a loss of this format: 2^16, or the largest power of two of the format if that is less."""
        limit = 2.0 ** min(fmt.emax, BINARY32.emax)
        return cls(scale=min(scale, limit), limit=limit, interval=interval)

    def accepts(self, grads: Mapping[str, FloatArray]) -> bool:
        """Whether all gradients are finite."""
        return all_finite(grads)

    def adjust(self, finite: bool) -> Self:
        """The next scale, and the next count."""
        if not finite:
            return replace(self, scale=max(_in_binary32(self.scale * self.backoff), SMALLEST), finite_steps=0)
        if self.finite_steps + 1 < self.interval:
            return replace(self, finite_steps=self.finite_steps + 1)
        grown = _in_binary32(self.scale * self.growth)
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
        similar = did_you_mean(given, ("none", "dynamic"))
        raise ValueError(
            f"loss_scale={quoted(given)} is unknown; {similar}use 'none', 'dynamic' or a number such as 1024"
        )
    return StaticLossScale(float(given))


def is_representable(scale: float, fmt: Format) -> bool:
    """Whether a loss scale is a number of the format; one above the largest would start the backward pass from inf."""
    return -float(fmt.max_finite) <= scale <= float(fmt.max_finite) and float(round_to(scale, fmt)) == scale
