"""One loop over what a subject has to compare; each part gives one record, as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ..faults.roundings import right
from ..formats import Rounding
from ..neighbours import ulp
from . import summation
from .block_probe import judge_blocks
from .judge import judge
from .records import Measured, Order, Verdict
from .subject import Accuracy, Subject

Part: TypeAlias = Verdict | Order | Measured
ACCURACY_ROWS, ACCURACY_COLUMNS = 400, 256


def parts(subject: Subject) -> list[tuple[str, Callable[[], Part]]]:
    """The names of all parts of an audit of a subject, and what computes each."""
    pairs: list[tuple[str, Any, Any]] = [
        *((check.name, judge, check) for check in subject.checks),
        *((check.name, judge_blocks, check) for check in subject.blocks),
        *((f"{one.name} in {one.fmt.name}", summation.examine, one) for one in subject.reductions),
        *((f"{one.name} in {one.fmt.name}", measure, one) for one in subject.accuracies),
    ]
    return [(name, partial(_quietly, work, what)) for name, work, what in pairs]


def _quietly(work: Callable[[Any], Part], what: Any) -> Part:
    with np.errstate(all="ignore"):
        return work(what)


def audited(subject: Subject) -> Iterator[Part]:
    """All parts, one after the other."""
    yield from (compute() for _, compute in parts(subject))


def measure(accuracy: Accuracy) -> Measured:
    """The error of a function of rows against the same function in float64, in ulp of the exact result."""
    fmt = accuracy.fmt
    rng = np.random.default_rng(16)
    x = right(rng.normal(size=(ACCURACY_ROWS, ACCURACY_COLUMNS)) * 2, fmt, Rounding.TIES_TO_EVEN)
    start = time.perf_counter()
    try:
        got = np.asarray(accuracy.function(x), np.float64)
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        return Measured(accuracy.name, fmt.name, failure=f"raised {type(error).__name__}: {text}")
    seconds = time.perf_counter() - start
    truth = accuracy.reference(x)
    quantum = np.asarray(ulp(right(truth, fmt, Rounding.TIES_TO_EVEN), fmt), np.float64)
    if got.shape != truth.shape or not np.isfinite(got).all():
        return Measured(accuracy.name, fmt.name, failure="some results are not finite, or are missing")
    off = np.abs(got - truth) / quantum
    return Measured(accuracy.name, fmt.name, len(x), float(off.max()), float(np.median(off)), seconds)
