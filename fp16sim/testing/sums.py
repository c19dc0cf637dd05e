"""How far a sum of n terms may be from the exact sum: theorems with conditions, of which the smallest bound is taken.

u is the unit roundoff of the format of the sums, v is u to nearest and 2 u in other modes, S the sum of the magnitudes
of the terms, and R = (S + abs(s)) / 2 the sum of all positive terms or of all negative ones, whichever is larger: the
sum of no subset is larger in magnitude. No addition underflows: the sum of two numbers of a format is a multiple of
min_subnormal, so where it is subnormal it is exact.

- "linear" (Jeannerod and Rump 2013): (n - 1) u S, to nearest, in every order, for every n. By induction over the tree
  of additions: let a node add results x and y of m and k terms, whose magnitudes sum to P and Q. Its own error d is at
  most abs(x), abs(y) and u abs(x + y), because x and y are numbers of the format. If Q <= u P, then
  abs(d) <= abs(y) <= Q + (k - 1) u Q <= k u P; likewise if P <= u Q. Else abs(d) <= u (P + Q) + u (m - 1) u P +
  u (k - 1) u Q <= u (P + Q) + (m - 1) u Q + (k - 1) u P. In each case the errors of x and y and d add up to at most
  (m + k - 1) u (P + Q).
- "running" (Higham 2002, (4.3), and Lemma 3.1 for gamma): every addition errs by at most v times its exact result,
  which is at most R + E in magnitude if E bounds the error of the whole. So E = gamma R, gamma = (n - 1) v /
  (1 - (n - 1) v), provided that (n - 1) v < 1. As no result exceeds R + E, every addition errs by at most half an ulp
  of R + E to nearest (one ulp in other modes), and (n - 1) times that is the bound.
- "product" (Higham 2002, (4.4) before Lemma 3.1 is applied): a term that takes part in h additions is multiplied by h
  factors 1 + d with abs(d) <= v, so the error is at most ((1 + v)^h - 1) S. It needs no condition.
- "aligned", for matrix units that add k products and the sum so far after cutting them off: derived in `_aligned`.
- "probabilistic" (Higham and Mary 2019, Theorem 3.1): exp(L sqrt(n) v + n v^2 / (1 - v)) - 1 times S, for one sum with
  a probability of at least 1 - 2 n exp(-L^2 (1 - v)^2 / 2), *if* the rounding errors are independent random variables
  with mean zero. To nearest that is a model. For stochastic rounding, whose errors have mean zero whatever came before,
  it is a theorem (Connolly, Higham and Mary 2021), with v = 2 u.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..conversion import Array
from ..formats import Format, Rounding, Subnormals
from ..neighbours import ulp
from .permitted import Additions

SOURCES = {
    "linear": "Jeannerod and Rump, SIAM J. Matrix Anal. Appl. 34 (2013), 338-344: (n - 1) u S, any order, any n",
    "running": "Higham, Accuracy and Stability of Numerical Algorithms (2002), (4.3) and Lemma 3.1: half an ulp of the "
    "largest partial sum for each addition; gamma = (n - 1) v / (1 - (n - 1) v) bounds that sum, if (n - 1) v < 1",
    "product": "Higham (2002), (4.4) before Lemma 3.1: ((1 + v)^h - 1) S, with h additions above a term, for every h",
    "aligned": "the alignment of the matrix unit: each step cuts off its terms and the sum (Fasi, Higham, Mikaitis and "
    "Pranesh 2021 describe the steps; the bound is derived in fp16sim.testing.sums)",
    "probabilistic": "Higham and Mary, SIAM J. Sci. Comput. 41 (2019), A2815-A2835, Theorem 3.1; for stochastic "
    "rounding Connolly, Higham and Mary, SIAM J. Sci. Comput. 43 (2021), A566-A585",
    "exact": "the sum is exact",
}
"""Where each bound comes from."""


def unit(fmt: Format, mode: Rounding) -> float:
    """The largest relative error of one rounding to a normal number."""
    return float(fmt.unit_roundoff) * (1.0 if mode.nearest else 2.0)


def rounding_error(reach: Array, fmt: Format, mode: Rounding) -> Array:
    """The largest error of rounding a number of at most this magnitude: half an ulp there, or one ulp.

    The ulp of subnormal numbers is min_subnormal, so that underflow is included. Flushing loses up to min_normal.
    """
    finite = np.where(np.isfinite(reach), reach, 0.0)
    error = np.asarray(ulp(finite, fmt)) * (0.5 if mode.nearest else 1.0)
    flushed = 0.0 if fmt.subnormals is Subnormals.GRADUAL else float(fmt.min_normal)
    return np.where(np.isfinite(reach), np.maximum(error, flushed), np.inf)


@dataclass(frozen=True)
class Chance:
    """The probability with which a probabilistic bound may fail, for all sums of a kernel together."""

    failure: float
    sums: int
    """How many sums are bounded; the probability is shared among them."""

    def factor(self, n: int, v: float) -> float:
        """exp(L sqrt(n) v + n v^2 / (1 - v)) - 1, with 2 n exp(-L^2 (1 - v)^2 / 2) = failure / sums."""
        if v >= 1:
            return math.inf
        level = math.sqrt(2 * math.log(2 * n * max(1, self.sums) / self.failure)) / (1 - v)
        return math.expm1(min(700.0, level * math.sqrt(n) * v + n * v * v / (1 - v)))


def sum_error(
    how: Additions, n: int, size: Array, total: Array, chance: Chance | None = None, top: Array | None = None
) -> dict[str, Array]:
    """The bounds that hold, by name: for sums of n terms of the format, of magnitude `size`, with magnitudes `total`.

    Parameters
    ----------
    how : Additions
    n : int
        Terms; a fused product counts as one more addition.
    size, total : ndarray
        abs(s), or a larger number, and S, or a larger number.
    chance : Chance, optional
        For the probabilistic bound.
    top : ndarray, optional
        For matrix units: the power of two of the largest sum of two exponents of factors.
    """
    if how.exact or n < 1:
        return {"exact": np.zeros_like(total)}
    if how.path is not None:
        return {"aligned": _aligned(how, n, size, total, total if top is None else top)}
    v, fused = unit(how.fmt, how.mode), how.may_fuse
    additions, reach = n - 1 + fused, (total + size) / 2
    flushed = 0.0 if how.fmt.subnormals is Subnormals.GRADUAL else float(how.fmt.min_normal)
    found = {}
    with np.errstate(all="ignore"):
        growth = math.expm1(min(700.0, (how.height(n) + fused) * math.log1p(v)))
        found["product"] = growth * total + additions * flushed * (1 + growth)
        if additions * v < 1:
            gamma = additions * v / (1 - additions * v)
            largest = reach + gamma * reach + additions * flushed / (1 - additions * v)
            found["running"] = additions * rounding_error(largest, how.fmt, how.mode)
        if how.mode.nearest and not fused and not flushed:
            found["linear"] = (n - 1) * v * total
        if chance is not None and (how.mode.nearest or how.mode.random) and not flushed:
            found["probabilistic"] = chance.factor(n, v) * total
    return found


def _aligned(how: Additions, n: int, size: Array, total: Array, top: Array) -> Array:
    """A matrix unit: g groups of k products; each product and the sum so far are cut off at a common last place.

    That place is 2^-bits times 2^e, where e is the largest exponent of the group. 2^e is at most `top` (of products),
    the sum so far (at most R + E), or 2^least, where the machine has one. So a group errs by at most (k + 1) 2^-bits
    max(top, R + E, 2^least) for the alignment, and by v (R + E) + min_subnormal for the rounding of its sum. With
    w = (k + 1) 2^-bits + v, E = g (w max(top, R, 2^least) + min_subnormal) / (1 - g w), if g w < 1.
    """
    path = how.path
    assert path is not None
    v = unit(path.rounds_to, path.mode)
    cut = 0.0 if path.step == "exact" else (path.group + 1) * 2.0**-path.bits
    groups, w = -(-n // path.group), cut + v
    least = 0.0 if path.least is None else 2.0**path.least
    if groups * w >= 1:
        return np.full_like(total, np.inf)
    largest = np.maximum(np.maximum(top if cut else 0.0, (total + size) / 2), least)
    return groups * (w * largest + float(path.rounds_to.min_subnormal)) / (1 - groups * w)


def smallest(found: dict[str, Array]) -> tuple[Array, tuple[str, ...]]:
    """The smallest of the bounds, element by element, and the names of those that are it somewhere."""
    names = list(found)
    stacked = np.stack(
        [np.broadcast_to(np.asarray(found[name], np.float64), np.shape(found[names[0]])) for name in names]
    )
    if not stacked[0].size:
        return stacked[0], tuple(names[:1])
    chosen = np.argmin(stacked, axis=0)
    used = tuple(name for k, name in enumerate(names) if (chosen == k).any())
    return np.min(stacked, axis=0), used
