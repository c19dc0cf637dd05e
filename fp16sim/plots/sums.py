"""Pictures of sums: a series that stops, tenths that are lost, a clock that stops, accumulators compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..conversion import Array
from ..demos.sums import Accumulators, Clock, Harmonic, Tenths
from ..formats import FormatLike, Rounding
from ..wording import number
from .gallery import picture
from .style import GREY, LOOKS, Formats, Look, computed, computed_one, drawing, finish, note


@picture("The harmonic series diverges; binary16 stops it after 512 terms")
def harmonic(
    fmt: Formats = ("binary16", "bfloat16"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Harmonic | Sequence[Harmonic] | None = None,
) -> Axes:
    """The partial sums of 1 + 1/2 + 1/3 + ..., and where they stop."""
    series = computed(demos.harmonic, fmt, data, mode)
    with drawing(ax) as ax:
        exact = series[0][1].exact
        ax.plot(np.arange(1, len(exact) + 1), exact, color=GREY, linestyle=":", linewidth=1.8, label="exact")
        for look, h in series:
            n = np.arange(1, len(h.sums) + 1)
            ax.plot(n, h.sums, color=look.color, linestyle=look.linestyle, linewidth=2, label=h.fmt.name)
            if h.stops_at:
                end = float(h.sums[-1])
                ax.plot(h.stops_at, end, **look.dots(markersize=9))
                text = f"stops at {number(end)}\nafter {h.stops_at} terms"
                note(ax, text, (h.stops_at, end), (6, -30), color=look.color)
        ax.set_xscale("log")
        finish(ax, series[0][1].lesson, "terms added", "sum", {"loc": "upper left"})
    return ax


@picture("10,000 times 0.1 in binary16: 256; pairwise 999.5; Kahan 1,000")
def tenths(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Tenths | None = None,
) -> Axes:
    """0.1 added ten thousand times: one after the other, in pairs, and with Kahan's compensation."""
    t = computed_one(demos.tenths, fmt, data, mode)
    with drawing(ax) as ax:
        ax.plot(t.counts, t.exact, color=GREY, linestyle=":", linewidth=1.8, label="exact")
        for k, (name, look) in enumerate(zip(t.sums, (LOOKS[1], LOOKS[2], LOOKS[0]), strict=True)):
            style = look.line if name == "sequential" else look.dots
            more = {"markersize": 6, "markevery": (2 * k, 5), "fillstyle": "none"}
            ax.plot(t.counts, t.sums[name], label=name, **style(**more))
            if name == "sequential":
                end = float(t.sums[name][-1])
                note(
                    ax,
                    f"stands still at {number(end)}",
                    (float(t.counts[-1]), end),
                    (0, 7),
                    ha="right",
                    color=look.color,
                )
        finish(ax, t.lesson, "terms of 0.1 added", "sum", {"loc": "upper left"})
    return ax


@picture("A binary16 clock that adds 0.1 s stands still after 256 s")
def clock(
    fmt: Formats = ("binary16", "bfloat16", "binary32"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Clock | Sequence[Clock] | None = None,
) -> Axes:
    """The error of a clock that adds 0.1 s at every tick, against true time."""
    series = computed(demos.clock, fmt, data, mode)
    with drawing(ax) as ax:
        for k, (look, c) in enumerate(series):
            error = _where_positive(np.abs(c.added - c.seconds))
            ax.plot(c.seconds, error, label=f"{c.fmt.name}, adding", **look.line(markersize=5, markevery=3))
            if c.stops_at is not None:
                _mark_stop(ax, c, look, c.stops_at, above=bool(k % 2))
        _, first = series[0]
        error, name = _where_positive(np.abs(first.counted - first.seconds)), f"{first.fmt.name}, counting"
        ax.plot(first.seconds, error, "x", color=GREY, markersize=5, label=name)
        ax.set(xscale="log", yscale="log")
        finish(ax, first.lesson, "true time in s", "error of the clock in s", {"loc": "lower right", "fontsize": 10})
    return ax


def _where_positive(error: Array) -> Array:
    """Zeros as NaN, which a logarithmic scale leaves out without a warning."""
    return np.where(error > 0, error, np.nan)


def _mark_stop(ax: Axes, c: Clock, look: Look, stops_at: float, above: bool) -> None:
    """Its time, beside the line, well after it stopped."""
    k = int(np.argmax(c.seconds > 2 * stops_at))
    point = (c.seconds[k], abs(c.added[k] - c.seconds[k]))
    side = {"ha": "right", "va": "bottom"} if above else {"ha": "left", "va": "top"}
    note(ax, f"stands still at {number(stops_at)} s", point, (-6, 4) if above else (6, -6), color=look.color, **side)


BESIDE = {"sequential": (-10, 6), "fused": (10, -6), "Kahan": (8, 10), "exact, rounded once": (-6, 12)}
"""The offset of a label from its dot in points, if it is not to the right."""

FILLS = {"fused": "none"}


@picture("The order of additions decides: 8.7% off, or 0.072% in pairs")
def accumulators(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Accumulators | None = None,
) -> Axes:
    """The error of a long dot product against its time, one dot for each accumulator."""
    a = computed_one(demos.accumulators, fmt, data, mode)
    u = float(a.fmt.unit_roundoff)
    with drawing(ax) as ax:
        for cost, look in zip(a.costs, (*LOOKS, Look("black", "", "*")), strict=True):
            ax.plot(cost.depth, cost.error, **look.dots(markersize=10, fillstyle=FILLS.get(cost.name)))
            dx, dy = BESIDE.get(cost.name, (10, 0))
            side = "left" if dx > 0 else "right"
            note(ax, cost.name, (cost.depth, cost.error), (dx, dy), ha=side, va="center", color="black")
        ax.axhline(u, color=GREY, linestyle="--", linewidth=1)
        note(ax, f"u of {a.fmt.name}: one rounding", (1.2, u), (0, -13))
        ax.set(xscale="log", yscale="log", xlim=(1, 2e5))
        xlabel = f"time: operations one after the other, for {a.terms:,} products"
        finish(ax, a.lesson, xlabel, f"largest relative error in {a.trials} dot products", False)
    return ax
