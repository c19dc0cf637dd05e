"""The picture of a matrix unit's window: the bits of every term of a step, and where they are cut off."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .. import demos
from ..demos.matrix_units import Window
from .style import LOOKS, drawing, finish, ink, note


def window(data: Window | None = None, *, ax: Axes | None = None) -> Axes:
    """The terms of one step of a matrix unit as bars of bits: what is left of the line is kept, the rest is cut off.

    Parameters
    ----------
    data : Window, optional
        What `fp16sim.demos.window` computed; its own example by default.
    ax : Axes, optional

    Returns
    -------
    Axes
        `ax`, or the Axes of the new figure.
    """
    data = demos.window() if data is None else data
    group = data.group
    last = data.last
    terms = [term for term in group.terms if term.value]
    with drawing(ax) as ax:
        for y, term in enumerate(terms):
            first, end = data.bits(term.value)
            if first >= last:
                kept = max(end, last)
                ax.barh(y, -(first - kept + 1), left=first + 0.5, height=0.6, color=LOOKS[0].color)
            if end < last:
                top = min(first, last - 1)
                style: dict[str, Any] = {
                    "color": "none",
                    "edgecolor": LOOKS[1].color,
                    "hatch": "////",
                    "linewidth": 1.5,
                }
                ax.barh(y, -(top - end + 1), left=top + 0.5, height=0.6, **style)
        if group.bits is not None:
            ax.axvline(last - 0.5, color=ink("ink"), linewidth=1.5)
            note(ax, "cut off", (last - 0.5, 0), (6, 0))
            note(ax, "kept", (last - 0.5, 0), (-6, 0), ha="right")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.invert_xaxis()
        ax.invert_yaxis()
        ax.set_yticks(range(len(terms)), [term.name for term in terms])
        ax.grid(axis="y", visible=False)
        finish(ax, data.lesson, "exponent of a bit", "sum so far (s) and products (p)")
    return ax
