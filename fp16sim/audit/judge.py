"""One check: call the function, compare every answer, and name the causes of the wrong ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from .. import cases
from ..faults import find, suspects, unrounded
from ..faults.matching import explained
from ..faults.roundings import differs, right
from ..formats import Format, Rounding, Specials, get_format, with_behaviour
from ..neighbours import ulp
from .expected import line_of, right_answers
from .inputs import COUNTS, columns_of
from .records import Cause, Example, Verdict
from .subject import Array, Check

AS_TEXT = {"integer": "parse"}
"""Tasks whose faults are those of another one: an integer is looked at as the text of its digits."""
ROUNDED = ("rounding", "parse", "integer", *COUNTS)


def judge(check: Check) -> Verdict:
    """Compare all answers of a function; an exception of the function is a failure, not an error."""
    columns = columns_of(check)
    start = time.perf_counter()
    try:
        with np.errstate(all="ignore"):
            got = _as_values(check.function(*columns), len(columns[0]))
    except Exception as error:
        return Verdict(check.name, check.task, check.fmt.name, check.mode.value, failure=_raised(error))
    seconds = time.perf_counter() - start
    truth = right_answers(check, columns)
    flushed = _flushed_as_documented(check, columns, truth, got) if check.flushes else np.zeros(truth.shape, bool)
    wrong = differs(got, truth) & ~flushed
    return Verdict(
        check.name,
        check.task,
        check.fmt.name,
        check.mode.value,
        int(truth.size),
        int(wrong.sum()),
        int((flushed | (_unconventional(check, columns, truth) & ~wrong)).sum()),
        check.documented,
        _without(flushed, check, columns, truth, got, wrong) if wrong.any() else (),
        _worst(got[wrong], truth[wrong], check.fmt),
        _beyond(check, columns, got),
        seconds,
    )


def _without(
    left_out: Array, check: Check, columns: tuple[Any, ...], truth: Array, got: Array, wrong: Array
) -> tuple[Cause, ...]:
    """The causes of wrong answers among the rows that are not left out."""
    if left_out.any():
        columns = tuple(column[~left_out] for column in columns)
        truth, got, wrong = (x[~left_out] for x in (truth, got, wrong))
    return tuple(_causes(check, columns, truth, got, wrong))


def _unconventional(check: Check, columns: tuple[Any, ...], truth: Array) -> Array:
    """Where the right answer is not that of the plain format: it is what the library documents."""
    plain = _plain(check.fmt)
    if check.task == "decode" or plain == check.fmt:
        return np.zeros(truth.shape, bool)
    return differs(right_answers(replace(check, fmt=plain), columns), truth)


def _flushed_as_documented(check: Check, columns: tuple[Any, ...], truth: Array, got: Array) -> Array:
    """Wrong answers that are right for operands or results of which the subnormal ones are zeros."""
    least = float(check.fmt.min_normal)
    zeros = [np.where(np.abs(x) < least, np.copysign(0.0, x), x) for x in columns]
    other = right_answers(check, tuple(zeros))
    small = (np.abs(truth) <= least) | (np.abs(other) <= least)
    return differs(got, truth) & (~differs(got, other) | ((got == 0) & small))


def _as_values(answers: Any, count: int) -> Array:
    found = np.asarray(answers, np.float64)
    if found.shape != (count,):
        raise ValueError(f"gave an array of shape {found.shape} for {count} inputs")
    return found


def _raised(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"raised {type(error).__name__}: {text}"[:300].rstrip(": ")


def _plain(fmt: Format) -> Format:
    """The format without a convention of overflow or subnormals."""
    if fmt.overflow:
        return get_format(fmt.name.rpartition(",overflow=")[0])
    saturate = None if fmt.specials is Specials.NONE else False
    return with_behaviour(fmt, saturate, "gradual")


def _worst(got: Array, truth: Array, fmt: Format) -> float:
    """The largest error in ulp, where both are finite."""
    finite = np.isfinite(got) & np.isfinite(truth)
    if not finite.any():
        return 0.0
    error = np.abs(got[finite] - truth[finite]) / np.asarray(ulp(truth[finite], fmt), np.float64)
    return float(error.max())


# --- causes ---------------------------------------------------------------------------------------------------------


def _causes(check: Check, columns: tuple[Any, ...], truth: Array, got: Array, wrong: Array) -> Iterator[Cause]:
    """Known faults, those with the most rows first; then what no known fault explains, by what is seen."""
    for fault, rows in _matches(check, columns, truth, got, wrong):
        if fault is None:
            yield from _symptoms(check, columns, truth, got, rows)
        elif rows.any():
            words = fault.misconception
            for task, plainer in (("integer", "converts the integer to"), ("longdouble", "converts the number to")):
                words = words.replace("reads the text as", plainer) if check.task == task else words
            yield Cause(fault.name, words, int(rows.sum()), _example(check, columns, truth, got, rows))


def _matches(check: Check, columns: tuple[Any, ...], truth: Array, got: Array, wrong: Array) -> list[Any]:
    task = AS_TEXT.get(check.task, check.task)
    if task == "longdouble":
        return _through_float64(columns[0].astype(np.float64), truth, got, wrong, check)
    if not suspects(task):
        return [(None, wrong)]
    if task == "parse":
        columns = (np.array([str(x) for x in columns[0]], object),)
    return list(explained(task, columns, truth, got, check.fmt, check.mode))


def _through_float64(x: Array, truth: Array, got: Array, wrong: Array, check: Check) -> list[Any]:
    """Of an extended number: rounded to float64 first, as a known fault reads texts; or faults of that."""
    twice = right(x, check.fmt, check.mode)
    return [(find("float64_text", "parse") if not differs(got, twice).any() else None, wrong)]


def _symptoms(check: Check, columns: tuple[Any, ...], truth: Array, got: Array, rows: Array) -> Iterator[Cause]:
    """Wrong answers that no known fault gives, grouped by how they differ."""
    with np.errstate(all="ignore"):
        error = np.abs(got - truth) / np.asarray(ulp(truth, check.fmt), np.float64)
    both = np.isfinite(got) & np.isfinite(truth)
    groups = {
        "gives NaN where a number is right": np.isnan(got) & ~np.isnan(truth),
        "gives a number where NaN is right": ~np.isnan(got) & np.isnan(truth),
        "gives infinity where a finite number is right": np.isinf(got) & np.isfinite(truth),
        "gives a finite number where infinity is right": np.isfinite(got) & np.isinf(truth),
        "gives infinity of the wrong sign": np.isinf(got) & np.isinf(truth),
        "gives zero of the wrong sign": (got == 0) & (truth == 0),
        "is not correctly rounded: off by one ulp or less": both & (error <= 1),
        "is off by more than one ulp": both & (error > 1),
    }
    for words, found in groups.items():
        if (mask := found & rows).any():
            yield Cause("", words, int(mask.sum()), _example(check, columns, truth, got, mask))


# --- an example -----------------------------------------------------------------------------------------------------


def _example(check: Check, columns: tuple[Any, ...], truth: Array, got: Array, rows: Array) -> Example:
    """The simplest input of those rows."""
    indices = np.flatnonzero(rows)
    if isinstance(columns[0], tuple):  # texts, integers: the shortest
        index = int(min(indices, key=lambda i: (len(str(columns[0][i])), str(columns[0][i]))))
    else:
        index = int(indices[np.argmin(_complexity([column[indices] for column in columns]))])
    operands = tuple(_item(column[index]) for column in columns)
    given = check.fmt.hex_code(operands[0]) if check.task == "decode" else ", ".join(map(str, operands))
    came, right_one = (repr(float(x[index])) for x in (got, truth))
    return Example(given, came, right_one, line_of(check, operands), _why(check, operands))


LONG = 40
"""The cost of an operand that is simple at best by its size: its digits fill a float64."""


def _complexity(columns: list[Array]) -> Array:
    """How complicated operands are, as in `cases`; of those with very many digits, the ones near 1 come first."""
    total = np.zeros(columns[0].shape)
    for x in columns:
        x = np.asarray(x, np.float64)
        cost = cases.cost(x)
        with np.errstate(all="ignore"):
            near = LONG + np.abs(np.frexp(np.where(np.isfinite(x), x, 1.0))[1] - 1) + 0.5 * np.signbit(x)
        total += np.where((cost > LONG) & np.isfinite(x), near, cost)
    return total


def _item(x: Any) -> Any:
    return x.item() if isinstance(x, np.generic) and not isinstance(x, np.longdouble) else x


def _why(check: Check, operands: tuple[Any, ...]) -> str:
    """Between which numbers of the format the exact result lies, and where."""
    task = AS_TEXT.get(check.task, check.task)
    if task not in ROUNDED:
        return ""
    given = [np.array([str(x) if task == "parse" else x]) for x in operands]
    exact = float(np.asarray(unrounded(task, [np.asarray(x) for x in given], check.mode))[0])
    if not np.isfinite(exact):
        return ""
    return placed(exact, check.fmt, check.mode)


def placed(exact: float, fmt: Format, mode: Rounding) -> str:
    """Where a number lies among the numbers of a format.

    >>> from fp16sim.formats import BINARY16
    >>> placed(1 + 2.0**-11, BINARY16, Rounding.TIES_TO_EVEN)
    '1.0 and 1.0009765625 are equally near: a tie'
    """
    x = np.array([exact])
    low, high = (float(right(x, fmt, way)[0]) for way in (Rounding.TOWARD_NEGATIVE, Rounding.TOWARD_POSITIVE))
    if low == high:
        return f"{low!r} is a number of the format: nothing is rounded"
    if not (np.isfinite(low) and np.isfinite(high)):
        return _beyond_the_largest(fmt, mode)
    if exact == 0 or low == exact or high == exact:
        return ""
    share = (Fraction(exact) - Fraction(low)) / (Fraction(high) - Fraction(low))
    if share == Fraction(1, 2):
        return f"{low!r} and {high!r} are equally near: a tie"
    near, where = (low, "below") if share < Fraction(1, 2) else (high, "above")
    just = "just " if abs(share - Fraction(1, 2)) < Fraction(1, 1000) else ""
    return f"it lies {just}{where} the midpoint of {low!r} and {high!r}, so {near!r} is nearest"


def _beyond_the_largest(fmt: Format, mode: Rounding) -> str:
    most = float(fmt.max_finite)
    nearest = mode in (Rounding.TIES_TO_EVEN, Rounding.TIES_TO_AWAY)
    edge = f"; rounding to nearest overflows from {float(cases.midpoints(most, fmt))!r} on" if nearest else ""
    return f"it is beyond max_finite = {most!r}{edge}"


def _beyond(check: Check, columns: tuple[Any, ...], got: Array) -> str:
    """What a number beyond max_finite becomes: the answer of the probe's own input, where libraries differ."""
    if check.task != "rounding":
        return ""
    x, most = columns[0], float(check.fmt.max_finite)
    large = x[(x > 2 * most) & np.isfinite(x)]
    if not large.size:
        return ""
    given = 1000.0 if 2 * most < 1000.0 and (large == 1000.0).any() else float(large.min())
    return f"{given:g} -> {float(got[x == given][0])!r}"
