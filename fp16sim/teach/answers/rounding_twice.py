"""Rounding twice: hints, and worked solutions."""

import math
from fractions import Fraction

import numpy as np

import fp16sim as fs

HINTS = {
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
        "If one of the three is not finite, return a * b + c. Let exact = Fraction(a) * Fraction(b) + Fraction(c); "
        "if it is 0, return a * b + c, which knows the sign of zero; else fs.round_to of it.",
    ),
}


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

    np.nextafter walks one step toward x. Above the largest float32 the nearest is infinity, whose code is even, so
    the step leads back to the largest number, whose code is odd. The odd last bit remembers that something was cut
    off, and a second rounding to fewer digits cannot mistake it for a tie.
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
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return fs.round_to(exact, "binary16") if exact else a * b + c
