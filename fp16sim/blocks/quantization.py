"""quantize: an array into blocks, equal to the definition; and the way back from codes and bytes."""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from typing import Any

import numpy as np

from ..codes import decode
from ..conversion import Array, Generator, Seed, as_generator, check_hardware, lift
from ..formats import BINARY32, Format, Rounding, Specials, get_rounding, quoted, with_behaviour
from ..rounding import round_array, round_without_flags
from . import libraries
from .block import LIBRARY_RULES, POWERS_OF_TWO, Block, BlockLike, FixedPoint, get_block
from .blockarray import BlockArray
from .packing import Packed, unpack_bits, unpack_scales
from .scales import (
    block_maximum,
    flattened,
    float32_shares,
    nobody,
    quotient,
    scales_of,
    slabs,
    spread,
    vanishes_to_nearest,
)

TO_NEAREST = (Rounding.TIES_TO_EVEN, Rounding.TIES_TO_AWAY)


def quantize(
    x: Any,
    block: BlockLike,
    axis: int = -1,
    *,
    scale_rule: str | None = None,
    mode: Rounding | str = "ties_to_even",
    rng: Seed = None,
    pad: str | None = None,
    amax: float | None = None,
) -> BlockArray:
    """An array in blocks that share a scale: each scale and each element is that of the exact definition.

    Parameters
    ----------
    x : array_like
        Numbers that float64 holds.
    block : Block or str
        "mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp6_e3m2", "mxfp4", "mxint8", "nvfp4", or a Block of your own.
    axis : int
        The axis that blocks lie along, if the size of a block is one number; a tuple names the last axes.
    scale_rule : str, optional
        A key of `SCALE_RULES`; by default "floor" for scales that are powers of two, else "nearest".
    mode, rng
        How elements are rounded, as for `round_to`: scales are found by their rule alone. Stochastic rounding draws 32
        bits an element, in C order.
    pad : "zeros", optional
        Fills the last blocks with zeros if an axis is no multiple of the block. Without it, such an axis is an error.
    amax : float, optional
        For a block with a tensor scale: the largest magnitude that this scale is made for, by default that of x. Give
        it for a part of a tensor, or for a magnitude of earlier steps; what is too large for the scale saturates.

    Returns
    -------
    BlockArray
        With `.values .codes .scale_codes .tensor_scale .block_shape .pack()`.

    Raises
    ------
    ValueError
        For an unknown block, rule or mode, an axis that the block does not divide, and numbers beyond float64.
    TypeError
        For anything but real numbers.

    Notes
    -----
    Saturation is part of every rule, so no flag is raised; `statistics` counts what saturated and what vanished.
    `DECIDED` says what happens to zero blocks, NaN, infinity, and scales that their format does not hold.

    Examples
    --------
    >>> import fp16sim as fs
    >>> q = fs.blocks.quantize([7.0, 0.5, -3.0, 0.1] * 8, "mxfp4")
    >>> q.values[:4], q.scale_codes, q.codes[:4]
    (array([ 6. ,  0.5, -3. ,  0. ]), array([127], dtype=uint8), array([ 7,  1, 13,  0], dtype=uint8))
    >>> fs.blocks.quantize([7.0, 0.5, -3.0, 0.1] * 8, "mxfp4", scale_rule="rceil").values[:4]
    array([ 8.,  0., -3.,  0.])
    """
    block, mode = get_block(block), get_rounding(mode)
    rule, generator = block.checked_rule(scale_rule), as_generator(mode, rng)
    check_hardware()
    numbers = _numbers(x, rule)
    sides = block_sides(block, numbers.shape, axis)
    stored = _padded(numbers, sides, pad)
    rows, flat_sides = flattened(np.ascontiguousarray(stored), sides)
    scales, tensor, maxima = scales_of(rows, block, rule, flat_sides, _checked_amax(amax, block))
    elements = np.empty(rows.shape, rows.dtype)
    number = block.element.lattice if isinstance(block.element, FixedPoint) else block.element
    fmt = with_behaviour(number, True, None)
    if mode in TO_NEAREST and rule not in LIBRARY_RULES and _none_saturates(maxima, scales, tensor, fmt):
        fmt = _without_end(fmt)
    fill = _library_elements if rule in LIBRARY_RULES else _elements
    for at, grid in slabs(rows, flat_sides):
        fill(rows[at], scales[grid], tensor, block, fmt, flat_sides, mode, generator, rule, elements[at])
    grid_shape = [length // side for length, side in zip(stored.shape, sides, strict=True)]
    return BlockArray(
        block,
        rule,
        sides,
        numbers.shape,
        elements.reshape(stored.shape),
        scales.reshape(grid_shape),
        tensor if block.tensor_scale else None,
    )


def finite_amax(
    x: Any, block: BlockLike, axis: int = -1, *, scale_rule: str | None = None, pad: str | None = None
) -> float:
    """The largest magnitude in the blocks without NaN and infinity: exact, and what a tensor scale is made for.

    >>> finite_amax([1.0, -5.0] * 8 + [9.0, np.inf] * 8, "nvfp4")
    5.0
    """
    block = get_block(block)
    numbers = _numbers(x, block.checked_rule(scale_rule))
    sides = block_sides(block, numbers.shape, axis)
    rows, sides = flattened(np.ascontiguousarray(_padded(numbers, sides, pad)), sides)
    maxima = (block_maximum(rows[at], sides) for at, _ in slabs(rows, sides))
    return max((float(found.max(initial=0, where=np.isfinite(found))) for found in maxima), default=0.0)


def _numbers(x: Any, rule: str) -> Array:
    """What is given as float32 or float64; as float32 for the rules that take the steps of a library."""
    numbers = lift(x)
    if numbers.dtype == object:
        raise ValueError(
            "x holds numbers that float64 does not hold; round them first, with fs.round_to(x, 'binary64')"
        )
    if rule in LIBRARY_RULES and numbers.dtype != np.float32:
        numbers = round_without_flags(numbers, BINARY32, Rounding.TIES_TO_EVEN).astype(np.float32)
    return numbers


def _checked_amax(amax: float | None, block: Block) -> float | None:
    if amax is None:
        return None
    if block.tensor_scale is None:
        raise ValueError(f"amax={quoted(amax)} has no effect: {block} has no tensor scale; leave it out")
    if isinstance(amax, bool) or not isinstance(amax, (int, float, np.integer, np.floating)):
        raise TypeError(f"amax={quoted(amax)} is not a number; give the largest magnitude of the tensor")
    if not 0 <= amax < math.inf:
        raise ValueError(f"amax={quoted(amax)} is not a magnitude; give 0 or more, and finite")
    return float(amax)


# --- shapes ---------------------------------------------------------------------------------------------------------


def block_sides(block: Block, shape: tuple[int, ...], axis: int = -1) -> tuple[int, ...]:
    """The sides of a block in an array of this shape, one for each axis."""
    size = block.size if isinstance(block.size, tuple) else (block.size,)
    if len(shape) < len(size) or not shape:
        raise ValueError(f"x.shape={shape} has {len(shape)} axes, and a block of size={block.size} has {len(size)}")
    sides = [1] * len(shape)
    if isinstance(block.size, tuple):
        axes = list(range(len(shape) - len(size), len(shape)))
    else:
        axes = [_checked_axis(axis, shape)]
    for at, side in zip(axes, size, strict=True):
        sides[at] = max(1, shape[at]) if side is None else side
    return tuple(sides)


def _checked_axis(axis: int, shape: tuple[int, ...]) -> int:
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis={quoted(axis)} is not an integer; give the axis that blocks lie along") from None
    if not -len(shape) <= number < len(shape):
        raise ValueError(f"axis={number} is not an axis of x.shape={shape}; use {-len(shape)} to {len(shape) - 1}")
    return number % len(shape)


def padded_shape(shape: tuple[int, ...], sides: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of whole blocks that hold an array."""
    return tuple(-(-length // side) * side for length, side in zip(shape, sides, strict=True))


def check_pad(shape: tuple[int, ...], sides: tuple[int, ...], pad: str | None) -> None:
    """ValueError for an unknown `pad`, and for a shape that needs it."""
    if pad not in (None, "zeros"):
        raise ValueError(f"pad={quoted(pad)} is unknown; use 'zeros', or leave it out")
    if pad is None and padded_shape(shape, sides) != shape:
        raise ValueError(
            f"x.shape={shape} is no multiple of the block's {' x '.join(map(str, sides))}; "
            "pad='zeros' fills the last blocks with zeros"
        )


def _padded(x: Array, sides: tuple[int, ...], pad: str | None) -> Array:
    check_pad(x.shape, sides, pad)
    whole = padded_shape(x.shape, sides)
    if whole == x.shape:
        return x
    stored = np.zeros(whole, x.dtype)
    stored[tuple(map(slice, x.shape))] = x
    return stored


# --- elements -------------------------------------------------------------------------------------------------------


def _elements(
    x: Array,
    scales: Array,
    tensor: float,
    block: Block,
    fmt: Format,
    sides: tuple[int, ...],
    mode: Rounding,
    rng: Generator,
    rule: str,
    out: Array,
) -> None:
    """The numbers of the element type, in `out`: x / (scale x tensor scale), rounded once to fmt, which saturates."""
    product = scales * tensor
    usable = product > 0  # not the NaN of a block without numbers, nor the scale 0 of a block of zeros
    if not usable.all():
        product = np.where(usable, product, 1.0)
        x = np.where(spread(~np.isnan(scales), sides), x, x.dtype.type(0))
    with np.errstate(under="ignore", over="ignore"):
        if x.dtype != np.float32 or mode not in TO_NEAREST or not vanishes_to_nearest(fmt):
            shares = quotient(x, spread(product, sides), mode is Rounding.STOCHASTIC)
        elif rule in POWERS_OF_TWO and _float32_holds_inverses(block):
            shares = x * spread((1.0 / product).astype(np.float32), sides)
        else:
            shares = float32_shares(x, product, sides, fmt.precision)
    round_array(shares, fmt, mode, rng, out=out, tally=nobody())
    if isinstance(block.element, FixedPoint):
        np.clip(out, block.element.min_finite, block.element.max_finite, out=out)
        out += out.dtype.type(0)  # -0 + 0 is +0


def _library_elements(
    x: Array,
    scales: Array,
    tensor: float,
    block: Block,
    fmt: Format,
    sides: tuple[int, ...],
    mode: Rounding,
    rng: Generator,
    rule: str,
    out: Array,
) -> None:
    """The numbers of the element type in the steps of a library: float32 products, rounded and saturated."""
    narrow, good = scales.astype(np.float32), spread(~np.isnan(scales), sides)
    with np.errstate(all="ignore"):
        by = libraries.factor(libraries.FLOAT32, narrow, np.float32(tensor), block, rule)
        products = x * spread(by, sides)
    products = np.where(good & ~np.isnan(products), products, np.float32(0))
    round_array(products, fmt, mode, rng, out=out, tally=nobody())


def _none_saturates(amax: Array, scales: Array, tensor: float, fmt: Format) -> bool:
    """Whether all shares are clearly less than half a unit beyond max_finite; False if a block has no number."""
    if fmt.exponent_bits > 6 or not fmt.has_negative_zero:
        return False
    bound = float(fmt.max_finite) + 2.0 ** (fmt.emax - fmt.precision) * (1 - 2.0**-10)
    with np.errstate(all="ignore"):
        return bool((amax <= scales * (tensor * bound)).all())


def _without_end(fmt: Format) -> Format:
    """The format with more binades at its top, so that nothing saturates: rounding is faster then."""
    return replace(fmt, width=fmt.width + 1, specials=Specials.NONE, nan_code=None)


def _float32_holds_inverses(block: Block) -> bool:
    """Whether x / 2^e is x times a float32: then it is exact, or so small that it vanishes."""
    scale = block.scale
    return block.tensor_scale is None and scale.quantum_exponent_min >= -127 and scale.emax <= 127


# --- the way back ---------------------------------------------------------------------------------------------------


def from_codes(
    codes: Any, scale_codes: Any, block: BlockLike, axis: int = -1, *, tensor_scale: float | None = None
) -> BlockArray:
    """The BlockArray with these codes of elements and scales; exact.

    Parameters
    ----------
    codes, scale_codes : array_like of int
        As `BlockArray.codes` and `.scale_codes`; the codes are those of whole blocks.
    block, axis
        As for `quantize`.
    tensor_scale : float, optional
        1 if the block has one and none is given.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.blocks.from_codes([7, 1] * 16, [128], "mxfp4").values[:2]
    array([12.,  1.])
    """
    block = get_block(block)
    numbers = np.asarray(codes)
    sides = block_sides(block, numbers.shape, axis)
    if padded_shape(numbers.shape, sides) != numbers.shape:
        raise ValueError(
            f"codes.shape={numbers.shape} is no multiple of the block's {' x '.join(map(str, sides))}; "
            "give the codes of whole blocks"
        )
    grid = tuple(length // side for length, side in zip(numbers.shape, sides, strict=True))
    scales = np.asarray(scale_codes)
    if scales.shape != grid:
        raise ValueError(f"scale_codes.shape={scales.shape} is not the grid of blocks; give an array of shape {grid}")
    if block.tensor_scale is None and tensor_scale is not None:
        raise ValueError(f"tensor_scale={quoted(tensor_scale)}: {block} has none; leave it out")
    if tensor_scale is not None and not isinstance(tensor_scale, (int, float, np.number)):
        raise TypeError(f"tensor_scale={quoted(tensor_scale)} is not a number; give that of the BlockArray")
    tensor = None if block.tensor_scale is None else float(1.0 if tensor_scale is None else tensor_scale)
    elements = _decoded(numbers, block)
    return BlockArray(block, None, sides, numbers.shape, elements, np.asarray(decode(scales, block.scale)), tensor)


def _decoded(codes: Array, block: Block) -> Array:
    element = block.element
    if not isinstance(element, FixedPoint):
        return np.asarray(decode(codes, element))
    integers = np.asarray(decode_integers(codes, element))
    return integers * 2.0**-element.fraction_bits


def decode_integers(codes: Array, element: FixedPoint) -> Array:
    """Two's complement integers from their codes."""
    if codes.dtype.kind not in "iu":
        raise TypeError(f"codes of dtype {codes.dtype} are not integers; give the codes of {element}")
    if codes.size and (codes.min() < 0 or codes.max() >= 2**element.width):
        raise ValueError(f"codes has a number that is no code of {element}; use 0 to {2**element.width - 1}")
    wide = codes.astype(np.int64)
    return np.where(wide > element.largest, wide - 2**element.width, wide).astype(np.float64)


def unpack(
    packed: Packed, block: BlockLike, shape: tuple[int, ...], axis: int = -1, *, scale_order: str = "rows"
) -> BlockArray:
    """The BlockArray that `pack` stored; exact.

    Parameters
    ----------
    packed : Packed
    block, axis
        As given to `quantize`.
    shape : tuple of int
        The shape of the values; the bytes hold whole blocks.
    scale_order : str
        As given to `pack`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> q = fs.blocks.quantize([6.0, 1.0] * 16, "nvfp4")
    >>> bool((fs.blocks.unpack(q.pack(), "nvfp4", q.shape).values == q.values).all())
    True
    """
    block = get_block(block)
    sides = block_sides(block, tuple(shape), axis)
    whole = padded_shape(tuple(shape), sides)
    grid = tuple(length // side for length, side in zip(whole, sides, strict=True))
    elements = _decoded(unpack_bits(packed.elements, block.element.width, int(np.prod(whole))).reshape(whole), block)
    scales = np.asarray(decode(unpack_scales(packed.scales, block, grid, scale_order), block.scale))
    if len(packed.tensor_scale) != 4 * (block.tensor_scale is not None):
        has = "has one, of 4 bytes" if block.tensor_scale else "has none"
        raise ValueError(f"packed.tensor_scale={quoted(packed.tensor_scale)}: {block} {has}; give what pack returned")
    tensor = None if block.tensor_scale is None else float(np.frombuffer(packed.tensor_scale, "<f4")[0])
    return BlockArray(block, None, sides, tuple(shape), elements, scales, tensor)
