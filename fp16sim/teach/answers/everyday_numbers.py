"""Everyday numbers: puzzles, hints, and worked solutions."""

import itertools
from decimal import Decimal

import fp16sim as fs

from ..grading.puzzles import Puzzle


def _integers():
    """Small ones, those around 2^53 where float64 begins to leave some out, and large ones."""
    around = [2**k + n for k in (52, 53, 54, 60, 64) for n in range(-5, 6)]
    powers = [10**k + n for k in (3, 10, 15, 16, 17, 20, 22, 23, 30, 99) for n in (0, 1)]
    found = [0, 1, 42, 2049, *around, *powers, 2**100, 2**100 + 2**47, 2**100 + 2**48]
    return [*found, *(-n for n in found if n)]


def _quantities():
    largest = (1.0, 100.0, 179.9, 2047.0, 2048.0, 4000.0, 65504.0)
    steps = (2.0**-10, 2.0**-7, 0.01, 0.125, 0.5, 1.0, 2.0, 8.0, 32.0)
    return list(itertools.product(largest, steps, ("binary16", "bfloat16", "binary32", "binary64")))


PUZZLES = {
    "survives_json": Puzzle(
        "f(n)",
        "whether an integer n is the same after it was kept as a float64",
        "integers",
        _integers,
        lambda n: int(float(n)) == n,
        [
            (0, True),
            (2049, True),
            (2**53, True),
            (2**53 + 1, False),
            (2**53 + 2, True),
            (10**22, True),
            (10**23, False),
        ],
    ),
    "fine_enough": Puzzle(
        "f(largest, step, fmt)",
        "whether no ulp of a format is above step, for numbers up to largest",
        "quantities",
        _quantities,
        lambda largest, step, fmt: bool(fs.ulp(largest, fmt) <= step),
        [
            ((1.0, 2.0**-10, "binary16"), True),
            ((2048.0, 1.0, "binary16"), False),
            ((2048.0, 2.0, "binary16"), True),
            ((2047.0, 1.0, "binary16"), True),
            ((100.0, 0.125, "bfloat16"), False),
            ((100.0, 0.5, "bfloat16"), True),
        ],
    ),
}

HINTS = {
    "survives_json": (
        "Which function of Python makes a float64 of an integer? With what do you compare it?",
        "float(n) rounds to the nearest float64. If it is n itself, nothing was lost; Python compares an integer and a "
        "float exactly.",
        "Compare float(n) with n, using ==.",
    ),
    "fine_enough": (
        "Where is the ulp of a format the largest: at small numbers or at large ones?",
        "The ulp grows with the number, so it is enough to look at `largest`. fs.ulp(x, fmt) gives it.",
        "Return whether fs.ulp at largest, in fmt, is not above step: <=, not <.",
    ),
    "narrowest": (
        "How would you go through the four formats by hand? When can you stop?",
        "A loop over the four names, in the order of the list; return the first that passes two questions: is it large "
        "enough, and is it fine enough? After the loop nothing was found.",
        "In the loop: if fs.get_format(name).max_finite is at least largest, and fs.ulp of largest in it is at most "
        'step, return name. After the loop return "none".',
    ),
    "total_cents": (
        "Where would a float lose a cent? Can you get from the text to an integer without any float?",
        "Decimal(text) from the module decimal holds the price exactly, and times 100 it is exact, too, up to 28 "
        "digits. Make an integer of that, and add integers.",
        "Sum up int(Decimal(price) * 100) over all prices; the sum of no prices is 0.",
    ),
}


def survives_json(n):
    """float(n) is n exactly or the nearest float64; and Python compares an int and a float without rounding either.

    Up to 2^53 every integer survives. Above, those survive that are multiples of the ulp there: 2^53 + 2, and also
    10^22, which is 5^22 * 2^22: 5^22 has 52 digits in base two. 5^23 has 54, one too many, so 10^23 does not survive.
    """
    return float(n) == n


def fine_enough(largest, step, fmt):
    """The ulp never gets smaller when the number gets larger. So if it is fine enough at the largest, it is so below.

    It may be equal to the step: then each multiple of the step has a number of its own.
    """
    return bool(fs.ulp(largest, fmt) <= step)


def narrowest(largest, step):
    """The first that passes both questions. Of those of 16 bits, binary16 is finer, and bfloat16 goes further.

    So a large range with large steps falls to bfloat16, and a small range with small steps to binary16. The ulp is
    asked only where the format reaches so far.
    """
    for name in ("binary16", "bfloat16", "binary32", "binary64"):
        if fs.get_format(name).max_finite >= largest and fs.ulp(largest, name) <= step:
            return name
    return "none"


def total_cents(prices):
    """Decimal reads a text as people do, in base ten, so that 0.29 is 0.29. Times 100 it is an integer, exactly.

    int(float(price) * 100) makes 28 of "0.29". Rounding instead, round(float(price) * 100), looks right, and it is for
    small prices; above 2^53 cents float64 leaves out integers. Add integers, not Decimals, so that no sum is rounded.
    """
    return sum(int(Decimal(price) * 100) for price in prices)
