"""The graded tasks, a table: what a learner writes, what it is tried on, and what the exact layer says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ... import exact, neighbours
from ...formats import Format, Rounding
from . import inputs
from . import list_inputs as lists
from .inputs import Columns


@dataclass(frozen=True)
class Task:
    """Something to write.

    Attributes
    ----------
    name : str
    signature : str
        How the function is called.
    statement : str
        What it must return.
    result : str
        How results are read: a key of `results.READERS`.
    columns : callable
        fmt, mode, every -> columns of arguments, the simplest rows first, and a label for each row.
    truth : callable
        columns, fmt, mode, every -> what is right for each row: by the exact layer, or, with `every`, where rows are
        too many for that, by the fast layer.
    thorough : bool
        Whether there are more rows to try with `every`.
    time_limit : float
        Seconds for one call, unless the caller says otherwise.
    """

    name: str
    signature: str
    statement: str
    result: str
    columns: Callable[[Format, Rounding, bool], tuple[Columns, Sequence[str]]]
    truth: Callable[[Columns, Format, Rounding, bool], Any]
    thorough: bool = False
    time_limit: float = 2.0


@dataclass(frozen=True)
class Cases:
    """Rows of arguments with what is right for each, and what each is about."""

    columns: Columns
    expected: Any
    labels: Sequence[str]


@lru_cache(maxsize=64)
def prepared(task: Task, fmt: Format, mode: Rounding, every: bool) -> Cases:
    """The cases of a task, computed once."""
    with np.errstate(all="ignore"):
        columns, labels = task.columns(fmt, mode, every)
        return Cases(columns, task.truth(columns, fmt, mode, every), labels)


# --- the table ------------------------------------------------------------------------------------------------------

_ROUNDED = "rounded once to the format, in the mode"
_OPERANDS = "operands are numbers of the format, infinities, zeros of both signs and NaN among them"

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("rounding", "f(x)", f"the float x {_ROUNDED}", "number", inputs.roundable, inputs.rounded, True),
        Task(
            "stochastic",
            "f(x, u)",
            "the float x rounded away from zero where u, in [0, 1), is less than the fraction of the way there "
            "(in ulp), else toward zero",
            "number",
            inputs.drawn,
            inputs.drawn_truth,
        ),
        Task(
            "parse",
            "f(text)",
            f"the number that a decimal text stands for, {_ROUNDED}",
            "number",
            inputs.texts,
            inputs.parsed,
        ),
        Task("decode", "f(code)", "the value with that code, an int", "number", inputs.codes, inputs.decoded, True),
        Task(
            "encode",
            "f(x)",
            f"the code, an int, of the float x {_ROUNDED}",
            "code",
            inputs.roundable,
            inputs.encoded,
            True,
        ),
        Task(
            "fields",
            "f(code)",
            "(sign, biased exponent, trailing significand) as ints",
            "codes",
            inputs.codes,
            inputs.fields_of,
            True,
        ),
        Task(
            "classify",
            "f(code)",
            '"zero", "subnormal", "normal", "infinity" or "nan"',
            "word",
            inputs.codes,
            inputs.class_of,
            True,
        ),
        Task(
            "ulp",
            "f(x)",
            "the distance of numbers in the binade of x",
            "number",
            inputs.numbers,
            inputs.neighbour(neighbours.ulp),
            True,
        ),
        Task(
            "next_up",
            "f(x)",
            "the least number above x",
            "number",
            inputs.numbers,
            inputs.neighbour(neighbours.next_up),
            True,
        ),
        Task(
            "next_down",
            "f(x)",
            "the greatest number below x",
            "number",
            inputs.numbers,
            inputs.neighbour(neighbours.next_down),
            True,
        ),
        *(
            Task(
                name,
                "f(a, b)",
                f"a {sign} b {_ROUNDED}; {_OPERANDS}",
                "number",
                inputs.operands(name, 2),
                inputs.operated(name),
                True,
            )
            for name, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*"), ("divide", "/"))
        ),
        Task(
            "sqrt",
            "f(a)",
            f"the square root {_ROUNDED}",
            "number",
            inputs.operands("sqrt", 1),
            inputs.operated("sqrt"),
            True,
        ),
        Task(
            "fma",
            "f(a, b, c)",
            f"a * b + c {_ROUNDED}",
            "number",
            inputs.operands("fma", 3),
            inputs.operated("fma"),
            True,
        ),
        Task(
            "sum",
            "f(values)",
            "the sum of a list, one term after the other, each partial sum rounded",
            "number",
            inputs.of_lists(lists.sums),
            inputs.each(lists.sequential),
        ),
        Task(
            "pairwise_sum",
            "f(values)",
            "the sum of the sums of the two halves (the first the shorter), each rounded",
            "number",
            inputs.of_lists(lists.sums),
            inputs.each(lists.pairwise),
        ),
        Task(
            "kahan_sum",
            "f(values)",
            "the sum of a list, compensated as fs.accumulators.Kahan does",
            "number",
            inputs.of_lists(lists.sums),
            inputs.each(lists.kahan),
        ),
        Task(
            "dot",
            "f(a, b)",
            "the dot product of two lists, every product and every partial sum rounded",
            "number",
            inputs.of_lists(lists.products),
            inputs.each(lists.dot),
        ),
        Task(
            "mixed_dot",
            "f(a, b)",
            "the dot product, products and sums in binary32, rounded at the end",
            "number",
            inputs.of_lists(lists.products),
            inputs.each(lists.mixed_dot),
        ),
        Task(
            "softmax",
            "f(values)",
            "the softmax: less the maximum, fs.exp, sum one after the other, divided; each step rounded",
            "numbers",
            inputs.of_lists(lists.logits),
            inputs.each(inputs.softmax),
        ),
        Task(
            "tests",
            "f(rounder)",
            "nothing; raise AssertionError where rounder(x) is wrong for some x",
            "verdict",
            inputs.rounders,
            inputs.verdicts,
            False,
            30.0,
        ),
    )
}


def canonical(task: Task, value: Any, fmt: Format) -> Any:
    """An answer with all NaNs alike: any code of a NaN will do for encode."""
    if task.name == "encode" and isinstance(value, int) and 0 <= value < 2**fmt.width:
        number = exact.decode(value, fmt)
        return exact.encode(math.nan, fmt) if isinstance(number, float) and math.isnan(number) else value
    return value
