"""Pictures of learning in few bits: a softmax, gradients in their window, weights that move or do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import demos
from ..demos.learning import Gradients
from ..formats import FormatLike, Rounding
from .style import GREY, LOOKS, computed_one, drawing, finish, note


def softmax(
    fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, ax: Any = None, data: Any = None
) -> Any:
    """The first probability of softmax([x, x − 1, x − 2]) against x, naive and shifted.

    Parameters
    ----------
    fmt : Format, str or dtype
    mode : Rounding or str
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.softmax` returns.

    Returns
    -------
    Axes
    """
    s = computed_one(demos.softmax, fmt, data, mode)
    with drawing(ax) as ax:
        for edge, end, text in ((s.overflows_at, s.x[-1], "∞ / ∞ = NaN"), (s.underflows_at, s.x[0], "0 / 0 = NaN")):
            if edge is not None:
                ax.axvspan(edge, float(end), facecolor="none", edgecolor="#BBBBBB", hatch="//", linewidth=0, zorder=0)
                box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
                note(ax, text, ((edge + float(end)) / 2, 0.2), (0, 0), ha="center", color="black", bbox=box)
        style = {"markersize": 6, "markevery": 12}
        ax.plot(s.x, s.shifted, label="shifted: exp(x − max) / sum", **LOOKS[0]._asdict(), **style)
        ax.plot(s.x, s.naive, label="naive: exp(x) / sum", **LOOKS[1]._asdict(), linewidth=2.4, **style)
        ax.set_ylim(0, 1.2)
        finish(
            ax,
            s.lesson,
            "largest logit x, of x, x − 1, x − 2",
            "probability of the first",
            {"loc": "upper left", "ncols": 2},
        )
    return ax


FATES = (
    ("overflow", "#CC79A7", "xx"),
    ("normal", "#56B4E9", ""),
    ("subnormal", "#E69F00", "//"),
    ("becomes 0", "#D55E00", "\\\\\\\\"),
)
"""What becomes of a gradient: its name, colour and hatching."""


def gradients(
    fmt: FormatLike = "binary16",
    gradients: Any = None,
    *,
    scales: Any = (1.0, 1024.0),
    ax: Any = None,
    data: Any = None,
) -> Any:
    """The exponents of gradients over the window of a format, and the same under a loss scale.

    Parameters
    ----------
    fmt : Format, str or dtype
    gradients : array_like, optional
        Of any shape; by default those of a small network on the bundled digits.
    scales : sequence of float
        Loss scales: bars for the first, outlines for the others.
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.gradients` returns.

    Returns
    -------
    Axes
    """
    g = demos.gradients(fmt, gradients, scales=scales) if data is None else data
    with drawing(ax) as ax:
        edges = _window(g)
        _bars(ax, g, edges)
        for scale, look in zip(g.scales[1:], LOOKS[2:] + LOOKS[:2], strict=False):
            x = g.exponents + np.log2(scale / g.scales[0])
            label = f"loss × {scale:,.0f}"
            ax.step(x, 100 * g.shares, where="mid", color="black", linestyle=look.linestyle, linewidth=1.8, label=label)
        low, high = ax.get_xlim()
        low, high = min(low, edges[0] - 16), max(high, edges[2] + 7)
        ax.set_xlim(low, high)
        for edge in edges:
            ax.axvline(edge, color=GREY, linewidth=1.2)
        for a, b, text in zip(
            (low, *edges), (*edges, high), ("becomes 0", "subnormal", "normal", "infinite"), strict=True
        ):
            a, b = max(a, low), min(b, high)
            if b - a > 5:
                ax.text(
                    (a + b) / 2,
                    0.97,
                    text,
                    transform=ax.get_xaxis_transform(),
                    ha="center",
                    va="top",
                    color=GREY,
                    fontsize=10,
                )
        ax.set_ylim(0, 1.6 * 100 * float(g.shares.max()))
        handles = sorted(ax.get_legend_handles_labels()[0], key=lambda handle: handle in ax.lines)  # bars first
        place = {"loc": "upper left", "bbox_to_anchor": (max(edges[1], low), 0.95), "fontsize": 10, "handles": handles}
        place["bbox_transform"] = ax.get_xaxis_transform()
        xlabel = f"exponent of the gradient, floor(log2 |g|), in the window of {g.fmt.name}"
        finish(ax, g.lesson, xlabel, "% of the nonzero gradients", place)
    return ax


def _window(g: Gradients) -> tuple[float, float, float]:
    """Where the window's parts begin, between bars: the smallest subnormal, the smallest normal, infinity."""
    return g.fmt.quantum_exponent_min - 1.5, g.fmt.emin - 0.5, g.fmt.emax + 0.5


def _bars(ax: Any, g: Gradients, edges: tuple[float, float, float]) -> None:
    x = g.exponents + np.log2(g.scales[0])
    fate = 3 - np.searchsorted(edges, x)
    for k, (name, color, hatch) in enumerate(FATES):
        chosen = fate == k
        if chosen.any():
            label = f"loss × {g.scales[0]:,.0f}: {name}"
            ax.bar(x[chosen], 100 * g.shares[chosen], 0.9, color=color, edgecolor="white", hatch=hatch, label=label)


def stuck_weight(fmt: FormatLike = "bfloat16", *, ax: Any = None, data: Any = None) -> Any:
    """A weight that gets a small update a thousand times: nearest, compensated, stochastic.

    Parameters
    ----------
    fmt : Format, str or dtype
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.stuck_weight` returns.

    Returns
    -------
    Axes
    """
    w = computed_one(demos.stuck_weight, fmt, data)
    with drawing(ax) as ax:
        ax.plot(w.steps, w.paths["exact"], color="black", linestyle=":", linewidth=1.5, label="exact")
        names = {"ties_to_even": "to nearest", "Kahan": "to nearest, with Kahan", "stochastic": "stochastic, one run"}
        for (name, label), look in zip(names.items(), (LOOKS[1], LOOKS[0], LOOKS[2]), strict=True):
            ax.plot(w.steps, w.paths[name], **look._asdict(), label=label, markersize=6, markevery=len(w.steps) // 8)
        finish(ax, w.lesson, f"updates of {w.update:g}", f"weight in {w.fmt.name}", {"loc": "upper left"})
    return ax


def stochastic(fmt: FormatLike = "bfloat16", *, ax: Any = None, data: Any = None) -> Any:
    """Many runs of a sum by stochastic rounding, their mean, and the run to nearest that stops.

    Parameters
    ----------
    fmt : Format, str or dtype
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.stochastic` returns.

    Returns
    -------
    Axes
    """
    s = computed_one(demos.stochastic, fmt, data)
    with drawing(ax) as ax:
        for k, run in enumerate(s.runs):
            label = f"{len(s.runs)} stochastic runs" if k == 0 else None
            ax.plot(s.counts, run, color="#7FB8DA", linewidth=0.8, alpha=0.7, label=label)
        every = len(s.counts) // 8
        ax.plot(
            s.counts,
            s.mean,
            color=LOOKS[0].color,
            marker="o",
            markersize=6,
            markevery=every,
            linewidth=2,
            label="their mean",
        )
        ax.plot(s.counts, s.exact, color="black", linestyle=":", linewidth=1.8, label="exact")
        ax.plot(
            s.counts, s.nearest, **LOOKS[1]._asdict(), markersize=6, markevery=every, linewidth=2, label="to nearest"
        )
        finish(ax, s.lesson, f"terms of {s.term:g} added", f"sum in {s.fmt.name}", {"loc": "upper left"})
    return ax
