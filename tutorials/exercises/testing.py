"""Exercises of the lesson "Testing numerics". Write the functions, then run: fp16sim grade exercises/testing.py"""

import fp16sim as fs

TASKS = {
    "check_rounder": "tests",
    "check_truncation": ("tests", "bfloat16", "toward_zero"),
}


def check_rounder(rounder):
    """Raise AssertionError if rounder(x) is not x rounded to binary16, to nearest, ties to even, for some x.

    Return (anything) if rounder is right. It takes a float, or an array of floats, infinities and NaN among them.
    """
    raise NotImplementedError


def check_truncation(rounder):
    """Raise AssertionError if rounder(x) is not x rounded to bfloat16 toward zero, for some x."""
    raise NotImplementedError
