"""The picture of a claim that was computed again: its sweep, under what it says and whether that holds."""

from __future__ import annotations

from matplotlib.figure import Figure

from ..papers import Reproduction
from .sweeps import sweep_figure


def paper_figure(found: Reproduction, *, theme: str = "light") -> Figure:
    """The results of a claim against the options of its sweep, with 95 % intervals over the seeds.

    Parameters
    ----------
    found : Reproduction
    theme : {"light", "dark"}

    Returns
    -------
    Figure
    """
    paper = found.paper
    who = paper.reference.partition("),")[0] + ")"
    return sweep_figure(found.results, paper.shows, theme=theme, title=f"{who}: {found.verdict}")
