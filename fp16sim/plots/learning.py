"""Pictures of learning in few bits: a softmax, gradients in their window, weights that move or do not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from .. import demos
from ..demos.learning import Attention, Gradients, Softmax, Stochastic, StuckWeight
from ..formats import FormatLike, Rounding
from .gallery import picture
from .labels import Name, name_beside
from .style import LOOKS, Formats, Label, computed, computed_one, drawing, finish, ink, name_ends, note, several


@picture("In binary16, a naive softmax is NaN from logit 11.094 on")
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
                ax.axvspan(edge, float(end), facecolor="none", edgecolor=ink("line"), hatch="//", linewidth=0, zorder=0)
                note(ax, text, ((edge + float(end)) / 2, 0.2), (0, 0), ha="center", color=LOOKS[1].color)
        shifted, naive = (look.line(markersize=7, markevery=12) for look in LOOKS[:2])
        ax.plot(s.x, s.shifted, label="shifted: exp(x − max) / sum", **shifted)
        ax.plot(s.x, s.naive, label="naive: exp(x) / sum", **{**naive, "linewidth": 2.8})
        ax.set_ylim(0, 1.15)
        finish(ax, s.lesson, "largest logit x, of x, x − 1, x − 2", "probability of the first")
        level = np.abs(s.naive - s.exact) < 0.1
        names = [
            Name("shifted: exp(x − max) / sum", LOOKS[0].color, s.x, s.shifted),
            Name("naive: exp(x) / sum", LOOKS[1].color, s.x[level], s.naive[level]),
        ]
        name_beside(ax, names)
    return ax


@picture("In binary16, a score 17.33 below the largest has weight 0")
def attention(
    fmt: Formats = ("binary16", "bfloat16"),
    *,
    ax: Axes | None = None,
    data: Attention | Sequence[Attention] | None = None,
) -> Axes:
    """The weights of a stable softmax, divided by the exact ones, against the distance from the largest score."""
    gaps = demos.attention(several(fmt)[0]).gaps if data is None else None
    found = computed(partial(demos.attention, gaps=gaps), fmt, data)
    first, names = found[0][1], []
    with drawing(ax) as ax:
        if first.zero_from < first.gaps[-1]:
            style: dict[str, Any] = {"facecolor": "none", "edgecolor": ink("line"), "hatch": "//", "linewidth": 0}
            ax.axvspan(first.zero_from, float(first.gaps[-1]), zorder=0, **style)
        if first.subnormal_from < first.gaps[-1]:
            ax.axvline(first.subnormal_from, color=ink("edge"), linewidth=1.5)
            note(ax, f"subnormal from {first.subnormal_from:.3g}", (first.subnormal_from, 2.2), (6, 0))
        for look, a in reversed(found):
            ax.plot(a.gaps, a.ratios, label=a.fmt.name, **look.line(markersize=7, markevery=(60, 240)))
            lost = a.ratios == 0
            chosen = lost if lost.any() else np.ones_like(lost)
            text = f"{a.fmt.name}: 0" if lost.any() else a.fmt.name
            names.append(Name(text, look.color, a.gaps[chosen], a.ratios[chosen]))
        ax.set_ylim(-0.05, 2.4)
        finish(ax, first.lesson, "distance of a score from the largest score", "stored weight / exact weight")
        name_beside(ax, names)
    return ax


FATES = (
    ("overflow", "rose", "xx"),
    ("normal", "blue", ""),
    ("subnormal", "violet", "//"),
    ("becomes 0", "orange", "\\\\\\\\"),
)
"""What a gradient can become: its name, hue and hatching."""


@picture(
    "3.9% of gradients become 0 in binary16; 0.17% at scale 1,024",
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
            style = {"color": ink("ink"), "linestyle": look.linestyle}
            ax.step(x, 100 * g.shares, where="mid", label=f"loss × {scale:,.0f}", **style)
        _name_parts(ax, edges)
        top = 100 * float(g.shares.max())
        peak = float(g.exponents[np.argmax(g.shares)])
        for k, scale in enumerate(g.scales):
            text = f"× {scale:,.0f}" if k else f"loss × {scale:,.0f}"
            place = (peak + np.log2(scale), top)
            note(ax, text, place, (0, 6 + 17 * k), ha="center" if k else "right", color=ink("ink"))
        ax.set_ylim(0, (1.2 + 0.1 * len(g.scales)) * top)
        finish(ax, g.lesson, f"exponent of the gradient, in the window of {g.fmt.name}", "% of nonzero gradients")
    return ax


def _window(g: Gradients) -> tuple[float, float, float]:
    """Where the window's parts begin, between bars: the smallest subnormal, the smallest normal, infinity."""
    return g.fmt.quantum_exponent_min - 1.5, g.fmt.emin - 0.5, g.fmt.emax + 0.5


def _bars(ax: Axes, g: Gradients, edges: tuple[float, float, float]) -> None:
    """The gradients as they are under the first scale, by what they become."""
    x = g.exponents + np.log2(g.scales[0])
    fate = 3 - np.searchsorted(edges, x)
    for k, (name, hue, hatch) in enumerate(FATES):
        chosen = fate == k
        if chosen.any():
            label = f"loss × {g.scales[0]:,.0f}: {name}"
            bar: dict[str, Any] = {"color": ink(hue), "edgecolor": ink("paper"), "hatch": hatch}
            ax.bar(x[chosen], 100 * g.shares[chosen], 0.9, label=label, **bar)


def _name_parts(ax: Axes, edges: tuple[float, float, float]) -> None:
    """Widen the x axis so that every part of the window is seen, and name the parts."""
    low, high = ax.get_xlim()
    low, high = min(low, edges[0] - 13), max(high, edges[2] + 4)
    ax.set_xlim(low, high)
    for edge in edges:
        ax.axvline(edge, color=ink("edge"), linewidth=1.5)
    style: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 13}
    names = ("becomes 0", "subnormal", "normal", "∞")
    hues = [hue for _, hue, _ in reversed(FATES)]
    for start, stop, name, hue in zip((low, *edges), (*edges, high), names, hues, strict=True):
        start, stop = max(start, low), min(stop, high)
        if stop - start > 0.016 * len(name) * (high - low):
            place = ax.get_xaxis_transform()
            ax.text((start + stop) / 2, 1.0, name, transform=place, color=ink(hue), **style)


@picture("A weight of 1 in bfloat16 ignores 1,000 updates of 0.001")
def stuck_weight(fmt: FormatLike = "bfloat16", *, ax: Axes | None = None, data: StuckWeight | None = None) -> Axes:
    """A weight that gets a small update a thousand times: nearest, compensated, stochastic."""
    w = computed_one(demos.stuck_weight, fmt, data)
    nearest, kahan, chance, exact = (w.paths[name] for name in ("ties_to_even", "Kahan", "stochastic", "exact"))
    with drawing(ax) as ax:
        every = {"markersize": 8, "markevery": len(w.steps) // 8}
        ax.plot(w.steps, kahan, label="Kahan", **LOOKS[0].line(**every, linewidth=3))
        ax.plot(w.steps, chance, label="stochastic", **LOOKS[2].line(**every))
        ax.plot(w.steps, nearest, label="to nearest", **LOOKS[1].line(**every))
        ax.plot(w.steps, exact, color=ink("ink"), linestyle=":", label="exact")
        finish(ax, w.lesson, f"updates of {w.update:g}", f"weight in {w.fmt.name}")
        late = slice(len(w.steps) // 2, None)
        several = f"stochastic: this run {chance[-1]:.4g},\n64 runs on average {w.mean:.4g}"
        names = [
            Name(f"exact {exact[-1]:.4g}", ink("ink"), w.steps[late], exact[late]),
            Name(f"Kahan {kahan[-1]:.4g}", LOOKS[0].color, w.steps[late], kahan[late]),
            Name(several, LOOKS[2].color, w.steps[late], chance[late]),
            Name(f"to nearest {nearest[-1]:.4g}", LOOKS[1].color, w.steps[late], nearest[late]),
        ]
        name_beside(ax, names)
    return ax


@picture("1,000 times 0.1 in bfloat16: 32 to nearest, 100.7 on average")
def stochastic(fmt: FormatLike = "bfloat16", *, ax: Axes | None = None, data: Stochastic | None = None) -> Axes:
    """Many runs of a sum by stochastic rounding, their mean, and the run to nearest, which stops."""
    s = computed_one(demos.stochastic, fmt, data)
    with drawing(ax) as ax:
        for k, run in enumerate(s.runs):
            label = f"{len(s.runs)} stochastic runs" if k == 0 else None
            ax.plot(s.counts, run, color=LOOKS[2].color, linewidth=0.9, alpha=0.35, label=label)
        style: dict[str, Any] = {"markersize": 8, "markevery": len(s.counts) // 8}
        ax.plot(s.counts, s.mean, label="their mean", **LOOKS[2].line(**style, linewidth=2.8))
        ax.plot(s.counts, s.exact, color=ink("ink"), linestyle=":", label="exact")
        ax.plot(s.counts, s.nearest, label="to nearest", **LOOKS[1].line(**style))
        end = float(s.counts[-1])
        labels = [
            Label(f"exact {s.exact[-1]:.4g}", ink("ink"), end, float(s.exact[-1])),
            Label(f"mean {s.mean[-1]:.4g}", LOOKS[2].color, end, float(s.mean[-1])),
            Label(f"nearest {s.nearest[-1]:.4g}", LOOKS[1].color, end, float(s.nearest[-1])),
        ]
        name_ends(ax, labels)
        finish(ax, s.lesson, f"terms of {s.term:g} added", f"sum in {s.fmt.name}")
        late = slice(len(s.counts) // 2, None)
        text = f"{len(s.runs)} stochastic runs"
        name_beside(ax, [Name(text, LOOKS[2].color, s.counts[late], s.runs[:, late].max(axis=0))])
    return ax
