"""The exact sum, rounded once."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .. import exact
from ..conversion import Array, Generator, Seed
from ..flags import StepTally, current_listeners
from ..formats import BINARY64, Format, FormatLike, Rounding
from ..rounding import note_exact
from .base import Accumulator, Start, Steps, terms_of, tiles


class Exact(Accumulator):
    """One rounding, at the end: the correctly rounded sum or dot product, in every mode.

    Terms and products are integers of any size over a common power of two, so no step loses anything, whatever the
    exponents. An exact zero has the sign that IEEE 754 gives a sum: -0 if all terms are -0, or toward negative.

    Parameters
    ----------
    fmt, mode, rng
        What the result is rounded to. In `fs.sum` and the others the call's own take their place. Terms and c are not
        rounded, unless they are not values of binary64.

    Examples
    --------
    >>> Exact("binary16").sum([1e4, 2.0**-20, -1e4])
    np.float64(9.5367431640625e-07)
    """

    def __init__(self, fmt: FormatLike = BINARY64, mode: Rounding | str = "ties_to_even", rng: Seed = None) -> None:
        super().__init__(fmt, mode, rng)

    @property
    def operand_format(self) -> Format:
        """The format of arrays: the terms stay as they are."""
        return BINARY64

    def start(self, c: Any, steps: Steps) -> Array:
        """`c`, as a term like the others."""
        (start,), _ = self.prepare(steps.label, c)
        return start

    def accepts(self, fmt: Format) -> bool:
        """Always."""
        return True

    def for_format(self, fmt: Format, mode: Rounding, rng: Generator) -> Exact:
        """The same for results of `fmt`."""
        return Exact(fmt, mode, rng)

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The sum over the first axis."""
        return self.reduce_exactly(terms, None, None, steps)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """The sum of products."""
        shape = np.broadcast_shapes(left.shape, right.shape)
        if not shape[0]:
            return self.sum_terms(np.zeros(shape) if start is None else start[None], steps)
        left, right = np.broadcast_to(left, shape), np.broadcast_to(right, shape)
        return np.asarray(self.reduce_exactly(left, right, start, steps), steps.carrier)

    def reduce_exactly(
        self,
        left: Array,
        right: Array | None,
        start: Start,
        steps: Steps,
        then: Callable[[Fraction], Fraction] = lambda total: total,
    ) -> Array:
        """start + sum of left[k] (times right[k]), then a function of it, rounded once."""
        shape = left.shape[1:]
        size = math.prod(shape)
        draws = np.zeros(size, np.uint32) if steps.rng is None else steps.rng.integers(0, 2**32, size, dtype=np.uint32)
        places = np.arange(size).reshape(shape)
        out, invalid, tally = np.empty(shape), np.zeros(shape, bool), steps.tally or StepTally(current_listeners())
        for tile in tiles(left.shape):
            terms = _as_integers(terms_of(tile, left), None if right is None else terms_of(tile, right))
            if start is not None:
                terms = _Terms(*map(np.concatenate, zip(_as_integers(start[tile][None]), terms, strict=True)))
            invalid[tile] = terms.makes_nan()
            totals = [then(x) if isinstance(x, Fraction) and x else x for x in terms.sums(steps.mode).flat]
            rounded = [
                _round_total(total, steps, int(draws[place]), int(place), tally)
                for total, place in zip(totals, places[tile].flat, strict=True)
            ]
            out[tile] = np.reshape(rounded, out[tile].shape)
        tally.note("invalid", invalid.reshape(-1))
        tally.report(steps.label, out.shape)
        return out


def _round_total(total: Fraction | float, steps: Steps, draw: int, place: int, tally: StepTally) -> float:
    """A total, rounded; its exceptions are noted by every definition of tiny that is asked for."""
    for tininess in sorted(tally.listeners.tininess):
        result = exact.round_result(total, steps.fmt, steps.mode, draw, tininess)
        note_exact(tally, result, place, tininess)
    return float(result.value)


class _Terms(NamedTuple):
    """Terms as n * 2^e with Python integers n; those that are infinite or NaN; and the signs of all."""

    n: Array
    e: Array
    special: Array
    negative: Array
    quiet: Array
    """Where an operand is NaN, which passes through without an exception."""

    def makes_nan(self) -> Array:
        """Which sums over the first axis are NaN though no operand is: infinity - infinity, zero times infinity."""
        with np.errstate(all="ignore"):
            return np.isnan(self.special.sum(axis=0)) & ~self.quiet.any(axis=0)

    def sums(self, mode: Rounding) -> Array:
        """The exact sums over the first axis: Fractions, or floats for infinities, NaN and -0."""
        base = int(self.e.min())
        totals = np.asarray(np.add.reduce(self.n << (self.e - base).astype(object), axis=0), object)
        with np.errstate(all="ignore"):
            special = np.asarray(self.special.sum(axis=0))
        # An exact zero has the common sign of all terms. If their signs differ, it is +0, or -0 toward negative.
        toward_negative = mode is Rounding.TOWARD_NEGATIVE
        minus = np.asarray(self.negative.any(axis=0) if toward_negative else self.negative.all(axis=0))
        quantum = Fraction(2) ** base
        out = np.empty(totals.shape, object)
        for at in np.ndindex(out.shape):
            zero = -0.0 if minus[at] else Fraction(0)
            out[at] = float(special[at]) if special[at] != 0 else (totals[at] * quantum if totals[at] else zero)
        return out


def _as_integers(left: Array, right: Array | None = None) -> _Terms:
    """left, or left * right, element by element: n is 0 where that is not finite, special is 0 where it is."""
    with np.errstate(all="ignore"):
        product = left.astype(np.float64) * (1.0 if right is None else right.astype(np.float64))
    n, e = _integers(left)
    finite, quiet = np.isfinite(left), np.isnan(left)
    if right is not None:
        m, f = _integers(right)
        n, e = n * m, e + f
        finite, quiet = finite & np.isfinite(right), quiet | np.isnan(right)
    return _Terms(n, e, np.where(finite, 0.0, product), np.signbit(product), quiet)


def _integers(x: Array) -> tuple[Array, Array]:
    """Finite numbers as n * 2^e, with n of at most 53 bits as Python integers."""
    fraction, e = np.frexp(np.where(np.isfinite(x), x, 0.0).astype(np.float64))
    return np.ldexp(fraction, 53).astype(np.int64).astype(object), e.astype(np.int64) - 53
