"""Sums: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

import numpy as np

import fp16sim as fs

from ... import exact
from ...codes import all_values
from ..grading.puzzles import Puzzle


def _terms():
    """Numbers of binary16 from 1/16 to 16: the simple ones first, then a sample of all."""
    values = np.unique(np.asarray(all_values("binary16")))
    values = values[(values >= 1 / 16) & (values <= 16)]
    return [1.0, 2.0, 0.5, 3.0, 0.0999755859375, 0.70019531250, 16.0, 0.0625, *values[1::61].tolist()]


def _stall(term):
    """Doubles a total until the exact sum, rounded once, is the total again."""
    total = 1.0
    while exact.add(total, term, "binary16") != total:
        total *= 2
    return total


def _pairs():
    """Two numbers of binary16, the larger one first: beside 2048 and 1, of both signs, and of many sizes."""
    simple = [(2048.0, y) for y in (1.0, 3.0, 0.5, 2.0, -1.0, -0.75)] + [(-2048.0, 1.0), (1.0, 1.0), (1.0, 2.0**-11)]
    rng = np.random.default_rng(5)
    values = np.asarray(all_values("binary16"))
    values = values[np.isfinite(values) & (np.abs(values) < 32768)]
    drawn = rng.choice(values, (2, 600))
    large, small = np.where(np.abs(drawn[0]) >= np.abs(drawn[1]), drawn, drawn[::-1])
    near = np.asarray(fs.round_to(large * rng.uniform(-1, 1, 600), "binary16"))
    pairs = [*zip(large.tolist(), small.tolist(), strict=True), *zip(large.tolist(), near.tolist(), strict=True)]
    return simple + [(s, y) for s, y in pairs if abs(s) >= abs(y) > 0]


def _too_much(s, y):
    """The rounded sum minus the exact one. No difference is a plain zero, as in a subtraction of equal numbers."""
    return float(Fraction(exact.add(s, y, "binary16")) - Fraction(s) - Fraction(y))


PUZZLES = {
    "stalls_at": Puzzle(
        "f(term)",
        "the power of two at which a binary16 sum of many equal terms, from 1/16 to 16, stops",
        "terms",
        _terms,
        _stall,
        [(1.0, 2048.0), (2.0, 4096.0), (0.5, 1024.0), (3.0, 8192.0), (0.0999755859375, 256.0), (16.0, 32768.0)],
    ),
    "too_much": Puzzle(
        "f(s, y)",
        "how much the sum of s and y, rounded to binary16, is too large; s and y are of binary16, |s| >= |y|",
        "pairs",
        _pairs,
        _too_much,
        [
            ((2048.0, 1.0), -1.0),
            ((2048.0, 3.0), 1.0),
            ((2048.0, 2.0), 0.0),
            ((-2048.0, 1.0), 0.0),
            ((2048.0, 0.5), -0.5),
            ((1.0, 2.0**-11), -(2.0**-11)),
        ],
    ),
    "chance_up": Puzzle(
        "f(x)",
        "how likely a float x, 2048 <= x < 4096, goes up to the next number of binary16 in stochastic rounding",
        "numbers",
        lambda: [2048.0, 2048.5, 2049.0, 2050.0, 2051.5, 4095.75, *np.arange(2048, 4096, 0.625).tolist()],
        lambda x: float((Fraction(x) % 2) / 2),
        [(2048.0, 0.0), (2048.5, 0.25), (2049.0, 0.5), (2051.5, 0.75), (4095.75, 0.875), (2050.0, 0.0)],
    ),
}

HINTS = {
    "stalls_at": (
        "When does a term change a total, and how can you ask that with fs.add?",
        "If a term is lost, the rounded sum is the total that was there before. As long as it is another number, the "
        "term still counts.",
        "The condition compares two numbers with ==: what fs.add gives for total and term, and total itself.",
    ),
    "too_much": (
        "t is the rounded sum. How much of t came from adding y? How much should have come?",
        "What arrived is t minus s. What should have arrived is y. The difference of the two is the answer, in this "
        "order.",
        "Subtract s from t, and then y from that: with fs.subtract twice, or with plain minus signs, which are exact "
        "for these small numbers.",
    ),
    "chance_up": (
        "Between 2048 and 4096 the numbers of binary16 are the even integers. How far is x above the one below it?",
        "The way from one even integer to the next is 2 long. The chance is the part of it that x has gone: 0 at the "
        "lower end, a half in the middle.",
        "x % 2 is how far x is above the even integer below it. Divide it by the length of the way.",
    ),
    "my_pairwise_sum": (
        "If you had a function that sums each of the two halves, what would be left to do?",
        "The function can call itself for both halves, and adds the two results with fs.add. Lists of one term, and of "
        "none, end it.",
        "If there are fewer than two values, return the one, or 0.0. half = len(values) // 2; add what the function "
        "gives for values[:half] and for values[half:].",
    ),
    "my_kahan_sum": (
        "After a rounded addition t = s + y, how can you find out what t has too much?",
        "(t - s) is what really arrived, and (t - s) - y is how much too much that was: it is subtracted from the next "
        "term. Each of these steps is rounded as well. Start from the first term, with nothing extra.",
        "For each further x: y = x - extra; t = s + y; extra = (t - s) - y; s = t. All with fs.add and fs.subtract. "
        "The result is s.",
    ),
    "my_stochastic": (
        "How far has x gone from its neighbour toward zero to the one away from zero? Where do you find that number?",
        "Lift: |x| / ulp is an integer and a fraction f. Go to the next integer if u < f. Then put back, and put the "
        "sign back. From 65536 on, x is infinite.",
        "below = math.floor(abs(x) / ulp); the size is (below + (u < abs(x) / ulp - below)) * ulp, which is infinite "
        "above 65504. The ulp is that of the lesson on rounding, with e never below -14.",
    ),
}


def stalls_at(term):
    """Each power of two is tried: does adding the term give back what was there before?

    At powers of two the ulp doubles, so a term that is lost is lost there first. For a term of 1 that is 2048, where
    half an ulp is 1 and the tie goes to the even 2048.
    """
    totals = (2.0**k for k in range(16))
    return next(total for total in totals if fs.add(total, term) == total)


def too_much(s, y):
    """t - s is what the sum has gained, and y is what it should have gained.

    For |s| >= |y| both subtractions are exact, also in binary16: t and s are so near to each other that their
    difference has few digits. So the rounding error of an addition can be computed without any error.
    """
    t = fs.add(s, y)
    return fs.subtract(fs.subtract(t, s), y)


def chance_up(x):
    """x % 2 is the way that x has gone from the even integer below it; the whole way to the next one is 2.

    So a number of binary16 has the chance 0 and stays, and a tie goes up in half of all cases. On average the result is
    the lower number plus 2 times the chance, which is x.
    """
    return x % 2 / 2


def my_pairwise_sum(values):
    """The function calls itself, and only ever adds two numbers.

    Each term goes through about log2(n) additions instead of up to n, so that the error grows with log2(n). The same
    number of additions is made as in the plain loop.
    """
    if len(values) < 2:
        return values[0] if values else 0.0
    half = len(values) // 2
    return fs.add(my_pairwise_sum(values[:half]), my_pairwise_sum(values[half:]))


def my_kahan_sum(values):
    """`extra` is what the last addition added too much; it is taken from the next term before that is added.

    t - s is exact in nearly all cases, because t is near s: so extra is what the rounding of s + y did. In exact
    arithmetic it would always be 0, which is why a compiler that rearranges sums removes it.
    """
    if not values:
        return 0.0
    s, extra = values[0], 0.0
    for x in values[1:]:
        y = fs.subtract(x, extra)
        t = fs.add(s, y)
        s, extra = t, fs.subtract(fs.subtract(t, s), y)
    return s


def my_stochastic(x, u):
    """Lift, and let u decide whether the integer below becomes the next one: with probability f it does.

    u < f, and not u <= f: a number of the format has f = 0, and must stay even if u is 0. Working with the magnitude
    makes both signs alike. The mean of many such results is x itself, which no rounding to nearest can promise.
    """
    if not math.isfinite(x):
        return x
    if abs(x) >= 65536:
        return math.copysign(math.inf, x)
    exponent = math.frexp(x)[1] - 1 if x else -14
    ulp = 2.0 ** (max(exponent, -14) - 10)
    below = math.floor(abs(x) / ulp)
    size = (below + (u < abs(x) / ulp - below)) * ulp
    return math.copysign(math.inf if size > 65504 else size, x)
