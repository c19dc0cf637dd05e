"""The picture of an operation on all pairs of an 8-bit format."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import demos
from ..formats import FormatLike, Rounding
from .style import computed_one, drawing, finish


def pairs(
    fmt: FormatLike = "e4m3fn",
    mode: Rounding | str = "ties_to_even",
    *,
    operation: str = "multiply",
    ax: Any = None,
    data: Any = None,
) -> Any:
    """The error of an operation on all pairs of a small format, in ulp: a cell a pair, in the order of the numbers.

    Parameters
    ----------
    fmt : Format, str or dtype
        Of at most 8 bits.
    mode : Rounding or str
    operation : {"add", "subtract", "multiply", "divide"}
    ax : Axes, optional
    data : optional
        What `fp16sim.demos.pairs` returns.

    Returns
    -------
    Axes
    """
    p = computed_one(demos.pairs, fmt, data, mode, operation=operation)
    with drawing(ax) as ax:
        n = len(p.values)
        image = ax.imshow(p.error, origin="lower", cmap="cividis_r", vmin=0, interpolation="nearest")
        bar = ax.figure.colorbar(image, ax=ax)
        bar.set_label("error in ulp")
        for mask, hatch, text in ((p.overflow, "///", "overflow"), (p.invalid, "...", "no number")):
            if mask.any():
                ax.contourf(np.arange(n), np.arange(n), mask.astype(float), [0.5, 1.5], colors="none", hatches=[hatch])
                ax.fill_between([], [], hatch=hatch, facecolor="white", edgecolor="black", linewidth=0.5, label=text)
        ticks = np.unique(np.linspace(0, n - 1, 5).round().astype(int))
        labels = [f"{p.values[k]:.3g}" for k in ticks]
        ax.set_xticks(ticks, labels)
        ax.set_yticks(ticks, labels)
        ax.grid(False)
        finish(ax, p.lesson, "a", f"b, for {p.operation}(a, b)", False)
        if p.overflow.any() or p.invalid.any():
            ax.legend(loc="upper left", bbox_to_anchor=(0, -0.07), ncols=2, borderaxespad=0)
    return ax
