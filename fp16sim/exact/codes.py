"""Codes by definition."""

from __future__ import annotations

import math
from fractions import Fraction

from ..formats import Format, FormatLike, as_integer, get_format, not_a_code, scaled
from .parsing import INF, NAN, Value
from .values import SIGNALING_NAN, exponent_of, is_finite, is_negative, is_signaling, signed


def encode_held(value: Value, fmt: Format) -> int:
    """The code of a value that `fmt` holds. NaN becomes the quiet NaN of payload 0, a signaling one that of payload 1.

    In a format without signaling NaNs (of one trailing bit, or without infinity) every NaN is quiet.
    """
    if isinstance(value, float) and math.isnan(value):
        assert fmt.quiet_nan_code is not None, "a format without NaN holds none"
        signaling = fmt.has_payloads and is_signaling(value) and fmt.trailing_bits > 1
        return fmt.largest_code + 2 if signaling else fmt.quiet_nan_code
    sign = fmt.sign_bit if is_negative(value) else 0
    if not is_finite(value):
        return sign | (fmt.largest_code + 1)
    magnitude = abs(Fraction(value))
    if magnitude == 0:
        return sign
    e = max(exponent_of(magnitude), fmt.emin)
    significand = int(magnitude / Fraction(2) ** (e - fmt.trailing_bits))
    # The implicit bit adds 1 to the exponent field of a normal number, and is absent from a subnormal. Without zero,
    # there are no subnormals, and the smallest normal number has field 0.
    return sign | (((e - fmt.emin - (not fmt.zero)) << fmt.trailing_bits) + significand)


def decode(code: int, fmt: FormatLike = "binary16") -> Value:
    """The value with that code. A NaN keeps of its code only whether it is quiet or signaling.

    >>> decode(0x3555, "binary16")
    Fraction(1365, 4096)
    """
    fmt = get_format(fmt)
    code = as_integer("code", code, "give a code: encode(x, fmt) is the code of a value")
    if not 0 <= code < 2**fmt.width:
        raise ValueError(not_a_code(code, fmt))
    negative, magnitude = bool(code & fmt.sign_bit), code & ~fmt.sign_bit
    if magnitude > fmt.largest_code or (code == fmt.quiet_nan_code and not fmt.has_payloads):
        if fmt.has_infinity and magnitude == fmt.largest_code + 1:
            return signed(negative, INF)
        quiet = not fmt.has_payloads or magnitude >> (fmt.trailing_bits - 1) & 1
        return NAN if quiet else SIGNALING_NAN
    field, trailing = divmod(magnitude, 2**fmt.trailing_bits)
    significand = trailing + (2**fmt.trailing_bits if field or not fmt.zero else 0)
    e = max(field, int(fmt.zero)) - fmt.bias
    return signed(negative, Fraction(scaled(significand, e - fmt.trailing_bits)))
