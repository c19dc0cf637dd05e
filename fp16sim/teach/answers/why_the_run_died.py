"""Why the run died: puzzles, hints, and worked solutions."""

import math

import numpy as np

import fp16sim as fs

from ... import exact
from ...codes import all_values
from ..grading.puzzles import Puzzle


def _positive_numbers():
    """All positive finite numbers of binary16, every fourth one and those around 2^-12.5, the simplest first."""
    x = np.unique(np.asarray(all_values("binary16")))
    x = x[np.isfinite(x) & (x > 0)]
    edge = np.abs(x - 2.0**-12.5) < 2.0**-18
    return [1.0, 0.5, 2.0**-12, 2.0**-13, *x[edge | (np.arange(x.size) % 4 == 0)].tolist()]


def _below_one():
    """Numbers from 0.5 to 1, for 2 to 24 digits: the last one below 1, the middle above it, and their neighbours."""
    for p in (8, 11, 24, 2, 4, 3, 5, 16):
        ulp = 2.0**-p
        for x in (1.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - ulp, 1 - ulp / 2, 1 - ulp / 4, 1 - 3 * ulp / 4):
            for y in (x, math.nextafter(x, 0), math.nextafter(x, 1)):
                if 0.5 <= y <= 1:
                    yield y, p


PUZZLES = {
    "square_vanishes": Puzzle(
        "f(g)",
        "whether g * g, rounded to binary16, is 0, for a positive number g of binary16: True or False",
        "numbers",
        _positive_numbers,
        lambda g: exact.multiply(g, g, "binary16") == 0,
        [(1.0, False), (2.0**-12, False), (2.0**-13, True), (2.0**-24, True), (0.0001, True)],
    ),
    "rounds_to_one": Puzzle(
        "f(x, p)",
        "whether a float x from 0.5 up to 1 becomes 1 when it is rounded to p digits: True or False",
        "numbers",
        _below_one,
        lambda x, p: exact.round_to(x, fs.Format("short", width=p + 8, precision=p)) == 1,
        [((1.0, 8), True), ((0.5, 8), False), ((0.999, 8), True), ((0.999, 11), False), ((0.9375, 4), False)],
    ),
}

HINTS = {
    "square_vanishes": (
        "Which is the smallest positive number of binary16, and what is exactly half of it?",
        "The exact square becomes 0 if it is at most half of the smallest number: at most 2^-25. Python squares a "
        "number of binary16 exactly.",
        "Compare g * g, computed by Python, with 2.0**-25; the tie itself becomes 0, too.",
    ),
    "rounds_to_one": (
        "Which number with p digits comes just before 1, and what lies in the middle between the two?",
        "The last number below 1 is 1 - 2^-p, so the middle is 1 - 2^-(p + 1). It is a tie, and 1 is the even "
        "neighbour.",
        "Compare x with 1 minus 2.0 to the power -(p + 1); the middle itself becomes 1.",
    ),
    "first_not_finite": (
        "Which function of `math` says of one float whether it is finite? In which order must you look?",
        "Two loops: over the pairs in their order, and inside over the numbers of one list with `enumerate`. The "
        "first number that is not finite ends both.",
        "for name, numbers in tensors: for index, x in enumerate(numbers): if not math.isfinite(x), return the pair. "
        "After both loops nothing was found: return ("
        ", -1).",
    ),
    "first_second_moment": (
        "Is 0.999 a number of binary16? What is 1 minus what is held instead?",
        'beta2 is rounded first: fs.round_to(0.999, "binary16"). Then come three operations, each rounded: 1 - beta2, '
        "g * g, and the product of both.",
        'fs.multiply of the two parts: fs.subtract(1.0, fs.round_to(0.999, "binary16")), and fs.multiply(g, g).',
    ),
    "survives": (
        "What is 0 divided by 0, and when is epsilon 0 in binary16?",
        "Round epsilon to binary16: if it is 0 there, the quotient is 0 / 0, which is NaN. Else it is 0, a number.",
        'Compare fs.round_to(epsilon, "binary16") with 0, and make the result a bool.',
    ),
}


def square_vanishes(g):
    """g has 11 digits, so Python's g * g is exact. It becomes 0 if it is at most half of 2^-24, the smallest number.

    The tie, exactly 2^-25, would go to the even neighbour, which is 0. In g the edge is 2^-12.5: the square has only
    half as many exponents for g as g itself.
    """
    return g * g <= 2.0**-25


def rounds_to_one(x, p):
    """Below 1 the ulp is 2^-p. What is in the upper half of the last gap goes up to 1, and so does the middle.

    The middle is a tie, and the last bit of 1 is 0, so 1 is even. In bfloat16, p = 8: all from 0.998046875 on.
    """
    return x >= 1 - 2.0 ** -(p + 1)


def first_not_finite(tensors):
    """The order of the list is the order of computing, so the first number found is the one where it began.

    Later tensors have infinities and NaN as well: they were computed from it, and say nothing new.
    """
    for name, numbers in tensors:
        for index, x in enumerate(numbers):
            if not math.isfinite(x):
                return name, index
    return "", -1


def first_second_moment(g):
    """0.999 rounds to 0.99902..., so that 1 - beta2 is 2^-10 and not 0.001: the error of the constant is two percent.

    For a small gradient g * g underflows before it is scaled, and v is 0: then Adam divides by epsilon alone. For a
    gradient of 256 or more g * g overflows.
    """
    return fs.multiply(fs.subtract(1.0, fs.round_to(0.999, "binary16")), fs.multiply(g, g))


def survives(epsilon):
    """The smallest number of binary16 is 2^-24, about 6e-8, and all up to half of that rounds to 0.

    Adam's usual epsilon, 1e-8, is such a number. Where a gradient has always been 0, the quotient is then 0 / 0, and
    one NaN weight makes all of the network NaN.
    """
    return bool(fs.round_to(epsilon, "binary16") != 0)
