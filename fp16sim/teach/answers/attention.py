"""Attention in 16 bits: puzzles, hints, and worked solutions."""

import math

import fp16sim as fs

from ...rounding import round_to
from ..grading.puzzles import Puzzle


def _gaps():
    """How far below the largest a score is: whole numbers, what lies around the edge, and many others."""
    edge = 25 * math.log(2)
    around = [edge + sign * 2.0**-k for k in range(1, 12) for sign in (1, -1)]
    return [*map(float, range(41)), 17.25, 17.5, 17.3, 17.4, 0.5, 9.7, 16.6, *around, 88.0, 1000.0]


def _pairs_of_tiles():
    """(m1, l1, m2, l2): the simplest first."""
    yield from ((0, 1.0, 0, 1.0), (1, 1.0, 0, 1.0), (0, 1.0, 1, 1.0), (3, 1.5, 5, 2.0), (5, 2.0, 3, 1.5))
    for m1 in (-12, -3, 0, 4, 9):
        for m2 in (-7, -3, 1, 4, 15):
            for l1, l2 in ((1.0, 1.0), (1.5, 3.0), (7.0, 1.25)):
                yield m1, l1, m2, l2


PUZZLES = {
    "weight_is_zero": Puzzle(
        "f(gap)",
        "whether e^-gap, rounded to binary16, is 0, for a float gap >= 0: True or False",
        "gaps",
        _gaps,
        lambda gap: float(round_to(math.exp(-gap), "binary16")) == 0,
        [(0.0, False), (1.0, False), (17.0, False), (18.0, True), (17.25, False), (17.5, True), (40.0, True)],
    ),
    "merge": Puzzle(
        "f(m1, l1, m2, l2)",
        "the pair (m, l) of two tiles together: the larger m, and the sum of all 2^(score - m)",
        "pairs of tiles",
        _pairs_of_tiles,
        lambda m1, l1, m2, l2: (max(m1, m2), l1 * 2.0 ** (m1 - max(m1, m2)) + l2 * 2.0 ** (m2 - max(m1, m2))),
        [
            ((0, 1.0, 0, 1.0), (0, 2.0)),
            ((3, 1.5, 5, 2.0), (5, 2.375)),
            ((5, 2.0, 3, 1.5), (5, 2.375)),
            ((1, 1.0, 0, 1.0), (1, 1.5)),
            ((-1, 4.0, 1, 1.0), (1, 2.0)),
        ],
    ),
}

HINTS = {
    "weight_is_zero": (
        "Which is the smallest number of binary16, and up to where is a number nearer to 0 than to it?",
        "Half of the smallest number, 2^-25, is a tie and goes to 0. So ask whether e^-gap is that small.",
        "Compare math.exp(-gap) with 2.0 ** -25; equality would count as 0, too.",
    ),
    "merge": (
        "One of the two sums was made with the m that stays. What is wrong with the other one?",
        "Each term of the other sum is 2^(score - its m). Times 2^(its m - m) it is 2^(score - m), and the factor is "
        "the same for all of its terms. Multiply both sums: for one of them the factor is 1.",
        "m = max(m1, m2). Then l is l1 times 2.0 ** (m1 - m), plus the same for l2 and m2. Return (m, l).",
    ),
    "my_softmax": (
        "Which step can become infinite, and which numbers may it have so that it cannot?",
        "Only differences from the largest number come into fs.exp: they are 0 or less. Round each step: fs.subtract, "
        "fs.exp, fs.add from left to right, fs.divide.",
        "Make the list e of fs.exp(fs.subtract(x, largest)), add it up in a loop that begins with e[0], and divide "
        "each of its numbers by that sum.",
    ),
    "my_attention": (
        "Which of the steps can meet infinity or NaN, and what do you do before each of them?",
        "First the row without keys: zeros, one for each column of values. Then scale the query before any product. "
        "Hidden keys can be left out of all lists at the start: then nothing remains to be masked.",
        """Helpers make it short:

            def add_up(terms):          # from left to right
                total = terms[0]
                for term in terms[1:]:
                    total = fs.add(total, term)
                return total

        A dot product is add_up([fs.multiply(x, y) for x, y in zip(a, b)]). Then largest = max(scores), the
        exponentials fs.exp(fs.subtract(s, largest)), their add_up, each divided by it, and one dot product for each
        column: [row[j] for row in values].""",
    ),
    "my_online": (
        "What must you remember of the tiles that you have seen, in order to forget their scores?",
        "Three numbers: m, the sum of weights, and the sum of weights times values. Skip a tile whose largest score is "
        "-infinity. With m = -inf and sums of 0 at the start, the first tile needs no case of its own: its factor is "
        "e^-infinity = 0.",
        """In each tile: new = max(m, max(scores of the tile)), factor = fs.exp(fs.subtract(m, new)), the list of
        weights fs.exp(fs.subtract(s, new)), and then

            total = fs.add(fs.multiply(total, factor), add_up(weights))

        and the same for the weighted sum with the products of weights and values. At the end fs.divide, or 0.0 if
        total is still 0.""",
    ),
}


def weight_is_zero(gap):
    """The smallest number of binary16 is 2^-24. Half of it is a tie, and goes to 0, whose last bit is even.

    So the weight is 0 from a gap of 25 ln 2 = 17.33 on, however many keys there are.
    """
    return math.exp(-gap) <= 2.0**-25


def merge(m1, l1, m2, l2):
    """Each sum changes its m by one factor. This is all of flash attention: tiles can be merged in any order.

    With real numbers the result does not depend on the tiles. With rounded ones it does.
    """
    m = max(m1, m2)
    return m, l1 * 2.0 ** (m1 - m) + l2 * 2.0 ** (m2 - m)


def add_up(terms):
    """The sum from left to right, each partial sum rounded."""
    total = terms[0]
    for term in terms[1:]:
        total = fs.add(total, term)
    return total


def dot(a, b):
    """Products rounded, and their sum from left to right."""
    return add_up([fs.multiply(x, y) for x, y in zip(a, b, strict=True)])


def my_softmax(values):
    """The largest number is subtracted first, so that exp gets nothing above 0, and gives nothing above 1.

    The sum is at least 1, because one term is e^0. Divide by it; a product with its rounded reciprocal rounds twice.
    """
    e = [fs.exp(fs.subtract(x, max(values))) for x in values]
    total = add_up(e)
    return [fs.divide(x, total) for x in e]


def my_attention(query, keys, values, seen, scale):
    """Hidden keys are left out before anything is computed: no -infinity, no product with a mask, no special case.

    The query is scaled before the products, so that they do not overflow on the way to a small score. Only differences
    from the largest score come into exp: they are 0 or less, and one weight is e^0 = 1. So the sum is at least 1, and
    nothing divides by 0. A row without keys has no largest score; it is dealt with first.
    """
    keys = [key for key, counts in zip(keys, seen, strict=True) if counts]
    values = [value for value, counts in zip(values, seen, strict=True) if counts] or [[0.0] * len(values[0])]
    if not keys:
        return values[0]
    scaled = [fs.multiply(x, scale) for x in query]
    scores = [dot(scaled, key) for key in keys]
    e = [fs.exp(fs.subtract(score, max(scores))) for score in scores]
    total = add_up(e)
    weights = [fs.divide(x, total) for x in e]
    return [dot(weights, column) for column in zip(*values, strict=True)]


def my_online(scores, values, tile):
    """Three numbers are kept: m, the sum of the weights, and the weighted sum of the values.

    A larger score makes all weights so far too large, by one factor, e^(old m - new m). Both sums have it. At the first
    tile m is -infinity, so the factor is 0, and the sums are those of the tile. A tile without keys would give
    -infinity minus -infinity, which is NaN; it adds nothing, so it is left out.
    """
    m, total, weighted = float("-inf"), 0.0, 0.0
    for start in range(0, len(scores), tile):
        own = scores[start : start + tile]
        if max(own) == float("-inf"):
            continue
        new = max(m, *own)
        factor = fs.exp(fs.subtract(m, new))
        e = [fs.exp(fs.subtract(score, new)) for score in own]
        total = fs.add(fs.multiply(total, factor), add_up(e))
        weighted = fs.add(fs.multiply(weighted, factor), dot(e, values[start : start + tile]))
        m = new
    return fs.divide(weighted, total) if total else 0.0
