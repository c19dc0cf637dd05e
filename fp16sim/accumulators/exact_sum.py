"""The exact sum, rounded once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .. import exact
from ..conversion import Array, Generator, Seed
from ..flags import StepTally, current_listeners
from ..formats import BINARY64, Format, FormatLike, Rounding
from ..rounding import round_array
from ..rounding.exact_numbers import note_exact
from .base import Accumulator, Start, Steps, terms_of, tile_place, tiles


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

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """All sums of the first terms, each rounded once."""
        return np.asarray(self.reduce_exactly(terms, None, None, steps, cumulative=True), steps.carrier)

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
        then: Callable[[Fraction], Fraction] | None = None,
        cumulative: bool = False,
    ) -> Array:
        """start + sum of left[k] (times right[k]), then a function of it, rounded once; or all partial sums."""
        shape = left.shape if cumulative else left.shape[1:]
        out, size = np.empty(shape), math.prod(shape)
        draws = None if steps.rng is None else steps.rng.integers(0, 2**32, size, dtype=np.uint32).reshape(shape)
        for tile in tiles(left.shape):
            at = (slice(None), *tile) if cumulative else tile
            a, b = terms_of(tile, left), None if right is None else terms_of(tile, right)
            first, part = None if start is None else start[tile], steps.placed(tile_place(at, shape))
            found = _by_int64(a, b, first, part, cumulative) if then is None and draws is None else None
            if found is None:
                terms = _as_integers(a, b)
                if first is not None:
                    terms = _Terms(*map(np.concatenate, zip(_as_integers(first[None]), terms, strict=True)))
                found = _rounded(terms.sums(cumulative), then, part, None if draws is None else draws[at])
            out[at] = found
        return out


# --- by Python's integers -------------------------------------------------------------------------------------------


class _Sums(NamedTuple):
    """Sums n * 2^e with Python integers n."""

    n: Array
    e: int
    special: Array
    """Those that are infinite or NaN; else 0."""
    invalid: Array
    """Those that are NaN though no operand is: infinity less infinity, or with zero times infinity."""
    all_negative: Array
    any_negative: Array
    """Whether all terms, or some, have a minus sign."""

    def values(self, mode: Rounding) -> list[Fraction | float]:
        """In C order: Fractions, or floats for infinities, NaN and -0."""
        # An exact zero has the common sign of all terms. If their signs differ, it is +0, or -0 toward negative.
        minus = self.any_negative if mode is Rounding.TOWARD_NEGATIVE else self.all_negative
        quantum = Fraction(2) ** self.e
        return [
            float(special) if special != 0 else n * quantum if n else -0.0 if negative else Fraction(0)
            for n, special, negative in zip(self.n.flat, self.special.flat, minus.flat, strict=True)
        ]


class _Terms(NamedTuple):
    """Terms as n * 2^e with Python integers n; those that are infinite or NaN; and the signs of all."""

    n: Array
    e: Array
    special: Array
    negative: Array
    quiet: Array
    """Where an operand is NaN, which passes through without an exception."""

    def sums(self, cumulative: bool) -> _Sums:
        """The sums over the first axis, or all partial sums."""
        base = int(self.e.min())
        whole = self.n << (self.e - base).astype(object)
        n, special, quiet, all_negative, any_negative = (
            np.asarray((operation.accumulate if cumulative else operation.reduce)(x, axis=0), dtype)
            for operation, x, dtype in (
                (np.add, whole, object),
                (np.add, self.special, float),
                (np.logical_or, self.quiet, bool),
                (np.logical_and, self.negative, bool),
                (np.logical_or, self.negative, bool),
            )
        )
        return _Sums(n, base, special, np.isnan(special) & ~quiet, all_negative, any_negative)


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


def _rounded(sums: _Sums, then: Callable[[Fraction], Fraction] | None, steps: Steps, draws: Array | None) -> Array:
    """The sums, or a function of them, rounded; exceptions are noted by every definition of tiny that is asked for."""
    tally, shape = steps.tally or StepTally(current_listeners()), sums.n.shape
    out = np.empty(sums.n.size)
    for i, total in enumerate(sums.values(steps.mode)):
        x = then(total) if then is not None and isinstance(total, Fraction) and total else total
        draw = 0 if draws is None else int(draws.flat[i])
        for tininess in sorted(tally.listeners.tininess):
            result = exact.round_result(x, steps.fmt, steps.mode, draw, tininess)
            note_exact(tally, result, i, tininess)
        out[i] = result.value
    tally.note("invalid", sums.invalid.reshape(-1))
    tally.report(steps.label, shape)
    return out.reshape(shape)


# --- by 64-bit integers, where they are enough ----------------------------------------------------------------------
# They are enough if a power of two makes all terms integers, and no sum of them reaches 2^62. A sum of 54 bits or more
# becomes a float rounded to odd: its last ten bits become one that says whether any of them was 1. The 44 bits or more
# above them decide every rounding to 24 bits, but for "stochastic".

TERMS_AT_ONCE = 1 << 15
"""So many terms of all results together stay in the processor's cache."""


def _by_int64(left: Array, right: Array | None, start: Start, steps: Steps, cumulative: bool) -> Array | None:
    """The sums, or all partial sums, rounded; None where 64-bit integers are not enough."""
    scale = _scale(left, right, start)
    if scale is None or steps.fmt.precision > 24:
        return None
    out = np.empty(left.shape if cumulative else left.shape[1:])
    either = np.logical_or if steps.mode is Rounding.TOWARD_NEGATIVE else np.logical_and  # as for a zero in `_Sums`
    total, minus, done = np.zeros(0), np.zeros(0), 0
    for x in _exact_terms(left, right, start):
        n, signs = (x * 2.0**scale).astype(np.int64), np.signbit(x)
        if not np.array_equal(n * 2.0**-scale, x):
            return None
        if done:
            n[0] += total
            signs[0] = either(signs[0], minus)
        if cumulative:
            np.add.accumulate(n, axis=0, out=n)
            either.accumulate(signs, axis=0, out=signs)
            out[done : done + len(x)] = _to_odd(n, signs)
        total, minus = (
            (n[-1], signs[-1]) if cumulative else (np.asarray(n.sum(axis=0)), np.asarray(either.reduce(signs, axis=0)))
        )
        done += len(x)
    if not cumulative:
        out[...] = _to_odd(total, minus)
    out *= 2.0**-scale
    return round_array(
        out, exact.without_input_flush(steps.fmt), steps.mode, out=out, operation=steps.label, tally=steps.tally
    )


def _scale(left: Array, right: Array | None, start: Start) -> int | None:
    """The k for which no sum of terms times 2^k reaches 2^62; None if there is none, or a product may not be exact."""
    if right is not None and not (_fits_in_float32(left) and _fits_in_float32(right)):
        return None
    largest = _largest(left) * (1.0 if right is None else _largest(right))
    largest = max(largest, 0.0 if start is None else _largest(start))
    if not math.isfinite(largest):
        return None
    scale = 62 - (len(left) + 1).bit_length() - math.frexp(largest)[1]
    return scale if abs(scale) <= 1000 else None


def _largest(x: Array) -> float:
    """The largest magnitude; NaN if one is NaN."""
    return float(np.maximum(x.max(), -x.min())) if x.size else 0.0


def _fits_in_float32(x: Array) -> bool:
    """Whether float32 holds all numbers, so that float64 holds their products."""
    return x.dtype == np.float32 or np.array_equal(x.astype(np.float32), x)


def _exact_terms(left: Array, right: Array | None, start: Start) -> Iterator[Array]:
    """The start, then the terms or products, some at a time."""
    if start is not None:
        yield start[None].astype(np.float64)
    at_once = max(1, TERMS_AT_ONCE // max(1, math.prod(left.shape[1:])))
    for k in range(0, len(left), at_once):
        x = left[k : k + at_once].astype(np.float64)
        yield x if right is None else x * right[k : k + at_once]


def _to_odd(n: Array, minus: Array) -> Array:
    """Integers as float64 numbers, rounded to odd; zeros with these signs."""
    large = np.abs(n) >= 2**53
    if large.any():
        n = np.where(large, n & -1024 | np.where(n & 1023, 512, 0), n)
    return np.where((n == 0) & minus, -0.0, n)
