"""The numbers next to a number, and the distance between them: exact; only a signaling NaN raises a flag."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .codes import decode, encode_held
from .conversion import Array, check_fits, lift, same_format
from .flags import without_flags
from .formats import BINARY64, Format, FormatLike, Rounding, Subnormals, get_format
from .nans import quieted, report_signaling, widened
from .rounding import exponent, round_to, round_without_flags


def next_up(x: Any, fmt: FormatLike = "binary16") -> Any:
    """The smallest number of `fmt` that is greater than x; exact, and raises no flag.

    IEEE 754's nextUp: from -min_subnormal to -0, from both zeros to min_subnormal, from max_finite to infinity if there
    is one. The greatest number and NaN stay (a signaling NaN raises invalid, and becomes quiet). `x` need not be a
    number of the format.

    Returns
    -------
    ndarray or scalar of float64

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.next_up([1.0, 65504.0, 0.0], "binary16")
    array([1.00097656e+00,            inf, 5.96046448e-08])
    >>> fs.next_down(1.0, "bfloat16")
    np.float64(0.99609375)
    """
    fmt = get_format(fmt)
    check_fits(fmt)
    x = _as_float64(same_format(x, fmt), Rounding.TOWARD_NEGATIVE)  # no number of `fmt` is in between
    report_signaling("next_up", x)
    return above(x, fmt)[()]


def above(x: Array, fmt: Format) -> Array:
    """`next_up` of float64 numbers, without a flag."""
    return _next(x, fmt, 1)


def _next(x: Array, fmt: Format, step: int) -> Array:
    """The next number of `fmt` in the direction of `step`, 1 or -1."""
    # All codes count here, also those that results never have; without infinity nothing is above max_finite.
    bounded = not fmt.has_infinity or not fmt.signed
    every_code = replace(fmt, subnormals=Subnormals.GRADUAL, saturate=bounded)
    nan = np.isnan(x)
    mode = Rounding.TOWARD_POSITIVE if step > 0 else Rounding.TOWARD_NEGATIVE
    rounded = round_without_flags(np.where(nan, 0.0, x), every_code, mode)
    if not fmt.signed and fmt.has_infinity:  # it saturates for the numbers below 0; infinity is a number here
        rounded = np.where(x == np.inf, x, rounded)
    moved = rounded > x if step > 0 else rounded < x
    return np.where(nan, quieted(x), np.where(moved, rounded, _step(rounded, every_code, step)))


def _step(values: Array, fmt: Format, step: int) -> Array:
    """The values one code further: the codes without sign are in the order of the magnitudes."""
    negative = np.signbit(values)
    magnitude = encode_held(values, fmt).astype(np.uint64) & np.uint64(fmt.magnitude_mask)
    highest = fmt.largest_code + fmt.has_infinity
    place = np.where(negative, -1, 1) * magnitude.astype(np.int64) + step
    place = np.clip(place, -highest if fmt.signed else 0, highest)
    minus = (place < 0) | ((place == 0) & negative & fmt.has_negative_zero)
    return np.asarray(decode(np.abs(place).astype(np.uint64) | minus.astype(np.uint64) * np.uint64(fmt.sign_bit), fmt))


def next_down(x: Any, fmt: FormatLike = "binary16") -> Any:
    """The greatest number of `fmt` that is less than x; exact, and raises no flag: next_up mirrored at zero.

    The smallest number of an unsigned format stays.
    """
    fmt = get_format(fmt)
    check_fits(fmt)
    x = _as_float64(same_format(x, fmt), Rounding.TOWARD_POSITIVE)
    report_signaling("next_down", x)
    return _next(x, fmt, -1)[()]


def _as_float64(x: Any, mode: Rounding) -> Array:
    """x as float64; numbers that float64 does not hold are rounded in this mode."""
    source = lift(x)
    if source.dtype == object:
        with without_flags():
            return np.asarray(round_to(x, BINARY64, mode), np.float64)
    return widened(source)


def ulp(x: Any, fmt: FormatLike = "binary16") -> Any:
    """The quantum of `fmt` at x: the distance between its numbers in the binade of x; exact, and raises no flag.

    It is min_subnormal at zero and at subnormal numbers, that of the highest binade beyond max_finite, infinity at an
    infinity, and NaN at NaN.

    Returns
    -------
    ndarray or scalar of float64

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.ulp([1.0, 2048.0, 65504.0, 0.0], "binary16")
    array([9.76562500e-04, 2.00000000e+00, 3.20000000e+01, 5.96046448e-08])
    """
    fmt = get_format(fmt)
    check_fits(fmt)
    x = _as_float64(same_format(x, fmt), Rounding.TOWARD_ZERO)  # which stays in the binade
    finite = np.isfinite(x)
    e = np.where(x == 0, fmt.emin, exponent(np.where(finite, x, 1.0)))
    quantum = np.ldexp(1.0, np.clip(e, fmt.emin, fmt.emax) - fmt.trailing_bits)
    return np.where(finite, quantum, quieted(np.abs(x)))[()]


def spacing(x: Any, fmt: FormatLike = "binary16") -> Any:
    """The distance from x to the next number of `fmt` further from zero, with the sign of x: exact, and raises no flag.

    That is `ulp(x)` with a sign, as `numpy.spacing` of float32 and float64 has it. It is positive at both zeros, an
    infinity from max_finite on, where no finite number follows, and NaN at infinities and NaN.

    Returns
    -------
    ndarray or scalar of float64

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.spacing([1.0, -1.0, 65504.0, 0.0], "binary16")
    array([ 9.76562500e-04, -9.76562500e-04,             inf,  5.96046448e-08])
    """
    fmt = get_format(fmt)
    step = ulp(x, fmt)
    x = _as_float64(x, Rounding.TOWARD_ZERO)
    step = np.where(np.isinf(x), np.nan, np.where(np.abs(x) >= fmt.max_finite, np.inf, step))
    return np.where(x < 0, -step, step)[()]
