"""The picture of an operation on all pairs of an 8-bit format."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch

from .. import demos
from ..demos.all_pairs import Pairs
from ..formats import FormatLike, Rounding
from ..wording import percent
from .gallery import picture
from .style import computed_one, drawing, finish, ink


@picture(
    "Products of e4m3fn: 23% exact, 16% overflow",
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
        colors = LinearSegmentedColormap.from_list("error", [ink("low"), ink("high")]).with_extremes(under=ink("exact"))
        top = max(0.5, float(np.nanmax(p.error, initial=0)))
        image = ax.imshow(
            p.error, origin="lower", cmap=colors, vmin=1e-9, vmax=top, interpolation="nearest", aspect="auto"
        )
        _hatch(ax, p)
        ends = np.unique(p.values[np.isin(p.values, [p.values[0], -1, 0, 1, p.values[-1]])])
        ticks = np.searchsorted(p.values, ends).tolist()
        labels = [f"{p.values[k] + 0.0:g}".replace("-", "−") for k in ticks]
        ax.set_xticks(ticks, labels)
        ax.set_yticks(ticks, labels)
        ax.grid(False)
        finish(ax, p.lesson, "a", f"b, for a {SIGNS[p.operation]} b")
        ax.legend(handles=_key(p), loc="upper left", bbox_to_anchor=(1.03, 1.0), handlelength=1.4, handleheight=1.4)
        inset = ax.inset_axes((1.09, 0.02, 0.08, 0.4))
        ax.figure.colorbar(image, cax=inset, ticks=[1e-9, top / 2, top]).outline.set_visible(False)
        inset.set_title("error in ulp", fontsize=13, fontweight="normal")
        inset.set_yticklabels(["0", f"{top / 2:g}", f"{top:g}"])
    return ax


SIGNS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷"}


def _key(p: Pairs) -> list[Patch]:
    """What a cell can be, with its share of all pairs."""
    kinds = (
        ("exact", "exact", ""),
        ("rounded", "high", ""),
        ("overflow", "over", "///"),
        ("invalid", "nan", "..."),
    )
    names = {"invalid": "no number"}
    return [
        Patch(
            facecolor=ink(hue),
            edgecolor=ink("ink"),
            hatch=hatch,
            linewidth=0.8,
            label=f"{names.get(kind, kind)} {percent(p.shares[kind])}",
        )
        for kind, hue, hatch in kinds
        if p.shares[kind]
    ]


def _hatch(ax: Axes, p: Pairs) -> None:
    """The pairs that have no error: their result overflows or is not a number."""
    n = np.arange(len(p.values))
    for mask, hue, hatch in ((p.overflow, "over", "///"), (p.invalid, "nan", "...")):
        if mask.any():
            ax.contourf(n, n, mask.astype(float), [0.5, 1.5], colors=[ink(hue)], hatches=[hatch])
