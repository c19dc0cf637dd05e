"""One look for all pictures: colours that colour-blind readers can tell apart (Okabe and Ito 2008), and never alone."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import atomic_path
from ..formats import Format, FormatLike, get_format
from ..wording import with_superscripts


class Look(NamedTuple):
    """How one series is drawn: by colour, dashes and marker, so that any one of them is enough."""

    color: str
    linestyle: Any
    marker: str

    def line(self, **more: Any) -> dict[str, Any]:
        """A line with markers, for `Axes.plot`."""
        return self._asdict() | more

    def dots(self, **more: Any) -> dict[str, Any]:
        """Markers without a line."""
        return self._asdict() | {"linestyle": ""} | more


LOOKS = (
    Look("#0072B2", "-", "o"),
    Look("#D55E00", (0, (5, 1.5)), "s"),
    Look("#009E73", (0, (1.5, 1.5)), "^"),
    Look("#CC79A7", (0, (5, 1.5, 1.5, 1.5)), "D"),
    Look("#56B4E9", (0, (3, 1)), "v"),
    Look("#E69F00", (0, (8, 2)), "P"),
)

GREY = "#595959"
"""Of the truth and of guide lines: dark enough for text on white."""

_RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "legend.frameon": False,
    "svg.hashsalt": "fp16sim",
}


def styled() -> AbstractContextManager[None]:
    """Draw in the common look inside this context; the user's own settings stay as they are."""
    return matplotlib.rc_context(_RC)


def new_axes() -> Axes:
    """Axes of a new pyplot figure, which a notebook shows."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(6.4, 4.4), layout="constrained")[1]


@contextmanager
def drawing(ax: Axes | None) -> Iterator[Axes]:
    """The Axes to draw on, in the common look: `ax`, or those of a new figure."""
    with styled():
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
    given = data if isinstance(data, (list, tuple)) else [data]
    return list(zip(cycle(LOOKS), given))


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
    "%": "\u00a0%",
    " = ": "\u00a0=\u00a0",
    " times 0.1": " × 0.1",
    " - ": " − ",
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
    return with_superscripts(text)


def folded(text: str, columns: int) -> str:
    """A text in as few lines of at most `columns` characters as possible, all of about the same length."""
    lines = textwrap.wrap(text, columns)
    while columns > 1 and len(shorter := textwrap.wrap(text, columns - 1)) == len(lines):
        lines, columns = shorter, columns - 1
    return "\n".join(lines)


def finish(ax: Axes, title: str, xlabel: str, ylabel: str, legend: bool | dict[str, Any] = True) -> None:
    """Title, labels and legend; the title is a sentence, folded to the width of the Axes."""
    width = ax.bbox.width / ax.figure.dpi
    ax.set_title(folded(typeset(title), max(24, round(width * 11.5))), loc="left")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if legend:
        ax.legend(**(legend if isinstance(legend, dict) else {}))


def note(ax: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float] = (8, 8), **keywords: Any) -> None:
    """A few words beside a point, at an `offset` in typographic points (1/72 inch)."""
    place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 10, "color": GREY, "annotation_clip": False}
    ax.annotate(text, xy, offset, **{**place, **keywords})


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture; the same figure gives the same bytes. An interrupted run leaves the old file as it was."""
    path = Path(path)
    kind = path.suffix.lstrip(".").lower() or "png"
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(f"out={str(path)!r} ends in .{kind}; pictures are written as .png, .svg or .pdf")
    stable = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with atomic_path(path) as place, styled():
        figure.savefig(place, format=kind, dpi=150, metadata=stable)
