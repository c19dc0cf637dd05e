"""The picture of a sweep: a result against a numeric axis, a line for each combination of the others; or in rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ..sweeps import Group, Results, Spread
from ..sweeps.cells import shown
from ..wording import joined, number
from .style import FONT, SIZE, Look, distinct_looks, drawing, finish, folded, ink, literal, styled

MOST_LINES = 12
"""With more lines the picture has rows."""

MOST_TICKS = 7
"""Names on the axis of the numbers."""

MOST_ROWS = 60
"""Rows of a picture; the table has all."""

ROW_HEIGHT = 0.36
"""Of a row, in inches."""


class Line(NamedTuple):
    """The groups that differ in the numeric axis alone, by its values."""

    label: str
    points: list[tuple[float, Group]]


def numeric_axis(results: Results) -> str | None:
    """The axis for a line: the one with most values, of three or more numbers; None if there is none."""
    found: dict[str, int] = {}
    for name in results.axes:
        values = {shown(row.place.get(name)): row.place.get(name) for row in results}
        numbers = [x for x in values.values() if isinstance(x, (int, float)) and not isinstance(x, bool)]
        if name != results.over and len(numbers) == len(values) >= 3:
            found[name] = len(values)
    return max(found, key=lambda name: found[name], default=None)


def lines(results: Results, axis: str) -> list[Line]:
    """A line for each combination of the other axes, its points in the order of the values."""
    found: dict[str, list[tuple[float, Group]]] = {}
    for group in results.groups:
        others = {name: value for name, value in group.place.items() if name != axis}
        found.setdefault(_label(others), []).append((float(group.place[axis]), group))
    return [Line(label, sorted(points, key=lambda point: point[0])) for label, points in found.items()]


def _label(place: dict[str, Any]) -> str:
    """The values of axes, with their names where a value is no name by itself."""
    return ", ".join(shown(v) if isinstance(v, str) else f"{name} {shown(v)}" for name, v in place.items())


# --- drawing --------------------------------------------------------------------------------------------------------


def sweep(results: Results, name: str = "", ax: Axes | None = None) -> Axes:
    """A result of a sweep: means with their 95 % intervals, each cell as a small dot, a cross for what died.

    Parameters
    ----------
    results : Results
    name : str, optional
        The result; by default the first that the table shows.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    name = name or next(iter(results.shown), "")
    axis = numeric_axis(results)
    with drawing(ax) as ax:
        found = lines(results, axis) if axis else []
        if axis and len(found) <= MOST_LINES:
            _draw_lines(ax, found, axis, name)
        else:
            _draw_rows(ax, results.groups[:MOST_ROWS], name)
        if not any(group.spread(name) for group in results.groups):
            ax.text(0.5, 0.5, "not measured", transform=ax.transAxes, ha="center", color=ink("muted"))
    return ax


def _draw_lines(ax: Axes, found: Sequence[Line], axis: str, name: str) -> None:
    xs = sorted({x for line in found for x, _ in line.points})
    on_log = xs[0] > 0 and xs[-1] / xs[0] >= 20
    step = _step(xs, on_log)
    spreads: list[Spread] = []
    for k, (look, line) in enumerate(zip(distinct_looks([line.label for line in found]), found, strict=False)):
        shift = step * (k - (len(found) - 1) / 2)
        places = [x * 10**shift if on_log else x + shift for x, _ in line.points]
        groups = [group for _, group in line.points]
        alive = [(x, spread) for x, group in zip(places, groups, strict=True) if (spread := group.spread(name))]
        spreads += [spread for _, spread in alive]
        ax.plot([], [], label=literal(line.label or name.replace("_", " ")), **look.line(markersize=7))
        ax.plot([x for x, _ in alive], [spread.mean for _, spread in alive], **look.line(markersize=7))
        for x, spread in alive:
            _interval(ax, look, x, spread.mean, spread, vertical=True)
        dead = [x for x, group in zip(places, groups, strict=True) if group.died]
        ax.plot(dead, [0] * len(dead), "X", color=look.color, markersize=12, zorder=5, clip_on=False,
                transform=ax.get_xaxis_transform())  # fmt: skip
    ax.set(xscale="log" if on_log else "linear", yscale="log" if _wide(spreads) else "linear")
    named = xs[:: -(-len(xs) // MOST_TICKS)]  # not so many that they touch
    ax.set_xticks(named, [number(x) for x in named])
    ax.xaxis.set_minor_locator(NullLocator())
    finish(ax, "", axis.replace("_", " "), name.replace("_", " "))
    if any(group.died for line in found for _, group in line.points):
        ax.plot([], [], "X", color=ink("muted"), markersize=10, label="died")
    if len(found) > 1 or found[0].label:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _step(xs: Sequence[float], on_log: bool) -> float:
    """How far lines stand apart, so that their intervals do not hide each other."""
    places = [math.log10(x) for x in xs] if on_log else list(xs)
    return min((b - a for a, b in pairwise(places)), default=1.0) * 0.03


def _interval(ax: Axes, look: Look, x: float, y: float, spread: Spread, *, vertical: bool) -> None:
    """The interval of a mean, and its single values as dots."""
    if spread.half:
        bar: Any = {"yerr" if vertical else "xerr": spread.half}
        ax.errorbar([x], [y], **bar, fmt="none", ecolor=look.color, elinewidth=1.8, capsize=3)
    if len(spread.values) > 1:
        values = list(spread.values)
        xs, ys = ([x] * len(values), values) if vertical else (values, [y] * len(values))
        ax.plot(xs, ys, ".", color=look.color, alpha=0.45, markersize=6, zorder=1)


def _wide(spreads: Sequence[Spread]) -> bool:
    """Whether the values span so much that they need a logarithmic scale."""
    values = [x for spread in spreads for x in spread.values if math.isfinite(x)]
    return bool(values) and min(values) > 0 and max(values) / min(values) >= 100


def _draw_rows(ax: Axes, groups: Sequence[Group], name: str) -> None:
    first = [shown(next(iter(group.place.values()), "")) for group in groups]
    kinds = list(dict.fromkeys(first))
    hues = dict(zip(kinds, distinct_looks(kinds), strict=False))
    spreads: list[Spread] = []
    for row, (group, kind) in enumerate(zip(groups, first, strict=True)):
        look, spread = hues[kind], group.spread(name)
        if spread:
            spreads.append(spread)
            ax.plot([spread.mean], [row], **look.dots(markersize=8))
            _interval(ax, look, spread.mean, row, spread, vertical=False)
        if group.died:
            text = f"{len(group.died)} of {len(group.rows)} died" if len(group.rows) > 1 else "died"
            place: Any = {"transform": ax.get_yaxis_transform(), "va": "center"}
            ax.text(0.01, row, text, color=look.color, fontsize=FONT, **place)
    ax.set_xscale("log" if _wide(spreads) else "linear")
    ax.set_yticks(range(len(groups)), [literal(_label(group.place)) or "all" for group in groups])
    ax.set_ylim(len(groups) - 0.4, -0.6)
    finish(ax, "", name.replace("_", " "), "")


def sweep_figure(results: Results, name: str = "", *, theme: str = "light", title: str = "") -> Figure:
    """`sweep` in a figure of its own, as high as its rows need; the title says what it shows, unless one is given."""
    axis, groups = numeric_axis(results), results.groups
    in_rows = not axis or len(lines(results, axis)) > MOST_LINES
    width, height = SIZE[0] * 1.3, SIZE[1]
    if in_rows:
        height = max(2.4, 1.4 + ROW_HEIGHT * min(len(groups), MOST_ROWS))
    with styled(theme):
        figure = Figure(figsize=(width, height), layout="constrained")
        sweep(results, name, figure.subplots())
        text = folded(literal(title) if title else said(results, name), round(6.6 * width))
        figure.suptitle(text, x=0.01, ha="left", fontsize=16, fontweight="bold")
    return figure


def said(results: Results, name: str = "") -> str:
    """What the picture shows, in a sentence."""
    shown_name = (name or next(iter(results.shown), "cells")).replace("_", " ")
    over = [axis for axis in results.axes if axis != results.over]
    seeds = max((len(group.rows) for group in results.groups), default=0)
    means = f": means of {seeds} seeds, with 95 % intervals" if seeds > 1 else ""
    return literal(f"{shown_name.capitalize()} by {joined(over) if over else results.over}{means}")
