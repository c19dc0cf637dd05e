"""Wrong kernels: each takes its operands and eps, a format and a mode, and makes one mistake.

But for that it adds in binary32 and rounds once to the format, as most kernels of narrow formats do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .. import arithmetic, elementary, reductions
from ..formats import BFLOAT16, BINARY16, BINARY32, Format, Rounding
from .roundings import Answer, Array, right

Kernel: TypeAlias = Callable[..., Array]
"""operands, fmt, mode -> results"""
EVEN = Rounding.TIES_TO_EVEN
WIDE = "sequential:binary32"
TILE = 16
"""Terms of a tile, after which a kernel that keeps partial results narrow rounds them."""


def _answer(kernel: Kernel) -> Answer:
    """Without eps, which only layer_norm has."""
    return lambda operands, fmt, mode: kernel(*operands[:-1], fmt, mode)


def _other(fmt: Format) -> Format:
    return BFLOAT16 if fmt == BINARY16 else BINARY16


# --- products -------------------------------------------------------------------------------------------------------


def _matmul(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return np.asarray(reductions.matmul(a, b, fmt, mode, accumulator=WIDE), np.float64)


def _unrounded(a: Array, b: Array) -> Array:
    """The sums in binary32."""
    return np.asarray(reductions.matmul(a, b, BINARY32, EVEN, accumulator="sequential"), np.float64)


def _narrow_matmul(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return np.asarray(reductions.matmul(a, b, fmt, mode), np.float64)


def _rounded_products(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    products = np.asarray(arithmetic.multiply(a[..., :, None], b, fmt, mode), np.float64)
    return np.asarray(reductions.sum(products, fmt, mode, axis=-2, accumulator=WIDE), np.float64)


def _without_last(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return _matmul(a[..., :-1], b[:-1], fmt, mode)


def _last_twice(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return _matmul(np.concatenate([a, a[..., -1:]], axis=-1), np.concatenate([b, b[-1:]]), fmt, mode)


def _truncated(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return right(_unrounded(a, b), fmt, Rounding.TOWARD_ZERO)


def _flushed(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    y = _matmul(a, b, fmt, mode)
    return np.where(np.abs(y) < float(fmt.min_normal), np.copysign(0.0, y), y)


def _saturated(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    largest = float(fmt.max_finite)
    return np.clip(_matmul(a, b, fmt, mode), -largest, largest)


def _other_factors(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return right(_unrounded(right(a, _other(fmt), EVEN), right(b, _other(fmt), EVEN)), fmt, mode)


def _other_result(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    return right(right(_unrounded(a, b), _other(fmt), EVEN), fmt, mode)


def _narrow_tiles(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array:
    total = np.zeros(np.shape(a)[:-1] + np.shape(b)[1:])
    for k in range(0, b.shape[0], TILE):
        part = _unrounded(a[..., k : k + TILE], b[k : k + TILE])
        total = right(total + part, fmt, mode)
    return total


def _of_ones(product: Kernel) -> Kernel:
    """A sum as a product with ones."""
    return lambda x, fmt, mode: product(x, np.ones(x.shape[-1]), fmt, mode)


# --- means and what divides by sums ---------------------------------------------------------------------------------


def _float32(x: Any) -> Array:
    return right(np.asarray(x, np.float64), BINARY32, EVEN)


def _total(x: Array) -> Array:
    """The sum over the last axis in binary32, with the axis kept."""
    return np.expand_dims(np.asarray(reductions.sum(x, BINARY32, axis=-1), np.float64), -1)


def _mean_by(count: int) -> Kernel:
    """With so many more in the denominator."""
    return lambda x, fmt, mode: right(_float32(_total(x)[..., 0] / (x.shape[-1] + count)), fmt, mode)


def _mean_of_rounded_sum(x: Array, fmt: Format, mode: Rounding) -> Array:
    total = right(_total(x)[..., 0], fmt, mode)
    return right(_float32(total / x.shape[-1]), fmt, mode)


def _narrow_mean(x: Array, fmt: Format, mode: Rounding) -> Array:
    return np.asarray(reductions.mean(x, fmt, mode, axis=-1), np.float64)


def _exponentials(x: Array) -> Array:
    d = _float32(x - x.max(axis=-1, keepdims=True))
    return np.asarray(elementary.exp(d, BINARY32), np.float64)


def _unshifted(x: Array, fmt: Format, mode: Rounding) -> Array:
    e = np.asarray(elementary.exp(x, BINARY32), np.float64)
    return right(_float32(e / _total(e)), fmt, mode)


def _unshifted_narrow(x: Array, fmt: Format, mode: Rounding) -> Array:
    e = right(np.asarray(elementary.exp(x, BINARY32), np.float64), fmt, mode)
    return right(_float32(e / _total(e)), fmt, mode)


def _narrow_exponentials(x: Array, fmt: Format, mode: Rounding) -> Array:
    e = right(_exponentials(x), fmt, mode)
    return right(_float32(e / _total(e)), fmt, mode)


def _narrow_total(x: Array, fmt: Format, mode: Rounding) -> Array:
    e = _exponentials(x)
    total = np.expand_dims(np.asarray(reductions.sum(right(e, fmt, mode), fmt, mode, axis=-1), np.float64), -1)
    return right(_float32(e / total), fmt, mode)


def _short_log2e(x: Array, fmt: Format, mode: Rounding) -> Array:
    d = _float32(x - x.max(axis=-1, keepdims=True))
    e = np.asarray(elementary.exp2(_float32(d * right(np.array(math.log2(math.e)), fmt, EVEN)), BINARY32), np.float64)
    return right(_float32(e / _total(e)), fmt, mode)


def _one_too_few(x: Array, fmt: Format, mode: Rounding) -> Array:
    e = _exponentials(x)
    return right(_float32(e / _total(e[..., :-1])), fmt, mode)


def _layer_norm(unbiased: int = 0, eps: str = "inside", narrow_mean: bool = False, one_pass: bool = False) -> Answer:
    """Layer normalisation in binary32, with one thing changed."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
        x, *affine, small = operands
        n = x.shape[-1]
        mean = _float32(_total(x) / n)
        mean = right(mean, fmt, mode) if narrow_mean else mean
        d = _float32(x - mean)
        variance = _float32(_total(_float32(d * d)) / (n - unbiased))
        if one_pass:
            squares = right(_float32(_total(_float32(x * x)) / n), fmt, mode)
            variance = right(squares - right(right(mean, fmt, mode) ** 2, fmt, mode), fmt, mode)
        inside, outside = float(small) * (eps == "inside"), float(small) * (eps == "outside")
        y = _float32(d / _float32(_float32(np.sqrt(_float32(variance + inside))) + outside))
        y = _float32(y * affine[0]) if affine else y
        return right(_float32(y + affine[1]) if len(affine) > 1 else y, fmt, mode)

    return answer


KERNELS: tuple[tuple[str, str, str, Answer], ...] = (
    # name, task, misconception, answer
    ("narrow", "kernel_matmul", "adds in the format itself, not in binary32", _answer(_narrow_matmul)),
    ("rounded_products", "kernel_matmul", "rounds each product to the format", _answer(_rounded_products)),
    ("without_last", "kernel_matmul", "leaves out the last term", _answer(_without_last)),
    ("last_twice", "kernel_matmul", "adds the last term twice", _answer(_last_twice)),
    ("truncates", "kernel_matmul", "truncates its results", _answer(_truncated)),
    ("flushes", "kernel_matmul", "flushes subnormal results to zero", _answer(_flushed)),
    ("saturates", "kernel_matmul", "gives max_finite instead of infinity", _answer(_saturated)),
    ("other_factors", "kernel_matmul", "rounds its factors to the other 16-bit format first", _answer(_other_factors)),
    ("other_result", "kernel_matmul", "rounds its results to the other 16-bit format first", _answer(_other_result)),
    ("narrow_tiles", "kernel_matmul", "rounds its sums to the format after each 16 terms", _answer(_narrow_tiles)),
    ("narrow", "kernel_sum", "adds in the format itself, not in binary32", _answer(_of_ones(_narrow_matmul))),
    ("without_last", "kernel_sum", "leaves out the last term", _answer(_of_ones(_without_last))),
    (
        "narrow_tiles",
        "kernel_sum",
        "rounds its sums to the format after each 16 terms",
        _answer(_of_ones(_narrow_tiles)),
    ),
    ("n_minus_1", "kernel_mean", "divides by n - 1", _answer(_mean_by(-1))),
    ("narrow", "kernel_mean", "adds in the format itself, not in binary32", _answer(_narrow_mean)),
    ("rounded_sum", "kernel_mean", "rounds the sum to the format before it divides", _answer(_mean_of_rounded_sum)),
    ("unshifted", "kernel_softmax", "does not subtract the maximum", _answer(_unshifted)),
    (
        "unshifted_narrow",
        "kernel_softmax",
        "does not subtract the maximum, and rounds the exponentials to the format",
        _answer(_unshifted_narrow),
    ),
    (
        "narrow_exponentials",
        "kernel_softmax",
        "rounds the exponentials to the format before it adds and divides",
        _answer(_narrow_exponentials),
    ),
    ("narrow_total", "kernel_softmax", "adds the exponentials in the format itself", _answer(_narrow_total)),
    ("short_log2e", "kernel_softmax", "has log2(e) in the narrow format only", _answer(_short_log2e)),
    ("one_too_few", "kernel_softmax", "divides by a sum without the last exponential", _answer(_one_too_few)),
    ("n_minus_1", "kernel_layer_norm", "divides the sum of squares by n - 1", _layer_norm(unbiased=1)),
    ("eps_outside", "kernel_layer_norm", "adds eps to the root of the variance", _layer_norm(eps="outside")),
    ("no_eps", "kernel_layer_norm", "does not add eps", _layer_norm(eps="")),
    (
        "narrow_mean",
        "kernel_layer_norm",
        "rounds the mean to the format before it subtracts",
        _layer_norm(narrow_mean=True),
    ),
    (
        "one_pass",
        "kernel_layer_norm",
        "takes the variance as the mean of the squares less the square of the mean, in the format",
        _layer_norm(one_pass=True),
    ),
)
