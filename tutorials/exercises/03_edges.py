"""Exercises of lesson 3: at the edges. Write the functions, then run: fp16sim grade exercises/03_edges.py

fs.encode(x) is the code of x in binary16, fs.decode(code) the value of a code; both may be used.
"""

INF, NAN = float("inf"), float("nan")
LARGEST, SMALLEST = 1.7976931348623157e308, 5e-324  # of Python's floats

TASKS = {
    "same": [
        ((1.0, 1.0), True),
        ((1.0, 2.0), False),
        ((0.0, 0.0), True),
        ((-0.0, -0.0), True),
        ((0.0, -0.0), False),
        ((-0.0, 0.0), False),
        ((NAN, NAN), True),
        ((NAN, 1.0), False),
        ((1.0, NAN), False),
        ((NAN, 0.0), False),
        ((INF, INF), True),
        ((INF, -INF), False),
    ],
    "my_next_up": "next_up",
    "my_ulp": "ulp",
    "mean": [
        ((1.0, 2.0), 1.5),
        ((-1.0, 1.0), 0.0),
        ((LARGEST, LARGEST), LARGEST),
        ((-LARGEST, -LARGEST), -LARGEST),
        ((LARGEST, -LARGEST), 0.0),
        ((2.0**1023, 2.0**1023 * 1.5), 2.0**1023 * 1.25),
        ((SMALLEST, SMALLEST), SMALLEST),
        ((3 * SMALLEST, SMALLEST), 2 * SMALLEST),
        ((2.0**-1022, 2.0**-1022), 2.0**-1022),
    ],
}


def same(a, b):
    """True if the floats a and b are the same in every respect, else False.

    A NaN is the same as a NaN; +0 and -0 are not the same.
    """
    raise NotImplementedError


def my_next_up(x):
    """The least value of binary16 that is greater than x, itself a value of binary16.

    From -2^-24 to -0.0, from either zero to 2^-24, from 65504 to infinity, from -infinity to -65504; infinity and NaN
    stay as they are.
    """
    raise NotImplementedError


def my_ulp(x):
    """The distance of the numbers of binary16 in the binade of x, a value of binary16.

    2^-24 for zeros and subnormal numbers, infinity for an infinity of either sign, NaN for NaN.
    """
    raise NotImplementedError


def mean(a, b):
    """(a + b) / 2 of finite Python floats, without overflow and without loss among the smallest numbers."""
    raise NotImplementedError
