"""Dot products: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

import numpy as np

import fp16sim as fs

from ... import exact
from ...codes import all_values
from ..grading.puzzles import Puzzle


def _steps():
    """(total, x, y) of binary16: products that are exact and that are not, sums that lose and that do not."""
    simple = [(2048.0, 1.0, 1.0), (0.5, 1.5, 2.0), (2048.0, 1.5, 3.0), (1.0, 300.0, 300.0), (1.0, 2.0**-13, 2.0**-13)]
    values = np.asarray(all_values("binary16"))
    values = values[np.isfinite(values) & (abs(values) < 64) & (abs(values) > 2.0**-6)]
    drawn = np.random.default_rng(6).choice(values, (3, 1200))
    return simple + [tuple(row) for row in drawn.T.tolist()]


def _add_product(total, x, y):
    return exact.add(total, exact.multiply(x, y, "binary16"), "binary16")


def _multiples():
    """(x, quantum): both signs, multiples and others. No negative x is cut to a zero: its sign would be a question of
    its own."""
    simple = [(1.75, 0.5), (-1.75, 0.5), (1.5, 0.5), (0.25, 1.0), (7.0, 4.0), (0.0, 1.0)]
    rng = np.random.default_rng(7)
    x = rng.normal(size=400) * 2.0 ** rng.integers(-8, 9, 400)
    quanta = 2.0 ** rng.integers(-12, 5, 400)
    return simple + [(a, q) for a, q in zip(x.tolist(), quanta.tolist(), strict=True) if a > 0 or -a >= q]


def _cut(x, quantum):
    """Whole quanta in the magnitude, counted with integers."""
    whole = abs(Fraction(x)) // Fraction(quantum) * Fraction(quantum)
    return float(-whole if x < 0 else whole)


PUZZLES = {
    "add_product": Puzzle(
        "f(total, x, y)",
        "total + x * y in binary16: the product is rounded, and so is the sum",
        "cases",
        _steps,
        _add_product,
        [
            ((2048.0, 1.0, 1.0), 2048.0),
            ((0.5, 1.5, 2.0), 3.5),
            ((2048.0, 1.5, 3.0), 2052.0),
            ((1.0, 300.0, 300.0), math.inf),
            ((1.0, 2.0**-13, 2.0**-13), 1.0),
        ],
    ),
    "cut_to_multiple": Puzzle(
        "f(x, quantum)",
        "x cut off toward zero to a multiple of quantum, a power of two",
        "pairs",
        _multiples,
        _cut,
        [((1.75, 0.5), 1.5), ((-1.75, 0.5), -1.5), ((1.5, 0.5), 1.5), ((0.25, 1.0), 0.0), ((7.0, 4.0), 4.0)],
    ),
}

HINTS = {
    "add_product": (
        "How many roundings does one step have, and which function of the library does each?",
        "Two: fs.multiply rounds the product, and fs.add rounds the sum. The second takes what the first gives.",
        "fs.add of total and something; this something is fs.multiply of x and y.",
    ),
    "cut_to_multiple": (
        "How many whole quanta are in x? What is that number times quantum?",
        "Lift, cut off, put back: x divided by the quantum is an integer and a part after the point. math.trunc drops "
        "that part for both signs, toward zero.",
        "Divide x by quantum, put that into math.trunc, and multiply the integer by quantum.",
    ),
    "my_mixed_dot": (
        "Which steps happen in binary32 here, and which one in binary16?",
        'All products and partial sums are in binary32: fs.multiply(x, y, "binary32") and so on. Only the end is '
        "rounded to binary16, once. Start from the first product, not from 0.0.",
        "Walk over zip(a, b). The total is the first product; then add the next product to it, both in binary32. Give "
        'the total to fs.round_to(..., "binary16"). Empty lists give 0.0.',
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


def add_product(total, x, y):
    """Two roundings: the product, then the sum. A fused multiply-add would have the second one only."""
    return fs.add(total, fs.multiply(x, y))


def cut_to_multiple(x, quantum):
    """Lift, cut off, put back. Dividing by a power of two is exact, so only math.trunc changes the number.

    math.floor would go down for a negative x, which is away from zero.
    """
    return math.trunc(x / quantum) * quantum


def my_mixed_dot(a, b):
    """The products and partial sums are in binary32, and one rounding comes at the end: what tensor cores promise at
    least.

    A product of two numbers of binary16 has at most 22 digits, so that it is exact in binary32. Only the sums round
    there, and much less than in binary16. The first partial sum is the first product: nothing is added to 0.0, so that
    a lone -0.0 keeps its sign.
    """
    total = None
    for x, y in zip(a, b, strict=True):
        product = fs.multiply(x, y, "binary32")
        total = product if total is None else fs.add(total, product, "binary32")
    return 0.0 if total is None else fs.round_to(total, "binary16")


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
