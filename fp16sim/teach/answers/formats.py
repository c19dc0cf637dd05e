"""Formats: hints, and worked solutions."""

import math

HINTS = {
    "facts": (
        "How many bits has the exponent field? Which of its values are not for ordinary numbers?",
        "There are width - precision exponent bits, w: the bias is 2^(w - 1) - 1. The largest exponent is the bias, "
        "too; the smallest normal one is 1 - bias. The trailing significand has precision - 1 bits.",
        "bias = 2 ** (width - precision - 1) - 1. The largest number is (2 - 2.0 ** (1 - precision)) * 2.0**bias, the "
        "smallest normal one 2.0 ** (1 - bias), and the smallest of all that times 2.0 ** (1 - precision).",
    ),
    "to_bfloat16": (
        "Which three numbers in round_to_half belong to binary16, and what are they in bfloat16?",
        "The digits stored are 7 and not 10, the smallest exponent is -126, and a result of 2^128 or more is infinite. "
        "Beware of 2.0 to a power that a float does not have: math.ldexp(x, n) scales x without it.",
        "e = max(math.frexp(x)[1] - 1, -126). Lift with math.ldexp(x, 7 - e), round, and put back with "
        "math.ldexp(..., e - 7). What is 2.0**128 or more becomes infinite, and the sign comes last.",
    ),
    "to_e4m3fn": (
        "Where does this format end, and what stands where infinity would stand?",
        "The same rounding with 3 stored digits and a smallest exponent of -6. The largest number is 448; the next "
        "step would be 480. What rounds to 480 or more, and infinity, is NaN.",
        "If not abs(x) < 480, return NaN: that covers NaN and infinity, too. Round as in to_bfloat16 with 3 and -6; "
        "if the result has a magnitude of 480, it is NaN.",
    ),
    "block_scale": (
        "Which of the values decides alone?",
        "The largest magnitude. Find a power of two that is surely not too small, and halve it as long as the largest "
        "value times it is above top. Exponents give a good start: math.frexp of both.",
        "largest = max(abs(v) for v in values), and 1.0 if that is 0. Start at "
        "2.0 ** (math.frexp(top)[1] - math.frexp(largest)[1] + 1), and halve while largest times it is above top.",
    ),
}


def facts(width, precision):
    """Two integers fix the whole format.

    One bit is the sign, precision - 1 are stored digits, and what is left, w = width - precision, is the exponent.
    The bias is the middle of its range. The topmost value of the field is for infinity and NaN, so that the largest
    exponent is 2^w - 2 - bias = bias. Its significand is all ones: 2 - 2^(1 - precision). The lowest value, 0, uses
    the exponent of 1: so normal numbers start at 2^(1 - bias), and the smallest number is one unit in their last
    place.
    """
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
    """The rounding of binary16 with other numbers: 7 stored digits, and -126.

    math.ldexp scales by a power of two that need not be a float itself. A number of 2^128 or more is infinite; asking
    before keeps the integers small. One just below may round up to 2^128, so the question is asked again after
    rounding.
    """
    if abs(x) >= 2.0**128:
        return math.copysign(math.inf, x)
    y = _rounded(x, 7, -126)
    return math.copysign(math.inf, x) if abs(y) >= 2.0**128 else y


def to_e4m3fn(x):
    """This format gives the place of infinity to numbers, up to 448, and keeps only the code of all ones, as NaN.

    So overflow has no infinity to go to. `not abs(x) < 480` is also true for NaN, with which every comparison is false.
    464 is the middle between 448 and 480: it is a tie, and goes to 448, whose last bit is 0.
    """
    if not abs(x) < 480:
        return math.nan
    y = _rounded(x, 3, -6)
    return math.nan if abs(y) >= 480 else y


def block_scale(values, top):
    """The largest magnitude decides, because the same factor multiplies all.

    The exponents of top and of the largest value give a power of two that is at most a few steps too large; the loop
    finds the last one that fits. Products with powers of two are exact, so that the comparison is exact, too.
    """
    largest = max(abs(v) for v in values)
    if largest == 0:
        return 1.0
    scale = 2.0 ** (math.frexp(top)[1] - math.frexp(largest)[1] + 1)
    while largest * scale > top:
        scale /= 2
    return scale
