"""Solutions of the lesson "Rounding"."""

import math


def quantum(x, precision, emin):
    exponent = math.frexp(x)[1] - 1 if x else emin
    return 2.0 ** (max(exponent, emin) - precision + 1)


def ulp_of(x):
    return quantum(x, 11, -14)


def round_to_half(x):
    if not math.isfinite(x):
        return x
    ulp = ulp_of(x)
    y = round(x / ulp) * ulp if abs(x) < 2.0**17 else math.inf
    return math.copysign(math.inf if abs(y) > 65504 else y, x)


def round_up_half(x):
    if not math.isfinite(x):
        return x
    if x > 65504:
        return math.inf
    if x < -65504:
        return -65504.0
    ulp = ulp_of(x)
    return math.copysign(math.ceil(x / ulp) * ulp, x)


def truncate_to_bf16(x):
    if not math.isfinite(x):
        return x
    largest = math.ldexp(2 - 2.0**-7, 127)
    ulp = quantum(x, 8, -126)
    size = largest if abs(x) > largest else math.floor(abs(x) / ulp) * ulp
    return math.copysign(size, x)
