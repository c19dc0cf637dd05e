"""Exercises of the lesson "At the edges". Write the functions, then run: fp16sim grade exercises/edges.py

fs.encode(x) is the code of x in binary16, fs.decode(code) the value of a code; both may be used.
"""

import fp16sim as fs

TASKS = {
    "same": "same",
    "my_next_up": "next_up",
    "my_ulp": "ulp",
    "mean": "mean",
}


def same(a, b):
    """True if the floats a and b are the same in every respect, else False.

    A NaN is the same as a NaN; +0 and -0 are not the same.
    """
    raise NotImplementedError


def my_next_up(x):
    """The least value of binary16 that is greater than x, itself a value of binary16.

    From -2^-24 to -0.0, from either zero to 2^-24, from 65504 to infinity, from -infinity to -65504; infinity and NaN
    stay as they are.
    """
    raise NotImplementedError


def my_ulp(x):
    """The distance of the numbers of binary16 in the binade of x, a value of binary16.

    2^-24 for zeros and subnormal numbers, infinity for an infinity of either sign, NaN for NaN.
    """
    raise NotImplementedError


def mean(a, b):
    """(a + b) / 2 of finite Python floats, without overflow and without loss among the smallest numbers.

    The mean of the largest float, 1.7976931348623157e308, with itself is that float; so it is for the smallest, 5e-324.
    """
    raise NotImplementedError
