"""Questions, as many as you like: from a seed, with exact answers and worked solutions.

>>> questions = generate("mixed", rng=1, n=20, level=2)
>>> all(question.check(question.answer) for question in questions)
True
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ..wording import did_you_mean, quoted
from .quiz.exporting import markdown, markdown_key, to_gift
from .quiz.question import Question
from .quiz.questions import KINDS, Asked, setting

__all__ = ["KINDS", "Question", "endless", "generate", "markdown", "markdown_key", "to_gift"]


def generate(
    kind: str = "mixed", rng: int | np.random.Generator | None = None, n: int = 10, level: int = 1
) -> tuple[Question, ...]:
    """Questions of one kind, or of all kinds; the answers are exact, by `fp16sim.exact`.

    A pencil is enough: about a minute for a question of level 1, and three for one of level 2. Every number has at most
    five digits, or is written as n * 2^k with an n of at most four digits.

    Parameters
    ----------
    kind : str
        A key of `KINDS`, or "mixed".
    rng : int or numpy.random.Generator, optional
        A seed or a generator; the same seed gives the same questions.
    n : int
        How many. No two have the same text, unless there are no others.
    level : {1, 2, 3}
        1: formats of 6 and 8 bits, ties to even. 2: binary16 and bfloat16. 3: any mode.

    Raises
    ------
    ValueError
        For an unknown kind or level, or a negative n.

    Examples
    --------
    >>> question = generate("round-it", rng=1, n=1)[0]
    >>> question.check(question.answer), question.check("12345")
    (True, False)
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n={quoted(n)} is not a number of questions; use an integer of 0 or more")
    return tuple(islice(endless(kind, rng, level), n))


def endless(
    kind: str = "mixed", rng: int | np.random.Generator | None = None, level: int = 1, *, solve: bool = True
) -> Iterator[Question]:
    """The questions of `generate` one by one, without end; with solve=False faster, and without their solutions.

    >>> questions = endless("add", rng=1)
    >>> (next(questions), next(questions)) == generate("add", rng=1, n=2)
    True
    """
    if kind != "mixed" and kind not in KINDS:
        names = ("mixed", *KINDS)
        raise ValueError(
            f"kind={quoted(kind)} is unknown; {did_you_mean(str(kind), names)}use one of {', '.join(names)}"
        )
    if level not in (1, 2, 3):
        raise ValueError(f"level={quoted(level)} is not a level; use 1, 2 or 3")
    return _drawn([kind] if kind != "mixed" else list(KINDS), np.random.default_rng(rng), int(level), solve)


TRIES = 1000
"""After so many draws without a new question, a kind has no others: if one of 200 were left, it would have been found
with a probability of 99 %."""

KEPT = 20_000
"""How many questions are kept to be asked again."""


def _drawn(kinds: list[str], rng: np.random.Generator, level: int, solve: bool) -> Iterator[Question]:
    """New questions as long as a kind has some; then the same ones again, in random order."""
    seen: set[str] = set()
    again: list[Question] = []
    while kinds:
        name = kinds[int(rng.integers(len(kinds)))]
        for _ in range(TRIES):
            asked = KINDS[name].ask(setting(rng, level))
            if asked.prompt not in seen:
                break
        else:
            kinds = [kind for kind in kinds if kind != name]
            continue
        seen.add(asked.prompt)
        question = _finished(name, level, asked, solve)
        if len(again) < KEPT:
            again.append(question)
        yield question
    while again:
        yield again[int(rng.integers(len(again)))]


def _finished(name: str, level: int, asked: Asked, solve: bool) -> Question:
    """The question with its hint and its worked solution."""
    with np.errstate(all="ignore"):  # some questions overflow on purpose
        solution = str(asked.solve()) if solve else ""
    return Question(
        name, level, asked.prompt, asked.answer, solution, asked.form, asked.choices, KINDS[name].hint, asked.bits
    )
