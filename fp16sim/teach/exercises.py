"""Questions without end: seeded, with exact answers and worked solutions.

>>> questions = generate("mixed", rng=1, n=20, level=2)
>>> all(question.check(question.answer) for question in questions)
True
"""

from __future__ import annotations

import numpy as np

from .quiz.exporting import markdown, markdown_key, to_gift
from .quiz.question import Question
from .quiz.questions import KINDS, setting

__all__ = ["KINDS", "Question", "generate", "markdown", "markdown_key", "to_gift"]


def generate(
    kind: str = "mixed", rng: int | np.random.Generator | None = None, n: int = 10, level: int = 1
) -> tuple[Question, ...]:
    """Questions of a kind, or of all kinds; answers are exact, by `fp16sim.exact`.

    Parameters
    ----------
    kind : str
        A key of `KINDS`, or "mixed".
    rng : int or numpy.random.Generator, optional
        A seed: the same questions for the same seed.
    n : int
        How many; no two have the same words, as long as the kind has that many.
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
        raise ValueError(f"kind={kind!r} is unknown; use 'mixed' or one of {', '.join(KINDS)}")
    if level not in (1, 2, 3):
        raise ValueError(f"level={level!r} is no level; use 1, 2 or 3")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n={n!r} is no number of questions; use an integer of 0 or more")
    source = np.random.default_rng(rng)
    found: list[Question] = []
    seen: set[str] = set()
    while len(found) < n:
        for _ in range(50):  # a kind with few questions repeats them in the end
            name = kind if kind != "mixed" else list(KINDS)[int(source.integers(len(KINDS)))]
            with np.errstate(all="ignore"):  # overflow is what some questions are about
                asked = KINDS[name](setting(source, level))
            if asked.prompt not in seen:
                break
        seen.add(asked.prompt)
        found.append(Question(name, level, asked.prompt, asked.answer, asked.solution, asked.form, asked.choices))
    return tuple(found)
