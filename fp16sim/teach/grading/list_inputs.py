"""Lists of numbers for the tasks that add or multiply lists, and their right answers, each step rounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ... import accumulators, exact, faults, reductions
from ...formats import Format, Rounding
from ...rounding import round_to
from .inputs import Given, Truth

Lists: TypeAlias = list[list[float]]


def _random(fmt: Format, count: int, seed: int) -> Lists:
    """Lists of 2 to 24 numbers of the format, of mixed sizes and signs; the same lists in every run."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        size = int(rng.integers(2, 25))
        scale = 2.0 ** rng.integers(-fmt.trailing_bits // 2, fmt.trailing_bits // 2 + 1, size)
        drawn = rng.normal(size=size) * scale
        found.append(np.asarray(round_to(drawn if fmt.signed else np.abs(drawn), fmt), np.float64).tolist())
    return sorted(found, key=len)


def _held(rows: Sequence[tuple[Any, ...]], fmt: Format) -> list[tuple[Any, ...]]:
    """The rows (label, list, ...) whose numbers the format has: not all have -1, -0, or 3."""

    def has(x: float) -> bool:
        if x == 0:
            return fmt.has_negative_zero or (fmt.zero and not np.signbit(x))
        if not np.isfinite(x):
            return fmt.has_nan if np.isnan(x) else fmt.has_infinity and (fmt.signed or x > 0)
        return bool(exact.round_to(x, fmt) == x)

    return [row for row in rows if (row[1] or fmt.zero) and all(has(x) for numbers in row[1:] for x in numbers)]


def _given(rows: Sequence[tuple[Any, ...]]) -> Given:
    """Rows of (label, list, ...) as columns and labels."""
    labels, *columns = map(list, zip(*rows, strict=True))
    return tuple(columns), labels


# --- what a function is tried on ------------------------------------------------------------------------------------


def sums(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Lists to add up."""
    top, one, u = float(fmt.max_finite), 2.0 ** min(fmt.precision, fmt.emax), float(fmt.unit_roundoff)
    rows: list[tuple[str, list[float]]] = [
        ("no terms", []),
        ("one term", [1.0]),
        ("one term", [-2.0]),
        ("signs of zero", [-0.0]),
        ("signs of zero", [-0.0, -0.0]),
        ("signs of zero", [0.0, -0.0]),
        ("signs of zero", [1.0, -1.0]),
        ("stagnation", [one, 1.0, 1.0]),
        ("stagnation", [1.0, u, u, u]),
        ("stagnation", [1.0] * (2 ** min(fmt.precision, 9) + 3)),
        ("cancellation", [1.0, u, -1.0]),
        ("cancellation", [top, 1.0, -top]),
        ("overflow", [top, top]),
        ("overflow", [top, top, -top]),
    ]
    if fmt.has_infinity:
        inf = float("inf")
        rows += [("infinities and NaN", x) for x in ([inf, 1.0], [inf, -inf], [1.0, float("nan"), 1.0])]
    return _given(_held([*rows, *(("ordinary lists", x) for x in _random(fmt, 120, 7))], fmt))


def products(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Pairs of lists for a dot product."""
    top, u = float(fmt.max_finite), float(fmt.unit_roundoff)
    rows: list[tuple[str, list[float], list[float]]] = [
        ("no terms", [], []),
        ("one term", [2.0], [3.0]),
        ("signs of zero", [-0.0], [1.0]),
        ("signs of zero", [-1.0, -2.0], [0.0, 0.0]),
        ("long products", [1.0 + 2 * u, -1.0], [1.0 + 2 * u, 1.0]),
        ("stagnation", [1.0, u, u], [1.0, 1.0, 1.0]),
        ("overflow", [top, top], [2.0, -2.0]),
    ]
    pairs = zip(_random(fmt, 120, 8), _random(fmt, 120, 9), strict=True)
    return _given(_held([*rows, *(("ordinary lists", a[: len(b)], b[: len(a)]) for a, b in pairs)], fmt))


def logits(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Lists to take the softmax of."""
    large = min(1000.0, float(fmt.max_finite) / 4)
    rows: list[tuple[str, Any]] = [
        ("one number", [0.0]),
        ("equal numbers", [1.0, 1.0]),
        ("equal numbers", [2.0] * 3),
        ("large numbers", [12.0, 11.0, 10.0]),
        ("large numbers", [large, large, 0.0]),
        ("very negative numbers", [-large, -large]),
        ("far apart", [0.0, -large]),
    ]
    rng = np.random.default_rng(11)
    rows += [("ordinary lists", rng.normal(size=int(rng.integers(2, 11))) * 3) for _ in range(60)]
    return _given([(label, np.asarray(round_to(x, fmt), np.float64).tolist()) for label, x in rows])


# --- what is right --------------------------------------------------------------------------------------------------


def of_each_row(function: Callable[..., Any]) -> Truth:
    """A function of lists, for each row."""
    return lambda columns, fmt, mode, every: [function(*row, fmt, mode) for row in zip(*columns, strict=True)]


def partial_sums(terms: Sequence[exact.Value], fmt: Format, mode: Rounding) -> list[exact.Value]:
    """The sums after each term, each rounded, by the exact layer; the last one is the result."""
    found = [exact.as_exact(term) for term in terms[:1]]
    for term in terms[1:]:
        found.append(exact.operate("add", (found[-1], term), fmt, mode).value)
    return found


def sequential(terms: Sequence[exact.Value], fmt: Format, mode: Rounding) -> float:
    """One term after the other, by the exact layer."""
    return float(partial_sums(terms, fmt, mode)[-1]) if len(terms) else 0.0


def pairwise(terms: Sequence[exact.Value], fmt: Format, mode: Rounding) -> float:
    """The sum of the sums of the two halves, by the exact layer."""
    if len(terms) < 2:
        return float(terms[0]) if len(terms) else 0.0
    half = len(terms) // 2
    parts = pairwise(terms[:half], fmt, mode), pairwise(terms[half:], fmt, mode)
    return float(exact.operate("add", parts, fmt, mode).value)


def kahan(terms: Sequence[float], fmt: Format, mode: Rounding) -> float:
    """Compensated, by the accumulator of that name."""
    return float(reductions.sum(terms, fmt, mode, accumulator=accumulators.Kahan(fmt, mode)))


def dot(a: Sequence[float], b: Sequence[float], fmt: Format, mode: Rounding) -> float:
    """Products rounded, then added one after the other, by the exact layer."""
    terms = [exact.operate("multiply", pair, fmt, mode).value for pair in zip(a, b, strict=True)]
    return sequential(terms, fmt, mode)


def mixed_dot(a: Sequence[float], b: Sequence[float], fmt: Format, mode: Rounding) -> float:
    """Products and sums in binary32, rounded at the end."""
    return float(reductions.dot(a, b, fmt, mode, accumulator=accumulators.Sequential("binary32")))


def softmax(x: list[float], fmt: Format, mode: Rounding) -> tuple[float, ...]:
    """The softmax, each step rounded."""
    return tuple(faults.softmax(x, fmt, mode))
