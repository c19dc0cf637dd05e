"""Solutions of the lesson "Rounding twice"."""

import math
from fractions import Fraction

import numpy as np

import fp16sim as fs


def my_parse(text):
    if text.lstrip("+-") in ("inf", "nan"):
        return float(text)
    size = fs.round_to(Fraction(text.lstrip("+-")), "binary16")
    return -size if text.startswith("-") else size


def to_odd_float32(x):
    if not math.isfinite(x):
        return x
    with np.errstate(all="ignore"):
        y = np.float32(x)
        if float(y) != x and int(y.view(np.uint32)) % 2 == 0:
            y = np.nextafter(y, np.float32(math.copysign(math.inf, x - float(y))))
    return float(y)


def my_fma(a, b, c):
    if not all(map(math.isfinite, (a, b, c))):
        return a * b + c  # no finite product of two numbers of binary16 overflows in a float
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return fs.round_to(exact, "binary16") if exact else a * b + c
