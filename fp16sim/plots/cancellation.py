"""Pictures of cancellation: two formulas for one quantity; only one of them keeps its digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.cancellation import Derivative, TwoWays, Variance
from ..demos.common import relative
from ..formats import FormatLike, Rounding
from .gallery import picture
from .style import LOOKS, Formats, Label, computed, computed_one, drawing, finish, ink, name_above, note

NAIVE, CAREFUL = LOOKS[1], LOOKS[0]


@picture("(1 - cos x) / x^2 tends to 1/2; binary16 finds 0 up to 0.022")
def one_minus_cos(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: TwoWays | None = None,
) -> Axes:
    """(1 - cos x) / x² near 0, and the same by the half angle."""
    ways = computed_one(demos.one_minus_cos, fmt, data, mode)
    with drawing(ax) as ax:
        ax.plot(ways.x, ways.naive, **NAIVE.dots(markersize=6, fillstyle="none", label="(1 − cos x) / x²"))
        ax.plot(ways.x, ways.careful, **CAREFUL.dots(markersize=5, label="½ (sin(x/2) / (x/2))²"))
        ax.plot(ways.x, ways.exact, color=ink("ink"), linestyle=":", label="exact")
        ax.set_xscale("log")
        ax.set_ylim(-0.07, 1.1)
        start = float(ways.x[0])
        note(ax, "(1 − cos x) / x²", (start, float(ways.naive[0])), (0, 12), color=NAIVE.color)
        note(ax, "½ (sin(x/2) / (x/2))²", (start, float(ways.careful[0])), (0, -24), color=CAREFUL.color)
        note(ax, "exact", (float(ways.x[-1]), float(ways.exact[-1])), (0, -20), ha="right", color=ink("ink"))
        finish(ax, ways.lesson, "x", "computed value")
    return ax


@picture("b - sqrt(b^2 - 4) cancels: binary16 is left with 0 from b = 66")
def quadratic(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: TwoWays | None = None,
) -> Axes:
    """The relative error of the small root of x² − b x + 1 = 0 against b, by two formulas."""
    ways = computed_one(demos.quadratic, fmt, data, mode)
    u = float(ways.fmt.unit_roundoff)
    left, right = float(ways.x[0]), 2.4 * float(ways.x[-1])
    formulas = ((NAIVE, ways.naive, "(b − √(b² − 4)) / 2"), (CAREFUL, ways.careful, "2 / (b + √(b² − 4))"))
    with drawing(ax) as ax:
        for look, y, name in formulas:
            error = np.maximum(relative(y, ways.exact), u / 16)
            ax.plot(ways.x, error, **look.dots(markersize=7, label=name))
        ax.axhline(u, color=ink("muted"), linestyle="--", linewidth=1.5)
        note(ax, f"u of {ways.fmt.name}", (right, u), (0, 6), ha="right")
        ax.axhline(1, color=ink("muted"), linestyle=":", linewidth=1.5)
        note(ax, "no digit is right", (left, 1), (0, 5))
        ax.set(xscale="log", yscale="log", ylim=(u / 200, 10), xlim=(0.85 * left, right))
        note(ax, formulas[0][2], (left, 1), (0, -40), color=NAIVE.color)
        note(ax, formulas[1][2], (left, u / 200), (0, 8), color=CAREFUL.color)
        finish(ax, ways.lesson, "b", "relative error of the small root")
    return ax


@picture("(x - 1)^7, multiplied out, changes sign 137 times in binary16")
def polynomial(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: TwoWays | None = None,
) -> Axes:
    """(x − 1)⁷ near 1, multiplied out and as a power."""
    ways = computed_one(demos.polynomial, fmt, data, mode)
    with drawing(ax) as ax:
        ax.plot(ways.x, ways.naive, **NAIVE.dots(markersize=5, fillstyle="none", label="x⁷ − 7x⁶ + 21x⁵ − … − 1"))
        ax.plot(ways.x, ways.careful, color=CAREFUL.color, linewidth=3, label="(x − 1)⁷ as a power")
        ax.axhline(0, color=ink("edge"), linewidth=1)
        left, height = float(ways.x[0]), float(np.abs(ways.careful).max())
        note(ax, "x⁷ − 7x⁶ + 21x⁵ − … − 1", (left, 0.8 * height), (6, 0), color=NAIVE.color)
        note(ax, "(x − 1)⁷ as a power", (left, -0.8 * height), (32, 0), color=CAREFUL.color)
        finish(ax, ways.lesson, "x", "computed value")
    return ax


@picture("Smaller h is not better: binary16 is at least 1.6% off")
def derivative(
    fmt: Formats = ("binary16", "bfloat16", "binary32"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Derivative | Sequence[Derivative] | None = None,
) -> Axes:
    """The relative error of a difference quotient against its step: truncation on the right, rounding on the left."""
    series = computed(demos.derivative, fmt, data, mode)
    labels: list[Label] = []
    with drawing(ax) as ax:
        for look, d in series:
            ax.plot(d.steps, d.error, **look.line(markersize=7, label=d.fmt.name))
            labels.append(Label(f"{d.fmt.name}: at best {d.least}", look.color, float(d.steps[-1]), float(d.error[-1])))
        longest = max((d for _, d in series), key=lambda d: len(d.steps))
        ax.plot(longest.steps, longest.formula, color=ink("muted"), linestyle=":", label="formula alone")
        note(ax, "formula\nalone", (float(longest.steps[4]), float(longest.formula[4])), (8, -34))
        ax.axhline(1, color=ink("edge"), linestyle=":", linewidth=1.5)
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", ylim=(longest.error.min() / 6, 10 ** (0.8 + 0.4 * len(series))))
        note(ax, "x + h = x: quotient 0", (float(longest.steps[-1]), 1), (7, 6))
        name_above(ax, labels)
        finish(ax, series[0][1].lesson, "step h", "relative error of (f(x+h) − f(x)) / h")
    return ax


@picture("One-pass variance, binary16: negative from 16, infinite from 98")
def variance(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Variance | None = None,
) -> Axes:
    """The variance of eight numbers with a growing mean, in one pass and in two."""
    v = computed_one(demos.variance, fmt, data, mode)
    finite = np.isfinite(v.one_pass)
    reach = 3 * max(np.abs(v.one_pass[finite]).max(initial=0), 0.5)
    with drawing(ax) as ax:
        one_pass = NAIVE.dots(markersize=7, label="one pass: mean(x²) − mean(x)²")
        ax.plot(v.offsets[finite], v.one_pass[finite], **one_pass)
        ax.plot(v.offsets, v.two_pass, **CAREFUL.dots(markersize=5, label="two passes: mean((x − mean)²)"))
        ax.plot(v.offsets, v.exact, color=ink("ink"), linestyle=":", label="exact")
        if not finite.all():
            ax.plot(v.offsets[~finite], np.full((~finite).sum(), reach), "X", color=NAIVE.color, markersize=9)
            note(ax, "infinite", (float(v.offsets[~finite][0]), reach), (-10, -5), ha="right", color=NAIVE.color)
        ax.axhline(0, color=ink("edge"), linewidth=1)
        ax.set_yscale("symlog", linthresh=0.1, linscale=0.8)
        ax.set(xscale="log", ylim=(-3 * reach, 2 * reach))
        note(ax, "one pass:\nmean(x²) − mean(x)²", (float(v.offsets[0]), -reach), (4, 0), color=NAIVE.color)
        end = (float(v.offsets[-1]), float(v.exact[-1]))
        note(ax, "two passes, and exact:\nmean((x − mean)²)", end, (0, 12), ha="right", color=CAREFUL.color)
        finish(ax, v.lesson, "offset of the data: offset + 0, 0.1, …, 0.7", "variance")
    return ax
