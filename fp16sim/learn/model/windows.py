"""Windows of images, for convolutions and pooling. Images are laid out as (batch, rows, columns, channels)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from ...accumulators import Accumulator, Blas, Sequential
from ...arithmetic import extremum
from ...arrays import FloatArray
from ...conversion import Array
from ...reductions import start_reduction

Pair: TypeAlias = tuple[int, int]


def like(values: Array, x: FloatArray) -> FloatArray:
    """Values that are already numbers of the format of x, in its format and mode."""
    return FloatArray(values, x.fmt, x.mode, x.rng)


def kept(values: Array, chosen: Array, out: Array | None = None) -> Array:
    """The values where `chosen` is true, and +0 elsewhere: as np.where(chosen, values, 0), and ten times faster.

    The bits of a float are an integer, and that integer times 1 or 0 is the float itself or +0, also for a NaN or an
    infinity. The processor multiplies many integers at once, while np.where takes one element after the other.

    >>> kept(np.array([1.5, -np.inf, np.nan]), np.array([True, False, False]))
    array([1.5, 0. , 0. ])
    """
    words = np.dtype(f"i{values.itemsize}")
    bits = np.multiply(values.view(words), chosen, out=None if out is None else out.view(words), order="C")
    return np.asarray(bits).view(values.dtype)


def sizes_after(shape: Pair, kernel: Pair, stride: int = 1, padding: int = 0) -> Pair:
    """How many rows and columns the output has when a window slides over an image.

    >>> sizes_after((28, 28), (3, 3))
    (26, 26)
    """
    if stride < 1 or padding < 0 or min(kernel) < 1:
        raise ValueError(
            f"kernel={kernel}, stride={stride}, padding={padding}: kernel and stride must be 1 or more, and padding 0 "
            "or more"
        )
    rows, columns = ((n + 2 * padding - k) // stride + 1 for n, k in zip(shape, kernel, strict=True))
    if rows < 1 or columns < 1:
        raise ValueError(
            f"images of {shape[0]} x {shape[1]} pixels with padding={padding} are smaller than the window of "
            f"{kernel[0]} x {kernel[1]}; use a smaller window or more padding"
        )
    return rows, columns


def patches(x: FloatArray, kernel: Pair, stride: int = 1, padding: int = 0) -> FloatArray:
    """The windows of images as rows: (n, rows, columns, channels) to (n * rows' * columns', k * k * channels).

    Exact: numbers are only copied, and padding adds zeros.
    """
    values = x.values
    n, *shape, channels = values.shape
    rows, columns = sizes_after((shape[0], shape[1]), kernel, stride, padding)
    if padding:
        values = np.pad(values, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    a, b, c, d = values.strides
    view = np.lib.stride_tricks.as_strided(
        values, (n, rows, columns, *kernel, channels), (a, b * stride, c * stride, b, c, d), writeable=False
    )
    return like(view.reshape(n * rows * columns, kernel[0] * kernel[1] * channels), x)


def patches_vjp(
    g: FloatArray,
    y: FloatArray,
    x: FloatArray,
    kernel: Pair,
    stride: int = 1,
    padding: int = 0,
    accumulator: Accumulator | None = None,
) -> FloatArray:
    """The cotangent of the images: each pixel sums over the windows that contain it, ordered by its place in them."""
    n, height, width, channels = x.shape
    rows, columns = sizes_after((height, width), kernel, stride, padding)
    call, (values,) = start_reduction("sum", [g.values], g.fmt, g.mode, g.rng, accumulator)
    parts = values.reshape(n, rows, columns, *kernel, channels)
    shape = (n, height + 2 * padding, width + 2 * padding, channels)
    places = list(_places(kernel, (rows, columns), stride))
    if isinstance(call.accumulator, (Sequential, Blas)):
        total = np.zeros(shape, call.steps.carrier)
        for k, at in enumerate(places):
            steps = call.steps.placed(partial(_pixel_of, x.shape, padding, at))
            total[at] = steps.add(total[at], parts[:, :, :, k // kernel[1], k % kernel[1]])
    else:
        terms = np.zeros((len(places), *shape), call.steps.carrier)
        for k, at in enumerate(places):
            terms[(k, *at)] = parts[:, :, :, k // kernel[1], k % kernel[1]]
        total = call.accumulator.sum_terms(terms, call.steps.placed(partial(_pixel_of, x.shape, padding, ())))
    inside = total[:, padding : padding + height, padding : padding + width]
    return like(np.asarray(call.result(np.ascontiguousarray(inside)), g.values.dtype), g)


def _pixel_of(shape: tuple[int, ...], padding: int, part: tuple[slice, ...], indices: Array) -> Array:
    """For flat indices in a part of padded images: those of the pixels, or of the nearest ones to the padding."""
    pixels = np.arange(math.prod(shape)).reshape(shape)
    padded = np.pad(pixels, [(0, 0), (padding, padding), (padding, padding), (0, 0)], "edge")
    return padded[part].reshape(-1)[indices]


def _places(kernel: Pair, counts: Pair, stride: int) -> Iterator[tuple[slice, slice, slice]]:
    """For each place in the window, row by row: the index of the pixels that are at that place in some window."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows, columns = (slice(start, start + stride * n, stride) for start, n in zip((i, j), counts, strict=True))
            yield slice(None), rows, columns


# --- the largest of a window -----------------------------------------------------------------------------------------


def _parts(x: Array, size: int) -> list[Array]:
    """For each place in windows without overlap, its pixels; rows and columns that fill no window are left out."""
    rows, columns = x.shape[1] // size, x.shape[2] // size
    return [x[:, i : rows * size : size, j : columns * size : size] for i in range(size) for j in range(size)]


def max_pool(x: FloatArray, size: int) -> FloatArray:
    """The largest number of each window, exact: NaN if the window has one, and +0 if it has both zeros."""
    if x.ndim != 4 or size < 1 or x.shape[1] < size or x.shape[2] < size:
        raise ValueError(
            f"x.shape={x.shape} has no windows of {size} x {size}; give (batch, rows, columns, channels) with at least "
            f"{max(size, 1)} rows and columns"
        )
    parts = _parts(x.values, size)
    # Processors differ in which zero they call the larger one, so np.maximum is only used where no zero is negative.
    larger = _larger_by_sign if _has_negative_zero(x.values) else np.maximum
    y = parts[0]
    for part in parts[1:]:
        y = larger(y, part)
    return like(np.ascontiguousarray(y), x)


def _larger_by_sign(a: Array, b: Array) -> Array:
    return np.asarray(extremum("maximum", a, b))


def _has_negative_zero(x: Array) -> bool:
    """Whether some element is -0, in which only the sign bit is set."""
    words = np.uint32 if x.itemsize == 4 else np.uint64
    return bool((np.ascontiguousarray(x).view(words) == words(1 << (8 * x.itemsize - 1))).any())


def max_pool_vjp(g: FloatArray, y: FloatArray, x: FloatArray, size: int) -> FloatArray:
    """The first of the largest numbers of a window gets the cotangent, or its first NaN; the others get 0. Exact."""
    out = np.zeros(x.shape, g.values.dtype)
    free = np.ones(y.shape, bool)
    some_nan = bool(np.isnan(y.values).any())
    for source, target in zip(_parts(x.values, size), _parts(out, size), strict=True):
        chosen = source == y.values
        if some_nan:
            chosen |= np.isnan(source)
        chosen &= free
        free ^= chosen
        kept(g.values, chosen, out=target)
    return like(out, g)
