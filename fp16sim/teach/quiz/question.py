"""A question with its exact answer, and how a learner's answer is checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ... import exact
from ...wording import joined

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
        given = self._read(text)
        return given is not None and bool(given == self._read(self.answer))

    def understands(self, text: str) -> bool:
        """Whether a text is an answer at all, right or wrong; `how_to_answer` says what is.

        >>> question = Question("ulp", 1, "What is the ulp of 1.0?", "2^-10", "...", "number")
        >>> question.understands("1/4"), question.understands("help"), question.how_to_answer
        (True, False, 'a number, such as 0.0625, -1/16, 2^-10, inf or nan')
        """
        return self._read(text) is not None

    @property
    def how_to_answer(self) -> str:
        """What an answer to this question looks like."""
        if self.form == "choice":
            return joined(self.choices, "or") if self.choices == YES_NO else "the letter of a choice, or its words"
        return _HOW[self.form]

    def _read(self, text: str) -> Any:
        """An answer in one spelling; None if it is not an answer."""
        return _READERS[self.form](" ".join(text.split()).lower(), self)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data for JSON."""
        return asdict(self)


# --- reading answers ------------------------------------------------------------------------------------------------


def _number(text: str, question: Question) -> Any:
    """Whether it is negative, and the number; all NaNs are one answer."""
    try:
        given = exact.parse(text)
    except ValueError:
        return None
    return (False, "nan") if exact.is_nan(given) else (exact.is_negative(given), given)


def _code(text: str, question: Question) -> Any:
    digits = text.replace("_", "").replace(" ", "")
    bits = set(digits) <= {"0", "1"} and len(digits) > len(question.answer)
    try:
        return int(digits, 2 if bits else 16)
    except ValueError:
        return None


def _choice(text: str, question: Question) -> Any:
    words = [" ".join(choice.split()).lower() for choice in question.choices]
    index = ord(text) - ord("a") if len(text) == 1 else -1
    if 0 <= index < len(words):
        return words[index]
    short = {"y": "yes", "n": "no"} if question.choices == YES_NO else {}
    found = short.get(text, text)
    return found if found in words else None


def _flags(text: str, question: Question) -> Any:
    words = set(text.replace(",", " ").split()) - {"and"}
    return words - {"none"} if words and words <= {*exact.FLAGS, "none"} else None


_READERS = {"number": _number, "code": _code, "choice": _choice, "flags": _flags}
_HOW = {
    "number": "a number, such as 0.0625, -1/16, 2^-10, inf or nan",
    "code": "a code in hexadecimal, such as 0x3C00, or in bits",
    "flags": f"the names of flags with commas between them, or none; the flags are {joined(exact.FLAGS)}",
}
"""What an answer looks like, by form; choices differ by question."""
