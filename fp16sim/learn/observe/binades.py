"""Counts of float32 and float64 numbers by binade, taken from their bits; `exponents` is built on them.

Exact: it takes no logarithm and compares no floats, so it is right even where the processor flushes subnormals.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...conversion import Array, plain_array
from ...formats import Format

CHUNK = 1 << 16
"""Elements that are counted together: few enough to stay in the processor's cache."""


class Binade(NamedTuple):
    """How many numbers have one exponent, and how many of them lie where rounding changes their fate (`exponents`)."""

    total: int = 0
    at_start: int = 0
    near_end: int = 0
    past_top: int = 0


class Counts(NamedTuple):
    """Zeros, NaNs and infinities, and the other numbers by binade, from the first binade that occurs to the last."""

    zeros: int = 0
    nans: int = 0
    infinities: int = 0
    lowest: int = 0
    binades: tuple[Binade, ...] = ()

    @property
    def highest(self) -> int:
        """The exponent of the last binade."""
        return self.lowest + len(self.binades) - 1

    def merge(self, other: Counts) -> Counts:
        """The counts of both arrays together."""
        zeros, nans, infinities = (a + b for a, b in zip(self[:3], other[:3], strict=True))
        if not self.binades or not other.binades:
            one = self if self.binades else other
            return Counts(zeros, nans, infinities, one.lowest, one.binades)
        lowest = min(self.lowest, other.lowest)
        sums = np.zeros((max(self.highest, other.highest) - lowest + 1, 4), np.int64)
        for one in (self, other):
            sums[one.lowest - lowest : one.highest - lowest + 1] += np.array(one.binades)
        return Counts(zeros, nans, infinities, lowest, tuple(map(Binade._make, sums.tolist())))


def as_real(x: npt.ArrayLike) -> Array:
    """An array of float16, float32 or float64 as it is, ints and lists as float64; TypeError for anything else."""
    x = plain_array(x, "x")
    if x.dtype.kind in "iub":
        return x.astype(np.float64)
    if x.dtype.kind != "f" or x.dtype.itemsize > 8:
        raise TypeError(f"x has dtype={x.dtype}; give an array of float16, float32, float64 or integers")
    return x


def chunks(x: Array) -> Iterator[Array]:
    """The elements in C order, in chunks: each contiguous, in this machine's byte order, float32 or float64."""
    carrier = np.dtype(np.float64 if x.dtype.itemsize == 8 else np.float32)
    flat = x.reshape(-1) if x.flags.c_contiguous else x.flat
    for start in range(0, x.size, CHUNK):
        yield np.ascontiguousarray(flat[start : start + CHUNK], carrier)


class _Layout(NamedTuple):
    """The bits of float32 or float64, and two trailing significands: from `near_end` on a number is near the end of its
    binade, from `past_top` on it is past the top if its exponent is emax."""

    trailing_bits: int
    words: np.dtype[Any]
    bias: int
    fields: int
    near_end: int
    past_top: int

    @staticmethod
    @lru_cache(maxsize=64)
    def of(fmt: Format, trailing_bits: int) -> _Layout:
        one, extra = 1 << trailing_bits, trailing_bits - fmt.trailing_bits
        # Half a quantum below 2^emin is 2^emin (1 - 2^-p), or 2 - 2^(1-p) = 2 - 2^-t as a significand of the binade.
        near_end = one - (1 << extra if extra >= 0 else 0)
        # max_finite + ulp/2 is (2 max_significand + 1) ulp/2: a tie, which rounds up, to even, from an odd significand.
        twice = 2 * fmt.max_significand + 1
        tie = twice << (extra - 1) if extra > 0 else -(-twice >> (1 - extra))
        past_top = tie + (extra > 0 and fmt.max_significand % 2 == 0)
        words, bias = (np.dtype(np.uint32), 127) if trailing_bits == 23 else (np.dtype(np.uint64), 1023)
        return _Layout(trailing_bits, words, bias, 2 * bias + 2, near_end, past_top - one)


def _tables(x: Array, layout: _Layout) -> Array:
    """Four rows of counts by biased exponent: all numbers, and those at each of the three places of a binade.

    The first column counts zeros (`at_start`) and the carrier's subnormals, the last one infinities (`at_start`) and
    NaNs.
    """
    t, bits = layout.words.type(layout.trailing_bits), x.view(layout.words)

    def by_field(words: Array) -> Array:
        signed = np.bincount((words >> t).view(f"i{words.itemsize}"), minlength=2 * layout.fields)
        return signed[: layout.fields] + signed[layout.fields :]  # the sign is the bit above the exponent

    # One comparison finds the candidates: subtracting 1 turns trailing bits that are all 0 into all 1, the largest.
    # Zeros are left out, because there may be many.
    mask = layout.words.type((1 << layout.trailing_bits) - 1)
    trailing = bits - layout.words.type(1)
    trailing &= mask
    candidates = trailing >= min(layout.near_end, layout.past_top) - 1
    nonzero = np.left_shift(bits, layout.words.type(1), out=trailing) != 0
    candidates &= nonzero
    chosen = bits[candidates]
    trailing = chosen & mask
    places = (trailing == 0, trailing >= layout.near_end, trailing >= layout.past_top)
    tables = np.array([by_field(words) for words in (bits, *(chosen[place] for place in places))])
    tables[1, 0] = x.size - np.count_nonzero(nonzero)
    return tables


def count(x: Array, fmt: Format) -> Counts:
    """The counts of an array of float16, float32 or float64, with the three places of a binade for `fmt`."""
    layout = _Layout.of(fmt, 52 if x.dtype.itemsize == 8 else 23)
    tables = sum((_tables(chunk, layout) for chunk in chunks(x)), np.zeros((4, layout.fields), np.int64))
    found = _collect(layout, tables)
    subnormals = int(tables[0, 0] - tables[1, 0])
    return found.merge(_subnormals(x, fmt, layout)) if subnormals else found


def _collect(layout: _Layout, tables: Array) -> Counts:
    used = np.flatnonzero(tables[0, 1:-1]) + 1
    zeros, infinities, special = int(tables[1, 0]), int(tables[1, -1]), int(tables[0, -1])
    if not used.size:
        return Counts(zeros, special - infinities, infinities)
    binades = tables[:, used[0] : used[-1] + 1].T.tolist()
    return Counts(
        zeros, special - infinities, infinities, int(used[0]) - layout.bias, tuple(map(Binade._make, binades))
    )


def _subnormals(x: Array, fmt: Format, layout: _Layout) -> Counts:
    """The carrier's own subnormals are n * 2^-149 or n * 2^-1074: n, as a float64, is normal and is counted instead."""
    magnitude = layout.words.type((1 << (layout.words.itemsize * 8 - 1)) - 1)
    wide, tables = _Layout.of(fmt, 52), np.zeros((4, 2048), np.int64)
    for chunk in chunks(x):
        n = chunk.view(layout.words) & magnitude
        tables += _tables(n[(n > 0) & (n < 1 << layout.trailing_bits)].astype(np.float64), wide)
    found = _collect(wide, tables)
    return found._replace(lowest=found.lowest + 1 - layout.bias - layout.trailing_bits)
