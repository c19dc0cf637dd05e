"""What a head of attention is tried on: queries, masks, scores beyond the range, tiles; and the right answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import faults
from ...formats import Format, Rounding
from ...rounding import round_to
from .inputs import Given

Matrix = list[list[float]]


def _held(x: Any, fmt: Format) -> Any:
    """Numbers of the format, as lists."""
    return np.asarray(round_to(x, fmt), np.float64).tolist()


def _large(fmt: Format) -> float:
    """A score whose exponential is infinite, and which is finite itself."""
    return min(100.0, float(fmt.max_finite) / 4)


def _few_keys(fmt: Format) -> list[tuple[Any, ...]]:
    """Rows of (label, query, keys, values, seen, scale) that each show one mistake."""
    large, top = _large(fmt), float(fmt.max_finite) / 4
    far = [[1.0], [1.0 - 2 / large], [1.0 - 4 / large]]
    both = [[1.0, 0.0], [0.0, 1.0]]
    return [
        ("one key", [1.0], [[1.0]], [[3.0]], [True], 1.0),
        ("one key", [2.0, 1.0], [[1.0, 2.0]], [[3.0, -2.0]], [True], 0.5),
        ("two keys", [1.0, 1.0], both, [[1.0], [3.0]], [True, True], 0.5),
        ("two keys", [2.0, 1.0], both, [[1.0], [3.0]], [True, True], 0.5),
        ("hidden keys", [2.0, 1.0], both, [[1.0], [3.0]], [True, False], 0.5),
        ("hidden keys", [2.0, 1.0], both, [[1.0], [3.0]], [False, True], 0.5),
        ("no key is seen", [1.0], [[1.0]], [[3.0]], [False], 1.0),
        ("no key is seen", [1.0, 1.0], both, [[1.0, 2.0], [3.0, 1.0]], [False, False], 0.5),
        ("large scores", [large], far, [[1.0], [2.0], [3.0]], [True] * 3, 1.0),
        ("large scores", [large], far, [[1.0], [2.0], [3.0]], [True, False, True], 1.0),
        ("a hidden key with the largest score", [large], [[1.0], [-1.0]], [[1.0], [3.0]], [False, True], 1.0),
        ("products beyond the range", [top, top], [[4.0, 4.0], [4.0, 3.0]], [[1.0], [3.0]], [True] * 2, 0.0625),
        ("products beyond the range", [-top, -top], [[4.0, 4.0], [4.0, 3.0]], [[1.0], [3.0]], [True] * 2, 0.0625),
    ]


def queries(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Queries with keys, values, masks and scales."""
    rows, rng = _few_keys(fmt), np.random.default_rng(20)
    for k in range(28):
        count, size, width = 2 + k // 4, int(rng.integers(1, 5)), int(rng.integers(1, 4))
        query, keys, values = (rng.normal(size=shape) for shape in (size, (count, size), (count, width)))
        seen = (rng.random(count) < (0.7 if k % 2 else 1.0)).tolist()
        label = "no key is seen" if not any(seen) else "ordinary queries" if all(seen) else "hidden keys"
        rows.append((label, 2 * query, keys, values, seen, 1 / math.sqrt(size)))
    held = [(label, *(_held(x, fmt) for x in row[:3]), row[3], float(_held(row[4], fmt))) for label, *row in rows]
    labels, *columns = map(list, zip(*held, strict=True))
    return tuple(columns), labels


def scores(fmt: Format, mode: Rounding, every: bool) -> Given:
    """Scores with values, and the size of a tile."""
    large, inf = _large(fmt), math.inf
    rows: list[tuple[str, Any, Any, int]] = [
        ("one tile", [1.0], [3.0], 1),
        ("one tile", [1.0, 0.0], [1.0, 3.0], 2),
        ("a larger score comes", [0.0, 1.0], [1.0, 3.0], 1),
        ("a smaller score comes", [1.0, 0.0], [1.0, 3.0], 1),
        ("a larger score comes", [0.0, 1.0, 2.0], [1.0, 3.0, 2.0], 1),
        ("a last tile that is not full", [1.0, 0.0, 2.0], [1.0, 3.0, 2.0], 2),
        ("large scores", [large, 0.0, large - 1], [1.0, 3.0, 2.0], 2),
        ("large scores", [0.0, large], [1.0, 3.0], 1),
        ("large scores", [-large / 2, large, -large], [1.0, 3.0, 2.0], 1),
    ]
    if fmt.has_infinity and fmt.signed:
        rows += [
            ("hidden keys", [-inf, 1.0, 0.0, -inf], [3.0, 1.0, 2.0, 1.0], 2),
            ("a tile without keys", [-inf, 1.0], [3.0, 1.0], 1),
            ("a tile without keys", [0.0, 1.0, -inf, -inf, 1.0], [1.0, 2.0, 3.0, 1.0, 3.0], 2),
            ("no key is seen", [-inf, -inf, -inf], [1.0, 2.0, 3.0], 2),
        ]
    rng = np.random.default_rng(21)
    for k in range(22):
        count = 2 + k // 2
        rows.append(("ordinary lists", 2 * rng.normal(size=count), rng.normal(size=count), int(rng.integers(1, 5))))
    labels, x, values, tiles = zip(*rows, strict=True)
    return ([_held(s, fmt) for s in x], [_held(v, fmt) for v in values], list(tiles)), list(labels)


def head(*row: Any) -> tuple[float, ...]:
    """The result of a query."""
    return tuple(faults.head(*row))


def tiled(scores: Sequence[float], values: Sequence[float], tile: int, fmt: Format, mode: Rounding) -> float:
    """The weighted sum of values, tile by tile."""
    return faults.tiled(scores, values, tile, fmt, mode)


def without_signs_of_zero(answer: Any) -> Any:
    """A zero has the sign +: which one it is depends on how hidden keys are left out."""
    if isinstance(answer, tuple):
        return tuple(map(without_signs_of_zero, answer))
    return 0.0 if answer == 0 else answer
