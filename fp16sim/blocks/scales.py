"""The scales of all blocks of an array, equal to those of the definition; and amax, on which they depend.

Scales are found in float64. There, an exponent comes from frexp, never from a logarithm. A quotient x / s decides
as the exact one does, by one of two reasons:

- x is a float32. A decision changes at numbers t of the target or between two of them, and t s has at most 52 bits.
  Where x and t s differ, they differ by a relative 2^-52 at least, and float64 errs by at most 2^-53. Only beside such
  a t is the quotient taken in float64: `float32_shares`.
- for other x, and for stochastic rounding, the quotient is rounded to odd: `quotient_to_odd`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from .. import exact, flags
from ..conversion import Array
from ..formats import Format, Rounding, Subnormals, with_behaviour
from ..rounding import round_array, round_without_flags
from . import libraries
from .block import LIBRARY_RULES, POWERS_OF_TWO, Block
from .definition import scale_of, tensor_scale

STICKY = 2.0**-1000
"""Stands for any positive number too small for float64: it is below half of every element."""


# --- quotients ------------------------------------------------------------------------------------------------------


def _two_product_error(a: Array, b: Array, product: Array) -> Array:
    """a b - product, exactly, for a and b between 1/4 and 4 (Dekker)."""
    split = float(2**27 + 1)
    a_high = a * split - (a * split - a)
    b_high = b * split - (b * split - b)
    a_low, b_low = a - a_high, b - b_high
    return np.asarray(((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low)


def quotient_to_odd(x: Array, s: Array | float) -> Array:
    """x / s in float64, rounded to odd, for finite x and s > 0; a quotient below float64's normal range is `STICKY`."""
    m, e = np.frexp(x)
    n, f = np.frexp(s)
    q = m / n
    product = q * n
    rest = (m - product) - _two_product_error(q, n + np.zeros_like(q), product)
    bits = q.view(np.int64)
    step = np.where((rest > 0) == (q > 0), 1, -1)
    odd = np.where((rest != 0) & (bits & 1 == 0), bits + step, bits).view(np.float64)
    exponents = e - f
    with np.errstate(over="ignore", under="ignore"):
        found = np.ldexp(odd, exponents)
    return np.where((exponents < -1010) & (x != 0), np.copysign(STICKY, x), found)


def quotient(x: Array, s: Array | float, stochastic: bool = False) -> Array:
    """x / s in float64, for every decision as good as the exact quotient."""
    if x.dtype == np.float32 and not stochastic:
        return x.astype(np.float64) / s
    return quotient_to_odd(x.astype(np.float64, copy=False), s)


def vanishes_to_nearest(fmt: Format) -> bool:
    """Whether all that float32 does not hold exactly for its size becomes 0: what is below 2^-126."""
    return fmt.subnormals in (Subnormals.GRADUAL, Subnormals.FLUSH_TO_ZERO) and fmt.quantum_exponent_min > -120


def float32_shares(x: Array, product: Array, sides: tuple[int, ...], precision: int) -> Array:
    """x / product as float32 on the same side of every tie, for a product of each block and float32 x.

    x times the rounded inverse is wrong by a relative 2^-23 and a little: by 2 units in the last place, or by 4 of the
    smaller units below a power of two. A tie has precision + 1 bits, so only numbers within 4 of such are looked at.
    """
    inverse = (1.0 / product).astype(np.float32)
    if precision > FEW_BITS or inverse.max(initial=1) > 2.0**100 or inverse.min(initial=1) < 2.0**-100:
        return to_float32(quotient(x, spread(product, sides)), precision)
    shares = spread(inverse, sides)
    np.multiply(x, shares, out=shares)
    below = shares.reshape(-1).view(np.uint32) << np.uint32(9 + precision)
    below += np.uint32(4 << (9 + precision))
    near = np.flatnonzero(below <= np.uint32(8 << (9 + precision)))
    near = near[shares.reshape(-1)[near] != 0]
    if near.size:
        at = np.unravel_index(near, x.shape)
        grid = tuple(index // side for index, side in zip(at, sides, strict=True))
        shares[at] = to_float32(quotient(x[at], product[grid]), precision)
    return shares


FEW_BITS = 11
"""Of more bits of precision, too many numbers are beside a tie."""


def to_float32(q: Array, precision: int) -> Array:
    """Quotients as float32 on the same side of every tie.

    A tie has precision + 1 bits, so all bits below are 0. Where that is so and the cast was inexact, the float32 next
    to it, on the side of q, takes its place.
    """
    narrow = q.astype(np.float32)
    below = np.uint32((1 << (23 - precision)) - 1)
    at = np.flatnonzero(narrow.reshape(-1).view(np.uint32) & below == 0)
    wide, cast = q.reshape(-1)[at], narrow.reshape(-1)[at]
    moved = np.flatnonzero((cast != wide) & np.isfinite(cast))
    toward = np.where(wide[moved] > cast[moved], np.float32(np.inf), np.float32(-np.inf))
    narrow.reshape(-1)[at[moved]] = np.nextafter(cast[moved], toward)
    return narrow


# --- amax -----------------------------------------------------------------------------------------------------------


def blocked(x: Array, shape: tuple[int, ...]) -> Array:
    """x with two axes for each of its own: which block, and where in it."""
    return x.reshape([n for length, side in zip(x.shape, shape, strict=True) for n in (length // side, side)])


def block_maximum(x: Array, shape: tuple[int, ...]) -> Array:
    """The largest magnitude of each block, with the shape of the grid of blocks; NaN where one is.

    Without their sign, the bits of floats are in the order of their magnitudes, NaN above all, and integers are faster.
    """
    if not x.size:
        return np.zeros([length // side for length, side in zip(x.shape, shape, strict=True)], x.dtype)
    kind: Any = np.uint32 if x.dtype == np.float32 else np.uint64
    found = np.ascontiguousarray(x).reshape(-1).view(kind) & kind(np.iinfo(kind).max // 2)
    side, length = shape[-1], x.shape[-1]
    while side % 2 == 0:  # neighbours of one block; NumPy is much slower along a short axis
        found, side, length = np.maximum(found[0::2], found[1::2]), side // 2, length // 2
    rest = blocked(found.reshape(*x.shape[:-1], length), (*shape[:-1], side))
    return np.asarray(np.max(rest, axis=tuple(range(1, rest.ndim, 2)))).view(x.dtype)


def flattened(x: Array, shape: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
    """The same blocks in the same order; a row each, if they lie along the last axis alone: small `slabs`."""
    if x.size and all(side == 1 for side in shape[:-1]):
        return x.reshape(-1, shape[-1]), (1, shape[-1])
    return x, shape


SLAB = 1 << 17
"""Elements that are worked on at once, so that intermediates stay in the processor's cache."""


def slabs(x: Array, shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Whole rows of blocks: which rows of the array, and which of the grid."""
    side = shape[0]
    grid_rows = max(1, SLAB * x.shape[0] // max(1, x.size * side))
    for start in range(0, x.shape[0] // side, grid_rows):
        end = min(start + grid_rows, x.shape[0] // side)
        yield slice(start * side, end * side), slice(start, end)


# --- scales ---------------------------------------------------------------------------------------------------------


def _exponents(amax: Array, block: Block, rule: str) -> Array:
    """`definition.scale_exponent` of float64 numbers: exact, or rounded to odd."""
    m, e = np.frexp(amax)  # amax = m 2^e with 1/2 <= m < 1
    emax, precision = block.element.emax, block.element.precision
    if rule == "floor":
        return e - 1 - emax
    if rule == "ceil":
        return e - (m == 0.5) - emax
    if rule == "even":
        return e - 1 + (np.rint(m * 2.0**precision) == 2.0**precision) - emax
    largest, exponent = np.frexp(float(block.element.max_finite))
    return np.asarray(e - exponent + (m > largest))


def _from_amax(amax: Array, target: float, tensor: float, fmt: Format) -> Array:
    """amax / (target x tensor scale), rounded to a number of the scale's format."""
    with np.errstate(all="ignore"):
        share = quotient(amax, target * tensor)
    share = np.minimum(share, float(fmt.max_finite))
    if amax.dtype == np.float32 and vanishes_to_nearest(fmt) and fmt.precision <= 20:
        share = to_float32(share, fmt.precision)
    out = np.empty(share.shape, share.dtype)
    saturating = with_behaviour(fmt, True, None)  # which is faster: none is beyond
    round_array(share, saturating, Rounding.TIES_TO_EVEN, out=out, tally=nobody())
    return np.maximum(out.astype(np.float64, copy=False), float(fmt.min_subnormal))


def nobody() -> flags.Tally:
    """Where nobody listens: saturation is part of every rule, and no exception."""
    return flags.Tally(flags.Listeners(frozenset(), frozenset()))


def scales_of(
    x: Array, block: Block, rule: str, shape: tuple[int, ...], largest: float | None = None
) -> tuple[Array, float, Array]:
    """The scales of all blocks as float64, NaN where a block has something that is not finite; tensor scale; amax.

    `largest` is the magnitude that the tensor scale is for, by default that of x.
    """
    amax = np.empty([length // side for length, side in zip(x.shape, shape, strict=True)], x.dtype)
    for rows, grid in slabs(x, shape):
        amax[grid] = block_maximum(x[rows], shape)
    most = amax.max(initial=0, where=np.isfinite(amax)) if largest is None else amax.dtype.type(largest)
    tensor = float(tensor_scale(Fraction(float(most)), block, rule))
    found = np.empty(amax.shape)
    if rule == "four_over_six":
        for rows, grid in slabs(x, shape):
            found[grid] = _scales(x[rows], amax[grid], block, rule, shape, tensor)
        return found, tensor, amax
    for start in range(0, amax.size, SLAB):
        part = amax.reshape(-1)[start : start + SLAB]
        if rule in LIBRARY_RULES:
            found.reshape(-1)[start : start + SLAB] = _library_scales(part, most, block, rule)
        else:
            found.reshape(-1)[start : start + SLAB] = _scales(x, part, block, rule, shape, tensor)
    return found, tensor, amax


def _library_scales(amax: Array, largest: Any, block: Block, rule: str) -> Array:
    """The scales of float32 blocks in the steps of a library."""
    usable = np.isfinite(amax)
    numbers = np.where(usable, amax, np.float32(0))
    with np.errstate(all="ignore"):
        found = libraries.block_scale(libraries.FLOAT32, numbers, largest, block, rule)
    return np.where(usable & ~np.isnan(found), found, np.nan)


def _scales(x: Array, amax: Array, block: Block, rule: str, shape: tuple[int, ...], tensor: float) -> Array:
    """The scales of blocks with these largest magnitudes."""
    usable = np.isfinite(amax) & (amax > 0)
    positive = amax if usable.all() else np.where(usable, amax, amax.dtype.type(1))
    if rule in POWERS_OF_TWO:
        share = quotient(positive, tensor) if block.tensor_scale else positive.astype(np.float64, copy=False)
        e = np.clip(_exponents(share, block, rule), block.scale.quantum_exponent_min, block.scale.emax)
        found = np.ldexp(1.0, e)
    elif rule == "four_over_six":
        found = _four_over_six(x, positive, block, shape, tensor)
    else:
        found = _from_amax(positive, float(block.element.max_finite), tensor, block.scale)
    if positive is amax:
        return np.asarray(found)
    zero = np.where(np.isfinite(amax), float(exact.decode(0, block.scale)), np.nan)
    return np.where(usable, found, zero)


# --- four over six --------------------------------------------------------------------------------------------------


def _four_over_six(x: Array, amax: Array, block: Block, shape: tuple[int, ...], tensor: float) -> Array:
    """Of the scales that put amax at 6 and at 4, the one with the smaller sum of squared errors.

    The sums are taken in float64. Where they are too close to tell, the definition decides.
    """
    scales = [_from_amax(amax, target, tensor, block.scale) for target in (6.0, 4.0)]
    values = np.where(np.isfinite(x), x, 0).astype(np.float64)
    errors = [_squared_errors(values, amax, scale, block, shape, tensor) for scale in scales]
    found = np.where(errors[1] < errors[0], scales[1], scales[0])
    # Errors are relative to amax, so an element's square is wrong by 2^-50 at most, and a sum by that for each element.
    size = int(np.prod(shape))
    close = (np.abs(errors[1] - errors[0]) <= size * 2.0**-49) & (scales[0] != scales[1])
    view = blocked(x, shape)
    for index in np.argwhere(close):
        at = tuple(part for i in index for part in (i, slice(None)))
        numbers = [exact.as_exact(float(v)) for v in view[at].flat]
        if all(map(exact.is_finite, numbers)):
            found[tuple(index)] = float(scale_of(numbers, block, "four_over_six", Fraction(tensor)))
    return found


def _squared_errors(x: Array, amax: Array, scale: Array, block: Block, shape: tuple[int, ...], tensor: float) -> Array:
    """The sum of squared errors of each block, divided by amax^2."""
    assert isinstance(block.element, Format)  # as `checked_rule` says
    product, fmt = spread(scale * tensor, shape), with_behaviour(block.element, True, None)
    nearest = round_without_flags(quotient_to_odd(x, product), fmt, Rounding.TIES_TO_EVEN)
    relative = blocked((nearest * product - x) / spread(amax.astype(np.float64), shape), shape)
    return np.asarray(np.sum(relative**2, axis=tuple(range(1, relative.ndim, 2))))


def spread(grid: Array, shape: tuple[int, ...]) -> Any:
    """A number for each element from a number for each block."""
    for axis, side in enumerate(shape[:-1]):
        grid = np.repeat(grid, side, axis=axis) if side > 1 else grid
    return np.repeat(grid.reshape(-1), shape[-1]).reshape(*grid.shape[:-1], grid.shape[-1] * shape[-1])
