"""What a network meets: overflow in a softmax, gradients below the window of a format, weights that do not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..accumulators import Exact, Kahan
from ..arrays import FloatArray, array
from ..conversion import Array, Generator, Seed, as_generator
from ..elementary import exp
from ..formats import BFLOAT16, BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from ..learn import MLP, Config, Tensor, cross_entropy, load_digits, survey, train
from ..learn import gradients as backward
from ..reductions import cumsum
from ..rounding import round_to
from ..wording import number, percent
from .common import format_reaching, frozen


@dataclass(frozen=True)
class Softmax:
    """The first probability of softmax([x, x - 1, x - 2]); on paper it does not depend on x.

    Attributes
    ----------
    x, naive, shifted : ndarray
        `shifted` subtracts the largest logit first.
    exact : float
    overflows_at, underflows_at : float or None
        The naive softmax is NaN for x at or above the first, and for x at or below the second.
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
            return f"A naive softmax in {self.fmt.name}: no overflow up to {number(float(self.x.max()))}"
        return f"In {self.fmt.name}, a naive softmax is NaN from logit {number(self.overflows_at)} on"


def softmax(
    fmt: FormatLike = BINARY16,
    mode: Rounding | str = "ties_to_even",
    *,
    logits: npt.ArrayLike | None = None,
    rng: Seed = 0,
) -> Softmax:
    """Softmax of x, x - 1, x - 2, naive and with the maximum subtracted first; every step correctly rounded.

    Examples
    --------
    >>> s = softmax("binary16", logits=[10, 11, 12])
    >>> s.naive.tolist(), [round(float(y), 5) for y in s.shifted]
    ([0.6650390625, 0.0, nan], [0.66553, 0.66553, 0.66553])
    """
    fmt, mode = format_reaching(4, fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    reach = 1.5 * float(np.log(min(float(fmt.max_finite), 1e30)))
    x = round_to(np.linspace(-2 * reach, 2 * reach, 401) if logits is None else np.asarray(logits, float), fmt)
    naive, shifted = (_softmax(x, fmt, mode, generator, shift) for shift in (False, True))
    edges = [_nan_from(sign * x, sign, naive, fmt, mode, generator) for sign in (1, -1)]
    exact = float(1 / (1 + np.exp(-1) + np.exp(-2)))
    return Softmax(fmt, mode, frozen(x), frozen(naive), frozen(shifted), exact, *edges)


def _softmax(x: Array, fmt: Format, mode: Rounding, rng: Generator, shift: bool) -> Array:
    with np.errstate(all="ignore"):
        z = array(np.stack([x, x - 1, x - 2], axis=-1), fmt, mode, rng=rng)
        z = z - z[..., :1] if shift else z
        e = array(exp(z.values, fmt, mode, rng=rng), fmt, mode, rng=rng)
        total = e.sum(axis=-1, accumulator=Exact())  # rounded once: the lesson is overflow, not the order
        return np.asarray((e[..., 0] / total).values)


def _nan_from(distance: Array, sign: int, naive: Array, fmt: Format, mode: Rounding, rng: Generator) -> float | None:
    """The number nearest to 0 on one side whose naive softmax is NaN, by bisection between two computed ones."""
    nan = np.isnan(naive) & (distance > 0)
    if not nan.any():
        return None
    bad = float(distance[nan].min())
    good = float(distance[~np.isnan(naive) & (distance < bad)].max(initial=0))
    while good < (middle := float(round_to((good + bad) / 2, fmt, "toward_negative"))) < bad:
        if np.isnan(_softmax(np.array(sign * middle), fmt, mode, rng, False)):
            bad = middle
        else:
            good = middle
    return sign * bad


# --- weights of attention -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attention:
    """The weight e^-gap of a score that lies `gap` below the largest one, as a format stores it.

    Attributes
    ----------
    gaps, weights : ndarray
    subnormal_from, zero_from : float
        The gaps from which a weight is below the smallest normal number, and from which it is 0.
    """

    fmt: Format
    gaps: Array
    weights: Array
    subnormal_from: float
    zero_from: float

    @property
    def ratios(self) -> Array:
        """The stored weights, divided by the exact ones."""
        return np.asarray(self.weights * np.exp(self.gaps))

    @property
    def lesson(self) -> str:
        """What it shows."""
        return f"In {self.fmt.name}, a score {self.zero_from:.4g} below the largest has weight 0"


def attention(fmt: FormatLike = BINARY16, *, gaps: npt.ArrayLike | None = None) -> Attention:
    """The weights of a stable softmax before its division, against the distance of a score from the largest one.

    Each is e^-gap in binary64, rounded once to the format.

    Examples
    --------
    >>> a = attention("binary16", gaps=[0, 9, 17, 18])
    >>> [round(float(ratio), 3) for ratio in a.ratios], round(a.zero_from, 3)
    ([1.0, 1.0, 1.44, 0.0], 17.329)
    """
    fmt = format_reaching(1, fmt)
    low, high = 0.0, -float(np.log(float(fmt.min_subnormal))) + 1
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if round_to(np.exp(-middle), fmt) == 0 else (middle, high)
    x = np.linspace(0, 1.44 * high, 2501) if gaps is None else np.asarray(gaps, np.float64)
    weights = np.asarray(round_to(np.exp(-x), fmt), np.float64)
    return Attention(fmt, frozen(x), frozen(weights), -float(np.log(float(fmt.min_normal))), high)


# --- gradients and the window of a format ---------------------------------------------------------------------------


class Fates(NamedTuple):
    """What finite nonzero gradients become when rounded, as shares of them, counted by `fs.learn.survey`."""

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
        Loss scales, which are powers of two: each moves the histogram.
    exponents, shares : ndarray
        Of the unscaled gradients: each floor(log2 abs(g)), and the share of the nonzero ones that have it.
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
        unscaled = f"{percent(first, 2)} of gradients become 0 in {self.fmt.name}"
        same = len(self.scales) == 1 or first == last
        return unscaled if same else f"{unscaled}; {percent(last, 2)} at scale {number(self.scales[-1])}"


def gradients(
    fmt: FormatLike = BINARY16, gradients: npt.ArrayLike | None = None, *, scales: Sequence[float] = (1.0, 1024.0)
) -> Gradients:
    """Where gradients lie in the window of a format, for several loss scales; shares counted on rounded values.

    Parameters
    ----------
    fmt : Format, str or dtype
    gradients : array_like, optional
        Of any shape; elements that are 0 or not finite are left out. By default the gradients in a backward pass of a
        small network on the bundled digits (`digit_gradients`).
    scales : sequence of float
        Powers of two: each gradient is multiplied by the scale before it is rounded.

    Raises
    ------
    ValueError
        If a scale is not a power of two, or no gradient is finite and nonzero.
    """
    fmt = get_format(fmt)
    shifts = [_shift(scale) for scale in scales]
    seen = survey(digit_gradients() if gradients is None else gradients, fmt)
    if not seen.finite:
        raise ValueError("gradients has no finite nonzero element, so there is no histogram; give at least one")
    counts = np.array(list(seen.exponents.values()))
    fates = tuple(Fates(*(n / seen.finite for n in seen.fate(shift))) for shift in shifts)
    exponents, shares = frozen(list(seen.exponents)), frozen(counts / seen.finite)
    return Gradients(fmt, tuple(2.0**shift for shift in shifts), exponents, shares, fates)


def _shift(scale: float) -> int:
    """The k of a scale 2^k."""
    significand, exponent = np.frexp(float(scale))
    if significand != 0.5:
        raise ValueError(
            f"scale={scale:g} is not a power of two, so it changes more than exponents; use scales such as 1 and 1024"
        )
    return int(exponent) - 1


@lru_cache(maxsize=1)
def digit_gradients(epochs: int = 5) -> Array:
    """Every gradient of a backward pass of an MLP 64-32-10 on 256 of the bundled digits, trained in binary32.

    The numbers are the same in every run.
    """
    data, config = load_digits(), Config("binary32", epochs=epochs, loss_scale=1.0)
    tensors = {name: Tensor(x, name=name) for name, x in train(config, data).params.items()}
    model = MLP((data.train_images.shape[1], *config.layers, data.classes))
    images = Tensor(array(data.train_images[:256], "binary32"), wanted=False)
    seen: list[Array] = []

    def observe(tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        seen.append(np.asarray(part.values, np.float64).reshape(-1))

    backward(cross_entropy(model(tensors, images), data.train_labels[:256]), tensors, observer=observe)
    return frozen(np.concatenate(seen))


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
        The mean of the last weights of 64 stochastic runs.
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
        end, exact = (float(self.paths[name][-1]) for name in ("ties_to_even", "exact"))
        updates = f"{number(len(self.steps) - 1)} updates of {self.update:g}"
        if end == self.paths["ties_to_even"][0]:
            return f"A weight of {self.start:g} in {self.fmt.name} ignores {updates}"
        found, truth = f"{end:.4g}", f"{exact:.4g}"
        return f"{updates} in {self.fmt.name}: {found}, {'as it should be' if found == truth else f'not {truth}'}"


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
    # The update is rounded anew in each step, too. Rounded only once, it would add the same error a thousand times.
    columns = np.full((steps + 1, 64), update)
    columns[0] = start
    runs = np.asarray(cumsum(columns, fmt, "stochastic", axis=0, rng=generator))
    paths = {
        "ties_to_even": cumsum(terms, fmt),
        "Kahan": kahan.partial_sums(terms, kahan.prepare("cumsum", terms)[1]),
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
        One row for each run.
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
        ends = f"{number(float(self.nearest[-1]))} to nearest, {self.mean[-1]:.4g} on average"
        return f"{number(len(self.counts) - 1)} times {self.term:g} in {self.fmt.name}: {ends}"


def stochastic(
    fmt: FormatLike = BFLOAT16, *, term: float = 0.1, terms: int = 1000, runs: int = 32, rng: Seed = 0
) -> Stochastic:
    """0 + 0.1 + 0.1 + ... by stochastic rounding in `runs` runs, and once to nearest; every partial sum rounded.

    The term is rounded stochastically at each step of each run, too, so that the expected sum is exact.

    Examples
    --------
    >>> s = stochastic("bfloat16", terms=500, runs=4)
    >>> float(s.nearest[-1]), s.runs.shape
    (32.0, (4, 501))
    """
    fmt = format_reaching(term * terms, fmt)
    generator = np.random.default_rng(rng)
    counts = np.arange(terms + 1)
    columns = np.full((terms + 1, runs), term)
    columns[0] = 0
    sums = np.asarray(cumsum(columns, fmt, "stochastic", axis=0, rng=generator)).T
    nearest = cumsum(np.array([0.0, *[term] * terms]), fmt)
    return Stochastic(
        fmt, term, frozen(counts), frozen(term * counts), frozen(nearest), frozen(sums), frozen(sums.mean(axis=0))
    )
