"""Questions without end: seeded, with exact answers and worked solutions.

>>> questions = generate("mixed", rng=1, n=20, level=2)
>>> all(question.check(question.answer) for question in questions)
True
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .. import exact
from .exporting import markdown, markdown_key, to_gift
from .questions import KINDS, setting

__all__ = ["KINDS", "Question", "generate", "markdown", "markdown_key", "to_gift"]


@dataclass(frozen=True)
class Question:
    """A question, its exact answer and why it is that.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    level : int
    prompt : str
    answer : str
        As one would write it; `check` takes other ways to write the same.
    solution : str
        Worked out, step by step.
    form : str
        "number", "code", "choice" or "flags": how answers are read.
    choices : tuple of str
        What to choose from, for "choice".
    """

    kind: str
    level: int
    prompt: str
    answer: str
    solution: str
    form: str
    choices: tuple[str, ...] = ()

    def check(self, text: str) -> bool:
        """Whether a text is the right answer; exact, however it is written.

        Numbers may be decimals, fractions, powers such as 2^-10 or hexadecimal floats; the sign of zero matters. Codes
        are hexadecimal (0x...) or bits. A choice is a letter (a, b, ...) or its words. Flags come in any order.
        """
        return _CHECKS[self.form](" ".join(text.split()).lower(), self)

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        return asdict(self)


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


# --- reading answers ------------------------------------------------------------------------------------------------


def _number(text: str, question: Question) -> bool:
    try:
        given, meant = exact.parse(text), exact.parse(question.answer)
    except ValueError:
        return False
    if exact.is_nan(given) or exact.is_nan(meant):
        return exact.is_nan(given) and exact.is_nan(meant)
    return given == meant and exact.is_negative(given) == exact.is_negative(meant)


def _code(text: str, question: Question) -> bool:
    digits = text.replace("_", "").replace(" ", "")
    bits = set(digits) <= {"0", "1"} and len(digits) > len(question.answer)
    try:
        return int(digits, 2 if bits else 16) == int(question.answer, 16)
    except ValueError:
        return False


def _choice(text: str, question: Question) -> bool:
    index = ord(text) - ord("a") if len(text) == 1 else -1
    if 0 <= index < len(question.choices):
        text = question.choices[index].lower()
    starts = {"y": "yes", "n": "no"} if question.choices == ("yes", "no") else {}
    return starts.get(text, text) == question.answer.lower()


def _flags(text: str, question: Question) -> bool:
    def named(words: str) -> set[str]:
        return set(words.replace(",", " ").split()) - {"none", "and"}

    return bool(text) and named(text) == named(question.answer)


_CHECKS = {"number": _number, "code": _code, "choice": _choice, "flags": _flags}
