"""The general path of rounding: one clear computation for every format and mode, on float64.

Lift to an integer, round the integer, put it back: x = n * 2^q, where 2^q is the quantum of x's binade in the format;
the mode turns n into an integer k; the result is k * 2^q. NumPy's float64 does this without an error, because scaling
by a power of two is exact, and k needs no more than precision + 1 bits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..conversion import Array
from ..formats import Format, Rounding, Subnormals
from ..nans import quieted

# --- the integer step, by mode --------------------------------------------------------------------------------------
# Each takes n (float64, below 2^54) and 32 random bits for each element (STOCHASTIC only).


def _ties_to_away(n: Array, draws: Array | None) -> Array:
    # n - trunc(n) is exact and below 1; twice that is 1 or more from the tie on. (floor(n + 0.5) would round n + 0.5.)
    whole = np.trunc(n)
    return whole + np.trunc(2 * (n - whole))


def _to_odd(n: Array, draws: Array | None) -> Array:
    # Between 2j and 2j + 2 the odd integer is 2j + 1; integers stay.
    return np.where(n == np.trunc(n), n, 2 * np.floor(n / 2) + 1)


def _stochastic(n: Array, draws: Array | None) -> Array:
    # On magnitudes, where the fraction of a tiny n is n itself, not 1 - tiny. Up where (draw + 1/2) / 2^32 < fraction.
    assert draws is not None
    magnitude = np.abs(n)
    whole = np.floor(magnitude)
    return np.copysign(whole + (draws + 0.5 < (magnitude - whole) * 2.0**32), n)


def _stochastic_with(random_bits: int, half: bool, n: Array, draws: Array | None) -> Array:
    # The fraction in units of 2^-r, cut off or rounded, is what the first r bits of the draw are compared with.
    assert draws is not None
    magnitude = np.abs(n)
    whole = np.floor(magnitude)
    counted = np.ldexp(magnitude - whole, random_bits)
    if half:  # not floor(counted + 1/2), which would round the sum
        counted = _ties_to_away(counted, None)
    return np.copysign(whole + ((draws >> np.uint32(32 - random_bits)) < np.floor(counted)), n)


def round_integer(n: Array, mode: Rounding, draws: Array | None) -> Array:
    """The integers that `mode` picks for n."""
    if mode.random_bits is not None:
        return _stochastic_with(mode.random_bits, mode.adds_half, n, draws)
    return ROUND_INTEGER[mode](n, draws)


ROUND_INTEGER: dict[Rounding, Callable[[Array, Array | None], Array]] = {
    Rounding.TIES_TO_EVEN: lambda n, draws: np.rint(n),
    Rounding.TIES_TO_AWAY: _ties_to_away,
    Rounding.TOWARD_ZERO: lambda n, draws: np.trunc(n),
    Rounding.TOWARD_POSITIVE: lambda n, draws: np.ceil(n),
    Rounding.TOWARD_NEGATIVE: lambda n, draws: np.floor(n),
    Rounding.TO_ODD: _to_odd,
    Rounding.STOCHASTIC: _stochastic,
}

# By sign (negative or not): the modes in which a number beyond max_finite becomes max_finite and not infinity.
INWARD = {
    False: (Rounding.TOWARD_ZERO, Rounding.TO_ODD, Rounding.TOWARD_NEGATIVE),
    True: (Rounding.TOWARD_ZERO, Rounding.TO_ODD, Rounding.TOWARD_POSITIVE),
}

# --- the general path -----------------------------------------------------------------------------------------------


def exponent(x: Array) -> Array:
    """floor(log2(|x|)) of finite nonzero elements, without the error of a logarithm."""
    return np.frexp(x)[1] - 1


def round_to_quantum(x: Array, fmt: Format, mode: Rounding, draws: Array | None, bounded: bool = True) -> Array:
    """x rounded as if there were no largest number and, if not `bounded`, no smallest normal one either."""
    e = exponent(x)
    q = (np.maximum(e, fmt.emin) if bounded else e) - fmt.trailing_bits
    if bounded and fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
        q = np.where(e < fmt.emin, fmt.emin, q)  # below min_normal the only multiples kept are 0 and min_normal
    n = np.ldexp(x, -q)
    k = round_integer(n, mode, draws)
    if fmt.precision == 1 and fmt.zero and mode in (Rounding.TIES_TO_EVEN, Rounding.TO_ODD):
        # Between 1 and 2, the exponent field says which of the two is even: `exact.is_odd`.
        one_is_even = (np.abs(n) >= 1) & ((q - fmt.emin) & 1 == 1)
        k = np.where(one_is_even, np.copysign(1 + round_integer(np.abs(n) - 1, mode, draws), n), k)
    return np.ldexp(k, q)


def _overflowed(negative: bool, fmt: Format, mode: Rounding) -> float:
    if fmt.saturate or mode in INWARD[negative]:
        return float(fmt.max_finite)
    return np.inf if fmt.has_infinity else np.nan


def round_float64(x: Array, fmt: Format, mode: Rounding, draws: Array | None = None) -> Array:
    """Round float64 numbers by the general path, to any format that binary64 holds, in any mode. May write to x."""
    with np.errstate(all="ignore"):
        y = np.abs(round_to_quantum(x, fmt, mode, draws))
        beyond = np.where(x < 0, _overflowed(True, fmt, mode), _overflowed(False, fmt, mode))
        y = np.where(y > fmt.max_finite, beyond, y)
        if fmt.subnormals is not Subnormals.GRADUAL:
            y = np.where(y < fmt.min_normal, 0.0, y)
        if not fmt.zero:
            y = np.where(x != 0, np.maximum(y, float(fmt.min_normal)), y)
        if not np.isfinite(x).all():
            y = _put_specials(x, y, fmt)
        y = np.copysign(y, x)
        return y if fmt.has_negative_zero else _without_sign_or_zero(y, fmt)


def _without_sign_or_zero(y: Array, fmt: Format) -> Array:
    """What a format stores that lacks -0, every negative number, or zero."""
    y = y + 0.0  # -0 + 0 is +0
    if not fmt.signed:
        y = np.where(y < 0, 0.0 if fmt.saturate else np.nan, y)
    if not fmt.zero:
        y = np.where(y == 0, float(fmt.min_normal) if fmt.saturate else np.nan, y)
    return y


def lacks(x: Array, fmt: Format, mode: Rounding, draws: Array | None) -> Array:
    """Which results an unsigned format has no number for: negative ones, and zero in a format without zero."""
    if not fmt.zero:
        return np.asarray(x <= 0)
    # -infinity on its own: ties to away makes NaN of it on the way.
    return np.asarray((round_to_quantum(x, fmt, mode, draws) < 0) | (x == -np.inf))


def _put_specials(x: Array, y: Array, fmt: Format) -> Array:
    """NaN stays, quiet and with its payload; infinity stays, saturates, or becomes NaN where there is no infinity."""
    infinity = float(fmt.max_finite) if fmt.saturate else np.inf if fmt.has_infinity else np.nan
    y = np.where(np.isinf(x), infinity, y)
    nan = np.isnan(x)
    if not fmt.has_nan and nan.any():
        from ..exact import nan_value

        value = float(nan_value(fmt))
        x[nan] = value  # so that the sign comes from the code that was asked for
        return np.where(nan, abs(value), y)
    return np.where(nan, quieted(x), y)
