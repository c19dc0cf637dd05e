"""Judging: try a function on the cases of a task, find the simplest that is wrong, its explanation and its cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import cases
from ...formats import Format, Rounding
from .causes import misconceptions
from .examining import Outcome, examine, first_cases, joined, pick, plain, rows_of
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
    if isinstance(x, float) and x == x and abs(x) != float("inf"):
        return repr(x)
    if isinstance(x, list) and len(x) > 12:
        return f"[{', '.join(map(repr, x[:6]))}, ... {len(x)} numbers]"
    return f'float("{x}")' if isinstance(x, float) else repr(x) if isinstance(x, (str, list, tuple)) else str(x)


def counterexample(outcome: Outcome, index: int, name: str, task: Task, fmt: Format, mode: Rounding) -> Counterexample:
    """A wrong case, in full."""
    arguments = rows_of([pick(column, [index]) for column in outcome.cases.columns])[0]
    expected, got = plain(outcome.cases.expected)[index], outcome.values[index]
    as_code = task.result in ("number", "code")
    if task.result == "code":
        digits = -(-fmt.width // 4)
        texts = [f"{value:#0{digits + 2}x}" if isinstance(value, int) else "" for value in (expected, got)]
    else:
        texts = [show(value, fmt if as_code else None) if value is not None else "" for value in (expected, got)]
    hexed = task.signature == "f(code)"
    shown = ", ".join(hex(x) if hexed else _argument(x) for x in arguments)
    return Counterexample(
        arguments,
        expected,
        got,
        f"{name}({shown})",
        texts[0],
        outcome.complaints.get(index) or texts[1],
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
    """Grade a function that can be called."""
    outcome = examine(function, task, prepared(task, fmt, mode, False), fmt, time_limit, budget)
    first = outcome.run.results[0] if outcome.run.results else None
    if isinstance(first, Raised) and first.kind == "NotImplementedError":
        return Report(task.name, name, fmt, mode, problem=f"{name} is not written yet: it raises NotImplementedError.")
    if task.thorough and fmt.width <= cases.WIDEST_TABLE and not outcome.run.stopped:
        outcome = _thorough(function, task, fmt, mode, outcome, time_limit, budget)
    problem = _stopped(outcome, name, time_limit)
    if task.name == "tests" and outcome.correct.size and not outcome.correct[0]:
        problem, outcome = f"{name} refuses the right rounder, too: so it refuses anything.", first_cases(outcome, 1)
    example: Counterexample | None = None
    causes: tuple[str, ...] = ()
    if outcome.wrong.size:
        example = counterexample(outcome, int(outcome.wrong[0]), name, task, fmt, mode)
        causes = misconceptions(outcome, task.name, fmt, mode) if task.name != "tests" else ()
    note = _note(outcome, name, task, budget)
    return Report(task.name, name, fmt, mode, groups_of(outcome), example, causes, problem, note)


def _stopped(outcome: Outcome, name: str, time_limit: float) -> str:
    if outcome.run.stopped != "hung":
        return ""
    at = len(outcome.run.results)
    arguments = rows_of([pick(column, [at]) for column in outcome.cases.columns])[0]
    shown = ", ".join(map(_argument, arguments))
    return (
        f"{name}({shown}) did not return within {time_limit:g} seconds: an endless loop? "
        "What comes after it was not tried."
    )


def _note(outcome: Outcome, name: str, task: Task, budget: float) -> str:
    notes = []
    if outcome.run.stopped == "budget":
        notes.append(f"Time was over after {budget:g} seconds and {len(outcome.correct):,} cases; budget= gives more.")
    if outcome.run.printed and task.name != "tests":
        notes.append(f"What {name} printed while it was graded is not shown.")
    return " ".join(notes)


def _thorough(
    function: Callable[..., Any],
    task: Task,
    fmt: Format,
    mode: Rounding,
    quick: Outcome,
    time_limit: float,
    budget: float,
) -> Outcome:
    """All cases where the interesting ones are right; else also those that are simpler than the first wrong one."""
    every = prepared(task, fmt, mode, True)
    if not quick.wrong.size:
        more = examine(function, task, every, fmt, time_limit, budget)
        return joined(quick, more)
    known = [column[quick.wrong[0]] for column in quick.cases.columns]
    limit = sum(float(cases.cost(x)) for x in known)
    simpler = int(np.searchsorted(np.sum([cases.cost(x) for x in every.columns], axis=0), limit))
    fewer = Cases(tuple(x[:simpler] for x in every.columns), every.expected[:simpler], every.labels[:simpler])
    return joined(examine(function, task, fewer, fmt, time_limit, budget / 2), quick) if simpler else quick
