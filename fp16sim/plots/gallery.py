"""All pictures by name: what each shows, which options it takes, and how it is written to a file."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.figure import Figure

from .all_pairs import pairs
from .cancellation import derivative, one_minus_cos, polynomial, quadratic, variance
from .learning import gradients, softmax, stochastic, stuck_weight
from .recurrences import logistic, muller, rump
from .spacing import number_line, relative_error, staircase, ulp
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
    "number_line": Picture(number_line, "Each power of two doubles the gap; 12 of 28 numbers are below 1"),
    "ulp": Picture(ulp, "Above 2,048, binary16 skips odd numbers"),
    "staircase": Picture(staircase, "ties_to_even: a tie goes to the even significand, up or down"),
    "relative_error": Picture(relative_error, "e4m3fn errs by at most u = 6.25 %, except among subnormals"),
    "harmonic": Picture(harmonic, "The harmonic series diverges; binary16 stops it after 512 terms"),
    "tenths": Picture(tenths, "10,000 times 0.1 in binary16: 256; pairwise 999.5; Kahan 1,000"),
    "clock": Picture(clock, "A binary16 clock that adds 0.1 s stands still after 256 s"),
    "accumulators": Picture(accumulators, "The order of additions decides: 8.7 % off, or 0.072 % in pairs"),
    "one_minus_cos": Picture(one_minus_cos, "(1 - cos x) / x^2 tends to 1/2; binary16 finds 0 up to 0.022"),
    "quadratic": Picture(quadratic, "b - sqrt(b^2 - 4) cancels: binary16 is left with 0 from b = 66"),
    "polynomial": Picture(polynomial, "(x - 1)^7, multiplied out, changes sign 137 times in binary16"),
    "derivative": Picture(derivative, "Smaller h is not better: binary16 is best at h = 2^-4, 1.6 % off"),
    "variance": Picture(variance, "One-pass variance, binary16: negative from 16, infinite from 98"),
    "logistic": Picture(logistic, "Chaos doubles errors: binary16 loses the orbit after 11 steps"),
    "muller": Picture(muller, "The limit is 6; binary16 converges, calmly, to 100"),
    "rump": Picture(rump, "24, 53 and 113 bits agree on 1.1726, and the truth is -0.8274"),
    "softmax": Picture(softmax, "A naive softmax is NaN from a logit of 11.094 on in binary16"),
    "gradients": Picture(gradients, "3.9 % of gradients become 0 in binary16; 0.17 % scaled by 1,024"),
    "stuck_weight": Picture(stuck_weight, "1,000 updates of 0.001: bfloat16 1, Kahan 2, stochastic 2.004"),
    "stochastic": Picture(stochastic, "1,000 times 0.1 in bfloat16: nearest 32, stochastic mean 100.7"),
    "pairs": Picture(pairs, "Products of e4m3fn: 23 % exact, 61 % rounded, 16 % overflow"),
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


def write(name: str, path: str | Path, **options: Any) -> str:
    """Draw a picture and write it as .png, .svg or .pdf, the same bytes for the same versions; returns its title.

    A matplotlibrc of the user's has no say here, since the bytes would depend on it.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure = figure_of(name, **options)
        save(figure, path)
    return " ".join(figure.axes[0].get_title(loc="left").split())


def write_all(folder: str | Path, kind: str = "png") -> list[Path]:
    """Every picture as it is by default, into a folder, which is made if need be."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for name in PICTURES]
    for name, path in zip(PICTURES, paths, strict=True):
        write(name, path)
    return paths
