"""Double-double arrays with a running error bound: the shadow of arrays.

A `Pair` stands for hi + lo, two float64 arrays that do not overlap, so about 106 bits. Each operation adds to `radius`
what it may have got wrong and what its operands may have been wrong by: the true value lies within hi + lo +- radius.
Where the radius is infinite or NaN, nothing is known. `lo` and `radius` are the number 0.0 while they are 0 everywhere,
so that exact inputs cost nothing.

With u = 2^-53: TwoSum and TwoProd return the rounded result and its exact error. A sum of pairs then rounds three small
terms, each within u times u (|a| + |b|): 2^-102 (|a| + |b|) is more than all of them. A product or a quotient rounds a
few terms within u times u |result|: 2^-100 |result| is more. TINY covers products that underflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..conversion import Array

Part: TypeAlias = Any
"""A float64 array, or the number 0.0 for an array of zeros."""

ADDED, MULTIPLIED, TINY = 2.0**-102, 2.0**-100, 2.0**-1060
UP = 1 + 2.0**-49
"""Rounds a radius up: it is a sum of a few products of float64, each rounded by at most 2^-53."""


@dataclass(frozen=True, slots=True)
class Pair:
    """hi + lo, true to within `radius`."""

    hi: Array
    lo: Part = 0.0
    radius: Part = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.hi.shape

    def solid(self) -> Pair:
        """The same with arrays for all three parts, which can be written to."""
        hi = self.hi if self.hi.flags.writeable else self.hi.copy()
        return Pair(hi, *(_full(part, self.hi.shape) for part in (self.lo, self.radius)))

    def moved(self, move: Any) -> Pair:
        """A function that moves elements, applied to each part."""
        parts = (part if _zero(part) else move(_spread(part, self.hi.shape)) for part in (self.lo, self.radius))
        return Pair(np.asarray(move(self.hi)), *parts)


def _full(part: Part, shape: tuple[int, ...]) -> Array:
    if _zero(part):
        return np.zeros(shape)
    return part if np.shape(part) == shape and part.flags.writeable else np.array(np.broadcast_to(part, shape))


def _spread(part: Array, shape: tuple[int, ...]) -> Array:
    """A radius that is one number for all elements, as an array."""
    return part if np.shape(part) == shape else np.broadcast_to(part, shape)


# --- error-free transformations -------------------------------------------------------------------------------------


def two_sum(a: Array, b: Part) -> tuple[Array, Array]:
    """a + b rounded, and its exact error (Knuth)."""
    s = a + b
    t = s - a
    e = (a - (s - t)) + (b - t)
    return s, e


def fast_two_sum(a: Array, b: Part) -> tuple[Array, Array]:
    """The same where |a| >= |b| (Dekker)."""
    s = a + b
    return s, b - (s - a)


SPLITTER = 2.0**27 + 1


def _halves(a: Array) -> tuple[Array, Array]:
    c = SPLITTER * a
    high = c - (c - a)
    return high, a - high


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b rounded, and its exact error (Dekker, Veltkamp), where nothing overflows or underflows."""
    p = a * b
    (ah, al), (bh, bl) = _halves(a), _halves(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def _pair(s: Array, e: Part, radius: Part) -> Pair:
    """A sum of a large and a small part as a pair. Where the large one is not finite, it alone is the value."""
    hi, lo = fast_two_sum(s, e)
    if not np.isfinite(lo).all():
        lost = ~np.isfinite(lo)
        hi, lo = np.where(lost, s, hi), np.where(lost, 0.0, lo)
        radius = np.where(np.isfinite(s) & lost, np.inf, radius)
    return Pair(hi, lo, radius)


# --- arithmetic -----------------------------------------------------------------------------------------------------


def add(a: Pair, b: Pair) -> Pair:
    """a + b."""
    s, e = two_sum(a.hi, b.hi)
    if _zero(a.lo) and _zero(b.lo):  # TwoSum alone is exact
        return _pair(s, e, _sum(a.radius, b.radius))
    e += a.lo + b.lo
    bound = (np.abs(a.hi) + np.abs(b.hi)) * ADDED
    return _pair(s, e, (_sum(a.radius, b.radius) + bound) * UP)


def negative(a: Pair) -> Pair:
    """-a."""
    return Pair(-a.hi, 0.0 - a.lo if not _zero(a.lo) else 0.0, a.radius)


def subtract(a: Pair, b: Pair) -> Pair:
    """a - b."""
    return add(a, negative(b))


def absolute(a: Pair) -> Pair:
    """|a|."""
    sign = np.where(a.hi < 0, -1.0, 1.0)
    return Pair(np.abs(a.hi), 0.0 if _zero(a.lo) else a.lo * sign, a.radius)


def multiply(a: Pair, b: Pair) -> Pair:
    """a * b."""
    p, e = two_product(a.hi, b.hi)
    if _zero(a.lo) and _zero(b.lo) and _zero(a.radius) and _zero(b.radius):
        return _pair(p, e, _underflow(p))
    e += _product(a.hi, b.lo) + _product(a.lo, b.hi)
    radius = _product(np.abs(a.hi), b.radius) + _product(np.abs(b.hi), a.radius) + _product(a.radius, b.radius)
    return _pair(p, e, (radius + np.abs(p) * MULTIPLIED) * UP + TINY)


def _underflow(p: Array) -> Part:
    """The radius of an exact product: 0 unless its error term may have underflowed."""
    small = np.abs(p) < 2.0**-900
    return np.where(small & (p != 0), TINY, 0.0) if small.any() else 0.0


def divide(a: Pair, b: Pair) -> Pair:
    """a / b."""
    q = np.asarray(a.hi / b.hi)
    p, e = two_product(q, b.hi)
    rest = ((a.hi - p) - e) + (a.lo - _product(q, b.lo))
    size = np.abs(q)
    radius = size * MULTIPLIED + TINY
    if not (_zero(a.radius) and _zero(b.radius)):
        room = np.abs(b.hi) - b.radius
        radius = radius + np.where(room > 0, (a.radius + size * b.radius) / room, np.inf)
    return _pair(q, np.asarray(rest / b.hi), radius * UP)


def sqrt(a: Pair) -> Pair:
    """The square root."""
    x = np.asarray(np.sqrt(a.hi))
    p, e = two_product(x, x)
    rest = np.where(x > 0, (((a.hi - p) - e) + a.lo) / np.where(x > 0, 2 * x, 1.0), 0.0)
    radius = x * MULTIPLIED
    if not _zero(a.radius):
        radius = radius + np.where(x > 0, a.radius / np.where(x > 0, x, 1.0), np.sqrt(a.radius))
    return _pair(x, rest, radius * UP)


def _zero(part: Part) -> bool:
    return type(part) is float  # not NumPy's float64, which is a float too


def _sum(a: Part, b: Part) -> Part:
    return b if _zero(a) else a if _zero(b) else (a + b) * UP


def _product(a: Part, b: Part) -> Part:
    return 0.0 if _zero(a) or _zero(b) else a * b


# --- choosing -------------------------------------------------------------------------------------------------------


def less(a: Pair, b: Pair) -> Array:
    """a < b, by the values without their radii."""
    return np.asarray((a.hi < b.hi) | ((a.hi == b.hi) & (a.lo < b.lo)))


def where(condition: Array, a: Pair, b: Pair) -> Pair:
    """a where the condition holds, else b."""
    lo, radius = (
        0.0 if _zero(x) and _zero(y) else np.where(condition, x, y) for x, y in ((a.lo, b.lo), (a.radius, b.radius))
    )
    return Pair(np.where(condition, a.hi, b.hi), lo, radius)


def maximum(a: Pair, b: Pair) -> Pair:
    """The larger one; NaN if one is NaN."""
    return where(np.isnan(a.hi) | ~(less(a, b) | np.isnan(b.hi)), a, b)


def minimum(a: Pair, b: Pair) -> Pair:
    """The smaller one; NaN if one is NaN."""
    return where(np.isnan(a.hi) | ~(less(b, a) | np.isnan(b.hi)), a, b)


# --- sums and products of matrices ----------------------------------------------------------------------------------


def total(a: Pair, axis: int = 0) -> Pair:
    """The sum along an axis, by halves."""
    terms = a.moved(lambda part: np.moveaxis(part, axis, 0))
    count = terms.shape[0]
    if not count:
        return Pair(np.zeros(terms.shape[1:]))
    while count > 1:
        half = count // 2
        pairs = add(*(terms.moved(lambda part, k=k, n=half: part[k * n : (k + 1) * n]) for k in (0, 1)))
        if count % 2:
            pairs = _joined([pairs, terms.moved(lambda part: part[-1:])])
        terms, count = pairs, pairs.shape[0]
    return terms.moved(lambda part: part[0])


def _joined(pairs: Sequence[Pair]) -> Pair:
    lo, radius = (
        0.0
        if all(map(_zero, parts))
        else np.concatenate([_full(x, p.shape) for x, p in zip(parts, pairs, strict=True)])
        for parts in ([p.lo for p in pairs], [p.radius for p in pairs])
    )
    return Pair(np.concatenate([p.hi for p in pairs]), lo, radius)


def matmul(a: Pair, b: Pair) -> Pair:
    """The product of two matrices, or of stacks of them, from products of slices that float64 computes exactly.

    A slice of a row of A has so few bits below the row's largest element that a sum of k products with a slice of a
    column of B fits in 53 bits: then BLAS commits no error in any order (Ozaki). The products of slices are added as
    pairs. What is left of the last slices goes into the radius.
    """
    k = a.shape[-1]
    bits = max(1, (52 - max(k - 1, 1).bit_length()) // 2)
    left, left_rest = _slices(a, bits, -1)
    right, right_rest = _slices(b, bits, -2)
    y = Pair(np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])))
    depth = max(len(left), len(right))
    dropped: Part = 0.0
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            if i + j <= depth:
                y = add(y, Pair(one @ other))
            else:
                dropped = dropped + np.abs(one) @ np.abs(other)
    size_a, size_b = np.abs(a.hi), np.abs(b.hi)
    rest = size_a @ _wide(right_rest + b.radius, b.shape) + _wide(left_rest + a.radius, a.shape) @ (
        size_b + right_rest + b.radius
    )
    radius = (rest + dropped) * (1 + k * 2.0**-50)
    return Pair(y.hi, y.lo, (y.radius + radius) * UP)


SLICES = 6
"""At most: six slices of 20 bits or so are more than a pair has, if a row's elements are of one size."""


def _slices(x: Pair, bits: int, axis: int) -> tuple[list[Array], Array]:
    """Slices of `bits` bits below the largest element along the axis; what is left, in magnitude."""
    hi, lo, found = x.hi, x.lo, []
    for _ in range(SLICES):
        largest = np.max(np.abs(hi), axis=axis, keepdims=True, initial=0.0)
        if not (largest > 0).any() or not np.isfinite(largest).all():
            break
        # sigma + x - sigma keeps the bits of x down to 2^-bits of the largest element's binade.
        sigma = 1.5 * np.ldexp(1.0, np.frexp(largest)[1] + 52 - bits)
        part = (hi + sigma) - sigma
        found.append(part)
        hi, lo = hi - part, lo
        if not _zero(lo):
            hi, lo = fast_two_sum(hi, lo)
    return found or [np.zeros_like(x.hi)], np.abs(hi) + np.abs(lo)


def _wide(x: Any, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(x, shape)
