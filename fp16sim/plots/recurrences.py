"""Pictures of recurrences and formulas that go wrong: chaos, a limit that repels, an agreement that proves nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.recurrences import NAMED, Orbit, Rump
from ..formats import Rounding
from ..wording import SUPERSCRIPTS, count
from .gallery import picture
from .labels import Name, name_beside
from .style import LOOKS, Formats, Label, computed, drawing, finish, ink, name_ends, note


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
        names, least = [], []
        for look, orbit in series:
            # Once the orbit is lost, its error goes up and down without a rule.
            end = len(orbit.values) - 1 if orbit.lost_at is None else orbit.lost_at
            error = np.where(orbit.error > 0, orbit.error, np.nan)[: end + 1]
            every = max(1, end // 8)
            ax.plot(np.arange(end + 1), error, **look.line(markersize=7, markevery=every, label=orbit.fmt.name))
            ax.plot(end, error[-1], **look.dots(markersize=11))
            names.append(Name(f"{orbit.fmt.name}: {count(end, 'step')}", look.color, np.arange(end + 1), error))
            least.append(float(np.nanmin(error, initial=1e-3)))
        ax.axhline(0.1, color=ink("muted"), linestyle=":", linewidth=1.5)
        longest = max(orbit.lost_at or len(orbit.values) for _, orbit in series)
        ax.set(yscale="log", ylim=(min(least) / 10, 1e3), xlim=(-1, 1.2 * max(longest, 4)))
        right = ax.get_xlim()[1]
        names.append(Name("lost: error 0.1", ink("muted"), np.linspace(0.8 * right, right, 20), np.full(20, 0.1)))
        finish(ax, series[0][1].lesson, "steps", "error of x")
        name_beside(ax, names)
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
        ax.plot(np.arange(len(exact)), exact, color=ink("ink"), linestyle=":", label="exact")
        names = []
        for look, orbit in series:
            n = np.arange(len(orbit.values))
            ax.plot(n, orbit.values, **look.line(markersize=7, markevery=2, label=orbit.fmt.name))
            names.append(Name(orbit.fmt.name, look.color, orbit.leaves_at, orbit.values[orbit.leaves_at]))
        end = float(len(exact) - 1)
        ends = [Label("exact: 6", ink("ink"), end, float(exact[-1]))]
        if any(abs(orbit.values[-1] - 100) < 5 for _, orbit in series):
            ends.append(Label("100", ink("muted"), end, 100.0))
        name_ends(ax, ends)
        finish(ax, series[0][1].lesson, "n", "term n of the recurrence")
        name_beside(ax, names)
    return ax


@picture("Three formats agree on 1.1726, but the truth is -0.8274")
def rump(mode: Rounding | str = "ties_to_even", *, ax: Axes | None = None, data: Rump | None = None) -> Axes:
    """What each precision computes for Rump's polynomial: most precisions agree, and those that do are wrong."""
    r = demos.rump(mode) if data is None else data
    edge = 3.0
    with drawing(ax) as ax:
        right, far = np.abs(r.values - r.exact) < 0.01, ~(np.abs(r.values) < edge)
        kinds = (
            (far, LOOKS[5]._replace(hue="muted", marker="x"), "far off"),
            (~right & ~far, LOOKS[1], "wrong"),
            (right, LOOKS[0], "right"),
        )
        for chosen, look, label in kinds:
            inside = np.clip(r.values[chosen], -edge, edge)
            ax.plot(r.precisions[chosen], inside, **look.dots(markersize=6, label=label, clip_on=False))
        for p, name in NAMED.items():
            if p in r.precisions:
                y = float(np.clip(r.values[r.precisions == p][0], -edge, edge))
                ax.plot(p, y, "o", markersize=16, fillstyle="none", color=ink("ink"), mew=2)
                note(ax, name, (p, y), (0, 15 if y < edge else -26), ha="center", color=ink("ink"))
        ax.axhline(r.exact, color=ink("muted"), linestyle=":", linewidth=1.5)
        left, most = (
            float(r.precisions[0]),
            f"up to ±10{str(int(np.log10(np.abs(r.values).max()))).translate(SUPERSCRIPTS)}",
        )
        note(ax, f"far off: {most}", (left, -edge), (0, 12), color=ink("muted"))
        note(ax, f"truth {r.exact:.4f}".replace("-", "−"), (left, r.exact), (0, 7), color=LOOKS[0].color)
        note(
            ax,
            f"right from\n{r.right_from} bits on",
            (float(r.precisions[-1]), r.exact),
            (0, -40),
            ha="right",
            color=LOOKS[0].color,
        )
        if kinds[1][0].any():
            k = int(np.argmax(kinds[1][0]))
            place = (float(r.precisions[k]), float(r.values[k]))
            note(ax, f"wrong: {place[1]:.4f}".replace("-", "−"), place, (0, -22), color=LOOKS[1].color)
        ax.set(ylim=(-edge, edge), yticks=[-2, -1, 0, 1, 2])
        finish(ax, r.lesson, "precision in bits", "value of Rump's polynomial")
    return ax
