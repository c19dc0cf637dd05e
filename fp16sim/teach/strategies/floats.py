"""Numbers of a format: the strategy that most others are made from."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, SupportsFloat, TypeAlias

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from ... import exact
from ...formats import BINARY64, Format, FormatLike, get_format
from ...wording import quoted
from .from_bytes import Allowed, Interval, numbers

Bound: TypeAlias = SupportsFloat | str | None
"""A number of any kind, or its text."""


def floats(
    fmt: FormatLike = "binary16",
    min_value: Bound = None,
    max_value: Bound = None,
    *,
    allow_nan: bool | None = None,
    allow_infinity: bool | None = None,
    allow_subnormal: bool | None = None,
    exclude_min: bool = False,
    exclude_max: bool = False,
) -> st.SearchStrategy[Any]:
    """Numbers of a format, exactly.

    Parameters
    ----------
    fmt : Format, str or dtype
        Any format; if binary64 does not hold its numbers, Fractions are drawn.
    min_value, max_value : number or text, optional
        Bounds, included; they must be numbers of the format. A bound of 0.0 excludes -0.0, as in Hypothesis.
    allow_nan, allow_infinity, allow_subnormal : bool, optional
        By default whatever the format has and the bounds allow. NaN comes with all payloads and signs.
    exclude_min, exclude_max : bool
        Whether the bounds themselves are excluded.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        For arguments that contradict each other or the format.

    Notes
    -----
    Shrinks to 0, then to 1, then to n * 2^q with a small odd n and q near 0. A finite number is simpler than infinity,
    and infinity is simpler than NaN.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(floats("binary16"), lambda x: x > 2048)
    4096.0
    """
    fmt = get_format(fmt)
    what = _allowed(fmt, min_value, max_value, allow_nan, allow_infinity, allow_subnormal, exclude_min, exclude_max)
    return numbers(what).map(float) if fmt.fits_in(BINARY64) else numbers(what)


# --- what the arguments allow, checked as Hypothesis checks its own -------------------------------------------------


def _allowed(
    fmt: Format,
    min_value: Bound,
    max_value: Bound,
    allow_nan: bool | None,
    allow_infinity: bool | None,
    allow_subnormal: bool | None,
    exclude_min: bool,
    exclude_max: bool,
) -> Allowed:
    """What these arguments allow; InvalidArgument if they contradict each other or the format."""
    low, high = _bound(fmt, "min_value", min_value), _bound(fmt, "max_value", max_value)
    bounded = low is not None, high is not None
    nan = _nan(fmt, allow_nan, any(bounded))
    infinite = _infinity(fmt, allow_infinity, all(bounded))
    for name, value, excluded in (("min", low, exclude_min), ("max", high, exclude_max)):
        if excluded and value is None:
            raise InvalidArgument(f"Cannot exclude {name}_value=None")
    finite = _finite(fmt, low, high, exclude_min, exclude_max, _subnormal(fmt, allow_subnormal, low, high))
    positive, negative, zeros = finite
    infinities = tuple(
        x
        for x, bound, out in ((math.inf, high, exclude_max), (-math.inf, low, exclude_min))
        if infinite and (fmt.signed or x > 0) and (bound is None or (bound == x and not out))
    )
    if not (positive or negative or zeros or infinities or nan):
        raise InvalidArgument(
            f"There are no {fmt.name} floating-point values between min_value={quoted(min_value)} and "
            f"max_value={quoted(max_value)}, with {exclude_min=}, {exclude_max=} and {allow_subnormal=}"
        )
    return Allowed(fmt, positive, negative, zeros, infinities, nan)


def _bound(fmt: Format, name: str, value: Bound) -> exact.Value | None:
    if value is None:
        return None
    try:
        bound = exact.as_exact(value)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"Cannot use {name}={quoted(value)} of type {type(value).__name__}: {error}") from None
    if exact.is_nan(bound):
        raise InvalidArgument(f"Invalid {name}={quoted(value)}: NaN is not a bound")
    if bound < 0 and not fmt.signed:
        raise InvalidArgument(
            f"Invalid {name}={quoted(value)}: {fmt.name} has no negative numbers - use 0 or leave it out"
        )
    nearest = exact.round_to(bound, fmt) if exact.is_finite(bound) else bound
    if nearest != bound:
        raise InvalidArgument(
            f"{name}={quoted(value)} cannot be exactly represented in {fmt.name} - "
            f"use {name}={float(nearest)!r} instead."
        )
    return bound


def _nan(fmt: Format, allow: bool | None, bounded: bool) -> bool:
    if allow and bounded:
        raise InvalidArgument(f"Cannot have allow_nan={allow}, with min_value or max_value")
    if allow and not fmt.has_nan:
        raise InvalidArgument(f"Cannot have allow_nan={allow}: {fmt.name} has no NaN")
    return fmt.has_nan and not bounded if allow is None else allow


def _infinity(fmt: Format, allow: bool | None, bounded: bool) -> bool:
    if allow and bounded:
        raise InvalidArgument(f"Cannot have allow_infinity={allow}, with both min_value and max_value")
    if allow and not fmt.has_infinity:
        raise InvalidArgument(f"Cannot have allow_infinity={allow}: {fmt.name} has no infinity")
    return fmt.has_infinity if allow is None else allow


def _subnormal(fmt: Format, allow: bool | None, low: exact.Value | None, high: exact.Value | None) -> bool:
    if allow and low is not None and low >= fmt.min_normal:
        raise InvalidArgument(
            f"allow_subnormal={allow}, but minimum value {float(low)} excludes values below {fmt.name}'s smallest "
            f"positive normal {fmt.min_normal}"
        )
    if allow and high is not None and high <= -fmt.min_normal:
        raise InvalidArgument(
            f"allow_subnormal={allow}, but maximum value {float(high)} excludes values above {fmt.name}'s smallest "
            f"negative normal {-fmt.min_normal}"
        )
    return allow is not False


def _finite(
    fmt: Format,
    low: exact.Value | None,
    high: exact.Value | None,
    exclude_min: bool,
    exclude_max: bool,
    subnormal: bool,
) -> tuple[Interval | None, Interval | None, tuple[float, ...]]:
    """The magnitudes on each side of zero, and the zeros."""
    top = Fraction(fmt.max_finite)
    least = Fraction(fmt.min_subnormal if subnormal else fmt.min_normal)
    bottom = -top if fmt.signed else Fraction(0)
    lower = bottom if low is None or low == -math.inf else top * 2 if low == math.inf else Fraction(low)
    upper = top if high is None or high == math.inf else -top * 2 if high == -math.inf else Fraction(high)
    # An excluded bound moves to the next number inside.
    if exclude_min and low is not None and abs(lower) <= top:
        lower = _next(lower, fmt, 1)
    if exclude_max and high is not None and abs(upper) <= top:
        upper = _next(upper, fmt, -1)
    positive = Interval(max(lower, least), upper) if upper >= max(lower, least) else None
    negative = Interval(max(-upper, least), -lower) if -lower >= max(-upper, least) else None
    zeros: list[float] = []
    if lower <= 0 <= upper:
        zero_low = low is not None and low == 0 and not exact.is_negative(low)
        zero_high = high is not None and high == 0 and exact.is_negative(high)
        has = (0.0, fmt.zero and not zero_high), (-0.0, fmt.has_negative_zero and not zero_low)
        zeros = [zero for zero, kept in has if kept]
    return positive, negative, tuple(zeros)


def _next(x: Fraction, fmt: Format, direction: int) -> Fraction:
    """The next number of the format above (1) or below (-1) one of its numbers; something outside if there is none."""
    away = (x > 0) == (direction > 0) if x else True
    magnitude = abs(x)
    if magnitude == Fraction(fmt.max_finite) and away:
        return 2 * x
    code = exact.encode(magnitude, fmt) + (1 if away else -1)
    value = Fraction(exact.decode(code, fmt))
    return value if (x > 0 or (x == 0 and direction > 0)) else -value
