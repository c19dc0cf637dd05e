"""The choices that rounding depends on: the mode, what becomes of subnormals, and which codes are special."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Rounding(StrEnum):
    """The rule that picks one of the two neighbours of a number that a format does not hold."""

    TIES_TO_EVEN = "ties_to_even"
    """The nearer one; of two equally near, the one whose last bit is 0."""
    TIES_TO_AWAY = "ties_to_away"
    """The nearer one; of two equally near, the one of larger magnitude."""
    TOWARD_ZERO = "toward_zero"
    TOWARD_POSITIVE = "toward_positive"
    TOWARD_NEGATIVE = "toward_negative"
    TO_ODD = "to_odd"
    """The one whose last bit is 1: keeps the fact that something was lost, so that a second rounding is innocuous."""
    STOCHASTIC = "stochastic"
    """Either one, with a probability proportional to the nearness, so that the mean is right."""

    __hash__ = str.__hash__  # Enum's own is slower, and every call looks modes up

    @property
    def nearest(self) -> bool:
        """True for the two modes that always pick the nearer neighbour."""
        return self in (Rounding.TIES_TO_EVEN, Rounding.TIES_TO_AWAY)


class Subnormals(StrEnum):
    """What becomes of results between 0 and min_normal."""

    GRADUAL = "gradual"
    """They are kept, as IEEE 754 demands."""
    FLUSH_TO_ZERO = "flush_to_zero"
    """A result that would be subnormal becomes a zero of its sign, as in hardware with FTZ set."""
    FLUSH_TO_NEAREST = "flush_to_nearest"
    """Below min_normal there are 0 and min_normal only, and the mode picks one of the two."""
    FLUSH_INPUTS = "flush_inputs"
    """Inputs below min_normal become zero too (FTZ and DAZ)."""


class Specials(StrEnum):
    """Which codes are not finite numbers."""

    IEEE = "ieee"
    """The largest exponent field holds infinity (trailing significand 0) and NaN (any other)."""
    NAN = "nan"
    """No infinity; NaN is the one code of each sign with all bits set (the "FN" of E4M3FN)."""
    NONE = "none"
    """Every code is a finite number."""


def member(enum: Any, label: str, value: Any) -> Any:
    """The member of `enum` that `value` names."""
    if isinstance(value, enum):
        return value
    if isinstance(value, str):
        key = value.strip().lower().replace("-", "_")
        if key in enum._value2member_map_:
            return enum(key)
        raise ValueError(f"{label}={value!r} is unknown; use one of {', '.join(repr(m.value) for m in enum)}")
    raise TypeError(f"{label}={value!r} is not a name; use one of {', '.join(repr(m.value) for m in enum)}")


def get_rounding(mode: Rounding | str) -> Rounding:
    """The rounding mode that a name stands for.

    >>> get_rounding("toward_zero")
    <Rounding.TOWARD_ZERO: 'toward_zero'>
    """
    known = _MODES.get(mode) if isinstance(mode, str) else None
    return known or member(Rounding, "mode", mode)


_MODES = {mode.value: mode for mode in Rounding}
