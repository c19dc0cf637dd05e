"""The cause: which fault, or which two, answer as the function does in every case."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import faults
from ...formats import Format, Rounding
from .examining import Outcome, pick, plain
from .results import same

Array = np.ndarray[Any, Any]


def _comparable(values: Any) -> Any:
    """binary64 bits, all NaNs alike, where every value is a float or a small integer; else a list."""
    items = [tuple(x) if isinstance(x, list) else x for x in plain(values)]
    if not all(isinstance(x, float) or (isinstance(x, int) and abs(x) < 2**53) for x in items):
        return items
    numbers = np.array(items, np.float64)
    return np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64)


def _alike(one: Any, other: Any) -> Array:
    """Where two lists of answers are the same."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.asarray(one == other)
    lists = (x.view(np.float64).tolist() if isinstance(x, np.ndarray) else x for x in (one, other))
    return np.array([same(x, y) for x, y in zip(*lists, strict=True)], bool)


def misconceptions(outcome: Outcome, task: str, fmt: Format, mode: Rounding) -> tuple[str, ...]:
    """The fault whose answers are the function's in every case where it returned any; or the two, if two explain it."""
    usable = [i for i, value in enumerate(outcome.values) if value is not None]
    columns = [pick(column, usable) for column in outcome.cases.columns]
    truth = _comparable(pick(plain(outcome.cases.expected), usable))
    got = _comparable([outcome.values[i] for i in usable])
    right = _alike(truth, got)
    if right.all():
        return ()
    candidates = []
    for fault in faults.suspects(task):
        answer = _comparable(fault.answer(task, columns, fmt, mode))
        alike = _alike(answer, got)
        if alike.all():
            return (fault.misconception,)
        differs = ~_alike(answer, truth)
        # Where the fault shows and the function is right, it has not this fault: not even beside another.
        if not (differs & ~alike & right).any() and (alike & ~right).any():
            candidates.append((fault, alike, differs))
    return _two(candidates, right)


def _two(candidates: list[Any], right: Array) -> tuple[str, ...]:
    """Two faults that together are the function: where one alone shows it is that one, where none does it is right."""
    for i, (one, one_alike, one_differs) in enumerate(candidates):
        for other, other_alike, other_differs in candidates[i + 1 :]:
            alone, others = one_differs & ~other_differs, other_differs & ~one_differs
            neither = ~one_differs & ~other_differs
            fits = np.where(alone, one_alike, np.where(others, other_alike, one_alike | other_alike))
            if np.where(neither, right, fits).all():
                return one.misconception, other.misconception
    return ()
