"""What formats make of the parts of a tensor: of its channels, and of blocks that share a scale (MX, NVFP4).

One channel with large weights, or with small ones, does not show in the counts of a whole tensor. In blocks each scale
follows the largest magnitude of its block, so small elements beside a large one become 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...blocks import Block, get_block, quantize, statistics
from ...blocks.block import BlockLike
from ...conversion import Array
from ...formats import Format
from ...rounding import round_to
from ...wording import quoted
from .numbers import Numbers, beyond

# --- channels -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChannelsInFormat:
    """What one format makes of each channel; tuples have an entry for each.

    Attributes
    ----------
    fmt : Format
    underflowed, overflowed : tuple of int
        Finite nonzero numbers that become 0; finite ones that are beyond max_finite after rounding.
    mean_error : tuple of float
        The mean relative error of the finite nonzero numbers; one that is lost counts as an error of 1.
    """

    fmt: Format
    underflowed: tuple[int, ...]
    overflowed: tuple[int, ...]
    mean_error: tuple[float, ...]

    @property
    def worst(self) -> int:
        """The channel with the largest mean error; the first of several."""
        return max(range(len(self.mean_error)), key=lambda k: self.mean_error[k])


@dataclass(frozen=True)
class Channels:
    """The channels of a tensor: the parts with one index of an axis.

    Attributes
    ----------
    axis : int
    finite : tuple of int
        How many finite nonzero numbers each channel has.
    amax : tuple of float
        The largest magnitude of each; 0 if it has no finite nonzero number.
    formats : tuple of ChannelsInFormat
    """

    axis: int
    finite: tuple[int, ...]
    amax: tuple[float, ...]
    formats: tuple[ChannelsInFormat, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        formats = []
        for found in self.formats:
            counts = {name: list(getattr(found, name)) for name in ("underflowed", "overflowed", "mean_error")}
            formats.append({"format": found.fmt.to_plain(), **counts})
        return {"axis": self.axis, "finite": list(self.finite), "amax": list(self.amax), "formats": formats}


def by_channel(numbers: Numbers, axis: int, formats: Sequence[Format]) -> Channels | None:
    """What formats make of each channel; None if the tensor has no such axis, or no number."""
    shape = numbers.shape
    if not -len(shape) <= axis < len(shape) or not numbers.size:
        return None
    axis %= len(shape)
    finite, amax = np.zeros(shape[axis], np.int64), np.zeros(shape[axis])
    counts, errors = np.zeros((len(formats), 2, shape[axis]), np.int64), np.zeros((len(formats), shape[axis]))
    with np.errstate(all="ignore"):
        for first, part in numbers.channels(axis):
            at = slice(first, first + len(part))
            magnitude = np.abs(part).astype(np.float64)
            magnitude[~np.isfinite(magnitude)] = 0
            finite[at] += np.count_nonzero(magnitude, axis=1)
            amax[at] = np.maximum(amax[at], magnitude.max(axis=1))
            for k, fmt in enumerate(formats):
                *new, error = _losses(magnitude, fmt)
                counts[k, :, at] += np.array(new)
                errors[k, at] += error
    means = (errors / np.maximum(finite, 1)).tolist()
    found = tuple(
        ChannelsInFormat(fmt, tuple(counts[k, 0].tolist()), tuple(counts[k, 1].tolist()), tuple(means[k]))
        for k, fmt in enumerate(formats)
    )
    return Channels(axis, tuple(finite.tolist()), tuple(amax.tolist()), found)


def _losses(magnitude: Array, fmt: Format) -> tuple[Array, Array, Array]:
    """By row: how many become 0, how many overflow, and the sum of relative errors, 1 for each of these."""
    y = round_to(magnitude, fmt).astype(np.float64)
    nonzero = magnitude != 0
    zero, over = nonzero & (y == 0), beyond(magnitude, fmt)
    relative = np.where(nonzero & ~over, np.abs(y - magnitude) / np.where(nonzero, magnitude, 1.0), over)
    return zero.sum(axis=1), over.sum(axis=1), relative.sum(axis=1)


# --- blocks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InBlocks:
    """What blocks of one kind make of a tensor; they lie along its last axis, and the last block of a row may be short.

    Attributes
    ----------
    block : str
    blocks, spoiled : int
        How many there are, and how many hold NaN or infinity: all their values are NaN, and they count nowhere else.
    finite : int
        The nonzero numbers in the others.
    vanished, saturated : int
        Numbers that become 0; numbers beyond the largest element times the scale.
    length, error_length : float
        The roots of the sums of x^2 and of (value - x)^2 over all these numbers.
    """

    block: str
    blocks: int = 0
    spoiled: int = 0
    finite: int = 0
    vanished: int = 0
    saturated: int = 0
    length: float = 0.0
    error_length: float = 0.0

    def __add__(self, other: InBlocks) -> InBlocks:
        counts = [getattr(self, name) + getattr(other, name) for name in _COUNTS]
        lengths = [math.hypot(self.length, other.length), math.hypot(self.error_length, other.error_length)]
        return InBlocks(self.block, *counts, *lengths)

    @property
    def error(self) -> float | None:
        """The length of the error as a part of that of the tensor: |value - x| / |x|; None if all numbers are 0."""
        return self.error_length / self.length if self.length else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "error": self.error}


_COUNTS = ("blocks", "spoiled", "finite", "vanished", "saturated")


def as_blocks(given: BlockLike | Sequence[BlockLike]) -> dict[str, Block]:
    """One kind of block or several, by name; ValueError for those that do not lie along one axis."""
    if not isinstance(given, (Block, str, list, tuple)):
        raise TypeError(f"blocks={quoted(given)} is not a block or a list of them; give a name such as 'nvfp4'")
    found, listed = {}, [given] if isinstance(given, (Block, str)) else given
    for block in listed:
        one = get_block(block)
        if not isinstance(one.size, int):
            raise ValueError(f"blocks={quoted(block)} has the size {one.size}; use blocks of some elements of one axis")
        found[block.lower() if isinstance(block, str) else str(one)] = one
    return found


def in_blocks(numbers: Numbers, name: str, block: Block) -> InBlocks:
    """What blocks along the last axis make of a tensor, piece by piece."""
    size = block.size
    assert isinstance(size, int)
    found, amax = InBlocks(name), max((_amax(blocks) for blocks in _pieces(numbers, size)), default=0.0)
    unit = amax if amax else 1.0  # so that no square overflows or underflows
    for piece in _pieces(numbers, size):
        # One more block holds the largest number, so that each piece has the tensor scale of the whole.
        blocks = np.zeros((len(piece) + 1, size))
        blocks[:-1], blocks[-1, 0] = piece, amax
        with np.errstate(all="ignore"):
            seen = statistics(blocks, quantize(blocks, block))
            scale = seen.scale[:-1].reshape(-1)
            good = ~np.isnan(scale)
            x = blocks[:-1][good] / unit
            vanished, saturated, rms = (
                part[:-1].reshape(-1)[good] for part in (seen.vanished, seen.saturated, seen.rms_error / unit)
            )
        found += InBlocks(
            found.block,
            good.size,
            int(good.size - np.count_nonzero(good)),
            int(np.count_nonzero(x)),
            round(float(vanished.sum()) * size),
            round(float(saturated.sum()) * size),
            math.sqrt(float(np.sum(x * x))) * unit,
            math.sqrt(float(np.sum(rms * rms)) * size) * unit,
        )
    return found


def _pieces(numbers: Numbers, size: int) -> Iterator[Array]:
    """Blocks as rows; the end of a row of the tensor that is too short is filled with zeros."""
    for _, rows in numbers.rows(size):
        padded = np.zeros((len(rows), -(-rows.shape[1] // size) * size))
        padded[:, : rows.shape[1]] = rows
        yield padded.reshape(-1, size)


def _amax(blocks: Array) -> float:
    """The largest magnitude in blocks without NaN and infinity."""
    good = blocks[np.isfinite(blocks).all(axis=1)]
    return float(np.abs(good).max(initial=0.0))
