"""The grader: compares a function that a learner wrote with the exact layer, and says what is wrong and why.

    report = fs.teach.grade.rounding(my_function, "binary16", "ties_to_even")

There is a grader for each task: rounding stochastic parse decode encode fields classify ulp next_up next_down add
subtract multiply divide sqrt fma sum pairwise_sum kahan_sum dot mixed_dot softmax attention online_attention tests.
`TASKS` says what each task asks for, `BLOCK_TASKS` what quantizers of blocks do (mxfp4 nvfp4 ...), and `EXERCISES` what
the other exercises of the lessons ask for. `cases` grades a function by a list of arguments and results; `file` grades
every function that a file declares in one table, by the name of the function::

    TASKS = {
        "round_to_half": "rounding",                                 # binary16, ties_to_even
        "truncate": ("rounding", "bfloat16", "toward_zero"),         # task, format, mode
        "double": [((1.0,), 2.0), ((0.5,), 1.0)],                    # cases of its own: (arguments, result), ...
    }

The score is the percentage of the cases that are right, rounded down; a case that was not reached is not right, so that
it is 100 only if all are right. The cases of a task are the interesting ones. If these are right, then in formats of at
most 16 bits (8 for two operands) every case follows and counts, as far as the time allows.

A function of this process, such as one that is typed in a notebook, is graded in this process: that is for honest use.
Its calls are stopped after some time, but it could end the process, or change the grader. A file is run in a process of
its own, with limits of time and memory, which only answers; the comparison is made here. Neither is a sandbox: what is
graded may do whatever its user may do, such as delete files, so grade only what you would run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..formats import BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import did_you_mean, quoted
from . import answers, progress
from .grading import results, running
from .grading.block_tasks import BLOCK_TASKS
from .grading.examining import Clock
from .grading.judging import judge
from .grading.lesson_tasks import EXERCISES
from .grading.plain import is_plain, one_line, plain, safe_text
from .grading.process import LearnerFile
from .grading.report import Counterexample, Group, Report
from .grading.running import Calls
from .grading.tasks import TASKS, Cases, Task

BUDGET = 10.0
"""Seconds for all calls of a function, unless the caller says otherwise."""
TEST_BUDGET_FACTOR = 20
"""A learner's test gets this many times the budget, because it calls each rounder many times."""
DEFAULT_SETTING: tuple[Any, ...] = ("binary16", "ties_to_even")
"""The format and mode of a task, unless the caller says otherwise."""
MOST_FUNCTIONS = 100
"""Of one file."""


def run(
    function: Callable[..., Any],
    task: str,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    time_limit: float | None = None,
    budget: float = BUDGET,
) -> Report:
    """Grade a function of this process: every case is compared by code, without tolerance, with the exact answer.

    The right answers are those of `fp16sim.exact`; where every case of a format is tried, those of the fast layer,
    which tests prove equal. The function is called in this process, which is for honest use: it could end it, or change
    the grader. `file` is safer; neither is a sandbox.

    Parameters
    ----------
    function : callable
        It takes numbers or arrays; `TASKS[task].signature` says which arguments it is called with.
    task : str
        A key of `TASKS`, `BLOCK_TASKS` or `EXERCISES`.
    fmt : Format, str or dtype
        At most 24 bits of precision. Tasks of blocks and exercises have their own.
    mode : Rounding or str
        Any mode except "stochastic", which is a task of its own.
    time_limit, budget : float
        Seconds for one call, and for all calls; the task "tests" gets twenty times the budget.

    Returns
    -------
    Report
        It prints as text, and as HTML in a notebook. Its score is the percentage of the cases that are right, rounded
        down; a case that was not reached is not right.

    Raises
    ------
    ValueError
        For an unknown task, or a format or mode in which the task cannot be graded.
    TypeError
        If `function` cannot be called. Whatever the function itself raises is part of the report.

    Examples
    --------
    >>> import fp16sim as fs
    >>> report = run(lambda x: fs.round_to(x, "binary16", "ties_to_away"), "rounding")
    >>> report.passed, report.misconception
    (False, 'rounds ties away from zero')
    >>> report.counterexample.shown, report.counterexample.expected
    ('<lambda>(2049.0)', 2048.0)
    """
    report = _run(_here(function), _name(function), task, fmt, mode, time_limit, budget)
    return progress.note(function, report)


def cases(
    function: Callable[..., Any],
    rows: Sequence[tuple[tuple[Any, ...], Any]],
    *,
    time_limit: float | None = None,
    budget: float = BUDGET,
) -> Report:
    """Grade a function of this process by a list of (arguments, result), which are compared exactly, without tolerance.

    A result is a number, a text, a truth value, or a (nested) tuple, list or array of those.

    >>> cases(lambda x: 2 * x, [((1.0,), 2.0), ((-0.0,), -0.0)]).verdict
    'passed: all 2 cases are right. Score 100 of 100.'
    """
    return _cases(_here(function), _name(function), rows, time_limit, budget)


def assert_correct(
    function: Callable[..., Any],
    task: str,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    **limits: float,
) -> None:
    """Raise AssertionError with the report unless the function passes: for a teacher's tests with pytest.

    >>> import fp16sim as fs
    >>> assert_correct(fs.ulp, "ulp")
    """
    report = run(function, task, fmt, mode, **limits)
    if not report.passed:
        raise AssertionError(f"\n{report}")


# --- files ----------------------------------------------------------------------------------------------------------


def file(
    path: str | Path,
    *,
    declared: Mapping[str, Any] | None = None,
    time_limit: float | None = None,
    budget: float = BUDGET,
) -> tuple[Report, ...]:
    """Grade every function that a file declares in its table TASKS (see the module's text); one report for each.

    The file runs in a process of its own, which is given arguments and answers with results; all else happens here. If
    that process ends, loops, or does anything else than answer, the function that was called fails, and its report says
    so. It is not a sandbox.

    Parameters
    ----------
    path : path
        A Python file; it is run as an import would run it.
    declared : mapping, optional
        A table to use instead of the file's own.
    time_limit, budget : float
        As for `run`.

    Raises
    ------
    ValueError
        If the file cannot be run, or has no such table.
    """
    with LearnerFile(path) as learner:
        table = learner.contents.tasks if declared is None else declared
        if not isinstance(table, Mapping) or not table:
            raise ValueError(
                f"{str(path)!r} declares no TASKS; name a function and its task, as in {Path(path).name}:my_function "
                '--task rounding, or write TASKS = {"my_function": "rounding"} into the file'
            )
        if len(table) > MOST_FUNCTIONS:
            raise ValueError(f"{str(path)!r} declares {len(table):,} functions; grade at most {MOST_FUNCTIONS} at once")
        return tuple(_declared(learner, name, what, time_limit, budget) for name, what in table.items())


def function_of_file(
    path: str | Path,
    name: str,
    task: str,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    time_limit: float | None = None,
    budget: float = BUDGET,
) -> Report:
    """Grade one function of a file, which runs in a process of its own as for `file`.

    Raises
    ------
    ValueError
        If the file cannot be run, or has no such function; the message lists those that it has.
    """
    with LearnerFile(path) as learner:
        if name not in learner.contents.functions:
            theirs = [known for known in learner.contents.functions if not known.startswith("_")]
            known = f"{did_you_mean(name, theirs)}it has {', '.join(theirs) or 'none'}"
            raise ValueError(f"{str(path)!r} has no function {quoted(name)}; {known}")
        return _run(learner.calls(name), name, task, fmt, mode, time_limit, budget)


def _declared(learner: LearnerFile, name: Any, what: Any, time_limit: float | None, budget: float) -> Report:
    """Grade a function by its entry in TASKS: a task, a tuple of task, format and mode, or a list of cases."""
    task, *setting = what if isinstance(what, tuple) and what else (what,)
    if not isinstance(task, (str, list)) or len(setting) > 2:
        shown = f"TASKS[{quoted(name)}]={quoted(what)}"
        raise ValueError(f'{shown} is not a task; write "rounding", ("rounding", format, mode) or a list of cases')
    if not isinstance(name, str):
        raise ValueError('a key of TASKS is not text; write the name of a function, as in {"f": "rounding"}')
    if name not in learner.contents.functions:
        kind = task if isinstance(task, str) else "cases"
        shown = one_line(name)
        return Report(kind, shown, BINARY16, Rounding.TIES_TO_EVEN, problem=f"There is no function {shown}.")
    if isinstance(task, str):
        fmt, mode = (*setting, *DEFAULT_SETTING[len(setting) :])
        return _run(learner.calls(name), name, task, fmt, mode, time_limit, budget)
    rows = plain(task)
    if not is_plain(rows):
        raise ValueError(
            f"TASKS[{quoted(name)}] has cases that another process cannot be given; use numbers, texts and lists"
        )
    return _cases(learner.calls(name), name, rows, time_limit, budget)


# --- what they share ------------------------------------------------------------------------------------------------


def _run(
    calls: Calls,
    name: str,
    task: str,
    fmt: FormatLike,
    mode: Rounding | str,
    time_limit: float | None,
    budget: float,
) -> Report:
    chosen = _task(task)
    fmt, mode = _own_format(chosen, get_format(fmt)), get_rounding(mode)
    _check(chosen, fmt, mode)
    clock = _clock(calls, chosen.time_limit if time_limit is None else time_limit, budget)
    clock.budget *= TEST_BUDGET_FACTOR if chosen.name == "tests" else 1
    return judge(clock, name, chosen, fmt, mode)


def _cases(
    calls: Calls,
    name: str,
    rows: Sequence[tuple[tuple[Any, ...], Any]],
    time_limit: float | None,
    budget: float,
) -> Report:
    rows = list(rows)
    for row in rows:
        if not (isinstance(row, (tuple, list)) and len(row) == 2 and isinstance(row[0], (tuple, list)) and row[0]):
            shown = one_line(repr(row), 200)
            raise ValueError(f"rows contain {shown}, which is not (arguments, result); write ((1.0, 2.0), 3.0)")
    if not rows or len({len(arguments) for arguments, _ in rows}) != 1:
        raise ValueError("rows must contain at least one case, and all cases the same number of arguments")
    columns = tuple(list(column) for column in zip(*(arguments for arguments, _ in rows), strict=True))
    expected = [results.anything(plain(result)) for _, result in rows]
    task = Task(
        "cases",
        "",
        "the listed results",
        "anything",
        lambda fmt, mode, every: (columns, ["listed cases"] * len(rows)),
        lambda columns, fmt, mode, every: expected,
    )
    clock = _clock(calls, task.time_limit if time_limit is None else time_limit, budget)
    return judge(clock, name, task, BINARY16, Rounding.TIES_TO_EVEN)


def _clock(calls: Calls, time_limit: float, budget: float) -> Clock:
    return Clock(calls, _positive("time_limit", time_limit), _positive("budget", budget))


def _here(function: Any) -> Calls:
    """What calls a function of this process."""
    if not callable(function):
        raise TypeError(f"function={quoted(function)} cannot be called; give the function itself, without parentheses")
    return partial(running.run, function)


def _name(function: Any) -> str:
    found = safe_text(lambda: function.__name__) or safe_text(lambda: type(function).__name__)
    return one_line(found) or "the function"


# --- one grader for each task ---------------------------------------------------------------------------------------


def _grader(name: str) -> Callable[..., Report]:
    """`run` for one task; its docstring is the task's statement."""
    task = TASKS[name]

    def grader(
        function: Callable[..., Any],
        fmt: FormatLike = "binary16",
        mode: Rounding | str = "ties_to_even",
        *,
        time_limit: float | None = None,
        budget: float = BUDGET,
    ) -> Report:
        return run(function, name, fmt, mode, time_limit=time_limit, budget=budget)

    grader.__name__ = grader.__qualname__ = name
    grader.__doc__ = f"""Grade a function {task.signature} that returns {task.statement}.

    It is exact: every case is compared by code. Parameters, result and errors are those of `run`.
    """
    return grader


rounding, stochastic, parse = _grader("rounding"), _grader("stochastic"), _grader("parse")
decode, encode, fields, classify = _grader("decode"), _grader("encode"), _grader("fields"), _grader("classify")
ulp, next_up, next_down = _grader("ulp"), _grader("next_up"), _grader("next_down")
add, subtract, multiply, divide = _grader("add"), _grader("subtract"), _grader("multiply"), _grader("divide")
sqrt, fma = _grader("sqrt"), _grader("fma")
sum, pairwise_sum, kahan_sum = _grader("sum"), _grader("pairwise_sum"), _grader("kahan_sum")
dot, mixed_dot, softmax = _grader("dot"), _grader("mixed_dot"), _grader("softmax")
attention, online_attention = _grader("attention"), _grader("online_attention")
tests = _grader("tests")

# --- checks of what is asked ----------------------------------------------------------------------------------------


def _task(name: str) -> Task:
    known = TASKS | BLOCK_TASKS | EXERCISES
    if name not in known and isinstance(name, str):
        known = known | answers.puzzle_tasks()
    if name not in known:
        raise ValueError(
            f"task={one_line(repr(name))} is unknown; {did_you_mean(name, known)}"
            f"use one of {', '.join(TASKS | BLOCK_TASKS)}, or the name of an exercise"
        )
    return known[name]


def _own_format(task: Task, fmt: Format) -> Format:
    """The format of a task that has its own; else the one that is given."""
    if task.fmt is None:
        return fmt
    if fmt not in (task.fmt, get_format(DEFAULT_SETTING[0])):
        raise ValueError(f"fmt={fmt.name}: the task {task.name} has {task.fmt.name} elements; leave the format out")
    return task.fmt


def _check(task: Task, fmt: Format, mode: Rounding) -> None:
    if fmt.precision > 24 or fmt.exponent_bits > 9:
        raise ValueError(
            f"fmt={fmt.name} is too wide for the grader, which computes in binary64; "
            "use a format with at most 24 bits of precision and 9 exponent bits"
        )
    if mode.random:
        raise ValueError(
            f"mode={quoted(mode.value)} has more than one right answer; use the task 'stochastic', whose "
            "function is given u"
        )
    if not fmt.signed and task.name in ("softmax", "attention", "online_attention", "kahan_sum"):
        raise ValueError(f"fmt={fmt.name} has no negative numbers, which {task.name} subtracts to; use a signed format")
    if (
        not fmt.has_nan
        and fmt.nan_code is None
        and task.name in ("add", "subtract", "multiply", "divide", "sqrt", "fma")
    ):
        raise ValueError(
            f"fmt={fmt.name} has no NaN, so {task.name} has no answer for some operands; use a format with NaN"
        )


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise ValueError(f"{name}={quoted(value)} must be more than 0 seconds")
    return float(value)


__all__ = [
    "BLOCK_TASKS",
    "EXERCISES",
    "TASKS",
    "Cases",
    "Counterexample",
    "Group",
    "Report",
    "add",
    "assert_correct",
    "attention",
    "cases",
    "classify",
    "decode",
    "divide",
    "dot",
    "encode",
    "fields",
    "file",
    "fma",
    "function_of_file",
    "kahan_sum",
    "mixed_dot",
    "multiply",
    "next_down",
    "next_up",
    "online_attention",
    "pairwise_sum",
    "parse",
    "rounding",
    "run",
    "softmax",
    "sqrt",
    "stochastic",
    "subtract",
    "sum",
    "tests",
    "ulp",
]
