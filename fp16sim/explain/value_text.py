"""Exact values as text: in full for programs, shortened for people, with "..." where digits are left out."""

from __future__ import annotations

import math
from fractions import Fraction

from ..exact import Value, exponent_of

LONGEST = 60
"""An exact decimal with more characters than this is written as n*2^q, which is shorter and as exact."""
MOST_DIGITS = 1200
"""`fs.parse` reads up to this many digits, so no number with more is written in full."""


def is_dyadic(x: Fraction) -> bool:
    """Whether the denominator is a power of two, so that the decimal digits end."""
    return x.denominator & (x.denominator - 1) == 0


def is_long(x: Fraction, digits: int = MOST_DIGITS) -> bool:
    """Whether it has more decimal digits than that: a digit is 3.3 bits, and a binary place needs a decimal place."""
    places = x.denominator.bit_length() if is_dyadic(x) else x.denominator.bit_length() * 10 // 33
    return x.numerator.bit_length() * 10 // 33 + places > digits


def exact_text(value: Value) -> str:
    """A text that `fs.parse` reads back as the same value: decimal if that is short, else n*2^q or p/q.

    A number that needs more than 1,200 digits is shortened to its leading digits and "...".

    >>> [exact_text(x) for x in (Fraction(1, 3), Fraction(819, 8192), Fraction(1, 2**1074), -0.0)]
    ['1/3', '0.0999755859375', '1*2^-1074', '-0']
    """
    if isinstance(value, float):
        return "nan" if math.isnan(value) else "-0" if value == 0 else str(value)
    if is_dyadic(value):
        text = "" if is_long(value, LONGEST + 20) else decimal_text(value)
        if 0 < len(text) <= LONGEST:
            return text
        return power_text(value, "*") if _odd_part(value).bit_length() < 3 * MOST_DIGITS else short_text(value, LONGEST)
    return short_text(value, LONGEST) if is_long(value) else str(value)


def _odd_part(value: Fraction) -> int:
    return value.numerator // max(1, value.numerator & -value.numerator)


def decimal_text(value: Fraction) -> str:
    """All decimal digits of a dyadic number: n / 2^k = n 5^k / 10^k has as many decimal places as binary places."""
    places = value.denominator.bit_length() - 1
    digits = str(abs(value.numerator) * 5**places).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def power_text(value: Fraction, times: str = " × ") -> str:
    """A dyadic number as n × 2^q with n odd."""
    if value == 0:
        return "0"
    n, q = value.numerator, 1 - value.denominator.bit_length()
    zeros = (n & -n).bit_length() - 1
    return f"{n >> zeros}{times}2^{q + zeros}"


def scientific_text(value: Fraction, digits: int) -> tuple[str, bool]:
    """The first significant digits of a value, not rounded, and whether they are all of them."""
    sign, magnitude = "-" if value < 0 else "", abs(value)
    e = math.floor(exponent_of(magnitude) * math.log10(2))
    while Fraction(10) ** (e + 1) <= magnitude:
        e += 1
    unit = Fraction(10) ** (e + 1 - digits)
    whole = magnitude // unit
    shown = str(whole)
    if -5 < e < digits:
        text = "0." + "0" * (-e - 1) + shown if e < 0 else f"{shown[: e + 1]}.{shown[e + 1 :]}"
        return sign + (text.rstrip("0").rstrip(".") if whole * unit == magnitude else text), whole * unit == magnitude
    tail = shown[1:].rstrip("0") if whole * unit == magnitude else shown[1:]
    return f"{sign}{shown[0]}{'.' if tail else ''}{tail}e{e:+03d}", whole * unit == magnitude


def short_text(value: Value, width: int = 26) -> str:
    """A value for people: exact if that fits in `width` characters, else the leading digits and "...".

    >>> [short_text(x) for x in (Fraction(1, 3), Fraction(1, 2**24), Fraction(1, 2**60), -0.0)]
    ['1/3', '5.9604644775390625e-08', '8.67361737988403547...e-19', '-0']
    """
    if isinstance(value, float):
        return exact_text(value)
    text = ""
    if not is_long(value, 3 * width):
        whole = value.denominator == 1 or not is_dyadic(value)
        text = str(value) if whole else decimal_text(value) if abs(value) >= Fraction(1, 100000) else ""
    if text and len(text) <= width:
        return text
    text, complete = scientific_text(value, max(4, width - 8))
    if complete:
        return text
    digits, e, exponent = text.partition("e")
    return f"{digits}...{e}{exponent}"


def rough_text(value: Fraction) -> str:
    """A magnitude rounded to three digits, enough for an error.

    >>> rough_text(Fraction(1, 3)), rough_text(Fraction(10**400) / 7)
    ('3.33e-01', '1.43e+399')
    """
    e = math.floor(exponent_of(value) * math.log10(2))
    while Fraction(10) ** (e + 1) <= value:
        e += 1
    n = round(value / Fraction(10) ** (e - 2))
    if n == 1000:
        n, e = 100, e + 1
    return f"{n // 100}.{n % 100:02d}e{e:+03d}"


def ulps_text(part: Fraction) -> str:
    """A distance in ulp, or a probability: a simple fraction, a small difference from 1/2 or 1, or leading digits.

    >>> [ulps_text(x) for x in (Fraction(2, 5), Fraction(1, 2) + Fraction(1, 2**25), 1 - Fraction(1, 2**53))]
    ['2/5', '1/2 + 2.980...e-08', '1 - 1.110...e-16']
    """
    text = "" if is_long(part, 40) else str(part)
    if 0 < len(text) <= 9:
        return text
    for near in (Fraction(1, 2), Fraction(1)):
        gap = part - near
        if 0 < abs(gap) < Fraction(1, 1000):
            return f"{near} {'+' if gap > 0 else '-'} {short_text(abs(gap), 12)}"
    return short_text(part, 14)


def two_to_the(q: int) -> str:
    """2^q for people: small integers in decimal.

    >>> two_to_the(0), two_to_the(3), two_to_the(-14), two_to_the(120)
    ('1', '8', '2^-14', '2^120')
    """
    return str(2**q) if 0 <= q <= 5 else f"2^{q}"


def binary_text(n: int, places: int) -> str:
    """n / 2^places in binary, with at least one digit before the point.

    >>> binary_text(0b10011, 3), binary_text(1, 4)
    ('10.011', '0.0001')
    """
    digits = f"{n:b}".rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
