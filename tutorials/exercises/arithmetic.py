"""Exercises of the lesson "Arithmetic on paper". Write the functions, then run: fp16sim grade exercises/arithmetic.py

Fraction(x) is the exact value of a finite float x, and fs.round_to(fraction) rounds it to binary16, once.
"""

import math
from fractions import Fraction

import fp16sim as fs

TASKS = {
    "shift_right_round": "shift_right_round",
    "my_add": "add",
    "my_multiply": "multiply",
}


def shift_right_round(n, k):
    """n / 2^k rounded to an integer, ties to even, for integers n >= 0 and k >= 0: without any float.

    shift_right_round(12, 3) is 2, shift_right_round(20, 3) is 2, and shift_right_round(21, 3) is 3.
    """
    raise NotImplementedError


def my_add(a, b):
    """a + b, correctly rounded to binary16, for all values a and b of binary16, also infinities, NaN, and -0."""
    raise NotImplementedError


def my_multiply(a, b):
    """a * b, correctly rounded to binary16, for all values a and b of binary16, also infinities, NaN, and -0."""
    raise NotImplementedError
