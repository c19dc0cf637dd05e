"""Codes by definition."""

from __future__ import annotations

import math
from fractions import Fraction

from ..formats import Format, FormatLike, Specials, as_integer, get_format, not_a_code, scaled
from .parsing import INF, NAN, Value
from .values import SIGNALING_NAN, exponent_of, is_finite, is_negative, is_signaling, signed


def encode_held(value: Value, fmt: Format) -> int:
    """The code of a value that `fmt` holds. NaN becomes the quiet NaN of payload 0, a signaling one that of payload 1.

    In a format without signaling NaNs (of one trailing bit, or without infinity) every NaN is quiet.
    """
    top = (2**fmt.exponent_bits - 1) << fmt.trailing_bits
    if isinstance(value, float) and math.isnan(value):
        if not fmt.has_infinity:
            return 2 ** (fmt.width - 1) - 1
        return top | (1 if is_signaling(value) and fmt.trailing_bits > 1 else 1 << (fmt.trailing_bits - 1))
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
    """The value with that code. A NaN keeps of its code only whether it is quiet or signaling.

    >>> decode(0x3555, "binary16")
    Fraction(1365, 4096)
    """
    fmt = get_format(fmt)
    code = as_integer("code", code, "give a code: encode(x, fmt) is the code of a value")
    if not 0 <= code < 2**fmt.width:
        raise ValueError(not_a_code(code, fmt))
    negative, magnitude = divmod(code, 2 ** (fmt.width - 1))
    field, trailing = divmod(magnitude, 2**fmt.trailing_bits)
    if fmt.specials is Specials.IEEE and field == 2**fmt.exponent_bits - 1:
        if not trailing:
            return signed(bool(negative), INF)
        return NAN if trailing >> (fmt.trailing_bits - 1) else SIGNALING_NAN
    if fmt.specials is Specials.NAN and magnitude == 2 ** (fmt.width - 1) - 1:
        return NAN
    significand = trailing + (2**fmt.trailing_bits if field else 0)
    return signed(bool(negative), Fraction(scaled(significand, max(field, 1) - fmt.bias - fmt.trailing_bits)))
