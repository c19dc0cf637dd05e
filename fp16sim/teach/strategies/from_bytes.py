"""How a number of a format is read from random bytes.

The numbers are spread evenly over the codes, rare classes come often enough, and failures shrink to simple numbers.
Hypothesis draws bytes evenly (its integers are mostly small) and shrinks each byte toward 0. The bytes give, in this
order: the class; k of an odd significand n = 2k + 1; the exponent e; the sign. The number is

    +-(1.bbb)_2 * 2^e, where 1bbb are the bits of n

so that every normal number is drawn in exactly one way. With k spread evenly over [0, 2^(p - 1)), half of all n have p
bits, a quarter p - 1, and so on, as the significands of all codes have without their trailing zeros. Exponents are
numbered 0, 1, -1, 2, ... So shrinking finds few bits and a small exponent, and a number keeps its magnitude while it
loses bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from typing import TypeAlias

from hypothesis import strategies as st

from ... import exact
from ...codes import decode
from ...formats import BINARY64, Format

Number: TypeAlias = Fraction | float


@dataclass
class Bytes:
    """Bytes from which integers are read, one after the other."""

    data: bytes
    at: int = 0

    def below(self, count: int) -> int:
        """An integer of [0, count): every one equally likely if count is a power of two, and nearly so if not."""
        size = bytes_for(count)
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big") % count


def bytes_for(count: int) -> int:
    """How many bytes an integer below `count` needs."""
    return max(1, -(-(count - 1).bit_length() // 8))


@dataclass(frozen=True)
class Interval:
    """The magnitudes of one sign that may be drawn: from `low`, which is not 0, to `high`, both included."""

    low: Fraction
    high: Fraction

    @cached_property
    def exponents(self) -> tuple[int, int]:
        """The exponents of both ends."""
        return exact.exponent_of(self.low), exact.exponent_of(self.high)

    def __contains__(self, magnitude: Fraction) -> bool:
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
        """The signs that are allowed, each with its magnitudes."""
        both = ((1, self.positive), (-1, self.negative))
        return tuple((sign, side) for sign, side in both if side is not None)

    @property
    def subnormals(self) -> bool:
        """Whether subnormal numbers are allowed."""
        return any(side.low < self.fmt.min_normal for _, side in self.sides)


def numbered(index: int, least: int, greatest: int) -> int:
    """An integer of least .. greatest by its number, where the one nearest 0 comes first: 0, 1, -1, 2, ...

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


def with_exponent(n: int, e: int) -> Fraction:
    """(1.bbb)_2 * 2^e, where 1bbb are the bits of n."""
    return n * Fraction(2) ** (e - n.bit_length() + 1)


def _exponent_count(fmt: Format) -> int:
    """How many exponents normal numbers have, plus one for the subnormals."""
    return fmt.emax - fmt.emin + 2


def _exponent_number(source: Bytes, allowed: Allowed) -> int:
    return source.below(_exponent_count(allowed.fmt))


def _side(source: Bytes, allowed: Allowed) -> tuple[int, Interval]:
    sides = allowed.sides
    return sides[source.below(256) % len(sides)]


def _normal(n: int, index: int, sign: int, side: Interval, fmt: Format) -> Fraction:
    """+-1.bbb * 2^e within bounds: if that is outside, with an exponent one less or more, else any number inside."""
    low = max(side.exponents[0], fmt.emin)
    high = max(side.exponents[1], low)
    e = numbered(index, low, high)
    for exponent in (e, e - 1, e + 1):
        value = with_exponent(n, exponent)
        if exponent >= fmt.emin and value in side:  # below emin the format may lack the last bits
            return sign * value
    first, last = exact.encode(side.low, fmt), exact.encode(side.high, fmt)
    return sign * Fraction(exact.decode(first + (n // 2) % (last - first + 1), fmt))


def _subnormal(n: int, index: int, sign: int, side: Interval, fmt: Format) -> Fraction:
    """+-n * 2^q, subnormal: the leading bit of n is dropped if n has p bits."""
    n &= 2 ** (fmt.precision - 1) - 1
    value = n * Fraction(2) ** -numbered(index, n.bit_length() - fmt.emin, -fmt.quantum_exponent_min)
    if value in side:
        return sign * value
    return _normal(n, index, sign, side, fmt)


# --- the classes ----------------------------------------------------------------------------------------------------


def _finite(source: Bytes, allowed: Allowed, n: int) -> Number:
    fmt, index = allowed.fmt, _exponent_number(source, allowed)
    sign, side = _side(source, allowed)
    if index == _exponent_count(fmt) - 1 and side.low < fmt.min_normal:
        return _subnormal(n, n // 2, sign, side, fmt)
    return _normal(n, index, sign, side, fmt)


def _odd_significand(source: Bytes, allowed: Allowed) -> int:
    return 2 * source.below(2 ** (allowed.fmt.precision - 1)) + 1


def _draw_any(source: Bytes, allowed: Allowed) -> Number:
    """Any finite number except zero."""
    return _finite(source, allowed, _odd_significand(source, allowed))


def _draw_power(source: Bytes, allowed: Allowed) -> Number:
    """A power of two, or a neighbour of one."""
    p = allowed.fmt.precision
    return _finite(source, allowed, (1, 1, 2 ** (p - 1) + 1, 2**p - 1)[_odd_significand(source, allowed) // 2 % 4])


def _draw_subnormal(source: Bytes, allowed: Allowed) -> Number:
    n, index = _odd_significand(source, allowed), _exponent_number(source, allowed)
    sign, side = _side(source, allowed)
    return _subnormal(n, index, sign, side, allowed.fmt)


def _draw_edge(source: Bytes, allowed: Allowed) -> Number:
    """An end of a range: the largest magnitude, the smallest, min_normal, or the largest subnormal."""
    fmt, which = allowed.fmt, _odd_significand(source, allowed) // 2 % 4
    _exponent_number(source, allowed)
    sign, side = _side(source, allowed)
    normal, quantum = Fraction(fmt.min_normal), Fraction(fmt.min_subnormal)
    value = (side.high, side.low, normal, normal - quantum)[which]
    return sign * (value if value in side else side.high)


def _draw_zero(source: Bytes, allowed: Allowed) -> Number:
    _odd_significand(source, allowed), _exponent_number(source, allowed)
    # Hypothesis always tries +0 first, so three of four draws of a zero are -0.
    return allowed.zeros[0 if source.below(256) < 64 else -1]


def _draw_infinity(source: Bytes, allowed: Allowed) -> Number:
    _odd_significand(source, allowed), _exponent_number(source, allowed)
    return allowed.infinities[source.below(256) % len(allowed.infinities)]


def _draw_nan(source: Bytes, allowed: Allowed) -> Number:
    """The usual quiet NaN first, then other trailing significands and signs."""
    fmt, k = allowed.fmt, _odd_significand(source, allowed) // 2
    _exponent_number(source, allowed)
    usual, t = exact.encode(exact.NAN, fmt), fmt.trailing_bits
    if fmt.has_payloads:
        trailing = (2 ** (t - 1) + k) % 2**t
        usual = (usual >> t << t) | (trailing or 2**t - 1)
    return float(decode(usual | source.below(2) * fmt.sign_bit, fmt)) if fmt.fits_in(BINARY64) else exact.NAN


Reader: TypeAlias = Callable[[Bytes, Allowed], Number]

CLASSES: dict[str, tuple[int, Reader]] = {
    "zero": (200, _draw_zero),
    "power": (1900, _draw_power),
    "any": (0, _draw_any),
    "subnormal": (1100, _draw_subnormal),
    "edge": (256, _draw_edge),
    "infinity": (1100, _draw_infinity),
    "nan": (1250, _draw_nan),
}
"""The simplest class first: how many of 65,536 draws it gets ("any" gets all that are left), and its reader."""


def classes(allowed: Allowed) -> list[tuple[int, Reader]]:
    """The allowed classes in order; an integer of [0, 2^16) chooses the first class whose bound is above it."""
    finite = bool(allowed.sides)
    present = {
        "zero": bool(allowed.zeros),
        "power": finite,
        "any": finite,
        "subnormal": allowed.subnormals,
        "edge": finite,
        "infinity": bool(allowed.infinities),
        "nan": allowed.nan,
    }
    draws = {name: count for name, (count, _) in CLASSES.items() if present[name]}
    draws["any" if finite else next(iter(draws))] += 2**16 - sum(draws.values())
    return [(bound, CLASSES[name][1]) for name, bound in zip(draws, accumulate(draws.values()), strict=True)]


def size(fmt: Format) -> int:
    """How many bytes a number of a format is read from: class, significand, exponent, sign."""
    return 2 + bytes_for(2 ** (fmt.precision - 1)) + bytes_for(_exponent_count(fmt)) + 1


def numbers(allowed: Allowed) -> st.SearchStrategy[Number]:
    """The allowed numbers of a format."""
    table = classes(allowed)

    def read(data: bytes) -> Number:
        source = Bytes(data)
        kind = source.below(2**16)
        return next(reader for bound, reader in table if kind < bound)(source, allowed)

    count = size(allowed.fmt)
    return st.binary(min_size=count, max_size=count).map(read)


def below(count: int) -> st.SearchStrategy[int]:
    """Integers of [0, count), drawn evenly."""
    size = bytes_for(count)
    return st.binary(min_size=size, max_size=size).map(lambda data: int.from_bytes(data, "big") % count)
