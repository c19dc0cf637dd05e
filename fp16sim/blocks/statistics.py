"""What blocks did to an array: largest magnitudes, scales, elements that saturated or vanished, errors by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..conversion import Array, lift
from ..formats import quoted
from .blockarray import BlockArray, lowest
from .scales import block_maximum, blocked, spread


@dataclass(frozen=True, eq=False)
class BlockStatistics:
    """What blocks did to an array. Arrays have a number for each block, in the grid of blocks.

    Attributes
    ----------
    amax : ndarray
        The largest magnitude.
    scale : ndarray
        block scale x tensor scale; NaN for a block that held NaN or infinity. Such blocks count in no share.
    zeros : ndarray
        The share of elements that are zeros now.
    vanished : ndarray
        The share of elements that were numbers and are zeros now.
    saturated : ndarray
        The share of elements that were beyond the largest element times the scale.
    largest_error, rms_error : ndarray
        Of the differences value - x: the largest magnitude, and the root of the mean of the squares.
    scale_at_limit : ndarray of bool
        Whether the scale is the largest or the smallest one of its format.
    """

    amax: Array
    scale: Array
    zeros: Array
    vanished: Array
    saturated: Array
    largest_error: Array
    rms_error: Array
    scale_at_limit: Array

    def summary(self) -> dict[str, float | int]:
        """The whole array in a few numbers: shares are means over the blocks that hold numbers.

        `rms_error` is the root of the mean of the squares over all these blocks.
        """
        good = ~np.isnan(self.scale)
        if not good.any():
            return {"blocks": self.scale.size, "blocks_with_nan": self.scale.size}
        return {
            "blocks": self.scale.size,
            "blocks_with_nan": int((~good).sum()),
            "scales_at_limit": int(self.scale_at_limit.sum()),
            "amax": float(self.amax[good].max()),
            "zeros": float(self.zeros[good].mean()),
            "vanished": float(self.vanished[good].mean()),
            "saturated": float(self.saturated[good].mean()),
            "largest_error": float(self.largest_error[good].max()),
            "rms_error": float(np.sqrt(np.mean(self.rms_error[good] ** 2))),
        }


def statistics(x: Any, quantized: BlockArray) -> BlockStatistics:
    """What `quantize` did to x, block by block; counts are exact, errors are computed in float64.

    Parameters
    ----------
    x : array_like
        What was given to `quantize`. Padding counts as zeros.
    quantized : BlockArray
        What it returned.

    Examples
    --------
    >>> import fp16sim as fs
    >>> x = [7.0, 0.5, -3.0, 0.1] * 8
    >>> found = fs.blocks.statistics(x, fs.blocks.quantize(x, "mxfp4"))
    >>> found.saturated, found.vanished, found.largest_error
    (array([0.25]), array([0.25]), array([1.]))
    """
    if not isinstance(quantized, BlockArray):
        raise TypeError(f"quantized={quoted(quantized)} is not a BlockArray; give what fs.blocks.quantize returned")
    given = lift(x)
    if given.shape != quantized.shape:
        raise ValueError(
            f"x.shape={given.shape} is not the shape of the blocks, {quantized.shape}; give the same array"
        )
    numbers = np.zeros(quantized.padded_shape)
    numbers[tuple(map(slice, given.shape))] = given
    sides, element, fmt = quantized.block_shape, quantized.block.element, quantized.block.scale
    tensor = 1.0 if quantized.tensor_scale is None else quantized.tensor_scale
    scale = quantized.scales * tensor
    good = np.isfinite(numbers)
    with np.errstate(all="ignore"):
        each = spread(scale, sides)
        beyond = (numbers > element.max_finite * each) | (numbers < lowest(element) * each)
        error = quantized.scaled(tensor) - numbers
        amax = block_maximum(numbers, sides)
        largest = block_maximum(error, sides)
        relative = np.where(error == 0, 0.0, error / spread(np.where(largest > 0, largest, 1.0), sides))
        rms = largest * np.sqrt(_mean(relative**2, sides))
    zero = quantized.elements == 0
    limits = (float(fmt.min_subnormal), float(fmt.max_finite), 2.0**fmt.emax)
    return BlockStatistics(
        amax,
        scale,
        _mean(zero, sides),
        _mean(zero & (numbers != 0) & good, sides),
        _mean(beyond & ~zero & good, sides),
        largest,
        rms,
        np.isin(quantized.scales, limits) & (amax > 0),
    )


def _mean(x: Array, sides: tuple[int, ...]) -> Array:
    """The mean of each block."""
    view = blocked(x, sides)
    return np.asarray(np.mean(view, axis=tuple(range(1, view.ndim, 2))))
