"""What the rows share when they prepare their work: data, sizes, other libraries, and calls of microseconds."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..conversion import Array
from ..rounding import round_to
from .measure import Missing, Pair

ELEMENTS = 1 << 22
"""The size of the arrays that are rounded."""


def normal(n: int) -> Array:
    """Ordinary data: normal(0, 1) in float32."""
    return np.random.default_rng(0).normal(size=n).astype(np.float32)


def spread(n: int) -> Array:
    """Data like gradients: spread evenly over the binades from 2^-30 to 2^18, with many subnormals and overflows."""
    rng = np.random.default_rng(0)
    return (rng.choice([-1.0, 1.0], n) * 2.0 ** rng.uniform(-30, 18, n)).astype(np.float32)


def rounded(fmt: str, n: int) -> Array:
    """Ordinary data that the format holds."""
    return round_to(normal(n), fmt)


def size(scale: float, n: int = ELEMENTS) -> int:
    """The elements of an array."""
    return max(16, int(n * scale))


def edge(scale: float, n: int) -> int:
    """The side of a matrix: the work grows with its cube."""
    return max(4, round(n * scale ** (1 / 3)))


def need(module: str) -> Any:
    """The module of another library."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Missing(f"pip install {module.partition('.')[0]}") from None


def round_trip(x: Array, dtype: Any) -> Callable[[], Array]:
    """The usual way to round: to the dtype and back."""
    return lambda: x.astype(dtype).astype(np.float32)


def many(ours: Callable[[], Any], theirs: Callable[[], Any], scale: float, times: int = 1000) -> Pair:
    """Two functions that take microseconds in one thread, called many times. The call itself is part of the time."""
    return Pair.in_one_thread(ours, theirs, max(1, int(times * scale)))
