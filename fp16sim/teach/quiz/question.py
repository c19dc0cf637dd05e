"""A question with its exact answer, and how a learner's answer is checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ... import exact

YES_NO = ("yes", "no")


@dataclass(frozen=True)
class Question:
    """A question, its exact answer, and why that is the answer.

    Attributes
    ----------
    kind : str
        A key of `exercises.KINDS`.
    level : int
    prompt : str
    answer : str
        In its usual spelling; `check` accepts others.
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
        """Whether a text is the right answer; the comparison is exact, whatever the spelling.

        Numbers may be decimals, fractions, powers such as 2^-10 or hexadecimal floats; the sign of zero matters. Codes
        are hexadecimal (0x...) or bits. A choice is a letter (a, b, ...) or its words. Flags may come in any order.
        """
        return _CHECKS[self.form](" ".join(text.split()).lower(), self)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data for JSON."""
        return asdict(self)


# --- reading answers ------------------------------------------------------------------------------------------------


def _number(text: str, question: Question) -> bool:
    try:
        given, right = exact.parse(text), exact.parse(question.answer)
    except ValueError:
        return False
    if exact.is_nan(given) or exact.is_nan(right):
        return exact.is_nan(given) and exact.is_nan(right)
    return given == right and exact.is_negative(given) == exact.is_negative(right)


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
    short = {"y": "yes", "n": "no"} if question.choices == YES_NO else {}
    return short.get(text, text) == question.answer.lower()


def _flags(text: str, question: Question) -> bool:
    def named(words: str) -> set[str]:
        return set(words.replace(",", " ").split()) - {"none", "and"}

    return bool(text) and named(text) == named(question.answer)


_CHECKS = {"number": _number, "code": _code, "choice": _choice, "flags": _flags}
