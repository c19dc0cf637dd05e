"""Rotary positions: pairs of numbers of queries and keys turned by an angle that grows with the position.

The angle of the pair i at position t is t * base^(-2i / size) (Su et al. 2021). A narrow format loses it: bfloat16 has
no 257, so that there the positions 256 and 257 are the same.
"""

from __future__ import annotations

import numpy as np

from ...arrays import FloatArray
from ...wording import quoted
from .operation import elementary
from .tensor import Tensor
from .vjps import constant


def rotary_tables(
    time: int, size: int, like: FloatArray, *, base: float = 10_000.0, wide: bool = False
) -> tuple[FloatArray, FloatArray]:
    """The cosine and the sine of each position's angles, of shape (time, size / 2), in the format of `like`.

    Parameters
    ----------
    time, size : int
        How many positions, and the size of a head, which must be even.
    like : FloatArray
        Its format and mode are used.
    base : float
        See the module.
    wide : bool
        False rounds the position, the frequency, their product and the cosine. True computes all of that in binary64
        and rounds once.

    Examples
    --------
    >>> import fp16sim as fs
    >>> x = fs.array([0.0], "bfloat16")
    >>> narrow, wide = (rotary_tables(258, 2, x, wide=wide)[0] for wide in (False, True))
    >>> narrow[256:, 0], wide[256:, 0]
    (FloatArray([-0.0398, -0.0398], bfloat16), FloatArray([-0.0398, 0.82], bfloat16))
    """
    if size < 2 or size % 2:
        raise ValueError(f"size={quoted(size)} of a head must be even: rotary positions turn pairs of numbers")
    positions, frequencies = np.arange(time, dtype=np.float64), base ** (-np.arange(0, size, 2) / size)
    if wide:
        angles = positions[:, None] * frequencies
        return constant(np.cos(angles), like), constant(np.sin(angles), like)
    rounded = constant(positions[:, None], like) * constant(frequencies, like)
    return elementary("cos", rounded), elementary("sin", rounded)


def rotated(x: Tensor, *, base: float = 10_000.0, wide: bool = False) -> Tensor:
    """Queries or keys of shape (..., time, size), each turned by its position's angles.

    A pair has one number of the first half of the last axis and one of the second half. Two products and a sum are
    rounded for each number.
    """
    cosine, sine = rotary_tables(x.shape[-2], x.shape[-1], x.value, base=base, wide=wide)
    first, second = x.split(2, axis=-1)
    return (first * cosine - second * sine).concatenate(second * cosine + first * sine, axis=-1)
