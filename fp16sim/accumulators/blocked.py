"""Sums of sums: pairwise, and in blocks. The error grows more slowly than in one long chain of additions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..conversion import Array, Seed
from ..formats import BINARY32, FormatLike, Rounding
from ..wording import quoted
from .base import Accumulator, Start, Steps, tiles
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

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """All P(x[:n]), which have many of their halves, quarters ... in common."""
        if not steps.may_share:
            return super().partial_sums(terms, steps)
        out, add = np.empty(terms.shape, steps.carrier), steps.unplaced().add
        for tile in tiles(terms.shape, TABLED_TERMS):
            at = (slice(None), *tile)
            for octave in range(len(terms).bit_length()):
                _add_octave(octave, terms[at], out[at], add)
        return out


TABLED_TERMS = 1 << 18
"""Terms of all results together for which partial sums are tabled at once, unless a single result has more."""


def _add_octave(octave: int, x: Array, sums: Array, add: Callable[[Array, Array], Array]) -> None:
    """Put P(x[:n]) into sums[n - 1] for all n from 2^octave to less than twice that, given those for smaller n.

    Halved d times, x[:n] becomes 2^d runs. With n = 2^d m + r, r < 2^d, they are as long as those of x[:r], which has
    runs of 0 and 1, plus m; so they start m, 2m, ... terms later. Hence all n of one m need the sums of runs of m and
    of m + 1, which are tabled, each from the tables of its halves. About sqrt(n) tables of n sums are made, and as many
    additions are left for each n: n^1.5 in all.
    """
    if octave == 0:
        sums[0] = x[0]
        return
    x = x[: 2 << octave]
    depth = min(octave, octave // 2 + 1)

    @lru_cache(maxsize=32)  # those of the last few m, and of their halves, quarters ...
    def sums_of_runs(length: int) -> Array:
        if length == 1:
            return x
        half, count = length // 2, len(x) - length + 1
        return add(sums_of_runs(half)[:count], sums_of_runs(length - half)[half : half + count])

    # The runs of the second halves; the sums of the first ones are given. Axes: runs, r.
    lengths = np.arange(1 << depth)[None]
    starts, lengths = lengths // 2, lengths - lengths // 2
    for _ in range(depth - 1):
        halves = lengths // 2
        starts = np.stack([starts, starts + halves], axis=1).reshape(-1, starts.shape[1])
        lengths = np.stack([halves, lengths - halves], axis=1).reshape(starts.shape)
    runs = np.arange(len(starts), 2 * len(starts))[:, None]
    for m in range(1 << octave >> depth, (len(x) >> depth) + 1):
        tables = np.concatenate([sums_of_runs(m), sums_of_runs(m + 1)])
        n = np.arange(m << depth, min((m + 1) << depth, len(x) + 1))
        level = tables[(starts + runs * m + lengths * (len(x) - m + 1))[:, : len(n)]]
        while len(level) > 1:
            level = add(level[0::2], level[1::2])
        sums[n - 1] = add(sums[n // 2 - 1], level[0])


@dataclass(frozen=True)
class Blocked(Accumulator):
    """Sequential in blocks, and sequential over the sums of the blocks (from c where given).

    Defined by::

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
            raise ValueError(
                f"block={quoted(block)} is not the length of a block; use an integer of 1 or more, such as 64"
            )
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

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The sum of all full blocks so far, plus the partial sums in the next one."""
        if not steps.may_share:
            return super().partial_sums(terms, steps)
        n, shape, plain, steps = len(terms), terms.shape[1:], Sequential(self.fmt, self.mode), steps.unplaced()
        blocks = np.zeros((-(-n // self.block), self.block, *shape), steps.carrier)
        blocks.reshape(-1, *shape)[:n] = terms
        inside = plain.partial_sums(np.moveaxis(blocks, 1, 0), steps)
        before = plain.partial_sums(inside[-1, :-1], steps)
        sums = np.concatenate([inside[:, :1], steps.add(before, inside[:, 1:])], axis=1)
        return np.moveaxis(sums, 0, 1).reshape(-1, *shape)[:n]
