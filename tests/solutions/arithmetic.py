"""Solutions of the lesson "Arithmetic on paper"."""

import math
from fractions import Fraction

import fp16sim as fs


def shift_right_sticky(n, k):
    return n >> k | (n & ((1 << k) - 1) != 0)


def shift_right_round(n, k):
    kept, rest = n >> k, n & ((1 << k) - 1)
    twice = rest << 1
    return kept + (twice > 1 << k or (twice == 1 << k and kept & 1))


def my_add(a, b):
    if not (math.isfinite(a) and math.isfinite(b)):
        return a + b  # Python's floats treat infinities and NaN as binary16 does
    exact = Fraction(a) + Fraction(b)
    if exact == 0:
        both_negative = math.copysign(1, a) < 0 and math.copysign(1, b) < 0
        return -0.0 if both_negative else 0.0
    return fs.round_to(exact, "binary16")


def my_multiply(a, b):
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b
    sign = math.copysign(1, a) * math.copysign(1, b)
    size = fs.round_to(Fraction(abs(a)) * Fraction(abs(b)), "binary16")
    return math.copysign(size, sign)
