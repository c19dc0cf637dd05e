"""Pictures of cancellation: two formulas for one quantity; only one of them keeps its digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from .. import demos
from ..demos.cancellation import Derivative, TwoWays, Variance
from ..demos.common import relative
from ..formats import FormatLike, Rounding
from .gallery import picture
from .labels import Name, name_beside
from .style import LOOKS, Formats, computed, computed_one, drawing, finish, ink, note

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
        finish(ax, ways.lesson, "x", "computed value")
        third = len(ways.x) // 3
        apart = np.abs(ways.naive - ways.careful) > 0.1
        names = [
            Name("(1 − cos x) / x²", NAIVE.color, ways.x[apart], ways.naive[apart]),
            Name("½ (sin(x/2) / (x/2))²", CAREFUL.color, ways.x[:third], ways.careful[:third]),
            Name("exact", ink("ink"), ways.x[-third // 2 :], ways.exact[-third // 2 :]),
        ]
        name_beside(ax, names)
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
    names = []
    formulas = ((NAIVE, ways.naive, "(b − √(b² − 4)) / 2"), (CAREFUL, ways.careful, "2 / (b + √(b² − 4))"))
    with drawing(ax) as ax:
        for look, y, name in formulas:
            error = np.maximum(relative(y, ways.exact), u / 16)
            ax.plot(ways.x, error, **look.dots(markersize=7, label=name))
            names.append(Name(name, look.color, ways.x, error))
        ax.axhline(u, color=ink("muted"), linestyle="--", linewidth=1.5)
        note(ax, f"u of {ways.fmt.name}", (right, u), (0, 6), ha="right")
        ax.axhline(1, color=ink("muted"), linestyle=":", linewidth=1.5)
        note(ax, "no digit is right", (left, 1), (0, 5))
        ax.set(xscale="log", yscale="log", ylim=(u / 200, 10), xlim=(0.85 * left, right))
        steps = (1, 2, 5) if right < 1000 * left else (1,)
        ax.xaxis.set_major_locator(LogLocator(subs=steps))
        ax.xaxis.set_major_formatter(lambda b, _: f"{b:,.0f}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        finish(ax, ways.lesson, "b", "relative error of the small root")
        name_beside(ax, names)
    return ax


@picture("(x - 1)^7 multiplied out: 137 sign changes in binary16")
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
        finish(ax, ways.lesson, "x", "computed value")
        half = len(ways.x) // 2
        names = [
            Name("(x − 1)⁷ as a power", CAREFUL.color, ways.x[:half], ways.careful[:half]),
            Name("x⁷ − 7x⁶ + 21x⁵ − … − 1", NAIVE.color, ways.x[half:], ways.naive[half:]),
        ]
        name_beside(ax, names)
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
    names = []
    with drawing(ax) as ax:
        for look, d in series:
            ax.plot(d.steps, d.error, **look.line(markersize=7, label=d.fmt.name))
            names.append(Name(f"{d.fmt.name}: at best {d.least}", look.color, d.steps[3:], d.error[3:]))
        longest = max((d for _, d in series), key=lambda d: len(d.steps))
        ax.plot(longest.steps, longest.formula, color=ink("muted"), linestyle=":", label="formula alone")
        names.append(Name("formula\nalone", ink("muted"), longest.steps, longest.formula))
        ax.axhline(1, color=ink("edge"), linestyle=":", linewidth=1.5)
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", ylim=(longest.error.min() / 8, 10 if len(series) < 3 else 40))
        note(ax, "x + h = x: quotient 0", (float(longest.steps[-1]), 1), (7, 6))
        finish(ax, series[0][1].lesson, "step h", "relative error of (f(x+h) − f(x)) / h")
        name_beside(ax, names)
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
        ax.set(xscale="log", ylim=(min(-0.3, 3 * float(v.one_pass[finite].min(initial=0))), 2 * reach))
        finish(ax, v.lesson, "offset of the data: offset + 0, 0.1, …, 0.7", "variance")
        names = [
            Name("one pass:\nmean(x²) − mean(x)²", NAIVE.color, v.offsets[finite], v.one_pass[finite]),
            Name("two passes:\nmean((x − mean)²)", CAREFUL.color, v.offsets, v.two_pass),
        ]
        name_beside(ax, names)
    return ax
