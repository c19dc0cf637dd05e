"""Judging: try a function on the cases of a task; report the simplest wrong case, its explanation and its cause."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import cases
from ...formats import Format, Rounding
from .causes import misconceptions
from .examining import Outcome, as_list, concatenated, examine, first_cases, pick, rows_of
from .report import Counterexample, Group, Report
from .results import show
from .running import Raised
from .tasks import Cases, Task, prepared
from .why import why


def groups_of(outcome: Outcome) -> tuple[Group, ...]:
    """The cases by what they are about, in order of appearance."""
    labels = list(outcome.cases.labels)
    tried = len(outcome.correct)
    counts: dict[str, list[int]] = {label: [0, 0, 0] for label in dict.fromkeys(labels)}
    for i, label in enumerate(labels):
        counts[label][2] += 1
        if i < tried:
            counts[label][1] += 1
            counts[label][0] += bool(outcome.correct[i])
    return tuple(Group(label, *counted) for label, counted in counts.items())


def _argument(x: Any) -> str:
    if isinstance(x, float):
        return repr(x) if math.isfinite(x) else f'float("{x}")'
    if isinstance(x, list) and len(x) > 12:
        return f"[{', '.join(map(repr, x[:6]))}, ... {len(x)} numbers]"
    return repr(x) if isinstance(x, (str, list, tuple)) else str(x)


def _arguments(outcome: Outcome, index: int) -> tuple[Any, ...]:
    return rows_of([pick(column, [index]) for column in outcome.cases.columns])[0]


def _call(name: str, arguments: tuple[Any, ...], task: Task, fmt: Format) -> str:
    """A call as one would type it; codes are in hexadecimal."""
    given = map(fmt.hex_code if task.signature == "f(code)" else _argument, arguments)
    return f"{name}({', '.join(given)})"


def _result(value: Any, task: Task, fmt: Format) -> str:
    if value is None:
        return ""
    if task.result == "code":
        return fmt.hex_code(value) if value >= 0 else f"-{fmt.hex_code(-value)}"
    return show(value, fmt if task.result == "number" else None)


def counterexample(outcome: Outcome, index: int, name: str, task: Task, fmt: Format, mode: Rounding) -> Counterexample:
    """A wrong case with everything that a report says about it."""
    arguments = _arguments(outcome, index)
    expected, got = as_list(outcome.cases.expected)[index], outcome.values[index]
    return Counterexample(
        arguments,
        expected,
        got,
        _call(name, arguments, task, fmt),
        _result(expected, task, fmt),
        outcome.complaints.get(index) or _result(got, task, fmt),
        why(task.name, arguments, fmt, mode),
    )


def judge(
    function: Callable[..., Any],
    name: str,
    task: Task,
    fmt: Format,
    mode: Rounding,
    time_limit: float,
    budget: float,
) -> Report:
    """The report on a function that can be called."""
    outcome = examine(function, task, prepared(task, fmt, mode, False), fmt, time_limit, budget)
    first = outcome.run.results[0] if outcome.run.results else None
    if isinstance(first, Raised) and first.kind == "NotImplementedError":
        return Report(task.name, name, fmt, mode, problem=f"{name} is not written yet: it raises NotImplementedError.")
    if task.has_more and fmt.width <= cases.WIDEST_TABLE and not outcome.run.stopped:
        outcome = _with_more(function, task, fmt, mode, outcome, time_limit, budget)
    problem = _hung(outcome, name, task, fmt, time_limit)
    if task.name == "tests" and outcome.correct.size and not outcome.correct[0]:
        problem = f"{name} refuses the right rounder, too: it refuses everything."
        outcome = first_cases(outcome, 1)
    example: Counterexample | None = None
    causes: tuple[str, ...] = ()
    if outcome.wrong.size:
        example = counterexample(outcome, int(outcome.wrong[0]), name, task, fmt, mode)
        causes = misconceptions(outcome, task.name, fmt, mode) if task.name != "tests" else ()
    note = _note(outcome, name, task, budget)
    return Report(task.name, name, fmt, mode, groups_of(outcome), example, causes, problem, note)


def _hung(outcome: Outcome, name: str, task: Task, fmt: Format, time_limit: float) -> str:
    if outcome.run.stopped != "hung":
        return ""
    call = _call(name, _arguments(outcome, len(outcome.run.results)), task, fmt)
    return f"{call} did not return within {time_limit:g} seconds: an endless loop? The cases after it were not tried."


def _note(outcome: Outcome, name: str, task: Task, budget: float) -> str:
    notes = []
    if outcome.run.stopped == "budget":
        tried = len(outcome.correct)
        notes.append(f"The time was up after {budget:g} seconds and {tried:,} cases; a larger budget= gives more time.")
    if outcome.run.printed and task.name != "tests":
        notes.append(f"What {name} printed while it was graded is not shown.")
    return " ".join(notes)


def _with_more(
    function: Callable[..., Any],
    task: Task,
    fmt: Format,
    mode: Rounding,
    quick: Outcome,
    time_limit: float,
    budget: float,
) -> Outcome:
    """All cases if the interesting ones are right; else also those that are simpler than the first wrong one."""
    every = prepared(task, fmt, mode, True)
    if not quick.wrong.size:
        return concatenated(quick, examine(function, task, every, fmt, time_limit, budget))
    wrong = [column[quick.wrong[0]] for column in quick.cases.columns]
    limit = sum(float(cases.cost(x)) for x in wrong)
    simpler = int(np.searchsorted(np.sum([cases.cost(x) for x in every.columns], axis=0), limit))
    if not simpler:
        return quick
    fewer = Cases(tuple(x[:simpler] for x in every.columns), every.expected[:simpler], every.labels[:simpler])
    return concatenated(examine(function, task, fewer, fmt, time_limit, budget / 2), quick)
