"""Small updates: a weight that does not move, and stochastic rounding, which is right on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..accumulators import Kahan
from ..conversion import Array, Seed
from ..formats import BFLOAT16, Format, FormatLike, get_format
from ..reductions import cumsum
from ..rounding import round_to
from .frozen import frozen, number

# --- weights that do not move ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StuckWeight:
    """A weight that gets the same small update again and again.

    Attributes
    ----------
    steps : ndarray of int
    paths : dict of str to ndarray
        The weight after each step: "ties_to_even", "Kahan", "stochastic" (one run), and "exact".
    mean : float
        Where 64 stochastic runs end on average.
    """

    fmt: Format
    start: float
    update: float
    steps: Array
    paths: dict[str, Array]
    mean: float

    @property
    def lesson(self) -> str:
        """What it shows."""
        nearest, kahan = (f"{float(self.paths[name][-1]):.4g}" for name in ("ties_to_even", "Kahan"))
        ends = f"{self.fmt.name} {nearest}, Kahan {kahan}, stochastic {self.mean:.4g}"
        return f"{number(len(self.steps) - 1)} updates of {self.update:g}: {ends}"


def stuck_weight(
    fmt: FormatLike = BFLOAT16, *, start: float = 1.0, update: float = 1e-3, steps: int = 1000, rng: Seed = 0
) -> StuckWeight:
    """start + update + update + ..., by nearest, compensated and stochastic rounding; every step correctly rounded.

    Examples
    --------
    >>> w = stuck_weight("bfloat16")
    >>> float(w.paths["ties_to_even"][-1]), float(w.paths["Kahan"][-1])
    (1.0, 2.0)
    """
    fmt = get_format(fmt)
    terms = round_to(np.array([start, *[update] * steps]), fmt)
    kahan, generator = Kahan(fmt), np.random.default_rng(rng)
    # The update is drawn anew at each step, too: rounded once for all, it would bring its own error a thousand times.
    columns = np.full((steps + 1, 64), update)
    columns[0] = start
    runs = np.asarray(cumsum(columns, fmt, "stochastic", axis=0, rng=generator))
    paths = {
        "ties_to_even": cumsum(terms, fmt),
        "Kahan": kahan.prefixes(terms, kahan.prepare("cumsum", terms)[1]),
        "stochastic": runs[:, 0],
        "exact": start + update * np.arange(steps + 1),
    }
    frozen_paths = {name: frozen(path) for name, path in paths.items()}
    return StuckWeight(fmt, start, update, frozen(np.arange(steps + 1)), frozen_paths, float(runs[-1].mean()))


# --- stochastic rounding, runs and mean -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Stochastic:
    """Sums of the same small term, in many runs.

    Attributes
    ----------
    counts, exact, nearest, mean : ndarray
    runs : ndarray
        A row a run.
    """

    fmt: Format
    term: float
    counts: Array
    exact: Array
    nearest: Array
    runs: Array
    mean: Array

    @property
    def lesson(self) -> str:
        """What it shows."""
        ends = f"nearest {number(float(self.nearest[-1]))}, stochastic mean {self.mean[-1]:.4g}"
        return f"{number(len(self.counts) - 1)} times {self.term:g} in {self.fmt.name}: {ends}"


def stochastic(
    fmt: FormatLike = BFLOAT16, *, term: float = 0.1, terms: int = 1000, runs: int = 32, rng: Seed = 0
) -> Stochastic:
    """0 + 0.1 + 0.1 + ... by stochastic rounding in `runs` runs, and once to nearest; every partial sum rounded.

    In every run the term 0.1 is rounded stochastically at each step, too, so that the mean of the sums is exact.

    Examples
    --------
    >>> s = stochastic("bfloat16", terms=500, runs=4)
    >>> float(s.nearest[-1]), s.runs.shape
    (32.0, (4, 501))
    """
    fmt = get_format(fmt)
    generator = np.random.default_rng(rng)
    counts = np.arange(terms + 1)
    columns = np.full((terms + 1, runs), term)
    columns[0] = 0
    sums = np.asarray(cumsum(columns, fmt, "stochastic", axis=0, rng=generator)).T
    nearest = cumsum(np.array([0.0, *[term] * terms]), fmt)
    return Stochastic(
        fmt, term, frozen(counts), frozen(term * counts), frozen(nearest), frozen(sums), frozen(sums.mean(axis=0))
    )
