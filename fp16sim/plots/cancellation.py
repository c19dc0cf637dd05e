"""Pictures of cancellation: two formulas for one quantity, of which one keeps its digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import demos
from ..demos.cancellation import TwoWays
from ..demos.frozen import relative
from ..formats import FormatLike, Rounding
from .style import GREY, LOOKS, computed, computed_one, drawing, finish, note

NAIVE, CAREFUL = LOOKS[1], LOOKS[0]


def _ways(ax: Any, ways: TwoWays, naive: str, careful: str) -> None:
    """Both formulas as dots, and the truth as a line."""
    ax.plot(ways.x, ways.naive, NAIVE.marker, color=NAIVE.color, markersize=4, fillstyle="none", label=naive)
    ax.plot(ways.x, ways.careful, CAREFUL.marker, color=CAREFUL.color, markersize=3.5, label=careful)
    ax.plot(ways.x, ways.exact, color="black", linestyle=":", linewidth=1.5, label="exact")


def one_minus_cos(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """(1 - cos x) / x² near 0, and the same by the half angle.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.one_minus_cos` returns.

    Returns
    -------
    Axes
    """
    ways = computed_one(demos.one_minus_cos, fmt, data, mode)
    with drawing(ax) as ax:
        _ways(ax, ways, "(1 − cos x) / x²", "½ (sin(x/2) / (x/2))²")
        ax.set_xscale("log")
        ax.set_ylim(-0.05, 1.3)
        finish(ax, ways.lesson, "x", "computed value", {"loc": "upper right"})
    return ax


def quadratic(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """The relative error of the small root of x² − b x + 1 = 0 against b, by two formulas.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.quadratic` returns.

    Returns
    -------
    Axes
    """
    ways = computed_one(demos.quadratic, fmt, data, mode)
    with drawing(ax) as ax:
        u = float(ways.fmt.unit_roundoff)
        for look, y, name in (
            (NAIVE, ways.naive, "(b − √(b² − 4)) / 2"),
            (CAREFUL, ways.careful, "2 / (b + √(b² − 4))"),
        ):
            error = np.maximum(relative(y, ways.exact), u / 16)
            ax.plot(ways.x, error, **(look._asdict() | {"linestyle": ""}), markersize=5, label=name)
        ax.axhline(u, color=GREY, linestyle="--", linewidth=1)
        right = 2.4 * float(ways.x[-1])
        note(ax, f"u of {ways.fmt.name}", (right, u), (-2, 5), ha="right")
        ax.axhline(1, color=GREY, linestyle=":", linewidth=1)
        note(ax, "no digit is right", (float(ways.x[0]), 1), (0, 4))
        ax.set(xscale="log", yscale="log", ylim=(u / 24, 600), xlim=(0.85 * float(ways.x[0]), right))
        finish(ax, ways.lesson, "b", "relative error of the small root", {"loc": "upper left"})
    return ax


def polynomial(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """(x − 1)⁷ near 1, multiplied out and as a power.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.polynomial` returns.

    Returns
    -------
    Axes
    """
    ways = computed_one(demos.polynomial, fmt, data, mode)
    with drawing(ax) as ax:
        ax.plot(
            ways.x,
            ways.naive,
            NAIVE.marker,
            color=NAIVE.color,
            markersize=3.5,
            fillstyle="none",
            label="x⁷ − 7x⁶ + 21x⁵ − … − 1",
        )
        ax.plot(ways.x, ways.careful, color=CAREFUL.color, linewidth=2.2, label="(x − 1)⁷ as a power")
        ax.axhline(0, color=GREY, linewidth=1)
        finish(ax, ways.lesson, "x", "computed value", {"loc": "upper left"})
    return ax


def derivative(
    fmt: Any = ("binary16", "bfloat16", "binary32"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Any = None,
    data: Any = None,
) -> Any:
    """The relative error of a difference quotient against its step: the V of truncation and rounding.

    Parameters
    ----------
    fmt : Format, str, dtype, or several of them
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.derivative` returns, or several of them.

    Returns
    -------
    Axes
    """
    series = computed(demos.derivative, fmt, data, mode)
    with drawing(ax) as ax:
        for look, d in series:
            ax.plot(d.steps, d.error, label=d.fmt.name, **look._asdict(), markersize=5)
        longest = max((d for _, d in series), key=lambda d: len(d.steps))
        ax.plot(longest.steps, longest.steps / (3 + longest.steps), color=GREY, linestyle=":", label="formula alone")
        ax.axhline(1, color=GREY, linestyle=":", linewidth=1)
        note(ax, "x + h = x: the quotient is 0", (float(longest.steps[-1]), 1), (0, 8))
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", ylim=(longest.error.min() / 20, 8))
        finish(ax, series[0][1].lesson, "step h", "relative error of (f(x+h) − f(x)) / h", {"loc": "lower right"})
    return ax


def variance(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """The variance of eight numbers with a growing mean, in one pass and in two.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.variance` returns.

    Returns
    -------
    Axes
    """
    v = computed_one(demos.variance, fmt, data, mode)
    with drawing(ax) as ax:
        finite = np.isfinite(v.one_pass)
        shown = NAIVE._asdict() | {"linestyle": ""}
        ax.plot(v.offsets[finite], v.one_pass[finite], **shown, markersize=5, label="one pass: mean(x²) − mean(x)²")
        ax.plot(
            v.offsets,
            v.two_pass,
            CAREFUL.marker,
            color=CAREFUL.color,
            markersize=4,
            label="two passes: mean((x − mean)²)",
        )
        ax.plot(v.offsets, v.exact, color="black", linestyle=":", linewidth=1.5, label="exact")
        reach = 3 * max(np.abs(v.one_pass[finite]).max(initial=0), 0.5)
        if not finite.all():
            ax.plot(v.offsets[~finite], np.full((~finite).sum(), reach), "X", color=NAIVE.color, markersize=7)
            note(ax, "infinite", (float(v.offsets[~finite][0]), reach), (-8, -3), ha="right", color=NAIVE.color)
        ax.axhline(0, color=GREY, linewidth=1)
        ax.set_yscale("symlog", linthresh=0.1, linscale=0.8)
        ax.set(xscale="log", ylim=(-3 * reach, 2 * reach))
        finish(ax, v.lesson, "offset of the data, which are offset + 0, 0.1, …, 0.7", "variance", {"loc": "lower left"})
    return ax
