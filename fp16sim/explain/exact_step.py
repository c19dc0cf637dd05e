"""Operations without rounding: the terms as integers, their alignment, the exact result, its normalisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .. import exact
from ..exact import Value, exponent_of, is_finite, is_nan, is_negative, is_signaling
from ..formats import Rounding
from .records import ExactRule, ExactStep, Number, Term, ordered_flags

ROOT_BITS = 320
"""How many bits are kept of an irrational root; more in a format with more of them."""


def _term(name: str, x: Number, negate: bool = False) -> Term:
    """A finite operand as a signed integer times a power of two."""
    assert x.significand is not None
    assert x.exponent is not None
    minus = bool(x.sign) != negate
    return Term(name, -x.significand if minus else x.significand, x.exponent - x.fmt.trailing_bits)


def exact_step(operation: str, operands: tuple[Number, ...], mode: Rounding) -> ExactStep:
    """The exact result of an operation on numbers of a format, and the integers that lead to it."""
    values = [x.value for x in operands]
    if any(map(is_signaling, values)):
        return ExactStep("signaling_operand", exact.NAN, flags=("invalid",))
    if any(map(is_nan, values[:2] if operation == "fma" else values)):
        return ExactStep("nan_operand", exact.NAN)
    result = exact.OPERATIONS[operation](mode, *values)
    rule = _special_rule(operation, values, result)
    if rule is not None:
        return ExactStep(rule, result.value, flags=ordered_flags(result.flags))
    return _INTEGERS[operation](*operands)


# --- infinities, NaN and zeros ----------------------------------------------------------------------------------------


def _special_rule(operation: str, values: list[Value], result: exact.Result) -> ExactRule | None:
    """The rule for infinities, NaN and zeros; None if the result follows from integers."""
    if "invalid" in result.flags:
        return _invalid_rule(operation, values)
    if is_nan(result.value):
        return "nan_operand"
    if "divide_by_zero" in result.flags:
        return "divide_by_zero"
    if not is_finite(result.value):
        return "infinity"
    if result.value == 0:
        return _zero_rule(operation, values)
    return None


def _invalid_rule(operation: str, values: list[Value]) -> ExactRule:
    if operation == "sqrt":
        return "invalid_root"
    if operation == "divide":
        return "invalid_zero_by_zero" if values[0] == 0 else "invalid_infinity_by_infinity"
    if operation in ("multiply", "fma") and 0 in values[:2]:
        return "invalid_zero_times_infinity"
    return "invalid_difference"


def _zero_rule(operation: str, values: list[Value]) -> ExactRule:
    """Why a result is zero: terms that cancel or are zeros, a divisor that is infinite, or an operand that is zero."""
    if operation in ("add", "subtract"):
        return "cancelled" if values[0] != 0 else _zero_sum(operation, values[0], values[1])
    if operation == "fma":
        product = exact.OPERATIONS["multiply"](Rounding.TIES_TO_EVEN, *values[:2]).value
        return "cancelled" if product != 0 else _zero_sum("add", product, values[2])
    return "by_infinity" if operation == "divide" and not is_finite(values[1]) else "zero"


def _zero_sum(operation: str, a: Value, b: Value) -> ExactRule:
    alike = is_negative(a) == (is_negative(b) != (operation == "subtract"))
    return "zeros_of_one_sign" if alike else "zeros_of_unlike_signs"


# --- integers -------------------------------------------------------------------------------------------------------


def _digits(value: Fraction, reference: int, **integers: Any) -> ExactStep:
    """The step, normalised: how far its leading bit is above the reference exponent."""
    e = exponent_of(abs(value))
    return ExactStep("digits", value, exponent=e, normalisation=e - reference, **integers)


def _sum(first: Term, second: Term) -> ExactStep:
    """Both terms as integers at the smaller of the two exponents, added."""
    low = min(first.exponent, second.exponent)
    shift = abs(first.exponent - second.exponent)
    total = sum(t.integer << (t.exponent - low) for t in (first, second))
    return _digits(
        total * Fraction(2) ** low,
        max(_exponent(first), _exponent(second)),
        terms=(first, second),
        shift=shift,
        shifted=None if not shift else first.name if first.exponent < second.exponent else second.name,
        integer=total,
        integer_exponent=low,
    )


def _exponent(t: Term) -> int:
    """The exponent of a term's leading bit; of its last place if the term is zero."""
    return t.exponent + max(abs(t.integer).bit_length() - 1, 0)


def _add(a: Number, b: Number) -> ExactStep:
    return _sum(_term("a", a), _term("b", b))


def _subtract(a: Number, b: Number) -> ExactStep:
    return _sum(_term("a", a), _term("b", b, negate=True))


def _product(a: Number, b: Number) -> tuple[tuple[Term, Term], Term]:
    left, right = _term("a", a), _term("b", b)
    return (left, right), Term("a × b", left.integer * right.integer, left.exponent + right.exponent)


def _multiply(a: Number, b: Number) -> ExactStep:
    factors, product = _product(a, b)
    return _digits(
        product.integer * Fraction(2) ** product.exponent,
        _exponent(factors[0]) + _exponent(factors[1]),
        terms=factors,
        integer=product.integer,
        integer_exponent=product.exponent,
    )


def _fma(a: Number, b: Number, c: Number) -> ExactStep:
    return _sum(_product(a, b)[1], _term("c", c))


def _divide(a: Number, b: Number) -> ExactStep:
    """Long division, to more bits than the format has; the rest is the remainder."""
    top, bottom = _term("a", a), _term("b", b)
    places = a.fmt.precision + 3 + abs(bottom.integer).bit_length() - abs(top.integer).bit_length()
    places = max(places, 0)
    quotient, remainder = divmod(abs(top.integer) << places, abs(bottom.integer))
    minus = (top.integer < 0) != (bottom.integer < 0)
    return _digits(
        Fraction(a.value) / Fraction(b.value),
        _exponent(top) - _exponent(bottom),
        terms=(top, bottom),
        integer=-quotient if minus else quotient,
        integer_exponent=top.exponent - bottom.exponent - places,
        remainder=remainder != 0,
    )


def _sqrt(a: Number) -> ExactStep:
    """The integer root of the significand, widened to twice the bits wanted, at an even exponent."""
    x = _term("x", a)
    places = max(2 * (a.fmt.precision + 3) - x.integer.bit_length(), 0)
    places += (x.exponent - places) % 2
    root = math.isqrt(x.integer << places)
    irrational = root * root != x.integer << places
    return _digits(
        exact.sqrt_to_odd(Fraction(a.value), max(ROOT_BITS, a.fmt.precision + 64)),
        _exponent(x) // 2,
        irrational=irrational,
        terms=(x,),
        integer=root,
        integer_exponent=(x.exponent - places) // 2,
        remainder=irrational,
    )


_INTEGERS: dict[str, Callable[..., ExactStep]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "sqrt": _sqrt,
    "fma": _fma,
}
