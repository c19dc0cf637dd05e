"""A session of the quiz on a terminal or in a pipe: it asks, reads, helps, and reports at the end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from ..teach.exercises import Question
from ..teach.quiz.results import CONFIDENCE, HOW_SURE, Answered, advice, confidence_rows, read_confidence, score
from ..teach.quiz.words import WORDS, used_in
from ..wording import aligned
from .output import print_text

COMMANDS = "hint, words (what they mean), skip (shows the answer), quit"
QUIT = ("quit", "exit", "q")
ENTER = "Nothing typed. Press Enter again to skip the question and see its answer, or type ? for help."


def _print_wrapped(text: str) -> None:
    """A sentence or several, in lines of at most 80 characters; names and products such as 3 * 2^-4 are not broken."""
    kept = re.sub(r"(?<=[\d)]) ([*/]) (?=[\d(])", "\xa0\\1\xa0", text)
    print_text(textwrap.fill(kept, 80, break_on_hyphens=False).replace("\xa0", " "))


class Quit(Exception):
    """The learner ends the session."""


class Session:
    """Questions asked one after another, and what became of them."""

    def __init__(self, total: int, confidence: bool = True) -> None:
        self.total, self.confidence = total, confidence
        self.results: list[Answered] = []
        self.ended = False
        self.words: dict[str, str] = {}

    def ask(self, questions: Iterable[Question]) -> None:
        """Ask until there are no questions left, or the learner quits; then report."""
        _print_wrapped(f"Type your answer, or: ? (what an answer looks like), {COMMANDS}.")
        try:
            for number, question in enumerate(questions, 1):
                self.results.append(self._one(number, question))
                if self.ended:
                    break
        except (Quit, EOFError, KeyboardInterrupt):
            print_text("")
        self._report()

    def _one(self, number: int, question: Question) -> Answered:
        print_text("")
        _print_wrapped(f"{number} of {self.total}. {question.prompt}")
        for letter, choice in zip("abcdefghij", question.choices, strict=False):
            print_text(f"   {letter}) {choice}")
        answer = self._answer(question)
        if answer is None:
            self._show(f"skipped; the answer is {question.answer}", question)
            return Answered(number, question.kind, None)
        sure = self._how_sure() if self.confidence else None
        right = question.check(answer)
        if not right:
            self._show(f"wrong: {question.answer}", question)
        elif sure == CONFIDENCE["d"]:
            self._show("right; this is why:", question)
        else:
            print_text("right")
        return Answered(number, question.kind, right, sure)

    def _answer(self, question: Question) -> str | None:
        """What is typed, when it can be an answer; None if the question is skipped."""
        warned = False
        while True:
            text = input("> ").strip()
            word = text.lower()
            if word == "skip" or (not text and warned):
                return None
            if word in QUIT:
                raise Quit
            warned = not text
            if not text:
                _print_wrapped(ENTER)
            elif word in ("?", "help"):
                _print_wrapped(f"Please answer with {question.how_to_answer}. Or type: {COMMANDS}.")
            elif word == "hint":
                _print_wrapped(question.hint or "There is no hint for this question.")
            elif word == "words":
                self._explain(question)
            elif question.understands(text):
                return text
            else:
                _print_wrapped(f"Please answer with {question.how_to_answer}. (hint, skip and quit work, too)")

    def _how_sure(self) -> str | None:
        """How sure the learner is; None if the session ends here, and the answer still counts."""
        while not self.ended:
            try:
                text = input(f"{HOW_SURE} > ").strip()
            except (EOFError, KeyboardInterrupt):
                print_text("")
                text = QUIT[0]
            self.ended = text.lower() in QUIT
            if not self.ended and (sure := read_confidence(text)):
                return sure
            if not self.ended:
                print_text("Please type s, t or d.")
        return None

    def _show(self, verdict: str, question: Question) -> None:
        """The verdict and the solution; the words in it are those that are explained next."""
        print_text(f"{verdict}\n")
        for line in question.solution.splitlines():
            _print_wrapped(line) if len(line) > 80 else print_text(line)
        self.words = used_in(question.solution)
        if self.words and len(self.results) + 1 < self.total:
            print_text("\n(Type words to read what the words in it mean.)")

    def _explain(self, question: Question) -> None:
        """The words of this question, its hint, and the last solution."""
        here = used_in(f"{question.prompt} {question.hint}")
        for word in WORDS:
            if word in here or word in self.words:
                _print_wrapped(f"{word}: {WORDS[word]}")

    def _report(self) -> None:
        print_text(f"\n{score(self.results, self.total)}")
        if rows := confidence_rows(self.results):
            print_text("\n" + aligned([("confidence", "right", "wrong"), *rows]))
        if lines := advice(self.results):
            print_text("")
            for line in lines:
                _print_wrapped(line)
