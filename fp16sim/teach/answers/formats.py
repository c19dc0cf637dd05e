"""Formats: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

from ...formats import Format
from ..grading.puzzles import Puzzle


def _layouts():
    """(width, precision) of IEEE formats whose largest number is a float: the known ones first."""
    known = [(16, 11), (16, 8), (32, 24), (8, 4), (8, 3)]
    others = [(bits + precision, precision) for bits in range(2, 11) for precision in range(2, 25)]
    return known + [layout for layout in others if layout not in known]


def _largest(width, precision):
    return float(Format("any", width=width, precision=precision).max_finite)


PUZZLES = {
    "largest_number": Puzzle(
        "f(width, precision)",
        "the largest number, a float, of an IEEE format with so many bits",
        "formats",
        _layouts,
        _largest,
        [((16, 11), 65504.0), ((16, 8), 2.0**128 - 2.0**120), ((8, 4), 240.0), ((8, 3), 57344.0), ((6, 3), 14.0)],
    ),
    "bits_each": Puzzle(
        "f(element, scale, block)",
        "the bits for each number, if a block of numbers of `element` bits shares a scale of `scale` bits",
        "blocks",
        lambda: [(e, s, 2**k) for e in (4, 6, 8) for s in (8, 16, 5) for k in range(3, 9)],
        lambda element, scale, block: float(element + Fraction(scale, block)),
        [((4, 8, 32), 4.25), ((4, 8, 16), 4.5), ((8, 8, 32), 8.25), ((6, 16, 8), 8.0), ((4, 8, 8), 5.0)],
    ),
}

HINTS = {
    "largest_number": (
        "How many bits has the exponent field, and how does the lesson get the bias from it?",
        "All bits but the sign and the stored digits are the exponent: width - 1 - (precision - 1) = width - precision "
        "of them. Half of their values are below the bias, about.",
        "The bias is 2 to the power (width - precision - 1), less 1. For binary16 that is 2**4 - 1 = 15.",
    ),
    "bits_each": (
        "How many bits does the whole block need?",
        "The scale is stored once for the block, so each number carries its share of it.",
        "The share is scale divided by block. Add it to the bits of the number itself.",
    ),
    "facts": (
        "How many bits has the exponent field? Which of its values are not for ordinary numbers?",
        "There are width - precision exponent bits, w: the bias is 2^(w - 1) - 1. The largest exponent is the bias, "
        "too; the smallest normal one is 1 - bias. The trailing significand has precision - 1 bits.",
        "bias = 2 ** (width - precision - 1) - 1. The largest number is (2 - 2.0 ** (1 - precision)) * 2.0**bias, the "
        "smallest normal one 2.0 ** (1 - bias), and the smallest of all that times 2.0 ** (1 - precision).",
    ),
    "to_e4m3fn": (
        "Where does this format end, and what stands where infinity would stand?",
        "The same rounding with 3 stored digits and a smallest exponent of -6. The largest number is 448; the next "
        "step would be 480. What rounds to 480 or more, and infinity, is NaN.",
        "If not abs(x) < 480, return NaN: that covers NaN and infinity, too. Round as in round_to_half; the ulp is "
        "2.0 ** (max(math.frexp(x)[1] - 1, -6) - 3); if the result has a magnitude of 480, it is NaN.",
    ),
    "block_scale": (
        "Which of the values decides alone?",
        "The largest magnitude. Find a power of two that is surely not too small, and halve it as long as the largest "
        "value times it is above top. Exponents give a good start: math.frexp of both.",
        "largest = max(abs(v) for v in values), and 1.0 if that is 0. Start at "
        "2.0 ** (math.frexp(top)[1] - math.frexp(largest)[1] + 1), and halve while largest times it is above top.",
    ),
}


def largest_number(width, precision):
    """The exponent field has width - precision bits, and the bias is the middle of its range.

    The largest exponent is the bias too, because the topmost value of the field is for infinity and NaN.
    """
    bias = 2 ** (width - precision - 1) - 1
    return (2 - 2.0 ** (1 - precision)) * 2.0**bias


def bits_each(element, scale, block):
    """Each number has its own bits, and its share of the scale: 4 + 8 / 32 is 4.25 for MXFP4, the usual format."""
    return element + scale / block


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


def to_e4m3fn(x):
    """This format gives the place of infinity to numbers, up to 448, and keeps only the code of all ones, as NaN.

    So overflow has no infinity to go to. `not abs(x) < 480` is also true for NaN, with which every comparison is false.
    464 is the middle between 448 and 480: it is a tie, and goes to 448, whose last bit is 0. The rest is the rounding
    of binary16 with other numbers: 3 stored digits, and a smallest exponent of -6. math.frexp(0.0) gives the exponent
    0, with which 0 stays 0.
    """
    if not abs(x) < 480:
        return math.nan
    ulp = 2.0 ** (max(math.frexp(x)[1] - 1, -6) - 3)
    y = math.copysign(round(x / ulp) * ulp, x)
    return math.nan if abs(y) >= 480 else y
