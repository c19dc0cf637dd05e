"""The steps of matrix units: one group of products and the sum so far give an exact number, which is then rounded once.

Everything is float64, which commits no error here: a product of factors that fit in tf32 has at most 22 bits and an
exponent of at most 255; after alignment all terms are integers below 2^(fraction bits + 2), and at most 65 of them are
added. So no sum needs more than 46 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from ..conversion import Array
from ..flags import Listeners, StepTally
from ..formats import BINARY16, BINARY32, Format, Rounding
from ..rounding import round_without_flags
from .base import Steps
from .exact_sum import Exact
from .machines import Datapath

ABSENT = -8192
"""The exponent of what takes no part in an alignment; the sum of two of them is still an int16."""


@dataclass(frozen=True)
class Factors:
    """Factors of products along the first axis, and their exponents as the machine stores them."""

    values: Array
    exponents: Array

    def part(self, at: Any) -> Factors:
        """The same for some of them."""
        return Factors(self.values[at], self.exponents[at])

    def each(self, change: Callable[[Array], Array]) -> Factors:
        """The same after a change of shape."""
        return Factors(change(self.values), change(self.exponents))


@lru_cache(maxsize=64)
def _by_biased_exponent(emin: int, zero: int | None) -> Array:
    """The stored exponent for each of float64's 2048 exponent fields; only a zero has the field 0 here."""
    e = np.maximum(np.arange(2048) - 1023, emin)
    e[0], e[2047] = ABSENT if zero is None else zero, 0
    return e.astype(np.int16)


def stored_exponents(x: Array, fmt: Format, zero: int | None) -> Array:
    """The exponents of `x` as the format stores them: that of min_normal for subnormals, `zero` for zeros.

    NaN and infinity get 0: they give in any sum what they give, and the alignment must not multiply them by 0.
    """
    return _by_biased_exponent(fmt.emin, zero)[(x.view(np.int64) >> 52) & 0x7FF]


def power_of_two(n: Array) -> Array:
    """2^n by its bits, for exponents of normal float64 numbers."""
    return ((n.astype(np.int64) + 1023) << 52).view(np.float64)


def _cut(x: Array, unit: Array) -> Array:
    """`x` in units of 1 / `unit`, toward zero."""
    y: Array = x * unit
    return np.trunc(y, out=y)


def _highest(path: Datapath, *exponents: Array) -> Array:
    """The largest exponent of all terms, or the machine's least one; 0 if there are only zeros.

    No term at all, such as the odd ones of a single product, counts as a product of zeros.
    """
    zeros = 2 * (ABSENT if path.zero is None else path.zero)
    highest = exponents[0].max(axis=0, initial=zeros)
    for others in exponents[1:]:
        highest = np.maximum(highest, others)
    if path.least is not None:
        highest = np.maximum(highest, path.least)
    if path.zero is None:
        highest[highest < ABSENT // 2] = 0
    return highest


def aligned(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """Products and the sum so far, aligned to the largest exponent, cut off and added: NVIDIA's way."""
    of_total = stored_exponents(total, path.output, path.zero)
    unit = power_of_two(path.bits - _highest(path, a.exponents + b.exponents, of_total))
    units = _cut_products(a, b, unit)
    units += _cut(total, unit)
    units /= unit
    return units


def _cut_products(a: Factors, b: Factors, unit: Array) -> Array:
    products = a.values * b.values
    products *= unit
    return np.asarray(np.trunc(products, out=products).sum(axis=0))


def blocks(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """Exact sums of 16 products, scaled, aligned by the exponents of their scales, cut off and added.

    The factors hold the scaled values, and the exponents of the scales alone.
    """
    exact = np.add.reduceat(a.values * b.values, np.arange(0, len(a.values), 16), axis=0)
    of_total = stored_exponents(total, path.output, path.zero)
    unit = power_of_two(path.bits - _highest(path, a.exponents[::16] + b.exponents[::16], of_total))
    return np.asarray((_cut(exact, unit).sum(axis=0) + _cut(total, unit)) / unit)


def pairwise(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """Products rounded to binary32 and added there in pairs, which float32 does; the sum so far comes last."""
    terms = flushed(path, (a.values * b.values).astype(np.float32))
    while len(terms) > 1:
        terms = flushed(path, _padded(terms, 2)[0::2] + _padded(terms, 2)[1::2])
    return total + terms[0].astype(np.float64)


def _padded(terms: Array, size: int) -> Array:
    """With zeros at the end, so that there is a multiple of `size` terms."""
    missing = -len(terms) % size
    return np.concatenate([terms, np.zeros((missing, *terms.shape[1:]), terms.dtype)]) if missing else terms


def flushed(path: Datapath, x: Array) -> Array:
    """Zeros of their signs for subnormal numbers of binary32, on a machine that has none."""
    if path.flushes:
        x[np.abs(x) < float(BINARY32.min_normal)] *= 0
    return x


EXTRA_BITS = 31
"""CDNA 3: fraction bits of the sum of products when the sum so far is added; that keeps the path's own bits."""


def _floored(path: Datapath, products: Array, highest: Array, total: Array) -> Array:
    """A sum of products and the sum so far, both rounded down below the larger exponent, and added."""
    of_total = stored_exponents(total, BINARY32, path.zero)
    top = np.maximum(highest, of_total)
    fine, unit = power_of_two(EXTRA_BITS - top), power_of_two(path.bits - top)
    rest = np.floor(total * unit) / unit
    if path.step == "odd_even":
        rest[(of_total < top - path.bits - 1) & np.isfinite(total)] = 0
    return np.asarray(np.floor(products * fine) / fine + rest)


def floored(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """CDNA 3: products are aligned, cut off and added; that and the sum so far are aligned and rounded down."""
    highest = _highest(path, a.exponents + b.exponents)
    unit = power_of_two(path.bits - highest)
    found = _floored(path, _cut_products(a, b, unit) / unit, highest, total)
    return _beyond_binary32(a, b, found) if highest.max(initial=0) >= BINARY32.emax - 1 else found


def odd_even(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """CDNA 3 with 8-bit factors: even and odd products are aligned apart, and their sums rounded down."""
    halves = [(a.part(slice(k, None, 2)), b.part(slice(k, None, 2))) for k in (0, 1)]
    exponents = [_highest(path, x.exponents + y.exponents) for x, y in halves]
    top = np.maximum(*exponents)
    unit, units = power_of_two(path.bits - top), np.zeros(total.shape)
    for (x, y), e in zip(halves, exponents, strict=True):
        units += np.floor(_cut_products(x, y, power_of_two(path.bits - e)) * power_of_two(e - top))
    return _floored(path, units / unit, top, total)


def _beyond_binary32(a: Factors, b: Factors, found: Array) -> Array:
    """CDNA 3 turns a product of 2^128 or more into infinity before it adds; the sum of both infinities is NaN."""
    products = a.values * b.values
    huge = np.where(np.abs(products) >= 2.0**128, np.copysign(np.inf, products), 0).sum(axis=0)
    return np.where((huge == 0) | ~np.isfinite(found), found, huge)


def exact(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """The exact sum, rounded to odd with bits to spare: rounding that once more rounds the sum itself."""
    to_odd = Exact("binary64", "to_odd")
    nobody = StepTally(Listeners(frozenset(), frozenset({"after"})))
    return to_odd.reduce_products(
        a.values, b.values, total, Steps(to_odd.fmt, to_odd.mode, None, np.float64, "", nobody)
    )


def in_halves(path: Datapath, a: Factors, b: Factors, total: Array) -> Array:
    """Two steps of the binary16 unit from zero, for every other pair of products; then an addition of its own."""
    k, part = np.arange(len(a.values)), np.zeros(total.shape)
    for pairs in (0, 1):
        half = k[(k // 2) % 2 == pairs]
        if half.size:
            inner = aligned(path, a.part(half), b.part(half), part)
            part = with_infinities(inner, round_without_flags(inner, path.output, TRUNCATED[path.output]), path.output)
    return total + part


TRUNCATED = {BINARY32: Rounding.TOWARD_ZERO, BINARY16: Rounding.TIES_TO_EVEN}
"""How aligned sums are rounded: to binary32 by cutting off."""


def with_infinities(exact: Array, rounded: Array, fmt: Format) -> Array:
    """The rounded sum; only its significand was truncated, so that one of 2^(emax + 1) or more is infinite."""
    return np.where(np.abs(exact) >= 2.0 ** (fmt.emax + 1), np.copysign(np.inf, exact), rounded)


Step: TypeAlias = Callable[[Datapath, Factors, Factors, Array], Array]

STEP: dict[str, Step] = {
    "aligned": aligned,
    "blocks": blocks,
    "pairwise": pairwise,
    "floored": floored,
    "odd_even": odd_even,
    "exact": exact,
    "in_halves": in_halves,
}


def exponent_format(path: Datapath, factors: Format) -> Format:
    """The format in which factors are stored when they are aligned: 8-bit ones in halves become binary16 first."""
    return BINARY16 if path.step == "in_halves" else factors
