"""To integers, and by powers of two, by definition: round_to_integral, to_integer, scale_b, frexp, modf."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from ..formats import MAX_WIDTH, Format, FormatLike, Rounding, as_integer, get_format, get_rounding, quoted
from .parsing import NAN, REACH, Value
from .rounding import Result, draw_for, round_integer, round_operand, round_result
from .values import as_exact, exponent_of, is_finite, is_nan, is_negative, signed


def integral(x: Value, mode: Rounding, draw: int = 0) -> Value:
    """`x` rounded to an integer in the direction of `mode`; zeros keep their sign, infinities and NaN stay."""
    if isinstance(x, float):
        return x
    return signed(x < 0, Fraction(round_integer(abs(x), mode, x < 0, draw)))


def _is_changed(x: Value, k: Value) -> bool:
    return not is_nan(x) and x != k


# --- float to integer -------------------------------------------------------------------------------------------------


class IntegerType(NamedTuple):
    """An integer of `width` bits, and what an invalid conversion gives: a name in INVALID_INTEGERS."""

    width: int = 32
    signed: bool = True
    invalid: str = "arm"

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.width}"

    @property
    def least(self) -> int:
        """The smallest integer."""
        return -int(2 ** (self.width - 1)) if self.signed else 0

    @property
    def greatest(self) -> int:
        """The largest integer."""
        return int(2 ** (self.width - self.signed)) - 1

    def invalid_result(self, x: Value) -> int:
        """What NaN gives, or a number that is too large, or too small."""
        return INVALID_INTEGERS[self.invalid](x, self.least, self.greatest)


INVALID_INTEGERS: dict[str, Callable[[Value, int, int], int]] = {
    "arm": lambda x, least, greatest: 0 if is_nan(x) else least if x < 0 else greatest,
    "riscv": lambda x, least, greatest: least if x < 0 else greatest,  # a comparison with NaN is false
    "x86": lambda x, least, greatest: least or greatest,
}
"""By the processors that do so, from NaN or a number out of range, and the smallest and the largest integer."""


def integer_type(width: object, is_signed: object, invalid: object, widest: int = MAX_WIDTH) -> IntegerType:
    """The type that these arguments of `to_integer` describe; ValueError or TypeError if they describe none."""
    bits = as_integer("width", width, "give the bits of the integer, such as 32")
    if not 1 <= bits <= widest:
        raise ValueError(f"width={quoted(width)} is out of range; an integer has 1 to {widest} bits here")
    if not isinstance(is_signed, bool):
        raise TypeError(f"signed={quoted(is_signed)} is not a truth value; give True or False")
    if invalid not in INVALID_INTEGERS:
        raise ValueError(f"invalid={quoted(invalid)} is unknown; use one of {', '.join(INVALID_INTEGERS)}")
    return IntegerType(bits, is_signed, str(invalid))


def integer_result(x: Value, kind: IntegerType, mode: Rounding, draw: int = 0, exact: bool = False) -> Result:
    """IEEE 754's convertToInteger of a number; `exact` for the forms that raise inexact."""
    k = integral(x, mode, draw)
    if not is_finite(k) or not kind.least <= k <= kind.greatest:
        return Result(Fraction(kind.invalid_result(x)), frozenset({"invalid"}))
    return Result(Fraction(k), frozenset({"inexact"} if exact and _is_changed(x, k) else ()))


# --- results that are numbers of the format ---------------------------------------------------------------------------


def integral_result(
    x: Value, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after", *, exact: bool = False
) -> Result:
    """IEEE 754's roundToIntegral of a number of `fmt`; `exact` for the form that raises inexact."""
    k = integral(x, mode, draw)
    # An integer beyond max_finite is the next multiple of the quantum, or more: no random number is needed.
    rounded = round_result(k, fmt, mode, 0, tininess)
    return Result(rounded.value, rounded.flags | ({"inexact"} if exact and _is_changed(x, k) else set()))


_FARTHEST = 3 * REACH


def scaled(x: Value, n: int) -> Value:
    """x * 2^n, exactly; n is cut where no format has numbers as large, or as small."""
    if isinstance(x, float):
        return x
    return x * Fraction(2) ** max(-_FARTHEST, min(n, _FARTHEST))


def scaled_result(x: Value, n: int, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after") -> Result:
    """IEEE 754's scaleB: x * 2^n, rounded once."""
    return round_result(scaled(x, n), fmt, mode, draw, tininess)


def frexp_result(x: Value, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after") -> tuple[Result, int]:
    """x = fraction * 2^exponent with a fraction in [1/2, 1); the fraction is rounded if `fmt` lacks it."""
    if x == 0 or not is_finite(x):
        return round_result(x, fmt, mode, draw, tininess), 0
    e = exponent_of(abs(Fraction(x))) + 1
    return round_result(Fraction(x) / Fraction(2) ** e, fmt, mode, draw, tininess), e


def modf_result(x: Value, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after") -> tuple[Result, Result]:
    """The fraction and the integer that add up to x, both with its sign; rounded if `fmt` lacks them."""
    whole = integral(x, Rounding.TOWARD_ZERO)
    if not is_finite(x):
        rest: Value = x if is_nan(x) else signed(x < 0, Fraction(0))
    else:
        rest = signed(is_negative(x), abs(Fraction(x)) - abs(Fraction(whole)))
    fraction = round_result(rest, fmt, mode, draw, tininess)
    return fraction, round_result(NAN if is_nan(x) else whole, fmt, mode, 0, tininess)


# --- as functions of anything -----------------------------------------------------------------------------------------


def _held(x: Any, fmt: FormatLike, mode: Rounding | str, rng: Any) -> tuple[Value, Format, Rounding]:
    fmt, mode = get_format(fmt), get_rounding(mode)
    return round_operand(as_exact(x), fmt, mode, draw_for(mode, rng)).value, fmt, mode


def round_to_integral(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """x rounded to an integer in the direction of `mode`; exact, but for an integer beyond max_finite.

    >>> round_to_integral("2.5"), round_to_integral("2.5", "binary16", "toward_positive")
    (Fraction(2, 1), Fraction(3, 1))
    """
    x, fmt, mode = _held(x, fmt, mode, rng)
    return integral_result(x, fmt, mode, draw_for(mode, rng)).value


def to_integer(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    width: int = 32,
    signed: bool = True,
    *,
    invalid: str = "arm",
    rng: Any = None,
) -> int:
    """x rounded to an integer of `width` bits, up to 512; see `fp16sim.to_integer`.

    >>> to_integer("2.5"), to_integer("-1e4", "binary16", width=8)
    (2, -128)
    """
    kind = integer_type(width, signed, invalid)
    x, fmt, mode = _held(x, fmt, mode, rng)
    return int(integer_result(x, kind, mode, draw_for(mode, rng)).value)


def scale_b(
    x: Any, n: int, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """x * 2^n for an integer n, rounded once.

    >>> scale_b(3, -2), scale_b(1, 16)
    (Fraction(3, 4), inf)
    """
    n = as_integer("n", n, "give the power of two")
    x, fmt, mode = _held(x, fmt, mode, rng)
    return scaled_result(x, n, fmt, mode, draw_for(mode, rng)).value


def frexp(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> tuple[Value, int]:
    """The fraction in [1/2, 1) and the integer exponent with x = fraction * 2^exponent.

    >>> frexp(12)
    (Fraction(3, 4), 4)
    """
    x, fmt, mode = _held(x, fmt, mode, rng)
    fraction, e = frexp_result(x, fmt, mode, draw_for(mode, rng))
    return fraction.value, e


def modf(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> tuple[Value, Value]:
    """The fraction and the integer that add up to x.

    >>> modf("-2.25")
    (Fraction(-1, 4), Fraction(-2, 1))
    """
    x, fmt, mode = _held(x, fmt, mode, rng)
    fraction, whole = modf_result(x, fmt, mode, draw_for(mode, rng))
    return fraction.value, whole.value
