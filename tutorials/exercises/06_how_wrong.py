"""Exercises of lesson 6: how wrong is it? Write the functions, then run: fp16sim grade exercises/06_how_wrong.py

fs.encode(x) is the code of x in binary16.
"""

TASKS = {
    "ulps_apart": [
        ((1.0, 1.0), 0),
        ((1.0, 1.0009765625), 1),
        ((1.0009765625, 1.0), 1),
        ((1.0, 2.0), 1024),
        ((-1.0, -2.0), 1024),
        ((0.0, -0.0), 0),
        ((0.0, 2.0**-24), 1),
        ((-0.0, 2.0**-24), 1),
        ((-(2.0**-24), 2.0**-24), 2),
        ((-(2.0**-24), 0.0), 1),
        ((-65504.0, 65504.0), 2 * 31743),
        ((2048.0, 2050.0), 1),
    ],
    "small_root": [
        ((2.0,), 1.0),
        ((-2.0,), -1.0),
        ((2.5,), 0.5),
        ((4.25,), 0.25),
        ((-4.25,), -0.25),
        ((2.0**30,), 2.0**-30),
        ((-(2.0**40),), -(2.0**-40)),
        ((2.0**100,), 2.0**-100),
        ((2.0**600,), 2.0**-600),
        ((-(2.0**1000),), -(2.0**-1000)),
    ],
    "versine_ratio": [
        ((0.0,), 0.5),
        ((2.0**-27,), 0.5),
        ((2.0**-30,), 0.5),
        ((-(2.0**-40),), 0.5),
        ((1e-9,), 0.5),
        ((1e-100,), 0.5),
        ((1e-300,), 0.5),
    ],
}


def ulps_apart(a, b):
    """How many steps of next_up lead from the smaller to the larger of two finite numbers of binary16.

    An integer, 0 or more. The two zeros are one place on the way.
    """
    raise NotImplementedError


def small_root(b):
    """The root of x^2 - b x + 1 = 0 that is smaller in magnitude, in Python floats, for |b| >= 2.

    b may be as large as 2^1000: b * b would overflow.
    """
    raise NotImplementedError


def versine_ratio(x):
    """(1 - cos x) / x^2 in Python floats, right also where cos x is nearly 1; at x = 0 the limit, 0.5."""
    raise NotImplementedError
