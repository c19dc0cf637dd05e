"""Pictures of chaos, of a repelling limit, and of an agreement that proves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import demos
from ..demos.recurrences import NAMED
from ..formats import Rounding
from .style import GREY, LOOKS, computed, drawing, finish, note


def logistic(
    fmt: Any = ("binary16", "bfloat16", "binary32", "binary64"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Any = None,
    data: Any = None,
) -> Any:
    """The error of x = 4 x (1 − x) against steps: it doubles until nothing is left.

    Parameters
    ----------
    fmt : Format, str, dtype, or several of them
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.logistic` returns, or several of them.

    Returns
    -------
    Axes
    """
    series = computed(demos.logistic, fmt, data, mode)
    with drawing(ax) as ax:
        for look, orbit in series:
            error = np.where(orbit.error > 0, orbit.error, np.nan)
            ax.plot(np.arange(len(error)), error, label=orbit.fmt.name, **look._asdict(), markersize=5, markevery=4)
        ax.axhline(0.1, color=GREY, linestyle=":", linewidth=1.5)
        note(ax, "lost", (len(series[0][1].values) - 1, 0.1), (0, -12), ha="right")
        ax.set_yscale("log")
        finish(ax, series[0][1].lesson, "steps", "error of x", {"loc": "lower right"})
    return ax


def muller(
    fmt: Any = ("binary16", "bfloat16", "binary32", "binary64"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Any = None,
    data: Any = None,
) -> Any:
    """Muller's recurrence, whose limit is 6 and which every format takes to 100.

    Parameters
    ----------
    fmt : Format, str, dtype, or several of them
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.muller` returns, or several of them.

    Returns
    -------
    Axes
    """
    series = computed(demos.muller, fmt, data, mode)
    with drawing(ax) as ax:
        exact = series[0][1].exact
        ax.plot(np.arange(len(exact)), exact, color="black", linestyle=":", linewidth=1.8, label="exact")
        for look, orbit in series:
            ax.plot(
                np.arange(len(orbit.values)),
                orbit.values,
                label=orbit.fmt.name,
                **look._asdict(),
                markersize=5,
                markevery=2,
            )
        ax.set_ylim(-15, 275)
        note(ax, "6", (len(exact) - 1, 6), (5, -4))
        note(ax, "100", (len(exact) - 1, 100), (5, -4))
        finish(ax, series[0][1].lesson, "n", "term n of the recurrence", {"loc": "upper right"})
    return ax


def rump(mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None) -> Any:
    """What each precision computes for Rump's polynomial: most agree, and all of these are wrong.

    Parameters
    ----------
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.rump` returns.

    Returns
    -------
    Axes
    """
    r = demos.rump(mode) if data is None else data
    with drawing(ax) as ax:
        right = np.abs(r.values - r.exact) < 0.01
        for chosen, look, label in ((~right, LOOKS[1], "wrong"), (right, LOOKS[0], "right")):
            ax.plot(r.precisions[chosen], r.values[chosen], look.marker, color=look.color, markersize=5, label=label)
        for p, name in NAMED.items():
            if p in r.precisions:
                y = float(r.values[r.precisions == p][0])
                ax.plot(p, y, "o", markersize=13, fillstyle="none", color="black", mew=1.5)
                note(ax, name, (p, y), (0, 11), ha="center", color="black")
        ax.set_yscale("symlog", linthresh=2, linscale=3)
        ax.set_yticks([-1e30, -1e20, -1e10, 0, 1e10, 1e20, 1e30])
        ax.axhline(r.exact, color=GREY, linestyle=":", linewidth=1.5)
        note(ax, f"truth {r.exact:.4f}", (float(r.precisions[0]), r.exact), (0, -14))
        finish(ax, r.lesson, "precision in bits", "computed value", {"loc": "lower right"})
    return ax
