"""Trying a function: call it on every case, read what it returns, compare with the right answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...formats import Format
from . import results
from .results import READERS, Unsuitable, same
from .running import Raised, Run, run
from .tasks import Cases, Task, canonical

SAMPLE = 50
"""Cases that are tried one by one before a function is called with whole arrays."""


@dataclass(frozen=True)
class Outcome:
    """What a function answered."""

    cases: Cases
    values: tuple[Any, ...]
    """The results, as the task reads them; None where a result was not usable."""
    complaints: dict[int, str]
    """By index: why a result was not usable."""
    correct: np.ndarray[Any, Any]
    run: Run

    @property
    def wrong(self) -> np.ndarray[Any, Any]:
        """The indices of the cases that were tried and are not right."""
        return np.flatnonzero(~self.correct)


def as_list(column: Any) -> list[Any]:
    """A column as a list of Python's own numbers."""
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def rows_of(columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The arguments of each call, as Python's own numbers."""
    return list(zip(*map(as_list, columns), strict=True))


def pick(column: Any, indices: Sequence[int]) -> Any:
    """Some rows of a column."""
    return column[indices] if isinstance(column, np.ndarray) else [column[i] for i in indices]


# --- calls ----------------------------------------------------------------------------------------------------------


def _by_arrays(function: Callable[..., Any], case: Cases, sample: Run, budget: float) -> Run | None:
    """One call with whole arrays, if the function accepts them and answers for arrays as it does for numbers."""
    columns = case.columns
    if not all(isinstance(column, np.ndarray) for column in columns) or len(columns[0]) <= SAMPLE:
        return None
    few = _array_call(function, [column[:SAMPLE] for column in columns], budget)
    if few is None:
        return None
    # A function that is written for arrays only may refuse every single number: then there is nothing to compare.
    arrays_only = all(isinstance(result, Raised) for result in sample.results)
    for one, other in () if arrays_only else zip(sample.results, few.results, strict=False):
        if isinstance(one, Raised) or not _same_number(one, other):
            return None
    return _array_call(function, list(columns), budget)


def _same_number(one: Any, other: Any) -> bool:
    try:
        return same(results.number(one), results.number(other))
    except Unsuitable:
        return False


def _array_call(function: Callable[..., Any], columns: list[Any], budget: float) -> Run | None:
    done = run(function, [tuple(columns)], budget, budget)
    answer = results.unwrapped(done.results[0]) if done.results else None
    if not isinstance(answer, np.ndarray) or answer.shape != columns[0].shape:
        return None
    return Run(tuple(answer.tolist() if answer.dtype.kind in "iufbO" else list(answer)), done.stopped, done.printed)


def call_all(function: Callable[..., Any], case: Cases, time_limit: float, budget: float) -> Run:
    """Call a function on all cases: with whole arrays if it accepts them, else one by one."""
    rows = rows_of(case.columns)
    sample = run(function, rows[:SAMPLE], time_limit, budget)
    if len(rows) <= SAMPLE or sample.stopped:
        return sample
    whole = _by_arrays(function, case, sample, budget)
    if whole is not None:
        return whole
    if all(isinstance(result, Raised) for result in sample.results):
        return sample
    rest = run(function, rows[SAMPLE:], time_limit, budget)
    return Run(sample.results + rest.results, rest.stopped, sample.printed + rest.printed)


def examine(
    function: Callable[..., Any], task: Task, case: Cases, fmt: Format, time_limit: float, budget: float
) -> Outcome:
    """Call the function on all cases and compare each result with the right answer."""
    done = call_all(function, case, time_limit, budget)
    read = READERS[task.result]
    values, complaints, correct = [], {}, np.zeros(len(done.results), bool)
    expected = as_list(case.expected)
    for i, raw in enumerate(done.results):
        try:
            value = canonical(task, read(raw), fmt)
        except Unsuitable as complaint:
            complaints[i] = str(complaint)
            value = None
        else:
            correct[i] = same(expected[i], value)
        values.append(value)
    return Outcome(case, tuple(values), complaints, correct, done)


# --- parts of outcomes ----------------------------------------------------------------------------------------------


def first_cases(outcome: Outcome, count: int) -> Outcome:
    """An outcome with its first cases only."""
    case = outcome.cases
    columns = tuple(column[:count] for column in case.columns)
    return Outcome(
        Cases(columns, case.expected[:count], case.labels[:count]),
        outcome.values[:count],
        outcome.complaints,
        outcome.correct[:count],
        outcome.run,
    )


def concatenated(one: Outcome, other: Outcome) -> Outcome:
    """Two outcomes as one: the cases that were tried, and the untried ones of the second if the function hung."""
    first = first_cases(one, len(one.correct))
    second = other if other.run.stopped == "hung" else first_cases(other, len(other.correct))
    columns = tuple(np.concatenate(pair) for pair in zip(first.cases.columns, second.cases.columns, strict=True))
    expected = [*as_list(first.cases.expected), *as_list(second.cases.expected)]
    count, stopped = len(one.correct), other.run.stopped or one.run.stopped
    return Outcome(
        Cases(columns, expected, [*first.cases.labels, *second.cases.labels]),
        one.values + other.values,
        one.complaints | {count + i: text for i, text in other.complaints.items()},
        np.concatenate([one.correct, other.correct]),
        Run(one.run.results + other.run.results, stopped, one.run.printed + other.run.printed),
    )
