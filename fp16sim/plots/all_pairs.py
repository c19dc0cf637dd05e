"""The picture of an operation on all pairs of an 8-bit format."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.all_pairs import Pairs
from ..formats import FormatLike, Rounding
from .gallery import picture
from .style import computed_one, drawing, finish


@picture(
    "Products of e4m3fn: 23% exact, 61% rounded, 16% overflow",
    fmt="Of at most 8 bits.",
    operation='"add", "subtract", "multiply" or "divide".',
)
def pairs(
    fmt: FormatLike = "e4m3fn",
    mode: Rounding | str = "ties_to_even",
    *,
    operation: str = "multiply",
    ax: Axes | None = None,
    data: Pairs | None = None,
) -> Axes:
    """The error of an operation in ulp, one cell for each pair of numbers of a small format, in ascending order."""
    p = computed_one(demos.pairs, fmt, data, mode, operation=operation)
    with drawing(ax) as ax:
        image = ax.imshow(p.error, origin="lower", cmap="cividis_r", vmin=0, interpolation="nearest")
        ax.figure.colorbar(image, ax=ax).set_label("error in ulp")
        _hatch(ax, p)
        ticks = np.unique(np.linspace(0, len(p.values) - 1, 5).round().astype(int))
        labels = [f"{p.values[k]:.3g}" for k in ticks]
        ax.set_xticks(ticks, labels)
        ax.set_yticks(ticks, labels)
        ax.grid(False)
        finish(ax, p.lesson, "a", f"b, for {p.operation}(a, b)", False)
        if p.overflow.any() or p.invalid.any():
            ax.legend(loc="upper left", bbox_to_anchor=(0, -0.07), ncols=2, borderaxespad=0)
    return ax


def _hatch(ax: Axes, p: Pairs) -> None:
    """The pairs that have no error: their result overflows or is not a number."""
    n = np.arange(len(p.values))
    for mask, hatch, text in ((p.overflow, "///", "overflow"), (p.invalid, "...", "no number")):
        if mask.any():
            ax.contourf(n, n, mask.astype(float), [0.5, 1.5], colors="none", hatches=[hatch])
            ax.fill_between([], [], hatch=hatch, facecolor="white", edgecolor="black", linewidth=0.5, label=text)
