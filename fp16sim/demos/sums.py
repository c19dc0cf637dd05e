"""Sums that go wrong: each partial sum is rounded, so a large sum absorbs small terms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import Accumulator, Blocked, Exact, Fused, Kahan, Pairwise, Sequential
from ..arithmetic import add
from ..conversion import Array, Generator, Seed, as_generator
from ..formats import BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from ..reductions import cumsum, dot
from ..reductions import sum as rounded_sum
from ..rounding import round_to
from ..wording import number
from .common import error_text, format_reaching, frozen, relative


@dataclass(frozen=True)
class Harmonic:
    """The partial sums of 1 + 1/2 + 1/3 + ...

    Attributes
    ----------
    sums : ndarray
        `sums[n - 1]` is the sum of n terms.
    exact : ndarray
        The same in binary64: within 1e-13 of the truth.
    stops_at : int or None
        The number of the last term that changed the sum; None if a term of the second half did.
    """

    fmt: Format
    mode: Rounding
    sums: Array
    exact: Array
    stops_at: int | None

    @property
    def lesson(self) -> str:
        """What it shows."""
        if self.stops_at is None:
            return f"The harmonic series diverges; {self.fmt.name} still adds after {len(self.sums):,} terms"
        return f"The harmonic series diverges; {self.fmt.name} stops it after {self.stops_at} terms"


def harmonic(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, terms: int = 4096, rng: Seed = 0
) -> Harmonic:
    """The harmonic series, every term and every partial sum correctly rounded.

    Examples
    --------
    >>> harmonic("binary16").stops_at, float(harmonic("binary16").sums[-1])
    (512, 7.0859375)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    rounded = round_to(_reciprocals(terms, fmt), fmt, mode, rng=generator)
    sums = np.asarray(cumsum(rounded, fmt, mode, rng=generator))
    last = 1 + int(np.flatnonzero(np.diff(sums, prepend=0))[-1])
    exact = np.cumsum(1 / np.arange(1, terms + 1))
    return Harmonic(fmt, mode, frozen(sums), frozen(exact), last if last <= terms // 2 else None)


def _reciprocals(terms: int, fmt: Format) -> Array | list[Fraction]:
    """1, 1/2, ..., so that rounding them to `fmt` gives the correctly rounded 1/n.

    Rounding 1/n to binary64 first is innocuous if no p-bit number, and no tie between two, lies between 1/n and its
    binary64. Such a number m / 2^k, with m < 2^(p+1), equals 1/n or differs from it by a multiple of 1 / (n 2^k). This
    is more than 2^-(p+1) / n relative to m / 2^k, so it suffices that 2^-(p+1) / n is well above 2^-53.
    """
    if fmt.precision + 1 + terms.bit_length() < 52:
        return 1 / np.arange(1, terms + 1)
    return [Fraction(1, n) for n in range(1, terms + 1)]


# --- ten thousand tenths --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tenths:
    """Sums of n times 0.1 by several accumulators.

    Attributes
    ----------
    counts : ndarray of int
    exact : ndarray
        n / 10.
    sums : dict of str to ndarray
        For each accumulator its sums of the first n terms, for each n in `counts`.
    """

    fmt: Format
    mode: Rounding
    counts: Array
    exact: Array
    sums: dict[str, Array]

    @property
    def lesson(self) -> str:
        """What it shows."""
        end = number(float(self.sums["sequential"][-1]))
        return f"{number(self.counts[-1])} times 0.1, one after the other: {self.fmt.name} finds {end}"


def tenths(
    fmt: FormatLike = BINARY16,
    mode: Rounding | str = "ties_to_even",
    *,
    terms: int = 10_000,
    points: int = 50,
    rng: Seed = 0,
) -> Tenths:
    """0.1 added up one after the other, in pairs, and with Kahan's compensation: every step correctly rounded.

    Examples
    --------
    >>> {name: float(s[-1]) for name, s in tenths("binary16", points=2).sums.items()}
    {'sequential': 256.0, 'pairwise': 999.5, 'Kahan': 1000.0}
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    counts = np.unique(np.linspace(1, terms, points).round().astype(int))
    tenth = round_to(np.full(terms, 0.1), fmt, mode, rng=generator)
    pairwise, kahan = Pairwise(fmt, mode, generator), Kahan(fmt, mode, generator)
    sums = {
        "sequential": running_sum(tenth, counts, fmt, mode, generator),
        "pairwise": np.array([pairwise.sum(tenth[:n]) for n in counts]),
        "Kahan": kahan.partial_sums(tenth, kahan.prepare("sum", tenth)[1])[counts - 1],
    }
    return Tenths(fmt, mode, frozen(counts), frozen(counts / 10), {name: frozen(s) for name, s in sums.items()})


def running_sum(terms: Array, counts: Array, fmt: Format, mode: Rounding, rng: Generator) -> Array:
    """The sums of the first n equal terms, one after the other from 0, for each n in `counts`."""
    total, done, sums = 0.0, 0, []
    for n in counts:
        # If one term does not change the sum, the next one does not either, except in stochastic rounding.
        if rng is not None or add(total, terms[0], fmt, mode) != total:
            total = float(rounded_sum(np.concatenate([[total], terms[done:n]]), fmt, mode, rng=rng))
        sums.append(total)
        done = n
    return np.array(sums)


# --- a clock --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """A clock that adds 0.1 s at every tick, and one that counts the ticks and divides by ten to show the time.

    Attributes
    ----------
    seconds : ndarray
        True time.
    added, counted : ndarray
        The time that each clock shows.
    stops_at : float or None
        The time at which the adding clock stops, if it does.
    """

    fmt: Format
    mode: Rounding
    seconds: Array
    added: Array
    counted: Array
    stops_at: float | None

    @property
    def off(self) -> float:
        """The error of the adding clock at the end, in seconds."""
        return abs(float(self.added[-1] - self.seconds[-1]))

    @property
    def lesson(self) -> str:
        """What it shows."""
        if self.stops_at is not None:
            return f"A clock in {self.fmt.name} that adds 0.1 s stands still after {number(self.stops_at)} s"
        end = number(round(self.seconds[-1]))
        return f"A clock in {self.fmt.name} that adds 0.1 s is {self.off:.3g} s off after {end} s"


TICKS = tuple(sorted({round(10 ** (k / 8)) for k in range(8, 47)}))
"""From one second to 15 hours, eight in every power of ten. After 18 hours the seconds overflow binary16."""


def clock(
    fmt: FormatLike = BINARY16, mode: Rounding | str = "ties_to_even", *, ticks: tuple[int, ...] = TICKS, rng: Seed = 0
) -> Clock:
    """The time after each number of ticks of 0.1 s, with every addition (and the one quotient) correctly rounded.

    Only ties_to_even is fast enough for all ticks; in other modes the picture ends after an hour.

    Examples
    --------
    >>> clock("binary16").stops_at, clock("bfloat16").stops_at
    (256.0, 32.0)
    """
    fmt, mode = format_reaching(4, fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    counts = np.array(ticks if mode is Rounding.TIES_TO_EVEN else [n for n in ticks if n < 40_000])
    tenth = np.full(counts[-1], round_to(0.1, fmt, mode, rng=generator))
    added = running_sum(tenth, counts, fmt, mode, generator)
    counted = round_to([Fraction(int(n), 10) for n in counts], fmt, mode, rng=generator)
    stopped = float(added[-1]) if added[-1] == added[-2] else None
    return Clock(fmt, mode, frozen(counts / 10), frozen(added), frozen(counted), stopped)


# --- accumulators compared ------------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """One accumulator: how long it takes, and how large its error is.

    Attributes
    ----------
    name : str
    operations : int
        The number of rounded operations.
    depth : int
        The longest chain of operations that wait for each other: the time, if there are enough adders.
    error : float
        The largest relative error over the trials.
    """

    name: str
    operations: int
    depth: int
    error: float


@dataclass(frozen=True)
class Accumulators:
    """Dot products of uniform random numbers, by each accumulator."""

    fmt: Format
    mode: Rounding
    terms: int
    trials: int
    costs: tuple[Cost, ...]

    @property
    def lesson(self) -> str:
        """What it shows."""
        by_name = {cost.name: cost for cost in self.costs}
        slow, fast = by_name["sequential"].error, by_name["pairwise"].error
        in_pairs = f"or {error_text(fast)} in pairs" if np.isfinite(fast) else "and in pairs infinity or NaN"
        return f"The order of additions decides: {error_text(slow)} off, {in_pairs}"


def accumulators(
    fmt: FormatLike = BINARY16,
    mode: Rounding | str = "ties_to_even",
    *,
    terms: int = 4096,
    trials: int = 32,
    rng: Seed = 0,
) -> Accumulators:
    """Errors of dot products of uniform numbers in [0, 1), and operation counts; every step correctly rounded.

    The truth is the exact sum of the products of the rounded factors, rounded once to binary64.
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    draws = np.random.default_rng(0 if rng is None else rng)
    a, b = round_to(draws.random((trials, terms)), fmt), round_to(draws.random((terms, 1)), fmt)
    truth = dot(a, b, "binary64", accumulator=Exact())
    costs = []
    for name, (accumulator, count, depth) in _accumulators(fmt, mode, draws).items():
        own = accumulator if not isinstance(accumulator, Exact) else None
        y = dot(a, b, accumulator.fmt if own else fmt, mode, accumulator=accumulator, rng=draws)
        costs.append(Cost(name, count(terms), depth(terms), float(relative(y, truth).max())))
    return Accumulators(fmt, mode, terms, trials, tuple(costs))


def _accumulators(
    fmt: Format, mode: Rounding, rng: Generator
) -> dict[str, tuple[Accumulator, Callable[[int], int], Any]]:
    """Name, accumulator, operations for n terms, and the longest chain of them; both counts include the products."""
    given: dict[str, Any] = {"fmt": fmt, "mode": mode, "rng": rng}
    return {
        "sequential": (Sequential(**given), lambda n: 2 * n - 1, lambda n: n),
        "fused": (Fused(**given), lambda n: n, lambda n: n),
        "blocks of 64": (Blocked(**given, block=64), lambda n: 2 * n - 1, lambda n: 64 + math.ceil(n / 64) - 1),
        "pairwise": (Pairwise(**given), lambda n: 2 * n - 1, lambda n: 1 + math.ceil(math.log2(n))),
        "Kahan": (Kahan(**given), lambda n: n + 4 * (n - 1), lambda n: 1 + 4 * (n - 1)),
        "binary32": (Sequential("binary32", mode, rng), lambda n: 2 * n - 1, lambda n: n),
        "exact, rounded once": (Exact(), lambda n: 2 * n - 1, lambda n: n),
    }
