"""Solutions of the lesson "Sixteen bits"."""

import math


def my_fields(code):
    return code >> 15, code >> 10 & 31, code & 1023


def my_classify(code):
    _, biased, trailing = my_fields(code)
    if biased == 31:
        return "nan" if trailing else "infinity"
    if biased == 0:
        return "subnormal" if trailing else "zero"
    return "normal"


def my_decode(code):
    sign, biased, trailing = my_fields(code)
    if biased == 31:
        size = math.nan if trailing else math.inf
    elif biased == 0:
        size = 2.0**-24 * trailing
    else:
        size = 2.0 ** (biased - 25) * (1024 + trailing)
    return -size if sign else size


def numbers_in_binade(k):
    if k > 15 or k < -24:
        return 0
    return min(1024, 2 ** (k + 24))
