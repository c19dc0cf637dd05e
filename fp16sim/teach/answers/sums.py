"""Sums: hints, and worked solutions."""

import math

import fp16sim as fs

HINTS = {
    "my_sum": (
        "From which number does the first addition start? What does 0.0 + -0.0 give?",
        "Start from the first term, so that a sum of -0.0 alone stays -0.0. Then add one term after the other with "
        "fs.add, which rounds each partial sum. The sum of nothing is 0.0.",
        "total = values[0]; for each x in values[1:], total = fs.add(total, x). Return 0.0 first if the list is empty.",
    ),
    "my_pairwise_sum": (
        "If you had a function that sums each of the two halves, what would be left to do?",
        "The function can call itself for both halves, and adds the two results with fs.add. Lists of one term, and of "
        "none, end it.",
        "If there are fewer than two values, return the one, or 0.0. half = len(values) // 2; add what the function "
        "gives for values[:half] and for values[half:].",
    ),
    "my_kahan_sum": (
        "After a rounded addition t = s + y, how can you find out what was lost?",
        "(t - s) is what really arrived, and (t - s) - y is how much too much that was: it is subtracted from the next "
        "term. Each of these steps is rounded as well. Start from the first term with nothing lost.",
        "For each further x: y = x - lost; t = s + y; lost = (t - s) - y; s = t. All with fs.add and fs.subtract. The "
        "result is s.",
    ),
    "my_stochastic": (
        "How far has x gone from its neighbour toward zero to the one away from zero? Where do you find that number?",
        "Lift: |x| / ulp is an integer and a fraction f. Go to the next integer if u < f. Then put back, and put the "
        "sign back. From 65536 on, x is infinite.",
        "below = math.floor(abs(x) / ulp); the size is (below + (u < abs(x) / ulp - below)) * ulp, which is infinite "
        "above 65504. The ulp is that of the lesson on rounding, with e never below -14.",
    ),
}


def my_sum(values):
    """The plain loop. Each partial sum is rounded by fs.add.

    It starts from the first term and not from 0.0: that would be one more addition, which turns a lone -0.0 into 0.0.
    """
    if not values:
        return 0.0
    total = values[0]
    for x in values[1:]:
        total = fs.add(total, x)
    return total


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
    """`lost` is what the last addition added too much; it is taken from the next term before that is added.

    t - s is exact in nearly all cases, because t is near s: so lost is what the rounding of s + y did. In exact
    arithmetic it would always be 0, which is why a compiler that rearranges sums removes it.
    """
    if not values:
        return 0.0
    s, lost = values[0], 0.0
    for x in values[1:]:
        y = fs.subtract(x, lost)
        t = fs.add(s, y)
        s, lost = t, fs.subtract(fs.subtract(t, s), y)
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
