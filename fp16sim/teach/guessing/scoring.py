"""How sure against how right: guesses counted by confidence, and those named that were sure and wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...wording import aligned
from ..quiz.results import CONFIDENCE
from .asking import SURE
from .kept import Kept


@dataclass(frozen=True)
class Score:
    """Of one confidence: how many guesses were compared, and how many of them were right."""

    confidence: str
    right: int
    compared: int

    def __str__(self) -> str:
        return f"{self.right} of {self.compared}" if self.compared else "-"


def scores(guesses: Iterable[Kept]) -> tuple[Score, ...]:
    """One score for each confidence; what was not compared, or could not be read, does not count.

    >>> [str(score) for score in scores([Kept("?", "1", "sure", "1", True), Kept("!", "1", "sure", "2", False)])]
    ['1 of 2', '-', '-']
    """
    known = [guess for guess in guesses if guess.right is not None]
    of = {name: [guess.right for guess in known if guess.confidence == name] for name in CONFIDENCE.values()}
    return tuple(Score(name, sum(map(bool, right)), len(right)) for name, right in of.items())


def sure_and_wrong(guesses: Iterable[Kept]) -> list[Kept]:
    """The ones worth a second look."""
    return [guess for guess in guesses if guess.right is False and guess.confidence == SURE]


def table(columns: Sequence[tuple[str, Iterable[Kept]]]) -> str:
    """Confidence against correctness, with a column for each group of guesses."""
    counted = [scores(guesses) for _, guesses in columns]
    rows = [["how sure", *(heading for heading, _ in columns)]]
    rows += [[of_one[0].confidence, *map(str, of_one)] for of_one in zip(*counted, strict=True)]
    return aligned(rows)


def named(guesses: Iterable[Kept]) -> str:
    """Questions with what was said and what it is, a line each."""
    return "\n".join(f"- {guess.question} You said {guess.answer}; it is {guess.result}." for guess in guesses)
