"""Linear systems: puzzles, hints, and worked solutions."""

import math

import numpy as np

import fp16sim as fs

from ... import exact
from ...codes import all_values
from ..grading.puzzles import Puzzle


def _ordinary(seed, columns):
    """Numbers of binary16 between 2^-6 and 64."""
    values = np.asarray(all_values("binary16"))
    values = values[np.isfinite(values) & (abs(values) < 64) & (abs(values) > 2.0**-6)]
    return np.random.default_rng(seed).choice(values, (1200, columns))


def _steps():
    simple = [(9.0, 0.5, 4.0), (1.0, 10000.0, 1.0), (2.0, 0.333251953125, 3.0), (8.0, 0.25, 5.0), (0.0, 300.0, 300.0)]
    return simple + [tuple(row) for row in _ordinary(3, 3).tolist()]


def _eliminated(x, factor, y):
    return exact.subtract(x, exact.multiply(factor, y, "binary16"), "binary16")


def _equations():
    simple = [
        ([3.0, 1.0], [2.0, 2.5], 9.0),
        ([1.0, 2.0], [2.0, 3.0], 8.0),
        ([1.0, 1.0], [2.0**30, 2.0**-30], 2.0**30),
        ([0.1, 0.2], [1.0, 1.0], 0.3),
    ]
    rows = _ordinary(4, 7)[:400] * (1 + 2.0**-30)
    return simple + [(row[:3].tolist(), row[3:6].tolist(), float(row[6])) for row in rows]


def _residual(row, x, b):
    products = [exact.multiply(u, v, "binary64") for u, v in zip(row, x, strict=True)]
    total = products[0]
    for product in products[1:]:
        total = exact.add(total, product, "binary64")
    return exact.subtract(b, total, "binary64")


PUZZLES = {
    "eliminated": Puzzle(
        "f(x, factor, y)",
        "x - factor * y in binary16: the product is rounded, and so is the difference",
        "cases",
        _steps,
        _eliminated,
        [
            ((9.0, 0.5, 4.0), 7.0),
            ((1.0, 10000.0, 1.0), -10000.0),
            ((8.0, 0.25, 5.0), 6.75),
            ((0.0, 300.0, 300.0), -math.inf),
        ],
    ),
    "residual_of": Puzzle(
        "f(row, x, b)",
        "b - row . x, all steps in binary64",
        "equations",
        _equations,
        _residual,
        [
            (([3.0, 1.0], [2.0, 2.5], 9.0), 0.5),
            (([1.0, 2.0], [2.0, 3.0], 8.0), 0.0),
            (([1.0, 1.0], [2.0**30, 2.0**-30], 2.0**30), 0.0),
            (([0.1, 0.2], [1.0, 1.0], 0.3), -(2.0**-54)),
        ],
    ),
}

HINTS = {
    "eliminated": (
        "How many roundings does one step have, and which function of the library does each?",
        "Two: fs.multiply rounds the product, and fs.subtract rounds the difference. The second takes what the first "
        "gives.",
        "fs.subtract of x and something; this something is fs.multiply of factor and y.",
    ),
    "residual_of": (
        "Which format has the digits that a difference of nearly equal numbers needs?",
        "binary64, for both steps: the dot product, and the difference from b.",
        'fs.subtract of b and fs.dot(row, x, "binary64"), with "binary64" as its last argument too.',
    ),
    "upper_solve": (
        "Which equation has one unknown only? Which has two, once that one is known?",
        "Go through the rows from the last to the first. In each, subtract the products with the unknowns that you "
        "have already, and divide by the number on the diagonal.",
        "for i in reversed(range(n)): start from b[i]; for j in range(n - 1, i, -1) subtract with fs.subtract the "
        "product fs.multiply(u[i][j], x[j]); x[i] is fs.divide(that, u[i][i]).",
    ),
    "corrections": (
        "How many binary digits does each correction add, and how many are missing?",
        "goal - start digits are missing, and each correction brings k. The last one may bring more than needed.",
        "Divide goal - start by k and round up; if nothing is missing, the answer is 0.",
    ),
}


def eliminated(x, factor, y):
    """Two roundings: the product, then the difference. If the product is large, the difference absorbs x."""
    return fs.subtract(x, fs.multiply(factor, y))


def residual_of(row, x, b):
    """The left side and b agree in their first digits. The difference shows the rest, so both need a wide format."""
    return fs.subtract(b, fs.dot(row, x, "binary64"), "binary64")


def upper_solve(u, b):
    """The last equation has one unknown. Each equation above it has one more, and the others are known.

    Every product, every difference and the quotient are rounded. The order matters for the last bits: here the unknowns
    are subtracted in the order in which they were found.
    """
    n = len(b)
    x = [0.0] * n
    for i in reversed(range(n)):
        left = b[i]
        for j in range(n - 1, i, -1):
            left = fs.subtract(left, fs.multiply(u[i][j], x[j]))
        x[i] = float(fs.divide(left, u[i][i]))
    return x


def corrections(k, start, goal):
    """goal - start binary digits are missing, and each correction brings k of them: the quotient, rounded up.

    -(-a // b) rounds a quotient of integers up. No digit is missing if the error is small enough already.
    """
    return max(0, -(-(goal - start) // k))
