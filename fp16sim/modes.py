"""The choices that rounding depends on: the mode, what subnormal results become, and which codes are special."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from .wording import did_you_mean, quoted

MOST_RANDOM_BITS = 32


class Rounding(StrEnum):
    """The rule that picks one of the two neighbours of a number that a format does not hold."""

    TIES_TO_EVEN = "ties_to_even"
    """The nearer one; if both are equally near, the one whose last bit is 0."""
    TIES_TO_AWAY = "ties_to_away"
    """The nearer one; if both are equally near, the one of larger magnitude."""
    TOWARD_ZERO = "toward_zero"
    TOWARD_POSITIVE = "toward_positive"
    TOWARD_NEGATIVE = "toward_negative"
    TO_ODD = "to_odd"
    """The one whose last bit is 1: it shows that something was lost, so that a second rounding is innocuous.

    Beyond max_finite it is max_finite, as in TOWARD_ZERO, also where the last bit of that is 0 (in formats without
    infinity, such as e4m3fn: 448.1 becomes 448). There only the flags overflow and inexact show the loss.
    """
    STOCHASTIC = "stochastic"
    """Either one at random, with probabilities that make the mean the number itself.

    "stochastic_8" and "stochastic_8_half" are this with 8 random bits, as hardware has it; any number from 1 to 32. The
    first 8 bits of what is cut off are added to 8 random bits, and a carry goes up. The other bits are dropped, which
    makes the mean too small, or rounded ("half": half a unit is added first). `Rounding("stochastic_8")` is no member
    that iteration gives.
    """

    __hash__ = str.__hash__  # faster than Enum's own, and every call needs it

    @classmethod
    def _missing_(cls, value: object) -> Rounding | None:
        """The mode "stochastic_8" or "stochastic_8_half", made when it is first asked for."""
        found = re.fullmatch(r"stochastic_([1-9]\d?)(_half)?", value, re.ASCII) if isinstance(value, str) else None
        if not found or int(found[1]) > MOST_RANDOM_BITS:
            return None
        mode = str.__new__(cls, value)
        mode._name_, mode._value_ = found[0].upper(), found[0]
        return cls._value2member_map_.setdefault(found[0], mode)  # type: ignore[return-value]

    @cached_property
    def random(self) -> bool:
        """True for stochastic rounding, with any number of random bits."""
        return self.startswith("stochastic")

    @cached_property
    def random_bits(self) -> int | None:
        """The number of random bits, 1 to 32; None for "stochastic" itself and for all other modes."""
        return int(self.split("_")[1]) if self.random and "_" in self else None

    @cached_property
    def adds_half(self) -> bool:
        """Whether half a unit of the last random bit is added, so that what is cut off is rounded to those bits."""
        return self.random and self.endswith("_half")

    @property
    def nearest(self) -> bool:
        """True for the two modes that always pick the nearer neighbour."""
        return self in (Rounding.TIES_TO_EVEN, Rounding.TIES_TO_AWAY)


class Subnormals(StrEnum):
    """What a result between 0 and min_normal becomes."""

    GRADUAL = "gradual"
    """It stays, as IEEE 754 demands."""
    FLUSH_TO_ZERO = "flush_to_zero"
    """It becomes a zero with its sign, as in hardware with FTZ set."""
    FLUSH_TO_NEAREST = "flush_to_nearest"
    """It becomes 0 or min_normal, as the mode says: the format has no other numbers there."""
    FLUSH_INPUTS = "flush_inputs"
    """It becomes a zero, and so does an input below min_normal, before it is used (FTZ and DAZ)."""


class Specials(StrEnum):
    """Which codes are not finite numbers."""

    IEEE = "ieee"
    """The largest exponent field is kept for infinity (trailing significand 0) and NaN (all others)."""
    NAN = "nan"
    """No infinity; NaN is the one code of each sign with all bits set (the "FN" of E4M3FN)."""
    NONE = "none"
    """Every code is a finite number."""
    ONE_NAN = "one_nan"
    """No infinity, one zero and one NaN: it has the code that would be -0, or the last one in an unsigned format."""
    ONE_NAN_AND_INFINITIES = "one_nan_and_infinities"
    """Like "one_nan", and the largest magnitude that is not that NaN is infinity."""


Choice = TypeVar("Choice", bound=StrEnum)


def member(enum: type[Choice], label: str, value: object) -> Choice:
    """The member of `enum` that `value` names."""
    if isinstance(value, enum):
        return value
    names = [choice.value for choice in enum]
    known = ", ".join(map(repr, names))
    if not isinstance(value, str):
        raise TypeError(f"{label}={quoted(value)} is not a name; use one of {known}")
    key = value.strip().lower().replace("-", "_")
    if enum is Rounding and re.fullmatch(r"stochastic_\d+(_half)?", key, re.ASCII):
        return _with_random_bits(value, key)  # type: ignore[return-value]
    if key not in enum._value2member_map_:
        similar = did_you_mean(key, [*names, *SHORT_MODES] if enum is Rounding else names)
        raise ValueError(f"{label}={quoted(value)} is unknown; {similar}use one of {known}")
    return enum(key)


def _with_random_bits(value: str, key: str) -> Rounding:
    try:
        return Rounding(key)
    except ValueError:
        raise ValueError(
            f"mode={quoted(value)}: stochastic rounding has 1 to {MOST_RANDOM_BITS} random bits; write stochastic_8, "
            "or stochastic_8_half to round what is cut off to 8 bits"
        ) from None


def get_rounding(mode: Rounding | str) -> Rounding:
    """The rounding mode that a name stands for, in full or in the short form of processor manuals.

    >>> get_rounding("toward_zero"), get_rounding("rtz")
    (<Rounding.TOWARD_ZERO: 'toward_zero'>, <Rounding.TOWARD_ZERO: 'toward_zero'>)
    >>> get_rounding("stochastic_8").random_bits
    8
    """
    known = _MODES.get(mode) if isinstance(mode, str) else None
    return known or member(Rounding, "mode", mode)


SHORT_MODES = {
    "rne": Rounding.TIES_TO_EVEN,
    "rna": Rounding.TIES_TO_AWAY,
    "rtz": Rounding.TOWARD_ZERO,
    "rup": Rounding.TOWARD_POSITIVE,
    "rdn": Rounding.TOWARD_NEGATIVE,
    "rto": Rounding.TO_ODD,
}
_MODES = {mode.value: mode for mode in Rounding} | SHORT_MODES
