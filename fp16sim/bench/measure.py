"""Two ways to do the same work, timed in turn: the median of the ratios, and their spread."""

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
    """Raised by a comparison that cannot be measured here; its text says why."""


class Pair(NamedTuple):
    """Two functions that do the same work; each is called `repeat` times in a row, so that short calls can be timed."""

    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    repeat: int = 1


class Comparison(NamedTuple):
    """Our work, the rival, and the goal for the ratio of our time to the rival's.

    `make(scale)` prepares the pair for arrays of `scale` times the usual size, or raises Missing.
    """

    work: str
    rival: str
    goal: float
    make: Callable[[float], Pair]


@dataclass(frozen=True)
class Measured:
    """The result of a comparison: the ratio of our time to the rival's, its quartiles, and the seconds of one call.

    `ratio` is None if it could not be measured; then `note` says why.
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
        """Whether the goal is met; None if nothing was measured."""
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


def measure(given: Comparison, scale: float = 1.0, pairs: int = 15, seconds: float = 6.0) -> Measured:
    """Measure a comparison by at most `pairs` pairs (at least three) in about `seconds`, after one call of each side.

    The sides run in the order A B B A A B ..., so that a machine that becomes slower or faster affects both alike.
    """
    named = (given.work, given.rival, given.goal)
    enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("ignore")  # to warn of overflow is part of the work; to print the warning is not
            pair = given.make(scale)
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
