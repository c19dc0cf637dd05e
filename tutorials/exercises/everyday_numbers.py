"""Exercises of the lesson "Everyday numbers". Write the functions, then run: fp16sim grade exercises/everyday_numbers.py"""

import fp16sim as fs

TASKS = {
    "narrowest": "narrowest",
    "total_cents": "total_cents",
}


def narrowest(largest, step):
    """The first of "binary16", "bfloat16", "binary32", "binary64" that is good enough for a quantity, or "none".

    Good enough means: the largest number of the format, fs.get_format(name).max_finite, is at least `largest`; and its ulp
    there, fs.ulp(largest, name), is at most `step`. Both arguments are positive floats.
    narrowest(100.0, 1.0) is "binary16", and narrowest(70000.0, 1000.0) is "bfloat16".
    """
    raise NotImplementedError


def total_cents(prices):
    """The sum of a list of prices, in cents, as an integer.

    The prices are texts with at most two digits after the point, such as "12.30", "0.29", "7", "0.5" or "-1.05", and may
    be as large as you like. No cent may be lost. total_cents(["12.30", "0.5", "-1.05"]) is 1175, and of nothing it is 0.
    """
    raise NotImplementedError
