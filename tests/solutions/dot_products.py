"""Solutions of the lesson "Dot products"."""

import math

import fp16sim as fs


def _dot(a, b, fmt):
    total = None
    for x, y in zip(a, b, strict=True):
        product = fs.multiply(x, y, fmt)
        total = product if total is None else fs.add(total, product, fmt)
    return 0.0 if total is None else total


def my_dot(a, b):
    return _dot(a, b, "binary16")


def my_mixed_dot(a, b):
    return fs.round_to(_dot(a, b, "binary32"), "binary16")


def aligned_sum(terms, bits):
    exponents = [math.frexp(x)[1] - 1 for x in terms if x != 0]
    if not exponents:
        return 0.0
    quantum = 2.0 ** (max(exponents) - bits)
    return sum(math.trunc(x / quantum) for x in terms) * quantum


def longest_exact(n_bits, p):
    return 2**p // (2**n_bits - 1) ** 2
