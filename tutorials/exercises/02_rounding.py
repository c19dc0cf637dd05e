"""Exercises of lesson 2: rounding. Write the functions, then run: fp16sim grade exercises/02_rounding.py

Use math.frexp, math.floor, round and powers of two, not fs.round_to. Lift, round to an integer, put back.
"""

TASKS = {
    "ulp_of": [
        ((1.0,), 2.0**-10),
        ((1.5,), 2.0**-10),
        ((-2.0,), 2.0**-9),
        ((0.9999999999999999,), 2.0**-11),
        ((7.999999999999999,), 2.0**-8),
        ((65504.0,), 32.0),
        ((65536.0,), 64.0),
        ((0.1,), 2.0**-14),
        ((2.0**-14,), 2.0**-24),
        ((2.0**-15,), 2.0**-24),
        ((2.0**-30,), 2.0**-24),
        ((0.0,), 2.0**-24),
    ],
    "round_to_half": ("rounding", "binary16", "ties_to_even"),
    "round_up_half": ("rounding", "binary16", "toward_positive"),
    "truncate_to_bf16": ("rounding", "bfloat16", "toward_zero"),
}


def ulp_of(x):
    """The distance of the numbers of binary16 in the binade of the finite float x, as if exponents had no upper end.

    2^(e - 10), where 2^e <= |x| < 2^(e + 1), and e = -14 for all smaller x, 0 among them.
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
