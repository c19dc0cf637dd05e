"""Exercises of the lesson "Property tests". Write the functions, then run: fp16sim grade exercises/property_tests.py"""

import fp16sim as fs

TASKS = {
    "broken_laws": "broken_laws",
    "shrink": "shrink",
}


def broken_laws(x, y, rx, ry):
    """The names of the laws that these two roundings break: somebody's rounder made rx of x, and ry of y.

    The result is a list with those of the following that are broken, in this order:

    - "format": rx or ry is no number of binary16. A number of binary16 is what fs.round_to(..., "binary16") leaves alone.
    - "half an ulp": abs(x) <= 65504, and rx is more than half of fs.ulp(x, "binary16") away from x; or the same of y, ry.
    - "order": x <= y, but rx > ry; or x >= y, but rx < ry.
    - "mirror": y is -x, but ry is not -rx.

    All numbers are floats, without NaN; they may be infinite. The sign of a zero does not matter.
    broken_laws(2049.0, -2049.0, 2050.0, -2048.0) is ["mirror"], and broken_laws(0.1, 0.2, 0.1, 0.0) is
    ["format", "half an ulp", "order"].
    """
    raise NotImplementedError


def shrink(values, limit):
    """A simpler list of integers >= 0 whose sum is still above the limit; a list whose sum is not is returned as it is.

    First leave out elements: go from left to right, and drop each without which the sum of the others that are left is
    still above the limit. Then lower elements: go from left to right, and replace each by the least integer >= 0 with
    which the sum is above the limit. Do not change the list that you were given. shrink([5, 90, 7, 30], 100) is [71, 30].
    """
    raise NotImplementedError
