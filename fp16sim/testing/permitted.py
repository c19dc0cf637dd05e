"""What a kernel may do: the accumulators and orders that a test permits, and what an error bound must know of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..accumulators import (
    Accumulator,
    AccumulatorLike,
    Blas,
    Blocked,
    Exact,
    Fused,
    Pairwise,
    Sequential,
    TensorCore,
    resolve,
)
from ..accumulators.machines import Datapath
from ..conversion import Array
from ..formats import Format, Rounding
from ..wording import did_you_mean, quoted

DEFAULT = ("binary32",)
"""The usual contract of a kernel of a narrow format: sums in binary32, rounded once at the end."""

# --- orders ---------------------------------------------------------------------------------------------------------


def _lanes(n: int, count: int) -> Array:
    """Terms 0, count, 2 count, ..., then 1, count + 1, ...: what the lanes of a vector unit take, lane after lane."""
    return np.concatenate([np.arange(lane, n, count) for lane in range(min(count, n))] or [np.arange(0)])


ORDERS: dict[str, Callable[[int], Array]] = {
    "forward": np.arange,
    "backward": lambda n: np.arange(n)[::-1],
    "lanes:4": lambda n: _lanes(n, 4),
    "lanes:8": lambda n: _lanes(n, 8),
    "lanes:16": lambda n: _lanes(n, 16),
    "lanes:32": lambda n: _lanes(n, 32),
}
"""Orders of terms by name: the k-th term that an accumulator takes."""
ANY = "any"
"""Every order, and every tree of additions. The bound holds for all of them; those of ORDERS are tried bit for bit."""


def orders_of(orders: str | Iterable[str]) -> tuple[str, ...]:
    """The names of orders, checked."""
    names = (orders,) if isinstance(orders, str) else tuple(orders)
    for name in names:
        if not isinstance(name, str) or name not in (*ORDERS, ANY):
            known = f"{did_you_mean(name, (*ORDERS, ANY))}use one of {', '.join(map(repr, (*ORDERS, ANY)))}"
            raise ValueError(f"orders has {quoted(name)}, which is not an order; {known}")
    if not names:
        raise ValueError(f"orders={quoted(orders)} permits nothing; use 'any' or names such as 'forward'")
    return names


# --- accumulators ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Additions:
    """How an accumulator adds, as far as an error bound is concerned.

    Parameters
    ----------
    accumulator : Accumulator
    any_order : bool
        Whether its terms may be added in every order and tree, not only in its own.
    """

    accumulator: Accumulator
    any_order: bool

    @property
    def fmt(self) -> Format:
        """The format of its sums."""
        return self.accumulator.fmt

    @property
    def mode(self) -> Rounding:
        """How it rounds them."""
        return self.accumulator.mode

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded before the end."""
        return isinstance(self.accumulator, Exact)

    @property
    def may_fuse(self) -> bool:
        """Whether products may be added without being rounded."""
        return isinstance(self.accumulator, (Fused, Blas))

    @property
    def path(self) -> Datapath | None:
        """How a matrix unit adds; None for additions that are rounded one by one."""
        return self.accumulator.path if isinstance(self.accumulator, TensorCore) else None

    @property
    def bounded(self) -> bool:
        """Whether a bound is known: not for Kahan's sum, nor for matrix units that work in other ways."""
        if self.path is not None:
            return self.path.step in ("aligned", "exact") and not self.path.flushes
        return self.exact or isinstance(self.accumulator, (Sequential, Pairwise, Blocked, Blas))

    @property
    def label(self) -> str:
        """The accumulator in words, such as "Sequential(binary32)"."""
        return label_of(self.accumulator)

    def height(self, n: int) -> int:
        """The most additions that any of n terms takes part in."""
        how = self.accumulator
        if self.any_order or n < 2:
            return max(0, n - 1)
        if isinstance(how, Pairwise):
            return (n - 1).bit_length()
        if isinstance(how, Blocked):
            return min(how.block, n) - 1 + -(-n // how.block) - 1
        return n - 1


def label_of(how: Accumulator) -> str:
    """An accumulator in words."""
    if isinstance(how, TensorCore):
        return f"TensorCore({how.generation}, {how.fmt.name})"
    block = f", block={how.block}" if isinstance(how, Blocked) else ""
    mode = "" if how.mode is Rounding.TIES_TO_EVEN else f", {how.mode}"
    return "Exact()" if isinstance(how, Exact) else f"{type(how).__name__}({how.fmt.name}{block}{mode})"


def permitted(
    accumulators: AccumulatorLike | Iterable[AccumulatorLike] | None,
    orders: tuple[str, ...],
    fmt: Format,
    mode: Rounding,
) -> tuple[Additions, ...]:
    """The accumulators that a test permits, for operands of `fmt`."""
    one = isinstance(accumulators, (str, Accumulator))
    given: list[Any] = [accumulators] if one else list(_default(fmt) if accumulators is None else accumulators)  # type: ignore[arg-type]
    if not given:
        raise ValueError("accumulators=[] permits nothing; name one such as 'binary32', or leave it out")
    return tuple(Additions(resolve(one, fmt, mode, None), ANY in orders) for one in given)


def _default(fmt: Format) -> tuple[str, ...]:
    return DEFAULT if fmt.precision <= 24 and fmt.exponent_bits <= 8 else ("sequential",)
