"""Lists of numbers to add up, and what the exact layer makes of them, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import accumulators, exact, reductions
from ...formats import Format, Rounding
from ...rounding import round_to

Lists = list[list[float]]


def _random(fmt: Format, count: int, seed: int) -> Lists:
    """Lists of 2 to 24 numbers of the format, of mixed sizes and signs, the same ones always."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        size = int(rng.integers(2, 25))
        scale = 2.0 ** rng.integers(-fmt.trailing_bits // 2, fmt.trailing_bits // 2 + 1, size)
        found.append(np.asarray(round_to(rng.normal(size=size) * scale, fmt), np.float64).tolist())
    return sorted(found, key=len)


def sums(fmt: Format) -> tuple[Lists, list[str]]:
    """Lists to add up, and what each is about."""
    top, one, u = float(fmt.max_finite), 2.0 ** min(fmt.precision, fmt.emax), float(fmt.unit_roundoff)
    named: list[tuple[str, list[float]]] = [
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
        named += [("infinities and NaN", x) for x in ([inf, 1.0], [inf, -inf], [1.0, float("nan"), 1.0])]
    named += [("ordinary lists", x) for x in _random(fmt, 120, 7)]
    return [x for _, x in named], [label for label, _ in named]


def products(fmt: Format) -> tuple[Lists, Lists, list[str]]:
    """Pairs of lists to multiply and add up, and what each is about."""
    top, u = float(fmt.max_finite), float(fmt.unit_roundoff)
    named: list[tuple[str, list[float], list[float]]] = [
        ("no terms", [], []),
        ("one term", [2.0], [3.0]),
        ("signs of zero", [-0.0], [1.0]),
        ("signs of zero", [-1.0, -2.0], [0.0, 0.0]),
        ("products are rounded", [1.0 + 2 * u, -1.0], [1.0 + 2 * u, 1.0]),
        ("stagnation", [1.0, u, u], [1.0, 1.0, 1.0]),
        ("overflow", [top, top], [2.0, -2.0]),
    ]
    left, right = _random(fmt, 120, 8), _random(fmt, 120, 9)
    cut = [(a[: len(b)], b[: len(a)]) for a, b in zip(left, right, strict=True)]
    named += [("ordinary lists", a, b) for a, b in cut]
    return [a for _, a, _ in named], [b for _, _, b in named], [label for label, _, _ in named]


def logits(fmt: Format) -> tuple[Lists, list[str]]:
    """Lists to take the softmax of, and what each is about."""
    large = min(1000.0, float(fmt.max_finite) / 4)
    named = [
        ("one number", [0.0]),
        ("equal numbers", [1.0, 1.0]),
        ("equal numbers", [2.0] * 3),
        ("large numbers", [12.0, 11.0, 10.0]),
        ("large numbers", [large, large, 0.0]),
        ("very negative numbers", [-large, -large]),
        ("far apart", [0.0, -large]),
    ]
    rng = np.random.default_rng(11)
    for _ in range(60):
        x = rng.normal(size=int(rng.integers(2, 11))) * 3
        named.append(("ordinary lists", np.asarray(round_to(x, fmt), np.float64).tolist()))
    held = [(label, np.asarray(round_to(x, fmt), np.float64).tolist()) for label, x in named]
    return [x for _, x in held], [label for label, _ in held]


def partial_sums(terms: Sequence[Any], fmt: Format, mode: Rounding) -> list[Any]:
    """The sums on the way, each rounded, by the exact layer; the last is the result."""
    found = [exact.as_exact(term) for term in terms[:1]]
    for term in terms[1:]:
        found.append(exact.operate("add", (found[-1], term), fmt, mode).value)
    return found


def sequential(terms: Sequence[Any], fmt: Format, mode: Rounding) -> float:
    """One term after the other, by the exact layer."""
    return float(partial_sums(terms, fmt, mode)[-1]) if len(terms) else 0.0


def pairwise(terms: Sequence[Any], fmt: Format, mode: Rounding) -> float:
    """The sum of the sums of the two halves, by the exact layer."""
    if len(terms) < 2:
        return float(terms[0]) if len(terms) else 0.0
    half = len(terms) // 2
    parts = pairwise(terms[:half], fmt, mode), pairwise(terms[half:], fmt, mode)
    return float(exact.operate("add", parts, fmt, mode).value)


def kahan(terms: Sequence[Any], fmt: Format, mode: Rounding) -> float:
    """Compensated, by the accumulator of that name."""
    return float(reductions.sum(terms, fmt, mode, accumulator=accumulators.Kahan(fmt, mode)))


def dot(a: Sequence[Any], b: Sequence[Any], fmt: Format, mode: Rounding) -> float:
    """Products rounded, and then one after the other, by the exact layer."""
    terms = [exact.operate("multiply", pair, fmt, mode).value for pair in zip(a, b, strict=True)]
    return sequential(terms, fmt, mode)


def mixed_dot(a: Sequence[Any], b: Sequence[Any], fmt: Format, mode: Rounding) -> float:
    """Products and sums in binary32, rounded at the end, by the accumulator of that name."""
    return float(reductions.dot(a, b, fmt, mode, accumulator=accumulators.Sequential("binary32")))
