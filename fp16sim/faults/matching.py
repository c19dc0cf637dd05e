"""Which known faults explain wrong answers: one that gives them all, two that do together, or the best of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from ..formats import Format, Rounding
from . import Fault, suspects
from .roundings import Array, differs

SAMPLE = 4096
"""Rows on which each fault is tried first: most of them are ruled out there."""
MOST = 6
"""How many faults are looked for beside each other."""
FaultT = TypeVar("FaultT")


class Candidate(NamedTuple, Generic[FaultT]):
    """A fault that nothing rules out: where a function answers as it does, and where the fault answers wrongly."""

    fault: FaultT
    alike: Array
    differs: Array


def two(candidates: Sequence[Candidate[FaultT]], right: Array) -> tuple[Candidate[FaultT], ...]:
    """Two faults that together explain a function; none if no two do.

    Where only one of them is wrong, the function must answer as that one does; where both are, as either of them;
    where neither is, it must be right.
    """
    for i, one in enumerate(candidates):
        for other in candidates[i + 1 :]:
            only_one, only_other = one.differs & ~other.differs, other.differs & ~one.differs
            neither = ~one.differs & ~other.differs
            fits = np.where(only_one, one.alike, np.where(only_other, other.alike, one.alike | other.alike))
            if np.where(neither, right, fits).all():
                return one, other
    return ()


class Explained(NamedTuple):
    """A fault, and the wrong rows that it explains (a mask); `fault` is None for the rows that none explains."""

    fault: Fault | None
    rows: Array


def explained(
    task: str, columns: Sequence[Array], truth: Array, got: Array, fmt: Format, mode: Rounding
) -> list[Explained]:
    """The causes of the wrong answers of a task, those with the most rows first; a mask of rows for each.

    >>> from fp16sim.faults import find
    >>> from fp16sim.formats import BINARY16
    >>> x = np.array([1.0, 1 + 2.0**-11, 3 * 2.0**-11, 2.0**-24, 2.0**20])
    >>> truth, got = (f(x, "binary16") for f in (find("ties_to_even"), find("ties_away")))
    >>> (found,) = explained("rounding", [x], truth, got, BINARY16, Rounding.TIES_TO_EVEN)
    >>> found.fault.name, found.rows.tolist()
    ('ties_away', [False, True, False, False, False])
    """
    right = ~differs(got, truth)
    candidates: list[Candidate[Fault]] = []
    for fault in suspects(task):
        found = _candidate(fault, task, columns, truth, got, right, (fmt, mode))
        if found and found.alike.all():
            return [Explained(fault, ~right)]
        candidates += [found] if found and (found.alike & ~right).any() else []
    pair = two(candidates, right)
    if pair:
        one, other = (candidate.alike & ~right for candidate in pair)
        return [Explained(pair[0].fault, one), Explained(pair[1].fault, other & ~one)]
    return _greedy(candidates, right)


def _candidate(
    fault: Fault,
    task: str,
    columns: Sequence[Array],
    truth: Array,
    got: Array,
    right: Array,
    setting: tuple[Format, Rounding],
) -> Candidate[Fault] | None:
    """A fault, unless it is wrong where the function is right; first on a sample, then on all rows."""
    step = max(1, truth.size // SAMPLE)
    for rows in (slice(None, None, step), slice(None)):
        try:
            answer = np.asarray(fault.answer(task, [column[rows] for column in columns], *setting), np.float64)
        except (ValueError, ArithmeticError):  # a fault that this format cannot have
            return None
        wrong = differs(answer, truth[rows])
        if (wrong & right[rows]).any():
            return None
    return Candidate(fault, ~differs(answer, got), wrong)


def _greedy(candidates: list[Candidate[Fault]], right: Array) -> list[Explained]:
    """Again and again the fault that explains the most of what is left; last the rows that none explains."""
    left = ~right
    found: list[Explained] = []
    while candidates and left.any() and len(found) < MOST:
        best = max(candidates, key=lambda candidate: int((candidate.alike & left).sum()))
        rows = best.alike & left
        if not rows.any():
            break
        found.append(Explained(best.fault, rows))
        left = left & ~rows
    return [*found, *([Explained(None, left)] if left.any() else [])]
