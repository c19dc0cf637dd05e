"""Pictures of sums: series that stop, tenths that vanish, clocks that stand still, accumulators that differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import demos
from ..demos.frozen import number
from ..formats import FormatLike, Rounding
from .style import GREY, LOOKS, Look, computed, computed_one, drawing, finish, note


def harmonic(
    fmt: Any = ("binary16", "bfloat16"), mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """The partial sums of 1 + 1/2 + 1/3 + ..., and where they stop.

    Parameters
    ----------
    fmt : Format, str, dtype, or several of them
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.harmonic` returns, or several of them.

    Returns
    -------
    Axes
    """
    series = computed(demos.harmonic, fmt, data, mode)
    with drawing(ax) as ax:
        exact = series[0][1].exact
        ax.plot(np.arange(1, len(exact) + 1), exact, color=GREY, linestyle=":", linewidth=1.8, label="exact")
        for look, h in series:
            n = np.arange(1, len(h.sums) + 1)
            ax.plot(n, h.sums, color=look.color, linestyle=look.linestyle, linewidth=2, label=h.fmt.name)
            if h.stops_at:
                end = float(h.sums[-1])
                ax.plot(h.stops_at, end, look.marker, color=look.color, markersize=9)
                note(
                    ax,
                    f"stops at {number(end)}\nafter {h.stops_at} terms",
                    (h.stops_at, end),
                    (6, -30),
                    color=look.color,
                )
        ax.set_xscale("log")
        finish(ax, series[0][1].lesson, "terms added", "sum", {"loc": "upper left"})
    return ax


def tenths(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """0.1 added ten thousand times: one after the other, in pairs, and with Kahan's compensation.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.tenths` returns.

    Returns
    -------
    Axes
    """
    t = computed_one(demos.tenths, fmt, data, mode)
    with drawing(ax) as ax:
        ax.plot(t.counts, t.exact, color=GREY, linestyle=":", linewidth=1.8, label="exact")
        for k, (name, look) in enumerate(zip(t.sums, (LOOKS[1], LOOKS[2], LOOKS[0]), strict=True)):
            style = look._asdict() | {"linestyle": look.linestyle if name == "sequential" else ""}
            ax.plot(t.counts, t.sums[name], **style, markersize=6, markevery=(2 * k, 5), fillstyle="none", label=name)
            if name == "sequential":
                note(
                    ax,
                    f"stands still at {number(float(t.sums[name][-1]))}",
                    (float(t.counts[-1]), float(t.sums[name][-1])),
                    (0, 7),
                    ha="right",
                    color=look.color,
                )
        finish(ax, t.lesson, "terms of 0.1 added", "sum", {"loc": "upper left"})
    return ax


def clock(
    fmt: Any = ("binary16", "bfloat16", "binary32"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Any = None,
    data: Any = None,
) -> Any:
    """How far a clock is off that adds 0.1 s at every tick, against true time.

    Parameters
    ----------
    fmt : Format, str, dtype, or several of them
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.clock` returns, or several of them.

    Returns
    -------
    Axes
    """
    series = computed(demos.clock, fmt, data, mode)
    with drawing(ax) as ax:
        for odd, (look, c) in enumerate(series):
            off = np.abs(c.added - c.seconds)
            ax.plot(
                c.seconds,
                np.where(off > 0, off, np.nan),
                label=f"{c.fmt.name}, adding",
                **look._asdict(),
                markersize=5,
                markevery=3,
            )
            if c.stops_at is not None:
                k = int(np.argmax(c.seconds > 2 * c.stops_at))
                side = {"ha": "right", "va": "bottom"} if odd % 2 else {"ha": "left", "va": "top"}
                note(
                    ax,
                    f"stands still at {number(c.stops_at)} s",
                    (c.seconds[k], off[k]),
                    (-6, 4) if odd % 2 else (6, -6),
                    color=look.color,
                    **side,
                )
        _, first = series[0]
        off = np.abs(first.counted - first.seconds)
        ax.plot(
            first.seconds,
            np.where(off > 0, off, np.nan),
            "x",
            color=GREY,
            markersize=5,
            label=f"{first.fmt.name}, counting",
        )
        ax.set(xscale="log", yscale="log")
        finish(ax, first.lesson, "true time in s", "error of the clock in s", {"loc": "lower right", "fontsize": 10})
    return ax


BESIDE = {"sequential": (-10, 6), "fused": (10, -6), "Kahan": (8, 10), "exact, rounded once": (-6, 12)}
"""Where a label stands, in points from its dot, if not to the right."""

FILLS = {"fused": "none"}


def accumulators(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """The error of a long dot product against the operations that wait for each other, a dot an accumulator.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.accumulators` returns.

    Returns
    -------
    Axes
    """
    a = computed_one(demos.accumulators, fmt, data, mode)
    with drawing(ax) as ax:
        for cost, look in zip(a.costs, (*LOOKS, Look("black", "", "*")), strict=True):
            ax.plot(
                cost.depth, cost.error, look.marker, color=look.color, markersize=10, fillstyle=FILLS.get(cost.name)
            )
            dx, dy = BESIDE.get(cost.name, (10, 0))
            place: dict[str, Any] = {"ha": "left" if dx > 0 else "right", "va": "center", "color": "black"}
            note(ax, cost.name, (cost.depth, cost.error), (dx, dy), **place)
        ax.axhline(float(a.fmt.unit_roundoff), color=GREY, linestyle="--", linewidth=1)
        note(ax, f"u of {a.fmt.name}: one rounding", (1.2, float(a.fmt.unit_roundoff)), (0, -13))
        ax.set(xscale="log", yscale="log", xlim=(1, 2e5))
        xlabel = f"time: operations one after the other, for {a.terms:,} products"
        finish(ax, a.lesson, xlabel, f"largest relative error in {a.trials} dot products", False)
    return ax
