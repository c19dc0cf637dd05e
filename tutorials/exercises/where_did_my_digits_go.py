"""Exercises of the lesson "Where did my digits go?". Write the functions, then run:
fp16sim grade exercises/where_did_my_digits_go.py

fs.add(a, b), fs.multiply(a, b), fs.divide(a, b) and fs.sqrt(x) round once each to binary16.
"""

import math

import fp16sim as fs

TASKS = {
    "first_difference": "first_difference",
    "scaled_rms": "scaled_rms",
}


def first_difference(a, b):
    """The index of the first place where two lists of floats differ, or -1 if they are the same all along.

    NaN is the same as NaN, and 0.0 differs from -0.0. If one list is the beginning of the other, the first difference
    is where the shorter one ends. first_difference([1.0, 2.0, 3.0], [1.0, 2.5, 3.0]) is 1.
    """
    raise NotImplementedError


def scaled_rms(values):
    """The root mean square of a list of numbers of binary16, computed so that no square overflows.

    Divide each number by the largest magnitude m, square it, add the squares from left to right, divide by their
    number, take the root, multiply by m: each step is rounded to binary16. If all are 0, the answer is 0.0.
    scaled_rms([300.0, -300.0]) is 300.0.
    """
    raise NotImplementedError
