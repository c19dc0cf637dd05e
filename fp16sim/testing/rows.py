"""Data that is hard for a kernel: rows that cancel, that overflow on the way, whose sum depends on the order ...

Each is made from random integers alone, so that the strategies of `fp16sim.teach.strategies` draw the same rows, and
shrink them. All numbers are numbers of the format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..conversion import Array, Seed
from ..formats import Format, FormatLike, Rounding
from ..rounding import round_without_flags
from ..wording import did_you_mean, quoted
from .given import format_of

Make = Callable[[Array, Format], Array]
"""integers of [0, 2^16), in the last axis those of a row; format -> rows of numbers."""


def _significands(k: Array, fmt: Format) -> Array:
    """Numbers of [1, 2) with all the bits of the format."""
    return 1 + (k % 2**fmt.trailing_bits) * 2.0**-fmt.trailing_bits


def _signs(k: Array) -> Array:
    return np.where((k >> 8) & 1, -1.0, 1.0)


def _moderate(fmt: Format) -> float:
    """A power of two whose square times 2^12 is still far from overflow."""
    return 2.0 ** min(0, (fmt.emax - 12) // 2)


def _plain(k: Array, fmt: Format) -> Array:
    return _signs(k) * _significands(k, fmt) * _moderate(fmt)


def _same_sign(k: Array, fmt: Format) -> Array:
    return _significands(k, fmt) * _moderate(fmt)


def _cancelling(k: Array, fmt: Format) -> Array:
    """The second half is the first one with other signs, but for the last term: a small sum of terms that are not."""
    half = k.shape[-1] // 2
    x = _plain(k, fmt)
    x[..., k.shape[-1] - half :] = -x[..., :half]
    x[..., -1:] *= 0.5
    return x


def _overflowing(k: Array, fmt: Format) -> Array:
    """The terms of the first half add up to more than max_finite, and those of the second half take it back."""
    n = k.shape[-1]
    half = max(1, n // 2)
    size = 2.0 ** (fmt.emax + 2 - max(2, half.bit_length()))
    x = _significands(k, fmt) * size
    x[..., n - n // 2 :] *= -1
    return x


def _absorbing(k: Array, fmt: Format) -> Array:
    """One large term, and others of which each alone is lost beside it: a sum in the format keeps what comes first."""
    x = _significands(k, fmt) * _moderate(fmt)
    x[..., 0] *= 2.0 ** min(fmt.precision + 1, fmt.emax - 2 - int(np.log2(_moderate(fmt))))
    return x


def _order_matters(k: Array, fmt: Format) -> Array:
    """Terms of all sizes in random order: with other orders, another number of them is absorbed."""
    exponents = -((k >> 4) % (2 * min(fmt.precision, -(fmt.emin // 4) + 1)))
    return _signs(k) * _significands(k, fmt) * np.ldexp(1.0, exponents)


def _underflowing(k: Array, fmt: Format) -> Array:
    """Numbers near the root of min_normal: their squares are subnormal or vanish."""
    return _signs(k) * _significands(k, fmt) * np.ldexp(1.0, fmt.emin // 2 - (k >> 4) % 4)


def _masked(k: Array, fmt: Format) -> Array:
    """Moderate numbers, and in some rows infinities with a minus sign, as attention masks have them."""
    x = _plain(k, fmt) * 4
    hidden = (k >> 12) % 4 == 0
    hidden[..., 0] = False
    return np.where(hidden, -np.inf if fmt.has_infinity else -float(fmt.max_finite), x)


ROWS: dict[str, Make] = {
    "plain": _plain,
    "same_sign": _same_sign,
    "cancelling": _cancelling,
    "overflowing": _overflowing,
    "absorbing": _absorbing,
    "order_matters": _order_matters,
    "underflowing": _underflowing,
    "masked": _masked,
}
"""Kinds of rows by name."""


def rows_from(kind: str, k: Any, fmt: FormatLike) -> Array:
    """Rows of a kind from integers: the last axis is a row."""
    fmt = format_of(fmt)
    if not isinstance(kind, str) or kind not in ROWS:
        known = f"{did_you_mean(kind, ROWS)}use one of {', '.join(ROWS)}"
        raise ValueError(f"kind={quoted(kind)} is not a kind of rows; {known}")
    if not fmt.signed or not fmt.zero or fmt.precision < 2:
        raise ValueError(f"fmt={fmt.name}: rows need signs and 2 bits of precision; use binary16 or such")
    with np.errstate(all="ignore"):
        return round_without_flags(ROWS[kind](np.asarray(k, np.int64), fmt), fmt, Rounding.TOWARD_ZERO)


def hard_rows(kind: str, shape: int | tuple[int, ...], fmt: FormatLike = "binary16", rng: Seed = None) -> Array:
    """Random rows that are hard for a kernel, as numbers of the format in float64; the last axis is a row.

    Parameters
    ----------
    kind : str
        A name of `ROWS`: "plain", "same_sign", "cancelling" (a small sum of large terms), "overflowing" (partial sums
        exceed max_finite, the sum does not), "absorbing" (a large term and many small ones), "order_matters",
        "underflowing" (products are subnormal), "masked" (some terms are -infinity).
    shape : int or tuple of int
    fmt : Format, str or dtype
    rng : int or numpy.random.Generator, optional

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> import fp16sim as fs
    >>> x = fs.testing.hard_rows("overflowing", 8, "binary16", rng=0)
    >>> bool(np.cumsum(x).max() > 65504), bool(abs(x.sum()) < 65504)
    (True, True)
    """
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if not shape or any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1 for n in shape):
        raise ValueError(f"shape={quoted(shape)} is not the shape of rows; use lengths of 1 or more, such as (4, 64)")
    return rows_from(kind, np.random.default_rng(rng).integers(0, 2**16, shape), fmt)
