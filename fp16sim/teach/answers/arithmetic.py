"""Arithmetic on paper: puzzles, hints, and worked solutions."""

import itertools
import math
from fractions import Fraction

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle


def _shifts():
    """(n, k): small integers by a few places, everything pushed out, and integers longer than any float."""
    yield from itertools.product(range(41), range(7))
    yield from ((1, 10), (0, 10), (2**60, 61), (2**60 + 1, 61))
    for k, beyond in itertools.product((53, 90), (0, 1, 2**52)):
        yield from ((kept * 2**k + beyond, k) for kept in (2**10, 2**10 + 1))


def _small_factors():
    """Pairs of numbers of binary16 whose product is about 2^-25, half of the smallest number."""
    significands = (1.0, 1.5, 1.25, 1 + 2.0**-10, 2 - 2.0**-10)
    yield from ((1.0, 1.0), (0.5, 2.0**-10), (2.0**-14, 2.0**-14), (2.0**-20, 2.0**-4))
    for e, s, t in itertools.product(range(-14, -10), significands, significands):
        yield from ((s * 2.0**e, t * 2.0 ** (k - e)) for k in (-24, -25, -26, -27) if k - e >= -14)


PUZZLES = {
    "shift_right_sticky": Puzzle(
        "f(n, k)",
        "n shifted right by k places; if a 1 was pushed out, the last bit of the result is 1",
        "shifts",
        _shifts,
        lambda n, k: n // 2**k if n % 2**k == 0 or n // 2**k % 2 else n // 2**k + 1,
        [
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
    ),
    "product_vanishes": Puzzle(
        "f(a, b)",
        "whether the product of two positive numbers of binary16 is rounded to 0: True or False",
        "pairs",
        _small_factors,
        lambda a, b: exact.multiply(a, b, "binary16") == 0,
        [
            ((1.0, 1.0), False),
            ((2.0**-12, 2.0**-12), False),
            ((2.0**-12, 2.0**-13), True),
            ((1.5 * 2.0**-12, 2.0**-13), False),
            ((2.0**-14, 2.0**-14), True),
            ((1.25 * 2.0**-13, 1.5 * 2.0**-13), True),
        ],
    ),
}

HINTS = {
    "product_vanishes": (
        "Which is the smallest positive number of binary16? How far above 0 is the middle between 0 and that number?",
        "The smallest number is 2^-24, and the middle is 2^-25. Below the middle a product goes to 0. In the middle it "
        "is a tie, and 0 is even.",
        "Python's floats multiply two numbers of binary16 without an error. So compare a * b with 2.0**-25; think "
        "about whether 2.0**-25 itself belongs to it.",
    ),
    "shift_right_sticky": (
        "Which bits of n are pushed out by a shift of k places? How do you look at them alone?",
        "A mask of k ones, (1 << k) - 1, keeps what is pushed out. If that is not 0, the last bit of the result "
        "becomes 1, whatever it was: an or, not an addition.",
        "Take n >> k, and combine it by | with the truth value of: n & ((1 << k) - 1) is not 0.",
    ),
    "shift_right_round": (
        "What do you compare to find out whether the part that is cut off is less than a half, a half, or more?",
        "The part cut off is rest = n & ((1 << k) - 1), and a whole is 1 << k. Compare twice the rest with the "
        "whole, so that no half is needed: more goes up; the same is a tie, which goes up only if the kept integer "
        "is odd.",
        "kept = n >> k. Add 1 to it if 2 * rest > 1 << k, or if they are equal and kept is odd. For k = 0 the rest "
        "is 0.",
    ),
    "my_add": (
        "The exact sum of two finite numbers is easy with Fraction. Which operands are not finite numbers, and what "
        "is lost when a zero becomes a Fraction?",
        "For infinities and NaN, Python's own a + b does the right thing. A Fraction has no sign of zero: an exact "
        "sum of 0 is +0, except that -0 + -0 is -0.",
        "If one is not finite, return a + b. Let total = Fraction(a) + Fraction(b). If it is 0, return -0.0 if "
        "math.copysign(1, ...) is negative for both, else 0.0. Else round it with fs.round_to.",
    ),
    "my_multiply": (
        "Which part of a product is always exact and simple, also for zeros and infinities?",
        "The sign: the product of the two signs. Round the product of the magnitudes as Fractions, and put the sign on "
        "it at the end; it is right also for zeros, and for what underflows to zero.",
        'If one is not finite, return a * b. Else size = fs.round_to(Fraction(abs(a)) * Fraction(abs(b)), "binary16"), '
        "with the sign math.copysign(1, a) * math.copysign(1, b).",
    ),
}


def product_vanishes(a, b):
    """The product has at most 22 digits, so that Python's float a * b is exact: nothing is rounded twice.

    2^-25 is the middle between 0 and the smallest number, 2^-24: a tie, which goes to the even neighbour, and that is
    0. So the tie belongs to what vanishes.
    """
    return a * b <= 2.0**-25


def shift_right_sticky(n, k):
    """The mask keeps what the shift throws away. One bit remembers whether there was anything.

    That is enough for every later rounding: below the guard and round bits it matters only whether the rest is zero.
    True counts as 1 in Python, so that | sets the last bit.
    """
    return n >> k | (n & ((1 << k) - 1) != 0)


def shift_right_round(n, k):
    """kept and rest are quotient and remainder of the division by 2^k, without any division.

    Doubling the rest avoids the half, which is no integer where k is 0. The tie goes to the even neighbour: kept & 1
    is 1 for an odd one, which then goes up.
    """
    kept, rest = n >> k, n & ((1 << k) - 1)
    twice = rest << 1
    return kept + (twice > 1 << k or (twice == 1 << k and kept & 1))


def my_add(a, b):
    """Exactly first, then rounded once: that is the definition of a correctly rounded sum.

    Fractions have neither infinities nor signs of zero, so these are dealt with before. IEEE 754 says that a sum
    which is exactly zero is +0 (in this mode), unless both terms are -0.
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        return a + b  # Python's floats treat infinities and NaN as binary16 does
    total = Fraction(a) + Fraction(b)
    if total == 0:
        both_negative = math.copysign(1, a) < 0 and math.copysign(1, b) < 0
        return -0.0 if both_negative else 0.0
    return fs.round_to(total, "binary16")


def my_multiply(a, b):
    """Sign and magnitude have nothing to do with each other in a product, so they are computed apart.

    Ties to even treats both signs alike, so that rounding the magnitude is right. A product that underflows to zero
    keeps its sign in this way, too.
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b
    sign = math.copysign(1, a) * math.copysign(1, b)
    size = fs.round_to(Fraction(abs(a)) * Fraction(abs(b)), "binary16")
    return math.copysign(size, sign)
