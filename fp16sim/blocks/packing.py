"""Blocks as the bytes that hardware stores, and back.

Elements are in C order, and their bits follow one another from the lowest bit of each byte: two FP4 in a byte, the
first in its low half, or four FP6 in three bytes. Scales are in C order of the blocks (`rows`), or in the tiles of
NVIDIA's tensor cores (`tiles`): 128 rows x 4 scales, where row r and column c are byte (r % 32) 16 + (r // 32) 4 + c,
tiles in C order, missing scales 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..conversion import Array
from ..formats import quoted
from .block import Block

TILE_ROWS, TILE_COLUMNS = 128, 4
ORDERS = ("rows", "tiles")


class Packed(NamedTuple):
    """The bytes of a BlockArray: elements, scales, and the tensor scale (empty without one), little-endian."""

    elements: bytes
    scales: bytes
    tensor_scale: bytes = b""


def pack_bits(codes: Array, width: int) -> bytes:
    """Codes of `width` bits, one after the other, from the lowest bit of each byte.

    >>> pack_bits(np.array([1, 2, 3], np.uint8), 4).hex()
    '2103'
    """
    if width in (8, 16):
        return codes.astype(f"<u{width // 8}").tobytes()
    size = 1 + (width > 8)
    octets = codes.reshape(-1).astype(f"<u{size}").view(np.uint8).reshape(-1, size)
    bits = np.unpackbits(octets, axis=1, bitorder="little")[:, :width]
    return np.packbits(bits.reshape(-1), bitorder="little").tobytes()


def unpack_bits(data: bytes, width: int, count: int) -> Array:
    """The first `count` codes of `width` bits, as `pack_bits` stores them."""
    expected = -(-count * width // 8)
    if len(data) != expected:
        raise ValueError(f"{len(data)} bytes do not hold {count} codes of {width} bits; give {expected} bytes")
    size = 1 + (width > 8)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: count * width].reshape(count, width)
    octets = np.packbits(bits, axis=1, bitorder="little")
    whole = np.zeros((count, size), np.uint8)
    whole[:, : octets.shape[1]] = octets
    return whole.view(f"<u{size}").reshape(count)


def _tiled(rows: int, columns: int) -> Array:
    """Where in the tiles each scale of a matrix of rows x columns is."""
    r, c = np.indices((rows, columns))
    tiles_across = -(-columns // TILE_COLUMNS)
    tile = (r // TILE_ROWS) * tiles_across + c // TILE_COLUMNS
    inside = r % TILE_ROWS
    return np.asarray(tile * TILE_ROWS * TILE_COLUMNS + inside % 32 * 16 + inside // 32 * 4 + c % TILE_COLUMNS)


def _tiled_size(rows: int, columns: int) -> int:
    return -(-rows // TILE_ROWS) * TILE_ROWS * -(-columns // TILE_COLUMNS) * TILE_COLUMNS


def checked_order(order: str, grid: tuple[int, ...]) -> str:
    """An order of scales that suits the grid of blocks."""
    if order not in ORDERS:
        raise ValueError(f"scale_order={quoted(order)} is unknown; use 'rows' or 'tiles'")
    if order == "tiles" and len(grid) != 2:
        raise ValueError(f"scale_order='tiles' is for matrices, and the scales have shape {grid}; use 'rows'")
    return order


def pack(
    codes: Array, scale_codes: Array, block: Block, tensor_scale: float | None, scale_order: str = "rows"
) -> Packed:
    """Codes of elements and scales as bytes; exact, and `unpack` reads them back.

    Parameters
    ----------
    codes, scale_codes : ndarray
        As a BlockArray has them, padding included.
    block : Block
    tensor_scale : float or None
        Stored as binary32.
    scale_order : str
        "rows" or "tiles" (for matrices).
    """
    if checked_order(scale_order, scale_codes.shape) == "tiles":
        tiles = np.zeros(_tiled_size(*scale_codes.shape), scale_codes.dtype)
        tiles[_tiled(*scale_codes.shape)] = scale_codes
        scale_codes = tiles
    tensor = b"" if tensor_scale is None else np.array(tensor_scale, "<f4").tobytes()
    return Packed(pack_bits(codes, block.element.width), pack_bits(scale_codes, block.scale.width), tensor)


def unpack_scales(data: bytes, block: Block, grid: tuple[int, ...], scale_order: str) -> Array:
    """The codes of the scales in a grid of blocks."""
    count = int(np.prod(grid))
    if checked_order(scale_order, grid) == "rows":
        return unpack_bits(data, block.scale.width, count).reshape(grid)
    return unpack_bits(data, block.scale.width, _tiled_size(*grid))[_tiled(*grid)]
