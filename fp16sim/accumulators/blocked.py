"""Sums of sums: pairwise, and in blocks. The error grows more slowly than in one long chain of additions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..conversion import Array, Seed
from ..formats import BINARY32, FormatLike, Rounding
from .base import Accumulator, Start, Steps
from .sequential import Sequential


class Pairwise(Accumulator):
    """The sum of the sums of the two halves: the error grows with the logarithm of the number of terms.

    Defined by the recursion (with c given, the terms are c and then the products):

        def P(x):
            if len(x) == 1: return x[0]
            h = len(x) // 2
            return add(P(x[:h]), P(x[h:]))

    Examples
    --------
    >>> Pairwise("binary16").sum([1.0] * 4096)
    np.float64(4096.0)
    """

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The recursion from its leaves up: all sums of a level in one operation."""
        # Halving d times leaves segments of one or two terms, where 2^d <= n < 2^(d + 1).
        depth = len(terms).bit_length() - 1
        lengths = np.array([len(terms)])
        for _ in range(depth):
            lengths = np.stack([lengths // 2, lengths - lengths // 2], axis=1).reshape(-1)
        first, steps = np.cumsum(lengths) - lengths, steps.on_rows(math.prod(terms.shape[1:]))
        level = np.array(terms[first])
        two = lengths == 2
        if two.any():
            level[two] = steps.add(terms[first[two]], terms[first[two] + 1])
        for _ in range(depth):
            level = steps.add(level[0::2], level[1::2])
        return level[0]


@dataclass(frozen=True)
class Blocked(Accumulator):
    """Sequential in blocks, and sequential over the sums of the blocks (from c where given).

    Defined by:

        s = c, or nothing
        for x in blocks:
            s = add(s, sequential(x)), or sequential(x) if s is nothing

    Parameters
    ----------
    fmt, mode, rng
        As for every accumulator.
    block : int
        Terms in a block; the last may be shorter.

    Examples
    --------
    >>> [Blocked("binary16", block=n).sum([1.0] * 65504) for n in (1, 8, 64)]
    [np.float64(2048.0), np.float64(16384.0), np.float64(65504.0)]
    """

    block: int

    def __init__(
        self,
        fmt: FormatLike = BINARY32,
        block: int = 64,
        mode: Rounding | str = "ties_to_even",
        rng: Seed = None,
    ) -> None:
        super().__init__(fmt, mode, rng)
        if isinstance(block, bool) or not isinstance(block, (int, np.integer)) or block < 1:
            raise ValueError(f"block={block!r} is not the length of a block; use an integer of 1 or more, such as 64")
        self._set(block=int(block))

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The two loops."""
        return self.reduce_from(None, terms, steps)

    def reduce_from(self, start: Start, terms: Array, steps: Steps) -> Array:
        """The same from a start, which is not a term of the first block. All full blocks are summed at once."""
        plain = Sequential(self.fmt, self.mode)
        full = len(terms) // self.block * self.block
        sums: list[Array] = []
        if full:
            blocks = terms[:full].reshape(full // self.block, self.block, *terms.shape[1:])
            sums.extend(plain.reduce(np.moveaxis(blocks, 1, 0), steps.on_rows(math.prod(terms.shape[1:]))))
        if full < len(terms):
            sums.append(plain.reduce(terms[full:], steps))
        if start is not None:
            sums.insert(0, start)
        return plain.reduce(np.stack(sums), steps)
