"""Rounding twice: puzzles, hints, and worked solutions."""

import itertools
import math
from fractions import Fraction

import numpy as np

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle


def _around_ties():
    """Numbers from 1 to 2: some of binary16, ties of binary16, and what lies beside both."""
    yield from (1.0, 1.5, 1.25, 1.1, 1.9)
    for odd, k in itertools.product((1, 2, 3, 4, 5, 1001, 1003, 2045, 2047), range(12, 53)):
        yield from (1 + odd * 2.0**-11 + step for step in (0.0, 2.0**-k, -(2.0**-k)))


def _around_integers():
    """Small and large integers, and what lies between them."""
    yield from (0.0, 1.0, 2.0, 0.5, 1.5, 2.5, 0.1, 1.9, 2.1)
    for n in (3.0, 4.0, 5.0, 100.0, 101.0, 2.0**40, 2.0**40 + 1):
        yield from (n, n + 0.25, n + 0.5, n + 0.75, float(np.nextafter(n, 0)), float(np.nextafter(n, np.inf)))
    yield from (5e-324, 2.0**52 + 1, 2.0**53, 1e300)


PUZZLES = {
    "differs_through_float32": Puzzle(
        "f(x)",
        "whether a float x becomes another number of binary16 when it is rounded to binary32 first: True or False",
        "numbers",
        lambda: dict.fromkeys(_around_ties()),
        lambda x: exact.round_to(exact.round_to(x, "binary32"), "binary16") != exact.round_to(x, "binary16"),
        [
            (1.0, False),
            (1.1, False),
            (1 + 2.0**-11, False),
            (1 + 2.0**-11 + 2.0**-40, True),
            (1 + 2.0**-11 - 2.0**-40, False),
            (1 + 2.0**-11 + 2.0**-20, False),
            (1 + 3 * 2.0**-11 - 2.0**-40, True),
            (1 + 3 * 2.0**-11 + 2.0**-40, False),
        ],
    ),
    "to_odd_integer": Puzzle(
        "f(x)",
        "a float x >= 0 rounded to an integer: x itself, or of its two neighbours the odd one",
        "numbers",
        lambda: dict.fromkeys(_around_integers()),
        lambda x: int(x) if x == int(x) else int(x) // 2 * 2 + 1,
        [(0.0, 0), (4.0, 4), (4.1, 5), (4.9, 5), (5.0, 5), (5.1, 5), (5.9, 5), (0.5, 1), (2.5, 3), (3.5, 3)],
    ),
}

HINTS = {
    "differs_through_float32": (
        "Which two ways lead from x to binary16, and what do you do with their results?",
        "fs.round_to(x, fmt) rounds once, to any format. One way has one rounding, the other has two, and the first of "
        "the two goes to binary32.",
        'Compare fs.round_to(x, "binary16") with what comes out when fs.round_to(x, "binary32") is rounded to '
        '"binary16".',
    ),
    "to_odd_integer": (
        "Of two neighbouring integers, one is even and one is odd. How do you get the odd one from the lower one?",
        "int(x) is the lower neighbour. If it is x, it is the answer. If not, the answer is the odd one of int(x) and "
        "int(x) + 1, and both have the same bits except the last one, when int(x) is even.",
        "Setting the last bit makes an integer odd: n | 1. So: int(x) if it equals x, else int(x) | 1.",
    ),
    "my_parse": (
        "float(text) would be the first rounding. What keeps every digit of a decimal text?",
        'Fraction("0.1") is exactly one tenth. Round that once with fs.round_to. The texts without a Fraction are '
        '"inf" and "nan", and a Fraction has no -0: keep the sign of the text apart.',
        'Strip the sign with text.lstrip("+-"). If "inf" or "nan" is left, float(text) is right. Else round the '
        'Fraction of what is left, and negate it if text starts with "-".',
    ),
    "to_odd_float32": (
        "np.float32(x) gives the nearest neighbour. In which cases is it the answer, and in which is it the other one?",
        "If float32 has x, or if the nearest neighbour has an odd last bit, it is the answer. Else the answer lies "
        "on the other side of x. The last bit is that of the code: y.view(np.uint32) is the code.",
        "Let y = np.float32(x). If float(y) != x and its code is even, take np.nextafter(y, ...) toward the side of x: "
        "toward infinity with the sign of x - float(y). From infinity that leads back to the largest number, as it "
        "must.",
    ),
    "my_fma": (
        "Where does a * b + c round twice, in Python's floats as well?",
        "Products of two numbers of binary16 are exact in a float, but the sum with c is not always. Compute all with "
        "Fraction, and round once. Where something is not finite, or the result is exactly 0, a * b + c is right.",
        "If one of the three is not finite, return a * b + c. Let total = Fraction(a) * Fraction(b) + Fraction(c); "
        "if it is 0, return a * b + c, which knows the sign of zero; else fs.round_to of it.",
    ),
}


def differs_through_float32(x):
    """Once, and twice: the numbers for which the two differ lie within half a float32 gap of a tie of binary16.

    On one side of the tie, that is. On the other side the tie goes to the right neighbour by luck, because ties go to
    the even one.
    """
    once = fs.round_to(x, "binary16")
    twice = fs.round_to(fs.round_to(x, "binary32"), "binary16")
    return bool(once != twice)


def to_odd_integer(x):
    """The last bit remembers that something was cut off: it is a sticky bit.

    An even result says that x was this integer. An odd result says that x lies strictly between the two even
    neighbours, or is this odd integer.
    """
    n = int(x)
    return n if n == x else n | 1


def my_parse(text):
    """Fraction(text) is the number that stands there, so that fs.round_to is the only rounding.

    float(text) would round to 53 digits first, and a text just above a tie could become the tie. The sign is kept
    apart, because a Fraction has no minus zero; rounding to nearest treats both signs alike.
    """
    if text.lstrip("+-") in ("inf", "nan"):
        return float(text)
    size = fs.round_to(Fraction(text.lstrip("+-")), "binary16")
    return -size if text.startswith("-") else size


def to_odd_float32(x):
    """Of two neighbours exactly one has an odd code. If the nearest one is even and not x itself, it is the other
    one.

    np.nextafter walks one step toward the side of x. Above the largest float32 the nearest is infinity, whose code is
    even, so the step leads back to the largest number, whose code is odd. The odd last bit remembers that something
    was cut off, and a second rounding to fewer digits cannot mistake it for a tie.
    """
    if not math.isfinite(x):
        return x
    with np.errstate(all="ignore"):
        y = np.float32(x)
        if float(y) != x and int(y.view(np.uint32)) % 2 == 0:
            y = np.nextafter(y, np.float32(math.copysign(math.inf, x - float(y))))
    return float(y)


def my_fma(a, b, c):
    """One exact result, one rounding: that is what "fused" means.

    A result of exactly 0 needs the rule for signs, and so do infinities and NaN. In these cases a * b + c in Python's
    floats commits no error, so its signs are the right ones.
    """
    if not all(map(math.isfinite, (a, b, c))):
        return a * b + c  # no finite product of two numbers of binary16 overflows in a float
    total = Fraction(a) * Fraction(b) + Fraction(c)
    return fs.round_to(total, "binary16") if total else a * b + c
