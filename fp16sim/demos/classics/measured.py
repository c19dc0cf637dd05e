"""The twenty under the trace: where it ranks the line that an analyst names, and what the cure does to the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import trace
from ...conversion import Array
from .table import Classic


@dataclass(frozen=True)
class Measured:
    """What the trace found of a classic.

    Attributes
    ----------
    rank : int
        The place of the line that an analyst names; 1 is the line to blame.
    before : float
        The error of the unstable computation: the largest error of a result, as a part of the largest exact result;
        infinite if a result is NaN or infinite.
    after : float or None
        That of the cure, against the same exact results; None if there is no cure.
    """

    rank: int
    before: float
    after: float | None


def measure(row: Classic) -> Measured:
    """Trace a classic and its cure.

    >>> from fp16sim.demos.classics import CLASSICS
    >>> measure(CLASSICS[5])
    Measured(rank=1, before=inf, after=0.0)
    """
    run = trace.wrap(row.function, row.fmt)(*row.arguments)
    truth = [np.asarray(result.shadow, np.float64) for result in run.results]
    (rank,) = [line.rank for line in run.lines if line.line == row.line_number]
    after = None
    if row.cured is not None:
        cured = trace.wrap(row.cured, row.fmt)(*row.arguments)
        after = _error(cured.results, truth)
    return Measured(rank, _error(run.results, truth), after)


def _error(results: Sequence[Any], truth: Sequence[Array]) -> float:
    """The largest error as a part of the largest exact number; infinite for what is not finite."""
    with np.errstate(all="ignore"):
        errors = [np.abs(result.values.values - exact) for result, exact in zip(results, truth, strict=True)]
    worst = max(float(np.max(np.where(np.isnan(error), np.inf, error))) for error in errors)
    return worst / max(float(np.max(np.abs(exact))) for exact in truth)
