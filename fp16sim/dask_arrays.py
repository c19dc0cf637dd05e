"""Rounding of Dask arrays, chunk by chunk: the result is that for the whole array in memory, to the last bit.

A deterministic mode treats each number by itself, so chunks do not matter. Stochastic rounding takes 32 random bits for
each element, in C order. The generator of a seed can be advanced by any number of draws, so each chunk takes those that
belong to its elements. Blocks need chunks of whole blocks, and NVFP4's tensor scale the largest magnitude of all.

Dask is not imported here: an array brings the methods that are used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from .blocks import quantize as quantize_array
from .blocks.block import Block, BlockLike, get_block
from .blocks.definition import tensor_scale
from .blocks.quantization import block_sides, check_pad, finite_amax, padded_shape
from .conversion import Array, as_generator
from .formats import FormatLike, Rounding, Subnormals, get_format, get_rounding
from .rounding import round_to as round_array
from .wording import quoted

__all__ = ["ChunkedBlocks", "quantize", "round_to"]

Place: TypeAlias = tuple[tuple[int, int], ...]
"""From where to where a chunk reaches along each axis."""


def round_to(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: int | None = None,
    saturate: bool | None = None,
    subnormals: Subnormals | str | None = None,
    overflow: str | None = None,
) -> Any:
    """Round a Dask array to a format: correctly rounded, and equal to `fp16sim.round_to` of the whole array.

    Parameters
    ----------
    x : dask.array.Array
        Of real numbers.
    fmt, mode, saturate, subnormals, overflow
        As of `fp16sim.round_to`.
    rng : int, optional
        For "stochastic": a seed. The result does not depend on the chunks. None for fresh entropy.

    Returns
    -------
    dask.array.Array
        With the chunks of x; nothing is computed yet.

    Raises
    ------
    TypeError
        For anything but a Dask array, and for a Generator: chunks are computed in any order.
    ValueError
        As `fp16sim.round_to`, and for chunks of unknown size in "stochastic".

    Examples
    --------
    Where Dask is installed::

        import dask.array as da
        x = da.random.random(10**9, chunks=10**7)
        fs.dask_arrays.round_to(x, "bfloat16", "stochastic", rng=0).mean().compute()
    """
    _check_array(x)
    fmt, mode = get_format(fmt), get_rounding(mode)
    settings: dict[str, Any] = {"saturate": saturate, "subnormals": subnormals, "overflow": overflow}
    settings |= {"fmt": fmt, "mode": mode}
    meta = round_array(np.empty((0,) * x.ndim, x.dtype), **settings)
    seed = _seed(mode, rng)
    shape = x.shape if seed is None else _known_shape(x)
    return x.map_blocks(partial(_round_chunk, settings, seed, shape), dtype=meta.dtype, meta=meta)


def _round_chunk(settings: Any, seed: Any, shape: Any, chunk: Array, block_info: Any = None) -> Array:
    rng = None if seed is None else PlacedDraws(seed, shape, _place(block_info))
    return np.asarray(round_array(chunk, **settings, rng=rng))


@dataclass(frozen=True)
class ChunkedBlocks:
    """A Dask array in blocks that share a scale; each part is computed when it is asked for.

    Attributes
    ----------
    values, codes, scale_codes : dask.array.Array
        As of `fp16sim.blocks.BlockArray`.
    tensor_scale : dask.array.Array or None
        The scale of the whole array, of no dimensions; None if the block has none.
    """

    values: Any
    codes: Any
    scale_codes: Any
    tensor_scale: Any


def quantize(
    x: Any,
    block: BlockLike,
    axis: int = -1,
    *,
    scale_rule: str | None = None,
    mode: Rounding | str = "ties_to_even",
    rng: int | None = None,
    pad: str | None = None,
) -> ChunkedBlocks:
    """A Dask array in blocks that share a scale, equal to `fp16sim.blocks.quantize` of the whole array.

    Parameters
    ----------
    x : dask.array.Array
        Chunks that cut a block are merged with the next one.
    block, axis, scale_rule, mode, pad
        As of `fp16sim.blocks.quantize`.
    rng : int, optional
        For "stochastic": a seed. The result does not depend on the chunks.

    Returns
    -------
    ChunkedBlocks
        Its values are float64.

    Raises
    ------
    TypeError, ValueError
        As `fp16sim.blocks.quantize` and `round_to`.
    """
    _check_array(x)
    block, mode = get_block(block), get_rounding(mode)
    rule, seed, shape = block.checked_rule(scale_rule), _seed(mode, rng), _known_shape(x)
    sides = block_sides(block, shape, axis)
    check_pad(shape, sides, pad)
    settings: dict[str, Any] = {"block": block, "axis": axis, "scale_rule": rule, "pad": pad}
    whole = x.rechunk(tuple(_whole_blocks(chunks, side) for chunks, side in zip(x.chunks, sides, strict=True)))
    grid = tuple(tuple(-(-n // side) for n in chunks) for chunks, side in zip(whole.chunks, sides, strict=True))
    largest = () if block.tensor_scale is None else (_largest(whole, settings),)
    one = quantize_array(np.zeros(block_sides(block, (1,) * x.ndim, axis)), block, axis)

    def part(name: str, dtype: Any, chunks: Any) -> Any:
        work = partial(
            _quantize_chunk, name, dtype, {**settings, "mode": mode}, seed, padded_shape(shape, sides), sides
        )
        return whole.map_blocks(work, *largest, dtype=dtype, chunks=chunks, meta=np.empty((0,) * x.ndim, dtype))

    return ChunkedBlocks(
        part("values", np.dtype(np.float64), whole.chunks),
        part("codes", one.codes.dtype, whole.chunks),
        part("scale_codes", one.scale_codes.dtype, grid),
        largest[0].map_blocks(partial(_tensor_scale, block, rule), dtype=np.float64) if largest else None,
    )


def _quantize_chunk(
    name: str,
    dtype: Any,
    settings: Any,
    seed: int | None,
    shape: tuple[int, ...],
    sides: tuple[int, ...],
    chunk: Array,
    largest: Any = None,
    block_info: Any = None,
) -> Array:
    rng = None
    if seed is not None:
        place = zip(_place(block_info), sides, strict=True)
        rng = PlacedDraws(seed, shape, tuple((low, -(-high // side) * side) for (low, high), side in place))
    amax = None if largest is None else float(largest)
    return np.asarray(getattr(quantize_array(chunk, **settings, rng=rng, amax=amax), name), dtype)


def _largest(x: Any, settings: Any) -> Any:
    """The largest magnitude that counts for the tensor scale, as a Dask array without dimensions."""

    def of_chunk(chunk: Array) -> Array:
        return np.full((1,) * chunk.ndim, finite_amax(chunk, **settings))

    ones = tuple((1,) * len(chunks) for chunks in x.chunks)
    return x.map_blocks(of_chunk, dtype=np.float64, chunks=ones, meta=np.empty((0,) * x.ndim)).max()


def _tensor_scale(block: Block, rule: str, largest: Array) -> Array:
    return np.asarray(float(tensor_scale(Fraction(float(largest)), block, rule)))


def _whole_blocks(chunks: Sequence[int], side: int) -> tuple[int, ...]:
    """Chunks of an axis that cut no block: each end is moved to the next end of a block.

    >>> _whole_blocks((10, 10, 15), 16)
    (16, 16, 3)
    """
    ends = np.cumsum(chunks)
    moved = np.minimum(-(-ends // side) * side, ends[-1])
    kept = np.unique(np.append(moved, 0)) if ends[-1] else np.array([0, 0])
    return tuple(np.diff(kept).tolist())


# --- what both need -------------------------------------------------------------------------------------------------


def _check_array(x: Any) -> None:
    if not (hasattr(x, "map_blocks") and hasattr(x, "chunks") and hasattr(x, "rechunk")):
        raise TypeError(
            f"x={quoted(x)} is not a Dask array; make one with dask.array.from_array, or use the function of the same "
            "name for arrays in memory"
        )


def _known_shape(x: Any) -> tuple[int, ...]:
    if any(math.isnan(length) for length in x.shape):
        raise ValueError(f"x.shape={x.shape} has chunks of unknown size; call x.compute_chunk_sizes() first")
    return tuple(x.shape)


def _seed(mode: Rounding, rng: int | None) -> int | None:
    """The seed of a random mode, drawn if none is given; None for the others."""
    if not mode.random:
        return None
    if rng is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(rng, np.random.Generator):
        raise TypeError(f"rng={quoted(rng)}: chunks are computed in any order, so give a seed")
    as_generator(mode, rng)  # raises for what is no seed
    return int(rng)


def _place(block_info: Any) -> Place:
    return tuple(block_info[0]["array-location"])


# --- draws ----------------------------------------------------------------------------------------------------------

LUMP = 1 << 18
"""Draws that are taken at once where a chunk has only a part of each row."""


class PlacedDraws(np.random.Generator):
    """The draws of a seed that belong to one chunk of an array, as a generator for `round_to`.

    Element n of the whole array, counted in C order, has draw n of `np.random.default_rng(seed)`, of 32 bits each. The
    generator makes two of them from one 64-bit number, the low half first.
    """

    def __init__(self, seed: int, shape: tuple[int, ...], place: Place) -> None:
        super().__init__(np.random.PCG64(seed))
        self._source, self._at = np.random.PCG64(seed), 0
        self._pieces, self._rest = self._draws(shape, place), np.empty(0, np.uint32)

    def integers(self, *args: Any, **keywords: Any) -> Any:
        """The next draws of the chunk, which is all that rounding asks for: (0, 2^32, how many)."""
        size, found, have = args[2], [self._rest], len(self._rest)
        while have < size:
            found.append(next(self._pieces))
            have += len(found[-1])
        whole = np.concatenate(found)
        self._rest = whole[size:]
        return whole[:size]

    def _draws(self, shape: tuple[int, ...], place: Place) -> Iterator[Array]:
        """The draws of the chunk in C order, in pieces: runs of neighbours, or whole rows where runs are short."""
        last = max((k for k, side in enumerate(shape) if place[k] != (0, side)), default=0)
        inner = math.prod(shape[last + 1 :])
        start, run, row = place[last][0] * inner, (place[last][1] - place[last][0]) * inner, shape[last] * inner
        rows = LUMP // row if row <= max(8 * run, 4096) else 0
        *outer, (low, high) = place[:last] or ((0, 1),)
        for index in product(*(range(a, b) for a, b in outer)):
            base = 0
            for k, i in enumerate((*index, 0)):
                base = base * shape[k] + i if last else 0
            yield from self._rows(base + low, base + high, row, start, run, rows)

    def _rows(self, low: int, high: int, row: int, start: int, run: int, lump: int) -> Iterator[Array]:
        if not lump:
            yield from (self._take(k * row + start, run) for k in range(low, high))
            return
        for k in range(low, high, lump):
            count = min(lump, high - k)
            yield self._take(k * row, count * row).reshape(count, row)[:, start : start + run].reshape(-1)

    def _take(self, start: int, size: int) -> Array:
        """Draws start ... start + size - 1 of the seed."""
        self._source.advance(start // 2 - self._at)
        words = (start % 2 + size + 1) // 2
        self._at = start // 2 + words
        drawn = self._source.random_raw(words)
        return drawn.astype("<u8", copy=False).view("<u4")[start % 2 : start % 2 + size].astype(np.uint32, copy=False)
