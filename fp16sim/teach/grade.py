"""The grader: compares a function that a learner wrote with the exact layer, and says what is wrong and why.

    report = fs.teach.grade.rounding(my_function, "binary16", "ties_to_even")

There is a grader for each task: rounding stochastic parse decode encode fields classify ulp next_up next_down add
subtract multiply divide sqrt fma sum pairwise_sum kahan_sum dot mixed_dot softmax tests. `TASKS` says what each task
asks for. `cases` grades a function by a list of arguments and results; `file` grades every function that a file of
exercises declares in one table, by the name of the function:

    TASKS = {
        "round_to_half": "rounding",                                 # binary16, ties_to_even
        "truncate": ("rounding", "bfloat16", "toward_zero"),         # task, format, mode
        "double": [((1.0,), 2.0), ((0.5,), 1.0)],                    # cases of its own: (arguments, result), ...
    }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..formats import BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from .grading import loading, results
from .grading.judging import judge
from .grading.report import Counterexample, Group, Report
from .grading.tasks import TASKS, Cases, Task

BUDGET = 10.0
"""Seconds for all calls of a function, unless the caller says otherwise."""
TEST_BUDGET_FACTOR = 20
"""A learner's test gets this many times the budget, because it calls each rounder many times."""


def run(
    function: Callable[..., Any],
    task: str,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    time_limit: float | None = None,
    budget: float = BUDGET,
) -> Report:
    """Grade a function: every case is compared by code, without tolerance, with the exact layer's answer.

    The interesting cases come first, judged by `fp16sim.exact`. If they are right, then in formats of at most 16 bits
    (8 for two operands) every case follows, judged by the fast layer, which tests prove equal.

    Parameters
    ----------
    function : callable
        It takes numbers or arrays; `TASKS[task].signature` says which arguments it is called with.
    task : str
        A key of `TASKS`.
    fmt : Format, str or dtype
        At most 24 bits of precision.
    mode : Rounding or str
        Any mode except "stochastic", which is a task of its own.
    time_limit, budget : float
        Seconds for one call, and for all calls; the task "tests" gets twenty times the budget.

    Returns
    -------
    Report
        It prints as text, and as HTML in a notebook.

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
    fmt, mode = get_format(fmt), get_rounding(mode)
    chosen = _task(task)
    _check(chosen, fmt, mode)
    limit = chosen.time_limit if time_limit is None else _positive("time_limit", time_limit)
    total = _positive("budget", budget) * (TEST_BUDGET_FACTOR if chosen.name == "tests" else 1)
    return judge(_callable(function), _name(function), chosen, fmt, mode, limit, total)


def cases(
    function: Callable[..., Any],
    rows: Sequence[tuple[tuple[Any, ...], Any]],
    *,
    time_limit: float = 2.0,
    budget: float = BUDGET,
) -> Report:
    """Grade a function by a list of (arguments, result); results are compared exactly, without tolerance.

    A result is a number, a text, a truth value, or a (nested) tuple, list or array of those.

    >>> cases(lambda x: 2 * x, [((1.0,), 2.0), ((-0.0,), -0.0)]).verdict
    'passed: all 2 cases are right. Score 100 of 100.'
    """
    rows = list(rows)
    for row in rows:
        if not (isinstance(row, (tuple, list)) and len(row) == 2 and isinstance(row[0], (tuple, list))):
            raise ValueError(f"rows contain {row!r}, which is not (arguments, result); write ((1.0, 2.0), 3.0)")
    if not rows or len({len(arguments) for arguments, _ in rows}) != 1:
        raise ValueError("rows must contain at least one case, and all cases the same number of arguments")
    columns = tuple(list(column) for column in zip(*(arguments for arguments, _ in rows), strict=True))
    expected = [results.anything(result) for _, result in rows]
    task = Task(
        "cases",
        "",
        "the listed results",
        "anything",
        lambda fmt, mode, every: (columns, ["listed cases"] * len(rows)),
        lambda columns, fmt, mode, every: expected,
    )
    name = _name(function)
    return judge(_callable(function), name, task, BINARY16, Rounding.TIES_TO_EVEN, time_limit, budget)


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


def file(path: str | Path, *, declared: Mapping[str, Any] | None = None, **limits: float) -> tuple[Report, ...]:
    """Grade every function that a file declares in its table TASKS (see the module's text); one report for each.

    Parameters
    ----------
    path : path
        A Python file; it is run as an import would run it.
    declared : mapping, optional
        A table to use instead of the file's own.
    **limits
        time_limit and budget, as for `run`.

    Raises
    ------
    ValueError
        If the file cannot be run, or has no such table.
    """
    module = loading.load(path)
    table = module.get("TASKS") if declared is None else declared
    if not isinstance(table, Mapping) or not table:
        raise ValueError(
            f"{str(path)!r} declares no TASKS; name a function and its task, as in {Path(path).name}:my_function "
            '--task rounding, or write TASKS = {"my_function": "rounding"} into the file'
        )
    return tuple(_declared(module, name, what, limits) for name, what in table.items())


def _declared(module: Mapping[str, Any], name: str, what: Any, limits: Mapping[str, Any]) -> Report:
    if name not in module:
        task = what if isinstance(what, str) else what[0] if isinstance(what, tuple) else "cases"
        return Report(str(task), name, BINARY16, Rounding.TIES_TO_EVEN, problem=f"There is no function {name}.")
    if isinstance(what, list):
        return cases(module[name], what, **limits)
    task, *setting = (what,) if isinstance(what, str) else what
    return run(module[name], task, *setting, **limits)


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
tests = _grader("tests")

# --- checks of what is asked ----------------------------------------------------------------------------------------


def _task(name: str) -> Task:
    if name not in TASKS:
        raise ValueError(f"task={name!r} is unknown; use one of {', '.join(TASKS)}")
    return TASKS[name]


def _check(task: Task, fmt: Format, mode: Rounding) -> None:
    if fmt.precision > 24 or fmt.exponent_bits > 9:
        raise ValueError(
            f"fmt={fmt.name} is too wide for the grader, which computes in binary64; "
            "use a format with at most 24 bits of precision and 9 exponent bits"
        )
    if mode is Rounding.STOCHASTIC:
        raise ValueError(
            "mode='stochastic' has more than one right answer; use the task 'stochastic', whose function is given u"
        )
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
        raise ValueError(f"{name}={value!r} must be more than 0 seconds")
    return float(value)


def _callable(function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise TypeError(f"function={function!r} cannot be called; give the function itself, without parentheses")
    return function


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


__all__ = [
    "TASKS",
    "Cases",
    "Counterexample",
    "Group",
    "Report",
    "add",
    "assert_correct",
    "cases",
    "classify",
    "decode",
    "divide",
    "dot",
    "encode",
    "fields",
    "file",
    "fma",
    "kahan_sum",
    "mixed_dot",
    "multiply",
    "next_down",
    "next_up",
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
