"""The random Hadamard transform: it spreads a large element over its block, and is its own inverse but for the signs.

    y = H (d x) / sqrt(n)        d: n signs, H: the n x n matrix of +1 and -1 in Sylvester's order

H is never formed: log2(n) rounds of additions and subtractions, of elements 1, 2, 4, ... apart, do the same.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import add, multiply, subtract
from ..conversion import Array, Seed, as_generator
from ..exact import sqrt as exact_sqrt
from ..formats import FormatLike, Rounding, as_integer, get_format, get_rounding
from ..rounding import round_to

LARGEST = 1 << 16


def random_signs(size: int = 16, rng: Seed = None) -> Array:
    """Random signs, +1 or -1, for `hadamard`; equal seeds give equal signs.

    >>> random_signs(4, rng=0)
    array([-1., -1., -1.,  1.])
    """
    number = checked_size(size)
    generator = as_generator(Rounding.STOCHASTIC, rng)
    assert generator is not None  # for this mode
    return 1.0 - 2.0 * (generator.integers(0, 2, number) == 1)


def checked_size(size: int) -> int:
    """A size of a Hadamard matrix: a power of two."""
    number = as_integer("size", size, "a Hadamard matrix has a number of rows")
    if not 2 <= number <= LARGEST or number & (number - 1):
        raise ValueError(f"size={number} has no Hadamard matrix here; use a power of two from 2 to {LARGEST}")
    return number


def hadamard(
    x: Any,
    signs: Any,
    fmt: FormatLike = "binary32",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int = -1,
    inverse: bool = False,
    rng: Seed = None,
) -> Array:
    """The Hadamard transform with signs, of groups of n elements: every addition rounded in a format.

    Each of log2(n) rounds adds and subtracts pairs, correctly rounded; at the end one product with 1 / sqrt(n), which
    is a power of two, and so exact but for underflow, for n = 4, 16, 64, ...

    Parameters
    ----------
    x : array_like
        Rounded to the format first. The axis is a multiple of n.
    signs : array_like
        n numbers +1 or -1, as `random_signs` gives them. Both factors of a matrix product need the same ones.
    fmt, mode, rng
        The format of the arithmetic, as for `round_to`.
    axis : int
        The axis that groups lie along.
    inverse : bool
        Signs after the transform rather than before it: this undoes it, but for rounding.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import fp16sim as fs
    >>> signs = fs.blocks.random_signs(16, rng=0)
    >>> x = np.zeros(16)
    >>> x[3] = 8.0
    >>> y = fs.blocks.hadamard(x, signs, "bfloat16")
    >>> np.abs(y).max(), fs.blocks.hadamard(y, signs, "bfloat16", inverse=True)[3]
    (np.float64(2.0), np.float64(8.0))
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    d = np.asarray(signs, np.float64)
    n = checked_size(d.size)
    if d.ndim != 1 or not (np.abs(d) == 1).all():
        raise ValueError(f"signs of shape {d.shape} must be one row of +1 and -1; use random_signs({n})")
    values = np.asarray(round_to(x, fmt, mode, rng=generator))
    if values.ndim == 0 or not -values.ndim <= axis < values.ndim or values.shape[axis] % n:
        raise ValueError(f"x.shape={values.shape} has no axis={axis} of whole groups of {n}; use fewer signs, or pad x")
    y = np.moveaxis(values, axis, -1)
    shape = y.shape
    y = y.reshape(-1, n) if inverse else y.reshape(-1, n) * d.astype(y.dtype)
    half = 1
    while half < n:
        pairs = y.reshape(-1, n // (2 * half), 2, half)
        a, b = pairs[:, :, 0], pairs[:, :, 1]
        sums = add(a, b, fmt, mode, rng=generator), subtract(a, b, fmt, mode, rng=generator)
        y, half = np.stack(sums, axis=2).reshape(-1, n), 2 * half
    root = float(exact_sqrt(Fraction(1, n), fmt))
    y = np.asarray(multiply(y, y.dtype.type(root), fmt, mode, rng=generator))
    y = y * d.astype(y.dtype) if inverse else y
    return np.moveaxis(y.reshape(shape), -1, axis)
