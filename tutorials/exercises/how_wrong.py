"""Exercises of the lesson "How wrong is it?". Write the functions, then run: fp16sim grade exercises/how_wrong.py

int(fs.encode(x)) is the code of x in binary16.
"""

import fp16sim as fs

TASKS = {
    "ulps_apart": "ulps_apart",
    "small_root": "small_root",
    "versine_ratio": "versine_ratio",
}


def ulps_apart(a, b):
    """How many steps of next_up lead from the smaller to the larger of two finite numbers of binary16.

    An integer, 0 or more. The two zeros are one place on the way. ulps_apart(1.0, 2.0) is 1024.
    """
    raise NotImplementedError


def small_root(b):
    """The root of x^2 - b x + 1 = 0 that is smaller in magnitude, in Python floats, for |b| >= 2.

    b may be as large as 2^1000: b * b would overflow. small_root(2.5) is 0.5, and small_root(-(2.0**40)) is -2^-40.
    """
    raise NotImplementedError


def versine_ratio(x):
    """(1 - cos x) / x^2 for |x| <= 6, right also where cos x is nearly 1; at x = 0 the limit, 0.5.

    Compute in Python floats; at the end fs.round_to(ratio, "binary16") cuts off their own errors. versine_ratio(1.0) is
    0.459716796875.
    """
    raise NotImplementedError
