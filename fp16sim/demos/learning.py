"""What a network meets: overflow in a softmax, gradients below the window, weights that do not move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import Kahan
from ..elementary import exp
from ..floatarray import FloatArray, array
from ..formats import BFLOAT16, BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from ..learn import Config, Tensor, load_digits
from ..learn.train import Run
from ..lifting import Array, Seed, as_generator
from ..reductions import cumsum
from ..rounding import round_to
from .frozen import frozen, number


@dataclass(frozen=True)
class Softmax:
    """The first probability of softmax([x, x - 1, x - 2]), which does not depend on x on paper.

    Attributes
    ----------
    x, naive, shifted : ndarray
        `shifted` takes the largest logit off first.
    exact : float
    overflows_at, underflows_at : float or None
        The least x from which, and the largest x below 0 up to which, the naive one is NaN.
    """

    fmt: Format
    mode: Rounding
    x: Array
    naive: Array
    shifted: Array
    exact: float
    overflows_at: float | None
    underflows_at: float | None

    @property
    def lesson(self) -> str:
        """What it shows."""
        if self.overflows_at is None:
            return f"A softmax needs its largest logit taken off: {self.fmt.name} manages without, so far"
        return (
            f"A naive softmax is NaN from a logit of {number(self.overflows_at)} on in {self.fmt.name}; "
            "take off the largest logit first"
        )


def softmax(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, logits: Any = None, rng: Seed = 0
) -> Softmax:
    """Softmax of x, x - 1, x - 2 as exp(x) / sum exp(x), and after subtracting the maximum; every step correctly rounded.

    Examples
    --------
    >>> s = softmax("binary16", logits=[11, 12])
    >>> s.naive.tolist(), [round(float(y), 5) for y in s.shifted]
    ([0.66552734375, nan], [0.66553, 0.66553])
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    reach = 1.5 * float(np.log(min(float(fmt.max_finite), 1e30)))
    x = round_to(np.linspace(-2 * reach, reach, 301) if logits is None else np.asarray(logits, float), fmt, mode, rng=rng)
    rows = array(np.stack([x, x - 1, x - 2], axis=1), fmt, mode, rng=generator)
    naive, shifted = (_softmax(z, generator) for z in (rows, rows - rows[:, :1]))
    nan = np.isnan(naive)
    above, below = x[nan & (x > 0)], x[nan & (x < 0)]
    return Softmax(
        fmt,
        mode,
        frozen(x),
        frozen(naive),
        frozen(shifted),
        float(1 / (1 + np.exp(-1) + np.exp(-2))),
        float(above.min()) if len(above) else None,
        float(below.max()) if len(below) else None,
    )


def _softmax(rows: FloatArray, rng: Any) -> Array:
    with np.errstate(all="ignore"):
        e = array(exp(rows.values, rows.fmt, rows.mode, rng=rng), rows.fmt, rows.mode, rng=rng)
        return np.asarray((e[:, 0] / e.sum(axis=1)).values)


# --- gradients and the window of a format ---------------------------------------------------------------------------


class Fates(NamedTuple):
    """What becomes of nonzero gradients when they are rounded: shares of them."""

    zero: float
    subnormal: float
    normal: float
    overflow: float


@dataclass(frozen=True)
class Gradients:
    """Exponents of gradients against the window of a format.

    Attributes
    ----------
    scales : tuple of float
        Loss scales, powers of two: each slides the histogram.
    exponents, shares : ndarray
        Of the unscaled gradients: floor(log2 abs(g)), and the share of the nonzero ones there.
    fates : tuple of Fates
        One for each scale.
    """

    fmt: Format
    scales: tuple[float, ...]
    exponents: Array
    shares: Array
    fates: tuple[Fates, ...]

    @property
    def lesson(self) -> str:
        """What it shows."""
        first, last = self.fates[0].zero, self.fates[-1].zero
        name = self.fmt.name
        if len(self.scales) == 1 or first == last:
            return f"{100 * first:.2g} % of these gradients become 0 in {name}"
        return (
            f"{100 * first:.2g} % of these gradients become 0 in {name}; "
            f"a loss scale of {number(self.scales[-1])} leaves {100 * last:.2g} %"
        )


def gradients(fmt: FormatLike = BINARY16, gradients: Any = None, *, scales: Any = (1.0, 1024.0)) -> Gradients:
    """Where gradients lie in the window of a format, for several loss scales; shares counted on rounded values.

    Parameters
    ----------
    fmt : Format, str or dtype
    gradients : array_like, optional
        Of any shape; zeros and what is not finite are left out. By default those that pass through a small network on
        the bundled digits (`digit_gradients`).
    scales : sequence of float
        Each gradient is multiplied by the scale before it is rounded.
    """
    fmt = get_format(fmt)
    given = digit_gradients() if gradients is None else np.asarray(gradients, np.float64).reshape(-1)
    g = np.abs(given[np.isfinite(given) & (given != 0)])
    if not len(g):
        raise ValueError("gradients has no finite nonzero element, so there is no histogram; give it some")
    exponents, counts = np.unique(np.frexp(g)[1] - 1, return_counts=True)
    fates = tuple(_fates(g * float(scale), fmt) for scale in scales)
    whole = np.arange(exponents[0], exponents[-1] + 1)
    shares = np.zeros(len(whole))
    shares[exponents - exponents[0]] = counts / len(g)
    return Gradients(fmt, tuple(float(s) for s in scales), frozen(whole), frozen(shares), fates)


def _fates(g: Array, fmt: Format) -> Fates:
    with np.errstate(all="ignore"):
        y = np.asarray(round_to(g, fmt))
    zero, over = y == 0, ~np.isfinite(y) | (g > 2 * float(fmt.max_finite))
    small = (y < float(fmt.min_normal)) & ~zero
    shares = [float(np.mean(part)) for part in (zero, small, ~(zero | over | small), over)]
    return Fates(*shares)


@lru_cache(maxsize=1)
def digit_gradients(epochs: int = 5) -> Array:
    """Every gradient of a backward pass of an MLP 64-32-10 on 256 of the bundled digits, trained in binary32.

    Deterministic: the same numbers in every run.
    """
    run = Run(Config("binary32", epochs=epochs, loss_scale=1.0), load_digits())
    progress = run.start()
    for number in range(1, epochs + 1):
        progress, _ = run.epoch(progress, number, None)
    seen: list[Array] = []

    def observe(tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        seen.append(np.asarray(part.values, np.float64).reshape(-1))

    run.graph(progress.params, np.arange(256))[1](observe)
    return frozen(np.concatenate(seen))


# --- weights that do not move ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StuckWeight:
    """A weight that gets the same small update again and again.

    Attributes
    ----------
    steps : ndarray of int
    paths : dict of str to ndarray
        The weight after each step: "ties_to_even", "Kahan", "stochastic", and "exact".
    """

    fmt: Format
    start: float
    update: float
    steps: Array
    paths: dict[str, Array]

    @property
    def lesson(self) -> str:
        """What it shows."""
        last, moved = float(self.paths["ties_to_even"][-1]), number(len(self.steps) - 1)
        verb = "stays" if last == self.start else "ends at"
        return (
            f"{moved} updates of {self.update:g} to a {self.fmt.name} weight: it {verb} {last:g}; Kahan's compensation "
            f"and stochastic rounding move it"
        )


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
    kahan = Kahan(fmt)
    paths = {
        "ties_to_even": cumsum(terms, fmt),
        "Kahan": kahan.prefixes(terms, kahan.prepare("cumsum", terms)[1]),
        "stochastic": cumsum(terms, fmt, "stochastic", rng=rng),
        "exact": start + update * np.arange(steps + 1),
    }
    return StuckWeight(
        fmt, start, update, frozen(np.arange(steps + 1)), {name: frozen(path) for name, path in paths.items()}
    )


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
        return (
            f"{number(len(self.counts) - 1)} × {self.term:g} in {self.fmt.name}: nearest stops at {number(float(self.nearest[-1]))}, "
            f"the mean of {len(self.runs)} stochastic runs reaches {number(round(float(self.mean[-1]), 1))}"
        )


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
