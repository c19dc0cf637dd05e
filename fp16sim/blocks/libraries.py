"""What two libraries compute: their orders of operations, in which every step is rounded to binary32.

On paper a block scale of NVFP4 is amax / (6 g) and an element is x / (scale g), where g is the tensor scale. Libraries
take several steps for it, and each step rounds, so some of their codes differ from the exact ones, and from each other.

    torchao             g = T / 2688             scale = (amax / 6) / g, at least 2^-6     factor = (1 / g) / scale
    transformer_engine  S = 2688 / T, g = 1 / S  scale = amax (S (1/6))                    factor = 1 / (scale g)
    the same, MXFP8                              scale = amax (1 / largest), rounded up    factor = 1 / scale, or 1

T is the largest magnitude of the tensor. An element is x times the factor, rounded to the element type and saturated.
Sources: torchao 0.18, `nvfp4_quantize`; TransformerEngine 2.x, `core_nvfp4.cuh` and `float_to_e8m0` in `ptx.cuh`. The
steps are written once, for two kinds of numbers: exact values, rounded once, and float32 of NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import exact
from ..exact import Value
from ..formats import BINARY32, Format, Rounding
from ..rounding import round_without_flags
from .block import Block

LARGEST = float(BINARY32.max_finite)
SMALLEST_OF_TORCHAO = 2.0**-6
"""E4M3's smallest normal number; torchao has no smaller scale."""


@dataclass(frozen=True)
class Arithmetic:
    """Operations rounded to binary32; comparisons that let NaN pass; rounding to a format, saturated."""

    number: Callable[[Any], Any]
    divide: Callable[[Any, Any], Any]
    multiply: Callable[[Any, Any], Any]
    clip: Callable[[Any, float, float], Any]
    choose: Callable[[Any, Any, Any], Any]
    to_format: Callable[[Any, Format, Rounding], Any]


def _exact_clip(x: Value, low: float, high: float) -> Value:
    return x if exact.is_nan(x) else exact.as_exact(low) if x < low else exact.as_exact(high) if x > high else x


EXACT = Arithmetic(
    lambda x: exact.round_to(x, BINARY32),
    lambda a, b: exact.divide(a, b, BINARY32),
    lambda a, b: exact.multiply(a, b, BINARY32),
    _exact_clip,
    lambda condition, a, b: a if condition else b,
    lambda x, fmt, mode: exact.round_operand(x, replace(fmt, saturate=True), mode).value,
)
FLOAT32 = Arithmetic(
    np.float32,
    np.divide,
    np.multiply,
    lambda x, low, high: np.clip(x, np.float32(low), np.float32(high)),
    np.where,
    lambda x, fmt, mode: round_without_flags(np.asarray(x, np.float64), replace(fmt, saturate=True), mode).astype(
        np.float32
    ),
)


def tensor_scale(r: Arithmetic, largest: Any, block: Block, rule: str) -> Any:
    """g, from the largest magnitude of the tensor; 1 for a block without one."""
    if block.tensor_scale is None:
        return r.number(1.0)
    if rule == "torchao":
        return r.divide(r.number(largest), r.number(2688.0))
    return r.divide(r.number(1.0), _encoding(r, largest, block))


def _encoding(r: Arithmetic, largest: Any, block: Block) -> Any:
    """TransformerEngine's S: 2688 / T, at most the largest number, and 1 for a tensor of zeros."""
    if block.tensor_scale is None or largest == 0:
        return r.number(1.0)
    return r.clip(r.divide(r.number(2688.0), r.number(largest)), 0.0, LARGEST)


def wanted_scale(r: Arithmetic, amax: Any, largest: Any, block: Block, rule: str) -> Any:
    """The block scale as a binary32 number, before its format and its limits."""
    share = r.divide(r.number(1.0), r.number(float(block.element.max_finite)))
    if block.scale.precision == 1:
        return r.multiply(amax, share)
    if rule == "torchao":
        return r.divide(r.divide(amax, r.number(6.0)), tensor_scale(r, largest, block, rule))
    return r.multiply(amax, r.multiply(_encoding(r, largest, block), share))


def block_scale(r: Arithmetic, amax: Any, largest: Any, block: Block, rule: str) -> Any:
    """The scale of a block whose largest magnitude is amax, in such a tensor; NaN for 0 / 0."""
    wanted = wanted_scale(r, amax, largest, block, rule)
    if block.scale.precision == 1:
        least, most = float(block.scale.min_subnormal), float(block.scale.max_finite)
        return r.to_format(r.clip(wanted, least, most), block.scale, Rounding.TOWARD_POSITIVE)
    lowest = SMALLEST_OF_TORCHAO if rule == "torchao" else 0.0
    return r.to_format(r.clip(wanted, lowest, 448.0), block.scale, Rounding.TIES_TO_EVEN)


def factor(r: Arithmetic, scale: Any, tensor: Any, block: Block, rule: str) -> Any:
    """By what the numbers of a block are multiplied."""
    one = r.number(1.0)
    if block.scale.precision == 1:  # what has code 0 is left as it is
        return r.choose(scale == float(block.scale.min_subnormal), one, r.divide(one, scale))
    if rule == "torchao":
        return r.divide(r.divide(one, tensor), scale)
    return r.clip(r.divide(one, r.multiply(scale, tensor)), 0.0, LARGEST)
