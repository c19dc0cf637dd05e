"""SVG drawings that fill any width while their text stays readable: positions are in percent, sizes in pixels.

A drawing has no viewBox, so texts, markers and lines keep their size. Curves and bars must stretch, so they are in a
nested drawing with a viewBox, whose strokes keep their width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from .markup import Markup, join, number, tag
from .series import ticks

MARKERS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "M-3.6-3.6h7.2v7.2h-7.2z",
    "M0-4.8L4.6 3.4h-9.2z",
    "M0-5L5 0 0 5-5 0z",
    "M0 4.8L4.6-3.4h-9.2z",
    "M-1.6-4.6h3.2v3h3v3.2h-3v3h-3.2v-3h-3v-3.2h3z",
)
CROSS = "M-6-3.6L-3.6-6 0-2.4 3.6-6 6-3.6 2.4 0 6 3.6 3.6 6 0 2.4-3.6 6-6 3.6-2.4 0z"
COLOURS = len(MARKERS)


def classes_of(k: int) -> str:
    """The CSS classes of the k-th run, for its colour and its dashes; those of 36 runs differ."""
    return f"c{k % COLOURS} d{_form(k)}"


def _form(k: int) -> int:
    return (k + k // COLOURS) % COLOURS


FORMATS = ("binary16", "bfloat16", "binary32", "binary64")
"""The formats that have a look of their own: the first looks, in this order."""


def looks(names: Sequence[str]) -> list[int]:
    """The number of the look of each run: that of its format if it is named like one, else one that no other has.

    Of many runs, or some with the same name, each has the look of its place.

    >>> looks(["binary32", "binary16", "e5m2"]), looks(["a", "a"])
    ([2, 0, 4], [0, 1])
    """
    if len(names) > COLOURS or len(set(names)) < len(names):
        return list(range(len(names)))
    own = {name: k for k, name in enumerate(FORMATS) if name in names}
    free = iter([k for k in (*range(len(FORMATS), COLOURS), *range(len(FORMATS))) if k not in own.values()])
    return [own[name] if name in own else next(free) for name in names]


def definitions() -> Markup:
    """The shapes of the markers, defined once for the whole page."""
    shapes = [tag("path", id=f"m{k}", d=d) for k, d in enumerate(MARKERS)]
    shapes.append(tag("path", id="cross", d=CROSS))
    return tag("svg", tag("defs", shapes), width="0", height="0", class_="defs", aria_hidden="true")


def swatch(k: int) -> Markup:
    """A short line of the k-th run with its marker, for legends."""
    line = tag("line", x1="0", y1="7", x2="34", y2="7", class_="curve")
    kind = f"swatch {classes_of(k)}"
    return tag("svg", line, _marker(k, "17", "7"), width="34", height="14", class_=kind, aria_hidden="true")


def _marker(k: int, x: str, y: str) -> Markup:
    return tag("use", href=f"#m{_form(k)}", x=x, y=y, class_="marker")


def stretched(low: float, high: float, *parts: Any, height: float = 1.0) -> Markup:
    """A nested drawing that fills its parent: x goes from low to high, and y down from 0 to height."""
    box = f"{number(low)} 0 {number(high - low)} {number(height)}"
    return tag("svg", *parts, viewBox=box, preserveAspectRatio="none", width="100%", height="100%")


# --- curves ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A run's curve through points; a `stepped` one keeps each value until the next."""

    run: int
    label: str
    points: Sequence[tuple[float, float]]
    stepped: bool = False
    marks: Sequence[float] = ()
    """Where crosses on the x axis mark a skipped step, or the death of the run."""


@dataclass(frozen=True)
class Axis:
    """An axis: its ends, the values at which it has numbers, and how to write them."""

    low: float
    high: float
    at: Sequence[float]
    write: Callable[[float], str]

    @classmethod
    def spanning(cls, values: Iterable[float], write: Callable[[float], str], *, most: float | None = None) -> Axis:
        """An axis with round numbers, a little longer than the range of the values; no value can exceed `most`."""
        kept = list(values)
        low, high = min(kept), max(kept)
        margin = (high - low) * 0.06 or max(abs(high) * 0.01, 1e-3)
        high = high + margin if most is None else min(high + margin, most)
        low = max(0.0, low - margin) if low >= 0 else low - margin
        return cls(low, high, ticks(low, high, 4), write)

    @classmethod
    def counting(cls, last: int, first: int = 1) -> Axis:
        """An axis of whole numbers from the first to the last, with a margin at both ends."""
        margin = max((last - first) * 0.04, 0.5 if last == first else 0.1)
        at = [x for x in ticks(first, max(last, first + 1), 6) if x == int(x) and x <= last]
        apart = (last - first) / 12
        return cls(first - margin, last + margin, [first, *(x for x in at if x - first > apart)], lambda x: f"{x:,.0f}")

    def place(self, x: float) -> float:
        """The position of a value, in percent of the axis from its low end."""
        return 100 * (x - self.low) / (self.high - self.low)


def chart(
    title: str, x: Axis, y: Axis, lines: Sequence[Line], said: str, xlabel: str = "epoch", note: str = ""
) -> Markup:
    """Curves over a grid: a figure with its title, and a sentence that describes it to readers who cannot see it."""
    grid = [_across(y, value) for value in y.at] + [_along(x, value) for value in x.at]
    drawing = tag("svg", grid, [_curve(line, x, y) for line in lines], class_="plot", role="img", aria_label=said)
    foot = tag("div", xlabel, class_="xlabel")
    caption = tag(
        "figcaption", tag("strong", title) if title else None, tag("span", note, class_="muted") if note else None
    )
    return tag("figure", caption, tag("div", drawing, class_="axes"), foot, class_="chart")


def _across(y: Axis, value: float) -> Markup:
    at = number(100 - y.place(value))
    line = tag("line", x1="0", x2="100%", y1=f"{at}%", y2=f"{at}%", class_="grid")
    return join(line, tag("text", y.write(value), x="0", dx="-6", y=f"{at}%", dy="0.33em", class_="end"))


def _along(x: Axis, value: float) -> Markup:
    at = number(x.place(value))
    return tag("text", x.write(value), x=f"{at}%", y="100%", dy="16", class_="middle")


def _curve(line: Line, x: Axis, y: Axis) -> Markup:
    parts = [[(x.place(a), 100 - y.place(b)) for a, b in part] for part in parts_of(line.points)]
    crosses = [_cross(number(x.place(a)), "100") for a in line.marks]
    if not parts:
        return join(crosses)
    path = "".join(_path(_stepped(part) if line.stepped else part) for part in parts)
    curve = stretched(0, 100, tag("path", d=path, class_="curve"), height=100)
    placed = [point for part in parts for point in part]
    every = -(-len(placed) // 12) if len(parts) == 1 else 1  # a point between two gaps has no line that shows it
    shown = [] if line.stepped else [placed[i] for i in range(len(placed) - 1, -1, -every)]
    marks = [_marker(line.run, f"{number(a)}%", f"{number(b)}%") for a, b in shown]
    return tag("g", curve, marks, crosses, class_=classes_of(line.run))


def parts_of(points: Iterable[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """The parts of a curve between its gaps, which are the points whose y is NaN.

    >>> parts_of([(1, 5.0), (2, math.nan), (3, 6.0), (4, 7.0)])
    [[(1, 5.0)], [(3, 6.0), (4, 7.0)]]
    """
    grouped = groupby(points, key=lambda point: math.isfinite(point[1]))
    return [list(part) for measured, part in grouped if measured]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(a)} {number(b)}" for a, b in points)


def _cross(x: str, y: str) -> Markup:
    return tag("use", href="#cross", x=f"{x}%", y=f"{y}%", class_="cross")


def _stepped(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    corners = [(after[0], before[1]) for before, after in pairwise(points)]
    return [point for pair in zip(points, [*corners, points[-1]], strict=True) for point in pair]


# --- bars -----------------------------------------------------------------------------------------------------------


def bars(tops: Iterable[tuple[float, float]], **attributes: Any) -> Markup:
    """Bars of width 1 that stand on y = 1, from their left ends and heights, as one path; neighbours share an outline.

    >>> bars([(2, 1.0), (3, 0.5), (7, 0.25)])
    '<path d="M2 1V0h1V.5h1V1zM7 1V.75h1V1z"></path>'
    """
    runs: list[str] = []
    right = None
    for left, height in tops:
        if left != right:
            runs.append(f"M{number(left)} 1")
        runs[-1] += f"V{_fine(1 - height)}h1"
        right = left + 1
    return tag("path", d="".join(f"{run}V1z" for run in runs), **attributes)


def _fine(y: float) -> str:
    return f"{y:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"
