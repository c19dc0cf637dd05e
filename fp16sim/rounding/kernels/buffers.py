"""Scratch memory for kernels, which each thread keeps from call to call."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ...conversion import Array

CHUNK_BYTES = 1 << 18
"""The size of a chunk: small enough for the cache, large enough that the calls of ufuncs cost little."""

F4, F8, U4, I4, U8, BOOL = (np.dtype(name) for name in ("f4", "f8", "u4", "i4", "u8", "?"))


class Buffer:
    """Scratch memory, seen as an array. Each thread has its own; buffers with the same slot share their memory."""

    def __init__(self, slot: int, dtype: np.dtype[Any]) -> None:
        self.slot, self.dtype = slot, dtype

    def __call__(self, n: int) -> Array:
        """An array of n numbers, to use until the slot is used again. (New memory would be slower.)"""
        view = _memory.views.get(self)
        return view if view is not None and view.size == n else _memory.view(self, n)


class _Memory(threading.local):
    """The memory of a thread's buffers, which grows to the largest chunk; and the last view of each buffer."""

    def __init__(self) -> None:
        self.slots: dict[int, Array] = {}
        self.views: dict[Buffer, Array] = {}

    def view(self, buffer: Buffer, n: int) -> Array:
        slot, need = buffer.slot, n * buffer.dtype.itemsize
        if slot not in self.slots or self.slots[slot].size < need:
            # Each slot starts at a cache line, at its own offset in a page, which is not the offset of large arrays
            # (their first bytes): processors confuse addresses that agree in their last 12 bits, and wait.
            block = np.empty(max(4096, 1 << (need - 1).bit_length()) + 4096, np.uint8)
            start = (832 * (slot + 1) - block.ctypes.data) % 4096
            self.slots[slot] = block[start : start + block.size - 4096]
            self.views = {other: view for other, view in self.views.items() if other.slot != slot}
        view = self.views[buffer] = self.slots[slot].view(buffer.dtype)[:n]
        return view


_memory = _Memory()

RESULT = {F4: Buffer(1, F4), F8: Buffer(1, F8)}
"""Where x is scaled and rounded; or the result, where it cannot be written to `out` at once."""
