"""Gradients in 16 bits: puzzles, hints, and worked solutions."""

from itertools import accumulate

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle


def _smallest_start(k):
    return next(j for j in range(100) if exact.round_to(f"1p{j - k}", "binary16") != 0)


PUZZLES = {
    "smallest_start": Puzzle(
        "f(k)",
        "the least integer j >= 0 for which 2^j * 2^-k is not 0 in binary16; k is an integer",
        "exponents",
        range(61),
        _smallest_start,
        [(0, 0), (10, 0), (24, 0), (25, 1), (26, 2), (60, 36)],
    ),
    "bias_gradient": Puzzle(
        "f(n)",
        "the sum of n ones in binary16, one after the other",
        "sizes of a batch",
        (*range(1, 70), *(x for k in range(7, 17) for x in (2**k - 1, 2**k, 2**k + 1))),
        lambda n: float(min(n, 2048)),
        [(1, 1.0), (2, 2.0), (32, 32.0), (2047, 2047.0), (2048, 2048.0), (2049, 2048.0), (65536, 2048.0)],
    ),
}

HINTS = {
    "smallest_start": (
        "Which is the smallest power of two that binary16 has? How far below it is 2^-k?",
        "2^-24 is the smallest one, and 2^-25 becomes 0. The product is 2^(j - k), so j - k must be at least -24.",
        "j is at least k - 24, and at least 0: take the larger one of the two, with max.",
    ),
    "bias_gradient": (
        "What happened in the lesson on sums, when 1 was added ten thousand times in binary16?",
        "Up to 2048 every integer exists, and the sum of n ones is n. 2048 + 1 is a tie, which goes back to 2048.",
        "The sum is the smaller one of n and 2048: use min.",
    ),
    "tanh_vjp": (
        "In which order do the brackets of g * (1 - y * y) ask for the operations?",
        "Three operations, each of them rounded: y * y, then 1 minus that, then g times that.",
        "From the inside out: fs.multiply(y, y), fs.subtract(1.0, ...), fs.multiply(g, ...).",
    ),
    "product_gradients": (
        "What does the derivative by one factor consist of? Which products occur again and again?",
        "It is the product of the factors before it times the product of those after it. The products from the "
        "front are computed once, and kept; g collects those from the back.",
        """Keep before[k], the rounded product of the factors up to k. Start with
        g = 1.0. For k from the last down to 1:

            note fs.multiply(g, before[k - 1]); then g becomes fs.multiply(g, factors[k])

        The first factor gets the g that is left. Turn the list round at the end.""",
    ),
}


def smallest_start(k):
    """2^j * 2^-k is 2^(j - k), and the smallest power of two of binary16 is 2^-24. So j - k >= -24.

    2^-25 is a tie between 0 and 2^-24, and goes to 0: that is why j is one more there.
    """
    return max(0, k - 24)


def bias_gradient(n):
    """Each 1 counts until the sum is 2048. There the ulp is 2, and 2048 + 1 is a tie that goes back to 2048.

    So a batch of more than 2048 pictures, each of which gives 1, looks to the bias like one of 2048.
    """
    return min(n, 2048)


def tanh_vjp(g, y):
    """The derivative of tanh is 1 - tanh^2, and y = tanh(x) is there already: nothing is computed again.

    Where y is so near to 1 that y * y rounds to 1, the derivative is 0, and no gradient passes: the unit is saturated.
    """
    return fs.multiply(g, fs.subtract(1.0, fs.multiply(y, y)))


def product_gradients(factors):
    """The walk of backpropagation: forward it keeps the partial products, backward it multiplies them by g.

    accumulate(factors, fs.multiply) gives the rounded products from the front. g is the product of the factors
    behind. So 2n multiplications give all n derivatives, where n products from scratch would need n^2. If g
    underflows on the way, all the factors before that get 0.
    """
    before = list(accumulate(factors, fs.multiply))
    g, found = 1.0, []
    for k in range(len(factors) - 1, 0, -1):
        found.append(fs.multiply(g, before[k - 1]))
        g = fs.multiply(g, factors[k])
    return [g, *reversed(found)]
