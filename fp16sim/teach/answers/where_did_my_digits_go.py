"""Where did my digits go?: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

import numpy as np

import fp16sim as fs

from ... import exact
from ...codes import all_values
from ..grading.puzzles import Puzzle


def _positive(seed, columns):
    """Numbers of binary16 between 1/16 and 16."""
    values = np.asarray(all_values("binary16"))
    values = values[(values > 2.0**-4) & (values < 16)]
    return np.random.default_rng(seed).choice(values, (800, columns))


def _pairs():
    simple = [(1.5, 1.0), (1.0, 0.5), (4.0, 0.25), (1.0009765625, 1.0), (1.0, 1.0009765625), (2.0, 1.9990234375)]
    close = [(float(x), float(x + fs.ulp(x) * k)) for k, x in enumerate(_positive(5, 1)[:40, 0], 1)]
    return simple + close + [(float(a), float(b)) for a, b in _positive(6, 2) if a != b]


def _cancelled(a, b):
    return exact.exponent_of(Fraction(max(a, b))) - exact.exponent_of(abs(Fraction(a) - Fraction(b)))


def _results():
    simple = [(1.0, 1.0), (1.0, 1.5), (1.0, 1.00048828125), (1.0009765625, 1.0), (0.0, 1.0), (-2.0, 2.0), (100.0, 6.0)]
    off = 1 + np.random.default_rng(7).normal(size=400) * 2.0 ** np.arange(-13, 3).repeat(25)
    return simple + [(float(x * f), float(x)) for x, f in zip(_positive(8, 1)[:400, 0], off, strict=True)]


def _wrong(computed, truth):
    error, size = abs(Fraction(computed) - Fraction(truth)), abs(Fraction(truth))
    return next((k for k in range(11) if error <= Fraction(2) ** (k - 11) * size), 11)


PUZZLES = {
    "cancelled_bits": Puzzle(
        "f(a, b)",
        "how many leading bits of the larger one cancel in a - b",
        "pairs",
        _pairs,
        _cancelled,
        [((1.5, 1.0), 1), ((4.0, 0.25), 1), ((1.5, 0.25), 0), ((1.0009765625, 1.0), 10), ((2.0, 1.9990234375), 11)],
    ),
    "wrong_bits": Puzzle(
        "f(computed, truth)",
        "how many of the 11 bits of binary16 are wrong",
        "results",
        _results,
        _wrong,
        [((1.0, 1.0), 0), ((1.0, 1.00048828125), 0), ((1.0009765625, 1.0), 1), ((1.0, 1.5), 10), ((0.0, 1.0), 11)],
    ),
}

HINTS = {
    "cancelled_bits": (
        "Where is the leading bit of the larger number, and where is that of the difference?",
        "math.frexp(x)[1] tells the place of the leading bit of x. Subtract two of them.",
        "math.frexp(max(a, b))[1] minus math.frexp of the absolute difference, [1].",
    ),
    "wrong_bits": (
        "A rounded number is off by up to 2^-11 of itself, and no bit is wrong. Which error is one bit worse?",
        "Each wrong bit doubles the error. From k = 0, count while the error is above 2^(k - 11) of the truth.",
        "while k < 11 and the error > 2.0 ** (k - 11) * abs(truth): add 1 to k.",
    ),
    "first_difference": (
        "For which numbers does == say the wrong thing here?",
        "NaN == NaN is false, and 0.0 == -0.0 is true. Look at the signs, and ask math.isnan.",
        "Go through zip(a, b) with an index. Two numbers are the same if both are NaN, or if they are equal and "
        "math.copysign(1, x) is too. After the loop: -1 if the lengths are the same, else the shorter length.",
    ),
    "scaled_rms": (
        "Which number is 1 after the division by the largest magnitude, and how large can a square be then?",
        "m = max of the magnitudes. If it is 0, return 0.0 before you divide. The sum begins with the first square.",
        "squares = [fs.multiply(q, q) for each q = fs.divide(x, m)]; add them with fs.add; then "
        "fs.multiply(fs.sqrt(fs.divide(total, len(values))), m).",
    ),
}


def cancelled_bits(a, b):
    """The leading bits of a and b are the same, and are gone in a - b. What is left begins further to the right.

    frexp gives the place of the leading bit. The difference of two places is the number of bits that cancelled.
    """
    return math.frexp(max(a, b))[1] - math.frexp(abs(a - b))[1]


def wrong_bits(computed, truth):
    """With no wrong bit the relative error is at most 2^-11, and each wrong bit allows twice as much."""
    k = 0
    while k < 11 and abs(computed - truth) > 2.0 ** (k - 11) * abs(truth):
        k += 1
    return k


def first_difference(a, b):
    """Two floats are the same here if both are NaN, or if they are equal and have the same sign.

    The sign matters for the zeros alone: 0.0 == -0.0, and copysign tells them apart.
    """
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        both_nan = math.isnan(x) and math.isnan(y)
        if not both_nan and (x != y or math.copysign(1, x) != math.copysign(1, y)):
            return i
    return -1 if len(a) == len(b) else min(len(a), len(b))


def scaled_rms(values):
    """After the division the largest magnitude is 1, so no square is above 1, and the sum is at most the length.

    The root is at most 1 too, up to rounding. Multiplied by m, it is about m at most: nothing overflows on the way.
    """
    m = max(abs(x) for x in values)
    if m == 0:
        return 0.0
    scaled = [fs.divide(x, m) for x in values]
    total = fs.multiply(scaled[0], scaled[0])
    for q in scaled[1:]:
        total = fs.add(total, fs.multiply(q, q))
    return float(fs.multiply(fs.sqrt(fs.divide(total, len(values))), m))
