"""Solutions of the lesson "At the edges"."""

import math

import fp16sim as fs


def same(a, b):
    if a != a or b != b:
        return a != a and b != b
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def my_next_up(x):
    if x != x or x == math.inf:
        return x
    if x == 0:
        return 2.0**-24
    code = int(fs.encode(x))
    return float(fs.decode(code + 1 if x > 0 else code - 1))


def my_ulp(x):
    if x != x or abs(x) == math.inf:
        return abs(x)
    exponent = math.frexp(x)[1] - 1 if x else -14
    return 2.0 ** (max(exponent, -14) - 10)


def mean(a, b):
    total = a + b
    return total / 2 if abs(total) != math.inf else a / 2 + b / 2
