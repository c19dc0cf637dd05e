"""Exercises of the lesson "Dot products". Write the functions, then run: fp16sim grade exercises/dot_products.py

fs.add(a, b, fmt), fs.multiply(a, b, fmt) and fs.round_to(x, fmt) round once each.
"""

import fp16sim as fs

TASKS = {
    "my_mixed_dot": "mixed_dot",
    "aligned_sum": "aligned_sum",
    "longest_exact": "longest_exact",
}


def my_mixed_dot(a, b):
    """The dot product of two lists of binary16 values: products and partial sums in binary32, one rounding to binary16.

    The first partial sum is the first product; +0.0 for empty lists.
    """
    raise NotImplementedError


def aligned_sum(terms, bits):
    """The sum of the terms, each cut off toward zero to a multiple of 2^(e - bits); 0.0 if all are 0.

    e is the largest exponent of a term that is not 0: 2^e <= |term| < 2^(e + 1). aligned_sum([8.0, -1.75], 4) is 6.5,
    and aligned_sum([8.0, -1.75], 3) is 7.0.
    """
    raise NotImplementedError


def longest_exact(n_bits, p):
    """How many products of two unsigned integers of n_bits bits always add up exactly in p significand bits: an int.

    A product is at most (2^n_bits - 1)^2; all integers up to 2^p are held exactly. longest_exact(4, 11) is 9.
    """
    raise NotImplementedError
