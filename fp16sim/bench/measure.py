"""Two ways to do the same work, timed in turn: the median of the ratios, and their spread."""

from __future__ import annotations

import gc
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Side: TypeAlias = Callable[[], float]
"""Does its work, and returns the seconds of one piece of it."""


class Missing(Exception):
    """Raised by a comparison that cannot be measured here; its text says what to do about it."""


class Pair(NamedTuple):
    """The two sides of a comparison: each does the same work when it is called."""

    ours: Side
    theirs: Side

    @classmethod
    def of(cls, ours: Callable[[], Any], theirs: Callable[[], Any]) -> Pair:
        """Two functions; the time of each is that of a call, as a clock on the wall shows it."""
        return cls(partial(timed, ours), partial(timed, theirs))

    @classmethod
    def in_one_thread(cls, ours: Callable[[], Any], theirs: Callable[[], Any], times: int = 1) -> Pair:
        """Two functions that use one thread, each called this number of times in a row.

        The time is that of the processor. So it does not contain the waiting for other work on the machine.
        """
        return cls(*(partial(timed, call, times, time.process_time) for call in (ours, theirs)))


class Comparison(NamedTuple):
    """A row of the table: our work, the rival, and the goal for the ratio of our time to the rival's.

    `meaning` tells a user what is compared and what follows from it. `make(scale)` prepares the pair for arrays of
    `scale` times the usual size, or raises Missing.
    """

    group: str
    name: str
    work: str
    rival: str
    goal: float
    meaning: str
    make: Callable[[float], Pair]


@dataclass(frozen=True)
class Measured:
    """The result of a comparison: the ratio of our time to the rival's, its quartiles, and the seconds of both.

    `ratio` is None if it could not be measured; then `note` says what to do about it.
    """

    group: str
    name: str
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


def timed(call: Callable[[], Any], repeat: int = 1, clock: Callable[[], float] | None = None) -> float:
    """Seconds of one call."""
    clock = clock or time.perf_counter
    start = clock()
    for _ in range(repeat):
        call()
    return (clock() - start) / repeat


def measure(given: Comparison, scale: float = 1.0, pairs: int = 31, seconds: float = 3.0) -> Measured:
    """Measure a comparison by at most `pairs` pairs (at least three) in about `seconds`, after one call of each side.

    The sides run in the order A B B A A B ..., so that a machine that becomes slower or faster affects both alike.
    """
    named = given[:5]
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
                first, second = pair if len(times) % 2 == 0 else pair[::-1]
                a, b = first(), second()
                times.append((a, b) if first is pair.ours else (b, a))
    except Missing as reason:
        return Measured(*named, note=str(reason))
    finally:
        if enabled:
            gc.enable()
    low, ratio, high = statistics.quantiles([a / b for a, b in times], n=4, method="inclusive")
    ours, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    return Measured(*named, ratio, low, high, ours, theirs)
