"""The cause of wrong answers: the known fault, or the two, that give the same answers in every case."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ... import faults
from ...faults.matching import Candidate, two
from ...formats import Format, Rounding
from .examining import Outcome, pick
from .plain import Raised
from .results import same
from .running import as_list

Array: TypeAlias = np.ndarray[Any, Any]
SAMPLE = 20
"""Cases that are tried first with a fault whose answers take long."""


def _comparable(values: Any) -> Any:
    """The bits in binary64, with one NaN for all, if every value is a float or a small integer; else a list."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":  # codes are small integers
        numbers = values.astype(np.float64)
    else:
        items = [tuple(x) if isinstance(x, list) else x for x in as_list(values)]
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
    """What the function does instead: the fault, or the two faults, that give its answer in every case tried.

    Nothing is named if a call gave something that cannot be compared, or raised: few faults do that.
    """
    raised = {i for i in outcome.complaints if isinstance(outcome.results[i], Raised)}
    if not outcome.wrong.size or len(raised) < len(outcome.complaints) or (raised and task not in faults.SETTINGS):
        return ()
    tried = np.flatnonzero(outcome.tried)
    columns = [pick(column, tried) for column in outcome.cases.columns]
    truth = _comparable(pick(outcome.cases.expected, tried))
    got = _comparable([faults.RAISES if i in raised else outcome.values[i] for i in tried.tolist()])
    right = _alike(truth, got)
    candidates: list[Candidate[faults.Fault]] = []
    for fault in faults.suspects(task):
        if task in faults.SLOW and not _may_be(fault, task, columns, truth, got, right, fmt, mode):
            continue
        answer = _comparable(fault.answer(task, columns, fmt, mode))
        alike = _alike(answer, got)
        if alike.all():
            return (fault.misconception,)
        differs = ~_alike(truth, answer)  # in this order: an answer that stands for every answer differs
        # Where the fault is wrong but the function is right, the function does not have it, not even beside another.
        if not (differs & ~alike & right).any() and (alike & ~right).any():
            candidates.append(Candidate(fault, alike, differs))
    return tuple(candidate.fault.misconception for candidate in two(candidates, right))


def _may_be(
    fault: faults.Fault, task: str, columns: list[Any], truth: Any, got: Any, right: Array, fmt: Format, mode: Rounding
) -> bool:
    """Whether some cases do not speak against a fault whose answers take long.

    A fault is wrong nowhere that the function is right. If the function is wrong nearly everywhere, it has one fault.
    """
    good, bad = np.flatnonzero(right), np.flatnonzero(~right)
    some = good[:: max(1, good.size // SAMPLE)]
    if (~_alike(fault.answer(task, [pick(x, some) for x in columns], fmt, mode), pick(truth, some))).any():
        return False
    some = bad[: SAMPLE // 4] if bad.size > good.size else bad[:0]
    return bool(_alike(fault.answer(task, [pick(x, some) for x in columns], fmt, mode), pick(got, some)).all())
