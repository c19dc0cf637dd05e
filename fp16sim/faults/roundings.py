"""Wrong rounders: each takes float64 values, a format and a mode, and is wrong in one way.

They write a number as n * 2^q, in units of the quantum. float64 has n and every n + 1/2 here, because the formats used
with them have at most 24 bits of precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from ..formats import BFLOAT16, BINARY16, BINARY32, Format, Rounding, Specials
from ..neighbours import next_up
from ..rounding import round_without_flags

Array: TypeAlias = np.ndarray[Any, Any]
Rounder: TypeAlias = Callable[[Array, Format, Rounding], Array]
"""values, fmt, mode -> values"""
Answer: TypeAlias = Callable[[tuple[Any, ...], Format, Rounding], Any]
"""columns of operands, fmt, mode -> answers"""


def right(x: Array, fmt: Format, mode: Rounding) -> Array:
    """Correct rounding, without flags; the wrong rounders are made from it."""
    return round_without_flags(np.asarray(x, np.float64), fmt, mode)


def differs(one: Array, other: Array) -> Array:
    """Where two arrays have different values; the two zeros differ, all NaNs are the same."""
    same = (one == other) & (np.signbit(one) == np.signbit(other))
    return ~(same | (np.isnan(one) & np.isnan(other)))


def _exponent(x: Array) -> Array:
    return np.frexp(np.where(np.isfinite(x) & (x != 0), np.abs(x), 1.0))[1] - 1


def _quantum(x: Array, fmt: Format, emin: int | None = None) -> Array:
    return np.maximum(_exponent(x), fmt.emin if emin is None else emin) - fmt.trailing_bits


def _by_integers(
    x: Array, fmt: Format, q: Array, pick: Callable[[Array], Array], mode: Rounding = Rounding.TIES_TO_EVEN
) -> Array:
    """pick(x / 2^q) * 2^q; overflow and special values as in the format."""
    finite = np.isfinite(x)
    n = np.ldexp(np.where(finite, x, 0.0), -q)
    y = np.copysign(np.ldexp(pick(n), q), x)
    return right(np.where(finite, y, x), fmt, mode)


_INTEGER: dict[Rounding, Any] = {
    Rounding.TOWARD_ZERO: np.trunc,
    Rounding.TOWARD_POSITIVE: np.ceil,
    Rounding.TOWARD_NEGATIVE: np.floor,
}
"""How a mode rounds to an integer; all other modes use np.rint here."""


def _nearest(pick: Callable[[Array], Array]) -> Rounder:
    return lambda x, fmt, mode: _by_integers(x, fmt, _quantum(x, fmt), pick)


def _in_mode(mode: Rounding) -> Rounder:
    return lambda x, fmt, _: right(x, fmt, mode)


def _half_to_odd(n: Array) -> Array:
    even = np.rint(n)
    return np.where(n - np.floor(n) == 0.5, 2 * np.floor(n) + 1 - even, even)


def _floor_half(n: Array) -> Array:
    """floor(n + 0.5) in float64: the sum itself is rounded, so that 0.49999999999999994 becomes 1."""
    return np.floor(n + 0.5)


def _floor_half_of_magnitude(n: Array) -> Array:
    """floor(abs(n) + 0.5) with the sign put back."""
    return np.copysign(np.floor(np.abs(n) + 0.5), n)


def _ties_up(n: Array) -> Array:
    """Half toward positive infinity, exactly."""
    return np.floor(n) + (n - np.floor(n) >= 0.5)


def _ties_down(n: Array) -> Array:
    """Half toward negative infinity, exactly."""
    return np.ceil(n) - (np.ceil(n) - n >= 0.5)


def _ties_to_zero(n: Array) -> Array:
    return np.copysign(_ties_down(np.abs(n)), n)


def _with(**behaviour: Any) -> Rounder:
    return lambda x, fmt, mode: right(x, replace(fmt, **behaviour), mode)


def _through(wide: Format) -> Rounder:
    """Rounded twice: first to a wider format, ties to even as hardware does, then to the format."""
    return lambda x, fmt, mode: right(right(x, wide, Rounding.TIES_TO_EVEN), fmt, mode)


def _drops_low_bits(extra: int) -> Rounder:
    """Keeps only `extra` bits after the last one: the others are cut off, without a sticky bit."""

    def rounder(x: Array, fmt: Format, mode: Rounding) -> Array:
        q = _quantum(x, fmt) - extra
        finite = np.isfinite(x)
        n = np.ldexp(np.trunc(np.ldexp(np.where(finite, x, 0.0), -q)), q)
        return right(np.where(finite, np.copysign(n, x), x), fmt, mode)

    return rounder


def _drops_sign_of_zero(x: Array, fmt: Format, mode: Rounding) -> Array:
    """Every zero is +0."""
    y = right(x, fmt, mode)
    return np.where(y == 0, 0.0, y)


def _drops_sign_of_zero_input(x: Array, fmt: Format, mode: Rounding) -> Array:
    return np.where(x == 0, 0.0, right(x, fmt, mode))


def _drops_sign_of_underflow(x: Array, fmt: Format, mode: Rounding) -> Array:
    y = right(x, fmt, mode)
    return np.where((y == 0) & (x != 0), 0.0, y)


def _flushes_first(x: Array, fmt: Format, mode: Rounding) -> Array:
    return right(np.where(np.abs(x) < fmt.min_normal, np.copysign(0.0, x), x), fmt, mode)


def _wide_exponent(fmt: Format) -> Format:
    """The same precision with a much larger exponent range."""
    usual = fmt.signed and fmt.precision > 1
    specials = Specials.IEEE if usual else Specials.ONE_NAN_AND_INFINITIES
    wider = {"width": max(fmt.precision + 9, fmt.width + 2), "specials": specials, "bias": None, "zero": True}
    return Format(**fmt.to_dict() | wider | ({} if usual else {"nan_code": None}))


def _no_smallest_exponent(x: Array, fmt: Format, mode: Rounding) -> Array:
    free = right(x, _wide_exponent(fmt), mode)
    return np.where(np.abs(x) < fmt.min_normal, free, right(x, fmt, mode))


def _never_overflows(x: Array, fmt: Format, mode: Rounding) -> Array:
    free = right(x, _wide_exponent(fmt), mode)
    return np.where(np.abs(x) > fmt.max_finite, free, right(x, fmt, mode))


def _subnormals_shifted(by: int) -> Rounder:
    """The quantum of subnormals is off by a factor of 2^by."""

    def rounder(x: Array, fmt: Format, mode: Rounding) -> Array:
        q = np.where(np.abs(x) < fmt.min_normal, fmt.quantum_exponent_min + by, _quantum(x, fmt))
        n = np.ldexp(np.where(np.isfinite(x), x, 0.0), -q)
        y = np.copysign(np.ldexp(_INTEGER.get(mode, np.rint)(n), q), x)
        return np.where(np.abs(x) < fmt.min_normal, y, right(x, fmt, mode))

    return rounder


def _late_overflow(x: Array, fmt: Format, mode: Rounding) -> Array:
    y = right(x, replace(fmt, saturate=True), mode)
    return np.where(np.abs(x) >= 2.0 ** (fmt.emax + 1), np.copysign(np.inf, x), y)


def _early_overflow(x: Array, fmt: Format, mode: Rounding) -> Array:
    return np.where(np.abs(x) > fmt.max_finite, np.copysign(np.inf, x), right(x, fmt, mode))


def _wraps(x: Array, fmt: Format, mode: Rounding) -> Array:
    """Above max_finite, the exponent field starts again from zero."""
    free = right(x, _wide_exponent(fmt), mode)
    span = fmt.emax + 1 + fmt.bias
    wrapped = np.ldexp(free, -np.where(np.abs(free) > fmt.max_finite, span, 0))
    finite = np.isfinite(x) & (np.abs(free) > fmt.max_finite)
    return np.where(finite, right(wrapped, fmt, mode), right(x, fmt, mode))


def _exponent_by(function: Callable[[Array], Array]) -> Rounder:
    """The exponent from a logarithm in float64, which is rounded."""

    def rounder(x: Array, fmt: Format, mode: Rounding) -> Array:
        magnitude = np.where(np.isfinite(x) & (x != 0), np.abs(x), 1.0)
        q = np.maximum(function(np.log2(magnitude)).astype(np.int64), fmt.emin) - fmt.trailing_bits
        return _by_integers(x, fmt, q, _INTEGER.get(mode, np.rint), mode)

    return rounder


def _loses_carry(x: Array, fmt: Format, mode: Rounding) -> Array:
    """A significand that is rounded up to 2^p is stored as 0, but the exponent is not raised: half the result."""
    y = right(x, fmt, mode)
    normal = np.isfinite(y) & (np.abs(x) >= fmt.min_normal)
    carried = normal & (_exponent(y) > _exponent(x))
    return np.where(carried, y / 2, y)


def _replaced(find: Callable[[Array], Array], by: Callable[[Array, Format], Any]) -> Rounder:
    return lambda x, fmt, mode: np.where(find(x), by(x, fmt), right(x, fmt, mode))


def _largest(x: Array, fmt: Format) -> Array:
    return np.copysign(float(fmt.max_finite), x)


def _rounds_away(x: Array, fmt: Format, mode: Rounding) -> Array:
    return np.copysign(right(np.abs(x), fmt, Rounding.TOWARD_POSITIVE), x)


def _other_format(x: Array, fmt: Format, mode: Rounding) -> Array:
    return right(x, {16: BINARY16 if fmt == BFLOAT16 else BFLOAT16}.get(fmt.width, fmt), mode)


ROUNDINGS: dict[str, tuple[str, Rounder]] = {
    "unrounded": ("does not round at all", lambda x, fmt, mode: x),
    "truncates": ("truncates: drops the bits after the last one", _in_mode(Rounding.TOWARD_ZERO)),
    "ties_to_even": ("rounds to nearest, ties to even, whatever the mode", _in_mode(Rounding.TIES_TO_EVEN)),
    "ties_away": ("rounds ties away from zero", _in_mode(Rounding.TIES_TO_AWAY)),
    "ties_up": ("rounds ties up (toward +inf), not to even", _nearest(_ties_up)),
    "ties_down": ("rounds ties down (toward -inf)", _nearest(_ties_down)),
    "ties_to_zero": ("rounds ties toward zero", _nearest(_ties_to_zero)),
    "ties_to_odd": ("rounds ties to odd", _nearest(_half_to_odd)),
    "floor_half": (
        "rounds ties up (toward +inf), not to even; in floor(n + 0.5) the sum is rounded, too",
        _nearest(_floor_half),
    ),
    "floor_half_of_magnitude": (
        "rounds ties away from zero; in floor(abs(n) + 0.5) the sum is rounded, too",
        _nearest(_floor_half_of_magnitude),
    ),
    "rounds_down": ("rounds down, toward -inf", _in_mode(Rounding.TOWARD_NEGATIVE)),
    "rounds_up": ("rounds up, toward +inf", _in_mode(Rounding.TOWARD_POSITIVE)),
    "rounds_away": ("rounds away from zero", _rounds_away),
    "to_odd": ("rounds to odd", _in_mode(Rounding.TO_ODD)),
    "drops_sign_of_zero": ("drops the sign of zero: every zero is +0", _drops_sign_of_zero),
    "minus_zero": ("turns -0 into +0", _drops_sign_of_zero_input),
    "sign_of_underflow": ("drops the sign of a number that it rounds to zero", _drops_sign_of_underflow),
    "drops_sign": ("drops the sign", lambda x, fmt, mode: np.abs(right(x, fmt, mode))),
    "flushes": ("flushes subnormal results to zero", _with(subnormals="flush_to_zero")),
    "flushes_first": ("treats everything below min_normal as zero, before it is rounded", _flushes_first),
    "flushes_to_nearest": ("rounds subnormals to 0 or min_normal", _with(subnormals="flush_to_nearest")),
    "no_emin": ("gives subnormals full precision: forgets the smallest exponent", _no_smallest_exponent),
    "subnormal_half": ("spaces subnormals half as far apart as they are", _subnormals_shifted(-1)),
    "subnormal_double": ("spaces subnormals twice as far apart as they are", _subnormals_shifted(1)),
    "other_format": ("rounds to the other 16-bit format: 1-5-10 is binary16, 1-8-7 bfloat16", _other_format),
    "float32": ("rounds twice: to float32 first", _through(BINARY32)),
    "late_overflow": (
        "overflows at 2^(emax + 1) (65536 in binary16), not half an ulp above max_finite (65520)",
        _late_overflow,
    ),
    "early_overflow": ("overflows just above max_finite", _early_overflow),
    "saturates": ("saturates: gives max_finite instead of infinity", _with(saturate=True)),
    "wraps": ("lets the exponent wrap around when it overflows", _wraps),
    "never_overflows": ("never overflows: forgets the largest exponent", _never_overflows),
    "log2": ("takes the exponent from log2, which is wrong just below a power of two", _exponent_by(np.floor)),
    "int_log2": ("takes the exponent from int(log2(x)), which is one too high below 1", _exponent_by(np.trunc)),
    "no_sticky": ("loses the sticky bit: uses only two bits after the last one", _drops_low_bits(2)),
    "only_round_bit": ("uses only one bit after the last one", _drops_low_bits(1)),
    "loses_carry": ("loses the carry into the exponent when the significand rounds up to 2^p", _loses_carry),
    "nan_to_inf": ("turns NaN into infinity", _replaced(np.isnan, lambda x, fmt: np.inf)),
    "nan_to_zero": ("turns NaN into 0", _replaced(np.isnan, lambda x, fmt: 0.0)),
    "inf_to_nan": ("turns infinity into NaN", _replaced(np.isinf, lambda x, fmt: np.nan)),
    "inf_to_max": ("turns infinity into max_finite", _replaced(np.isinf, _largest)),
}

# --- stochastic rounding, a task of its own: f(x, u) -----------------------------------------------------------------


def _stochastically(up: Callable[[Array, Array, Array], Array]) -> Answer:
    """x toward zero, or away from zero where up(fraction of an ulp that is cut off, u, negative) is true."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
        x, u = (np.asarray(column, np.float64) for column in operands)
        near, far = right(x, fmt, Rounding.TOWARD_ZERO), np.copysign(right(np.abs(x), fmt, Rounding.TOWARD_POSITIVE), x)
        with np.errstate(all="ignore"):
            gap = np.where(np.isinf(far), np.ldexp(1.0, fmt.emax - fmt.trailing_bits), np.abs(far - near))
            fraction = np.where(gap > 0, np.abs(x - near) / np.where(gap > 0, gap, 1.0), 0.0)
        inexact = np.isfinite(x) & (fraction > 0)
        return np.where(inexact & up(fraction, u, np.signbit(x)), far, np.where(inexact, near, right(x, fmt, mode)))

    return answer


def _up_to_the_fraction(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
    """Away from zero where u <= fraction; so an exact number moves where u is 0."""
    x = np.asarray(operands[0], np.float64)
    moved = np.copysign(next_up(right(np.abs(x), fmt, Rounding.TOWARD_ZERO), fmt), x)
    exact_and_zero = (np.asarray(operands[1]) == 0) & (np.abs(x) <= fmt.max_finite)
    up = _stochastically(lambda fraction, u, negative: u <= fraction)(operands, fmt, mode)
    return np.where(exact_and_zero, moved, up)


STOCHASTIC_ROUNDINGS: tuple[tuple[str, str, Answer], ...] = (
    (
        "swapped",
        "swaps the two probabilities: rounds away from zero where u is less than one minus the fraction",
        _stochastically(lambda fraction, u, negative: u < 1 - fraction),
    ),
    ("or_equal", "goes away from zero also where u is equal to the fraction", _up_to_the_fraction),
    ("nearest", "ignores u", _stochastically(lambda fraction, u, negative: fraction > 0.5)),
    ("coin", "goes either way with probability 1/2", _stochastically(lambda fraction, u, negative: u < 0.5)),
    (
        "upward",
        "measures the fraction from the number below: wrong for negative numbers",
        _stochastically(lambda fraction, u, negative: np.where(negative, u >= 1 - fraction, u < fraction)),
    ),
)
