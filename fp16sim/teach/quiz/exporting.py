"""Questions as files: Markdown with a separate answer key, and GIFT for Moodle."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .question import Question

LETTERS = "abcdefghij"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _markdown_text(text: str) -> str:
    """Text on one line in which nothing is markup for Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~^])", r"\\\1", _one_line(text))


def _fence(text: str) -> str:
    """What stands before and after a text as it is: more backticks than there are in a row in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def markdown(questions: Iterable[Question], title: str = "Questions") -> str:
    """A sheet of questions, without answers."""
    parts = [f"# {_markdown_text(title)}\n"]
    for number, question in enumerate(questions, 1):
        parts.append(f"{number}. {_markdown_text(question.prompt)}\n")
        for letter, choice in zip(LETTERS, question.choices, strict=False):
            parts.append(f"    - {letter}) {_markdown_text(choice)}")
        if question.choices:
            parts.append("")
    return "\n".join(parts) + "\n"


def markdown_key(questions: Iterable[Question], title: str = "Answers") -> str:
    """The answers to a sheet, with worked solutions."""
    parts = [f"# {_markdown_text(title)}\n"]
    for number, question in enumerate(questions, 1):
        letter = f"{LETTERS[question.choices.index(question.answer)]}) " if question.choices else ""
        parts.append(f"{number}. {letter}{_markdown_text(question.answer)}\n")
        fence = _fence(question.solution)
        lines = [f"{fence}text", *question.solution.splitlines(), fence]
        parts += [*(f"    {line}".rstrip() for line in lines), ""]
    return "\n".join(parts) + "\n"


def gift_text(text: str) -> str:
    r"""Text for GIFT: a backslash before each of `\ ~ = # { } :`, and \n for the end of a line.

    >>> print(gift_text("a = {b}: ~c #1"))
    a \= \{b\}\: \~c \#1
    """
    escaped = re.sub(r"([\\~=#{}:])", r"\\\1", text)
    return "\\n".join(escaped.splitlines())


def _answers(question: Question) -> str:
    if question.choices:
        marks = ("=" if choice == question.answer else "~" for choice in question.choices)
        return "".join(f"\n{mark}{gift_text(choice)}" for mark, choice in zip(marks, question.choices, strict=True))
    return "".join(f"\n={gift_text(answer)}" for answer in _spellings(question))


def _spellings(question: Question) -> list[str]:
    """Spellings of an answer that Moodle, which compares texts, should accept."""
    answer = question.answer
    if question.form == "code":
        found = [answer, answer.lower(), answer[2:], answer[2:].lower()]
    elif question.form == "flags":
        names = answer.split(", ")
        found = [answer, " ".join(names), ", ".join(reversed(names)), " ".join(reversed(names))]
    else:
        found = [answer, repr(float(answer))]
        if float(answer).is_integer():
            found.append(str(int(float(answer))))
    return [spelled for spelled in dict.fromkeys(found) if spelled != "0" or answer != "-0"]


def to_gift(questions: Iterable[Question], category: str = "fp16sim") -> str:
    """Questions with their answers in Moodle's import format (GIFT); the solutions are the general feedback.

    The category becomes one line. Moodle takes that line literally, so nothing is escaped in it.
    """
    parts = [f"$CATEGORY: {_one_line(category)}\n"]
    for number, question in enumerate(questions, 1):
        title = gift_text(f"{number:03d} {question.kind}")
        feedback = gift_text(question.solution)
        parts.append(f"::{title}::[plain]{gift_text(question.prompt)}{{{_answers(question)}\n####{feedback}\n}}\n")
    return "\n".join(parts)
