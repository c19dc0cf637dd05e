"""All pictures by name: what each shows, which options it takes, and how it is written to a file."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.figure import Figure

from .cancellation import derivative, one_minus_cos, polynomial, quadratic, variance
from .formats import number_line, relative_error, staircase, ulp
from .heatmap import pairs
from .learning import gradients, softmax, stochastic, stuck_weight
from .recurrences import logistic, muller, rump
from .style import save, styled
from .sums import accumulators, clock, harmonic, tenths


class Picture(NamedTuple):
    """A picture: the function that draws it, and the sentence above it as it is drawn by default."""

    draw: Callable[..., Any]
    lesson: str

    @property
    def options(self) -> tuple[str, ...]:
        """What can be chosen: "fmt", "mode", ..."""
        return tuple(name for name in inspect.signature(self.draw).parameters if name not in ("ax", "data"))


PICTURES: dict[str, Picture] = {
    "number_line": Picture(number_line, ""),
    "ulp": Picture(ulp, ""),
    "staircase": Picture(staircase, ""),
    "relative_error": Picture(relative_error, ""),
    "harmonic": Picture(harmonic, ""),
    "tenths": Picture(tenths, ""),
    "clock": Picture(clock, ""),
    "accumulators": Picture(accumulators, ""),
    "one_minus_cos": Picture(one_minus_cos, ""),
    "quadratic": Picture(quadratic, ""),
    "polynomial": Picture(polynomial, ""),
    "derivative": Picture(derivative, ""),
    "variance": Picture(variance, ""),
    "logistic": Picture(logistic, ""),
    "muller": Picture(muller, ""),
    "rump": Picture(rump, ""),
    "softmax": Picture(softmax, ""),
    "gradients": Picture(gradients, ""),
    "stuck_weight": Picture(stuck_weight, ""),
    "stochastic": Picture(stochastic, ""),
    "pairs": Picture(pairs, ""),
}
"""In the order of the lessons."""


def find(name: str) -> Picture:
    """The picture of that name; "-" may stand for "_".

    Raises
    ------
    ValueError
        For an unknown name; the message lists those that are near, or else all.
    """
    key = name.strip().lower().replace("-", "_")
    if key not in PICTURES:
        near = difflib.get_close_matches(key, PICTURES, cutoff=0.5)
        known = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(PICTURES)}"
        raise ValueError(f"name={name!r} is no picture; {known}")
    return PICTURES[key]


def figure_of(name: str, **options: Any) -> Figure:
    """A picture in a figure of its own, for a file: 6.4 by 4.4 inches.

    Raises
    ------
    ValueError
        For an unknown name, or an option that the picture does not take.
    """
    picture = find(name)
    for option in options:
        if option not in picture.options:
            takes = f"takes {', '.join(picture.options)}"
            raise ValueError(f"{option}={options[option]!r}: the picture {name!r} has no such choice; it {takes}")
    with styled():
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        picture.draw(ax=figure.subplots(), **options)
    return figure


def write(name: str, path: str | Path, **options: Any) -> None:
    """Draw a picture and write it as .png, .svg or .pdf: the same bytes for the same versions.

    A matplotlibrc of the user's has no say here, since the bytes would depend on it.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        save(figure_of(name, **options), path)


def write_all(folder: str | Path, kind: str = "png") -> list[Path]:
    """Every picture as it is by default, into a folder, which is made if need be."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for name in PICTURES]
    for name, path in zip(PICTURES, paths, strict=True):
        write(name, path)
    return paths
