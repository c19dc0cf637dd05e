"""Exercises of the lesson "The quiz". Write the functions, then run: fp16sim grade exercises/quiz.py"""

import fp16sim as fs

TASKS = {
    "holds": "holds",
    "may_replace": "may_replace",
}


def holds(law, a, b, c):
    """Whether a law holds in binary16 for these numbers, every step rounded to nearest; two NaNs are the same here.

    law is "commute": a + b == b + a; "associate": (a + b) + c == a + (b + c); "distribute": a * (b + c) == a * b + a * c;
    or "cancel": (a + b) - a == b. The result is True or False. holds("associate", 2048.0, 1.0, 1.0) is False.
    """
    raise NotImplementedError


REWRITES = (
    "x + c -> x",
    "x - c -> x",
    "x * c -> x",
    "x * c -> c * x",
    "x / c -> x * (1 / c)",
    "(x * c) / c -> x",
    "(x + c) - c -> x",
    "x + x -> x * c",
    "c - x -> -(x - c)",
)


def may_replace(rewrite, c):
    """Whether both sides of a rewrite have the same code for all x of binary16 (all NaNs count as one), as True or False.

    rewrite is one of the texts in REWRITES, and c any number of binary16, such as 3.0, -0.0 or inf. Make a table from text
    to two functions of an array x and of c, each step rounded, and compare over fs.all_values("binary16"). A minus sign
    before brackets only changes the sign. may_replace("x + c -> x", 0.0) is False, and so is
    may_replace("x / c -> x * (1 / c)", 3.0).
    """
    raise NotImplementedError
