"""Solutions of the lesson "The quiz"."""

import numpy as np

import fp16sim as fs


def first_lost(fmt):
    # From 2^p on the ulp is 2; 2^p + 1 is a tie, and 2^p is the even one. Below, n + 1 is held.
    return 2 ** fs.get_format(fmt).precision


LAWS = {
    "commute": lambda a, b, c: (fs.add(a, b), fs.add(b, a)),
    "associate": lambda a, b, c: (fs.add(fs.add(a, b), c), fs.add(a, fs.add(b, c))),
    "distribute": lambda a, b, c: (fs.multiply(a, fs.add(b, c)), fs.add(fs.multiply(a, b), fs.multiply(a, c))),
    "cancel": lambda a, b, c: (fs.subtract(fs.add(a, b), a), b),
}


def holds(law, a, b, c):
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
    before, after = SIDES[rewrite]
    x = fs.all_values("binary16")
    with np.errstate(all="ignore"):
        y, z = before(x, c), after(x, c)
    alike = (y == z) & (np.signbit(y) == np.signbit(z)) | np.isnan(y) & np.isnan(z)
    return bool(np.all(alike))
