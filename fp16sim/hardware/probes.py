"""Questions to a matrix unit: 200 dot products for each format of factors and sums, always the same.

The simple ones isolate a parameter: `single` terms show the window and the rounding, `triples` of a number, its
negative and a tiny one show which products are added together, and `ties` do so where factors have few exponents. The
others are random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from ..formats import BINARY16, Format

MOST = 200
"""Probes of all kinds."""
LONGEST = 128
"""Products of the longest probe."""
SPAN = 50
"""Binary digits that all terms of a probe have together, so that float64 adds them exactly."""
TINY_AT = (*range(2, 9), *range(10, 34, 2), 33, 48, 64)
"""Where the tiny number of a triple stands: next to the borders of groups."""
TIES_AT = (*range(1, 6), *range(7, 34, 2), 32, 64)
"""Where the second half of a quantum stands."""

Terms: TypeAlias = dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Probe:
    """One dot product: c plus the products of the factors, by their places; all others are 0.

    Attributes
    ----------
    kind : str
        "single", "sparse", "dense" or "extreme".
    terms : tuple of (place, a, b)
    c : float
    length : int
    """

    kind: str
    terms: tuple[tuple[int, float, float], ...]
    c: float
    length: int

    def factors(self) -> tuple[list[float], list[float]]:
        """Both vectors."""
        a, b = [0.0] * self.length, [0.0] * self.length
        for place, x, y in self.terms:
            a[place], b[place] = x, y
        return a, b


@lru_cache(maxsize=64)
def probes(factors: Format, output: Format) -> tuple[Probe, ...]:
    """All probes of two formats."""
    maker = Maker(factors, output)
    found = [*maker.single(), *maker.triples(), *maker.ties(), *maker.halves(), *maker.extremes()]
    found += list(maker.random_ones(MOST - len(found) - DENSE))
    return (*found, *maker.dense(DENSE))


DENSE = 20
"""Random probes in which every product counts; they check what was found."""


def _probe(kind: str, terms: Terms, c: float, length: int | None = None) -> Probe:
    n = length or max(terms, default=0) + 1
    return Probe(kind, tuple((k, *terms[k]) for k in sorted(terms)), c, n)


class Maker:
    """Makes probes of the numbers that two formats have; random ones are the same in every call."""

    def __init__(self, factors: Format, output: Format) -> None:
        self.factors, self.output = factors, output
        self.low, self.high = factors.emin, factors.emax - (2 ** (factors.emax + 1) > 2 * factors.max_finite)
        self.rng = random.Random(f"{factors.name} {output.name}")

    def pair(self, e: int, significand: bool = False) -> tuple[float, float]:
        """Two normal factors whose exponents have the sum `e`."""
        i = max(self.low, min(self.high, e // 2))
        i = max(e - self.high, min(e - self.low, i))
        x, y = 2.0**i, 2.0 ** (e - i)
        if significand:
            x, y = (self._significand(self.factors.precision, v) for v in (x, y))
        return x, y

    def _significand(self, precision: int, x: float) -> float:
        y = x * (1 + self.rng.randrange(2 ** (precision - 1)) / 2 ** (precision - 1))
        return y if y <= self.factors.max_finite or precision != self.factors.precision else x

    @property
    def products(self) -> range:
        """Exponents of products, so that neither they nor sums of many overflow or are subnormal."""
        low, high = max(2 * self.low, self.output.emin), min(2 * self.high, self.output.emax - 8)
        return range(low, high + 1)

    def single(self) -> Iterator[Probe]:
        """The sum so far alone, or with one product of any size."""
        p, one = self.output.precision, self.products[-1] if self.products[-1] < 0 else 0
        ones, mixed = 2.0 - 2.0 ** (1 - p), sum(2.0**-k for k in range(0, p, 2))
        for c in (ones, -ones, mixed, -mixed):
            yield _probe("single", {0: (0.0, 0.0)}, c)
        for d in range(12, 42):
            e = min(max(one - d, self.products[0]), self.products[-1])
            if e + d <= self.output.emax - 8:
                x, y = self.pair(e)
                yield _probe("single", {0: (-x, y)}, 2.0 ** (e + d))
        for k in range(12):
            d = self.rng.randrange(2, 44)
            e = min(max(one - d, self.products[0]), self.products[-1])
            x, y = self.pair(e, k % 2 == 1)
            c = self._sum_so_far(min(e + d, self.output.emax - 8))
            yield _probe("single", {0: (self.rng.choice((-x, x)), y)}, self.rng.choice((-c, c)))

    def _sum_so_far(self, e: int) -> float:
        p = self.output.precision
        e = max(e, self.output.emin)
        return 2.0**e * self.rng.choice((1.0, 2 - 2.0 ** (1 - p), 1 + self.rng.randrange(2 ** (p - 1)) / 2 ** (p - 1)))

    def triples(self) -> Iterator[Probe]:
        """A large product, its negative, and a tiny one: it is lost if it is added together with one of them."""
        top = self.products[-1]
        e = max(self.products[0], top - SPAN + 2)
        big, small = self.pair(top), self.pair(e)
        minus = (-big[0], big[1])
        for k in TINY_AT:
            yield _probe("sparse", {0: big, 1: minus, k: small}, 0.0)
        for k in (2, 3, 4, 5, 6, 8, 9, 16, 17, 32, 33, 64):
            yield _probe("sparse", {0: big, 1: small, k: minus}, 0.0)
        for d in (26, 36, SPAN - 2):
            if top - d >= self.products[0]:
                yield _probe("sparse", {0: self.pair(top - d), 1: big}, -(2.0**top))
        for i, j, k in ((2, 1, 3), (2, 3, 1), (4, 2, 1), (4, 1, 2), (8, 4, 2)):
            yield _probe("sparse", {0: big, i: minus, j: small, k: small}, 0.0)

    def ties(self) -> Iterator[Probe]:
        """Two products that are half the quantum of the sum so far: one alone is lost, both together are not."""
        one = self.pair(max(self.products[0], min(0, self.products[-1])))
        e = max(self.products[0], min(0, self.products[-1])) + self.output.precision
        if e > self.output.emax - 8:
            return
        for k in TIES_AT:
            yield _probe("sparse", {0: one, k: one}, 2.0**e)

    def random_ones(self, n: int) -> Iterator[Probe]:
        """Up to six products of many sizes, some of which cancel."""
        made = 0
        while made < n:
            one = self._random()
            if _span(one) <= SPAN:
                made += 1
                yield one

    def _random(self) -> Probe:
        rng = self.rng
        length = rng.choice((2, 4, 8, 16, 32, 64, LONGEST))
        top = rng.choice(self.products[-8:])
        terms: Terms = {}
        for k in rng.sample(range(length), min(length, rng.randrange(2, 7))):
            e = max(self.products[0], top - rng.choice((0, 0, 1, 2, rng.randrange(8, 40))))
            x, y = self.pair(e, rng.random() < 0.5)
            terms[k] = (rng.choice((-x, x)), y)
        if rng.random() < 0.6:
            i, j = rng.sample(list(terms), 2)
            terms[j] = (-terms[i][0], terms[i][1])
        e = top - rng.choice((0, 1, -1, rng.randrange(-30, 30)))
        e = min(max(e, self.output.emin), self.output.emax - 8)
        c = 0.0 if rng.random() < 0.3 else rng.choice((-1, 1)) * self._sum_so_far(e)
        return _probe("sparse", terms, c)

    def dense(self, n: int) -> Iterator[Probe]:
        """Random products in every place, the last of which cancel the first."""
        e = self.products
        middle = min(max(0, e[0] + 24), e[-1])
        for k in range(n):
            length, spread = (16, 32, 64, LONGEST)[k % 4], (8, 16, 24, 32)[k % 5 % 4]
            terms: Terms = {}
            for place in range(length):
                x, y = self.pair(min(max(middle - self.rng.randrange(spread), e[0]), e[-1]), True)
                terms[place] = (self.rng.choice((-x, x)), y)
            terms[length - 1] = (-terms[0][0], terms[0][1])
            c = self._sum_so_far(middle - self.rng.randrange(8)) * self.rng.choice((-1, 0, 1))
            yield _probe("dense", terms, c, length)

    def extremes(self) -> Iterator[Probe]:
        """Subnormal numbers, zeros beside large factors, and sums near the smallest number of the output."""
        tiny, least, most = float(self.factors.min_subnormal), float(self.output.min_subnormal), 2.0**self.high
        normal, out = 2.0**self.low, float(self.output.min_normal)
        if tiny < normal:
            yield _probe("extreme", {0: (tiny, 1.0)}, 0.0)
            yield _probe("extreme", {0: (tiny, tiny)}, 0.0)
            yield _probe("extreme", {0: (tiny, most)}, 0.0)
        for c in (least, out * (1 + 2.0**-8), out - least):
            yield _probe("extreme", {0: (0.0, 0.0)}, c)
            yield _probe("extreme", {0: (most, 0.0)}, c)
        yield _probe("extreme", {0: (normal, normal), 1: (most, 0.0)}, 0.0)
        yield from self._least_exponents()

    def _least_exponents(self) -> Iterator[Probe]:
        """Half the least number of the output and something smaller: that is lost if the alignment has a border."""
        half = self.output.emin - self.output.trailing_bits - 1
        lowest = 2 * (self.factors.emin - self.factors.trailing_bits)
        if 2 * self.low > half:
            return
        sign = 1 if self.output == BINARY16 else -1  # a tie goes up with it; truncation goes down without it
        for e in range(half - 11, max(half - 25, lowest) - 1, -1):
            terms = {0: self.pair(half), 1: self.pair(half), 2: self.tiny(e)}
            if sign > 0:
                del terms[1]
            x, y = terms[2]
            terms[2] = (sign * x, y)
            yield _probe("extreme", terms, 0.0)

    def tiny(self, e: int) -> tuple[float, float]:
        """Two factors, subnormal if need be, whose product is 2^e."""
        lowest = self.factors.emin - self.factors.trailing_bits
        i = max(lowest, e // 2)
        return 2.0**i, 2.0 ** (e - i)

    def halves(self) -> Iterator[Probe]:
        """Half a quantum and something smaller beside a large number: it decides a tie, if the window has it."""
        one = min(2 * self.high, self.output.emax - 1, 14)
        half, ulp = self.pair(one - self.output.precision), self.pair(one - self.output.precision + 1)
        low = 2 * self.low
        if one - self.output.precision < low:
            return
        big, whole = self.pair(one), 2.0**one
        for e in range(one - self.output.precision - 2, max(one - 34, low) - 1, -1):
            x, y = self.pair(e)
            yield _probe("sparse", {0: big, 1: half, 4: (x, y)}, 0.0)
            x *= 1.5
            yield _probe("sparse", {0: half, 1: (x, y)}, whole)
            if e % 2:
                yield _probe("sparse", {0: half, 1: (-x, y)}, whole * (1 + 2.0 ** (1 - self.output.precision)))
                yield _probe("sparse", {0: big, 1: half, 4: (-x, y), 5: ulp}, 0.0)


def _span(probe: Probe) -> int:
    """Binary digits from the largest term to the last bit of the smallest."""
    numbers = [x * y for _, x, y in probe.terms] + [probe.c]
    tops = [_exponent(x) for x in numbers if x]
    ends = [_last_bit(x) for x in numbers if x]
    return max(tops) + 3 - min(ends)


def _exponent(x: float) -> int:
    n, d = abs(x).as_integer_ratio()
    return n.bit_length() - d.bit_length()


def _last_bit(x: float) -> int:
    n, d = abs(x).as_integer_ratio()
    return (n & -n).bit_length() - d.bit_length()
