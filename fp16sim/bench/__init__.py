"""How fast fp16sim is on this machine: each row of a table compares it with another library, or with itself.

    >>> import fp16sim as fs
    >>> (row,) = fs.bench.run(quick=True, only="round-1000")
    >>> row.work, row.rival, row.goal
    ('round_to binary16, 1,000 elements', 'NumPy round trip', 2.0)
    >>> row.low <= row.ratio <= row.high  # time of fp16sim / time of the other: the median of pairs, and quartiles
    True

`ROWS` is the table, and `GROUPS` has its groups; `select` finds rows, and each has a `meaning`. `curve` measures the
cost of an element against the size of the array, and `machine` says what all this was measured on. `fp16sim bench`
prints and draws the same, and `history` keeps and compares it.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..rounding import round_to
from ..version import __version__
from .inputs import normal
from .measure import Comparison, Measured, Missing, Pair, measure, timed
from .rows import GROUPS, ROWS, select

__all__ = [
    "GROUPS",
    "ROWS",
    "Comparison",
    "Measured",
    "Missing",
    "Pair",
    "curve",
    "machine",
    "measure",
    "measurements",
    "run",
    "select",
]

RIVALS = ("ml_dtypes", "gfloat", "pychop", "torch", "torchao")
SIZES = tuple(10**k for k in range(3, 9))


def run(*, quick: bool = False, only: str | Sequence[str] = (), rows: Sequence[Comparison] = ROWS) -> list[Measured]:
    """Measure the table. A ratio is the median of pairs; other work on the machine makes it less accurate.

    Parameters
    ----------
    quick : bool
        Measure with arrays of a sixteenth of the size and at most seven pairs: half a minute, and less accurate.
    only : str or sequence of str
        Measure only these rows: of a group, of a name, or with a text in their work or rival.
    rows : sequence of Comparison

    Returns
    -------
    list of Measured

    Raises
    ------
    ValueError
        If no row has a text of `only`.
    """
    return list(measurements(select(only, rows), quick=quick))


def measurements(rows: Sequence[Comparison] = ROWS, *, quick: bool = False) -> Iterator[Measured]:
    """Measure these rows, and give the result of each when it is there: as accurate as `run`."""
    for row in rows:
        yield measure(row, 1 / 16, 7, 0.5) if quick else measure(row)


def curve(*, quick: bool = False) -> dict[str, list[tuple[int, float]]]:
    """(elements, nanoseconds for an element) of round_to and of NumPy's round trip, for 10^3 to 10^8 elements.

    Each is the best of several calls into an existing array. It stops at 10^6 if `quick`, and where memory ends.
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
    """The processor, cores, system and versions of this machine; None for a library that is not installed."""

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
        "versions": {"fp16sim": __version__} | {package: version(package) for package in ("numpy", *RIVALS)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
