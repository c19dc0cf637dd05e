"""How numbers of a format are drawn: evenly over its codes, rare classes often enough, shrinking to simple ones.

A number is read from a few bytes, because Hypothesis draws bytes evenly (its integers are mostly small) and shrinks
each toward 0. They say, in this order: which class; k of an odd significand n = 2k + 1; the exponent e; the sign:

    +-(1.bbb)_2 * 2^e, where 1bbb are the bits of n

so that any normal number comes in one way only. With k even over [0, 2^(p - 1)) half of all n have p bits, a quarter
p - 1, and so on, as the significands of all codes have once their trailing zeros are gone. Exponents are numbered 0, 1,
-1, 2, ...: shrinking finds few bits and a small exponent, and a number keeps its magnitude while it loses its bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from hypothesis import strategies as st

from ... import exact
from ...codes import decode
from ...formats import Format

Number: TypeAlias = Fraction | float


@dataclass
class Bytes:
    """Bytes to read numbers from, one after the other."""

    data: bytes
    at: int = 0

    def below(self, count: int) -> int:
        """An integer of [0, count): even for powers of two, and nearly so for others."""
        size = width(count)
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big") % count


def width(count: int) -> int:
    """Bytes that hold an integer below `count`."""
    return max(1, -(-(count - 1).bit_length() // 8))


@dataclass(frozen=True)
class Interval:
    """Magnitudes that may be drawn, of one sign; both ends included, zero not."""

    low: Fraction
    high: Fraction

    @cached_property
    def exponents(self) -> tuple[int, int]:
        """Those of both ends."""
        return exact.exponent_of(self.low), exact.exponent_of(self.high)

    def holds(self, magnitude: Fraction) -> bool:
        """Whether it is one of them."""
        return self.low <= magnitude <= self.high


@dataclass(frozen=True)
class Allowed:
    """What may be drawn from a format."""

    fmt: Format
    positive: Interval | None
    negative: Interval | None
    zeros: tuple[float, ...]
    infinities: tuple[float, ...]
    nan: bool

    @property
    def sides(self) -> tuple[tuple[int, Interval], ...]:
        """The signs that there are, with their magnitudes."""
        both = ((1, self.positive), (-1, self.negative))
        return tuple((sign, side) for sign, side in both if side is not None)

    @property
    def subnormals(self) -> bool:
        """Whether some number may be subnormal."""
        return any(side.low < self.fmt.min_normal for _, side in self.sides)


def numbered(index: int, least: int, greatest: int) -> int:
    """One of least .. greatest, numbered from the one nearest 0 on, around: 0, 1, -1, 2, ...

    >>> [numbered(i, -3, 1) for i in range(6)]
    [0, 1, -1, -2, -3, 0]
    """
    index %= greatest - least + 1
    middle = min(max(0, least), greatest)
    both = min(greatest - middle, middle - least)
    if index <= 2 * both:
        return middle + (index + 1) // 2 if index % 2 else middle - index // 2
    rest = index - both
    return middle + rest if greatest - middle > both else middle - rest


def scaled(n: int, e: int) -> Fraction:
    """The bits of n as a significand in [1, 2), times 2^e."""
    return n * Fraction(2) ** (e - n.bit_length() + 1)


def _exponents(fmt: Format) -> int:
    """The exponents of normal numbers, and one place more for the subnormals."""
    return fmt.emax - fmt.emin + 2


def _index(source: Bytes, allowed: Allowed) -> int:
    return source.below(_exponents(allowed.fmt))


def _side(source: Bytes, allowed: Allowed) -> tuple[int, Interval]:
    sides = allowed.sides
    return sides[source.below(256) % len(sides)]


def _normal(n: int, index: int, sign: int, side: Interval, fmt: Format) -> Fraction:
    """+-1.bbb * 2^e within bounds: with an exponent beside e where that is outside, or else some number inside."""
    low = max(side.exponents[0], fmt.emin)
    high = max(side.exponents[1], low)
    e = numbered(index, low, high)
    for value in (scaled(n, e), scaled(n, e - 1), scaled(n, e + 1)):
        if side.holds(value):
            return sign * value
    first, last = exact.encode(side.low, fmt), exact.encode(side.high, fmt)
    return sign * Fraction(exact.decode(first + (n // 2) % (last - first + 1), fmt))


def _tiny(n: int, index: int, sign: int, side: Interval, fmt: Format) -> Fraction:
    """+-n * 2^q, subnormal: n loses bits where it has too many."""
    n &= 2 ** (fmt.precision - 1) - 1
    value = n * Fraction(2) ** -numbered(index, n.bit_length() - fmt.emin, -fmt.quantum_exponent_min)
    if side.holds(value):
        return sign * value
    return _normal(n, index, sign, side, fmt)


# --- the classes ----------------------------------------------------------------------------------------------------


def _finite(source: Bytes, allowed: Allowed, n: int) -> Number:
    fmt, index = allowed.fmt, _index(source, allowed)
    sign, side = _side(source, allowed)
    if index == _exponents(fmt) - 1 and side.low < fmt.min_normal:
        return _tiny(n, n // 2, sign, side, fmt)
    return _normal(n, index, sign, side, fmt)


def _odd(source: Bytes, allowed: Allowed) -> int:
    return 2 * source.below(2 ** (allowed.fmt.precision - 1)) + 1


def _plain(source: Bytes, allowed: Allowed) -> Number:
    return _finite(source, allowed, _odd(source, allowed))


def _power(source: Bytes, allowed: Allowed) -> Number:
    """A power of two, or a neighbour of one."""
    p = allowed.fmt.precision
    return _finite(source, allowed, (1, 1, 2 ** (p - 1) + 1, 2**p - 1)[_odd(source, allowed) // 2 % 4])


def _subnormal(source: Bytes, allowed: Allowed) -> Number:
    n, index = _odd(source, allowed), _index(source, allowed)
    sign, side = _side(source, allowed)
    return _tiny(n, index, sign, side, allowed.fmt)


def _edge(source: Bytes, allowed: Allowed) -> Number:
    """An end of the range: the largest magnitude, the least, and around min_normal."""
    fmt, which = allowed.fmt, _odd(source, allowed) // 2 % 4
    _index(source, allowed)
    sign, side = _side(source, allowed)
    normal, quantum = Fraction(fmt.min_normal), Fraction(fmt.min_subnormal)
    value = (side.high, side.low, normal, normal - quantum)[which]
    return sign * (value if side.holds(value) else side.high)


def _zero(source: Bytes, allowed: Allowed) -> Number:
    _odd(source, allowed), _index(source, allowed)
    # +0 is the first thing that Hypothesis tries, whatever its share: most of the share is for -0.
    return allowed.zeros[0 if source.below(256) < 64 else -1]


def _infinity(source: Bytes, allowed: Allowed) -> Number:
    _odd(source, allowed), _index(source, allowed)
    return allowed.infinities[source.below(256) % len(allowed.infinities)]


def _nan(source: Bytes, allowed: Allowed) -> Number:
    """The usual quiet NaN, then other trailing significands and signs."""
    fmt, k = allowed.fmt, _odd(source, allowed) // 2
    _index(source, allowed)
    usual, t = exact.encode(exact.NAN, fmt), fmt.trailing_bits
    if fmt.has_infinity:
        trailing = (2 ** (t - 1) + k) % 2**t
        usual = (usual >> t << t) | (trailing or 2**t - 1)
    return float(decode(usual | source.below(2) << (fmt.width - 1), fmt)) if fmt.width <= 64 else exact.NAN


Reader: TypeAlias = Callable[[Bytes, Allowed], Number]

SHARES: dict[str, tuple[int, Reader]] = {
    "zero": (200, _zero),
    "power": (1900, _power),
    "plain": (0, _plain),
    "subnormal": (1100, _subnormal),
    "edge": (256, _edge),
    "infinity": (1100, _infinity),
    "nan": (1250, _nan),
}
"""In the order of simplicity; of 65,536 draws, how many go to a class, "plain" having the rest."""


def classes(allowed: Allowed) -> list[tuple[int, Reader]]:
    """The classes that are allowed, each with the bound of the first integer below which it is meant."""
    finite = bool(allowed.sides)
    present = {
        "zero": bool(allowed.zeros),
        "power": finite,
        "plain": finite,
        "subnormal": allowed.subnormals,
        "edge": finite,
        "infinity": bool(allowed.infinities),
        "nan": allowed.nan,
    }
    shares = {name: share for name, (share, _) in SHARES.items() if present[name]}
    shares["plain" if finite else next(iter(shares))] += 2**16 - sum(shares.values())
    found, bound = [], 0
    for name, share in shares.items():
        bound += share
        found.append((bound, SHARES[name][1]))
    return found


def size(fmt: Format) -> int:
    """Bytes that a number of a format is read from."""
    return 2 + width(2 ** (fmt.precision - 1)) + width(_exponents(fmt)) + 1


def numbers(allowed: Allowed) -> st.SearchStrategy[Number]:
    """Numbers of a format, within what is allowed."""
    table = classes(allowed)

    def read(data: bytes) -> Number:
        source = Bytes(data)
        kind = source.below(2**16)
        return next(reader for bound, reader in table if kind < bound)(source, allowed)

    count = size(allowed.fmt)
    return st.binary(min_size=count, max_size=count).map(read)


def below(count: int) -> st.SearchStrategy[int]:
    """Integers of [0, count), drawn evenly."""
    size = width(count)
    return st.binary(min_size=size, max_size=size).map(lambda data: int.from_bytes(data, "big") % count)
