"""What the tasks are tried on, the simplest first, and what the exact layer says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import arithmetic, cases, exact, faults
from ...codes import classify, decode, encode_held, fields
from ...faults.roundings import right
from ...formats import Format, Rounding
from ...text import to_text
from .labels import code_labels, result_labels

Columns = tuple[Any, ...]
Given = tuple[Columns, Sequence[str]]
"""Columns of arguments, and for each row what it is about."""

# --- rounding -------------------------------------------------------------------------------------------------------


def roundable(fmt: Format, mode: Rounding, every: bool) -> Given:
    """What to give a rounder."""
    x = cases.roundable(fmt, every)
    return (x,), result_labels(x, fmt)


def rounded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """Each rounded once."""
    if every:
        return right(columns[0], fmt, mode)
    return np.array([float(exact.round_to(x, fmt, mode)) for x in columns[0].tolist()])


def encoded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """The code of each, rounded once."""
    values = rounded(columns, fmt, mode, every)
    if every:
        usual = exact.encode(exact.NAN, fmt) if fmt.has_nan else 0
        return np.where(np.isnan(values), usual, encode_held(np.abs(values), fmt).astype(np.int64) | _sign(values, fmt))
    return np.array([exact.encode(y, fmt) for y in values.tolist()], np.int64)


def _sign(values: Any, fmt: Format) -> Any:
    return (np.signbit(values) & ~np.isnan(values)).astype(np.int64) << (fmt.width - 1)


_DRAWS = (0, 2**30 - 1, 2**31 - 1, 2**31, 3 * 2**30, 2**32 - 1)


def drawn(fmt: Format, mode: Rounding, every: bool) -> Given:
    """What to round stochastically, with uniform draws."""
    x = cases.roundable(fmt)[:400]
    x = np.concatenate([x, cases.midpoints([float(fmt.max_finite)], fmt), -cases.midpoints([0.0, 1.0], fmt)])
    u = (np.array(_DRAWS) + 0.5) / 2.0**32
    grid = np.repeat(x, u.size), np.tile(u, x.size)
    return grid, result_labels(grid[0], fmt)


def drawn_truth(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """Each rounded by its draw."""
    found = []
    for x, u in zip(columns[0].tolist(), columns[1].tolist(), strict=True):
        draw = int(u * 2.0**32)
        found.append(float(exact.round_result(exact.as_exact(x), fmt, Rounding.STOCHASTIC, draw).value))
    return np.array(found)


def texts(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Decimal texts of numbers and ties, and of what lies beside ties by less than float64 can see."""
    found = ["0", "-0", "1", "0.1", "-0.1", "0.3", "1e-8", "1e10", "inf", "-inf"]
    labels = ["zeros"] * 2 + ["ordinary texts"] * 6 + ["infinities and NaN"] * 2
    lower = np.abs(cases.values(fmt))
    for tie in np.unique(cases.midpoints(lower[np.isfinite(lower)], fmt)).tolist():
        decimal = to_text(tie, "binary64", "exact")
        point = "" if "." in decimal else "."
        found += [decimal, f"{decimal}{point}{'0' * 20}1", f"-{decimal}{point}{'0' * 20}1"]
        labels += ["ties", "just beyond a tie", "just beyond a tie"]
    if fmt.has_nan:
        found.append("nan")
        labels.append("infinities and NaN")
    return (found,), labels


def parsed(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """Each text rounded once."""
    return np.array([float(exact.round_to(text, fmt, mode)) for text in columns[0]])


# --- codes and neighbours -------------------------------------------------------------------------------------------


def codes(fmt: Format, mode: Rounding, every: bool) -> Given:
    """The interesting codes, or all, the simplest value first."""
    if every and fmt.width <= cases.WIDEST_TABLE:
        found = cases.ordered_codes(fmt).astype(np.int64)
    else:
        found = np.array([exact.encode(x, fmt) for x in cases.values(fmt).tolist()], np.int64)
        if fmt.has_infinity:  # more NaNs
            top = (2**fmt.exponent_bits - 1) << fmt.trailing_bits
            found = np.append(found, [top | 1, top | 2 ** (fmt.width - 1) | 3])
    return (found,), code_labels(found, fmt)


def decoded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """The value of each code."""
    if every:
        return np.asarray(decode(columns[0], fmt))
    return np.array([float(exact.decode(code, fmt)) for code in columns[0].tolist()])


def fields_of(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """The three fields of each code."""
    parts = fields(decode(columns[0], fmt), fmt)
    return list(zip(*(np.asarray(part).astype(int).tolist() for part in parts), strict=True))


_CLASS = {"Nan": "nan", "NaN": "nan", "Infinity": "infinity", "Subnormal": "subnormal", "Normal": "normal"}


def class_of(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """The class of each code, in one word."""
    names = np.atleast_1d(classify(decode(columns[0], fmt), fmt)).tolist()
    return [next((word for end, word in _CLASS.items() if str(name).endswith(end)), "zero") for name in names]


def numbers(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Numbers of the format."""
    x = cases.values(fmt, every and fmt.width <= cases.WIDEST_TABLE)
    return (x,), result_labels(x, fmt)


def neighbour(function: Callable[..., Any]) -> Callable[[Columns, Format, Rounding, bool], Any]:
    """A question about neighbours, asked of each number."""
    return lambda columns, fmt, mode, every: np.asarray(function(columns[0], fmt), np.float64)


# --- operations -----------------------------------------------------------------------------------------------------


def operands(name: str, count: int) -> Callable[[Format, Rounding, bool], Given]:
    """Operands of an operation."""

    def columns(fmt: Format, mode: Rounding, every: bool) -> Given:
        found = cases.tuples(fmt, count, every)
        special = ~np.all([np.isfinite(column) for column in found], axis=0)
        labels = np.asarray(result_labels(faults.unrounded(name, found, mode), fmt, of="results"))
        return found, np.where(special, "operands infinite or NaN", labels).tolist()

    return columns


def operated(name: str) -> Callable[[Columns, Format, Rounding, bool], Any]:
    """The operation on each row, rounded once."""

    def truth(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
        if every:
            return np.asarray(getattr(arithmetic, name)(*columns, fmt, mode), np.float64)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return np.array([float(exact.compute(name, row, fmt, mode).value) for row in rows])

    return truth


# --- lists ----------------------------------------------------------------------------------------------------------


def of_lists(make: Callable[[Format], tuple[Any, ...]]) -> Callable[[Format, Rounding, bool], Any]:
    """Columns of lists."""

    def columns(fmt: Format, mode: Rounding, every: bool) -> Given:
        *found, labels = make(fmt)
        return tuple(found), labels

    return columns


def each(function: Callable[..., Any]) -> Callable[[Columns, Format, Rounding, bool], Any]:
    """A function of lists on each row."""
    return lambda columns, fmt, mode, every: [function(*row, fmt, mode) for row in zip(*columns, strict=True)]


def softmax(x: list[float], fmt: Format, mode: Rounding) -> tuple[float, ...]:
    """The softmax, as a tuple."""
    return tuple(faults.softmax(x, fmt, mode))


# --- tests that learners write --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rounder:
    """A rounder as a learner's test gets it: x -> rounded x, for numbers and arrays."""

    words: str
    rule: Callable[..., Any]
    fmt: Format
    mode: Rounding

    def __call__(self, x: Any) -> Any:
        y = self.rule(np.atleast_1d(np.asarray(x, np.float64)), self.fmt, self.mode)
        return np.asarray(y).reshape(np.shape(x)) if np.shape(x) else float(y[0])

    def __str__(self) -> str:
        return f"a rounder that {self.words}"


def rounders(fmt: Format, mode: Rounding, every: bool) -> Given:
    """The right rounder, and the wrong ones."""
    found = [(fault.misconception, fault.rounder) for fault in faults.wrong_rounders(fmt, mode)]
    wrong = [Rounder(words, rule, fmt, mode) for words, rule in found if rule]
    labels = [f"one that {rounder.words}" for rounder in wrong]
    return ([Rounder("is right", right, fmt, mode), *wrong],), ["the right rounder", *labels]


def verdicts(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Any:
    """What a test should say of each rounder."""
    return ["accepted", *["refused"] * (len(columns[0]) - 1)]
