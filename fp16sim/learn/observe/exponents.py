"""What a format would do to numbers: counts by exponent, from which the fate of every number follows, at any scale.

Multiplying by 2^k adds k to every exponent and changes nothing else. So one pass over the numbers answers for all loss
scales at once. It counts, for each exponent e, how many numbers lie in the binade from 2^e to 2^(e+1), and how many of
them lie at the three places of a binade where rounding to nearest, ties to even, changes their fate:

    at its start     2^(q-1), half of min_subnormal = 2^q, is a tie and becomes 0; every larger number does not.
    near its end     from min_normal (1 - 2^-p) on, half a quantum below min_normal, a number becomes min_normal.
    past the top     from max_finite + half its ulp on, a number overflows (only above it, if max_finite is even).

`survey` counts from the bits, one chunk after the other (see `binades`). A Survey is the counts. Surveys for the same
format can be added.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy.typing as npt

from ...formats import Format, FormatLike, Subnormals, get_format
from .binades import Binade, Counts, as_real, count


class Fate(NamedTuple):
    """What the finite nonzero numbers become when they are rounded; each is counted once."""

    underflowed: int
    """They become 0."""
    subnormal: int
    """They become subnormal, with fewer significand bits than the format's precision."""
    normal: int
    overflowed: int
    """They are still beyond max_finite after rounding: infinity, NaN, or max_finite if the format saturates."""

    @property
    def lost(self) -> int:
        """How many underflow or overflow."""
        return self.underflowed + self.overflowed


@dataclass(frozen=True)
class Survey:
    """Exact counts of an array's numbers, for one format.

    Attributes
    ----------
    fmt : Format
    total : int
        All elements: zeros + nans + infinities + the finite nonzero ones.
    zeros, nans, infinities : int
        As they were in the array, before any rounding.
    lowest : int
        The exponent of the first binade.
    binades : tuple of Binade
        The finite nonzero numbers by exponent, from the smallest exponent that occurs to the largest; () if there are
        none.

    Examples
    --------
    >>> seen = survey([0, 1e-8, 3e-6, 1.0, 1e6], "binary16")
    >>> seen.fate()
    Fate(underflowed=1, subnormal=1, normal=1, overflowed=1)
    >>> seen.best_shift(), seen.fate(shift=2).lost
    (13, 1)
    >>> (seen + seen).total
    10
    """

    fmt: Format
    total: int = 0
    zeros: int = 0
    nans: int = 0
    infinities: int = 0
    lowest: int = 0
    binades: tuple[Binade, ...] = ()

    def __add__(self, other: Survey) -> Survey:
        if self.fmt != other.fmt:
            raise TypeError(f"fmt={self.fmt} and fmt={other.fmt} differ; only surveys for the same format can be added")
        return Survey(self.fmt, self.total + other.total, *self._counts.merge(other._counts))

    @property
    def _counts(self) -> Counts:
        return Counts(self.zeros, self.nans, self.infinities, self.lowest, self.binades)

    @property
    def finite(self) -> int:
        """How many elements are finite and nonzero: those that can underflow or overflow."""
        return self.total - self.zeros - self.nans - self.infinities

    @property
    def exponents(self) -> dict[int, int]:
        """The histogram: how many finite nonzero numbers have each exponent, from the smallest to the largest."""
        return {self.lowest + i: binade.total for i, binade in enumerate(self.binades)}

    @property
    def highest(self) -> int:
        """The exponent of the last binade."""
        return self.lowest + len(self.binades) - 1

    @cached_property
    def _columns(self) -> tuple[tuple[int, ...], ...]:
        """How many numbers lie below each binade, and all of them; then the counts at each of the three places."""
        totals, *places = zip(*(self.binades or [Binade()]), strict=True)
        return ((0, *accumulate(totals)), *places)

    def fate(self, shift: int = 0) -> Fate:
        """What the numbers become, multiplied by 2^shift and rounded to nearest, ties to even: exact.

        Zeros, NaNs and infinities are not counted, because they stay what they are.
        """
        fmt, (sums, start, end, past) = self.fmt, self._columns

        def below(exponent: int) -> int:
            return sums[min(max(exponent - self.lowest, 0), len(sums) - 1)]

        def extra(counts: tuple[int, ...], exponent: int) -> int:
            place = exponent - self.lowest
            return counts[place] if 0 <= place < len(self.binades) else 0

        emin, emax = fmt.emin - shift, fmt.emax - shift
        not_normal = below(emin) - (0 if fmt.subnormals is Subnormals.FLUSH_INPUTS else extra(end, emin - 1))
        zero = not_normal
        if fmt.subnormals is Subnormals.GRADUAL:
            tie = fmt.quantum_exponent_min - 1 - shift  # halfway between 0 and min_subnormal
            zero = below(tie) + extra(start, tie)
        elif fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
            zero = not_normal = below(emin - 1) + extra(start, emin - 1)  # 2^(emin-1) is halfway to min_normal
        beyond = sums[-1] - below(emax + 1) + extra(past, emax)
        return Fate(zero, not_normal - zero, sums[-1] - not_normal - beyond, beyond)

    def expected_error(self, shift: int = 0) -> float:
        """The mean relative error at the loss scale 2^shift, if significands are spread evenly within each binade.

        A number that is lost counts as an error of 1. The others: if a number m 2^e with 1 <= m < 2 has b bits left,
        its neighbours are 2^(1-b) 2^e apart, so the error is at most 2^-b 2^e, on average half of that; and the mean
        of 1/m is ln 2. Together 2^-b ln(2) / 2.
        """
        fate, p = self.fate(shift), self.fmt.precision
        bits = {Subnormals.GRADUAL: range(p - 1, -1, -1), Subnormals.FLUSH_TO_NEAREST: range(1)}
        units = fate.normal * 2.0**-p
        for below, b in enumerate(bits.get(self.fmt.subnormals, ()), start=1):
            place = self.fmt.emin - below - shift - self.lowest
            if 0 <= place < len(self.binades):
                binade = self.binades[place]
                units += (binade.total - (0 if b else binade.at_start)) * 2.0**-b  # from 0 bits, a tie becomes 0
        return (fate.lost + units * math.log(2) / 2) / self.finite if self.finite else 0.0

    @property
    def negligible_error(self) -> float:
        """Expected errors that differ by at most this, a thousandth of the unit roundoff, count as equal."""
        return float(self.fmt.unit_roundoff) / 1000

    def best_shift(self, shifts: Iterable[int] | None = None) -> int:
        """The k for which the loss scale 2^k has the smallest expected error.

        If several do, up to a negligible difference, the one nearest to 0. `shifts` limits the choice, for example to
        range(0, 16) for scales that are numbers of binary16; without it every k that could matter is tried.
        """
        tried = sorted(self.useful_shifts() if shifts is None else shifts, key=lambda k: (abs(k), k))
        if not tried:
            raise ValueError("shifts is empty; give at least one exponent, such as range(0, 16)")
        errors = [self.expected_error(k) for k in tried]
        enough = min(errors) + self.negligible_error
        return next(k for k, error in zip(tried, errors, strict=True) if error <= enough)

    def useful_shifts(self) -> range:
        """All k between those that bring the largest and the smallest number into the normal range, and 0.

        Beyond them nothing is gained.
        """
        if not self.binades:
            return range(1)
        ends = (self.fmt.emax - 1 - self.highest, self.fmt.emin - self.lowest, 0)
        return range(min(ends), max(ends) + 1)


def survey(x: npt.ArrayLike, fmt: FormatLike) -> Survey:
    """Count an array's numbers by what `fmt` would make of them: exact, in about 4 ns an element.

    Parameters
    ----------
    x : array_like
        float16, float32 and float64 are read as they are; ints and lists become float64. Of any shape and layout; a
        memory-mapped array is read one chunk after the other.
    fmt : Format, str or dtype

    Returns
    -------
    Survey

    Raises
    ------
    TypeError
        If x is not an array of real numbers.
    """
    fmt, numbers = get_format(fmt), as_real(x)
    return Survey(fmt, numbers.size, *count(numbers, fmt))
