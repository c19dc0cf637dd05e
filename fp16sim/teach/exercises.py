"""Questions, as many as you like: from a seed, with exact answers and worked solutions.

>>> questions = generate("mixed", rng=1, n=20, level=2)
>>> all(question.check(question.answer) for question in questions)
True
"""

from __future__ import annotations

import numpy as np

from ..wording import did_you_mean, quoted
from .quiz.exporting import markdown, markdown_key, to_gift
from .quiz.question import Question
from .quiz.questions import KINDS, setting

__all__ = ["KINDS", "Question", "generate", "markdown", "markdown_key", "to_gift"]


def generate(
    kind: str = "mixed", rng: int | np.random.Generator | None = None, n: int = 10, level: int = 1
) -> tuple[Question, ...]:
    """Questions of one kind, or of all kinds; the answers are exact, by `fp16sim.exact`.

    Parameters
    ----------
    kind : str
        A key of `KINDS`, or "mixed".
    rng : int or numpy.random.Generator, optional
        A seed or a generator; the same seed gives the same questions.
    n : int
        How many. No two have the same text, unless the kind has fewer questions.
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
    if kind != "mixed" and kind not in KINDS:
        known = f"{did_you_mean(kind, KINDS)}use 'mixed' or one of {', '.join(KINDS)}"
        raise ValueError(f"kind={quoted(kind)} is unknown; {known}")
    if level not in (1, 2, 3):
        raise ValueError(f"level={quoted(level)} is not a level; use 1, 2 or 3")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n={quoted(n)} is not a number of questions; use an integer of 0 or more")
    source = np.random.default_rng(rng)
    found: list[Question] = []
    seen: set[str] = set()
    while len(found) < n:
        for _ in range(50):  # then a kind with few questions repeats one
            name = kind if kind != "mixed" else list(KINDS)[int(source.integers(len(KINDS)))]
            with np.errstate(all="ignore"):  # some questions overflow on purpose
                asked = KINDS[name](setting(source, level))
            if asked.prompt not in seen:
                break
        seen.add(asked.prompt)
        found.append(Question(name, level, **vars(asked)))
    return tuple(found)
