"""Where a direct label stands: beside its own series, and over nothing else that is drawn.

What is drawn depends on the format, so no fixed place is free for all formats. A raster of the Axes shows which cells
are covered; each label takes the free place that is nearest to its series.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text

from ..conversion import Array
from .style import FONT, note

CELL = 2.0
"""The side of a cell of the raster in typographic points (1/72 inch)."""

PADDING = (5.0, 3.0)
"""What stays free around a label, to the sides and above and below, in points."""


class Name(NamedTuple):
    """The name of a series, and those of its points beside which the name may stand."""

    text: str
    color: str
    x: npt.ArrayLike
    y: npt.ArrayLike


def name_beside(ax: Axes, names: Sequence[Name], *, settled: bool = False) -> None:
    """Write each name beside its points, where it covers no line, no marker and no other text if that is possible.

    Call it last: title, labels and limits must be final. `settled`: the layout has been computed since.
    """
    if not settled:
        ax.figure.canvas.figure.draw_without_rendering()  # computes the layout
    corner, unit = np.array(ax.bbox.p0), CELL * ax.figure.dpi / 72
    covered = np.zeros([int(side / unit) + 1 for side in (ax.bbox.height, ax.bbox.width)], dtype=bool)
    for line in ax.lines:
        covered |= _line(line, corner, unit, covered.shape)
    for text in ax.texts:
        _cover(covered, _box(text, corner, unit))
    for name in names:
        points = _inside(ax, name)
        if not len(points):  # nothing is drawn that a name could stand beside
            continue
        label = ax.text(0, 0, name.text, fontsize=FONT)
        left, bottom, right, top = _box(label, corner, unit)
        label.remove()
        size = right - left + 2 * PADDING[0] / CELL, top - bottom + 2 * PADDING[1] / CELL
        x, y = _best(covered, points / unit, size)
        _cover(covered, (x, y, x + size[0], y + size[1]))
        middle = (np.array([x, y]) + np.array(size) / 2) * unit / [ax.bbox.width, ax.bbox.height]
        place: dict[str, Any] = {"xycoords": "axes fraction", "ha": "center", "va": "center", "color": name.color}
        note(ax, name.text, (float(middle[0]), float(middle[1])), (0, 0), **place)


def _inside(ax: Axes, name: Name) -> Array:
    """The points of a name that are inside the Axes, at most about 64, in pixels from their lower left corner."""
    points = ax.transData.transform(np.column_stack(np.broadcast_arrays(*map(np.atleast_1d, name[2:])))) - ax.bbox.p0
    points = points[((points >= -1) & (points <= [ax.bbox.width + 1, ax.bbox.height + 1])).all(axis=1)]
    return points[:: max(1, len(points) // 64)]


def _line(line: Line2D, corner: Array, unit: float, shape: tuple[int, ...]) -> Array:
    """The cells that a line and its markers cover."""
    with np.errstate(all="ignore"):
        points = (line.get_transform().transform(line.get_xydata()) - corner) / unit
    marked = line.get_marker() not in ("None", "none", "", " ", None)
    radius = max(line.get_markersize() if marked else 0, line.get_linewidth()) / 2 / CELL
    cells = np.zeros(shape, dtype=bool)
    for x, y in _stroke(points) if line.get_linestyle() not in ("None", "none") else points:
        if np.isfinite(x + y):
            _cover(cells, (x - radius, y - radius, x + radius, y + radius))
    return cells


def _stroke(points: Array) -> Iterator[Array]:
    """Points on the lines between neighbours, at most about a cell apart; those far outside do not matter."""
    for start, end in itertools.pairwise(points):
        if np.isfinite(start + end).all():
            yield from np.linspace(start, end, int(min(np.abs(end - start).max(), 2000)) + 2)


def _box(text: Text, corner: Array, unit: float) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a text, without its arrow, in cells."""
    box = Text.get_window_extent(text)
    low, high = (box.p0 - corner) / unit, (box.p1 - corner) / unit
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _cover(cells: Array, box: tuple[float, float, float, float]) -> None:
    left, bottom, right, top = (max(0, round(edge)) for edge in box)
    if box[2] >= 0 and box[3] >= 0:
        cells[bottom : top + 1, left : right + 1] = True


def _best(covered: Array, points: Array, size: tuple[float, float]) -> tuple[int, int]:
    """Left and bottom of the box that covers the fewest cells and, of those, is nearest to one of the points."""
    wide, high = (min(int(np.ceil(side)), limit - 1) for side, limit in zip(size, reversed(covered.shape), strict=True))
    total = np.pad(covered, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    used = total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]
    left, bottom = np.arange(used.shape[1])[None, :], np.arange(used.shape[0])[:, None]
    far = np.full(used.shape, np.inf)
    for x, y in points:
        far = np.minimum(far, np.hypot(_outside(x, left, wide), _outside(y, bottom, high)))
    place = np.unravel_index(np.lexsort((far.ravel(), used.ravel()))[0], used.shape)
    return int(place[1]), int(place[0])


def _outside(x: float, start: Array, length: int) -> Array:
    """How far x is outside the intervals that begin at `start`."""
    return np.maximum(0, np.maximum(start - x, x - start - length))
