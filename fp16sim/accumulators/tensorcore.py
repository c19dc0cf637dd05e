"""A model of NVIDIA's tensor cores: exact products are aligned, truncated and added; the sum is truncated again.

The model is that of Fasi, Higham, Mikaitis and Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer
Science 7:e330 (2021), for Volta, Turing and Ampere; the widths for Hopper, and the rule that exponents of products are
compared before the products are normalised, follow Xie, Wang, Yang and Yang, "MMA-Sim: bit-accurate reference model of
tensor cores and matrix cores" (arXiv:2511.10909, 2025) and Khattak and Mikaitis, "Accurate models of NVIDIA tensor
cores" (arXiv:2512.07004, 2025). NVIDIA publishes no such description, and the sources disagree on Turing's group: 4
(Fasi et al., used here) or 8 (MMA-Sim). The model does not cover the payload of NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..conversion import Array, Generator
from ..formats import BINARY16, BINARY32, TF32, Format, FormatLike, Rounding, get_format
from ..rounding import exponent, round_array, round_to
from ..wording import did_you_mean, quoted
from .base import Accumulator, Start, Steps


class Generation(NamedTuple):
    """What distinguishes one generation from another."""

    group: int
    """Products that are added at once, together with the sum so far."""
    fraction_bits: int
    """Bits kept below the largest exponent."""


GENERATIONS = {
    "volta": Generation(group=4, fraction_bits=23),
    "turing": Generation(group=4, fraction_bits=24),
    "ampere": Generation(group=8, fraction_bits=24),
    "hopper": Generation(group=16, fraction_bits=25),
}


@dataclass(frozen=True)
class TensorCore(Accumulator):
    """Dot products as measurements show that NVIDIA's tensor cores compute them; exact to the bit within this model.

    The products are added in groups of the hardware's length. In each group the exact products and the sum so far are
    aligned to the largest of their exponents (that of a product is the sum of its factors' exponents), truncated toward
    zero to the fraction bits below it, and added without an error; the sum is truncated to binary32 (or rounded to
    nearest even for binary16).

    Not monotone: a larger term can give a smaller sum, because the others are aligned to it and lose more. Zeros take
    no part in the alignment, and a zero sum is +0; only significands are truncated, so that a sum of 2^128 or more is
    infinite. Recorded flags are those of the last step of each group. Group and fraction bits are those measured for
    16-bit factors. For others the hardware adds another number at once (and Hopper keeps fewer bits of 8-bit ones), so
    that the model is only an approximation of it.

    Parameters
    ----------
    generation : {"volta", "turing", "ampere", "hopper"}
    output : {"binary32", "binary16"}
        The format of the sums.
    factors : Format, str or dtype
        The format of the factors, which must fit in tf32: binary16, bfloat16, tf32, an 8-bit format. In `fs.matmul` and
        the others the call's own format takes its place.

    Raises
    ------
    ValueError
        For another generation or output, or wider factors.

    Examples
    --------
    >>> volta = TensorCore("volta")
    >>> ones = [2.0**-12] * 4
    >>> volta.dot(ones, ones, 1.0), volta.dot(ones, ones, 0.5)  # 4 * 2^-24 is lost beside 1 and kept beside 1/2
    (np.float64(1.0), np.float64(0.5000002384185791))
    """

    generation: str
    factors: Format

    def __init__(
        self, generation: str = "volta", output: FormatLike = BINARY32, factors: FormatLike = BINARY16
    ) -> None:
        fmt = get_format(output)
        if generation not in tuple(GENERATIONS):
            known = f"{did_you_mean(generation, GENERATIONS)}use one of {', '.join(map(repr, GENERATIONS))}"
            raise ValueError(f"generation={quoted(generation)} is unknown; {known}")
        if fmt not in (BINARY16, BINARY32):
            raise ValueError(f"output={fmt.name}: tensor cores give binary32 or binary16 here; use one of them")
        factors = get_format(factors)
        if not factors.fits_in(TF32):
            raise ValueError(
                f"factors={factors.name} (width={factors.width}, precision={factors.precision}) does not fit in tf32, "
                "the widest that tensor cores multiply here; use binary16, bfloat16, tf32 or an 8-bit format"
            )
        super().__init__(fmt, Rounding.TOWARD_ZERO if fmt == BINARY32 else Rounding.TIES_TO_EVEN)
        self._set(generation=generation, factors=factors)

    def accepts(self, fmt: Format) -> bool:
        """Whether factors may be values of `fmt`."""
        return fmt.fits_in(TF32)

    def for_format(self, fmt: Format, mode: Rounding, rng: Generator) -> TensorCore:
        """This core for factors of `fmt`."""
        return TensorCore(self.generation, self.fmt, fmt)

    @property
    def operand_format(self) -> Format:
        """The format of factors."""
        return self.factors

    def operand(self, source: Array, steps: Steps) -> Array:
        """A factor, rounded to nearest: truncation is for sums."""
        return np.asarray(round_to(source, self.factors), steps.carrier)

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """A sum is a dot product with ones."""
        return self.reduce_products(terms, np.ones_like(terms), None, steps)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """One group after the other."""
        shape = np.broadcast_shapes(left.shape, right.shape)
        total = np.zeros(shape[1:]) if start is None else start.astype(np.float64)
        size = GENERATIONS[self.generation].group
        for k in range(0, shape[0], size):
            total = self._add_group(left[k : k + size], right[k : k + size], total, steps)
        return np.asarray(total, steps.carrier)

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The sum of all full groups so far, and some terms of the next one."""
        if not steps.may_share:
            return super().partial_sums(terms, steps)
        n, shape, size, steps = len(terms), terms.shape[1:], GENERATIONS[self.generation].group, steps.unplaced()
        groups = np.zeros((-(-n // size), size, *shape))
        groups.reshape(-1, *shape)[:n] = terms
        before, sums = np.zeros((len(groups), *shape)), np.empty(groups.shape, steps.carrier)
        for k in range(1, len(groups)):
            before[k] = self._add_group(groups[k - 1], np.ones_like(groups[k - 1]), before[k - 1], steps)
        for k in range(size):
            some = np.moveaxis(groups[:, : k + 1], 1, 0)
            sums[:, k] = self._add_group(some, np.ones_like(some), before, steps)
        return sums.reshape(-1, *shape)[:n]

    def _add_group(self, left: Array, right: Array, total: Array, steps: Steps) -> Array:
        exact_sum = self._aligned_sum(left.astype(np.float64), right.astype(np.float64), total)
        out = np.empty(total.shape, np.float64)
        rounded = round_array(exact_sum, self.fmt, self.mode, out=out, operation=steps.label, tally=steps.tally)
        return np.where(np.abs(exact_sum) >= 2.0 ** (self.fmt.emax + 1), np.copysign(np.inf, exact_sum), rounded)

    def _aligned_sum(self, a: Array, b: Array, total: Array) -> Array:
        """The sum of the truncated terms. float64 commits no error: they are 17 numbers below 2^(bits + 2) quanta."""
        bits = GENERATIONS[self.generation].fraction_bits
        with np.errstate(all="ignore"):
            terms = np.concatenate([np.broadcast_to(a * b, (len(a), *total.shape)), total[None]])
            of_products = _stored(a, self.factors) + _stored(b, self.factors) + np.zeros(total.shape)
            exponents = np.concatenate([of_products, _stored(total[None], self.fmt)])
            highest = np.where(terms == 0, -(2.0**20), exponents).max(axis=0)
            quantum = np.where(highest < -(2.0**19), 0, highest - bits).astype(np.int32)
            aligned = np.ldexp(np.trunc(np.ldexp(terms, -quantum)), quantum)
            # Infinities and NaN give what they give in any sum; alignment cannot make them finite.
            return np.where(np.isfinite(terms).all(axis=0), aligned.sum(axis=0) + 0.0, terms.sum(axis=0))


def _stored(x: Array, fmt: Format) -> Array:
    """Exponents as the format stores them: a subnormal number has that of min_normal."""
    return np.where(np.isfinite(x), np.maximum(exponent(x), fmt.emin), 0).astype(np.float64)
