"""Exercises of the lesson "Sixteen bits". Write the functions, then run: fp16sim grade exercises/sixteen_bits.py

The rules are in the table of the lesson: the fields s, E (five bits) and T (ten bits), and what they mean.
"""

TASKS = {
    "my_classify": "classify",
    "my_decode": "decode",
    "numbers_in_binade": "numbers_in_binade",
}


def my_classify(code):
    """The kind of number that a code of binary16 stands for: "zero", "subnormal", "normal", "infinity" or "nan"."""
    raise NotImplementedError


def my_decode(code):
    """The value, a float, of a code of binary16; also the zeros of both signs, the infinities, and NaN."""
    raise NotImplementedError


def numbers_in_binade(k):
    """How many numbers x of binary16 have 2^k <= x < 2^(k + 1), for any integer k; subnormal numbers count, too.

    numbers_in_binade(0) is 1024, and numbers_in_binade(-25) is 0.
    """
    raise NotImplementedError
