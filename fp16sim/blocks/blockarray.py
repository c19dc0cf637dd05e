"""BlockArray: what `quantize` returns: elements and scales, their codes, and the values that they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..codes import encode_held
from ..conversion import Array
from ..formats import BINARY32, FormatLike, Rounding, quoted
from ..rounding import round_to
from .block import Block, Element, FixedPoint
from .packing import Packed, pack
from .scales import flattened, slabs, spread


@dataclass(frozen=True, eq=False, repr=False)
class BlockArray:
    """An array in blocks: exact, since a value is the product of an element and its scales, not rounded.

    Attributes
    ----------
    block : Block
    scale_rule : str or None
        The rule by which the scales were found; None if they were given, as by `unpack`.
    block_shape : tuple of int
        The sides of a block, one for each axis.
    shape : tuple of int
        The shape of the values. `padded_shape` is that of the stored elements.
    elements : ndarray
        The numbers of the element type, padding included.
    scales : ndarray of float64
        One for each block, in the grid of blocks: NaN for a block that held NaN or infinity.
    tensor_scale : float or None
    """

    block: Block
    scale_rule: str | None
    block_shape: tuple[int, ...]
    shape: tuple[int, ...]
    elements: Array = field(repr=False)
    scales: Array = field(repr=False)
    tensor_scale: float | None = None

    def __repr__(self) -> str:
        tensor = "" if self.tensor_scale is None else f", tensor_scale={self.tensor_scale!r}"
        return (
            f"<BlockArray {self.block}: shape {self.shape}, blocks of {' x '.join(map(str, self.block_shape))}, "
            f"scale_rule={self.scale_rule!r}{tensor}>"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        values = self.values if dtype is None else self.values.astype(dtype)
        return values.copy() if copy else values

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def padded_shape(self) -> tuple[int, ...]:
        """The shape of the stored elements: whole blocks."""
        return self.elements.shape

    @cached_property
    def values(self) -> Array:
        """element x scale x tensor scale, exactly: float32 if x was and every product fits, else float64."""
        return self._cropped(self.scaled(1.0 if self.tensor_scale is None else self.tensor_scale))

    @property
    def without_tensor_scale(self) -> Array:
        """element x scale, exactly: what a machine multiplies before it applies the tensor scale."""
        return self._cropped(self.scaled(1.0))

    def scaled(self, factor: float) -> Array:
        """element x scale x factor for all stored elements."""
        inner = self.elements.dtype if self._fits_float32() else np.dtype(np.float64)
        elements, sides = flattened(self.elements, self.block_shape)
        grid_shape = [length // side for length, side in zip(elements.shape, sides, strict=True)]
        scales = self.scales.reshape(grid_shape).astype(inner, copy=False)
        out = np.empty(elements.shape, inner if factor == 1.0 else np.float64)
        for rows, grid in slabs(elements, sides):
            with np.errstate(invalid="ignore"):
                out[rows] = elements[rows] * spread(scales[grid], sides)
                if factor != 1.0:
                    out[rows] *= factor
        return out.reshape(self.elements.shape)

    def _fits_float32(self) -> bool:
        element, scale = self.block.element, self.block.scale
        largest = np.nanmax(self.scales, initial=0.0) * max(element.max_finite, -lowest(element))
        return bool(
            element.precision + scale.precision <= BINARY32.precision
            and element.quantum_exponent_min + scale.quantum_exponent_min >= BINARY32.quantum_exponent_min
            and largest <= BINARY32.max_finite
        )

    def _cropped(self, x: Array) -> Array:
        return x if x.shape == self.shape else x[tuple(map(slice, self.shape))]

    @cached_property
    def codes(self) -> Array:
        """The codes of the elements, of the shape of the values."""
        return self._cropped(element_codes(self.elements, self.block.element))

    @cached_property
    def scale_codes(self) -> Array:
        """The codes of the scales, one for each block."""
        return encode_held(self.scales, self.block.scale)

    def pack(self, scale_order: str = "rows") -> Packed:
        """The bytes that hardware stores: see `fp16sim.blocks.packing.pack`.

        >>> import fp16sim as fs
        >>> fs.blocks.quantize([6.0, 1.0] * 16, "mxfp4").pack().elements.hex()[:8]
        '27272727'
        """
        return pack(
            element_codes(self.elements, self.block.element),
            self.scale_codes,
            self.block,
            self.tensor_scale,
            scale_order,
        )


def lowest(element: Element) -> float:
    """The smallest number of an element type."""
    return element.min_finite if isinstance(element, FixedPoint) else -float(element.max_finite)


def element_codes(values: Array, element: Element) -> Array:
    """The codes of numbers of an element type."""
    if not isinstance(element, FixedPoint):
        return encode_held(values.astype(np.float64, copy=False), element)
    integers = (values * 2.0**element.fraction_bits).astype(np.int32) & (2**element.width - 1)
    return integers.astype(np.min_scalar_type(2**element.width - 1))


def dequantize(x: BlockArray, fmt: FormatLike | None = None, mode: Rounding | str = "ties_to_even") -> Array:
    """The values of a BlockArray, exact; or each rounded once to a format.

    >>> import fp16sim as fs
    >>> fs.blocks.dequantize(fs.blocks.quantize([1.0, 0.3] * 16, "mxfp4"), "bfloat16")[:2]
    array([1.  , 0.25])
    """
    if not isinstance(x, BlockArray):
        raise TypeError(f"x={quoted(x)} is not a BlockArray; give what fs.blocks.quantize returned")
    return x.values if fmt is None else np.asarray(round_to(x.values, fmt, mode))
