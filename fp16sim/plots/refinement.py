"""The picture of iterative refinement: which condition numbers converge, by format and method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from .. import demos
from ..demos.refinement import WAYS, Refined
from ..formats import Rounding
from .gallery import picture
from .style import FONT, Formats, Look, computed, drawing, finish, ink

XLABEL = "condition number\n(number: corrections; cross: it fails)"


@picture("Factors in binary16 suffice up to condition 10^4, by GMRES 10^8")
def refinement(
    fmt: Formats = ("binary16", "bfloat16"),
    mode: Rounding | str = "ties_to_even",
    *,
    ax: Axes | None = None,
    data: Refined | Sequence[Refined] | None = None,
) -> Axes:
    """The corrections until x of binary32 has all its digits, by condition number; a cross where it never has."""
    series = computed(demos.refinement, fmt, data, mode)
    rows = [(look, found, way) for look, found in series for way in WAYS]
    with drawing(ax) as ax:
        for y, (look, found, way) in enumerate(rows):
            _row(ax, y, look, found, way)
        ax.set(xscale="log", ylim=(len(rows) - 0.4, -0.8), xlim=(4, 2.5 * float(series[0][1].conditions[-1])))
        ax.set_yticks(range(len(rows)), [f"{found.fmt.name}, {way}" for _, found, way in rows])
        ax.grid(axis="y", visible=False)
        finish(ax, series[0][1].lesson, XLABEL, "format of the factors, and method")
    return ax


def _row(ax: Axes, y: int, look: Look, found: Refined, way: str) -> None:
    """The numbers of corrections above their points, crosses, and why there are only crosses."""
    k = list(WAYS).index(way)
    steps, x = found.steps[k], found.conditions
    solved = np.isfinite(steps)
    height = np.full(len(x), float(y))
    ax.plot(x[~solved], height[~solved], "x", color=ink("muted"), markersize=8, mew=1.8)
    if solved.any():
        style = look.line(markersize=8) | {"linestyle": (":", "--", "-")[k], "label": f"{found.fmt.name}, {way}"}
        ax.plot(x[solved], height[solved], **style)
    for at, count in zip(x[solved], steps[solved], strict=True):
        ax.text(at, y - 0.17, f"{count:.0f}", ha="center", va="bottom", fontsize=FONT, color=ink("ink"))
    if not found.fits[k].any():
        middle = float(np.sqrt(x[0] * x[-1]))
        words = f"the matrix is beyond {found.fmt.name}"
        ax.text(middle, y - 0.17, words, ha="center", va="bottom", fontsize=FONT, color=ink("muted"))
