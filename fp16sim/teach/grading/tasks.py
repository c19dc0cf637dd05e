"""The graded tasks, a table: what a learner writes, what it is tried on, and what is right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ... import exact, neighbours
from ...formats import Format, Rounding
from . import attention_inputs, inputs, list_inputs
from .inputs import Columns, Inputs, Truth
from .list_inputs import of_each_row


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
    inputs : callable
        fmt, mode, every -> columns of arguments, the simplest rows first, and a label for each row.
    truth : callable
        columns, fmt, mode, every -> the right answer for each row.
    has_more : bool
        Whether `every` gives more rows.
    time_limit : float
        Seconds for one call, unless the caller says otherwise.
    fmt : Format, optional
        The format, if it is part of the task.
    spelling, shown, why : callable, optional
        answer -> the answer in one spelling, if several are right; answer -> text; arguments, mode -> why the right
        answer is right.
    """

    name: str
    signature: str
    statement: str
    result: str
    inputs: Inputs
    truth: Truth
    has_more: bool = False
    time_limit: float = 2.0
    fmt: Format | None = None
    spelling: Callable[[Any], Any] | None = None
    shown: Callable[[Any], str] | None = None
    why: Callable[[tuple[Any, ...], Rounding], str] | None = None


@dataclass(frozen=True)
class Cases:
    """Rows of arguments, the right answer for each, and what each is about."""

    columns: Columns
    expected: Any
    labels: Sequence[str]


@lru_cache(maxsize=160)
def prepared(task: Task, fmt: Format, mode: Rounding, every: bool) -> Cases:
    """The cases of a task, computed once."""
    with np.errstate(all="ignore"):
        columns, labels = task.inputs(fmt, mode, every)
        return Cases(columns, task.truth(columns, fmt, mode, every), labels)


def canonical(task: Task, value: Any, fmt: Format) -> Any:
    """An answer in one spelling: `encode` may return any code of a NaN."""
    if task.name == "encode" and isinstance(value, int) and 0 <= value < 2**fmt.width:
        number = exact.decode(value, fmt)
        return exact.encode(math.nan, fmt) if isinstance(number, float) and math.isnan(number) else value
    return task.spelling(value) if task.spelling else value


# --- the table ------------------------------------------------------------------------------------------------------

_ONCE = "rounded once to the format in the mode"
_OPERANDS = "operands are numbers of the format, zeros of both signs, infinities and NaN"

_ASKED: dict[str, tuple[str, str]] = {
    "rounding": ("f(x)", f"the float x, {_ONCE}"),
    "stochastic": (
        "f(x, u)",
        "the float x, rounded away from zero if u, a float in [0, 1), is less than the fraction of an ulp "
        "that rounding toward zero cuts off; else rounded toward zero",
    ),
    "parse": ("f(text)", f"the number that a decimal text stands for, {_ONCE}"),
    "decode": ("f(code)", "the value of the code, an int"),
    "encode": ("f(x)", f"the code, an int, of the float x, {_ONCE}"),
    "fields": ("f(code)", "(sign, biased exponent, trailing significand) as ints"),
    "classify": ("f(code)", '"zero", "subnormal", "normal", "infinity" or "nan"'),
    "ulp": ("f(x)", "the distance between neighbouring numbers in the binade of x"),
    "next_up": ("f(x)", "the next number above x"),
    "next_down": ("f(x)", "the next number below x"),
    "add": ("f(a, b)", f"a + b, {_ONCE}; {_OPERANDS}"),
    "subtract": ("f(a, b)", f"a - b, {_ONCE}; {_OPERANDS}"),
    "multiply": ("f(a, b)", f"a * b, {_ONCE}; {_OPERANDS}"),
    "divide": ("f(a, b)", f"a / b, {_ONCE}; {_OPERANDS}"),
    "sqrt": ("f(a)", f"the square root of a, {_ONCE}"),
    "fma": ("f(a, b, c)", f"a * b + c, {_ONCE}"),
    "sum": ("f(values)", "the sum of a list, added from left to right, each partial sum rounded"),
    "pairwise_sum": ("f(values)", "the sum of the sums of the two halves (the first is the shorter), each rounded"),
    "kahan_sum": ("f(values)", "the sum of a list, compensated as in fs.accumulators.Kahan"),
    "dot": ("f(a, b)", "the dot product of two lists, each product and each partial sum rounded"),
    "mixed_dot": ("f(a, b)", "the dot product, with products and sums in binary32, rounded once at the end"),
    "softmax": (
        "f(values)",
        "the softmax: subtract the maximum, take fs.exp, add from left to right, divide; each step rounded",
    ),
    "attention": (
        "f(query, keys, values, seen, scale)",
        "the result of one query, a list: the query times scale; its dot products with the keys; the softmax of those "
        "that are seen; for each column of values the dot product with these weights; zeros if no key is seen; each "
        "step rounded, sums from left to right",
    ),
    "online_attention": (
        "f(scores, values, tile)",
        "the mean of the values weighted by the softmax of the scores, a number, `tile` keys at a time: of each tile "
        "the sums of e^(score - m) and of e^(score - m) * value, with m the largest score so far; both old sums times "
        "e^(old m - m), plus the new ones; at the end their quotient; each step rounded. A tile of scores -inf is "
        "left out; 0 if all are",
    ),
    "tests": ("f(rounder)", "nothing; raise AssertionError if rounder(x) is wrong for some x"),
}
"""For learners: how the function is called, and what it must return."""

_WITHOUT_SIGNS_OF_ZERO = (False, 2.0, None, attention_inputs.without_signs_of_zero)

_TRIED: dict[str, tuple[Any, ...]] = {
    "rounding": ("number", inputs.roundable, inputs.rounded, True),
    "stochastic": ("number", inputs.stochastic_inputs, inputs.stochastically_rounded),
    "parse": ("number", inputs.texts, inputs.parsed),
    "decode": ("number", inputs.codes, inputs.decoded, True),
    "encode": ("code", inputs.roundable, inputs.encoded, True),
    "fields": ("codes", inputs.codes, inputs.fields_of, True),
    "classify": ("text", inputs.codes, inputs.class_of, True),
    "ulp": ("number", inputs.numbers, inputs.of_each_number(neighbours.ulp), True),
    "next_up": ("number", inputs.numbers, inputs.of_each_number(neighbours.next_up), True),
    "next_down": ("number", inputs.numbers, inputs.of_each_number(neighbours.next_down), True),
    "add": ("number", inputs.operands("add", 2), inputs.operated("add"), True),
    "subtract": ("number", inputs.operands("subtract", 2), inputs.operated("subtract"), True),
    "multiply": ("number", inputs.operands("multiply", 2), inputs.operated("multiply"), True),
    "divide": ("number", inputs.operands("divide", 2), inputs.operated("divide"), True),
    "sqrt": ("number", inputs.operands("sqrt", 1), inputs.operated("sqrt"), True),
    "fma": ("number", inputs.operands("fma", 3), inputs.operated("fma"), True),
    "sum": ("number", list_inputs.sums, of_each_row(list_inputs.sequential)),
    "pairwise_sum": ("number", list_inputs.sums, of_each_row(list_inputs.pairwise)),
    "kahan_sum": ("number", list_inputs.sums, of_each_row(list_inputs.kahan)),
    "dot": ("number", list_inputs.products, of_each_row(list_inputs.dot)),
    "mixed_dot": ("number", list_inputs.products, of_each_row(list_inputs.mixed_dot)),
    "softmax": ("numbers", list_inputs.logits, of_each_row(list_inputs.softmax)),
    "attention": (
        "numbers",
        attention_inputs.queries,
        of_each_row(attention_inputs.head),
        *_WITHOUT_SIGNS_OF_ZERO,
    ),
    "online_attention": (
        "number",
        attention_inputs.scores,
        of_each_row(attention_inputs.tiled),
        *_WITHOUT_SIGNS_OF_ZERO,
    ),
    "tests": ("verdict", inputs.rounders, inputs.verdicts, False, 30.0),
}
"""For the grader: how results are read, what is tried, what is right, and the other fields of Task."""

TASKS: dict[str, Task] = {name: Task(name, *_ASKED[name], *tried) for name, tried in _TRIED.items()}
"""Every task by name."""
