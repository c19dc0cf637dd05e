"""Exercises of lesson 14: the quiz. Write the functions, then run: fp16sim grade exercises/14_quiz.py"""

NAN, INF = float("nan"), float("inf")

TASKS = {
    "first_lost": [
        (("binary16",), 2048),
        (("bfloat16",), 256),
        (("binary32",), 2**24),
        (("binary64",), 2**53),
        (("tf32",), 2048),
        (("e4m3fn",), 16),
        (("e5m2",), 8),
        (("e3m2fn",), 8),
    ],
    "holds": [
        (("commute", 1.0, 2048.0, 0.0), True),
        (("commute", INF, -INF, 0.0), True),
        (("associate", 1.0, 2.0, 3.0), True),
        (("associate", 2048.0, 1.0, 1.0), False),
        (("associate", 65504.0, 65504.0, -65504.0), False),
        (("associate", INF, -INF, 1.0), True),
        (("distribute", 2.0, 3.0, 4.0), True),
        (("distribute", 65504.0, 1.0, -1.0), True),
        (("distribute", 65504.0, 2.0, -1.0), False),
        (("distribute", INF, 1.0, -1.0), True),
        (("distribute", INF, 2.0, -1.0), False),
        (("cancel", 1.0, 0.5, 0.0), True),
        (("cancel", 2048.0, 1.0, 0.0), False),
        (("cancel", INF, 1.0, 0.0), False),
    ],
    "may_replace": [
        (("a + b -> b + a",), True),
        (("x / 2 -> x * 0.5",), True),
        (("x / 3 -> x * (1 / 3)",), False),
        (("x + 0 -> x",), False),
        (("x - 0 -> x",), True),
        (("0 - x -> -x",), False),
        (("x * 1 -> x",), True),
        (("x * 0 -> 0",), False),
        (("x - x -> 0",), False),
        (("x / x -> 1",), False),
        (("(x + 1) - 1 -> x",), False),
        (("x + x -> 2 * x",), True),
        (("sqrt(x * x) -> abs(x)",), False),
        (("(x * 2) / 2 -> x",), False),
        (("-(-x) -> x",), True),
    ],
}


def first_lost(fmt):
    """The least positive integer n of a format for which n + 1, rounded to nearest, is n again.

    fmt is the name of a format whose range reaches that far; fs.get_format(fmt) has its properties.
    """
    raise NotImplementedError


def holds(law, a, b, c):
    """Whether a law holds in binary16 for these numbers, every step rounded to nearest; two NaNs are the same here.

    law is "commute": a + b == b + a; "associate": (a + b) + c == a + (b + c); "distribute": a * (b + c) == a * b + a * c;
    or "cancel": (a + b) - a == b. The result is True or False.
    """
    raise NotImplementedError


def may_replace(rewrite):
    """Whether both sides of a rewrite have the same code for all x of binary16 (all NaNs count as one), as True or False.

    rewrite is one of the texts in TASKS. Make a table from text to two functions of an array x, each step rounded, and
    compare over fs.all_values("binary16"). For two letters, reason, or try many random pairs. fs.multiply(x, -1) is -x.
    """
    raise NotImplementedError
