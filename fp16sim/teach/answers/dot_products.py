"""Dot products: hints, and worked solutions."""

import math

import fp16sim as fs

HINTS = {
    "my_dot": (
        "How many roundings does a dot product of three pairs have, if every product and every partial sum is rounded?",
        "Five: three products and two sums. Start from the first product, not from 0.0, and use fs.multiply and "
        "fs.add.",
        "Walk over zip(a, b). The total is the first product; then total = fs.add(total, product). Empty lists give "
        "0.0.",
    ),
    "my_mixed_dot": (
        "Which steps happen in binary32 here, and which one in binary16?",
        'All products and partial sums are in binary32: fs.multiply(x, y, "binary32") and so on. Only the end is '
        "rounded "
        "to binary16, once.",
        "Write the loop of my_dot with the format as an argument, call it with binary32, and give its result to "
        'fs.round_to(..., "binary16").',
    ),
    "aligned_sum": (
        "The hardware shifts all terms to one common exponent before it adds. Whose exponent is it?",
        "The largest term's. With it, every term becomes an integer number of quanta 2^(e - bits), cut off toward "
        "zero. Integers add up exactly. Zeros have no exponent.",
        "quantum = 2.0 ** (e - bits), where e is the largest math.frexp(x)[1] - 1 of the terms that are not 0. Add "
        "math.trunc(x / quantum) over all terms, and multiply the sum by the quantum.",
    ),
    "longest_exact": (
        "How large is the largest product, and how large may the sum be?",
        "Every integer up to 2^p is held. In the worst case each product is (2^n_bits - 1)^2. How often does that fit "
        "into 2^p?",
        "An integer division of 2 ** p by (2 ** n_bits - 1) ** 2.",
    ),
}


def _dot(a, b, fmt):
    total = None
    for x, y in zip(a, b, strict=True):
        product = fs.multiply(x, y, fmt)
        total = product if total is None else fs.add(total, product, fmt)
    return 0.0 if total is None else total


def my_dot(a, b):
    """n products and n - 1 sums, each rounded. The first partial sum is the first product.

    So nothing is added to 0.0, and a lone -0.0 keeps its sign. The format is an argument, because the next exercise
    is the same loop in another format.
    """
    return _dot(a, b, "binary16")


def my_mixed_dot(a, b):
    """The same loop in binary32, and one rounding at the end: what tensor cores promise at least.

    A product of two numbers of binary16 has at most 22 digits, so that it is exact in binary32. Only the sums round
    there, and much less than in binary16.
    """
    return fs.round_to(_dot(a, b, "binary32"), "binary16")


def aligned_sum(terms, bits):
    """All terms become integers of one common unit, which the largest term fixes; what does not fit is cut off.

    math.trunc cuts off toward zero, as shifting out bits of a magnitude does. The sum of integers is exact, so that
    the order does not matter any more. A large term that arrives makes the unit coarser for all the others: that is
    why adding a term can make such a sum smaller.
    """
    exponents = [math.frexp(x)[1] - 1 for x in terms if x != 0]
    if not exponents:
        return 0.0
    quantum = 2.0 ** (max(exponents) - bits)
    return sum(math.trunc(x / quantum) for x in terms) * quantum


def longest_exact(n_bits, p):
    """As long as the sum is at most 2^p, every partial sum is an integer that p digits hold.

    The worst case is that all products are the largest, (2^n_bits - 1)^2. The integer division counts how many of them
    fit. For 8 bits and float32 that is 258: an 8-bit dot product of that length is always exact there.
    """
    return 2**p // (2**n_bits - 1) ** 2
