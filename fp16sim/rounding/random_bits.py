"""The random bits of stochastic rounding: 32 for each element, in C order, however the array is cut into chunks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..conversion import Array

Draw: TypeAlias = Callable[[int], Array]
"""The next n draws, as uint32."""


def draws_from(rng: np.random.Generator) -> Draw:
    """What `rng.integers(0, 2**32, n, dtype=np.uint32)` draws, but faster.

    NumPy's 64-bit generators make uint32 from uint64: the low half first; the high half is kept for the next request.
    So while nothing is kept, n uint64 seen as pairs of uint32 are the next 2n draws, in less than half the time. That
    is not so for subclasses, other generators and machines that store the high half first.
    """
    integers: Any = rng.integers  # NumPy's annotations know one dtype only
    kept: Any = rng.bit_generator.state.get("has_uint32")
    from_uint64 = type(rng.bit_generator).__name__ in ("PCG64", "PCG64DXSM", "Philox", "SFC64") and kept is not None
    if type(rng) is not np.random.Generator or sys.byteorder != "little" or not from_uint64:
        return lambda n: integers(0, 2**32, n, dtype=np.uint32)

    def draw(n: int) -> Array:
        nonlocal kept
        first = integers(0, 2**32, min(n, int(kept)), dtype=np.uint32)
        pairs = integers(0, 2**64, (n - first.size) // 2, dtype=np.uint64).view(np.uint32)
        last = integers(0, 2**32, n - first.size - pairs.size, dtype=np.uint32)
        kept = bool(last.size) or (bool(kept) and not first.size)
        return np.concatenate([first, pairs, last]) if first.size or last.size else pairs

    return draw
