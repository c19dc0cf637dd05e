"""One look for all pictures: colours that the colour-blind tell apart (Okabe and Ito 2008), and never colour alone."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ..demos.frozen import several
from ..files import written_beside


class Look(NamedTuple):
    """How one series is drawn: by colour, dashes and marker, so that any one of them is enough."""

    color: str
    linestyle: Any
    marker: str


LOOKS = (
    Look("#0072B2", "-", "o"),
    Look("#D55E00", (0, (5, 1.5)), "s"),
    Look("#009E73", (0, (1.5, 1.5)), "^"),
    Look("#CC79A7", (0, (5, 1.5, 1.5, 1.5)), "D"),
    Look("#56B4E9", (0, (3, 1)), "v"),
    Look("#E69F00", (0, (8, 2)), "P"),
)

GREY = "#595959"
"""Of what is true, and of guides: dark enough for text on white."""

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
    """The look, for the time of a drawing: the user's own settings stay as they are."""
    return matplotlib.rc_context(_RC)


def new_axes() -> Any:
    """Axes of a new figure of pyplot's, so that a notebook shows it."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(6.4, 4.4), layout="constrained")[1]


@contextmanager
def drawing(ax: Any) -> Iterator[Any]:
    """The Axes to draw on, in the house's look: `ax`, or those of a new figure."""
    with styled():
        yield new_axes() if ax is None else ax


Data = TypeVar("Data")


def computed(
    demo: Callable[..., Data], fmt: Any, data: Any, *arguments: Any, **options: Any
) -> list[tuple[Look, Data]]:
    """What a picture draws, with looks: `data` if given (one or several), else what the demo says of each format."""
    if data is None:
        with np.errstate(all="ignore"):  # what overflows is seen in the picture
            data = [demo(f, *arguments, **options) for f in several(fmt)]
    given = list(data) if type(data) in (list, tuple) else [data]
    return list(zip(cycle(LOOKS), given))


def computed_one(demo: Callable[..., Data], fmt: Any, data: Any, *arguments: Any, **options: Any) -> Data:
    """The same for a picture of one format."""
    if data is not None:
        return cast(Data, data)
    formats = several(fmt)
    if len(formats) != 1:
        raise ValueError(f"fmt=({', '.join(f.name for f in formats)}): this picture shows one format; give one")
    with np.errstate(all="ignore"):
        return demo(formats[0], *arguments, **options)


TYPESET = {
    " %": "\u00a0%",
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
    return re.sub(r"2\^(-?\d+)", lambda m: "2" + m[1].translate(SUPERSCRIPTS), text)


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def folded(text: str, columns: int) -> str:
    """A text in lines of at most so many characters: as few as possible, and about equally long."""
    lines = textwrap.wrap(text, columns)
    while columns > 1 and len(shorter := textwrap.wrap(text, columns - 1)) == len(lines):
        lines, columns = shorter, columns - 1
    return "\n".join(lines)


def finish(ax: Any, title: str, xlabel: str, ylabel: str, legend: bool | dict[str, Any] = True) -> None:
    """Title, labels and legend; the title is a sentence, folded to the width of the Axes."""
    width = ax.get_position().width * ax.figure.get_figwidth()
    ax.set_title(folded(typeset(title), max(24, round(width * 11.5))), loc="left")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if legend:
        ax.legend(**(legend if isinstance(legend, dict) else {}))


def note(ax: Any, text: str, xy: tuple[float, float], offset: tuple[float, float] = (8, 8), **keywords: Any) -> None:
    """A few words beside a point, `offset` in points of print."""
    place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 10, "color": GREY, "annotation_clip": False}
    ax.annotate(text, xy, offset, **{**place, **keywords})


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture beside its name, then rename it: an interrupted run leaves what was there. Byte-stable."""
    path = Path(path)
    kind = path.suffix.lstrip(".").lower() or "png"
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(f"out={str(path)!r} ends in .{kind}; pictures are written as .png, .svg or .pdf")
    stable = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with written_beside(path) as place, styled():
        figure.savefig(place, format=kind, dpi=150, metadata=stable)
