"""Exercises of the lesson "Rounding twice". Write the functions, then run: fp16sim grade exercises/rounding_twice.py

Fraction("0.1") and Fraction(0.5) are exact, and fs.round_to(fraction) rounds to binary16, once.
"""

from fractions import Fraction

import fp16sim as fs

TASKS = {
    "my_parse": "parse",
    "to_odd_float32": ("rounding", "binary32", "to_odd"),
    "my_fma": "fma",
}


def my_parse(text):
    """The number that a decimal text stands for, rounded once to binary16; also "inf", "-inf", "nan", "0" and "-0"."""
    raise NotImplementedError


def to_odd_float32(x):
    """The float x if float32 has it, else that one of its two neighbours in float32 whose last bit is 1.

    Beyond the largest float32 that is the largest float32; infinities and NaN stay as they are, zeros keep their sign.
    """
    raise NotImplementedError


def my_fma(a, b, c):
    """a * b + c rounded once to binary16, for all values of binary16, also infinities, NaN and -0."""
    raise NotImplementedError
