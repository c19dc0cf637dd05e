"""Two ways to do a piece of work, measured alternately: the median ratio and its spread."""

from __future__ import annotations

import gc
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np


class Missing(Exception):
    """Why a row cannot be measured here."""


class Pair(NamedTuple):
    """What is measured: each call does the same work, `repeat` times where one takes too short a time."""

    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    repeat: int = 1


class Row(NamedTuple):
    """A row of the table. `make(scale)` prepares the pair at a scale (1 as published), or raises Missing."""

    work: str
    rival: str
    goal: float
    make: Callable[[float], Pair]


@dataclass(frozen=True)
class Measured:
    """A row as measured: the ratio of our time to the rival's, its quartiles, and the times of one call in seconds.

    `ratio` is None where the row was skipped, and `note` says why.
    """

    work: str
    rival: str
    goal: float
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    ours: float | None = None
    theirs: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where nothing was measured."""
        return None if self.ratio is None else self.ratio <= self.goal

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "met": self.met}


def timed(call: Callable[[], Any], repeat: int = 1) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def measure(row: Row, scale: float = 1.0, pairs: int = 15, seconds: float = 6.0) -> Measured:
    """A row, from at most `pairs` pairs (three at least) in about so many seconds; both sides are called once before.

    The two sides run in turn, A B B A A B ..., so that both meet the machine in the same mood.
    """
    named = (row.work, row.rival, row.goal)
    enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("ignore")  # a warning of overflow belongs to the work, its text does not
            pair = row.make(scale)
            pair.ours(), pair.theirs()
            times: list[tuple[float, float]] = []
            start = time.perf_counter()
            while len(times) < 3 or (len(times) < pairs and time.perf_counter() - start < seconds):
                order = (pair.ours, pair.theirs) if len(times) % 2 == 0 else (pair.theirs, pair.ours)
                first, second = (timed(call, pair.repeat) for call in order)
                times.append((first, second) if order[0] is pair.ours else (second, first))
    except Missing as reason:
        return Measured(*named, note=str(reason))
    finally:
        if enabled:
            gc.enable()
    low, ratio, high = statistics.quantiles([a / b for a, b in times], n=4, method="inclusive")
    ours, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    return Measured(*named, ratio, low, high, ours, theirs)
