"""Questions as files: Markdown with a separate answer key, and GIFT for Moodle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ... import exact
from .question import Question
from .words import WORDS
from .written import LONGHAND, flag_spellings, number_spellings

LETTERS = "abcdefghij"


@dataclass(frozen=True)
class Layout:
    """A kind of file: what it begins with, given a title; how a question stands in it; and its end."""

    head: Callable[[str], str]
    item: Callable[[int, Question], str]
    tail: str = ""
    title: str = ""

    def text(self, questions: Iterable[Question], title: str) -> str:
        """A whole file."""
        items = (self.item(number, question) for number, question in enumerate(questions, 1))
        return "".join([self.head(title), *items, self.tail])


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- Markdown -------------------------------------------------------------------------------------------------------


def _markdown_text(text: str) -> str:
    """Text on one line in which nothing is markup for Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~^])", r"\\\1", _one_line(text))


def _fence(text: str) -> str:
    """What stands before and after a text as it is: more backticks than there are in a row in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _heading(title: str) -> str:
    return f"# {_markdown_text(title)}\n\n"


def _sheet_item(number: int, question: Question) -> str:
    lines = [f"{number}. {_markdown_text(question.prompt)}\n"]
    lines += [f"    - {x}) {_markdown_text(choice)}" for x, choice in zip(LETTERS, question.choices, strict=False)]
    return "\n".join([*lines, ""] if question.choices else lines) + "\n"


def _key_item(number: int, question: Question) -> str:
    letter = f"{LETTERS[question.choices.index(question.answer)]}) " if question.choices else ""
    fence = _fence(question.solution)
    lines = [f"{fence}text", *question.solution.splitlines(), fence]
    indented = "\n".join(f"    {line}".rstrip() for line in lines)
    return f"{number}. {letter}{_markdown_text(question.answer)}\n\n{indented}\n\n"


_GLOSSARY = "".join(f"- **{_markdown_text(word)}**: {_markdown_text(said)}\n" for word, said in WORDS.items())
SHEET = Layout(_heading, _sheet_item, title="Questions")
KEY = Layout(_heading, _key_item, f"## Words\n\n{_GLOSSARY}", "Answers")


def markdown(questions: Iterable[Question], title: str = SHEET.title) -> str:
    """A sheet of questions, without answers."""
    return SHEET.text(questions, title)


def markdown_key(questions: Iterable[Question], title: str = KEY.title) -> str:
    """The answers to a sheet, with worked solutions; the words of the solutions are explained at the end."""
    return KEY.text(questions, title)


# --- GIFT -----------------------------------------------------------------------------------------------------------


def gift_text(text: str) -> str:
    r"""Text for GIFT: a backslash before each of `\ ~ = # { } :`, and \n for the end of a line.

    >>> print(gift_text("a = {b}: ~c #1"))
    a \= \{b\}\: \~c \#1
    """
    escaped = re.sub(r"([\\~=#{}:])", r"\\\1", text)
    return "\\n".join(escaped.splitlines())


def _gift_item(number: int, question: Question) -> str:
    title = gift_text(f"{number:03d} {question.kind}")
    how = f" {LONGHAND[question.form]}" if question.form in LONGHAND else ""
    feedback = gift_text(question.solution)
    return f"::{title}::[plain]{gift_text(question.prompt + how)}{{{_answers(question)}\n####{feedback}\n}}\n\n"


def _answers(question: Question) -> str:
    if question.choices:
        marks = ("=" if choice == question.answer else "~" for choice in question.choices)
        return "".join(f"\n{mark}{gift_text(choice)}" for mark, choice in zip(marks, question.choices, strict=True))
    return "".join(f"\n={gift_text(_literal(answer))}" for answer in _spellings(question))


def _literal(answer: str) -> str:
    """Moodle reads a bare * in a short answer as "any text"."""
    return answer.replace("*", r"\*")


def _spellings(question: Question) -> list[str]:
    """Spellings of an answer that Moodle, which compares texts but not their case, should accept."""
    match question.form:
        case "code":
            digits = question.answer[2:]
            forms = [question.bits, question.bits.replace("_", " "), question.bits.replace("_", "")]
            found = [question.answer, digits, f"{digits}h", *(forms if question.bits else [])]
            found += [f"0b{forms[2]}"] if question.bits else []
        case "flags":
            found = [question.answer, *flag_spellings(question.answer.split(", "))]
        case _:
            found = [question.answer, *number_spellings(exact.parse(question.answer))]
    return list(dict.fromkeys(found))


def _category(title: str) -> str:
    """The line of a category. Moodle reads it as it is, but takes a doubled backslash for one."""
    line = _one_line(title).replace("\\", "\\\\")
    return f"$CATEGORY: {line}\n\n"


GIFT = Layout(_category, _gift_item, title="fp16sim")


def to_gift(questions: Iterable[Question], category: str = GIFT.title) -> str:
    """Questions with their answers in Moodle's import format (GIFT); the solutions are the general feedback.

    Moodle compares the texts of answers. So each question says what an answer may look like, and all those spellings
    are in the file. The category becomes one line; a "/" in it begins a category in another one.
    """
    return GIFT.text(questions, category)
