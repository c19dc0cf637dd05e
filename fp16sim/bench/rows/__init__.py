"""The rows of the table: each names our work, the rival, the goal for the ratio of the times, and what it means.

A row stands beside the function that prepares it: `numbers` has those about single numbers and small arrays, `arrays`
those about rounding, `sums` those about sums and matrix products, `factors` those about linear algebra, `tasks`
training, functions and commands, and `traces` the trace.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...wording import did_you_mean, quoted
from ..measure import Comparison
from . import arrays, factors, numbers, sums, tasks, traces

GROUPS = {
    "numbers": "single numbers",
    "small": "small arrays",
    "arrays": "an array, to 16 bits",
    "threads": "two threads",
    "modes": "other rounding modes",
    "wide": "float64 input",
    "emulators": "other emulators",
    "blocks": "blocks that share a scale",
    "sums": "sums",
    "matrices": "matrix products",
    "linalg": "linear algebra",
    "training": "a step of training",
    "functions": "functions",
    "trace": "the trace",
    "start": "starting",
}
"""The groups of rows, in the order of the table, and their titles."""

ROWS = tuple(
    row
    for group in GROUPS
    for part in (numbers, arrays, sums, factors, tasks, traces)
    for row in part.ROWS
    if row.group == group
)
"""The table, in order."""


def select(only: str | Sequence[str] = (), rows: Sequence[Comparison] = ROWS) -> list[Comparison]:
    """The rows of a group, of a name, or with a text in their work or rival; of several; or all.

    >>> [row.name for row in select("start")], [row.work for row in select(["round-number", "1,000 el"])]
    (['import', 'show'], ["round_to(0.1, 'binary16')", 'round_to binary16, 1,000 elements'])
    """
    wanted = [only] if isinstance(only, str) and only else only
    found = {row.name for text in wanted for row in _with(text, rows)}
    return [row for row in rows if row.name in found or not wanted]


def _with(text: str, rows: Sequence[Comparison]) -> list[Comparison]:
    found = [row for row in rows if text in (row.group, row.name)]
    if text.strip() and not found:
        found = [row for row in rows if any(text in own for own in (row.name, row.work, row.rival))]
    if not found:
        known = [name for row in rows for name in (row.group, row.name)]
        similar = did_you_mean(text, known)
        raise ValueError(f"only={quoted(text)} is in no row; {similar}try 'sums', 'matmul' or 'import'")
    return found
