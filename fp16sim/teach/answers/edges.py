"""At the edges: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

import fp16sim as fs

from ... import exact
from ...formats import BINARY16
from ..grading.puzzles import Puzzle


def _errors():
    """Floats of at least 0: around 0.001, small, large, infinite, and NaN."""
    near = [0.001]
    for toward in (0.0, 1.0):
        x = 0.001
        for _ in range(20):
            x = math.nextafter(x, toward)
            near.append(x)
    powers = [m * 10.0**k for k in range(-8, 9) for m in (1, 2, 5)]
    return [1.0, 0.0, math.nan, math.inf, *near, *powers]


PUZZLES = {
    "digits_at": Puzzle(
        "f(k)",
        "how many bits the significand of binary16 has from 2^k up to 2^(k + 1), for k from -24 to 15",
        "integers",
        sorted(range(-24, 16), key=abs),
        lambda k: k + 1 - exact.quantum_exponent(Fraction(2) ** k, BINARY16),
        [(0, 11), (15, 11), (-14, 11), (-15, 10), (-20, 5), (-24, 1)],
    ),
    "keep_going": Puzzle(
        "f(error)",
        "False if the float error is known to be at most 0.001; else True, also for NaN",
        "numbers",
        _errors,
        lambda error: math.isnan(error) or error > 0.001,
        [(1.0, True), (0.0, False), (0.001, False), (math.nan, True), (math.inf, True), (0.0010001, True)],
    ),
}

HINTS = {
    "digits_at": (
        "At 2^-24 there is one bit, just below 2^-14 there are ten. How many are there at 2^-23, and at 2^-15?",
        "Where the numbers are multiples of 2^-24, one step down in k costs one bit, and at k = -24 one is left. From "
        "k = -14 on it is 11, and `min` sees to that.",
        "What you need is 1 at k = -24, 2 at k = -23, and so on: k plus a constant. Which one?",
    ),
    "keep_going": (
        "Which comparison of NaN with 0.001 is true? And which of them are false?",
        "All of <, <=, >, >= are false for NaN. So write the comparison that says that the error is small: NaN fails "
        "it, and so does a large error. Then turn the answer around.",
        "Compare: error is at most 0.001. Put `not` before the comparison, in brackets.",
    ),
    "same": (
        "For which two floats does == say yes although they differ? And for which does it say no to a number and "
        "itself?",
        "NaN is the only float that is not equal to itself: that finds it. 0.0 and -0.0 are equal; their signs tell "
        "them apart, and math.copysign(1, x) reads a sign.",
        "If one of them is NaN, both must be: a != a finds it. Else a == b is needed, and the same "
        "math.copysign(1, ...) for both.",
    ),
    "my_next_up": (
        "What happens to a positive number if its code grows by 1? And to a negative one?",
        "Codes grow with the magnitude. So going up is one code more for a positive number, and one code less for a "
        "negative one. Zero has no such neighbour below it, and is a case of its own; infinity and NaN stay.",
        "Return x for NaN and for infinity, and 2.0**-24 for both zeros. Else encode x, add 1 if x > 0 or subtract "
        "1, and decode. -2^-24 then becomes -0.0 by itself, and -infinity becomes -65504.",
    ),
    "my_ulp": (
        "Which part of this have you written in the lesson on rounding? What is new at the edges?",
        "Between 2^e and 2^(e + 1) it is 2^(e - 10), and e is never taken below -14. New are infinity, whose ulp is "
        "infinity, and NaN, whose ulp is NaN.",
        "abs(x) is the answer for an infinity and for NaN. Else e is math.frexp(x)[1] - 1, or -14 for zero, and the "
        "answer is 2.0 to the power max(e, -14) - 10.",
    ),
    "mean": (
        "Which of the two steps of (a + b) / 2 can overflow? Which could lose a digit among the smallest numbers?",
        "a + b overflows for the largest numbers; there, halving first is exact. Among the smallest numbers, halving "
        "first loses the last digit; there, the sum is exact. So the one way is right where the other is wrong.",
        "Compute total = a + b. If it is finite, return half of it; if it is infinite, return the sum of the halves.",
    ),
}


def digits_at(k):
    """The numbers from 2^k on are integers times 2^-24 there, from 2^(k + 24) on: such an integer has k + 25 bits.

    From k = -14 on that would be 11 and more, but the significand has only 11: from there on the ulp grows instead.
    """
    return min(11, k + 25)


def keep_going(error):
    """The comparison says when to stop: only if the error is known to be small. NaN is not known to be anything.

    `error > 0.001` gives the same for all numbers, but not for NaN, for which both comparisons are false.
    """
    return not (error <= 0.001)


def same(a, b):
    """== is not identity: it says that 0.0 and -0.0 are equal, and that NaN differs from itself.

    The first line deals with NaN: a != a is true for NaN alone. The last one adds to == what it overlooks, the sign of
    zero. For all other numbers the two signs are equal anyway.
    """
    if a != a or b != b:
        return a != a and b != b
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def my_next_up(x):
    """The order of the codes is the order of the magnitudes: that is what the biased exponent is good for.

    So up means away from zero for a positive number, toward zero for a negative one. 65504 has the code before that
    of infinity, and -infinity the code after that of -65504, so that both ends need no case of their own. At zero the
    codes of the two signs do not touch: from either zero the way up leads to the smallest positive number.
    """
    if x != x or x == math.inf:
        return x
    if x == 0:
        return 2.0**-24
    code = int(fs.encode(x))
    return float(fs.decode(code + 1 if x > 0 else code - 1))


def my_ulp(x):
    """The exponent is read, not computed, and never taken below -14: there the gaps stop shrinking.

    Zero belongs to the subnormal numbers, whose gap is 2^-24. Infinity has no next number at a finite distance.
    """
    if x != x or abs(x) == math.inf:
        return abs(x)
    exponent = math.frexp(x)[1] - 1 if x else -14
    return 2.0 ** (max(exponent, -14) - 10)


def mean(a, b):
    """Two ways, each right where the other fails.

    If the sum is finite, halving it is the only step that may round, and that only among the subnormal numbers: it is
    the correctly rounded mean, because the sum of two small numbers is exact. If the sum overflows, both numbers are
    huge, and their halves are exact: then only the addition rounds.
    """
    total = a + b
    return total / 2 if abs(total) != math.inf else a / 2 + b / 2
