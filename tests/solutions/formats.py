"""Solutions of the lesson "Formats"."""

import math


def facts(width, precision):
    bias = 2 ** (width - precision - 1) - 1
    largest = (2.0 - 2.0 ** (1 - precision)) * 2.0**bias
    smallest_normal = 2.0 ** (1 - bias)
    return bias, largest, smallest_normal, smallest_normal * 2.0 ** (1 - precision)


def _rounded(x, digits, lowest):
    """x to so many stored digits, with a smallest exponent; of any size."""
    if x == 0 or not math.isfinite(x):
        return x
    exponent = max(math.frexp(x)[1] - 1, lowest)
    lifted = math.ldexp(x, digits - exponent)
    return math.copysign(math.ldexp(round(lifted), exponent - digits), x)


def to_bfloat16(x):
    if abs(x) >= 2.0**128:
        return math.copysign(math.inf, x)
    y = _rounded(x, 7, -126)
    return math.copysign(math.inf, x) if abs(y) >= 2.0**128 else y


def to_e4m3fn(x):
    if not abs(x) < 480:
        return math.nan
    y = _rounded(x, 3, -6)
    return math.nan if abs(y) >= 480 else y


def block_scale(values, top):
    largest = max(abs(v) for v in values)
    if largest == 0:
        return 1.0
    scale = 2.0 ** (math.frexp(top)[1] - math.frexp(largest)[1] + 1)
    while largest * scale > top:
        scale /= 2
    return scale
