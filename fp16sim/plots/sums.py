"""Pictures of sums: a series that stops, tenths that are lost, a clock that stops, accumulators compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.sums import Accumulators, Clock, Harmonic, Tenths
from ..formats import FormatLike, Rounding
from ..wording import number
from .gallery import picture
from .labels import Name, name_beside
from .style import LOOKS, Formats, Label, computed, computed_one, drawing, finish, ink, name_ends


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
        names = []
        ax.plot(np.arange(1, len(exact) + 1), exact, color=ink("muted"), linestyle=":", label="exact")
        for look, h in series:
            n, end = np.arange(1, len(h.sums) + 1), float(h.sums[-1])
            ax.plot(n, h.sums, color=look.color, linestyle=look.linestyle, linewidth=2.5, label=h.fmt.name)
            if h.stops_at:
                ax.plot(h.stops_at, end, **look.dots(markersize=11))
            text = f"{h.fmt.name} stops\nat {number(end)}" if h.stops_at else f"{h.fmt.name}: {number(end)}"
            late = slice(-max(1, len(n) // 8), None)
            names.append(Name(text, look.color, n[late], h.sums[late]))
        name_ends(ax, [Label("exact", ink("muted"), float(len(exact)), float(exact[-1]))])
        ax.set_xscale("log")
        finish(ax, series[0][1].lesson, "terms added", "sum")
        name_beside(ax, names)
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
    names = []
    with drawing(ax) as ax:
        ax.plot(t.counts, t.exact, color=ink("muted"), linestyle=":", label="exact")
        labels = [Label(f"exact {number(float(t.exact[-1]))}", ink("muted"), end, float(t.exact[-1]))]
        for k, (name, look) in enumerate(zip(t.sums, (LOOKS[1], LOOKS[2], LOOKS[0]), strict=True)):
            style = look.line if name == "sequential" else look.dots
            ax.plot(t.counts, t.sums[name], label=name, **style(markersize=8, markevery=(2 * k, 5)))
            last, finite = float(t.sums[name][-1]), np.isfinite(t.sums[name])
            if finite[-1]:
                labels.append(Label(f"{name} {number(last)}".removeprefix("sequential "), look.color, end, last))
            else:
                names.append(Name(f"{name}: infinity or NaN", look.color, t.counts[finite], t.sums[name][finite]))
        name_ends(ax, labels)
        finish(ax, t.lesson, "terms of 0.1 added", "sum")
        last_terms = slice(-len(t.counts) // 3, None)
        steady = t.counts[last_terms], t.sums["sequential"][last_terms]
        name_beside(ax, [Name("one after the other", LOOKS[1].color, *steady), *names])
    return ax


@picture("A clock in binary16 that adds 0.1 s stands still after 256 s")
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
        labels, names = [], []
        for look, c in series:
            ax.plot(c.seconds, c.added, label=c.fmt.name, **look.line(markersize=6, markevery=4))
            end = (float(c.seconds[-1]), float(c.added[-1]))
            if c.stops_at is None:
                labels.append(Label(f"{c.fmt.name}:\n{number(round(c.off))} s off", look.color, *end))
            else:
                text = f"{c.fmt.name} stands still at {number(c.stops_at)} s"
                names.append(Name(text, look.color, c.seconds[-12:], c.added[-12:]))
        error = abs(first.counted[-1] - first.seconds[-1])
        drift = f"{number(round(error))} s off" if np.isfinite(error) else "it overflows"
        text = f"counting ticks in {first.fmt.name}:\n{drift}"
        middle = slice(len(first.seconds) // 8, len(first.seconds) * 6 // 8)
        names.append(Name(text, ink("ink"), first.seconds[middle], first.counted[middle]))
        ax.set(xscale="log", yscale="log")
        if labels:
            name_ends(ax, labels)
        finish(ax, first.lesson, "true time in s", "time on the clock in s")
        name_beside(ax, names)
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
    names = []
    with drawing(ax) as ax:
        for cost, look in zip(a.costs, looks, strict=True):
            hollow = {"fillstyle": "none", "markersize": 17, "mew": 2.5} if cost.name == "fused" else {}
            ax.plot(cost.depth, cost.error, label=cost.name, **look.dots(**{"markersize": 12, **hollow}))
            names.append(Name(NAMES.get(cost.name, cost.name), look.color, cost.depth, cost.error))
        ax.axhline(u, color=ink("muted"), linestyle="--", linewidth=1.5)
        names.append(Name(f"u of {a.fmt.name}: one rounding", ink("muted"), [1, 2, 3, 4, 5], [u] * 5))
        ax.set(xscale="log", yscale="log", xlim=(1, 1e5))
        ax.margins(y=0.12)
        off = [c for c in a.costs if not 0 < c.error < np.inf]
        if off:
            lines = [f"{NAMES.get(c.name, c.name)}: {'no number' if c.error else '0'}" for c in off]
            names.append(Name("\n".join(["off the scale:", *lines]), ink("muted"), 1, ax.get_ylim()[0]))
        xlabel = f"operations one after the other, for {a.terms:,} products"
        finish(ax, a.lesson, xlabel, f"largest relative error, {a.trials} trials")
        name_beside(ax, names)
    return ax


NAMES = {"fused": "with fused multiply-add", "binary32": "sequential in binary32", "exact, rounded once": "exact sum"}
"""How a picture names an accumulator, if not as the data do."""
