"""Images cut into windows: where numbers go, and come back from. Layout: batch, rows, columns, channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...accumulators import Accumulator, Blas, Sequential
from ...arithmetic import extremum
from ...arrays import FloatArray
from ...conversion import Array
from ...reductions import start_reduction

Pair = tuple[int, int]


def sizes_after(shape: Pair, kernel: Pair, stride: int = 1, padding: int = 0) -> Pair:
    """Rows and columns of the output of a window that slides over an image.

    >>> sizes_after((28, 28), (3, 3))
    (26, 26)
    """
    if stride < 1 or padding < 0 or min(kernel) < 1:
        raise ValueError(
            f"kernel={kernel}, stride={stride}, padding={padding}: use a kernel and a stride of 1 or more, and a "
            "padding of 0 or more"
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

    Exact: the numbers are only copied, and padding adds zeros.
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
    return _like(view.reshape(n * rows * columns, kernel[0] * kernel[1] * channels), x)


def patches_vjp(
    g: FloatArray,
    y: FloatArray,
    x: FloatArray,
    kernel: Pair,
    stride: int = 1,
    padding: int = 0,
    accumulator: Accumulator | None = None,
) -> FloatArray:
    """The cotangent of the images: a pixel sums over the windows that it is in, in the order of its place in them."""
    n, height, width, channels = x.shape
    rows, columns = sizes_after((height, width), kernel, stride, padding)
    call, (values,) = start_reduction("sum", [g.values], g.fmt, g.mode, g.rng, accumulator)
    parts, steps = values.reshape(n, rows, columns, *kernel, channels), call.steps
    shape = (n, height + 2 * padding, width + 2 * padding, channels)
    places = list(_places(kernel, (rows, columns), stride))
    if isinstance(call.accumulator, (Sequential, Blas)):
        total = np.zeros(shape, steps.carrier)
        for k, at in enumerate(places):
            total[at] = steps.add(total[at], parts[:, :, :, k // kernel[1], k % kernel[1]])
    else:
        terms = np.zeros((len(places), *shape), steps.carrier)
        for k, at in enumerate(places):
            terms[(k, *at)] = parts[:, :, :, k // kernel[1], k % kernel[1]]
        total = call.accumulator.sum_terms(terms, steps)
    inside = total[:, padding : padding + height, padding : padding + width]
    return _like(np.asarray(call.result(np.ascontiguousarray(inside)), g.values.dtype), g)


def _places(kernel: Pair, counts: Pair, stride: int) -> Iterator[tuple[Any, ...]]:
    """For each place in the window, where its pixels are in all images, row by row."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            across, down = (slice(start, start + stride * n, stride) for start, n in zip((i, j), counts, strict=True))
            yield slice(None), across, down


# --- the largest of a window -----------------------------------------------------------------------------------------


def _parts(x: Array, size: int) -> list[Array]:
    """For each place in windows that do not overlap, its pixels; what is left over at the end is dropped."""
    rows, columns = x.shape[1] // size, x.shape[2] // size
    return [x[:, i : rows * size : size, j : columns * size : size] for i in range(size) for j in range(size)]


def max_pool(x: FloatArray, size: int) -> FloatArray:
    """The largest number of each window, exact; NaN where there is one, and +0 of zeros with different signs."""
    if x.ndim != 4 or size < 1 or x.shape[1] < size or x.shape[2] < size:
        raise ValueError(
            f"x.shape={x.shape} has no windows of {size} x {size}; give (batch, rows, columns, channels) with at least "
            f"{max(size, 1)} rows and columns"
        )
    parts = _parts(x.values, size)
    # Only where a zero has a sign do processors differ in what they call the larger one.
    largest = _signed if _has_negative_zero(x.values) else np.maximum
    y = parts[0]
    for part in parts[1:]:
        y = largest(y, part)
    return _like(np.ascontiguousarray(y), x)


def _signed(a: Array, b: Array) -> Array:
    return np.asarray(extremum("maximum", a, b, -1))


def _has_negative_zero(x: Array) -> bool:
    """Whether some element is -0, whose bits are those of the sign alone."""
    words = np.uint32 if x.itemsize == 4 else np.uint64
    return bool((np.ascontiguousarray(x).view(words) == words(1 << (8 * x.itemsize - 1))).any())


def max_pool_vjp(g: FloatArray, y: FloatArray, x: FloatArray, size: int) -> FloatArray:
    """The cotangent goes to the first of the largest numbers of a window, or to its NaN; the others get zero. Exact."""
    out = np.zeros(x.shape, g.values.dtype)
    free = np.ones(y.shape, bool)
    some_nan = bool(np.isnan(y.values).any())
    for source, target in zip(_parts(x.values, size), _parts(out, size), strict=True):
        chosen = ((source == y.values) | np.isnan(source) if some_nan else source == y.values) & free
        np.copyto(target, g.values, where=chosen)
        free &= ~chosen
    return _like(out, g)


def _like(values: Array, x: FloatArray) -> FloatArray:
    return FloatArray(values, x.fmt, x.mode, x.rng)
