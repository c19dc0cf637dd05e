"""The article: puzzles, hints, and worked solutions."""

import itertools
import math

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle

PUZZLES = {
    "recall_of": Puzzle(
        "f(found, missed)",
        "the recall of a class with `found` members found and `missed` members missed; 0.0 if it has none",
        "pairs",
        [(1, 0), (0, 1), (1, 1), (0, 0), *itertools.product(range(2, 40), range(0, 40, 3))],
        lambda found, missed: found / (found + missed) if found + missed else 0.0,
        [((1, 0), 1.0), ((0, 1), 0.0), ((1, 1), 0.5), ((0, 0), 0.0), ((3, 1), 0.75)],
    ),
    "is_changed": Puzzle(
        "f(n)",
        "whether binary16 does not hold the integer n, which is from -1024 to 3071: True or False",
        "integers",
        [*range(3072), *range(-1024, 0)],
        lambda n: exact.round_to(n, "binary16") != n,
        [(0, False), (-1023, False), (2047, False), (2048, False), (2049, True), (2050, False), (3071, True)],
    ),
}

HINTS = {
    "recall_of": (
        "How many members has the class in all? Which part of them was found?",
        "Recall is the members that were found, as a part of all members: those found and those missed.",
        "Divide found by the sum of found and missed. The case of no members is there already.",
    ),
    "is_changed": (
        "Up to which integer does binary16 hold all? Which ones does it hold after that, up to 4096?",
        "It holds all integers up to 2048 in size. From there to 4096 its ulp is 2, so it holds the even ones.",
        "Two conditions: n is larger than 2048, and odd, so that n % 2 is 1.",
    ),
    "f1": (
        "Which three counts do you need?",
        "How often the class is a label, how often it is predicted, and how often both at the same place. F1 is "
        "twice the last, divided by the sum of the first two; 0.0 if that sum is 0.",
        "right = sum(a == b == positive for a, b in zip(labels, predicted)); labels.count(positive) and "
        "predicted.count(positive) are the other two.",
    ),
    "first_step": (
        "What are m and v after one step, if both start at 0?",
        "m = (1 - beta1) g and v = (1 - beta2) g^2. The correction divides by exactly these factors, and what is "
        "left is g / |g|.",
        "Compute m and v; if `correct` is true, divide m by 1 - beta1 and v by 1 - beta2. Return m / math.sqrt(v).",
    ),
    "changed": (
        "How do you see that a number was changed by rounding?",
        "Round each integer to the format and compare with the integer itself. Count those that differ; `range` ends "
        "one before its second argument.",
        "sum(...) over n in range(low, high + 1), of the comparison fs.round_to(n, fmt) != n; make it an int.",
    ),
}


def recall_of(found, missed):
    """All members of the class are those found and those missed. What the program says of other classes is not in it.

    The accuracy is another number: right answers of all classes, divided by all answers.
    """
    return found / (found + missed) if found + missed else 0.0


def is_changed(n):
    """Eleven digits hold every integer up to 2^11 = 2048. Up to 4096 the ulp is 2, and the odd integers are missing.

    Down to -1024 all negative ones are held, too. In Python -1023 % 2 is 1, so the first condition is needed.
    """
    return n > 2048 and n % 2 == 1


def f1(labels, predicted, positive):
    """F1 is the harmonic mean of precision and recall, t / predicted and t / labels; that is 2 t / (labels +
    predicted).

    Written in this way, it needs a rule only where the class occurs nowhere. `a == b == positive` means that both
    hold.
    """
    right = sum(a == b == positive for a, b in zip(labels, predicted, strict=True))
    asked = labels.count(positive) + predicted.count(positive)
    return 2 * right / asked if asked else 0.0


def first_step(g, beta1, beta2, correct):
    """With the correction the first step is exactly one learning rate, whatever the gradient is: m / sqrt(v) = g / |g|.

    Without it, it is (1 - beta1) / sqrt(1 - beta2) learning rates: 3.2 with the usual 0.9 and 0.999.
    """
    m, v = (1 - beta1) * g, (1 - beta2) * g * g
    if correct:
        m, v = m / (1 - beta1), v / (1 - beta2)
    return m / math.sqrt(v)


def changed(low, high, fmt):
    """An integer is held if rounding gives it back. Python counts True as 1, so a sum counts.

    `range` leaves out its end, hence high + 1. With an array, (fs.round_to(x, fmt) != x).sum() does the same faster.
    """
    return int(sum(fs.round_to(n, fmt) != n for n in range(low, high + 1)))
