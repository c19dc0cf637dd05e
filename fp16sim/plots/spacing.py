"""Pictures of formats: where the numbers lie, how far apart, where other numbers go, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.common import error_text
from ..demos.spacing import Binade, Dot, Gaps, NumberLine, RelativeError, Staircase
from ..formats import FormatLike, Rounding
from ..wording import number, power_of_two, with_superscripts
from .gallery import picture
from .labels import Name, name_beside
from .style import LOOKS, Formats, Label, Look, computed, computed_one, drawing, finish, ink, name_ends, note


@picture("Each power of two doubles the gap; 12 of 28 numbers are below 1", fmt="Of at most 8 bits.")
def number_line(fmt: FormatLike = demos.TOY, *, ax: Axes | None = None, data: NumberLine | None = None) -> Axes:
    """Every number of a small format on a line, and above it the gap to the next one."""
    line = computed_one(demos.number_line, fmt, data)
    with drawing(ax) as ax:
        top = max(binade.gap for binade in line.binades)
        for k, binade in enumerate(line.binades):
            _binade(ax, line, binade, LOOKS[2] if binade.subnormal else LOOKS[k % 2], top)
        first = line.binades[0]
        text = f"subnormal, with 0:\n{first.size} numbers,\ngap {_short(first.gap)}"
        arrow = {"arrowstyle": "->", "color": LOOKS[2].color, "relpos": (0.06, 0), "shrinkA": 4}
        place = {"textcoords": "axes fraction", "color": LOOKS[2].color, "arrowprops": arrow}
        note(ax, text, (first.high / 2, first.gap), (0.02, 0.62), **place)
        ax.axhline(0, color=ink("ink"), linewidth=1)
        ax.set_ylim(-0.16 * top, 1.2 * top)
        ax.set_yticks([0, *sorted({binade.gap for binade in line.binades})[-3:]])
        ax.grid(False)
        finish(
            ax,
            line.lesson,
            f"value: each mark is a number of {line.fmt.name} ({line.fmt.width} bits)",
            "gap to the next number",
        )
    return ax


HATCHES = dict(zip(LOOKS, ("....", "////", "xxxx"), strict=False))
"""So that neighbouring binades differ by more than colour."""


def _binade(ax: Axes, line: NumberLine, binade: Binade, look: Look, top: float) -> None:
    """Ticks for its numbers, and a bar as high as their gap, with a label on the widest bars."""
    inside = line.values[(line.values >= binade.low) & (line.values < binade.high)]
    ax.vlines(inside, -0.14 * top, 0, color=look.color, linewidth=1.6)
    bar: dict[str, Any] = {"color": "none", "edgecolor": look.color, "hatch": HATCHES[look], "alpha": 0.6}
    ax.bar(binade.low, binade.gap, binade.high - binade.low, align="edge", **bar)
    if binade.high >= line.values[-1] / 4:
        last = binade is line.binades[-1]
        text = f"{binade.size} numbers, gap {_short(binade.gap)}" if last else f"gap {_short(binade.gap)}"
        note(ax, text, (binade.high, binade.gap), (-2, 4), ha="right", color=look.color)


def _short(gap: float) -> str:
    """A power of two: 0.25, 8,192, or 2⁻⁹."""
    return f"{gap:,g}" if 0.01 <= gap < 1e5 else with_superscripts(power_of_two(gap))


@picture("Above 2,048, binary16 skips odd numbers")
def ulp(
    fmt: Formats = ("binary16", "bfloat16"), *, ax: Axes | None = None, data: Gaps | Sequence[Gaps] | None = None
) -> Axes:
    """The gap between neighbours against magnitude, on logarithmic scales."""
    series = computed(demos.ulp, fmt, data)
    with drawing(ax) as ax:
        low = max(2.0**-30, min(float(gaps.magnitudes[0]) for _, gaps in series))
        odd = max(gaps.last_odd for _, gaps in series)
        high = min(max(2.0**20, 16 * odd), max(float(gaps.magnitudes[-1]) for _, gaps in series))
        ends, names = [], []
        for look, gaps in series:
            chosen = (gaps.magnitudes >= low) & (gaps.magnitudes <= high)
            x, y = gaps.magnitudes[chosen], gaps.gaps[chosen]
            ax.step(x, y, where="post", label=gaps.fmt.name, **look.line(markersize=5, markevery=4))
            ends.append(Label(gaps.fmt.name, look.color, float(x[-1]), float(y[-1])))
            if gaps.last_odd <= high:  # a ring where the gap becomes 2
                ax.plot(gaps.last_odd, 2, **look.dots(markersize=14, fillstyle="none", mew=2.5))
                names.append(Name(number(gaps.last_odd), look.color, gaps.last_odd, 2))
        ax.axhline(1, color=ink("muted"), linewidth=1.5, linestyle=":")
        note(ax, "gap 1: only integers", (low, 1), (2, 5))
        ax.set_xscale("log", base=2)
        ax.set_yscale("log", base=2)
        name_ends(ax, ends)
        finish(ax, series[0][1].lesson, "magnitude of x", "ulp(x), the gap to the next number")
        name_beside(ax, names)
    return ax


@picture(
    "ties_to_even: a tie goes to the even significand",
    fmt="Of at most 8 bits.",
    mode='For "stochastic" both results are drawn, and their mean.',
)
def staircase(
    fmt: FormatLike = "e2m1fn",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Staircase | None = None,
) -> Axes:
    """A rounding mode as a function of x; where it jumps, the filled dot is the result and the open one is not."""
    look, stairs = LOOKS[0], computed_one(demos.staircase, fmt, data, mode)
    with drawing(ax) as ax:
        low, high = stairs.steps[0].low, stairs.steps[-1].high
        ax.plot([low, high], [low, high], color=ink("muted"), linestyle=":", linewidth=1.5, label="x itself")
        for k, step in enumerate(stairs.steps):
            for value in step.values:
                label = "result" if k == 0 and value == step.values[0] else None
                ax.plot([step.low, step.high], [value, value], color=look.color, linewidth=2.6, label=label)
        if stairs.mode.random:
            ax.plot([low, high], [low, high], color=LOOKS[1].color, linestyle="--", linewidth=2, label="mean result")
        _dots(ax, stairs)
        ax.set_xlim(low, high)
        xlabel, ylabel = "x", f"x rounded to {stairs.fmt.name}"
        finish(ax, stairs.lesson, xlabel, ylabel, {"loc": "upper left", "labelspacing": 0.3, "borderaxespad": 0})
    return ax


def _dots(ax: Axes, stairs: Staircase) -> None:
    """Filled at the result, open at the end of a step that is not the result; diamonds where x is a tie."""
    color = LOOKS[0].color
    size = 8 if len(stairs.steps) <= 30 else 5

    def draw(dots: list[Dot], marker: str, label: str) -> None:
        if dots:
            ax.plot([d.x for d in dots], [d.value for d in dots], marker, color=color, label=label, markersize=size)

    for d in stairs.dots:
        for other in {d.left, d.right} - {d.value}:
            marker = "D" if d.tie else "o"
            ax.plot(d.x, other, marker, color=color, markerfacecolor=ink("paper"), markersize=size - 0.5, zorder=2.5)
    draw([d for d in stairs.dots if d.tie], "D", "result of a tie")
    draw([d for d in stairs.dots if not d.tie], "o", "result of a number")


@picture("e4m3fn errs by at most u = 6.25%, except among subnormals")
def relative_error(
    fmt: Formats = "e4m3fn",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: RelativeError | Sequence[RelativeError] | None = None,
) -> Axes:
    """The relative error of rounding against x, with its bound: u for rounding to nearest, 2u in other modes."""
    series = computed(demos.relative_error, fmt, data, mode)
    with drawing(ax) as ax:
        for look, r in series:
            ax.plot(r.x, r.error, color=look.color, linewidth=1.8, label=r.fmt.name)
            name = "u" if r.bound == float(r.fmt.unit_roundoff) else "2u"
            ax.axhline(r.bound, color=look.color, linestyle="--", linewidth=1.8)
            bound = f"{name} = {error_text(r.bound, 3)}"
            text = bound if len(series) == 1 else f"{r.fmt.name}: {bound}"
            note(ax, text, (float(r.x[-1]), r.bound), (0, 5), ha="right", color=look.color)
            subnormal = (float(r.x[0]), float(r.fmt.min_normal))
            ax.axvspan(*subnormal, facecolor="none", edgecolor=ink("line"), hatch="//", zorder=0)
        first, top = series[0][1], min(1.05, 4 * max(r.bound for _, r in series))
        edge = max(float(r.fmt.min_normal) for _, r in series)
        note(ax, "◀ subnormal:\n    fewer digits", (edge, top), (4, -36), color=ink("ink"))
        ax.set_xscale("log", base=2)
        ax.set_ylim(0, top)
        ticks = np.arange(5) * top / 4
        ax.set_yticks(ticks, ["0", *(error_text(y, 3) for y in ticks[1:])])
        finish(ax, first.lesson, "x", "relative error of rounding x")
    return ax
