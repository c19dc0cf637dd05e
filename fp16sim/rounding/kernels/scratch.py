"""What kernels are made of: a method of rounding a piece, and memory for its intermediates."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...conversion import Array

CHUNK_BYTES = 1 << 18
"""Bytes worked on at a time: few enough for the cache, many enough that the call of a ufunc costs little."""

F4, F8, U4, I4, U8, BOOL = (np.dtype(name) for name in ("f4", "f8", "u4", "i4", "u8", "?"))


class Method(NamedTuple):
    """How a piece is rounded. What comes between is in rows of scratch memory: in the cache, aligned, and never x."""

    reaches: Callable[[Array, bool], bool]
    """Whether some number is 2^emax or more, or NaN; true without a look if told so. To be asked before `round`."""
    round: Callable[[Array, Array, Array | None, bool], None]
    """round(x, out, draws, far): what is below 2^emax, given what `reaches` said. `out` may be x, or of ROUNDED."""
    overflows: bool
    """Whether `round` also rounds what is above, as an IEEE format does in a mode in which no end stops it."""


class Row:
    """A row of scratch memory, seen as an array. Each thread has its own; rows of one number share their memory."""

    def __init__(self, number: int, dtype: np.dtype[Any]) -> None:
        self.number, self.dtype = number, dtype

    def __call__(self, n: int) -> Array:
        """Room for n numbers, until a row of this number is asked for again. (Fresh memory would be slower.)"""
        view = _scratch.views.get(self)
        if view is None or view.size < n:
            view = _scratch.view(self, n)
        return view[:n]


class _Scratch(threading.local):
    """The memory of a thread's rows, which grows to the largest piece."""

    def __init__(self) -> None:
        self.memory: dict[int, Array] = {}
        self.views: dict[Row, Array] = {}

    def view(self, row: Row, n: int) -> Array:
        need = n * row.dtype.itemsize
        if row.number not in self.memory or self.memory[row.number].size < need:
            # It starts at a cache line, and each row at its own place of a page, which is not that of large arrays
            # (the first): processors take an address for another one that has the same last 12 bits, and wait.
            room = np.empty(max(4096, 1 << (need - 1).bit_length()) + 4096, np.uint8)
            start = (832 * (row.number + 1) - room.ctypes.data) % 4096
            self.memory[row.number] = room[start : start + room.size - 4096]
            self.views = {other: view for other, view in self.views.items() if other.number != row.number}
        self.views[row] = self.memory[row.number].view(row.dtype)
        return self.views[row]


_scratch = _Scratch()

ROUNDED = {F4: Row(1, F4), F8: Row(1, F8)}
"""Where a method keeps x when it is scaled, and then rounded; or the result, where that cannot go to `out` at once."""
