"""A question with its exact answer, and how a learner's answer is checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...exact import FLAGS
from ...wording import joined
from . import reading
from .reading import YES_NO


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
    hint : str
        How to begin.
    bits : str
        The answer in bits, for "code", with "_" between the fields.
    """

    kind: str
    level: int
    prompt: str
    answer: str
    solution: str
    form: str
    choices: tuple[str, ...] = ()
    hint: str = ""
    bits: str = ""

    def check(self, text: str) -> bool:
        """Whether a text is the right answer; the comparison is exact, whatever the spelling.

        Numbers may be decimals, fractions, powers such as 2^-10, or sums of them; the sign of zero matters. Codes are
        hexadecimal or bits. A choice is a letter (a, b, ...) or its words. Flags may come in any order.
        """
        (right,) = self._meanings(self.answer)
        return right in self._meanings(text)

    def understands(self, text: str) -> bool:
        """Whether a text is an answer at all, right or wrong; `how_to_answer` says what is.

        >>> question = Question("ulp", 1, "What is the ulp of 1.0?", "2^-10", "...", "number")
        >>> question.understands("1/4"), question.understands("help"), question.how_to_answer
        (True, False, 'a number, such as 0.0625, -1/16, 2^-10, 3*2^-10, inf or nan')
        """
        return bool(self._meanings(text))

    @property
    def how_to_answer(self) -> str:
        """What an answer to this question looks like."""
        if self.form == "choice":
            return joined(self.choices, "or") if self.choices == YES_NO else "the letter of a choice, or its words"
        return _HOW[self.form]

    def _meanings(self, text: str) -> list[reading.Meaning]:
        """What a text can mean; nothing if it is not an answer."""
        text = reading.plain(text)
        if not text or len(text) > reading.LONGEST:
            return []
        match self.form:
            case "number":
                return reading.numbers(text)
            case "code":
                return reading.codes(text, len(self.answer) - 2)
            case "choice":
                return reading.choices(text, self.choices)
        return reading.flags(text)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data for JSON."""
        return asdict(self)


_HOW = {
    "number": "a number, such as 0.0625, -1/16, 2^-10, 3*2^-10, inf or nan",
    "code": "a code in hexadecimal, such as 0x3C00, or in bits",
    "flags": f"the names of flags with commas between them, or none; the flags are {joined(FLAGS)}",
}
"""What an answer looks like, by form; choices differ by question."""
