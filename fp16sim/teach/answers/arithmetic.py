"""Arithmetic on paper: hints, and worked solutions."""

import math
from fractions import Fraction

import fp16sim as fs

HINTS = {
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
        "If one is not finite, return a + b. Let exact = Fraction(a) + Fraction(b). If it is 0, return -0.0 if "
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
    exact = Fraction(a) + Fraction(b)
    if exact == 0:
        both_negative = math.copysign(1, a) < 0 and math.copysign(1, b) < 0
        return -0.0 if both_negative else 0.0
    return fs.round_to(exact, "binary16")


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
