"""Rounding sums and differences of numbers of a format: three passes over an array, where other numbers take seven.

A sum of two numbers of a format is a multiple of min_subnormal. Below min_normal it is a number of the format, so the
exponent needs no clamp there. With t trailing bits, C = 2^(23 - t) + 1, y = C x and d = y - x, all in float32, y - d is
x rounded to t trailing bits, ties to even. This is Veltkamp's splitting; a test compares it with the definition for all
significands. A zero keeps its sign: y - d is (-0) - (+0) for -0. Where C x or the result might overflow, the general
kernel rounds.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from ...conversion import Array
from ...formats import BINARY16, Format, Rounding, Specials, Subnormals
from .buffers import F4, Buffer
from .find import FEW, Kernel, OnOverflow, a_few_by_numpy, find

CHUNK = 1 << 16
"""Elements rounded at a time: as many as the general kernel takes."""


@lru_cache(maxsize=256)
def find_for_sums(fmt: Format, mode: Rounding) -> Kernel | None:
    """The kernel for float32 numbers that are sums or differences of numbers of `fmt`; see `find`."""
    kernel = find(fmt, mode, "float32")
    usual = fmt.specials is Specials.IEEE and fmt.subnormals is Subnormals.GRADUAL and not fmt.saturate
    if kernel is None or not usual or mode is not Rounding.TIES_TO_EVEN or not 1 <= fmt.trailing_bits <= 21:
        return kernel
    limit = min(float(fmt.max_finite), 2.0 ** (102 + fmt.trailing_bits))
    by_splitting = _by_splitting(kernel, np.array((1 << (23 - fmt.trailing_bits)) + 1, F4), limit)
    return a_few_by_numpy(by_splitting) if fmt == BINARY16 else by_splitting


_SCALED = Buffer(0, F4)


def _by_splitting(kernel: Kernel, factor: Array, limit: float) -> Kernel:
    """By `split` where no magnitude is beyond `limit`, else by the general kernel, which takes a few numbers too."""

    def round_sums(
        x: Array,
        out: Array,
        draws: Array | None = None,
        on_overflow: OnOverflow | None = None,
        chunk_bytes: int | None = None,
    ) -> bool:
        if x.size <= FEW:
            return kernel(x, out, draws, on_overflow, chunk_bytes)
        x, out, may_overflow = x.reshape(-1), out.reshape(-1), False
        for start in range(0, x.size, CHUNK):
            chunk, target = x[start : start + CHUNK], out[start : start + CHUNK]
            # The root of the sum of squares, in one pass, bounds all magnitudes; 1.01 covers its own rounding errors.
            bound: Any = np.sqrt(np.dot(chunk, chunk)) * 1.01
            if bound <= limit:
                split(chunk, factor, _SCALED(chunk.size), target)
            else:
                moved = on_overflow and partial(_moved, on_overflow, start)
                may_overflow |= kernel(chunk, target, None, moved, chunk_bytes)
        return may_overflow

    return round_sums


def _moved(on_overflow: OnOverflow, offset: int, chunk: Array, start: int) -> bool:
    return on_overflow(chunk, offset + start)


def split(x: Array, factor: Array, scaled: Array, out: Array) -> None:
    """Round x to `out`, which may be x: `factor` is C, and `scaled` takes y."""
    np.multiply(x, factor, out=scaled)
    np.subtract(scaled, x, out=out)
    np.subtract(scaled, out, out=out)
