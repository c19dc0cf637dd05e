"""Pictures of sums: a series that stops, tenths that are lost, a clock that stops, accumulators compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.sums import Accumulators, Clock, Harmonic, Tenths
from ..formats import FormatLike, Rounding
from ..wording import number
from .gallery import picture
from .style import LOOKS, Formats, Label, computed, computed_one, drawing, finish, ink, name_ends, note


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
        ax.plot(np.arange(1, len(exact) + 1), exact, color=ink("muted"), linestyle=":", label="exact")
        for look, h in series:
            n, end = np.arange(1, len(h.sums) + 1), float(h.sums[-1])
            ax.plot(n, h.sums, color=look.color, linestyle=look.linestyle, linewidth=2.5, label=h.fmt.name)
            if h.stops_at:
                ax.plot(h.stops_at, end, **look.dots(markersize=11))
            text = f"{h.fmt.name} stops\nat {number(end)}" if h.stops_at else f"{h.fmt.name}: {number(end)}"
            note(ax, text, (float(n[-1]), end), (0, -6), ha="right", va="top", color=look.color)
        name_ends(ax, [Label("exact", ink("muted"), float(len(exact)), float(exact[-1]))])
        ax.set_xscale("log")
        finish(ax, series[0][1].lesson, "terms added", "sum")
    return ax


@picture("10,000 times 0.1, one after the other: binary16 finds 256")
def tenths(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Tenths | None = None,
) -> Axes:
    """0.1 added ten thousand times: one after the other, in pairs, and with Kahan's compensation."""
    t = computed_one(demos.tenths, fmt, data, mode)
    end = float(t.counts[-1])
    with drawing(ax) as ax:
        ax.plot(t.counts, t.exact, color=ink("muted"), linestyle=":", label="exact")
        labels = [Label(f"exact {number(float(t.exact[-1]))}", ink("muted"), end, float(t.exact[-1]))]
        for k, (name, look) in enumerate(zip(t.sums, (LOOKS[1], LOOKS[2], LOOKS[0]), strict=True)):
            style = look.line if name == "sequential" else look.dots
            ax.plot(t.counts, t.sums[name], label=name, **style(markersize=8, markevery=(2 * k, 5)))
            last = float(t.sums[name][-1])
            labels.append(Label(f"{name} {number(last)}".removeprefix("sequential "), look.color, end, last))
            if name == "sequential":
                note(ax, "one after the other", (end, last), (0, 9), ha="right", color=look.color)
        name_ends(ax, labels)
        finish(ax, t.lesson, "terms of 0.1 added", "sum")
    return ax


@picture("A binary16 clock that adds 0.1 s stands still after 256 s")
def clock(
    fmt: Formats = ("binary16", "bfloat16", "binary32"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Clock | Sequence[Clock] | None = None,
) -> Axes:
    """The time that a clock shows if it adds 0.1 s at every tick, against true time."""
    series = computed(demos.clock, fmt, data, mode)
    first = series[0][1]
    with drawing(ax) as ax:
        ax.plot(first.seconds, first.counted, "x", color=ink("ink"), markersize=8, label=f"{first.fmt.name}, counting")
        labels = []
        for look, c in series:
            ax.plot(c.seconds, c.added, label=c.fmt.name, **look.line(markersize=6, markevery=4))
            end = (float(c.seconds[-1]), float(c.added[-1]))
            if c.stops_at is None:
                labels.append(Label(f"{c.fmt.name}:\n{number(round(c.off))} s off", look.color, *end))
            else:
                text = f"{c.fmt.name} stands still at {number(c.stops_at)} s"
                note(ax, text, end, (0, -8), ha="right", va="top", color=look.color)
        counted = [k for k, time in enumerate(first.counted) if np.isfinite(time)]  # counts overflow in small formats
        error = abs(first.counted[-1] - first.seconds[-1])
        drift = f"{number(round(error))} s off" if np.isfinite(error) else "it overflows"
        text = f"counting ticks in {first.fmt.name}:\n{drift}"
        middle = min(len(first.seconds) * 5 // 8, counted[-1])
        note(ax, text, (first.seconds[middle], first.counted[middle]), (-14, 8), ha="right", color=ink("ink"))
        ax.set(xscale="log", yscale="log")
        if labels:
            name_ends(ax, labels)
        finish(ax, first.lesson, "true time in s", "time on the clock in s")
    return ax


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
    looks = (*LOOKS, LOOKS[0]._replace(hue="ink", marker="*"))
    with drawing(ax) as ax:
        for cost, look in zip(a.costs, looks, strict=True):
            hollow = {"fillstyle": "none", "markersize": 17, "mew": 2.5} if cost.name == "fused" else {}
            ax.plot(cost.depth, cost.error, label=cost.name, **look.dots(**{"markersize": 12, **hollow}))
            side: dict[str, Any] = {"ha": "right" if cost.depth > 0.5 * a.terms else "left", "va": "center"}
            text = NAMES.get(cost.name, cost.name)
            dx, dy = BESIDE.get(cost.name, (13, 0))
            note(
                ax, text, (cost.depth, cost.error), (-dx if side["ha"] == "right" else dx, dy), color=look.color, **side
            )
        ax.axhline(u, color=ink("muted"), linestyle="--", linewidth=1.5)
        note(ax, f"u of {a.fmt.name}: one rounding", (1.2, u), (0, -18))
        ax.set(xscale="log", yscale="log", xlim=(1, 1e5))
        ax.margins(y=0.12)
        xlabel = f"operations one after the other, for {a.terms:,} products"
        finish(ax, a.lesson, xlabel, f"largest relative error, {a.trials} trials")
    return ax


NAMES = {"fused": "with fused multiply-add", "binary32": "sequential in binary32", "exact, rounded once": "exact sum"}
"""How a picture names an accumulator, if not as the data do."""

BESIDE = {"sequential": (13, 8), "fused": (13, -12), "Kahan": (0, 20), "exact, rounded once": (13, -15)}
"""How far a label is from its dot in points, if it is not just beside it."""
