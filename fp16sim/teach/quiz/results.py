"""What a session of questions showed: confidence against correctness, and what to practise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...wording import joined

CONFIDENCE = {"s": "sure", "t": "think so", "d": "don't know"}
"""How sure somebody is of an answer, by the key that says it."""
THINK_SO = CONFIDENCE["t"]
HOW_SURE = f"How sure are you? {', '.join(f'{key} = {word}' for key, word in CONFIDENCE.items())}; Enter: {THINK_SO}"
"""The question for it, wherever it is asked."""


@dataclass(frozen=True)
class Answered:
    """What became of a question; `right` is None if it was skipped, `confidence` if it was not asked."""

    number: int
    kind: str
    right: bool | None
    confidence: str | None = None


def read_confidence(text: str) -> str | None:
    """How sure somebody is: the key, the word, or its beginning; Enter alone is "think so". None if it is none of them.

    >>> [read_confidence(text) for text in ("s", "Think so", "dont know", "3", "", "maybe")]
    ['sure', 'think so', "don't know", "don't know", 'think so', None]
    """
    text = " ".join(text.lower().replace("\u2019", "'").split())
    if not text:
        return THINK_SO
    numbered = dict(zip("123", CONFIDENCE.values(), strict=True))
    words = {word.replace("'", ""): word for word in CONFIDENCE.values()}
    begun = [word for bare, word in words.items() if bare.startswith(text.replace("'", ""))]
    return numbered.get(text) or CONFIDENCE.get(text) or (begun[0] if len(begun) == 1 else None)


def score(results: Sequence[Answered], total: int) -> str:
    """How many were right, and which had no answer.

    >>> score([Answered(1, "add", True), Answered(2, "add", None)], 4)
    '1 of 1 right; skipped: 2; not asked: 3 to 4'
    """
    given = [result for result in results if result.right is not None]
    parts = [f"{sum(map(bool, (result.right for result in given)))} of {len(given)} right"]
    skipped = [str(result.number) for result in results if result.right is None]
    parts += [f"skipped: {joined(skipped)}"] if skipped else []
    if left := total - len(results):
        first = len(results) + 1
        parts.append(f"not asked: {first}" + (f" to {total}" if left > 1 else ""))
    return "; ".join(parts)


def confidence_rows(results: Sequence[Answered]) -> list[tuple[str, str, str]]:
    """(confidence, right, wrong) as text; empty if nobody was asked.

    >>> confidence_rows([Answered(1, "add", True, "sure"), Answered(2, "ulp", False, "sure")])
    [('sure', '1', '1'), ('think so', '0', '0'), ("don't know", '0', '0')]
    """
    asked = [result for result in results if result.confidence]

    def number(word: str, right: bool) -> str:
        return str(sum(result.confidence == word and result.right is right for result in asked))

    return [(word, number(word, True), number(word, False)) for word in CONFIDENCE.values()] if asked else []


def advice(results: Sequence[Answered]) -> list[str]:
    """Where somebody was sure and wrong, and the kinds to practise, the worst first.

    >>> advice([Answered(1, "add", True, "sure"), Answered(2, "ulp", False, "sure"), Answered(3, "flags", None)])
    ['You were sure and wrong in question 2 (ulp).', 'To practise: ulp (0 of 1 right) and flags (0 of 1 right).']
    """
    sure = [f"{x.number} ({x.kind})" for x in results if x.confidence == "sure" and x.right is False]
    lines = [f"You were sure and wrong in question{'s' * (len(sure) > 1)} {joined(sure)}."] if sure else []
    kinds = dict.fromkeys(result.kind for result in results)
    tally = {kind: [bool(result.right) for result in results if result.kind == kind] for kind in kinds}
    weak = [kind for kind, marks in tally.items() if not all(marks)]
    weak.sort(key=lambda kind: sum(tally[kind]) / len(tally[kind]))
    told = [f"{kind} ({sum(tally[kind])} of {len(tally[kind])} right)" for kind in weak]
    return [*lines, f"To practise: {joined(told)}."] if told else lines
