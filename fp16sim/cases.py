"""The interesting operands of a format, and which of two numbers is simpler for a person.

Tests, grader and quiz use the same lists. Operands are built as in Berkeley's TestFloat: every interesting exponent
with every interesting significand. A rounder is given each of these numbers, the midpoint above it, and the numbers
just beside both, where the sticky bit decides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import exact
from .codes import all_values, decode
from .conversion import check_fits
from .formats import Format, FormatLike, get_format

Array: TypeAlias = np.ndarray[Any, Any]

WIDEST_TABLE = 16
"""Up to this width, all numbers of a format are listed; in wider formats, only the interesting ones."""

# --- which number is simpler ----------------------------------------------------------------------------------------


def cost(x: npt.ArrayLike) -> Array:
    """How complicated a number is: for n * 2^q with odd n, the bits of n plus abs(q); exact.

    So an integer costs its length in bits, and 1/2 costs as much as 2. A sign costs one half, the sign of zero more (so
    that 1 and -1 come first), infinity more than any finite number, and NaN most.

    >>> cost([0.0, 1.0, -1.0, 3.0, 0.5, 65504.0, 2.0**-24]).tolist()
    [0.0, 1.0, 1.5, 2.0, 2.0, 16.0, 25.0]
    """
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(x), x, 0.0)
        fraction, e = np.frexp(np.abs(finite))
        n = np.ldexp(fraction, 53).astype(np.int64)
        # n & -n is the lowest bit that is set: a power of two, whose exponent frexp gives.
        zeros = np.frexp((n & -n).astype(np.float64))[1] - 1
        total = np.where(n == 0, 0.0, (53 - zeros) + np.abs(e - 53 + zeros)).astype(np.float64)
        total = np.where(np.signbit(x), np.where(x == 0, 1.75, total + 0.5), total)
    total = np.where(np.isinf(x), 5000.0 + 0.5 * np.signbit(x), total)
    return np.where(np.isnan(x), 6000.0, total)


def simplest_first(*columns: npt.ArrayLike) -> Array:
    """The order of rows of operands, the simplest first: by total cost, then integers first, then by magnitude.

    >>> x = np.array([0.3, 65504.0, 0.5, 2.0, -1.0])
    >>> x[simplest_first(x)].tolist()
    [-1.0, 2.0, 0.5, 65504.0, 0.3]
    """
    arrays = [np.asarray(column, np.float64).reshape(-1) for column in columns]
    with np.errstate(all="ignore"):
        fractions = np.sum([np.nan_to_num(x) != np.trunc(np.nan_to_num(x)) for x in arrays], axis=0)
    keys = [np.abs(x) for x in reversed(arrays)]
    return np.asarray(np.lexsort((*keys, fractions, np.sum([cost(x) for x in arrays], axis=0))))


@lru_cache(maxsize=32)
def ordered_codes(fmt: FormatLike = "binary16") -> Array:
    """All codes of a format of at most 16 bits, the simplest value first; NaNs last, the usual quiet NaN before others.

    >>> decode(ordered_codes("binary16")[:8], "binary16").tolist()
    [0.0, 1.0, -1.0, -0.0, 2.0, 3.0, 0.5, -2.0]
    """
    fmt = get_format(fmt)
    if fmt.width > WIDEST_TABLE:
        raise ValueError(f"fmt={fmt.name} has 2^{fmt.width} codes, too many to sort; use values(fmt)")
    values = all_values(fmt)
    codes = simplest_first(values)
    if fmt.has_nan:
        usual = exact.encode(exact.NAN, fmt)
        nan = np.isnan(values[codes])
        codes = np.concatenate([codes[~nan], [usual], codes[nan & (codes != usual)]])
    codes.flags.writeable = False
    return codes


# --- numbers of a format --------------------------------------------------------------------------------------------


def _some_codes(fmt: Format) -> list[int]:
    """Codes of positive numbers: interesting biased exponents with interesting trailing significands."""
    t, top = fmt.trailing_bits, 2**fmt.exponent_bits - 1
    exponents = {0, 1, 2, t, fmt.bias - t - 1, fmt.bias - t, fmt.bias - 2, fmt.bias - 1, fmt.bias, fmt.bias + 1}
    exponents |= {fmt.bias + t, fmt.bias + t + 1, fmt.bias + t + 2, top - 2, top - 1, top}
    ones = 2**t - 1
    half = 1 << t >> 1
    trailings = {0, 1, 2, 3, ones // 3, half, (half + 1) & ones, ones - 1, ones}
    return [(e << t) | s for e in sorted(exponents) for s in sorted(trailings) if 0 <= e <= top and 0 <= s <= ones]


@lru_cache(maxsize=64)
def values(fmt: FormatLike = "binary16", every: bool = False) -> Array:
    """The interesting numbers of a format: both signs, both zeros, infinities, one NaN; the simplest first; exact.

    Parameters
    ----------
    fmt : Format, str or dtype
        A format whose numbers binary64 holds.
    every : bool
        Whether to return all numbers; for formats of at most 16 bits.

    Returns
    -------
    ndarray of float64
        Read-only.

    Examples
    --------
    >>> values("binary16").size, values("e2m1fn", every=True).size
    (281, 16)
    """
    fmt = get_format(fmt)
    check_fits(fmt)
    if every:
        found = decode(ordered_codes(fmt), fmt)
    else:
        codes = np.array(_some_codes(fmt), np.uint64)
        found = decode(np.concatenate([codes, codes | np.uint64(fmt.sign_bit)]), fmt)
        small = [v for v in (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 0.25, 0.75) if exact.round_to(v, fmt) == v]
        found = np.concatenate([found, small, np.negative(small if fmt.signed else [])])
        found = found if fmt.has_negative_zero else found + 0.0
    numbers = found[~np.isnan(found)]
    unique = np.unique(numbers.view(np.uint64)).view(np.float64)
    unique = unique[simplest_first(unique)]
    result = np.append(unique, np.nan) if fmt.has_nan else unique
    result.flags.writeable = False
    return result


def midpoints(lower: npt.ArrayLike, fmt: FormatLike = "binary16") -> Array:
    """The tie above each number of the format that is not negative; above max_finite, where overflow begins; exact."""
    fmt = get_format(fmt)
    lower = np.asarray(lower, np.float64)
    e = np.maximum(np.frexp(lower)[1] - 1, fmt.emin)
    return lower + np.ldexp(0.5, np.where(lower == 0, fmt.emin, e) - fmt.trailing_bits)


@lru_cache(maxsize=32)
def roundable(fmt: FormatLike = "binary16", every: bool = False) -> Array:
    """What to give a rounder: numbers of the format, ties, and numbers beside both; both signs; the simplest first.

    "Beside" means the neighbours in binary64, those in binary32 if it is finer than the format, and numbers an eighth
    and a quarter of a quantum away, where the bits after the round bit decide. With `every=True`, for formats of at
    most 16 bits: every number and every tie, each with its neighbours in binary64.

    >>> roundable("binary16").size, roundable("e4m3fn", every=True).size
    (10015, 1537)
    """
    fmt = get_format(fmt)
    if fmt.precision > 50:
        raise ValueError(
            f"fmt={fmt.name}: binary64 has too few numbers between its numbers; use at most 50 bits of precision"
        )
    numbers = values(fmt, every)
    lower = np.abs(numbers[np.isfinite(numbers)])
    ties = midpoints(lower, fmt)
    parts = [lower, ties, np.ldexp(1.0, [fmt.emax + 1, fmt.emax + 2])]
    if not every:
        quantum = 2 * (ties - lower)
        parts += [lower + quantum * k for k in (0.125, 0.25, 0.375, 0.625, 0.75, 0.875)]
        if fmt.precision <= 20:
            parts += [np.nextafter(x.astype(np.float32), np.float32(to)) for x in (lower, ties) for to in (0, np.inf)]
    near = np.unique(np.concatenate([np.asarray(part, np.float64) for part in parts]))
    with np.errstate(all="ignore"):
        x = np.unique(np.concatenate([near, np.nextafter(near, 0), np.nextafter(near, np.inf)]))
    x = x[np.isfinite(x)]
    x = np.concatenate([x, -x, [np.inf, -np.inf, np.nan]] if fmt.has_nan else [x, -x])
    x = x[simplest_first(x)]
    x.flags.writeable = False
    return x


# --- operands of operations -----------------------------------------------------------------------------------------


def tuples(fmt: FormatLike, count: int, every: bool = False) -> tuple[Array, ...]:
    """Operands of an operation: `count` flat columns of equal length, the simplest rows first.

    One operand: `values`. Two: all pairs of a short list; with `every=True` all pairs of `values`, or of all numbers
    in formats of at most 8 bits. Three: all triples of the short list, and products that are ties with an addend so
    small that only the sticky bit shows it.

    >>> [tuples("binary16", count, every=True)[0].size for count in (1, 2, 3)]
    [63491, 78961, 20163]
    """
    fmt = get_format(fmt)
    if count == 1:
        columns = [values(fmt, every and fmt.width <= WIDEST_TABLE)]
    elif count == 2:
        numbers = values(fmt, fmt.width <= 8) if every else _few(fmt)
        columns = [np.asarray(axis).reshape(-1) for axis in np.meshgrid(numbers, numbers)]
    else:
        columns = _triples(fmt, _few(fmt) if every else _few(fmt)[::2])
    order = simplest_first(*columns)
    return tuple(column[order] for column in columns)


def _triples(fmt: Format, few: Array) -> list[Array]:
    columns = [axis.reshape(-1) for axis in np.meshgrid(few, few, few)]
    a, b = _tie_products(fmt)
    tiny = np.array([fmt.min_subnormal, -fmt.min_subnormal, fmt.min_normal, -fmt.min_normal], np.float64)
    rows = [(sign * x, y, c) for x, y in zip(a, b, strict=True) for c in tiny for sign in (1.0, -1.0)]
    extra = np.array(rows, np.float64).reshape(-1, 3)
    return [np.concatenate([column, extra[:, i]]) for i, column in enumerate(columns)]


def _few(fmt: Format) -> Array:
    """About 25 values: specials, small integers, the ends of every range."""
    one = [0.0, 1.0, 2.0, 3.0, 0.5, 1.5, float(fmt.max_finite), float(fmt.min_subnormal), float(fmt.min_normal)]
    one += [1.0 + float(fmt.machine_epsilon), 1.0 - float(fmt.unit_roundoff), float(2.0**fmt.trailing_bits)]
    numbers = np.array([x for x in one if exact.round_to(x, fmt) == x])
    specials = [np.inf] * fmt.has_infinity + [np.nan] * fmt.has_nan
    negative = -np.append(numbers, specials[: fmt.has_infinity])
    return np.concatenate([numbers, negative if fmt.signed else negative[:0], specials])


def _tie_products(fmt: Format) -> tuple[Array, Array]:
    """Integers a <= b of the format whose product has one bit too many: a tie, which any small addend must break."""
    p = fmt.precision
    found = []
    for product in range(2**p + 1, min(2 ** (p + 1), 2**p + 401), 2):
        for a in range(3, 64, 2):
            if product % a == 0 and a <= product // a < 2**p and product <= fmt.max_finite:
                found.append((a, product // a))
                break
    pairs = np.array(found[:60], np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
