"""Rounding: puzzles, hints, and worked solutions."""

import math

import numpy as np

from ... import exact
from ...codes import all_values
from ..grading.puzzles import Puzzle


def _around_even_integers():
    """From 2048 up to 4096, where the numbers of binary16 are the even integers: integers, quarters, and what lies
    beside them."""
    quarters = np.arange(2048, 4096, 0.25)
    x = np.concatenate([quarters[::4], quarters, np.nextafter(quarters, 5000), np.nextafter(quarters[1:], 0)])
    return list(dict.fromkeys(x.tolist()))


def _positive_numbers():
    """The numbers of binary16 from 1 on, the middles between them, what lies beside both; and large numbers."""
    values = np.unique(np.asarray(all_values("binary16")))
    values = values[np.isfinite(values) & (values >= 1)]
    x = np.unique(np.concatenate([values, (values[1:] + values[:-1]) / 2, [65519.0, 65520.0, 65536.0, 1e5, 1e300]]))
    return list(dict.fromkeys(np.concatenate([x, np.nextafter(x, 0), np.nextafter(x, np.inf)]).tolist()))


PUZZLES = {
    "is_tie": Puzzle(
        "f(x)",
        "whether a float x from 2048 up to 4096 lies exactly in the middle of two neighbours of binary16",
        "numbers",
        _around_even_integers,
        lambda x: x % 2 == 1,
        [(2048.0, False), (2049.0, True), (2049.5, False), (2051.0, True), (4095.0, True), (3000.0, False)],
    ),
    "nearest_even_integer": Puzzle(
        "f(x)",
        "a float x from 2048 up to 4096, rounded to binary16, ties to even: there, binary16 has the even integers",
        "numbers",
        _around_even_integers,
        lambda x: exact.round_to(x, "binary16"),
        [(2048.0, 2048.0), (2049.0, 2048.0), (2050.5, 2050.0), (2051.0, 2052.0), (2051.5, 2052.0), (4095.0, 4096.0)],
    ),
    "overflows": Puzzle(
        "f(x)",
        "whether a float x from 1 on becomes infinity when it is rounded to binary16: True or False",
        "numbers",
        _positive_numbers,
        lambda x: exact.round_to(x, "binary16") == math.inf,
        [(1.0, False), (65504.0, False), (65519.0, False), (65520.0, True), (65536.0, True), (1e300, True)],
    ),
}

HINTS = {
    "is_tie": (
        "Between 2048 and 4096 the numbers of binary16 are the even integers. Which numbers lie in the middle of two?",
        "The middle between 2048 and 2050 is 2049, an odd integer. 2049.5 is an integer plus a half, and no tie.",
        "A number is an odd integer if its remainder after division by 2 is exactly 1: compare x % 2 with 1.",
    ),
    "nearest_even_integer": (
        "What do you get if you divide x by the ulp, which is 2 here? Which of Python's functions takes ties to even?",
        "Lift, round, put back: x / 2 is an integer exactly where x is a number of binary16. Round it to an integer; "
        "Python's `round` takes ties to even.",
        "Divide x by 2, use `round` on it, and multiply the integer by 2.0.",
    ),
    "overflows": (
        "Which number would come after 65504, if there were one more exponent? What lies in the middle?",
        "The rule is: round as if there were no end, and what becomes 65536 is infinite. The middle is 65520. Its "
        "lower neighbour 65504 has an odd last bit, so the tie goes up.",
        "Compare x with 65520; think about whether 65520 itself belongs to it.",
    ),
    "ulp_of": (
        "For x = 5.0, which power of two is the largest that is not above x? How do you find it without a logarithm?",
        "math.frexp(x) gives a fraction of at least 0.5 and an exponent: 2^(that exponent - 1) <= |x|. The exponent "
        "used for the ulp is never below -14, and math.frexp(0.0) is a case of its own.",
        "e = math.frexp(x)[1] - 1, or -14 for x = 0. Then the ulp is 2.0 to the power max(e, -14) - 10.",
    ),
    "round_to_half": (
        "If you divide x by its ulp, which numbers become integers? What is then left to do?",
        "Lift, round to an integer, put back. `round` takes ties to even. Infinity and NaN are returned first, what "
        "goes beyond 65504 becomes infinite afterwards, and the sign is put back last.",
        """Return x at once if it is not finite. Then

            y = round(x / ulp_of(x)) * ulp_of(x)

        is right where |y| <= 65504; beyond, it is infinite. math.copysign(..., x) puts the sign back, also that of a
        zero. For a huge x, such as 1e300, the integer is beyond every need: decide by |x| >= 2.0**17 before.""",
    ),
    "round_up_half": (
        "Which of Python's functions rounds up to an integer? Does it also go up for negative numbers?",
        "math.ceil goes up for both signs. At the ends look at what exists: above 65504 the next value is infinity. "
        "Below -65504 the next value above is -65504 itself.",
        "Return x if it is not finite; infinity if x > 65504; -65504.0 if x < -65504. Else use math.ceil on x / "
        "ulp_of(x), multiply back, and let math.copysign keep the sign of a zero: -0.3 of the smallest number goes "
        "up to -0.0.",
    ),
    "truncate_to_bf16": (
        "In which way does cutting off treat negative numbers? What can it never do to a finite number?",
        "Work with |x|: math.floor of |x| / ulp goes toward zero, and the sign comes back last. In bfloat16 the ulp is "
        "2^(e - 7), with e never below -126. A number above the largest becomes the largest.",
        "largest = math.ldexp(2 - 2.0**-7, 127). If |x| > largest, the size is largest; else it is "
        "math.floor(abs(x) / ulp) * ulp. Return math.copysign of the size and x; infinities and NaN come first.",
    ),
}


def is_tie(x):
    """The even integers are the numbers of binary16 here, so the middles are the odd integers, and nothing else.

    x % 2 is exact for floats: it is 1.0 for an odd integer, and 1.5 or 0.25 or the like for others.
    """
    return x % 2 == 1


def nearest_even_integer(x):
    """Lift, round, put back, with the ulp 2. Dividing by a power of two changes no digit, so only `round` rounds."""
    return round(x / 2) * 2.0


def overflows(x):
    """From 65520 on, the tie included: it goes to the even neighbour, which is 65536, and that does not exist.

    65519.99 is nearer to 65504 and stays finite.
    """
    return x >= 65520


def quantum(x, precision, emin):
    """2^(e - precision + 1), where e is the exponent of x, but never below emin."""
    exponent = math.frexp(x)[1] - 1 if x else emin
    return 2.0 ** (max(exponent, emin) - precision + 1)


def ulp_of(x):
    """math.frexp reads the exponent field and computes nothing, so that it is right also just below a power of two.

    Its fraction is at least 0.5, ours at least 1: its exponent is one more than ours. max(..., -14) says that below
    2^-14 the gaps stop shrinking. The function takes precision and smallest exponent as arguments, so that the same
    lines serve bfloat16 in the last exercise.
    """
    return quantum(x, 11, -14)


def round_to_half(x):
    """Lift, round to an integer, put back. Dividing by the ulp, a power of two, is exact, so only `round` rounds.

    `round` takes ties to even, and the last bit of the integer is the last bit of the number. The top needs no rule
    of its own for ties: the result 65536 is above 65504, and becomes infinite. A number of 2^17 or more is infinite
    in any case; asking first keeps the integers small. The sign is put back at the end, so that a small negative
    number becomes -0.0.
    """
    if not math.isfinite(x):
        return x
    ulp = ulp_of(x)
    y = round(x / ulp) * ulp if abs(x) < 2.0**17 else math.inf
    return math.copysign(math.inf if abs(y) > 65504 else y, x)


def round_up_half(x):
    """math.ceil goes up for both signs: toward the larger number, not away from zero.

    What would lie above 65504 is infinity. Below -65504 the next value above is -65504, however far away x is. What
    goes up to zero from below becomes -0.0: math.ceil gives the integer 0, which has no sign, and math.copysign puts
    it back.
    """
    if not math.isfinite(x):
        return x
    if x > 65504:
        return math.inf
    if x < -65504:
        return -65504.0
    ulp = ulp_of(x)
    return math.copysign(math.ceil(x / ulp) * ulp, x)


def truncate_to_bf16(x):
    """Cutting off means floor of the magnitude, and then the sign: floor of a negative number would go away from zero.

    Only the numbers of the format differ from the exercises above: 8 digits, and exponents from -126. A finite number
    never becomes infinite, because the largest number is always nearer to zero than what lies beyond it.
    """
    if not math.isfinite(x):
        return x
    largest = math.ldexp(2 - 2.0**-7, 127)
    ulp = quantum(x, 8, -126)
    size = largest if abs(x) > largest else math.floor(abs(x) / ulp) * ulp
    return math.copysign(size, x)
