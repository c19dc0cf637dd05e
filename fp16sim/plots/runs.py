"""Pictures of what was run here: training, and the benchmark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..learn import Epoch, History
from ..learn.run.settings import compare_settings
from ..learn.run.train import ranking
from ..report.notes import shared_settings
from ..wording import decimal, did_you_mean, joined, percent, quoted, shortened
from .labels import Name, name_beside
from .style import FONT, LOOKS, SIZE, Look, distinct_looks, drawing, folded, ink, literal, styled, typeset


class Measure(NamedTuple):
    """What a panel shows of an epoch: a part of 1 in percent, or another number; None if it was not measured."""

    title: str
    unit: str
    of: Callable[[Epoch], float | None]
    factor: float = 100.0
    from_zero: bool = True


MEASURES = {
    "accuracy": Measure("Test accuracy", "% of test images", lambda e: e.test_accuracy, from_zero=False),
    "bits": Measure("Bits per character", "bits", lambda e: e.bits_per_character, 1.0, from_zero=False),
    "absorbed": Measure(
        "Updates without effect", "% of nonzero updates (absorbed)", lambda e: e.absorbed_updates.value
    ),
    "lost": Measure("Gradients that became 0", "% of nonzero gradients (underflow)", lambda e: e.lost_gradients.value),
}


def curve(history: History, measure: str) -> tuple[list[int], list[float]]:
    """The numbers of a line: the epochs, without the one in which the run died, and the measure of each.

    What was not measured is NaN, which is drawn as a gap.
    """
    epochs = history.epochs[: -1 if history.death else None]
    found = MEASURES[measure]
    parts = [found.of(epoch) for epoch in epochs]
    return [epoch.number for epoch in epochs], [math.nan if part is None else found.factor * part for part in parts]


def looks(histories: Sequence[History]) -> Iterator[Look]:
    """A look for each run; see `distinct_looks`."""
    return distinct_looks([history.config.label for history in histories])


LONGEST = 30
"""A longer name of a run covers the axes beside its own; the table and the report have it in full."""


def drawn_name(history: History) -> str:
    """The name of a run, as a picture shows it."""
    return literal(shortened(history.config.label, LONGEST))


def training(histories: Sequence[History], measure: str = "accuracy", ax: Axes | None = None) -> Axes:
    """One measure against epochs, a line for each run; a cross on the axis marks the epoch in which a run died.

    Epochs in which it was not measured are gaps.

    Parameters
    ----------
    histories : sequence of History
    measure : {"accuracy", "bits", "absorbed", "lost"}
        "bits" are the bits per character of a language model.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For an unknown measure.
    """
    if measure not in MEASURES:
        known = f"{did_you_mean(measure, MEASURES)}use one of {', '.join(map(repr, MEASURES))}"
        raise ValueError(f"measure={quoted(measure)} is unknown; {known}")
    with drawing(ax) as ax:
        for look, history in zip(looks(histories), histories, strict=False):
            numbers, values = curve(history, measure)
            # A point between two gaps has no line that shows it, so each point gets a marker.
            every = 1 if any(map(math.isnan, values)) else max(1, -(-len(numbers) // 12))
            ax.plot(numbers, values, label=drawn_name(history), **look.line(markersize=7, markevery=every))
            if history.death:
                place: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False, "zorder": 5}
                ax.plot(history.epochs[-1].number, 0, "X", color=look.color, markersize=13, **place)
        if not any(math.isfinite(y) for history in histories for y in curve(history, measure)[1]):
            ax.text(0.5, 0.5, "not measured", transform=ax.transAxes, ha="center", color=ink("muted"))
        ax.set(title=MEASURES[measure].title, xlabel="epoch", ylabel=MEASURES[measure].unit)
        last = max((len(history.epochs) for history in histories), default=1)
        margin = 0.05 * max(last - 1, 1)
        ax.set_xlim(1 - margin, last + margin)  # also where the first or last epochs are gaps
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if MEASURES[measure].from_zero:
            ax.set_ylim(bottom=0)
        ax.legend()
    return ax


TRAINING_SIZE = (15.0, 5.8)
"""Width and height of the picture of a training in inches: three panels side by side."""


def training_figure(
    histories: Sequence[History], *, theme: str = "light", size: tuple[float, float] = TRAINING_SIZE
) -> Figure:
    """The three measures, under a sentence that says what they show, and over the settings of the runs.

    Parameters
    ----------
    histories : sequence of History
    theme : {"light", "dark"}
    size : (float, float)
        Width and height in inches. If it is higher than wide, the panels stand one below the other.

    Returns
    -------
    Figure
    """
    width, height = size
    with styled(theme):
        figure = Figure(figsize=size, layout="constrained")
        measures = ["bits" if any(h.writes for h in histories) else "accuracy", "absorbed", "lost"]
        shape = (len(measures), 1) if height > width else (1, len(measures))
        panels = dict(zip(measures, figure.subplots(*shape), strict=True))
        for measure, ax in panels.items():
            training(histories, measure, ax)
            if measure != measures[0]:
                ax.get_legend().remove()  # that of the first panel is for all
        title = folded(typeset(literal(lesson(histories))), round(6.4 * width))
        figure.suptitle(title, x=0.01, ha="left", fontsize=18, fontweight="bold")
        note = folded(literal(settings_note(histories)), round(10.4 * width))
        figure.supxlabel(note, x=0.01, ha="left", fontsize=FONT, color=ink("muted"))
        if len(histories) <= MOST_NAMES:
            figure.draw_without_rendering()
            for measure in measures[1:]:  # in the first panel the lines of good runs lie on each other
                name_beside(panels[measure], list(_names(histories, measure)), settled=True)
    return figure


MOST_NAMES = 4
"""Of more runs, names at the lines would crowd the panels; then the legend alone says which is which."""


def _names(histories: Sequence[History], measure: str) -> Iterator[Name]:
    """The name of each run, beside its line without the first third, or beside the cross where it died."""
    for look, history in zip(looks(histories), histories, strict=False):
        numbers, values = curve(history, measure)
        third, label = len(numbers) // 3, drawn_name(history)
        if history.death:
            yield Name(f"{label} died", look.color, history.epochs[-1].number, 0)
        else:
            yield Name(label, look.color, numbers[third:], values[third:])


def lesson(histories: Sequence[History]) -> str:
    """What the picture shows, in a sentence computed from it."""
    dead = [f"{h.config.label} at step {h.death.step}" for h in histories if h.death]
    if dead:
        return f"Died: {', '.join(dead)}"
    bits = [b for h in histories if (b := h.epochs[-1].bits_per_character) is not None]
    if len(bits) == len(histories):
        ends = " to ".join(dict.fromkeys(decimal(b) for b in (min(bits), max(bits))))
        return f"Every product and every sum rounded: {ends} bits per character"
    reached = [a for h in histories if (a := h.epochs[-1].test_accuracy) is not None]
    if len(reached) < len(histories):
        ends = joined(f"{h.config.label} {decimal(h.epochs[-1].loss)}" for h in histories)
        return f"Every product and every sum rounded: training loss {ends}"
    low, high = percent(min(reached)), percent(max(reached))
    found = ranking(histories)
    within = ", a difference within chance" if found and not found.beyond and low != high else ""
    return f"Every product and every sum rounded: test accuracy {low if low == high else f'{low} to {high}'}{within}"


def settings_note(histories: Sequence[History]) -> str:
    """The settings that all runs share, and the names of those in which they differ."""
    configs = [h.config for h in histories]
    differing = list(compare_settings(configs).differing)
    return shared_settings(configs) + (f" They differ in {joined(differing)}." if differing else "")


# --- the benchmark --------------------------------------------------------------------------------------------------


def cost(curves: Mapping[str, Sequence[tuple[int, float]]], ax: Axes | None = None) -> Axes:
    """Nanoseconds for an element against the number of elements, on logarithmic scales.

    Parameters
    ----------
    curves : mapping of str to sequence of (int, float)
        The points of each line: elements, and nanoseconds for an element, as `fp16sim.bench.curve` returns them.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    names = []
    with drawing(ax) as ax:
        for look, (name, points) in zip(cycle(LOOKS), curves.items(), strict=False):
            sizes, times = [n for n, _ in points], [ns for _, ns in points]
            ax.plot(sizes, times, label=name, **look.line(markersize=7))
            names.append(Name(literal(name), look.color, sizes, times))
        ax.set(xscale="log", yscale="log", title="Cost of an element", xlabel="elements", ylabel="ns for an element")
        name_beside(ax, names)
    return ax


def cost_figure(
    curves: Mapping[str, Sequence[tuple[int, float]]], *, theme: str = "light", size: tuple[float, float] = SIZE
) -> Figure:
    """`cost` in a figure of its own, of a size in inches."""
    with styled(theme):
        figure = Figure(figsize=size, layout="constrained")
        cost(curves, figure.subplots())
    return figure
