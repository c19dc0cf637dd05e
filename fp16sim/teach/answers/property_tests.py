"""Property tests: puzzles, hints, and worked solutions."""

import itertools

import numpy as np

import fp16sim as fs

from ..grading.puzzles import Puzzle


def _two_roundings():
    """Two numbers, and what a rounder that may be wrong made of them."""
    numbers = (0.0, 1.0, 2.0, -1.0, 2049.0, 2050.0, 2051.0, -2049.0, 65504.0, float("inf"), float("-inf"))
    return list(itertools.product(numbers, numbers, (0.0, 2048.0, 2050.0, -2048.0), (0.0, 2048.0, 2050.0)))


def _lists():
    """Short lists, each with every one of its elements and a few limits."""
    lists = [[*values] for size in (1, 2, 3) for values in itertools.product((0, 1, 2, 5), repeat=size)]
    lists += [[5, 90, 7, 30], [60, 60, 60], [41, 60, 0, 3]]
    return [(values, k, limit) for values in lists for k in range(len(values)) for limit in (0, 2, 6, 100)]


PUZZLES = {
    "in_order": Puzzle(
        "f(x, y, rx, ry)",
        "False if x <= y and not rx <= ry, else True",
        "cases",
        _two_roundings,
        lambda x, y, rx, ry: ry >= rx if y >= x else True,
        [
            ((1.0, 2.0, 0.0, 2048.0), True),
            ((1.0, 2.0, 2048.0, 0.0), False),
            ((2.0, 1.0, 2048.0, 0.0), True),
            ((2.0, 1.0, 0.0, 2048.0), True),
            ((1.0, 1.0, 2048.0, 0.0), False),
            ((1.0, 2.0, 0.0, 0.0), True),
        ],
    ),
    "can_go": Puzzle(
        "f(values, k, limit)",
        "whether the sum of a list without values[k] is above a limit",
        "lists",
        _lists,
        lambda values, k, limit: sum(values[:k]) + sum(values[k + 1 :]) > limit,
        [
            (([5, 90, 7, 30], 0, 100), True),
            (([5, 90, 7, 30], 1, 100), False),
            (([90, 30], 1, 90), False),
            (([90, 30], 1, 89), True),
            (([7], 0, 0), False),
            (([1, 1, 1], 2, 1), True),
        ],
    ),
}

HINTS = {
    "can_go": (
        "What is the sum of the others, if you know the sum of all?",
        "Leaving out an element takes its value off the sum. What is left must be more than the limit, not equal.",
        "Compare sum(values) - values[k] with limit, using >.",
    ),
    "in_order": (
        "When can you say, looking at the four numbers, that the law is broken? What if x is larger than y?",
        "The law promises something for x <= y only. So it is broken if x <= y is true and rx <= ry is not; in every "
        "other case it is kept.",
        "Write down when it is broken, (x <= y and rx > ry), and return the opposite: put `not` before it.",
    ),
    "broken_laws": (
        "Each law can be asked by itself. For each: which of the four numbers does it look at, and when is it broken?",
        "Begin with an empty list, and append a name for each law that is broken, in the order of the text. "
        '"half an ulp" is about one rounding: write a function for one, and ask it for x and for y. "order" and '
        '"mirror" need all four numbers.',
        "A rounding is too far if abs(x) <= 65504 and abs(rx - x) is more than fs.ulp(x) / 2. The order is broken if "
        "(x <= y and rx > ry) or (x >= y and rx < ry); the mirror if y == -x and ry != -rx. For the format, compare "
        "fs.round_to(rx) with rx.",
    ),
    "shrink": (
        "What do you do with one element, so that you can do it with all of them from left to right?",
        "First leave out: delete an element if the sum of the others is still above the limit; the next one then "
        "stands at the same place. Then lower: each element becomes the least with which the sum is above the limit: "
        "limit + 1 - (the others), but not below 0.",
        "Copy the list; return it if its sum is not above the limit. A while loop with an index k: del values[k], or "
        "k += 1. Then for each k: max(0, limit + 1 - (sum(values) - values[k])).",
    ),
}


def in_order(x, y, rx, ry):
    """A law "if A, then B" is broken in one case of four: A is true and B is not.

    Where x is larger than y, the law says nothing, so that it is kept whatever the results are. Nothing is wrong with
    equal results either: many numbers are rounded to the same one.
    """
    return not (x <= y and rx > ry)


def can_go(values, k, limit):
    """What is left is the sum without one element; the test still fails if that is above the limit.

    An element of 0 can always go, if the sum is above the limit at all. Nothing needs to be deleted for asking.
    """
    return sum(values) - values[k] > limit


def too_far(x, rx):
    """Whether rx is more than half an ulp away from x, where that is forbidden."""
    return abs(x) <= 65504 and abs(rx - x) > fs.ulp(x, "binary16") / 2


def broken_laws(x, y, rx, ry):
    """One question for each law, in the order of the text; nothing here knows the right result.

    A number of the format is one that rounding leaves alone. The order is asked in both directions: with x == y both
    are true, so that one number with two different results breaks the law. Infinities need no case of their own:
    Python compares them as one expects, and the distance to an infinity is infinite.
    """
    found = []
    with np.errstate(all="ignore"):  # a number that is too large overflows here, on purpose
        if fs.round_to(rx, "binary16") != rx or fs.round_to(ry, "binary16") != ry:
            found.append("format")
    if too_far(x, rx) or too_far(y, ry):
        found.append("half an ulp")
    if (x <= y and rx > ry) or (x >= y and rx < ry):
        found.append("order")
    if y == -x and ry != -rx:
        found.append("mirror")
    return found


def shrink(values, limit):
    """First fewer elements, then smaller ones: that is how Hypothesis makes a failure readable.

    After an element was deleted, k does not grow, because the next one has moved to its place. The list is copied, so
    that the caller's stays as it was.
    """
    values = list(values)
    if sum(values) <= limit:
        return values
    k = 0
    while k < len(values):
        if sum(values) - values[k] > limit:
            del values[k]
        else:
            k += 1
    for k, value in enumerate(values):
        values[k] = max(0, limit + 1 - (sum(values) - value))
    return values
