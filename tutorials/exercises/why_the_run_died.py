"""Exercises of the lesson "Why the run died".

Write the functions, then run: fp16sim grade exercises/why_the_run_died.py

fs.subtract and fs.multiply(a, b, fmt) round once, ties to even; fs.round_to(x, fmt) gives a constant.
"""

import fp16sim as fs

TASKS = {
    "first_not_finite": "first_not_finite",
    "first_second_moment": "first_second_moment",
    "survives": "survives",
}


def first_not_finite(tensors):
    """The place of the first number that is not finite: a tuple (name, index); ("", -1) if all are finite.

    `tensors` is a list of pairs (name, list of floats), in the order in which they were computed. With inf = math.inf,
    first_not_finite([("sum", [1.0]), ("exp", [0.5, inf])]) is ("exp", 1).
    """
    raise NotImplementedError


def first_second_moment(g):
    """Adam's v after its first step, in binary16: (1 - beta2) * (g * g), where beta2 is 0.999 rounded to binary16.

    Each of the three operations is rounded to binary16. first_second_moment(32.0) is 1.0.
    """
    raise NotImplementedError


def survives(epsilon):
    """Whether 0 / (sqrt(0) + epsilon) is a number in binary16, epsilon rounded to it first: True or False.

    survives(1e-4) is True, and survives(1e-8) is False.
    """
    raise NotImplementedError
