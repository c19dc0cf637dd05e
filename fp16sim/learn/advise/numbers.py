"""The numbers of a stored tensor, piece by piece: codes, integers and floats become floats that NumPy computes with.

A tensor may be larger than memory. Then it is mapped from its file, and only one piece at a time is read and decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...codes import decode
from ...conversion import Array
from ...formats import Format

PIECE = 1 << 20
"""Numbers that are decoded together."""

SLAB = 1 << 26
"""Bytes of channels that are copied together, where channels do not lie one after the other."""


class Coded(NamedTuple):
    """Codes of a format, as a file has them.

    Attributes
    ----------
    codes : ndarray of unsigned integers
    fmt : Format
    per_code : int
        How many numbers an element of `codes` holds: 2 for bytes with two codes of 4 bits, the lower four bits first.
    """

    codes: Array
    fmt: Format
    per_code: int = 1

    @property
    def dtype(self) -> str:
        """What tables call its type."""
        return self.fmt.name


@dataclass(frozen=True, eq=False)
class Numbers:
    """A tensor whose numbers are decoded when they are asked for.

    Attributes
    ----------
    stored : ndarray
        As it is stored; it may be a memory map.
    read : callable
        From some of the stored elements to floats. Two numbers of one element stand in a new last axis.
    per_element : int
        How many numbers a stored element holds.
    """

    stored: Array
    read: Callable[[Array], Array] = lambda x: x
    per_element: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, counted in numbers."""
        if self.per_element == 1:
            return self.stored.shape
        return (*self.stored.shape[:-1], self.stored.shape[-1] * self.per_element)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.stored.size * self.per_element

    def pieces(self) -> Iterator[Array]:
        """All numbers in C order, in pieces of one dimension."""
        for start in range(0, self.size, PIECE):
            yield self.flat(start, min(start + PIECE, self.size))

    def flat(self, start: int, stop: int) -> Array:
        """Some numbers in C order; `start` and `stop` are multiples of `per_element`."""
        stored = self.stored
        elements = stored.reshape(-1) if stored.flags.c_contiguous else stored.flat
        part = np.asarray(elements[start // self.per_element : stop // self.per_element])
        return self.read(part).reshape(-1)

    def rows(self, multiple: int) -> Iterator[tuple[int, Array]]:
        """(first row, rows) of the last axis, as arrays of two dimensions; a long row comes in parts.

        The length of each part but the last of a row is a multiple of `multiple`.
        """
        length = self.shape[-1] if self.shape else 1
        count = self.size // length if length else 0
        step = max(PIECE // multiple, 1) * multiple
        if length > step:
            for row in range(count):
                for start in range(row * length, (row + 1) * length, step):
                    yield row, self.flat(start, min(start + step, (row + 1) * length))[None]
            return
        at_once = max(1, PIECE // max(length, 1))
        for row in range(0, count, at_once):
            stop = min(row + at_once, count)
            yield row, self.flat(row * length, stop * length).reshape(-1, length)

    def channels(self, axis: int) -> Iterator[tuple[int, Array]]:
        """(first channel, numbers by channel): channels are the indices of an axis, and a large one comes in parts."""
        moved = np.moveaxis(self.stored, axis, 0)
        last = axis in (-1, self.stored.ndim - 1)
        own = self.per_element if last else 1
        elements = moved.size // max(len(moved), 1)
        at_once = max(1, min(SLAB // max(elements * moved.itemsize, 1), PIECE // max(elements, 1)))
        for first in range(0, len(moved), at_once):
            group = moved[first : first + at_once]
            flat = group.reshape(len(group), -1) if len(group) > 1 else _Row(group)
            for start in range(0, elements, PIECE):
                part = self.read(np.asarray(flat[:, start : start + PIECE]))
                if self.per_element > 1:
                    part = np.moveaxis(part, 2, 1).reshape(-1, part.shape[1]) if last else part.reshape(len(part), -1)
                yield first * own, part


class _Row:
    """A single channel as a row: a slice of it copies no more than the slice."""

    def __init__(self, channel: Array) -> None:
        self._flat = channel.reshape(-1) if channel.flags.c_contiguous else channel.flat

    def __getitem__(self, at: tuple[slice, slice]) -> Array:
        return np.asarray(self._flat[at[1]])[None]


def beyond(magnitude: Array, fmt: Format) -> Array:
    """Whether numbers overflow, even if the format saturates: from max_finite + ulp/2 on, which itself ties to even."""
    top = float(fmt.max_finite) + 2.0 ** (fmt.emax - fmt.precision)
    return magnitude >= top if fmt.max_significand % 2 else magnitude > top


# --- how elements are read ------------------------------------------------------------------------------------------


def integers(x: Array) -> Array:
    """Integers as float64 numbers."""
    return x.astype(np.float64)


def reader(fmt: Format, per_code: int = 1) -> Callable[[Array], Array]:
    """From codes of a format of up to 16 bits to float32 numbers."""
    values = _table(fmt)
    if per_code == 1:
        return lambda codes: np.asarray(values[codes])
    return lambda codes: np.asarray(values[np.stack([codes & 15, codes >> 4], axis=-1)])


@lru_cache(maxsize=32)
def _table(fmt: Format) -> Array:
    with np.errstate(invalid="ignore"):  # signaling NaNs
        return decode(np.arange(1 << fmt.width), fmt).astype(np.float32)


def largest(stored: Array, start: int = 0) -> Any:
    """The largest magnitude of stored integers, as a Python integer; 0 if there are none."""
    found = start
    for x in Numbers(stored).pieces():
        found = max(found, int(x.max()), -int(x.min()))
    return found
