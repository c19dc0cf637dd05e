"""Pictures of learning in few bits: a softmax, gradients in their window, weights that move or do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from .. import demos
from ..demos.learning import Gradients, Softmax, Stochastic, StuckWeight
from ..formats import FormatLike, Rounding
from .gallery import picture
from .style import GREY, LOOKS, computed_one, drawing, finish, note


@picture("A naive softmax is NaN from a logit of 11.094 on in binary16")
def softmax(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Softmax | None = None,
) -> Axes:
    """The first probability of softmax([x, x − 1, x − 2]) against x, naive and shifted."""
    s = computed_one(demos.softmax, fmt, data, mode)
    with drawing(ax) as ax:
        for edge, end, text in ((s.overflows_at, s.x[-1], "∞ / ∞ = NaN"), (s.underflows_at, s.x[0], "0 / 0 = NaN")):
            if edge is not None:
                ax.axvspan(edge, float(end), facecolor="none", edgecolor="#BBBBBB", hatch="//", linewidth=0, zorder=0)
                box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
                note(ax, text, ((edge + float(end)) / 2, 0.2), (0, 0), ha="center", color="black", bbox=box)
        shifted, naive = (look.line(markersize=6, markevery=12) for look in LOOKS[:2])
        ax.plot(s.x, s.shifted, label="shifted: exp(x − max) / sum", **shifted)
        ax.plot(s.x, s.naive, label="naive: exp(x) / sum", linewidth=2.4, **naive)
        ax.set_ylim(0, 1.2)
        legend = {"loc": "upper left", "ncols": 2}
        finish(ax, s.lesson, "largest logit x, of x, x − 1, x − 2", "probability of the first", legend)
    return ax


FATES = (
    ("overflow", "#CC79A7", "xx"),
    ("normal", "#56B4E9", ""),
    ("subnormal", "#E69F00", "//"),
    ("becomes 0", "#D55E00", "\\\\\\\\"),
)
"""What a gradient can become: its name, colour and hatching."""


@picture(
    "3.9% of gradients become 0 in binary16; 0.17% scaled by 1,024",
    gradients="Of any shape; by default those of a small network on the bundled digits.",
    scales="Loss scales: bars for the first, outlines for the others.",
)
def gradients(
    fmt: FormatLike = "binary16",
    gradients: npt.ArrayLike | None = None,
    *,
    scales: Sequence[float] = (1.0, 1024.0),
    ax: Axes | None = None,
    data: Gradients | None = None,
) -> Axes:
    """The exponents of gradients over the window of a format, and the same under a loss scale."""
    g = demos.gradients(fmt, gradients, scales=scales) if data is None else data
    with drawing(ax) as ax:
        edges = _window(g)
        _bars(ax, g, edges)
        for scale, look in zip(g.scales[1:], LOOKS[2:] + LOOKS[:2], strict=False):
            x = g.exponents + np.log2(scale / g.scales[0])
            style = {"color": "black", "linestyle": look.linestyle, "linewidth": 1.8}
            ax.step(x, 100 * g.shares, where="mid", label=f"loss × {scale:,.0f}", **style)
        low = _name_parts(ax, edges)
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


def _bars(ax: Axes, g: Gradients, edges: tuple[float, float, float]) -> None:
    """The gradients as they are under the first scale, by what they become."""
    x = g.exponents + np.log2(g.scales[0])
    fate = 3 - np.searchsorted(edges, x)
    for k, (name, color, hatch) in enumerate(FATES):
        chosen = fate == k
        if chosen.any():
            label = f"loss × {g.scales[0]:,.0f}: {name}"
            ax.bar(x[chosen], 100 * g.shares[chosen], 0.9, color=color, edgecolor="white", hatch=hatch, label=label)


def _name_parts(ax: Axes, edges: tuple[float, float, float]) -> float:
    """Widen the x axis so that every part of the window is seen, name the parts, and return where the axis begins."""
    low, high = ax.get_xlim()
    low, high = min(low, edges[0] - 16), max(high, edges[2] + 7)
    ax.set_xlim(low, high)
    for edge in edges:
        ax.axvline(edge, color=GREY, linewidth=1.2)
    style: dict[str, Any] = {"ha": "center", "va": "top", "color": GREY, "fontsize": 10}
    names = ("becomes 0", "subnormal", "normal", "infinite")
    for start, stop, name in zip((low, *edges), (*edges, high), names, strict=True):
        start, stop = max(start, low), min(stop, high)
        if stop - start > 5:
            ax.text((start + stop) / 2, 0.97, name, transform=ax.get_xaxis_transform(), **style)
    return low


@picture("1,000 updates of 0.001: bfloat16 1, Kahan 2, stochastic 2.004")
def stuck_weight(fmt: FormatLike = "bfloat16", *, ax: Axes | None = None, data: StuckWeight | None = None) -> Axes:
    """A weight that gets a small update a thousand times: nearest, compensated, stochastic."""
    w = computed_one(demos.stuck_weight, fmt, data)
    with drawing(ax) as ax:
        ax.plot(w.steps, w.paths["exact"], color="black", linestyle=":", linewidth=1.5, label="exact")
        names = {"ties_to_even": "to nearest", "Kahan": "to nearest, with Kahan", "stochastic": "stochastic, one run"}
        for (name, label), look in zip(names.items(), (LOOKS[1], LOOKS[0], LOOKS[2]), strict=True):
            style = look.line(markersize=6, markevery=len(w.steps) // 8, label=label)
            ax.plot(w.steps, w.paths[name], **style)
        finish(ax, w.lesson, f"updates of {w.update:g}", f"weight in {w.fmt.name}", {"loc": "upper left"})
    return ax


@picture("1,000 times 0.1 in bfloat16: nearest 32, stochastic mean 100.7")
def stochastic(fmt: FormatLike = "bfloat16", *, ax: Axes | None = None, data: Stochastic | None = None) -> Axes:
    """Many runs of a sum by stochastic rounding, their mean, and the run to nearest, which stops."""
    s = computed_one(demos.stochastic, fmt, data)
    with drawing(ax) as ax:
        for k, run in enumerate(s.runs):
            label = f"{len(s.runs)} stochastic runs" if k == 0 else None
            ax.plot(s.counts, run, color="#7FB8DA", linewidth=0.8, alpha=0.7, label=label)
        style: dict[str, Any] = {"markersize": 6, "markevery": len(s.counts) // 8, "linewidth": 2}
        ax.plot(s.counts, s.mean, label="their mean", **LOOKS[0].line(**style))
        ax.plot(s.counts, s.exact, color="black", linestyle=":", linewidth=1.8, label="exact")
        ax.plot(s.counts, s.nearest, label="to nearest", **LOOKS[1].line(**style))
        finish(ax, s.lesson, f"terms of {s.term:g} added", f"sum in {s.fmt.name}", {"loc": "upper left"})
    return ax
