"""Exercises of lesson 4: arithmetic on paper. Write the functions, then run: fp16sim grade exercises/04_arithmetic.py

Fraction(x) is the exact value of a finite float x, and fs.round_to(fraction) rounds it to binary16, once.
"""

TASKS = {
    "shift_right_sticky": [
        ((0b1000, 3), 0b1),
        ((0b1001, 3), 0b1),
        ((0b10000, 3), 0b10),
        ((0b10001, 3), 0b11),
        ((0b10100, 3), 0b11),
        ((0b11000, 3), 0b11),
        ((5, 0), 5),
        ((4, 0), 4),
        ((1, 10), 1),
        ((0, 10), 0),
        ((2**100, 90), 2**10),
        ((2**100 + 1, 90), 2**10 + 1),
    ],
    "shift_right_round": [
        ((8, 3), 1),
        ((11, 3), 1),
        ((12, 3), 2),
        ((13, 3), 2),
        ((4, 3), 0),
        ((5, 3), 1),
        ((20, 3), 2),
        ((21, 3), 3),
        ((28, 3), 4),
        ((7, 0), 7),
        ((1, 1), 0),
        ((3, 1), 2),
        ((1, 10), 0),
        ((0, 5), 0),
        ((2**100 + 2**89, 90), 2**10),
        ((2**100 + 2**89 + 1, 90), 2**10 + 1),
    ],
    "my_add": "add",
    "my_multiply": "multiply",
}


def shift_right_sticky(n, k):
    """The integer n >= 0 shifted right by k >= 0 places; if a 1 was pushed out, the last bit of the result is 1."""
    raise NotImplementedError


def shift_right_round(n, k):
    """n / 2^k rounded to an integer, ties to even, for integers n >= 0 and k >= 0: without any float."""
    raise NotImplementedError


def my_add(a, b):
    """a + b, correctly rounded to binary16, for all values a and b of binary16, also infinities, NaN, and -0."""
    raise NotImplementedError


def my_multiply(a, b):
    """a * b, correctly rounded to binary16, for all values a and b of binary16, also infinities, NaN, and -0."""
    raise NotImplementedError
