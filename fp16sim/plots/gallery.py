"""The gallery: every picture that teaches, registered where it is drawn, and how it is written to a file."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

from ..conversion import Array
from ..files import atomic_path
from ..wording import joined, quoted
from .style import DPI, FONT, SIZE, ink, save, styled


class Picture(NamedTuple):
    """A picture: the function that draws it, and the sentence above it as it is drawn by default."""

    draw: Callable[..., Axes]
    lesson: str

    @property
    def options(self) -> tuple[str, ...]:
        """What can be chosen: "fmt", "mode", ..."""
        return tuple(name for name in inspect.signature(self.draw).parameters if name not in ("ax", "data"))


PICTURES: dict[str, Picture] = {}
"""All pictures by name, in the order in which `fp16sim.plots` imports them: that of the lessons."""

Draw = TypeVar("Draw", bound=Callable[..., Axes])


def picture(lesson: str, **about: str) -> Callable[[Draw], Draw]:
    """Register a function as the picture of its name, and add to its docstring what all pictures have in common.

    Parameters
    ----------
    lesson : str
        The sentence above the picture as it is drawn by default.
    **about : str
        For an option of the picture, what its type does not say.
    """

    def register(draw: Draw) -> Draw:
        PICTURES[draw.__name__] = Picture(draw, lesson)
        draw.__doc__ = _documented(draw, about)
        return draw

    return register


TYPES = {
    "FormatLike": "Format, str or dtype",
    "Formats": "Format, str or dtype, or a sequence of them",
    "npt.ArrayLike": "array_like",
}
"""How a docstring writes an annotation, where not in the same words."""

COMMON = """
Returns
-------
Axes
    `ax`, or the Axes of the new figure.

Raises
------
ValueError, TypeError
    For a format, mode or other option that does not exist, or that this picture cannot show.
"""


def _documented(draw: Callable[..., Axes], about: dict[str, str]) -> str:
    """A picture's docstring: its own sentence, then its parameters, and what it returns and raises."""
    about = {
        **about,
        "ax": "Where to draw; by default on a new figure.",
        "data": f"What `fp16sim.demos.{draw.__name__}` returned: it is drawn, and the options are ignored.",
    }
    lines = [inspect.getdoc(draw) or "", "", "Parameters", "----------"]
    for name, parameter in inspect.signature(draw).parameters.items():
        lines.append(f"{name} : {_type_of(parameter)}")
        lines += [f"    {about[name]}"] if name in about else []
    return "\n".join(lines) + "\n" + COMMON


def _type_of(parameter: inspect.Parameter) -> str:
    written = str(parameter.annotation)
    kind = written.removesuffix(" | None")
    words = re.sub(r"Sequence\[(\w+)\]", r"sequence of \1", TYPES.get(kind, kind)).replace(" | ", " or ")
    return words + (", optional" if kind != written else "")


def find(name: str) -> Picture:
    """The picture of that name, in which "-" is read as "_".

    Raises
    ------
    ValueError
        For an unknown name; the message lists similar names, or all of them.

    Examples
    --------
    >>> find("one-minus-cos").options
    ('fmt', 'mode')
    """
    key = name.strip().lower().replace("-", "_")
    if key not in PICTURES:
        near = difflib.get_close_matches(key, PICTURES, cutoff=0.5)
        known = f"did you mean {joined(near, 'or')}?" if near else f"known: {', '.join(PICTURES)}"
        raise ValueError(f"name={quoted(name)} is not a picture; {known}")
    return PICTURES[key]


def figure_of(name: str, *, theme: str = "light", size: tuple[float, float] = SIZE, **options: Any) -> Figure:
    """A picture in a figure of its own, for a file.

    Parameters
    ----------
    name : str
    theme : {"light", "dark"}
    size : (float, float)
        Width and height in inches. The size of the text does not depend on it.
    **options
        What the picture takes: `fmt`, `mode`, ...

    Raises
    ------
    ValueError
        For an unknown name or theme, or an option that the picture does not take.
    """
    picture = find(name)
    for option in options:
        if option not in picture.options:
            takes = f"takes {', '.join(picture.options)}"
            raise ValueError(
                f"{option}={quoted(options[option])}: the picture {name!r} does not have this option; it {takes}"
            )
    with styled(theme):
        figure = Figure(figsize=size, layout="constrained")
        picture.draw(ax=figure.subplots(), **options)
    return figure


@contextmanager
def _default_settings(theme: str) -> Iterator[None]:
    """The same versions write the same bytes, so a matplotlibrc of the user's is ignored."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        with styled(theme):
            yield


def write(
    name: str,
    path: str | Path,
    *,
    theme: str = "light",
    size: tuple[float, float] = SIZE,
    dpi: float = DPI,
    **options: Any,
) -> str:
    """Draw a picture, write it as .png, .svg or .pdf, and return its title; the same versions write the same bytes.

    Parameters
    ----------
    name : str
    path : str or Path
    theme : {"light", "dark"}
    size : (float, float)
        Width and height in inches. The text grows with the picture. A .svg or .pdf has this shape, and any size.
    dpi : float
        Pixels for an inch of a .png.
    **options
        What the picture takes: `fmt`, `mode`, ...
    """
    if not all(1 <= side <= 60 for side in size):
        raise ValueError(f"size={size[0]:g}x{size[1]:g}: width and height are inches, from 1 to 60")
    if not 20 <= dpi <= 1200:
        raise ValueError(f"dpi={dpi:g} is not between 20 and 1200")
    scale = min(side / ours for side, ours in zip(size, SIZE, strict=True))
    with _default_settings(theme):
        figure = figure_of(name, theme=theme, size=(size[0] / scale, size[1] / scale), **options)
        save(figure, path, dpi=dpi * scale * (1 + 1e-9))  # so that 639.9999 pixels are 640
    return " ".join(figure.axes[0].get_title(loc="left").split())


def write_all(folder: str | Path, kind: str = "png", *, theme: str = "light") -> list[Path]:
    """Write every picture, as it is drawn by default, into a folder, which is made if it does not exist."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for name in PICTURES]
    for name, path in zip(PICTURES, paths, strict=True):
        write(name, path, theme=theme)
    return paths


def write_sheet(path: str | Path, *, theme: str = "light", dpi: float = DPI / 3, columns: int = 3) -> None:
    """Write all pictures as one .png, by default each at a third of its size, which shows what is hard to read.

    The name of each stands above it.

    Raises
    ------
    ValueError
        If the name of the file does not end in .png.
    """
    if (suffix := Path(path).suffix.lower()) != ".png":
        raise ValueError(f"out={str(path)!r} ends in {suffix or 'nothing'}; the sheet is written as .png")
    if not 20 <= dpi <= 300:
        raise ValueError(f"dpi={dpi:g} is not between 20 and 300")
    with _default_settings(theme):
        tiles = [_tile(name, theme, dpi) for name in PICTURES]
        tiles += [np.full_like(tiles[0], tiles[0][0, 0])] * (-len(tiles) % columns)
        rows = [np.concatenate(tiles[k : k + columns], axis=1) for k in range(0, len(tiles), columns)]
        with atomic_path(Path(path)) as place:
            imsave(place, np.concatenate(rows), format="png")


def _tile(name: str, theme: str, dpi: float) -> Array:
    """A picture under its name, with an empty edge around both."""
    width, edge = SIZE[0], round(EDGE * dpi)
    header = Figure(figsize=(width, 2 * EDGE))
    header.text(EDGE / width, 0.1, name, fontsize=FONT, color=ink("muted"), family="monospace")
    tile = np.concatenate([_pixels(header, dpi), _pixels(figure_of(name, theme=theme), dpi)])
    return np.pad(tile, ((0, edge), (edge, edge), (0, 0)), mode="edge")


EDGE = 0.2
"""The empty edge of a picture on the sheet in inches."""


def _pixels(figure: Figure, dpi: float) -> Array:
    """A figure as red, green, blue and opacity of each pixel."""
    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())
