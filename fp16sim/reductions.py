"""Sums and products of matrices in which every product and every partial sum is rounded.

The order is fixed and plain: one term after the other, starting from the first. Nothing is wider inside, and no library
decides: `sum(x)` is the loop `s = x[0]; s = add(s, x[k])`, and a matrix product the same loop over rounded products.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernels
from .arithmetic import operate
from .flags import listening
from .formats import BINARY16, BINARY32, BINARY64, Format, FormatLike, Rounding, get_format, get_rounding
from .intermediates import hardware_for
from .lifting import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from .rounding import PIECE, round_to


def sequential_sum(x: Array, fmt: Format, mode: Rounding, rng: Generator) -> Array:
    """Sum over the first axis of values that `fmt` holds; +0 where there are no terms."""
    if not len(x):
        return np.zeros(x.shape[1:], x.dtype)
    y = _sum_by_hardware(x, fmt, mode)
    if y is not None:
        return y.astype(x.dtype, copy=False)
    total = x[0]
    for term in x[1:]:
        total = operate("add", [total, term], fmt, mode, rng, x.dtype, "sum")
    return np.array(total)


def sequential_matmul(a: Array, b: Array, fmt: Format, mode: Rounding, rng: Generator) -> Array:
    """a @ b for values that `fmt` holds, of shapes (..., m, k) and (..., k, n) with k > 0."""
    y = _matmul_by_hardware(a, b, fmt, mode)
    if y is not None:
        return y
    carrier, total = np.result_type(a, b), None
    for k in range(a.shape[-1]):
        factors = [a[..., :, k, None], b[..., None, k, :]]
        product = operate("multiply", factors, fmt, mode, rng, carrier, "matmul")
        total = product if total is None else operate("add", [total, product], fmt, mode, rng, carrier, "matmul")
    assert total is not None
    return total


# --- the same loops by hardware -------------------------------------------------------------------------------------
# Where float32 or float64 may compute the steps (`hardware_for`), and only if nothing exceptional happens: a partial
# sum that overflows leaves an infinity or a NaN in the result, so a finite result proves that none did.

_NUMPY_TYPES = {BINARY16: np.float16, BINARY32: np.float32, BINARY64: np.float64}


def _steps_by_hardware(fmt: Format, mode: Rounding) -> tuple[Any, kernels.Kernel | None]:
    """The dtype that may compute the steps, or None, and the kernel that rounds them."""
    if {"inexact", "underflow"} & listening().names:
        return None, None
    return hardware_for(fmt, mode), None if fmt in (BINARY32, BINARY64) else kernels.find(fmt, mode, "float32")


def _unless_exceptional(y: Array) -> Array | None:
    return y if not listening().names or np.isfinite(y).all() else None


def _sum_by_hardware(x: Array, fmt: Format, mode: Rounding) -> Array | None:
    dtype, kernel = _steps_by_hardware(fmt, mode)
    if dtype is None:
        return None
    with np.errstate(all="ignore"):
        if x.ndim == 1 and fmt in _NUMPY_TYPES:
            # NumPy accumulates from left to right, and adds two float16 as float32, rounded: correct for binary16.
            y = np.add.accumulate(x.astype(_NUMPY_TYPES[fmt]))[-1]
        else:
            rows = np.ascontiguousarray(x, dtype).reshape(len(x), -1)
            y = _add_terms(None, rows, kernel).reshape(x.shape[1:])
    return _unless_exceptional(np.asarray(y))


def _add_terms(total: Array | None, terms: Array, kernel: kernels.Kernel | None) -> Array:
    for term in terms:
        if total is None:
            total = np.array(term)
            continue
        total += term
        if kernel:
            kernel(total, total)
    assert total is not None
    return total


def _matmul_by_hardware(a: Array, b: Array, fmt: Format, mode: Rounding) -> Array | None:
    """Products of several k are rounded in one go, since they do not depend on each other."""
    dtype, kernel = _steps_by_hardware(fmt, mode)
    if dtype is None:
        return None
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (a.shape[-1], *batch, a.shape[-2], b.shape[-1])
    a, b = (np.broadcast_to(x.astype(dtype, copy=False), (*batch, *x.shape[-2:])) for x in (a, b))
    left, right = np.moveaxis(a, -1, 0)[..., None], np.moveaxis(b, -2, 0)[..., None, :]
    step = max(1, 2 * PIECE // max(1, int(np.prod(shape[1:]))))
    total = None
    with np.errstate(all="ignore"):
        for k in range(0, shape[0], step):
            products = np.ascontiguousarray(left[k : k + step] * right[k : k + step])
            if kernel:
                kernel(products, products)
            total = _add_terms(total, products, kernel)
    assert total is not None
    return _unless_exceptional(total)


def _prepare(
    name: str, values: tuple[Any, ...], fmt: Format, mode: Rounding, rng: Seed
) -> tuple[list[Array], Generator]:
    check_hardware()
    generator = as_generator(mode, rng)
    sources = [lift(same_format(x, fmt)) for x in values]
    carrier = carrier_for(fmt, *sources)
    return [np.asarray(round_to(s, fmt, mode, rng=generator), carrier) for s in sources], generator


def sum(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    rng: Seed = None,
) -> Any:
    """The sum of the elements, one after the other, every partial sum correctly rounded.

    Parameters
    ----------
    x : array_like
    fmt, mode, rng
        As for `round_to`.
    axis : int, optional
        The axis to sum over; by default all elements, in C order.

    Returns
    -------
    ndarray or scalar

    Raises
    ------
    ValueError
        For an axis that x does not have.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.sum([1.0] * 3000, "binary16")  # 2048 + 1 is 2048
    np.float64(2048.0)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    (values,), generator = _prepare("sum", (x,), fmt, mode, rng)
    if axis is None:
        return sequential_sum(values.reshape(-1), fmt, mode, generator)[()]
    if not -values.ndim <= axis < values.ndim:
        raise ValueError(
            f"axis={axis} does not exist in x of shape {values.shape}; use {-values.ndim} to {values.ndim - 1}"
        )
    return sequential_sum(np.moveaxis(values, axis, 0), fmt, mode, generator)[()]


def matmul(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The matrix product, every product and every partial sum correctly rounded, in the order of k.

    Parameters
    ----------
    a, b : array_like
        Of shapes (..., m, k) and (..., k, n), or one-dimensional as in `numpy.matmul`.
    fmt, mode, rng
        As for `round_to`.

    Returns
    -------
    ndarray or scalar

    Raises
    ------
    ValueError
        For shapes that do not fit.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.matmul([[1.0, 2.0]], [[0.1], [1000.0]], "binary16")
    array([[2000.]])
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    (left, right), generator = _prepare("matmul", (a, b), fmt, mode, rng)
    return matmul_held(left, right, fmt, mode, generator)[()]


def matmul_held(a: Array, b: Array, fmt: Format, mode: Rounding, rng: Generator) -> Array:
    """matmul of values that `fmt` holds, with NumPy's rules for shapes."""
    if not a.ndim or not b.ndim:
        raise ValueError(f"a.shape={a.shape} and b.shape={b.shape}: a scalar has no rows; use multiply")
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape}: {left.shape[-1]} columns do not meet {right.shape[-2]} rows; "
            "make the last axis of a as long as the last but one of b"
        )
    if left.shape[-1] == 0:
        batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
        y = np.zeros((*batch, left.shape[-2], right.shape[-1]), np.result_type(a, b))
    else:
        y = sequential_matmul(left, right, fmt, mode, rng).astype(np.result_type(a, b), copy=False)
    y = y[..., 0, :] if a.ndim == 1 else y
    return y[..., 0] if b.ndim == 1 else y


def dot(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The dot product of two vectors: `matmul` of one-dimensional operands.

    >>> import fp16sim as fs
    >>> fs.dot([1.0, 1.0], [2048.0, 1.0], "binary16")
    np.float64(2048.0)
    """
    return matmul(a, b, fmt, mode, rng=rng)


def mean(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    rng: Seed = None,
) -> Any:
    """The sum divided by the number of elements: every partial sum, the count and the quotient rounded.

    >>> import fp16sim as fs
    >>> fs.mean([1.0] * 3000, "binary16")  # 2048 / 3000
    np.float64(0.6826171875)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    (values,), generator = _prepare("mean", (x,), fmt, mode, rng)
    total = np.asarray(sum(values, fmt, mode, axis=axis, rng=generator))
    count = values.size if axis is None else values.shape[axis]
    held = np.asarray(round_to(count, fmt, mode, rng=generator))
    return operate("divide", [total, held], fmt, mode, generator, total.dtype, "mean")[()]
