"""Blocks: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

import numpy as np

from ... import exact
from ...blocks import get_block, quantize_block
from ..grading.puzzles import Puzzle


def _largest_magnitudes():
    """Powers of two, what lies beside them, and numbers between: the simplest first."""
    powers = [2.0**k for k in sorted(range(-30, 31), key=abs)]
    beside = [math.nextafter(x, to) for x in powers for to in (0, math.inf)]
    return [*powers, 0.33, 7.0, 3.0, 0.1, 100.0, *beside, *(1.5 * x for x in powers), *(1.75 * x for x in powers)]


def _numbers_of_blocks():
    """(x, amax): around a quarter of the scale, with the tie itself and what lies beside it; of both signs."""
    found = []
    for amax in (4.0, 7.0, 6.0, 100.0, 1.0, 0.33, 3.0, 8.0, math.nextafter(8.0, 0), 0.07, 1000.0):
        quarter = math.ldexp(1.0, math.frexp(amax)[1] - 5)
        sizes = [quarter, math.nextafter(quarter, 1e9), math.nextafter(quarter, 0), quarter / 2, 1.5 * quarter]
        sizes += [2 * quarter, 3 * quarter, 0.01 * amax, amax]
        found += [(sign * x, amax) for x in sizes for sign in (1.0, -1.0)]
    return [(0.0, 1.0), (-0.0, 5.0), *found]


def _becomes_zero(x, amax):
    numbers = [exact.as_exact(x), Fraction(amax)]
    return quantize_block(numbers, get_block("mxfp4")).elements[0] == 0


PUZZLES = {
    "scale_exponent": Puzzle(
        "f(amax)",
        "the exponent e of the scale 2^e of an MXFP4 block, by the rule floor, for a float amax > 0",
        "numbers",
        _largest_magnitudes,
        lambda amax: exact.exponent_of(Fraction(amax)) - 2,
        [(0.33, -4), (7.0, 0), (8.0, 1), (1.0, -2), (100.0, 4), (7.999999999999999, 0), (0.25, -4)],
    ),
    "becomes_zero": Puzzle(
        "f(x, amax)",
        "whether x becomes 0 or -0 in an MXFP4 block (rule floor) whose largest magnitude is amax > 0",
        "numbers",
        _numbers_of_blocks,
        _becomes_zero,
        [
            ((0.25, 7.0), True),
            ((0.26, 7.0), False),
            ((-0.25, 4.0), True),
            ((3.0, 100.0), True),
            ((4.0, 100.0), True),
            ((5.0, 100.0), False),
            ((-0.0, 1.0), True),
            ((0.02, 0.33), False),
        ],
    ),
}

HINTS = {
    "scale_exponent": (
        "Which exponent has 0.33, if you write it as a number from 1 to 2 times a power of two? Which has 6?",
        "The exponent of the scale is that of amax, less 2, the exponent of 6. Take it from math.frexp, which reads it "
        "and rounds nothing.",
        "math.frexp(amax)[1] is one more than the exponent of amax, because its fraction is below 1. So subtract 3.",
    ),
    "becomes_zero": (
        "Which elements are next to 0? From which number on is the larger one nearer?",
        "After the division by the scale, the elements are 0 and 0.5, and their middle is 0.25. The tie goes to the "
        "even code, which is that of 0. For the scale, use the puzzle above.",
        "Compare abs(x) with a quarter of 2.0 ** (math.frexp(amax)[1] - 3); the quarter itself becomes 0.",
    ),
    "read_mxfp4": (
        "Which four bits of a byte belong to the first element? What says its highest bit?",
        "byte & 15 is the first code and byte >> 4 the second. code & 7 counts in the list of the elements, and "
        "code & 8 is the sign. The scale is a power of two, whose exponent is 127 less than its code.",
        "Make the list of codes first: for each byte its low four bits, then its high four. With 255 return as many "
        "NaN as there are codes. Else take the element number code & 7, times the scale, and use math.copysign for "
        "the sign, so that code 8 is -0.0.",
    ),
    "quantize_mxfp4": (
        "Take it apart: what do you need to know of a block before you can look at a single element? Which blocks have "
        "no scale to compute?",
        "For each block: NaN or infinity first (255), then zeros (0), then the exponent from math.frexp, kept between "
        "-127 and 127. An element is math.ldexp(x, -e), rounded: between 2 and 4 the elements are 1 apart, below 2 "
        "they are 0.5 apart, above 4 they are 2 apart. `round` takes ties to even.",
        """The code of a number x, already divided by the scale:

            size = min(abs(x), 6.0)
            step = 0.5 if size < 2 else 1.0 if size < 4 else 2.0
            size = round(size / step) * step

        Its place in [0, 0.5, 1, 1.5, 2, 3, 4, 6] is the code; add 8 if math.copysign(1, x) is -1, also for zeros.
        Two codes make a byte: first + 16 * second.""",
    ),
    "quantize_nvfp4": (
        "What changes against MXFP4? Which numbers must you know before you can begin with the first block?",
        "First the tensor scale g, from all blocks of finite numbers. Then for each block amax / 6 / g, rounded to "
        "e4m3fn: 4 digits, exponents from -6, at most 448, at least 2^-9. Elements as before, from x / scale / g.",
        """g is float(np.float32(largest / 2688)), but 1.0 if the largest is 0, and 2.0**-149 if the quotient became 0.
        For the scale of a block:

            e = max(math.frexp(share)[1] - 1, -6)
            n = round(math.ldexp(share, 3 - e))
            scale = min(max(math.ldexp(n, e - 3), 2.0**-9), 448.0)

        Its code: find e again for the scale, which may have gone up; math.ldexp(scale, 3 - e) is an integer from 8 to
        15, or less for subnormals, and the code is that plus 8 * (e + 6).""",
    ),
}

ELEMENTS = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


def scale_exponent(amax):
    """The exponent of amax less that of 6. math.frexp gives a fraction below 1, so that its exponent is one too high.

    floor(log2(amax)) - 2 is wrong for 7.999999999999999: its logarithm is rounded up to 3.
    """
    return math.frexp(amax)[1] - 3


def becomes_zero(x, amax):
    """The middle between the elements 0 and 0.5 is 0.25 of the scale; it is a tie, and goes to 0, the even code."""
    scale = 2.0 ** (math.frexp(amax)[1] - 3)
    return abs(x) <= scale / 4


def read_mxfp4(scale_code, packed):
    """Codes first, then numbers. The product of an element and a power of two is exact, so nothing is rounded.

    math.copysign keeps -0.0, whose code is 8: minus times 0.0 would give it too, but 0.0 * -1 is easy to get wrong.
    """
    codes = [code for byte in packed for code in (byte & 15, byte >> 4)]
    if scale_code == 255:
        return [math.nan] * len(codes)
    scale = 2.0 ** (scale_code - 127)
    return [math.copysign(ELEMENTS[code & 7] * scale, -1 if code & 8 else 1) for code in codes]


def element_code(x):
    """The code of the element nearest to x, which is divided by the scale already; ties to even."""
    size = min(abs(x), 6.0)
    step = 0.5 if size < 2 else 1.0 if size < 4 else 2.0
    code = ELEMENTS.index(round(size / step) * step)
    return code + 8 if math.copysign(1, x) < 0 else code


def pack(codes):
    """Two codes in a byte, the first in its low half."""
    return [first + 16 * second for first, second in zip(codes[::2], codes[1::2], strict=True)]


def quantize_mxfp4(values, size):
    """One block after the other, and for each first the cases that have no scale to compute.

    The largest magnitude is that of the block, not of the list. math.frexp reads its exponent; math.ldexp divides by
    the scale, exactly. In `element_code` only `round` rounds: the number is a multiple of the step of its binade after
    it. Saturating before is the same here as after, because 6 is an element, and what is above 6 can only become 6.
    """
    scales, codes = [], []
    for start in range(0, len(values), size):
        block = values[start : start + size]
        amax = max(map(abs, block))
        if not all(map(math.isfinite, block)):
            scales.append(255)
            codes += [0] * size
        elif amax == 0:
            scales.append(0)
            codes += map(element_code, block)
        else:
            e = min(max(math.frexp(amax)[1] - 3, -127), 127)
            scales.append(e + 127)
            codes += [element_code(math.ldexp(x, -e)) for x in block]
    return scales, pack(codes)


def block_scale_of(share):
    """share rounded to e4m3fn, from 2^-9 to 448, and its code."""
    e = max(math.frexp(share)[1] - 1, -6)
    scale = min(max(math.ldexp(round(math.ldexp(share, 3 - e)), e - 3), 2.0**-9), 448.0)
    e = max(math.frexp(scale)[1] - 1, -6)
    return scale, int(math.ldexp(scale, 3 - e)) + 8 * (e + 6)


def quantize_nvfp4(values, size):
    """Two passes: the tensor scale needs the largest magnitude of all blocks that hold numbers only.

    Each stored number is rounded once: the tensor scale to float32, the block scale to e4m3fn, the elements. The
    quotients between them are floats of 53 bits. That is enough: where the exact quotient is a tie, the float is the
    tie, too, since all numbers in it have few bits. The elements are divided by the scales as they are *stored*.
    """
    blocks = [values[start : start + size] for start in range(0, len(values), size)]
    good = [block for block in blocks if all(map(math.isfinite, block))]
    largest = max((abs(x) for block in good for x in block), default=0.0)
    tensor = float(np.float32(largest / 2688)) or 2.0**-149 if largest else 1.0
    scales, codes = [], []
    for block in blocks:
        amax = max(map(abs, block))
        if block not in good:
            scales.append(127)
            codes += [0] * size
        elif amax == 0:
            scales.append(0)
            codes += map(element_code, block)
        else:
            scale, code = block_scale_of(amax / 6 / tensor)
            scales.append(code)
            codes += [element_code(x / (scale * tensor)) for x in block]
    return tensor, scales, pack(codes)
