"""The probe: what a function is given. Every code and midpoint with its neighbours, the ends of the range, specials."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from .. import cases
from ..codes import all_values
from ..faults.roundings import right
from ..formats import Format, Rounding, get_format
from ..neighbours import next_down, next_up
from .subject import Array, Check

RANDOM_PAIRS = 50_000
DIGITS = 2000
"""Digits of the longest text; no midpoint of binary64 has more than 800."""
PRINTED = 13
"""Of all codes, every 13th is printed, beside the interesting numbers."""
TEXTS = 700
"""Midpoints and numbers that are written as texts."""


def _unique(x: Array) -> Array:
    """Each number once, the two zeros apart, all NaNs as one."""
    bits = np.where(np.isnan(x), np.nan, x).astype(np.float64).view(np.uint64)
    return np.unique(bits).view(np.float64)


@lru_cache(maxsize=4)
def _of_float64(fmt: Format) -> Array:
    """For a function of float64: about half a million numbers in a format of 16 bits."""
    every = fmt.width <= cases.WIDEST_TABLE
    numbers = cases.values(fmt, every)
    lower = np.abs(numbers[np.isfinite(numbers)])
    near = np.concatenate([lower, cases.midpoints(lower, fmt)])
    with np.errstate(all="ignore"):
        single = near.astype(np.float32)
        beside = [np.nextafter(single, np.float32(to)).astype(np.float64) for to in (0, np.inf)]
        parts = [near, single.astype(np.float64), *beside, _ends()]
        parts += [np.nextafter(near, 0), np.nextafter(near, np.inf)]
    specials = cases.roundable(fmt)  # eighths and quarters of a quantum too, infinities and NaN
    positive = np.unique(np.concatenate([*parts, np.abs(specials[~np.isnan(specials)])]))
    return np.concatenate([-positive[::-1], positive, [np.nan]])


def _ends() -> Array:
    """Powers of two over the whole range of float64, and the last numbers of float32 and float64."""
    powers = np.ldexp(1.0, np.arange(-1074, 1024))
    last = [float(np.finfo(dtype).max) for dtype in (np.float16, np.float32, np.float64)]
    return np.concatenate([powers, powers * 1.25, powers[50:] * (1 + 2.0**-52), last, [1000.0]])


@lru_cache(maxsize=16)
def numbers(fmt: Format, source: str) -> Array:
    """What a cast to `fmt` is given: the probe's numbers that the source has, in float64.

    >>> numbers(get_format("bfloat16"), "binary64").size > 500_000
    True
    """
    wide = get_format(source)
    x = _of_float64(fmt)
    if wide.width <= cases.WIDEST_TABLE:
        x = np.asarray(all_values(wide), np.float64)
    elif wide.width < 64:
        x = right(x, wide, Rounding.TIES_TO_EVEN)
    x = _unique(x) if wide.width < 64 else x
    return x if fmt.has_nan else x[~np.isnan(x)]


# --- arithmetic -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def operands(fmt: Format, count: int) -> tuple[Array, ...]:
    """Columns of operands: the interesting ones, sums that are almost ties, and random codes."""
    if count == 1:
        return (_unique(cases.values(fmt, every=fmt.width <= cases.WIDEST_TABLE)),)
    columns = cases.tuples(fmt, count, every=True)
    rng = np.random.default_rng(2019)
    pool = cases.values(fmt, every=fmt.width <= cases.WIDEST_TABLE)
    random = [rng.choice(pool, RANDOM_PAIRS) for _ in range(count)]
    extra = [*_almost_ties(fmt), np.zeros(0)][:count] if count == 2 else [np.zeros(0)] * count
    return tuple(np.concatenate(parts) for parts in zip(columns, random, extra, strict=True))


def _with_a_result(fmt: Format, task: str, columns: tuple[Array, ...]) -> tuple[Array, ...]:
    """Without the operands whose result is NaN or infinity, for a format that has neither."""
    if fmt.has_nan or task not in ("sqrt", "divide"):
        return columns
    keep = columns[0] >= 0 if task == "sqrt" else columns[1] != 0
    return tuple(column[keep] for column in columns)


def _almost_ties(fmt: Format) -> tuple[Array, Array]:
    """a + b a little above or below the midpoint beside a: a sum that is first rounded to a wider format goes wrong."""
    found = cases.values(fmt)
    a = found[np.isfinite(found) & (np.abs(found) >= float(fmt.min_normal))]
    half = np.abs(cases.midpoints(np.abs(a), fmt) - np.abs(a))
    held = right(half, fmt, Rounding.TIES_TO_EVEN)
    pairs = [(a, sign * side(held, fmt)) for sign in (1, -1) for side in (next_up, next_down)]
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


# --- texts and integers ---------------------------------------------------------------------------------------------


def _some(fmt: Format) -> Iterator[Fraction]:
    """Numbers of the format and midpoints that are not zero: all, or `TEXTS` evenly chosen ones."""
    found = cases.values(fmt)
    finite = np.unique(np.abs(found[np.isfinite(found)]))
    both = np.concatenate([finite, cases.midpoints(finite, fmt)])
    step = max(1, both.size // TEXTS)
    yield from (Fraction(x) for x in np.unique(both[both > 0])[::step].tolist())


@lru_cache(maxsize=8)
def texts(fmt: Format) -> tuple[str, ...]:
    """Decimal texts: numbers and midpoints in full, and the same a little higher and lower, and some special ones."""
    context = Context(prec=DIGITS)
    found = ["0", "-0", "inf", "-inf", "nan", "1e-400", "-1e-400", "1e300", "1e-99", "65519.99999999999999999"]
    for x in _some(fmt):
        value = context.divide(Decimal(x.numerator), Decimal(x.denominator))
        last = value.as_tuple().exponent
        step = Decimal(1).scaleb(min(int(last), 0) - 30, context)
        near = context.multiply(value, Decimal("1.0000000000001"))  # what float64 tells from it, and float32 does not
        for written in (value, context.add(value, step), context.subtract(value, step), near):
            found += [f"{written}", f"-{written}"]
    return tuple(text for text in found if fmt.has_nan or text != "nan")


@lru_cache(maxsize=8)
def integers(fmt: Format, low: int, high: int) -> tuple[int, ...]:
    """Integers: numbers and midpoints of the format, and those one beside them, up to the ends of the type."""
    found = {0, 1, 2, 3, low, high, low + 1, high - 1}
    p = fmt.precision
    for e in range(high.bit_length() + 1):
        for n in {2**p, 2**p + 1, 2**p + 3, 2 ** (p + 1) - 1, 2**p + 2 ** (p - 1) + 1}:  # n 2^e / 2 is a midpoint
            x = (n << e) >> (p + 1)
            found |= {s * (x + d) for s in (1, -1) for d in (-1, 0, 1)}
    finite = [int(x) for x in cases.values(fmt).tolist() if abs(x) < 2**70]
    found |= {x + d for x in finite for d in (-1, 0, 1)}
    return tuple(sorted(x for x in found if low <= x <= high))


@lru_cache(maxsize=4)
def extended(fmt: Format) -> Array:
    """Midpoints in extended precision, and their neighbours there, which no float64 tells apart from them."""
    numbers = cases.values(fmt)
    lower = np.abs(numbers[np.isfinite(numbers)])
    near = np.concatenate([lower, cases.midpoints(lower, fmt)]).astype(np.longdouble)
    positive = np.concatenate([near, np.nextafter(near, np.longdouble(0)), np.nextafter(near, np.longdouble(np.inf))])
    return np.unique(np.concatenate([positive, -positive]))


COUNTS = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "sqrt": 1, "fma": 3}
"""Operands of each operation."""


def columns_of(check: Check) -> tuple[Any, ...]:
    """What the function of a check is given."""
    columns = _columns_of(check)
    return columns if check.step == 1 else tuple(column[:: check.step] for column in columns)


def _columns_of(check: Check) -> tuple[Any, ...]:
    if check.task == "rounding":
        return (numbers(check.fmt, check.source),)
    if check.task in COUNTS:
        return _with_a_result(check.fmt, check.task, operands(check.fmt, COUNTS[check.task]))
    if check.task == "parse":
        return (texts(check.fmt),)
    if check.task == "integer":
        return (integers(check.fmt, *check.limits),)
    if check.task == "longdouble":
        return (extended(check.fmt),)
    if check.task == "decode":
        return (np.arange(2**check.fmt.width, dtype=np.uint16 if check.fmt.width > 8 else np.uint8),)
    if check.task == "print":
        return (_unique(np.concatenate([cases.values(check.fmt), all_values(check.fmt)[::PRINTED]])),)
    return (_unique(cases.values(check.fmt, every=check.fmt.width <= cases.WIDEST_TABLE)),)
