"""What a paper claims, as data: what computes it, the options to run it with, and how to judge the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..sweeps import Results
from ..wording import number

HOLDS, FAILS, UNKNOWN = "holds", "does not hold", "was not measured"

SIZES = ("minute", "full")
"""A size that takes less than a minute, for tests and for a first look; and the one that the verdict is about."""


@dataclass(frozen=True)
class Quantity:
    """One number of a claim: what was published, and ours.

    Attributes
    ----------
    what : str
    published : str
        The number or the bound, in words.
    ours : float or None
        None if no cell has measured it.
    low, high : float or None
        The 95 % interval of ours over seeds; None without seeds.
    holds : bool
        Whether ours, the interval included, agrees with what was published.
    """

    what: str
    published: str
    ours: float | None
    low: float | None
    high: float | None
    holds: bool

    @property
    def measured(self) -> str:
        """Ours and its interval, as text."""
        if self.ours is None:
            return "-"
        if self.low is None or self.high is None:
            return number(self.ours)
        negligible = 1e-9 * (self.high - self.low)  # what rounding left of a mean of 0
        mean, low, high = (0 if abs(x) < negligible else float(f"{x:.4g}") for x in (self.ours, self.low, self.high))
        return f"{number(mean)} ({number(low)} to {number(high)})"

    @property
    def verdict(self) -> str:
        """Whether it holds, in words."""
        return UNKNOWN if self.ours is None else HOLDS if self.holds else FAILS


@dataclass(frozen=True)
class Paper:
    """A published claim that can be computed again.

    Attributes
    ----------
    name : str
        For the command line.
    reference, url : str
        Authors, year, title; where it is.
    claim : str
        In a sentence.
    function : str
        What computes a cell, as "module:function".
    sizes : mapping
        The axes of the sweep, for each of SIZES.
    judge : callable
        From the results to the quantities of the claim.
    shows : str
        The result that the picture shows, against the axes.
    limits : str
        In what our computation is smaller than, or different from, that of the paper.
    """

    name: str
    reference: str
    url: str
    claim: str
    function: str
    sizes: Mapping[str, Mapping[str, tuple[Any, ...]]]
    judge: Callable[[Results], tuple[Quantity, ...]]
    shows: str
    limits: str
