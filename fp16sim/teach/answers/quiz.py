"""The quiz: hints, and worked solutions."""

import numpy as np

import fp16sim as fs

HINTS = {
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
