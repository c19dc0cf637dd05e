"""arange and linspace: each number is rounded once from its exact value."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ..accumulators.base import Steps
from ..conversion import Array
from ..formats import as_integer


def arange(steps: Steps, start: Array | None = None, stop: Array | None = None, step: Array | None = None) -> Array:
    """start + k * step for k = 0, 1, ... while that is before stop: exact, then rounded once."""
    if stop is None:  # the only number given is where to stop
        start, stop = None, start
    first, by = (steps.round(default) if x is None else x for default, x in ((0.0, start), (1.0, step)))
    if stop is None:
        raise TypeError("arange: stop is missing; give at least that")
    a, b, c = (_finite("arange", name, x) for name, x in (("start", first), ("stop", stop), ("step", by)))
    if not c:
        raise ValueError(f"arange: step={float(by)} leads nowhere; give a step that is not 0 in {steps.fmt.name}")
    k = np.arange(max(0, math.ceil((b - a) / c)), dtype=np.float64)
    return steps.operate("fma", k, by, first)


def linspace(steps: Steps, start: Array, stop: Array, num: int = 50, endpoint: bool = True, *, axis: int = 0) -> Array:
    """`num` numbers from start to stop in equal steps, with stop itself if `endpoint`: exact, then rounded once."""
    count = as_integer("num", num, "give the number of numbers, such as 50")
    if count < 0:
        raise ValueError(f"num={count} is negative; give 0 or more")
    first, last = np.broadcast_arrays(start, stop)
    gaps = count - bool(endpoint)
    starts = [_finite("linspace", "start", value) for value in first.flat]
    stops = [_finite("linspace", "stop", value) for value in last.flat]
    exact: Any = None if steps.mode.random else by_integers(starts, stops, count, gaps, steps.fmt.precision)
    if exact is None:
        exact = np.empty((count, first.size), object)
        for k in range(1, count):
            exact[k] = [a + (b - a) * Fraction(k, gaps) for a, b in zip(starts, stops, strict=True)]
    exact[:1] = first.reshape(-1)
    if endpoint and count > 1:
        exact[-1] = last.reshape(-1)  # also a zero with its sign
    y = steps.round(exact.reshape(count, *first.shape)) if count else np.empty((0, *first.shape), steps.carrier)
    return np.moveaxis(y, 0, axis)


def by_integers(starts: list[Fraction], stops: list[Fraction], count: int, gaps: int, precision: int) -> Array | None:
    """a + (b - a) k / gaps by integers, rounded to odd with two bits more than `precision`; None if int64 is too small.

    In units that a and b are multiples of, the numerator a (gaps - k) + b k is an integer. It is shifted until each
    quotient has enough bits: it is 0 or at least 1 / gaps, and of numbers of one sign at least the smaller one.
    """
    if not starts or gaps < 1:
        return None
    denominator = max(x.denominator for x in (*starts, *stops))  # powers of two
    a, b = ([int(x * denominator) for x in end] for end in (starts, stops))
    largest = max(map(abs, (*a, *b))).bit_length()
    smaller = [min(abs(x), abs(y)) if x * y > 0 else 0 for x, y in zip(a, b, strict=True)]
    least = min(smaller).bit_length() or -gaps.bit_length()
    shift = max(1, precision + 2 - least)
    if largest + shift + gaps.bit_length() > 61 or largest + shift > 51 or denominator.bit_length() + shift > 1000:
        return None
    k = np.arange(count)[:, None]
    numerator = (np.array(a, np.int64) * (gaps - k) + np.array(b, np.int64) * k) << shift
    quotient, rest = np.divmod(numerator, gaps)
    return np.ldexp((2 * quotient + (rest != 0)).astype(np.float64), 1 - denominator.bit_length() - shift - 1)


def _finite(function: str, name: str, x: Array) -> Fraction:
    if not np.isfinite(x):
        raise ValueError(f"{function}: {name}={float(x)} is not finite; give a number within the format's range")
    return Fraction(float(x))
