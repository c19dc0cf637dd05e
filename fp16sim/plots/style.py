"""One look for all pictures, on paper and at night: the hues of the page, and never colour alone."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import ScalarFormatter

from ..files import atomic_path
from ..formats import Format, FormatLike, get_format
from ..report.svg import FORMATS, looks
from ..wording import printable, quoted, with_superscripts

SIZE = (7.5, 5.0)
"""Width and height of a picture in inches: small, so that its text is large on a slide."""

DPI = 200

FONT = 13
"""The size of labels in points: 12 pixels in a picture at a third of its size."""

THEMES = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1c1e24",
        "muted": "#575c68",
        "line": "#e2e2dd",
        "edge": "#80858f",
        "blue": "#0b7f9c",
        "orange": "#bf5611",
        "violet": "#4a1fd6",
        "green": "#2b3d12",
        "rose": "#7a2552",
        "gold": "#8a6e45",
        "exact": "#f3f3f0",
        "low": "#aab2ee",
        "high": "#3a22b5",
        "over": "#f2b48c",
        "nan": "#b9bcc2",
    },
    "dark": {
        "paper": "#1c1f26",
        "ink": "#eceef3",
        "muted": "#a7aebc",
        "line": "#313743",
        "edge": "#7d8696",
        "blue": "#75e0ff",
        "orange": "#f75a1e",
        "violet": "#8780ff",
        "green": "#cae796",
        "rose": "#fd739d",
        "gold": "#ffd400",
        "exact": "#23272f",
        "low": "#5a60a0",
        "high": "#c9bfff",
        "over": "#a4562a",
        "nan": "#7b828e",
    },
}
"""The colours of each theme. The hues are those of the page (fp16sim/page/tokens.css). Their lightness is such that
readers with any kind of colour blindness tell the six series apart."""

_theme: ContextVar[str] = ContextVar("theme", default="light")


def ink(name: str) -> str:
    """A colour of the theme in which the picture is drawn."""
    return THEMES[_theme.get()][name]


class Look(NamedTuple):
    """How one series is drawn: by colour, dashes and marker, so that any one of them is enough."""

    hue: str
    linestyle: Any
    marker: str

    @property
    def color(self) -> str:
        """The hue in the theme in which the picture is drawn."""
        return ink(self.hue)

    def line(self, **more: Any) -> dict[str, Any]:
        """A line with markers, for `Axes.plot`."""
        return {"color": self.color, "linestyle": self.linestyle, "marker": self.marker, **more}

    def dots(self, **more: Any) -> dict[str, Any]:
        """Markers without a line."""
        return self.line(**{"linestyle": "", **more})


LOOKS = (
    Look("blue", "-", "o"),
    Look("orange", (0, (5, 1.5)), "s"),
    Look("violet", (0, (1.5, 1)), "^"),
    Look("green", (0, (5, 1.5, 1.5, 1.5)), "D"),
    Look("rose", (0, (3, 1)), "v"),
    Look("gold", (0, (8, 2)), "P"),
)

FORMAT_LOOKS = dict(zip(FORMATS, LOOKS, strict=False))
"""A format has the same look in every picture; other formats take what is left."""


def _settings() -> Any:
    return {
        "font.family": "DejaVu Sans",
        "font.size": 14,
        "text.color": ink("ink"),
        "figure.facecolor": ink("paper"),
        "savefig.facecolor": "auto",
        "axes.facecolor": ink("paper"),
        "axes.edgecolor": ink("edge"),
        "axes.labelcolor": ink("ink"),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.titlelocation": "left",
        "axes.titlesize": 16,
        "axes.titleweight": "bold",
        "axes.titlepad": 10,
        "xtick.color": ink("edge"),
        "ytick.color": ink("edge"),
        "xtick.labelcolor": ink("ink"),
        "ytick.labelcolor": ink("ink"),
        "xtick.labelsize": 13,
        "ytick.labelsize": 13,
        "grid.color": ink("line"),
        "lines.linewidth": 2.2,
        "legend.fontsize": 13,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "figure.constrained_layout.w_pad": 0.09,
        "figure.constrained_layout.h_pad": 0.09,
        "svg.hashsalt": "fp16sim",
    }


@contextmanager
def styled(theme: str | None = None) -> Iterator[None]:
    """Draw in the common look inside this context; the user's own settings stay as they are.

    Parameters
    ----------
    theme : {"light", "dark"}, optional
        By default that of the context around this one, or "light".
    """
    if theme is not None and theme not in THEMES:
        raise ValueError(f"theme={quoted(theme)} is unknown; use 'light' or 'dark'")
    before = _theme.set(theme or _theme.get())
    try:
        with matplotlib.rc_context(_settings()):
            yield
    finally:
        _theme.reset(before)


def new_axes() -> Axes:
    """Axes of a new pyplot figure, which a notebook shows."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=SIZE, layout="constrained")[1]


@contextmanager
def drawing(ax: Axes | None) -> Iterator[Axes]:
    """The Axes to draw on, in the common look: `ax`, in the theme of its background, or those of a new figure."""
    dark = ax is not None and sum(to_rgb(ax.get_facecolor())) < 1.5
    with styled(None if ax is None else "dark" if dark else "light"):
        yield new_axes() if ax is None else ax


# --- the data of a picture ------------------------------------------------------------------------------------------

Data = TypeVar("Data")
Formats: TypeAlias = FormatLike | Sequence[FormatLike]
"""One format or several, for pictures that have a line for each."""


def several(fmt: Formats) -> tuple[Format, ...]:
    """One format, or a list or tuple of them, as a tuple.

    >>> [f.name for f in several(("fp16", "bf16"))], len(several("half"))
    (['binary16', 'bfloat16'], 1)
    """
    return tuple(get_format(f) for f in (fmt if isinstance(fmt, (list, tuple)) else (fmt,)))


def computed(
    demo: Callable[..., Data], fmt: Formats, data: Data | Sequence[Data] | None, *arguments: Any
) -> list[tuple[Look, Data]]:
    """Look and data of each line: `data` if given, one or several, else what `demo` computes for each format."""
    if data is None:
        with np.errstate(all="ignore"):  # overflow is seen in the picture
            data = [demo(f, *arguments) for f in several(fmt)]
    given: list[Any] = list(data) if isinstance(data, (list, tuple)) else [data]
    return list(zip(looks_of([d.fmt.name for d in given]), given, strict=True))


def looks_of(formats: Sequence[str]) -> list[Look]:
    """A look for each format, as in the report: its own, or else one that no other has.

    >>> [look.hue for look in looks_of(["e5m2", "bfloat16", "e4m3fn"])]
    ['rose', 'orange', 'gold']
    """
    return [LOOKS[k % len(LOOKS)] for k in looks(formats)]


def distinct_looks(names: Sequence[str]) -> Iterator[Look]:
    """A look for each name: that of a format, if it is the name of one.

    Of many names, or some that are the same: each time the colours repeat, dashes and markers move on by one, so that
    36 looks differ.
    """
    if len(set(names)) == len(names) <= len(LOOKS):
        yield from looks_of(names)
        return
    for k in range(len(names)):
        form = LOOKS[(k + k // len(LOOKS)) % len(LOOKS)]
        yield form._replace(hue=LOOKS[k % len(LOOKS)].hue)


def computed_one(
    demo: Callable[..., Data], fmt: FormatLike, data: Data | None, *arguments: Any, **options: Any
) -> Data:
    """The same for a picture of one format."""
    if data is not None:
        return data
    formats = several(fmt)
    if len(formats) != 1:
        raise ValueError(f"fmt=({', '.join(f.name for f in formats)}): this picture shows one format; give one")
    with np.errstate(all="ignore"):
        return demo(formats[0], *arguments, **options)


# --- text -----------------------------------------------------------------------------------------------------------

TYPESET = {
    " = ": "\u00a0=\u00a0",
    "% to ": "%\u00a0to\u00a0",
    " times 0.1": " × 0.1",
    " - ": " − ",
    " -0": " −0",
    "sqrt(": "√(",
    "^2 ": "² ",
    "^2,": "²,",
    "^2)": "²)",
    "^7": "⁷",
}
"""What a title prints for the plain text of a lesson, which any terminal can show."""


def typeset(text: str) -> str:
    """A lesson as a title prints it.

    >>> typeset("(x - 1)^7 with h 2^-4")
    '(x − 1)⁷ with h 2⁻⁴'
    """
    for plain, printed in TYPESET.items():
        text = text.replace(plain, printed)
    return with_superscripts(re.sub(r"(\d) s\b", "\\1\u00a0s", text))


def literal(text: str) -> str:
    """A name as a picture shows it: matplotlib reads what is between two dollar signs as a formula.

    >>> print(literal("a$b$"))
    a\\$b\\$
    """
    return printable(text).replace("$", r"\$")


def folded(text: str, columns: int) -> str:
    """A text in as few lines of at most `columns` characters as possible.

    It is broken after a colon or semicolon if that gives two lines, else into lines of about the same length.

    >>> folded("The sum stops: 256 instead of 1,000", 30)
    'The sum stops:\\n256 instead of 1,000'
    """
    if len(text) <= columns:
        return text
    for mark in ":;":
        first, found, second = text.partition(f"{mark} ")
        if found and len(first) < columns and len(second) <= columns:
            return f"{first}{mark}\n{second}"
    lines = textwrap.wrap(text, columns)
    while columns > 1 and len(shorter := textwrap.wrap(text, columns - 1)) == len(lines):
        lines, columns = shorter, columns - 1
    return "\n".join(lines)


def finish(ax: Axes, title: str, xlabel: str, ylabel: str, legend: bool | dict[str, Any] = False) -> None:
    """Title, labels and perhaps a legend; the title is a sentence, folded to the width of the Axes."""
    width = ax.bbox.width / ax.figure.dpi
    ax.set_title(folded(typeset(title), max(20, round(width * 7.4))), loc="left")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_axisbelow(True)
    for axis in (ax.xaxis, ax.yaxis):
        plain = axis.get_scale() == "linear" and isinstance(axis.get_major_formatter(), ScalarFormatter)
        if plain and max(map(abs, axis.get_view_interval())) >= 1000:
            axis.set_major_formatter(lambda x, _: f"{x:,.10g}".replace("-", "−"))
    if legend:
        ax.legend(**(legend if isinstance(legend, dict) else {}))


def note(ax: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float] = (8, 8), **keywords: Any) -> None:
    """A few words beside a point, at an `offset` in typographic points (1/72 inch)."""
    place: dict[str, Any] = {
        "textcoords": "offset points",
        "fontsize": FONT,
        "color": ink("muted"),
        "annotation_clip": False,
        "path_effects": [withStroke(linewidth=3.5, foreground=ink("paper"))],
    }
    ax.annotate(text, xy, offset, **{**place, **keywords})


class Label(NamedTuple):
    """The name of a series, and the point that it names."""

    text: str
    color: str
    x: float
    y: float


ROW = 0.075
"""The height of a line of text in parts of the height of the Axes."""


def _placed(ax: Axes, x: float, y: float) -> tuple[float, float]:
    """A point in parts of the Axes; their limits must be final."""
    ax.autoscale_view()
    there = ax.transData.transform((x, y))
    inside = ax.transAxes.inverted().transform(there)
    return float(inside[0]), float(inside[1])


def name_ends(ax: Axes, labels: Sequence[Label]) -> None:
    """Names to the right of the ends of lines, moved apart where they would cover each other."""
    placed = sorted(((_placed(ax, label.x, label.y), label) for label in labels), key=lambda pair: pair[0][1])
    heights = np.array([place[1] for place, _ in placed])
    for _ in range(100):
        short = np.maximum(ROW - np.diff(heights), 0) / 2
        heights[1:] += short
        heights[:-1] -= short
        heights = np.clip(heights, 0.03, 0.98)
    for ((x, _), label), y in zip(placed, heights, strict=True):
        place: dict[str, Any] = {"xycoords": "axes fraction", "va": "center", "color": label.color}
        note(ax, label.text, (x, float(y)), (9, 0), **place)


def name_above(ax: Axes, labels: Sequence[Label]) -> None:
    """Names in rows at the top, each with a thin line down to its point; those to the left stand higher."""
    for k, label in enumerate(sorted(labels, key=lambda label: label.x)):
        x, _ = _placed(ax, label.x, label.y)
        top = 1.0 - ROW * k
        line: dict[str, Any] = {"arrowstyle": "-", "color": label.color, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (label.x, label.y), (x, top), textcoords="axes fraction", arrowprops=line)
        place: dict[str, Any] = {"xycoords": "axes fraction", "va": "top", "color": label.color}
        note(ax, label.text, (x, top), (4, 3), **place)


def save(figure: Figure, path: str | Path, *, dpi: float = DPI) -> None:
    """Write a picture; the same figure gives the same bytes. An interrupted run leaves the old file as it was."""
    path = Path(path)
    kind = path.suffix.lstrip(".").lower() or "png"
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(f"out={str(path)!r} ends in .{kind}; pictures are written as .png, .svg or .pdf")
    stable = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with atomic_path(path) as place, styled():
        figure.savefig(place, format=kind, dpi=dpi, metadata=stable)
