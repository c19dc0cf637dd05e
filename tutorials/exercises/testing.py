"""Exercises of the lesson "Testing numerics". Write the functions, then run: fp16sim grade exercises/testing.py"""

TASKS = {
    "check_rounder": "tests",
    "check_truncation": ("tests", "bfloat16", "toward_zero"),
    "shrink": "shrink",
}


def check_rounder(rounder):
    """Raise AssertionError if rounder(x) is not x rounded to binary16, to nearest, ties to even, for some x.

    Return (anything) if rounder is right. It takes a float, or an array of floats, infinities and NaN among them.
    """
    raise NotImplementedError


def check_truncation(rounder):
    """Raise AssertionError if rounder(x) is not x rounded to bfloat16 toward zero, for some x."""
    raise NotImplementedError


def shrink(values, limit):
    """A simpler list of integers >= 0 whose sum still exceeds the limit; a list whose sum does not is returned as it is.

    First leave out elements: go from left to right, and drop each without which the sum of the others that are left still
    exceeds the limit. Then lower elements: go from left to right, and replace each by the least integer >= 0 with which the
    sum exceeds the limit. Do not change the list that you were given. shrink([5, 90, 7, 30], 100) is [71, 30].
    """
    raise NotImplementedError
