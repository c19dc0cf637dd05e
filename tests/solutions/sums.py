"""Solutions of the lesson "Sums"."""

import math

import fp16sim as fs


def my_sum(values):
    if not values:
        return 0.0
    total = values[0]
    for x in values[1:]:
        total = fs.add(total, x)
    return total


def my_pairwise_sum(values):
    if len(values) < 2:
        return values[0] if values else 0.0
    half = len(values) // 2
    return fs.add(my_pairwise_sum(values[:half]), my_pairwise_sum(values[half:]))


def my_kahan_sum(values):
    if not values:
        return 0.0
    s, lost = values[0], 0.0
    for x in values[1:]:
        y = fs.subtract(x, lost)
        t = fs.add(s, y)
        s, lost = t, fs.subtract(fs.subtract(t, s), y)
    return s


def my_stochastic(x, u):
    if not math.isfinite(x):
        return x
    if abs(x) >= 65536:
        return math.copysign(math.inf, x)
    exponent = math.frexp(x)[1] - 1 if x else -14
    ulp = 2.0 ** (max(exponent, -14) - 10)
    below = math.floor(abs(x) / ulp)
    size = (below + (u < abs(x) / ulp - below)) * ulp
    return math.copysign(math.inf if size > 65504 else size, x)
