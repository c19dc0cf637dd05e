"""Sixteen bits: puzzles, hints, and worked solutions."""

import math

from ... import exact
from ...formats import BINARY16
from ..grading.puzzles import Puzzle


def _normal_codes():
    """The codes with sign 0 of the normal numbers of binary16: 1.0 first, then away from it."""
    return sorted(range(0x0400, 0x7C00), key=lambda code: abs(code - 0x3C00))


PUZZLES = {
    "sign_of": Puzzle(
        "f(code)",
        "the sign field, 0 or 1, of a code of binary16",
        "codes",
        range(2**16),
        lambda code: int(code >= 2**15),
        [(0x0000, 0), (0x8000, 1), (0x3C00, 0), (0xC000, 1), (0x7FFF, 0), (0xFFFF, 1)],
    ),
    "value_of_normal": Puzzle(
        "f(code)",
        "the value of a code of binary16 with sign 0 whose E is from 1 to 30",
        "codes",
        _normal_codes,
        lambda code: exact.decode(code, "binary16"),
        [(0x3C00, 1.0), (0x3C01, 1.0009765625), (0x4248, 3.140625), (0x0400, 2.0**-14), (0x7BFF, 65504.0)],
    ),
    "ulp_of_code": Puzzle(
        "f(code)",
        "the ulp of the number with a code of binary16 with sign 0 whose E is from 1 to 30",
        "codes",
        _normal_codes,
        lambda code: 2.0 ** exact.quantum_exponent(exact.decode(code, "binary16"), BINARY16),
        [
            (0x3C00, 2.0**-10),
            (0x3FFF, 2.0**-10),
            (0x4000, 2.0**-9),
            (0x6800, 2.0),
            (0x0400, 2.0**-24),
            (0x7BFF, 32.0),
        ],
    ),
    "is_nan": Puzzle(
        "f(code)",
        "whether a code of binary16 is a NaN: True or False",
        "codes",
        range(2**16),
        lambda code: exact.is_nan(exact.decode(code, "binary16")),
        [(0x0000, False), (0x7C00, False), (0x7C01, True), (0xFC00, False), (0xFE00, True), (0x7BFF, False)],
    ),
}

HINTS = {
    "sign_of": (
        "Which of the sixteen bits is the sign, and how many bits stand to its right?",
        "A shift to the right throws bits away at the right end. Shift until only the sign is left.",
        "Fifteen bits must go: `return code >> ...`",
    ),
    "value_of_normal": (
        "Which two integers do you need from the code, and which formula of the lesson takes them?",
        "E is what is left after a shift by ten places, because the sign is 0 here; T is the ten bits that `& 1023` "
        "keeps. The 1 in front of the fraction is not stored: you must add it.",
        "With E and T taken out, return 2.0 to the power E - 15, times (1 + T / 1024).",
    ),
    "ulp_of_code": (
        "How wide is the binade of this E, and how many numbers share it?",
        "The binade is 2^(E - 15) wide and has 1024 = 2^10 numbers, all at the same distance. T does not matter.",
        "2^(E - 15) / 2^10 is 2^(E - 25). Shift the code by ten places to get E, and put E - 25 for the dots.",
    ),
    "is_nan": (
        "Which row of the table of the lesson is about NaN? What does it ask of E, and what of T?",
        "E must be 31 and T must not be 0. The sign does not matter: there are NaN of both signs.",
        "Take E with `code >> 10 & 31` and T with `code & 1023`; then return E == 31 and ...",
    ),
    "my_classify": (
        "Which of the five rows of the table can you tell apart by E alone?",
        "E = 31 is infinity or NaN, E = 0 is zero or subnormal; in both, T decides. Every other E is normal.",
        "Ask for E == 31 first: NaN if T is not 0. Then for E == 0: subnormal if T is not 0. All that is left is "
        "normal.",
    ),
    "my_decode": (
        "What do the rows of the table have in common, so that the sign needs to be written only once?",
        "Compute the magnitude by the row to which E belongs, and change its sign at the end. With floats, the "
        "negative of 0.0 is -0.0, so that the zeros come out right.",
        "The magnitude is inf or nan for E = 31; T * 2.0**-24 for E = 0, also where T is 0; and for the others "
        "(1024 + T) * 2.0**(E - 25). Return the negative of it if the sign is 1.",
    ),
    "numbers_in_binade": (
        "How many different T are there for one E? And which k have an E of their own?",
        "From k = -14 to 15 there are 1024 numbers, one for each T. Below, the numbers are multiples of 2^-24: count "
        "how many multiples lie between 2^k and 2^(k + 1). Outside there are none.",
        "Between 2^k and 2^(k + 1) lie 2^k / 2^-24 = 2^(k + 24) multiples of 2^-24. So: 0 if k > 15 or k < -24, else "
        "the smaller one of 1024 and 2 ** (k + 24).",
    ),
}


def sign_of(code):
    """The sign is the leftmost bit. Fifteen bits stand to its right, and the shift throws them away."""
    return code >> 15


def value_of_normal(code):
    """The two integers are the fields: E after a shift, T under a mask.

    T / 1024 is the part behind the binary point, and the 1 before it is not stored, because it is always there. The
    power of two moves the point: E - 15 undoes the bias.
    """
    E, T = code >> 10, code & 1023
    return 2.0 ** (E - 15) * (1 + T / 1024)


def ulp_of_code(code):
    """A binade is 2^(E - 15) wide, and its 1024 numbers lie at equal distances: 2^(E - 15) / 2^10 = 2^(E - 25).

    T says which of the 1024 numbers it is; the distance is the same for all of them. It doubles when E grows by one.
    """
    return 2.0 ** ((code >> 10) - 25)


def is_nan(code):
    """The largest E is set aside for two things: infinity, where T is 0, and NaN, where it is not.

    So there are 1023 NaN of each sign. What the ten bits are does not change that it is a NaN.
    """
    E, T = code >> 10 & 31, code & 1023
    return E == 31 and T != 0


def take_apart(code):
    """The fields, as in the lesson: sign, E and T."""
    return code >> 15, code >> 10 & 31, code & 1023


def my_classify(code):
    """Only two values of E are special, and in both of them T decides between two cases.

    So the function asks for the special ones first. What is left is normal, 60 of 64 codes; the sign is not looked at.
    """
    _, E, T = take_apart(code)
    if E == 31:
        return "nan" if T else "infinity"
    if E == 0:
        return "subnormal" if T else "zero"
    return "normal"


def my_decode(code):
    """The magnitude first, by the row of the table; the sign last, in one place.

    1024 + T is the significand as an integer, with its implicit 1; it counts in units of 2^(E - 25), because 2^(E -
    15) / 1024 = 2^(E - 25). Where E is 0 there is no implicit 1, and the unit is that of E = 1: 2^-24. Zero needs no
    case of its own: it is the subnormal formula with T = 0. The negative of the float 0.0 is -0.0, so that the minus
    zero comes out by itself.
    """
    sign, E, T = take_apart(code)
    if E == 31:
        size = math.nan if T else math.inf
    elif E == 0:
        size = 2.0**-24 * T
    else:
        size = 2.0 ** (E - 25) * (1024 + T)
    return -size if sign else size


def numbers_in_binade(k):
    """Each E from 1 to 30 is one binade, and has a number for each of the 1024 values of T.

    The subnormal numbers are the multiples of 2^-24 below 2^-14. From 2^k up to 2^(k + 1) there are 2^(k + 24) of them:
    512 in the topmost of their binades, and one in the lowest. For k = -14 the formula gives 1024, so that the smaller
    of the two numbers is right on both sides of the border.
    """
    if k > 15 or k < -24:
        return 0
    return min(1024, 2 ** (k + 24))
