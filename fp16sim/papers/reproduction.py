"""Run the sweep of a paper, and say which of its numbers hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..sweeps import Results, run
from ..sweeps.cells import plain
from ..sweeps.sweep import OnProgress
from ..wording import aligned, did_you_mean, quoted
from . import sums, training
from .claims import HOLDS, SIZES, Paper, Quantity

PAPERS: Mapping[str, Paper] = {paper.name: paper for paper in (*sums.PAPERS, *training.PAPERS)}
"""All papers by name."""


@dataclass(frozen=True, repr=False)
class Reproduction:
    """A claim that was computed again.

    Attributes
    ----------
    paper : Paper
    size : str
    results : Results
        The cells of its sweep.
    quantities : tuple of Quantity
        The numbers of the claim, each with ours.
    """

    paper: Paper
    size: str
    results: Results
    quantities: tuple[Quantity, ...]

    @property
    def verdict(self) -> str:
        """Whether all numbers hold at this size, some, or none."""
        held = sum(quantity.verdict == HOLDS for quantity in self.quantities)
        if held == len(self.quantities):
            return "reproduces at this size"
        return "reproduces in part at this size" if held else "does not reproduce at this size"

    @property
    def holds(self) -> bool:
        """Whether all numbers hold."""
        return all(quantity.verdict == HOLDS for quantity in self.quantities)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        paper = self.paper
        about = {name: getattr(paper, name) for name in ("name", "reference", "url", "claim", "limits")}
        quantities = [{**plain(vars(one), one.what, spell=True), "verdict": one.verdict} for one in self.quantities]
        return {
            **about,
            "size": self.size,
            "cells": len(self.results),
            "verdict": self.verdict,
            "quantities": quantities,
        }

    def __str__(self) -> str:
        head = f"{self.paper.name}: {self.verdict} ({self.size})\n{self.paper.reference}\n"
        rows = [(one.what, one.verdict, one.published, one.measured) for one in self.quantities]
        return f"{head}\n{aligned([('quantity', 'verdict', 'published', 'ours'), *rows], left=2)}"

    def __repr__(self) -> str:
        return f"<Reproduction of {self.paper.name}: {self.verdict} ({self.size})>"


def find(name: str) -> Paper:
    """The paper of a name; ValueError names the one that is meant."""
    if not isinstance(name, str) or name not in PAPERS:
        known = f"{did_you_mean(name, PAPERS)}use one of {', '.join(PAPERS)}"
        raise ValueError(f"name={quoted(name)} is unknown; {known}")
    return PAPERS[name]


def reproduce(
    name: str,
    *,
    size: str = "full",
    table: str | Path | None = None,
    workers: int = 0,
    scheduler: str | None = None,
    on_progress: OnProgress | None = None,
) -> Reproduction:
    """Compute a published claim again, and judge it.

    The numbers have the same bits wherever the cells run. A verdict is about one size: with other networks, longer
    sums or more seeds it may be another one.

    Parameters
    ----------
    name : str
        A name in PAPERS.
    size : {"full", "minute"}
        "minute" takes less than a minute; "full" up to ten, on two cores.
    table, workers, scheduler, on_progress
        As for `sweeps.run`: a table keeps finished cells, so that an interrupted run goes on.

    Raises
    ------
    ValueError
        For an unknown name or size, and what `sweeps.run` refuses.

    Examples
    --------
    >>> found = reproduce("chunked-sums", size="minute")
    >>> found.holds, found.quantities[0].ours
    (True, 4096.0)
    """
    paper = find(name)
    if size not in SIZES:
        raise ValueError(f"size={quoted(size)} is unknown; {did_you_mean(size, SIZES)}use one of {', '.join(SIZES)}")
    how = {"table": table, "workers": workers, "scheduler": scheduler, "on_progress": on_progress}
    results = run(paper.function, paper.sizes[size], **how)  # type: ignore[arg-type]
    return Reproduction(paper, size, results, paper.judge(results))
