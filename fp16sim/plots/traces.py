"""A picture of a traced run: the error of every operation in the order of time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..trace import Line, Run
from .style import SIZE, drawing, finish, ink, styled

SERIES = ("orange", "blue", "violet", "green")
OTHERS = "all other lines"
LEAST = 2.0**-60


def trace(run: Run, *, ax: Axes | None = None) -> Axes:
    """The relative error of each operation's worst element; the lines to blame in colours of their own.

    Parameters
    ----------
    run : fp16sim.trace.Run
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
        `ax`, or the Axes of the new figure.
    """
    told = [line for line in run.lines if line.blamed][: len(SERIES)]
    u = float(run.fmt.unit_roundoff)
    with drawing(ax) as ax:
        _points(
            run, ax, {k for line in told for k in line.sites}, invert=True, color=ink("muted"), label=OTHERS, size=12
        )
        for line, colour in zip(told, SERIES, strict=False):
            label = f"{_named(run, line)}: {_cut(line.source)}"
            _points(run, ax, set(line.sites), color=ink(colour), label=label, size=26)
        # In the legend, not at the line: points are everywhere near it.
        ax.axhline(u, color=ink("muted"), linestyle="--", linewidth=1.5, label=f"u of {run.fmt.name}")
        ax.axhline(1, color=ink("muted"), linestyle=":", linewidth=1.5)
        ax.set_yscale("log", base=2)
        ax.set_ylim(u / 64, 64)
        if ax.collections:
            ax.legend(loc="upper left", bbox_to_anchor=(0, -0.14), frameon=False)
        finish(ax, _lesson(run), "operation", "relative error")
    return ax


def _named(run: Run, line: Line) -> str:
    """The number of a line; with its file, if the run has several."""
    files = {one.file for one in run.lines}
    return f"line {line.line}" if len(files) == 1 else f"{Path(line.file).name}:{line.line}"


def _cut(text: str, most: int = 52) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _points(run: Run, ax: Axes, sites: set[int], *, color: str, label: str, size: float, invert: bool = False) -> None:
    u = float(run.fmt.unit_roundoff)
    chosen = [step for step in run.steps if ((step.site in sites) != invert) and step.error > LEAST]
    if chosen:
        y = [min(32.0, max(step.error, u / 32)) if math.isfinite(step.error) else 32.0 for step in chosen]
        ax.scatter([step.number for step in chosen], y, s=size, color=color, label=label, linewidths=0)


def _lesson(run: Run) -> str:
    blamed = [line for line in run.lines if line.blamed]
    if not blamed:
        return f"{run.name} in {run.fmt.name}: no line loses digits"
    return f"{run.name} in {run.fmt.name}: {_named(run, blamed[0])} loses the digits"


def trace_figure(run: Any, *, theme: str = "light", size: tuple[float, float] = SIZE) -> Figure:
    """`trace` in a figure of its own, of a size in inches."""
    with styled(theme):
        figure = Figure(figsize=size, layout="constrained")
        trace(run, ax=figure.subplots())
    return figure
