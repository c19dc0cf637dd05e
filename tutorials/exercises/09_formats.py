"""Exercises of lesson 9: formats. Write the functions, then run: fp16sim grade exercises/09_formats.py

Lift, round to an integer, put back: the function of lesson 2 with other numbers. Without fs.round_to.
"""

TASKS = {
    "facts": [
        ((16, 11), (15, 65504.0, 2.0**-14, 2.0**-24)),
        ((16, 8), (127, 2.0**128 - 2.0**120, 2.0**-126, 2.0**-133)),
        ((32, 24), (127, 2.0**128 - 2.0**104, 2.0**-126, 2.0**-149)),
        ((8, 3), (15, 57344.0, 2.0**-14, 2.0**-16)),
        ((8, 4), (7, 240.0, 2.0**-6, 2.0**-9)),
        ((6, 3), (3, 14.0, 0.25, 0.0625)),
        ((5, 3), (1, 3.5, 1.0, 0.25)),
    ],
    "to_bfloat16": ("rounding", "bfloat16", "ties_to_even"),
    "to_e4m3fn": ("rounding", "e4m3fn", "ties_to_even"),
    "block_scale": [
        (([0.05, -0.04], 6.0), 64.0),
        (([3.0, 1.0], 6.0), 2.0),
        (([6.0], 6.0), 1.0),
        (([6.5], 6.0), 0.5),
        (([0.1, -100.0], 448.0), 4.0),
        (([2.0**-40], 6.0), 2.0**42),
        (([0.0, 0.0], 6.0), 1.0),
        (([0.0, 1e6], 448.0), 2.0**-12),
    ],
}


def facts(width, precision):
    """The tuple (bias, largest number, smallest normal, smallest subnormal) of an IEEE format with those bits.

    The bias is an int, the others are floats. As in binary16, the last exponent is for infinities and NaN.
    """
    raise NotImplementedError


def to_bfloat16(x):
    """The number of bfloat16 nearest to the float x (a binary64 number), ties to even, rounded once."""
    raise NotImplementedError


def to_e4m3fn(x):
    """The number of e4m3fn nearest to the float x, ties to even: the largest is 448, the quantum below 2^-6 is 2^-9.

    The format has no infinity: what would round to 480 or more is NaN, and so is an infinite x.
    """
    raise NotImplementedError


def block_scale(values, top):
    """The largest power of two s, a float, for which no |value * s| is above top; 1.0 if all values are 0."""
    raise NotImplementedError
