"""What the tasks are tried on, the simplest case first, what each case is about, and the right answers.

The right answers come from the exact layer; where `every` asks for all cases, which are too many for it, from the fast
layer, which tests prove equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ... import arithmetic, cases, exact, faults
from ...codes import classify, decode, encode_held, fields
from ...faults.roundings import right
from ...formats import Format, Rounding
from ...text import to_text

Array: TypeAlias = np.ndarray[Any, Any]
Columns: TypeAlias = tuple[Any, ...]
Given: TypeAlias = tuple[Columns, Sequence[str]]
"""Columns of arguments, and for each row a label that says what it is about."""
Inputs: TypeAlias = Callable[[Format, Rounding, bool], Given]
"""fmt, mode, every -> what a function is tried on."""
Truth: TypeAlias = Callable[[Columns, Format, Rounding, bool], Any]
"""columns, fmt, mode, every -> the right answer for each row."""

# --- labels: the groups of a report ---------------------------------------------------------------------------------


def rounding_labels(x: npt.ArrayLike, fmt: Format, exact_label: str = "numbers of the format") -> list[str]:
    """What a rounder has to decide about float64 values (which are exact, or rounded to odd)."""
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        magnitude = np.abs(x)
        low = right(magnitude, fmt, Rounding.TOWARD_ZERO)
        is_number = low == magnitude
        e = np.maximum(np.frexp(np.where(np.isfinite(magnitude), magnitude, 1.0))[1] - 1, fmt.emin)
        fraction = np.ldexp(magnitude - np.where(np.isfinite(low), low, 0.0), fmt.trailing_bits - e)  # of an ulp
        beside_tie = ~is_number & (np.abs(fraction - 0.5) < 2.0**-8) & (fraction != 0.5)
    small = magnitude < fmt.min_normal
    labels = (  # the first that is true
        ("infinities and NaN", ~np.isfinite(x)),
        ("zeros", x == 0),
        ("beyond max_finite", magnitude > fmt.max_finite),
        ("subnormal numbers", small & is_number),
        ("between subnormals", small),
        (exact_label, is_number),
        ("ties", fraction == 0.5),
        ("just beside a tie", beside_tie),
    )
    return _first_true(labels, "between two numbers")


def code_labels(codes: npt.ArrayLike, fmt: Format) -> list[str]:
    """The classes of codes."""
    x = np.asarray(decode(codes, fmt))
    labels = (
        ("NaN", np.isnan(x)),
        ("infinities", np.isinf(x)),
        ("zeros", x == 0),
        ("subnormal numbers", np.abs(x) < fmt.min_normal),
    )
    return _first_true(labels, "normal numbers")


def _first_true(labels: Sequence[tuple[str, Array]], otherwise: str) -> list[str]:
    found = np.select([where for _, where in labels], [label for label, _ in labels], otherwise)
    return [str(label) for label in found]


# --- rounding -------------------------------------------------------------------------------------------------------


def roundable(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Floats for a rounder."""
    x = cases.roundable(fmt, every)
    return (x,), rounding_labels(x, fmt)


def rounded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Array:
    """Each float rounded once."""
    if every:
        return right(columns[0], fmt, mode)
    return np.array([float(exact.round_to(x, fmt, mode)) for x in columns[0].tolist()])


def encoded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Array:
    """The code of each float, rounded once."""
    values = rounded(columns, fmt, mode, every)
    if every:
        nan_code = exact.encode(exact.NAN, fmt) if fmt.has_nan else 0
        sign = (np.signbit(values) & ~np.isnan(values)).astype(np.int64) << (fmt.width - 1)
        return np.where(np.isnan(values), nan_code, encode_held(np.abs(values), fmt).astype(np.int64) | sign)
    return np.array([exact.encode(y, fmt) for y in values.tolist()], np.int64)


_DRAWS = (
    0.0,
    2.0**-33,
    0.25 - 2.0**-33,
    0.25,
    0.5 - 2.0**-33,
    0.5,
    0.5 + 2.0**-33,
    0.75,
    0.75 + 2.0**-33,
    1 - 2.0**-33,
)
"""The fractions 0, 1/4, 1/2 and 3/4 themselves, and both sides of them."""


def stochastic_inputs(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Floats for a stochastic rounder, each with every one of the draws u."""
    top = float(fmt.max_finite)
    tie = cases.midpoints([top], fmt)
    beyond = top + (tie - top) * [0.5, 1.0, 1.5, 1.9375, 2.0, 4.0]
    x = np.concatenate([cases.roundable(fmt)[:400], beyond, -beyond, -cases.midpoints([0.0, 1.0], fmt)])
    grid = np.repeat(x, len(_DRAWS)), np.tile(_DRAWS, x.size)
    return grid, rounding_labels(grid[0], fmt)


def stochastically_rounded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Array:
    """Each float rounded as its draw decides."""
    rows = zip(columns[0].tolist(), columns[1].tolist(), strict=True)
    return np.array([_as_drawn(x, u, fmt) for x, u in rows])


def _as_drawn(x: float, u: float, fmt: Format) -> float:
    """abs(x) is n + f quanta, with an integer n and 0 <= f < 1: n + 1 quanta if u < f, else n."""
    if not math.isfinite(x) or x == 0:
        return float(exact.round_to(x, fmt))
    magnitude = abs(Fraction(x))
    quantum = Fraction(2) ** exact.quantum_exponent(magnitude, fmt)
    n, fraction = divmod(magnitude / quantum, 1)
    drawn = exact.round_to((n + (u < fraction)) * quantum, fmt)  # exact, except for overflow
    return math.copysign(float(drawn), x)


def texts(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Decimal texts: numbers, ties, and numbers so close to a tie that float64 cannot tell them apart."""
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


def parsed(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Array:
    """Each text rounded once."""
    return np.array([float(exact.round_to(text, fmt, mode)) for text in columns[0]])


# --- codes and neighbours -------------------------------------------------------------------------------------------


def codes(fmt: Format, mode: Rounding, every: bool) -> Given:
    """The interesting codes, or all of them."""
    if every and fmt.width <= cases.WIDEST_TABLE:
        found = cases.ordered_codes(fmt).astype(np.int64)
    else:
        found = np.array([exact.encode(x, fmt) for x in cases.values(fmt).tolist()], np.int64)
        if fmt.has_infinity:  # more NaNs
            top = (2**fmt.exponent_bits - 1) << fmt.trailing_bits
            found = np.append(found, [top | 1, top | 2 ** (fmt.width - 1) | 3])
    return (found,), code_labels(found, fmt)


def decoded(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Array:
    """The value of each code."""
    if every:
        return np.asarray(decode(columns[0], fmt))
    return np.array([float(exact.decode(code, fmt)) for code in columns[0].tolist()])


def fields_of(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> list[tuple[int, ...]]:
    """The three fields of each code."""
    parts = fields(decode(columns[0], fmt), fmt)
    return list(zip(*(np.asarray(part).astype(int).tolist() for part in parts), strict=True))


_CLASS = {"Nan": "nan", "NaN": "nan", "Infinity": "infinity", "Subnormal": "subnormal", "Normal": "normal"}
"""How the names of IEEE 754's classes end, and the learner's word for each; the others are zeros."""


def class_of(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> list[str]:
    """The class of each code, in one word."""
    names = np.atleast_1d(classify(decode(columns[0], fmt), fmt)).tolist()
    return [next((word for end, word in _CLASS.items() if str(name).endswith(end)), "zero") for name in names]


def numbers(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Numbers of the format."""
    x = cases.values(fmt, every and fmt.width <= cases.WIDEST_TABLE)
    return (x,), rounding_labels(x, fmt)


def of_each_number(function: Callable[..., Any]) -> Truth:
    """A function of a number and a format (ulp, next_up ...), for each number."""
    return lambda columns, fmt, mode, every: np.asarray(function(columns[0], fmt), np.float64)


# --- operations -----------------------------------------------------------------------------------------------------


def operands(name: str, count: int) -> Inputs:
    """Operands of an operation."""

    def inputs(fmt: Format, mode: Rounding, every: bool) -> Given:
        found = cases.tuples(fmt, count, every)
        special = ~np.all([np.isfinite(column) for column in found], axis=0)
        labels = np.asarray(rounding_labels(faults.unrounded(name, found, mode), fmt, "exact results"))
        return found, np.where(special, "operands infinite or NaN", labels).tolist()

    return inputs


def operated(name: str) -> Truth:
    """The operation on each row, rounded once."""

    def truth(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> Array:
        if every:
            return np.asarray(getattr(arithmetic, name)(*columns, fmt, mode), np.float64)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return np.array([float(exact.compute(name, row, fmt, mode).value) for row in rows])

    return truth


# --- tests that learners write --------------------------------------------------------------------------------------


ACCEPTED, REFUSED = "accepted", "refused"
"""The verdicts of a test on a rounder."""
CONTROL_EVERY = 8
"""The number of wrong rounders between two right ones, so that a test that only counts its calls is found out."""


@dataclass
class Rounder:
    """A rounder as a learner's test gets it: x -> rounded x, for numbers and arrays. It remembers the last number."""

    description: str
    rule: Callable[..., Any]
    fmt: Format
    mode: Rounding
    last: tuple[float, float] | None = None
    """The number that it was last asked for, and its answer."""

    def __call__(self, x: Any) -> Any:
        given = np.asarray(x, np.float64)
        with np.errstate(all="ignore"):
            y = np.asarray(self.rule(np.atleast_1d(given), self.fmt, self.mode)).reshape(given.shape)
        if given.size == 1:
            self.last = float(given.item()), float(y.item())
        return y if given.shape else float(y)

    def __str__(self) -> str:
        return f"a rounder that {self.description}"


def rounders(fmt: Format, mode: Rounding, every: bool) -> Given:
    """The wrong rounders, with the right one before, among and after them."""
    wrong = [
        Rounder(fault.misconception, fault.rounder, fmt, mode)
        for fault in faults.wrong_rounders(fmt, mode)
        if fault.rounder is not None
    ]
    found: list[Rounder] = []
    for start in range(0, len(wrong), CONTROL_EVERY):
        found += [Rounder("is right", right, fmt, mode), *wrong[start : start + CONTROL_EVERY]]
    found.append(Rounder("is right", right, fmt, mode))
    labels = ["the right rounder" if x.rule is right else f"one that {x.description}" for x in found]
    return (found,), labels


def verdicts(columns: Columns, fmt: Format, mode: Rounding, every: bool) -> list[str]:
    """What a test should say about each rounder."""
    return [ACCEPTED if rounder.rule is right else REFUSED for rounder in columns[0]]
