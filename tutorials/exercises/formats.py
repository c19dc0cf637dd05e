"""Exercises of the lesson "Formats". Write the functions, then run: fp16sim grade exercises/formats.py

The last one is the function of the lesson "Rounding" with other numbers. Write it without fs.round_to.
"""

import fp16sim as fs

TASKS = {
    "facts": "facts",
    "block_scale": "block_scale",
    "to_e4m3fn": ("rounding", "e4m3fn", "ties_to_even"),
}


def facts(width, precision):
    """The tuple (bias, largest number, smallest normal, smallest subnormal) of an IEEE format with those bits.

    The bias is an int, the others are floats. As in binary16, the last exponent is for infinities and NaN. facts(6, 3) is
    (3, 14.0, 0.25, 0.0625).
    """
    raise NotImplementedError


def block_scale(values, top):
    """The largest power of two s, a float, for which no |value * s| is above top; 1.0 if all values are 0.

    block_scale([0.05, -0.04], 6.0) is 64.0, and block_scale([6.5], 6.0) is 0.5.
    """
    raise NotImplementedError


def to_e4m3fn(x):
    """The number of e4m3fn nearest to the float x, ties to even: the largest is 448, the quantum below 2^-6 is 2^-9.

    The format has no infinity: what would round to 480 or more is NaN, and so is an infinite x.
    """
    raise NotImplementedError
