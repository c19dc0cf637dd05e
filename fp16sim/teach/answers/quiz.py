"""The quiz: puzzles, hints, and worked solutions."""

import numpy as np

import fp16sim as fs

from ...formats import NAMED_FORMATS
from ..grading.puzzles import Puzzle


def _names():
    """The formats of two digits or more that reach 2^p, by the names that people use."""
    names = [fmt.name for fmt in NAMED_FORMATS if fmt.precision > 1 and fmt.max_finite >= 2**fmt.precision]
    return [*sorted(names, key=lambda name: name != "binary16"), "half", "bf16", "float32", "double"]


def _where_counting_stops(fmt):
    """By trying powers of two: the gap doubles only there."""
    return next(2**k for k in range(200) if fs.add(2.0**k, 1, fmt) == 2**k)


def _is_safe(n):
    x = fs.all_values("binary16")
    x = x[np.isfinite(x)]
    return bool(np.all(fs.divide(x, n) == fs.multiply(x, fs.divide(1, n))))


PUZZLES = {
    "first_lost": Puzzle(
        "f(fmt)",
        "the least positive integer n of a format for which n + 1 is rounded to n",
        "formats",
        _names,
        _where_counting_stops,
        [("binary16", 2048), ("bfloat16", 256), ("binary32", 2**24), ("binary64", 2**53), ("e4m3fn", 16), ("e5m2", 8)],
    ),
    "may_multiply": Puzzle(
        "f(n)",
        "whether x / n and x * (1/n) are the same for all finite x of binary16: True or False",
        "divisors",
        range(1, 65),
        _is_safe,
        [(1, True), (2, True), (3, False), (4, True), (6, False), (10, False), (64, True), (60, False), (63, False)],
    ),
}

HINTS = {
    "may_multiply": (
        "For which n is 1/n a number of binary16, so that only one rounding is left?",
        "Dividing by a power of two changes the exponent only, and its reciprocal is exact. For every other n, 1/n is "
        "rounded, and then the product is rounded again.",
        "n is a power of two if n & (n - 1) is 0; or look whether math.log2(n) is an integer.",
    ),
    "first_lost": (
        "From which number on is the gap between neighbours 2? What is then in the middle?",
        "With p significand bits all integers up to 2^p are held; above, only every second one. 2^p + 1 is a tie, "
        "and goes to the even neighbour.",
        "fs.get_format(fmt).precision is p. Which of 2^p - 1, 2^p and 2^p + 1 is it?",
    ),
    "holds": (
        "Each law has two sides. What must the two sides be compared for, beside ==?",
        "A table from the name of the law to its two sides, every operation rounded with fs.add and the like. Equal, "
        "or both NaN, means that the law holds.",
        'For "associate" the sides are fs.add(fs.add(a, b), c) and fs.add(a, fs.add(b, c)); the other three in the '
        "same "
        "way. Return bool(left == right or both are NaN).",
    ),
    "may_replace": (
        "For how many x must both sides agree? Can you try them all?",
        'All 65,536: x = fs.all_values("binary16"). A table from the text to two functions of x and c; compare their '
        "results with the signs of zero, and let NaN be the same as NaN.",
        "alike = (y == z) & (np.signbit(y) == np.signbit(z)) | np.isnan(y) & np.isnan(z), and all must be true. For "
        '"x / c -> x * (1 / c)" the second side is fs.multiply(x, fs.divide(1, c)).',
    ),
}


def may_multiply(n):
    """For a power of two, 1/n is exact, so that x * (1/n) is x / n, rounded once; also where the result is subnormal.

    For all other n up to 64 there is some x for which the two roundings go wrong; for 3 it is nearly every third. The
    grader tried all 63,488 finite x for each n. A power of two has a single bit, and n - 1 has all bits below it.
    """
    return n & (n - 1) == 0


def first_lost(fmt):
    """Up to 2^p every integer has its own code. From 2^p on the ulp is 2, so that 2^p + 1 lies in the middle.

    It is a tie between 2^p, whose last bit is 0, and 2^p + 2, whose last bit is 1: it goes down, and adding 1 has no
    effect. So the answer is 2048 in binary16 and 256 in bfloat16.
    """
    return 2 ** fs.get_format(fmt).precision


LAWS = {
    "commute": lambda a, b, c: (fs.add(a, b), fs.add(b, a)),
    "associate": lambda a, b, c: (fs.add(fs.add(a, b), c), fs.add(a, fs.add(b, c))),
    "distribute": lambda a, b, c: (fs.multiply(a, fs.add(b, c)), fs.add(fs.multiply(a, b), fs.multiply(a, c))),
    "cancel": lambda a, b, c: (fs.subtract(fs.add(a, b), a), b),
}


def holds(law, a, b, c):
    """Both sides are computed as they stand, with each step rounded, and compared.

    Only "commute" holds always. The others fail where a partial result is rounded, overflows or becomes NaN on one side
    and not on the other. NaN is not equal to itself, so it needs its own question.
    """
    with np.errstate(all="ignore"):
        left, right = LAWS[law](a, b, c)
    return bool(left == right or (np.isnan(left) and np.isnan(right)))


SIDES = {
    "x + c -> x": (fs.add, lambda x, c: x),
    "x - c -> x": (fs.subtract, lambda x, c: x),
    "x * c -> x": (fs.multiply, lambda x, c: x),
    "x * c -> c * x": (fs.multiply, lambda x, c: fs.multiply(c, x)),
    "x / c -> x * (1 / c)": (fs.divide, lambda x, c: fs.multiply(x, fs.divide(1, c))),
    "(x * c) / c -> x": (lambda x, c: fs.divide(fs.multiply(x, c), c), lambda x, c: x),
    "(x + c) - c -> x": (lambda x, c: fs.subtract(fs.add(x, c), c), lambda x, c: x),
    "x + x -> x * c": (lambda x, c: fs.add(x, x), fs.multiply),
    "c - x -> -(x - c)": (lambda x, c: fs.subtract(c, x), lambda x, c: -fs.subtract(x, c)),
}


def may_replace(rewrite, c):
    """No proof, but every case: a format of 16 bits has only 65,536 numbers, and arrays take all of them at once.

    A compiler may replace the one by the other only if not a single code changes, so that the signs of zeros count.
    That is why "x + 0.0 -> x" is forbidden: it changes -0.0; and "x + -0.0 -> x" is allowed.
    """
    before, after = SIDES[rewrite]
    x = fs.all_values("binary16")
    with np.errstate(all="ignore"):
        y, z = before(x, c), after(x, c)
    alike = (y == z) & (np.signbit(y) == np.signbit(z)) | np.isnan(y) & np.isnan(z)
    return bool(np.all(alike))
