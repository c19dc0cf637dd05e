"""Trying a function: call it on every case, read what it returns, compare codes."""

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
"""Cases that are tried one by one before a function is trusted with arrays."""


@dataclass(frozen=True)
class Outcome:
    """What a function made of cases."""

    cases: Cases
    values: tuple[Any, ...]
    """What was returned, read; None where it was not usable."""
    complaints: dict[int, str]
    correct: np.ndarray[Any, Any]
    run: Run

    @property
    def wrong(self) -> Any:
        """The indices of cases that were tried and are not right."""
        return np.flatnonzero(~self.correct)


def plain(column: Any) -> list[Any]:
    """A column as a list of Python's own numbers."""
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def rows_of(columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Arguments, call by call, as Python's own numbers."""
    return list(zip(*map(plain, columns), strict=True))


def _by_arrays(function: Callable[..., Any], case: Cases, sample: Run, budget: float) -> Run | None:
    """One call with whole arrays, if the function takes them and agrees with what it says of single numbers."""
    columns = case.columns
    if not all(isinstance(column, np.ndarray) for column in columns) or len(columns[0]) <= SAMPLE:
        return None
    few = _array_call(function, [column[:SAMPLE] for column in columns], budget)
    if few is None:
        return None
    # A function for arrays alone may refuse every single number; then its word on arrays counts.
    alone = all(isinstance(result, Raised) for result in sample.results)
    for one, other in () if alone else zip(sample.results, few.results, strict=False):
        if isinstance(one, Raised) or not _agree(one, other):
            return None
    return _array_call(function, list(columns), budget)


def _agree(one: Any, other: Any) -> bool:
    try:
        return same(results.number(one), results.number(other))
    except Unsuitable:
        return False


def _array_call(function: Callable[..., Any], columns: list[Any], budget: float) -> Run | None:
    done = run(function, [tuple(columns)], budget, budget)
    answer = done.results[0] if done.results else None
    answer = getattr(answer, "values", answer) if hasattr(answer, "fmt") else answer
    if not isinstance(answer, np.ndarray) or answer.shape != columns[0].shape:
        return None
    return Run(tuple(answer.tolist() if answer.dtype.kind in "iufbO" else list(answer)), done.stopped, done.printed)


def call_all(function: Callable[..., Any], case: Cases, time_limit: float, budget: float) -> Run:
    """Call a function on all cases: with arrays where it can take them, else one by one."""
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
    """Call the function and compare each result with what is right."""
    done = call_all(function, case, time_limit, budget)
    read = READERS[task.result]
    values, complaints, correct = [], {}, np.zeros(len(done.results), bool)
    expected = plain(case.expected)
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


def pick(column: Any, indices: list[int]) -> Any:
    """Some rows of a column."""
    return column[indices] if isinstance(column, np.ndarray) else [column[i] for i in indices]


def joined(one: Outcome, other: Outcome) -> Outcome:
    """Both, one after the other; only what was tried, unless the function hangs."""
    first = first_cases(one, len(one.correct))
    second = other if other.run.stopped == "hung" else first_cases(other, len(other.correct))
    columns = tuple(np.concatenate(pair) for pair in zip(first.cases.columns, second.cases.columns, strict=True))
    expected = [*plain(first.cases.expected), *plain(second.cases.expected)]
    count, stopped = len(one.correct), other.run.stopped or one.run.stopped
    return Outcome(
        Cases(columns, expected, [*first.cases.labels, *second.cases.labels]),
        one.values + other.values,
        one.complaints | {count + i: text for i, text in other.complaints.items()},
        np.concatenate([one.correct, other.correct]),
        Run(one.run.results + other.run.results, stopped, one.run.printed + other.run.printed),
    )


def first_cases(outcome: Outcome, count: int) -> Outcome:
    """The first cases alone."""
    case = outcome.cases
    columns = tuple(column[:count] for column in case.columns)
    return Outcome(
        Cases(columns, case.expected[:count], case.labels[:count]),
        outcome.values[:count],
        outcome.complaints,
        outcome.correct[:count],
        outcome.run,
    )
