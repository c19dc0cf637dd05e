"""Exercises of the lesson "Sums". Write the functions, then run: fp16sim grade exercises/sums.py

fs.add(a, b) and fs.subtract(a, b) are sum and difference, rounded to binary16, ties to even.
"""

import fp16sim as fs

TASKS = {
    "my_kahan_sum": "kahan_sum",
    "my_pairwise_sum": "pairwise_sum",
    "my_stochastic": "stochastic",
}


def my_kahan_sum(values):
    """The compensated sum of a list of values of binary16: the loop of the lesson, which starts from the first term.

    Every operation is rounded to binary16; the sum of nothing is 0.0.
    """
    raise NotImplementedError


def my_pairwise_sum(values):
    """The sum of the sums of two halves, which are summed alike; the first half has len(values) // 2 terms.

    The sum of one term is the term, that of nothing 0.0.
    """
    raise NotImplementedError


def my_stochastic(x, u):
    """The float x rounded to binary16: away from zero where u < f, else toward zero; 0 <= u < 1.

    f is the fraction of the way that x has gone from its neighbour toward zero to the one away from zero. Above 65504
    the neighbour away is infinity, at the place of 65536. Infinities, NaN and the sign of zero stay.
    """
    raise NotImplementedError
