"""One look for all pictures: colours that the colour-blind tell apart (Okabe and Ito 2008), and never colour alone."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.figure import Figure


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

_RC: Any = {
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


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture beside its name, then rename it: an interrupted run leaves what was there. Byte-stable."""
    path = Path(path)
    kind = path.suffix.lstrip(".").lower() or "png"
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(f"out={str(path)!r} ends in .{kind}; pictures are written as .png, .svg or .pdf")
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=f".{kind}")
    os.close(handle)
    try:
        stable = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        with styled():
            figure.savefig(beside, format=kind, dpi=150, metadata=stable)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    finally:
        Path(beside).unlink(missing_ok=True)
