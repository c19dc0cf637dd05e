"""The cause: which fault, or which two, answer as the function does in every case."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import faults
from ..formats import Format, Rounding
from .examining import Outcome, pick, plain
from .results import same


def misconceptions(outcome: Outcome, task: str, fmt: Format, mode: Rounding) -> tuple[str, ...]:
    """The fault whose answers are the function's in every case where it returned any; or the two, if two explain it."""
    usable = [i for i, value in enumerate(outcome.values) if value is not None]
    if not any(not outcome.correct[i] for i in usable):
        return ()
    columns = [pick(column, usable) for column in outcome.cases.columns]
    truth = pick(plain(outcome.cases.expected), usable)
    got = [outcome.values[i] for i in usable]
    right = np.array([same(x, y) for x, y in zip(truth, got, strict=True)])
    answers = []
    for fault in faults.suspects(task):
        answer = plain(fault.answer(task, columns, fmt, mode))
        answer = [tuple(x) if isinstance(x, list) else x for x in answer]
        alike = np.array([same(x, y) for x, y in zip(answer, got, strict=True)])
        if alike.all():
            return (fault.misconception,)
        differs = ~np.array([same(x, y) for x, y in zip(answer, truth, strict=True)])
        # Where the fault shows and the function is right, it has not this fault: not even beside another.
        if not (differs & ~alike & right).any() and (alike & ~right).any():
            answers.append((fault, alike, differs))
    return _two(answers, right)


def _two(answers: list[Any], right: np.ndarray[Any, Any]) -> tuple[str, ...]:
    """Two faults that together are the function: where one alone shows it is that one, where none does it is right."""
    for i, (one, one_alike, one_differs) in enumerate(answers):
        for other, other_alike, other_differs in answers[i + 1 :]:
            alone, others = one_differs & ~other_differs, other_differs & ~one_differs
            neither = ~one_differs & ~other_differs
            fits = np.where(alone, one_alike, np.where(others, other_alike, one_alike | other_alike))
            if np.where(neither, right, fits).all():
                return one.misconception, other.misconception
    return ()
