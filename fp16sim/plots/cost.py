"""The picture of cost against size: what an element costs in small and in large arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.figure import Figure

from .style import LOOKS, new_axes, styled


def cost(curves: Mapping[str, Sequence[tuple[int, float]]], ax: Any = None) -> Any:
    """Nanoseconds an element against the number of elements, on logarithmic scales.

    Parameters
    ----------
    curves : mapping of str to sequence of (int, float)
        For each line its points: elements, and nanoseconds an element, as `fp16sim.bench.curve` gives them.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    with styled():
        ax = new_axes() if ax is None else ax
        for look, (name, points) in zip(cycle(LOOKS), curves.items(), strict=False):
            ax.plot([n for n, _ in points], [ns for _, ns in points], label=name, **look._asdict(), markersize=5)
        ax.set(xscale="log", yscale="log", title="Cost of an element", xlabel="elements", ylabel="ns an element")
        ax.legend()
    return ax


def cost_figure(curves: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """`cost` in a figure of its own."""
    with styled():
        figure = Figure(figsize=(7, 4.6), layout="constrained")
        cost(curves, figure.subplots())
    return figure
