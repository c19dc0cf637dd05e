"""Judging: try a function on the cases of a task; report the simplest wrong case, its explanation and its cause."""

from __future__ import annotations

import copy
import math
from collections import Counter
from dataclasses import replace
from itertools import compress
from typing import Any

import numpy as np

from ... import cases
from ...formats import Format, Rounding
from ...wording import count
from .causes import misconceptions
from .examining import Clock, Outcome, concatenated, examine, pick, some_cases
from .inputs import ACCEPTED
from .plain import Raised
from .report import Counterexample, Group, Report
from .results import show
from .running import as_list, rows_of
from .tasks import Cases, Task, prepared
from .why import why


def judge(clock: Clock, name: str, task: Task, fmt: Format, mode: Rounding) -> Report:
    """The report on a function, which the clock calls."""
    examined = _examine_test if task.name == "tests" else _examine
    outcome = examined(clock, task, fmt, mode)
    first = outcome.results[0] if outcome.results else None
    if isinstance(first, Raised) and first.kind == "NotImplementedError":
        return Report(task.name, name, fmt, mode, problem=f"{name} is not written yet: it raises NotImplementedError.")
    problem = _failure(outcome, name, task, fmt)
    if task.name == "tests":
        outcome, refusal = _without_controls(outcome, name)
        problem = refusal or problem
    example: Counterexample | None = None
    causes: tuple[str, ...] = ()
    if outcome.wrong.size:
        example = counterexample(outcome, int(outcome.wrong[0]), name, task, fmt, mode)
        causes = misconceptions(outcome, task.name, fmt, mode)
    unanswered = _unanswered(outcome, name, task, fmt)
    note = _note(outcome, name, task, fmt, clock.budget)
    return Report(task.name, name, fmt, mode, groups_of(outcome), example, causes, unanswered, problem, note)


# --- which cases are tried ------------------------------------------------------------------------------------------


def _examine(clock: Clock, task: Task, fmt: Format, mode: Rounding) -> Outcome:
    """The interesting cases, and if they are right, every case; else those simpler than the first wrong one, too."""
    quick = examine(clock, task, prepared(task, fmt, mode, False), fmt)
    if not (task.has_more and fmt.width <= cases.WIDEST_TABLE and quick.tried.all()):
        return quick
    every = prepared(task, fmt, mode, True)
    if not quick.wrong.size:
        more = _as_time_allows(examine(clock, task, every, fmt))
        is_whole = len(more.values) == len(every.labels) and _contains(every, quick.cases)
        return replace(concatenated(quick, more), uncounted=len(quick.values) if is_whole else 0)
    wrong = [column[quick.wrong[0]] for column in quick.cases.columns]
    limit = sum(float(cases.cost(x)) for x in wrong)
    simpler = int(np.searchsorted(np.sum([cases.cost(x) for x in every.columns], axis=0), limit))
    if not simpler:
        return quick
    fewer = Cases(tuple(x[:simpler] for x in every.columns), every.expected[:simpler], every.labels[:simpler])
    found = _as_time_allows(examine(clock, task, fewer, fmt, clock.budget / 2))
    return replace(concatenated(found, quick), uncounted=len(found.values))


def _contains(every: Cases, quick: Cases) -> bool:
    """Whether each of the interesting cases is also among the others: then it counts once."""
    few, all_of_them = (np.asarray(one.columns[0]).view(np.uint64) for one in (quick, every))
    return len(every.columns) == 1 and bool(np.isin(few, all_of_them).all())


def _as_time_allows(more: Outcome) -> Outcome:
    """Cases beyond the interesting ones count if they were tried, or if the function failed before it came to them."""
    return more if more.failure else some_cases(more, np.flatnonzero(more.tried))


def _examine_test(clock: Clock, task: Task, fmt: Format, mode: Rounding) -> Outcome:
    """All rounders, each of them new: it remembers what it was last asked."""
    given = prepared(task, fmt, mode, False)
    return examine(clock, task, replace(given, columns=([copy.copy(x) for x in given.columns[0]],)), fmt)


def _without_controls(outcome: Outcome, name: str) -> tuple[Outcome, str]:
    """Only the first of the right rounders, which stand among the others; or the one that is refused, and a text."""
    expected = as_list(outcome.cases.expected)
    controls = [i for i, right in enumerate(expected) if right == ACCEPTED]
    for i in controls:
        if outcome.tried[i] and not outcome.correct[i]:
            asked = outcome.cases.columns[0][i].last
            question = f" Before that it asked rounder({asked[0]!r}), and {asked[1]!r} is right." if asked else ""
            text = f"{name} refuses the right rounder, too: it {outcome.results[i]}.{question}"
            return some_cases(outcome, [i]), text
    return some_cases(outcome, [i for i in range(len(expected)) if i not in controls[1:]]), ""


# --- what is said ---------------------------------------------------------------------------------------------------


def groups_of(outcome: Outcome) -> tuple[Group, ...]:
    """The cases that count, by what they are about, in order of appearance."""
    counted = slice(outcome.uncounted, None)
    labels = outcome.cases.labels[counted]
    right, tried = (Counter(compress(labels, chosen[counted])) for chosen in (outcome.correct, outcome.tried))
    return tuple(Group(label, right[label], tried[label], total) for label, total in Counter(labels).items())


def _argument(x: Any) -> str:
    if isinstance(x, float):
        return repr(x) if math.isfinite(x) else f'float("{x}")'
    if isinstance(x, list) and len(x) > 12:
        return f"[{', '.join(map(repr, x[:6]))}, ... {len(x)} numbers]"
    return repr(x) if isinstance(x, (str, list, tuple)) else str(x)


def _call(name: str, outcome: Outcome, index: int, task: Task, fmt: Format) -> str:
    """The call of a case as one would type it; codes are in hexadecimal."""
    arguments = _arguments(outcome, index)
    given = map(fmt.hex_code if task.signature == "f(code)" else _argument, arguments)
    return f"{name}({', '.join(given)})"


def _arguments(outcome: Outcome, index: int) -> tuple[Any, ...]:
    return rows_of([pick(column, [index]) for column in outcome.cases.columns])[0]


def _result(value: Any, task: Task, fmt: Format) -> str:
    if value is None:
        return ""
    if task.shown:
        return task.shown(value)
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
        _call(name, outcome, index, task, fmt),
        _result(expected, task, fmt),
        outcome.complaints.get(index) or _result(got, task, fmt),
        task.why(arguments, mode) if task.why else why(task.name, arguments, fmt, mode),
    )


def _failure(outcome: Outcome, name: str, task: Task, fmt: Format) -> str:
    """What ended the calls; the case of the call comes right after those that were tried."""
    if not outcome.failure:
        return ""
    at = outcome.failed_at
    call = _call(name, outcome, at, task, fmt) if at < len(outcome.values) else name
    return f"{call} {outcome.failure}." + " The cases after it were not tried." * (not outcome.tried.all())


def _unanswered(outcome: Outcome, name: str, task: Task, fmt: Format) -> str:
    """The cases without a usable answer, unless the counterexample is one: they must be corrected first."""
    first = min(outcome.complaints, default=None)
    if first is None or first == outcome.wrong[0]:
        return ""
    call, what = _call(name, outcome, first, task, fmt), outcome.complaints[first]
    cases = count(len(outcome.complaints), "case")
    return f"In {cases} there is no answer to compare; the simplest: {call} {what}. Correct this first."


def _note(outcome: Outcome, name: str, task: Task, fmt: Format, budget: float) -> str:
    notes = []
    if outcome.out_of_time:
        tried = count(int(outcome.tried.sum()), "case")
        more = "a larger budget (budget= in Python, --budget in the command) gives more"
        notes.append(f"The time was up after {budget:g} seconds and {tried}; {more}.")
    elif outcome.wrong.size and task.has_more and fmt.width <= cases.WIDEST_TABLE:
        notes.append("These are the interesting cases. Once all of them are right, many more are tried.")
    if outcome.printed and task.name != "tests":
        notes.append(f"What {name} printed while it was graded is not shown.")
    return " ".join(notes)
