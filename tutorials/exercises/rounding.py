"""Exercises of the lesson "Rounding". Write the functions, then run: fp16sim grade exercises/rounding.py

Use math.frexp, math.floor, round and powers of two, not fs.round_to. Lift, round to an integer, put back.
"""

import math

TASKS = {
    "ulp_of": "ulp_of",
    "round_to_half": ("rounding", "binary16", "ties_to_even"),
    "round_up_half": ("rounding", "binary16", "toward_positive"),
    "truncate_to_bf16": ("rounding", "bfloat16", "toward_zero"),
}


def ulp_of(x):
    """The distance of the numbers of binary16 in the binade of the finite float x, as if exponents had no upper end.

    2^(e - 10), where 2^e <= |x| < 2^(e + 1), and e = -14 for all smaller x, 0 among them. ulp_of(1.5) is 2^-10,
    ulp_of(65536.0) is 64, ulp_of(0.9999999999999999) is 2^-11, and ulp_of(2.0**-30) is 2^-24.
    """
    raise NotImplementedError


def round_to_half(x):
    """The number of binary16 nearest to the float x; of two equally near, the one whose last bit is 0.

    Beyond the largest number, 65504, round as if there were one more binade; what would become 65536 is infinite.
    """
    raise NotImplementedError


def round_up_half(x):
    """The least number of binary16 that is not less than the float x; infinity is a number in this sense."""
    raise NotImplementedError


def truncate_to_bf16(x):
    """The float x cut off to bfloat16: the number nearest to it of those that are not further from zero."""
    raise NotImplementedError
