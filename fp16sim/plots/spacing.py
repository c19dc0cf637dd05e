"""Pictures of formats: where the numbers lie, how far apart, where other numbers go, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from .. import demos
from ..demos.spacing import Binade, Dot, Gaps, NumberLine, RelativeError, Staircase
from ..formats import FormatLike, Rounding
from .gallery import picture
from .style import GREY, LOOKS, Formats, Look, computed, computed_one, drawing, finish, note


@picture("Each power of two doubles the gap; 12 of 28 numbers are below 1", fmt="Of at most 8 bits.")
def number_line(fmt: FormatLike = demos.TOY, *, ax: Axes | None = None, data: NumberLine | None = None) -> Axes:
    """Every number of a small format on a line, and above it the gap to the next one."""
    line = computed_one(demos.number_line, fmt, data)
    with drawing(ax) as ax:
        top = max(binade.gap for binade in line.binades)
        for number, binade in enumerate(line.binades):
            _binade(ax, line, binade, LOOKS[2] if binade.subnormal else LOOKS[number % 2], top)
        first = line.binades[0]
        text = f"subnormal (with 0):\n{first.size} numbers, gap {first.gap:g}"
        arrow = {"arrowstyle": "->", "color": GREY, "relpos": (0, 0)}
        place = {"textcoords": "axes fraction", "ha": "left", "arrowprops": arrow}
        note(ax, text, (first.high / 2, first.gap), (0.06, 0.72), **place)
        ax.axhline(0, color="black", linewidth=1)
        ax.set_ylim(-0.16 * top, 1.35 * top)
        ax.grid(False)
        finish(ax, line.lesson, f"value (every {line.fmt.name} number is a tick)", "gap to the next number", False)
    return ax


HATCHES = dict(zip(LOOKS, ("....", "////", "xxxx"), strict=False))
"""So that neighbouring binades differ by more than colour."""


def _binade(ax: Axes, line: NumberLine, binade: Binade, look: Look, top: float) -> None:
    """Ticks for its numbers, and a bar as high as their gap, with a label on the widest bars."""
    inside = line.values[(line.values >= binade.low) & (line.values < binade.high)]
    ax.vlines(inside, -0.14 * top, 0, color=look.color, linewidth=1.6)
    bar: dict[str, Any] = {"color": "none", "edgecolor": look.color, "hatch": HATCHES[look], "alpha": 0.55}
    ax.bar(binade.low, binade.gap, binade.high - binade.low, align="edge", **bar)
    if binade.high >= line.values[-1] / 4:
        end = max(float(inside[-1]), binade.low + binade.gap)
        text = f"{binade.size} numbers,\ngap {binade.gap:g}" if binade.high > end / 2 else f"gap {binade.gap:g}"
        note(ax, text, ((binade.low + binade.high) / 2, binade.gap), (0, 4), ha="center", va="bottom")


@picture("Above 2,048, binary16 skips odd numbers")
def ulp(
    fmt: Formats = ("binary16", "bfloat16"), *, ax: Axes | None = None, data: Gaps | Sequence[Gaps] | None = None
) -> Axes:
    """The gap between neighbours against magnitude, on logarithmic scales."""
    series = computed(demos.ulp, fmt, data)
    with drawing(ax) as ax:
        low = max(2.0**-30, min(float(gaps.magnitudes[0]) for _, gaps in series))
        high = min(2.0**20, max(float(gaps.magnitudes[-1]) for _, gaps in series))
        for k, (look, gaps) in enumerate(series):
            chosen = (gaps.magnitudes >= low) & (gaps.magnitudes <= high)
            x, y = gaps.magnitudes[chosen], gaps.gaps[chosen]
            ax.step(x, y, where="post", label=gaps.fmt.name, **look.line(markersize=4, markevery=4))
            if gaps.last_odd <= high:
                _mark_last_odd(ax, gaps, look, above=bool(k % 2))
        ax.axhline(1, color=GREY, linewidth=1, linestyle=":")
        note(ax, "gap 1: integers, no fractions", (low, 1), (2, 4))
        ax.set_xscale("log", base=2)
        ax.set_yscale("log", base=2)
        finish(ax, series[0][1].lesson, "magnitude of x", "ulp(x), the gap to the next number")
    return ax


def _mark_last_odd(ax: Axes, gaps: Gaps, look: Look, above: bool) -> None:
    """A ring where the gap becomes 2."""
    ax.plot(gaps.last_odd, 2, **look.dots(markersize=11, fillstyle="none", mew=2))
    offset, side = ((-8, 8), "right") if above else ((9, -12), "left")
    note(ax, f"{gaps.last_odd:,.0f}", (gaps.last_odd, 2), offset, color=look.color, ha=side)


@picture(
    "ties_to_even: a tie goes to the even significand, up or down",
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
        ax.plot([low, high], [low, high], color=GREY, linestyle=":", linewidth=1.2, label="x itself")
        for k, step in enumerate(stairs.steps):
            for value in step.values:
                label = "result" if k == 0 and value == step.values[0] else None
                ax.plot([step.low, step.high], [value, value], color=look.color, linewidth=2.2, label=label)
        if stairs.mode is Rounding.STOCHASTIC:
            ax.plot([low, high], [low, high], color=LOOKS[1].color, linestyle="--", linewidth=1.6, label="mean result")
        _dots(ax, stairs)
        ax.set_xlim(low, high)
        xlabel, ylabel = "x", f"x rounded to {stairs.fmt.name}"
        finish(ax, stairs.lesson, xlabel, ylabel, {"loc": "upper left", "labelspacing": 0.35})
    return ax


def _dots(ax: Axes, stairs: Staircase) -> None:
    """Filled at the result, open at the end of a step that is not the result; diamonds where x is a tie."""
    color = LOOKS[0].color

    def draw(dots: list[Dot], marker: str, label: str) -> None:
        if dots:
            ax.plot([d.x for d in dots], [d.value for d in dots], marker, color=color, label=label, markersize=6.5)

    for d in stairs.dots:
        for other in {d.left, d.right} - {d.value}:
            marker = "D" if d.tie else "o"
            ax.plot(d.x, other, marker, color=color, markerfacecolor="white", markersize=6, zorder=2.5)
    draw([d for d in stairs.dots if d.tie], "D", "where a tie goes")
    draw([d for d in stairs.dots if not d.tie], "o", "where a number of the format goes")


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
            ax.plot(r.x, r.error, color=look.color, linewidth=1.4, label=r.fmt.name)
            name = "u" if r.bound == float(r.fmt.unit_roundoff) else "2u"
            ax.axhline(r.bound, color=look.color, linestyle="--", linewidth=1.3)
            note(ax, f"{name} = {r.bound:.4g}", (float(r.x[-1]), r.bound), (0, 4), ha="right", color=look.color)
            subnormal = (float(r.x[0]), float(r.fmt.min_normal))
            ax.axvspan(*subnormal, facecolor="none", edgecolor="#D0D0D0", hatch="//", zorder=0)
        first, top = series[0][1], min(1.05, 4 * max(r.bound for _, r in series))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
        note(ax, "subnormal: fewer digits", (float(first.x[0]), top), (6, -16), color="black", bbox=box)
        ax.set_xscale("log", base=2)
        ax.set_ylim(0, top)
        finish(ax, first.lesson, "x", "relative error of rounding x", len(series) > 1)
    return ax
