"""Rounded addition of Python's floats, and loops over it: the same numbers as by `arithmetic`, a hundred times faster.

A call of NumPy takes longer than many additions, so these loops are for a few sums of many terms. They serve all modes,
and formats for which float64 is enough (see `arithmetic.intermediates`). In stochastic modes an addition takes a draw,
an integer of 32 random bits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate, islice
from math import copysign, frexp, ldexp
from typing import TypeAlias

import numpy as np

from ..arithmetic.intermediates import float64_is_enough
from ..formats import BINARY64, Format, Rounding, Subnormals
from ..rounding import round_without_flags

Add: TypeAlias = Callable[..., float]
"""add(a, b), or add(a, b, draw) in a stochastic mode."""
Loop: TypeAlias = "Callable[..., tuple[Iterable[float], ...]]"
"""loop(terms, *state): what each number of the state is after each of the terms; the first one is the sum.

In a stochastic mode a term is a tuple: the number, then the draws of the step.
"""

# --- one addition ---------------------------------------------------------------------------------------------------

_TO_INTEGER: dict[Rounding, Callable[..., int]] = {
    Rounding.TIES_TO_EVEN: round,
    Rounding.TIES_TO_AWAY: lambda n: math.trunc(n) + math.trunc(2 * (n - math.trunc(n))),
    Rounding.TOWARD_ZERO: math.trunc,
    Rounding.TOWARD_POSITIVE: math.ceil,
    Rounding.TOWARD_NEGATIVE: math.floor,
    Rounding.TO_ODD: lambda n: math.floor(n) | (n != math.floor(n)),
}


def _to_integer_at_random(mode: Rounding) -> Callable[..., int]:
    """The integer step of a stochastic mode: up where the draw is below the fraction, as in `rounding.reference`."""
    bits, unused = mode.random_bits, 32 - (mode.random_bits or 32)
    count = _TO_INTEGER[Rounding.TIES_TO_AWAY if mode.adds_half else Rounding.TOWARD_ZERO]

    def to_integer(n: float, draw: int) -> int:
        whole = math.trunc(n)
        fraction = abs(n - whole)
        up = draw + 0.5 < fraction * 2.0**32 if bits is None else draw >> unused < count(ldexp(fraction, bits))
        return whole + (up if n > 0 else -up)

    return to_integer


def _rounding(fmt: Format, mode: Rounding) -> Callable[..., float]:
    """The general path of `rounding.reference`, for one finite number (and a draw in a stochastic mode)."""
    to_integer = _to_integer_at_random(mode) if mode.random else _TO_INTEGER[mode]
    emin, precision, largest = fmt.emin, fmt.precision, float(fmt.max_finite)
    has_negative_zero = fmt.has_negative_zero
    smallest = float(fmt.min_subnormal if fmt.subnormals is Subnormals.GRADUAL else fmt.min_normal)
    lowest = emin if fmt.subnormals is Subnormals.FLUSH_TO_NEAREST else emin - fmt.trailing_bits
    # Stochastic overflow gives what overflow to nearest gives: the next number up stands for it.
    bounded = Rounding.TIES_TO_EVEN if mode.random else mode
    above, below = round_without_flags(np.array([4.0, -4.0]) * 2.0**fmt.emax, fmt, bounded).tolist()

    def rounded(x: float, draw: int | None = None) -> float:
        e = frexp(x)[1]  # one more than the exponent
        q = e - precision if e > emin else lowest
        n = ldexp(x, -q)
        y = ldexp(to_integer(n) if draw is None else to_integer(n, draw), q)
        if smallest <= y <= largest or -largest <= y <= -smallest:
            return y
        if y > largest or y < -largest:
            return above if y > largest else below
        return copysign(0.0, x) if has_negative_zero else 0.0

    return rounded


def _to_odd(s: float, error: float) -> float:
    """The float nearest to s + error, rounded to odd instead: s, or its neighbour toward the error if s is even."""
    odd = int(ldexp(frexp(s)[0], BINARY64.precision)) % 2
    return s if odd else math.nextafter(s, copysign(math.inf, error))


@lru_cache(maxsize=256)
def adder(fmt: Format, mode: Rounding) -> Add | None:
    """add(a, b) for values of the format, or exact products of two of them; None where float64 is not enough."""
    if fmt == BINARY64 and mode is Rounding.TIES_TO_EVEN:
        return operator.add
    if fmt.precision == 1 or not (fmt.signed and fmt.zero) or not float64_is_enough(fmt, mode):
        return None  # formats of a single bit, and those without a sign or zero, have rules of their own
    rounded, toward_negative = _rounding(fmt, mode), mode is Rounding.TOWARD_NEGATIVE and fmt.has_negative_zero
    nearest = round_without_flags(np.array([math.inf]), fmt, Rounding.TIES_TO_EVEN)
    infinity = float(nearest[0])  # in all modes: the largest number if the format saturates

    def add(a: float, b: float, draw: int | None = None) -> float:
        s = a + b
        if toward_negative and not s:
            return copysign(0.0, min(copysign(1.0, a), copysign(1.0, b)))
        part = s - a
        error = (a - (s - part)) + (b - part)  # TwoSum; NaN if s is not finite
        if error:
            if s - s:  # NaN: s is not finite
                return copysign(infinity, s) if s == s else s
            s = _to_odd(s, error)
        return rounded(s, draw)

    return add


def shifter(fmt: Format, mode: Rounding) -> float | None:
    """The c for which c x - (c x - x), in floats, is x rounded to the format's precision; None where that is wrong.

    c is 2^m with m = 53 - p. In units of x's last place, x is an integer M of 53 bits, and the format's quantum is 2^m
    of them. c x is exact. c x - x = 2^m (M - M / 2^m) rounds to a multiple of 2^m, so to 2^m (M - k) where k is M / 2^m
    rounded: to nearest, and at a tie to an even k, because M - k becomes even, and M is even at a tie. The last
    difference is 2^m k, without an error.

    Only if M - M / 2^m is below 2^52, c x - x keeps one bit more. Then M exceeds 2^52 by 2^(p - 1) at most, so M / 2^m
    exceeds the integer 2^(p - 1) by less than a quarter, and that bit is 0.
    """
    if mode is not Rounding.TIES_TO_EVEN or fmt.subnormals is not Subnormals.GRADUAL or adder(fmt, mode) is None:
        return None
    return 2.0 ** (BINARY64.precision - fmt.precision) if float64_is_enough(fmt, mode) else None


# --- loops ----------------------------------------------------------------------------------------------------------
# The loops with c, of `shifter`, round a sum twice, to 53 bits and to p, which is innocuous because 53 >= 2p + 2
# (Figueroa). Below min_normal they round nothing, because there every sum is exact. They know of no overflow.


def sums(add: Add) -> Loop:
    """s = add(s, x)."""
    return lambda terms, s: (islice(accumulate(terms, add, initial=s), 1, None),)


def quick_sums(c: float) -> Loop:
    """The same to nearest, without overflow."""

    def loop(terms: Iterable[float], s: float) -> tuple[Iterable[float]]:
        out: list[float] = []
        append = out.append
        for x in terms:
            s += x
            high = c * s
            s = high - (high - s)
            append(s)
        return (out,)

    return loop


def random_sums(add: Add) -> Loop:
    """s = add(s, x), with the draw of each addition."""
    return lambda terms, s: (islice(accumulate(terms, lambda s, term: add(s, *term), initial=s), 1, None),)


def random_sums_of_products(add: Add) -> Loop:
    """s = add(s, multiply(a, b)), with the draws of each product and each addition; a term is the exact product."""

    def loop(terms: Iterable[tuple[float, int, int]], s: float) -> tuple[Iterable[float]]:
        out: list[float] = []
        for x, of_product, of_sum in terms:
            s = add(s, add(x, copysign(0.0, x), of_product), of_sum)  # x + 0, rounded
            out.append(s)
        return (out,)

    return loop


def compensated_sums(add: Add) -> Loop:
    """The loop of Kahan."""

    def loop(terms: Iterable[float], s: float, lost: float) -> tuple[Iterable[float], Iterable[float]]:
        out: tuple[list[float], list[float]] = [], []
        for x in terms:
            y = add(x, -lost)
            t = add(s, y)
            s, lost = t, add(add(t, -s), -y)
            out[0].append(s)
            out[1].append(lost)
        return out

    return loop


def random_compensated_sums(add: Add) -> Loop:
    """The same with four draws for each term."""

    def loop(
        terms: Iterable[tuple[float, int, int, int, int]], s: float, lost: float
    ) -> tuple[Iterable[float], Iterable[float]]:
        out: tuple[list[float], list[float]] = [], []
        for x, first, second, third, fourth in terms:
            y = add(x, -lost, first)
            t = add(s, y, second)
            s, lost = t, add(add(t, -s, third), -y, fourth)
            out[0].append(s)
            out[1].append(lost)
        return out

    return loop


def quick_compensated_sums(c: float) -> Loop:
    """The same to nearest, without overflow."""

    def loop(terms: Iterable[float], s: float, lost: float) -> tuple[Iterable[float], Iterable[float]]:
        out: tuple[list[float], list[float]] = [], []
        append, append_lost = out[0].append, out[1].append
        for x in terms:
            y = x - lost
            high = c * y
            y = high - (high - y)
            t = s + y
            high = c * t
            t = high - (high - t)
            lost = t - s
            high = c * lost
            lost = high - (high - lost) - y
            high = c * lost
            lost = high - (high - lost)
            s = t
            append(s)
            append_lost(lost)
        return out

    return loop
