"""Codes by definition."""

from __future__ import annotations

import math
from fractions import Fraction

from ..formats import Format, FormatLike, Specials, get_format, scaled
from .parsing import INF, NAN, Value
from .values import exponent_of, is_finite, is_negative, signed


def encode_held(value: Value, fmt: Format) -> int:
    """The code of a value that `fmt` holds. NaN becomes the quiet NaN of payload 0."""
    top = (2**fmt.exponent_bits - 1) << fmt.trailing_bits
    if isinstance(value, float) and math.isnan(value):
        return top | (1 << (fmt.trailing_bits - 1)) if fmt.has_infinity else 2 ** (fmt.width - 1) - 1
    sign = is_negative(value) << (fmt.width - 1)
    if not is_finite(value):
        return sign | top
    magnitude = abs(Fraction(value))
    if magnitude == 0:
        return sign
    e = max(exponent_of(magnitude), fmt.emin)
    significand = int(magnitude / Fraction(2) ** (e - fmt.trailing_bits))
    # The implicit bit adds 1 to the exponent field of a normal number, and is absent from a subnormal.
    return sign | (((e - fmt.emin) << fmt.trailing_bits) + significand)


def decode(code: int, fmt: FormatLike = "binary16") -> Value:
    """The value with that code.

    >>> decode(0x3555, "binary16")
    Fraction(1365, 4096)
    """
    fmt = get_format(fmt)
    if not 0 <= code < 2**fmt.width:
        raise ValueError(f"code={code} is not a code of {fmt.name}; use 0 to {2**fmt.width - 1}")
    negative, magnitude = divmod(code, 2 ** (fmt.width - 1))
    field, trailing = divmod(magnitude, 2**fmt.trailing_bits)
    if fmt.specials is Specials.IEEE and field == 2**fmt.exponent_bits - 1:
        return NAN if trailing else signed(bool(negative), INF)
    if fmt.specials is Specials.NAN and magnitude == 2 ** (fmt.width - 1) - 1:
        return NAN
    significand = trailing + (2**fmt.trailing_bits if field else 0)
    return signed(bool(negative), Fraction(scaled(significand, max(field, 1) - fmt.bias - fmt.trailing_bits)))
