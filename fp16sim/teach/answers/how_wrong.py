"""How wrong is it: puzzles, hints, and worked solutions."""

import itertools
import math
from fractions import Fraction

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle


def _approximations():
    """(computed, right): neighbours of a number of binary16, numbers further away, and numbers between two others."""
    yield from (
        (1.0, 1.0),
        (2048.0, 2049.0),
        (2052.0, 2049.0),
        (0.0, 1.0),
        (1.0, 2.0**-15),
        (2.0, 1.0),
        (0.0, 2.0**-24),
    )
    for x, steps in itertools.product((1.0, 1.5, 3.0, 100.0, 1000.0, 0.1, 1 / 3, 2049.5, -5.0), range(-3, 4)):
        yield x + steps * 2.0**-12, x
        yield float(exact.round_to(x, "binary16")), x


def _pairs():
    """Pairs of positive numbers of binary16: close ones, and others with exact and with inexact differences."""
    yield from ((1.0, 1.0), (4.0, 0.5), (2048.0, 1.0), (1.0, 2.0**-24), (65504.0, 1.0), (2.0**-24, 1.0))
    u = 2.0**-10
    for x, y in itertools.product((1.0, 1 + u, 1.5, 2 - u, 1.75), repeat=2):
        yield from ((x, y * 2.0**k) for k in (-14, -11, -3, -2, -1, 0, 1, 2, 5))


PUZZLES = {
    "error_in_ulps": Puzzle(
        "f(y, x)",
        "how many ulps of binary16, at x, a float y is away from x",
        "pairs",
        lambda: dict.fromkeys(_approximations()),
        lambda y, x: float(abs(Fraction(y) - Fraction(x)) / Fraction(2) ** max(math.frexp(x)[1] - 11, -24)),
        [
            ((1.0, 1.0), 0.0),
            ((2048.0, 2049.0), 0.5),
            ((2052.0, 2049.0), 1.5),
            ((1.0009765625, 1.0), 1.0),
            ((2.0, 1.0), 1024.0),
            ((0.0, 2.0**-24), 1.0),
        ],
    ),
    "difference_is_exact": Puzzle(
        "f(x, y)",
        "whether x - y is a number of binary16, for two positive numbers of binary16: True or False",
        "pairs",
        lambda: dict.fromkeys(_pairs()),
        lambda x, y: exact.subtract(x, y, "binary16") == Fraction(x) - Fraction(y),
        [
            ((1.0, 1.0), True),
            ((4.0, 0.5), True),
            ((2048.0, 1.0), True),
            ((1.0, 2.0**-24), False),
            ((1 + 2.0**-10, 2.0), True),
            ((1 + 2.0**-10, 0.25), True),
            ((1 + 2.0**-10, 4.0), False),
        ],
    ),
}

HINTS = {
    "error_in_ulps": (
        "How far is y from x, and how do you count that in steps of the ulp?",
        "The distance is |y - x|. Divide it by the ulp at x: how often does the step fit into it?",
        'abs(y - x) is the distance; divide by fs.ulp(..., "binary16"), the ulp at the right number, which is x.',
    ),
    "difference_is_exact": (
        "If rounding changes nothing, what do you know about the rounded difference and the exact one?",
        "fs.subtract rounds to the format, and Python's own minus does not, for such numbers. The difference is exact "
        "if both give the same.",
        'Compare fs.subtract(x, y, "binary16") with x - y. Closeness alone is not the answer: 4 - 0.5 is exact, too.',
    ),
    "ulps_apart": (
        "How far apart are the codes of two positive numbers? What goes wrong if one of them is negative?",
        "Codes count the steps away from zero. Give each number a place on one line: the code itself for a positive "
        "number, its negative for a negative one, without the sign bit. Then both zeros are at place 0.",
        "Let code = int(fs.encode(x)). The place is code if it is below 0x8000, else 0x8000 - code. The answer is the "
        "distance of the two places.",
    ),
    "small_root": (
        "Which step of the school formula subtracts two numbers that are nearly equal?",
        "The two roots multiply to 1: compute the larger one, where nothing cancels, and take 1 divided by it. And b "
        "* b overflows: write the root of b^2 - 4 as a product of two roots.",
        "With size = abs(b), s = math.sqrt(size - 2) * math.sqrt(size + 2); the larger root is size / 2 + s / 2. "
        "Return its reciprocal with the sign of b.",
    ),
    "versine_ratio": (
        "For a small x, what is left of the digits of 1 - cos x?",
        "1 - cos x = 2 sin(x / 2)^2: nothing is subtracted any more. Divide the sine by x / 2 before you square it, "
        "so that a tiny square does not underflow.",
        "r = math.sin(x / 2) / (x / 2); the ratio is r * r / 2, rounded with fs.round_to at the end. At x = 0 return "
        "0.5.",
    ),
}


def error_in_ulps(y, x):
    """A distance, counted in steps: the ulp at x is one step.

    y - x is exact here where y is close to x, and a division by a power of two loses nothing.
    """
    return abs(y - x) / fs.ulp(x, "binary16")


def difference_is_exact(x, y):
    """A difference is exact if rounding does not change it.

    Python's x - y is a float64. It needs at most 40 digits for numbers of binary16, from 2^16 down to 2^-24, and has
    53. If x and y are close, Sterbenz's lemma says that the answer is always True.
    """
    return bool(fs.subtract(x, y, "binary16") == x - y)


def place(x):
    """Where a number stands on the line: the steps from zero, negative below it."""
    code = int(fs.encode(x))
    return code if code < 0x8000 else 0x8000 - code


def ulps_apart(a, b):
    """Neighbours have neighbouring codes, so that a difference of codes counts steps.

    For negative numbers the code grows downward, and has the sign bit: 0x8000 - code turns it round and removes the
    bit. Both zeros come to place 0, so that they count as one place on the way.
    """
    return abs(place(a) - place(b))


def small_root(b):
    """The product of the two roots is 1, so that the small one is 1 divided by the large one.

    In the large one two positive numbers are added, and nothing cancels. b^2 - 4 = (b - 2)(b + 2), and the root of
    the product is the product of the roots: neither overflows. Halving before the addition keeps that from
    overflowing, too.
    """
    size = abs(b)
    s = math.sqrt(size - 2) * math.sqrt(size + 2)
    return math.copysign(1 / (size / 2 + s / 2), b)


def versine_ratio(x):
    """The identity 1 - cos x = 2 sin(x / 2)^2 replaces a subtraction of nearly equal numbers by a product.

    (1 - cos x) / x^2 = (sin(x / 2) / (x / 2))^2 / 2. The quotient is near 1 for every small x, so that no step
    underflows. The few errors of the last digits of a float are far below the rounding to binary16.
    """
    if x == 0:
        return 0.5
    ratio = math.sin(x / 2) / (x / 2)
    return fs.round_to(0.5 * ratio * ratio, "binary16")
