"""Trying a function: call it on every case, read what it returns, compare with the right answers."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...faults.roundings import differs
from ...formats import Format
from . import results
from .plain import Raised
from .results import READERS, Unsuitable, same
from .running import Calls, Run, as_list
from .tasks import Cases, Task, canonical

SAMPLE = 50
"""Cases that are tried one by one before a function is called with whole arrays."""


@dataclass
class Clock:
    """Calls a function, and counts the time that its calls take.

    Attributes
    ----------
    calls : callable
        What calls the function.
    time_limit, budget : float
        Seconds for one call, and for all calls.
    spent : float
        Seconds that the calls took.
    """

    calls: Calls
    time_limit: float
    budget: float
    spent: float = 0.0

    def each(self, columns: Sequence[Any], budget: float = math.inf) -> Run:
        """One call for each row, as long as there is time."""
        return self._timed(columns, self.time_limit, min(budget, self.budget - self.spent))

    def whole(self, columns: Sequence[Any], budget: float = math.inf) -> Run:
        """One call with whole columns, which may take all the time that is left."""
        seconds = min(budget, self.budget - self.spent)
        return self._timed([[column] for column in columns], seconds, seconds)

    def _timed(self, columns: Sequence[Any], time_limit: float, budget: float) -> Run:
        start = time.monotonic()
        try:
            return self.calls(columns, time_limit, max(budget, 0.0))
        finally:
            self.spent += time.monotonic() - start


@dataclass(frozen=True)
class Outcome:
    """What a function answered, for each case of a list."""

    cases: Cases
    results: tuple[Any, ...]
    """Plain data; None where a case was not tried."""
    values: tuple[Any, ...]
    """The results, as the task reads them; None where a result was not usable."""
    complaints: dict[int, str]
    """By index: why a result was not usable."""
    tried: np.ndarray[Any, Any]
    correct: np.ndarray[Any, Any]
    """Two columns of truth values."""
    failure: str = ""
    """What a call did instead of returning, with which the calls ended; see `Run`."""
    failed_at: int = 0
    """The index of the case of that call."""
    out_of_time: bool = False
    printed: int = 0
    uncounted: int = 0
    """The number of first cases that were tried only to find a simpler counterexample; they are not in the score."""

    @property
    def wrong(self) -> np.ndarray[Any, Any]:
        """The indices of the cases that were tried and are not right."""
        return np.flatnonzero(self.tried & ~self.correct)


def pick(column: Any, indices: Any) -> Any:
    """Some rows of a column."""
    return column[indices] if isinstance(column, np.ndarray) else [column[i] for i in indices]


# --- calls ----------------------------------------------------------------------------------------------------------


def _by_arrays(clock: Clock, case: Cases, sample: Run, budget: float) -> Run | None:
    """One call with whole arrays, if the function accepts them and answers for arrays as it does for numbers."""
    columns = case.columns
    if not all(isinstance(column, np.ndarray) for column in columns) or len(columns[0]) <= SAMPLE:
        return None
    few = _array_call(clock, [column[:SAMPLE] for column in columns], clock.time_limit)
    if few is None:
        return None
    # A function that is written for arrays only may refuse every single number: then there is nothing to compare.
    arrays_only = all(isinstance(result, Raised) for result in sample.results)
    for one, other in () if arrays_only else zip(sample.results, few.results, strict=True):
        if isinstance(one, Raised) or not _same_number(one, other):
            return None
    return _array_call(clock, columns, budget)


def _same_number(one: Any, other: Any) -> bool:
    try:
        return same(results.number(one), results.number(other))
    except Unsuitable:
        return False


def _array_call(clock: Clock, columns: Sequence[Any], budget: float) -> Run | None:
    """One call with arrays; None if it does not return an array, because functions may be written for numbers only."""
    done = clock.whole(columns, budget)
    answer = done.results[0] if done.results else None
    if not isinstance(answer, np.ndarray) or answer.shape != columns[0].shape:
        return None
    return replace(done, results=tuple(answer.tolist()))


def call_all(clock: Clock, case: Cases, budget: float = math.inf) -> Run:
    """Call a function on all cases: with whole arrays if it accepts them, else one by one."""
    sample = clock.each([column[:SAMPLE] for column in case.columns], budget)
    if len(case.labels) <= SAMPLE or not sample.complete:
        return sample
    whole = _by_arrays(clock, case, sample, budget)
    if whole is not None:
        return whole
    rest = clock.each([column[SAMPLE:] for column in case.columns], budget)
    return replace(rest, results=sample.results + rest.results, printed=sample.printed + rest.printed)


def examine(clock: Clock, task: Task, case: Cases, fmt: Format, budget: float = math.inf) -> Outcome:
    """Call the function on all cases, within the seconds given, and compare each result with the right answer."""
    done = call_all(clock, case, budget)
    total, tried = len(case.labels), len(done.results)
    untried = (None,) * (total - tried)
    correct = np.zeros(total, bool)
    if task.result == "number" and all(type(result) is float for result in done.results):
        values, complaints = done.results, dict[int, str]()
        correct[:tried] = ~differs(np.array(values, np.float64), np.asarray(case.expected[:tried]))
    else:
        values, complaints, correct[:tried] = _read_and_compared(task, case, done.results, fmt)
    return Outcome(
        case,
        done.results + untried,
        values + untried,
        complaints,
        np.arange(total) < tried,
        correct,
        done.failure,
        tried,
        done.out_of_time,
        done.printed,
    )


def _read_and_compared(
    task: Task, case: Cases, found: Sequence[Any], fmt: Format
) -> tuple[tuple[Any, ...], dict[int, str], list[bool]]:
    """The results as the task reads them, complaints on those that are not usable, and which are right."""
    read = READERS[task.result]
    values: list[Any] = [None] * len(found)
    complaints: dict[int, str] = {}
    correct = [False] * len(found)
    for i, (result, right) in enumerate(zip(found, as_list(case.expected), strict=False)):
        try:
            values[i] = canonical(task, read(result), fmt)
        except Unsuitable as complaint:
            complaints[i] = str(complaint)
        else:
            correct[i] = same(right, values[i])
    return tuple(values), complaints, correct


# --- parts of outcomes ----------------------------------------------------------------------------------------------


def some_cases(outcome: Outcome, chosen: npt.ArrayLike) -> Outcome:
    """An outcome with some of its cases, by their indices in ascending order."""
    indices = np.asarray(chosen, np.intp)
    case = outcome.cases
    columns = tuple(pick(column, indices) for column in case.columns)
    expected, labels = pick(as_list(case.expected), indices), pick(case.labels, indices)
    return replace(
        outcome,
        cases=Cases(columns, expected, labels),
        results=tuple(outcome.results[i] for i in indices),
        values=tuple(outcome.values[i] for i in indices),
        complaints={new: outcome.complaints[i] for new, i in enumerate(indices) if i in outcome.complaints},
        tried=outcome.tried[indices],
        correct=outcome.correct[indices],
        failed_at=int(np.searchsorted(indices, outcome.failed_at)),
    )


def concatenated(one: Outcome, other: Outcome) -> Outcome:
    """Two outcomes as one."""
    count = len(one.values)
    columns = tuple(np.concatenate(pair) for pair in zip(one.cases.columns, other.cases.columns, strict=True))
    expected = [*as_list(one.cases.expected), *as_list(other.cases.expected)]
    return Outcome(
        Cases(columns, expected, [*one.cases.labels, *other.cases.labels]),
        one.results + other.results,
        one.values + other.values,
        one.complaints | {count + i: text for i, text in other.complaints.items()},
        np.concatenate([one.tried, other.tried]),
        np.concatenate([one.correct, other.correct]),
        one.failure or other.failure,
        one.failed_at if one.failure else count + other.failed_at,
        one.out_of_time or other.out_of_time,
        one.printed + other.printed,
    )
