"""Pictures of recurrences and formulas that go wrong: chaos, a limit that repels, an agreement that proves nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.recurrences import NAMED, Orbit, Rump
from ..formats import Rounding
from .gallery import picture
from .style import GREY, LOOKS, Formats, computed, drawing, finish, note


@picture("Chaos doubles errors: binary16 loses the orbit after 11 steps")
def logistic(
    fmt: Formats = ("binary16", "bfloat16", "binary32", "binary64"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Orbit | Sequence[Orbit] | None = None,
) -> Axes:
    """The error of x = 4 x (1 − x) against steps: it doubles until no digit is right."""
    series = computed(demos.logistic, fmt, data, mode)
    with drawing(ax) as ax:
        for look, orbit in series:
            error = np.where(orbit.error > 0, orbit.error, np.nan)
            ax.plot(np.arange(len(error)), error, **look.line(markersize=5, markevery=4, label=orbit.fmt.name))
        ax.axhline(0.1, color=GREY, linestyle=":", linewidth=1.5)
        note(ax, "lost", (len(series[0][1].values) - 1, 0.1), (0, -12), ha="right")
        ax.set_yscale("log")
        finish(ax, series[0][1].lesson, "steps", "error of x", {"loc": "lower right"})
    return ax


@picture("The limit is 6; binary16 converges, calmly, to 100")
def muller(
    fmt: Formats = ("binary16", "bfloat16", "binary32", "binary64"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Orbit | Sequence[Orbit] | None = None,
) -> Axes:
    """Muller's recurrence: its limit is 6, and in every format it ends at 100."""
    series = computed(demos.muller, fmt, data, mode)
    with drawing(ax) as ax:
        exact = series[0][1].exact
        ax.plot(np.arange(len(exact)), exact, color="black", linestyle=":", linewidth=1.8, label="exact")
        for look, orbit in series:
            n = np.arange(len(orbit.values))
            ax.plot(n, orbit.values, **look.line(markersize=5, markevery=2, label=orbit.fmt.name))
        ax.set_ylim(-15, 275)
        note(ax, "6", (len(exact) - 1, 6), (5, -4))
        note(ax, "100", (len(exact) - 1, 100), (5, -4))
        finish(ax, series[0][1].lesson, "n", "term n of the recurrence", {"loc": "upper right"})
    return ax


@picture("24, 53 and 113 bits agree on 1.1726, and the truth is -0.8274")
def rump(mode: Rounding | str = "ties_to_even", *, ax: Axes | None = None, data: Rump | None = None) -> Axes:
    """What each precision computes for Rump's polynomial: most precisions agree, and those that do are wrong."""
    r = demos.rump(mode) if data is None else data
    with drawing(ax) as ax:
        right = np.abs(r.values - r.exact) < 0.01
        for chosen, look, label in ((~right, LOOKS[1], "wrong"), (right, LOOKS[0], "right")):
            ax.plot(r.precisions[chosen], r.values[chosen], **look.dots(markersize=5, label=label))
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
