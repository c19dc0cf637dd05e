"""How fast, against what others have: the table of `rows`, measured in pairs on this machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..rounding import round_to
from .measure import Measured, Missing, Pair, Row, measure, timed
from .rows import ROWS, normal

__all__ = ["ROWS", "Measured", "Missing", "Pair", "Row", "curve", "machine", "measure", "run"]

RIVALS = ("ml_dtypes", "gfloat", "pychop")
SIZES = tuple(10**k for k in range(3, 9))


def run(
    *,
    quick: bool = False,
    only: str = "",
    rows: tuple[Row, ...] = ROWS,
    progress: Callable[[int, int], None] | None = None,
) -> list[Measured]:
    """The table, measured; a ratio is the median over pairs, and as good as the machine is quiet.

    Parameters
    ----------
    quick : bool
        Arrays of a sixteenth of the size, and five pairs at the most: half a minute, and rougher.
    only : str
        Rows whose work or rival contains this text.
    rows : tuple of Row
    progress : callable, optional
        Called with the number of rows done and of all rows.

    Raises
    ------
    ValueError
        If no row contains `only`.
    """
    chosen = [row for row in rows if only in row.work or only in row.rival]
    if not chosen:
        raise ValueError(f"only={only!r} is in no row; try 'round_to', 'matmul' or 'import'")
    measured = []
    for row in chosen:
        measured.append(measure(row, 1 / 16, 5, 1.0) if quick else measure(row))
        if progress:
            progress(len(measured), len(chosen))
    return measured


def curve(*, quick: bool = False) -> dict[str, list[tuple[int, float]]]:
    """(elements, nanoseconds an element) of round_to and of NumPy's round trip: from a thousand to 10^8, or 10^6.

    The best of several calls, into an array that is there already. Stops where memory does.
    """
    calls: dict[str, Callable[[Any, Any], Any]] = {
        "round_to binary16": lambda x, out: round_to(x, "binary16", out=out),
        "round_to bfloat16": lambda x, out: round_to(x, "bfloat16", out=out),
        "NumPy's float16 round trip": lambda x, out: np.copyto(out, x.astype(np.float16)),
    }
    points: dict[str, list[tuple[int, float]]] = {name: [] for name in calls}
    pattern = normal(10**6)
    for n in SIZES[:4] if quick else SIZES:
        try:
            x = np.resize(pattern, n)
            out = np.zeros_like(x)
        except MemoryError:
            break
        for name, call in calls.items():
            repeat = max(1, 10**5 // n)
            best = min(timed(lambda: call(x, out), repeat) for _ in range(3 if n > 10**6 else 9))  # noqa: B023
            points[name].append((n, best / n * 1e9))
    return points


def machine() -> dict[str, Any]:
    """What was measured on: processor, cores, system and versions; None for a rival that is not installed."""

    def version(package: str) -> str | None:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "versions": {package: version(package) for package in ("fp16sim", "numpy", *RIVALS)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
