"""Exercises of lesson 8: dot products. Write the functions, then run: fp16sim grade exercises/08_dot_products.py

fs.add(a, b, fmt), fs.multiply(a, b, fmt) and fs.round_to(x, fmt) round once each.
"""

TASKS = {
    "my_dot": "dot",
    "my_mixed_dot": "mixed_dot",
    "aligned_sum": [
        (([1.0, 2.0**-24, 2.0**-24, 2.0**-24, 2.0**-24], 23), 1.0),
        (([1.0, 2.0**-24, 2.0**-24, 2.0**-24, 2.0**-24], 24), 1.0 + 2.0**-22),
        (([0.5, 2.0**-24, 2.0**-24], 23), 0.5 + 2.0**-23),
        (([8.0, 1.75, -1.75], 3), 8.0),
        (([8.0, 1.75], 4), 9.5),
        (([8.0, -1.75], 4), 6.5),
        (([8.0, -1.75], 3), 7.0),
        (([-8.0, -1.75], 3), -9.0),
        (([3.0, 3.0], 0), 4.0),
        (([0.0, 0.75], 1), 0.75),
        (([0.0, 0.0], 5), 0.0),
        (([2.0**-30, 2.0**-31], 2), 2.0**-30 + 2.0**-31),
    ],
    "longest_exact": [
        ((1, 11), 2048),
        ((4, 11), 9),
        ((4, 24), 74565),
        ((8, 24), 258),
        ((8, 16), 1),
        ((8, 15), 0),
        ((11, 53), 2149582337),
    ],
}


def my_dot(a, b):
    """The dot product of two lists of binary16 values: every product and every partial sum rounded to binary16.

    The first partial sum is the first product; +0.0 for empty lists.
    """
    raise NotImplementedError


def my_mixed_dot(a, b):
    """The dot product of two lists of binary16 values: products and partial sums in binary32, one rounding to binary16.

    The first partial sum is the first product; +0.0 for empty lists.
    """
    raise NotImplementedError


def aligned_sum(terms, bits):
    """The sum of the terms, each cut off toward zero to a multiple of 2^(e - bits); 0.0 if all are 0.

    e is the largest exponent of a term that is not 0: 2^e <= |term| < 2^(e + 1).
    """
    raise NotImplementedError


def longest_exact(n_bits, p):
    """How many products of two unsigned integers of n_bits bits always add up exactly in p significand bits: an int.

    A product is at most (2^n_bits - 1)^2; all integers up to 2^p are held exactly.
    """
    raise NotImplementedError
