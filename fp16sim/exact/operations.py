"""Operations by definition: exact, then rounded once."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ..formats import MAX_WIDTH, Format, FormatLike, Rounding, get_format, get_rounding
from .parsing import INF, NAN, Value
from .rounding import Result, draw_for, round_operand, round_result
from .values import as_exact, exponent_of, is_finite, is_nan, is_negative, is_signaling, signed

_NONE: frozenset[str] = frozenset()
_INVALID = Result(NAN, frozenset({"invalid"}))


def _fraction(x: Value) -> Fraction:
    """A finite value as a Fraction, which every one but -0.0 is already."""
    return Fraction(x) if isinstance(x, float) else x


def _zero_sum(a_negative: bool, b_negative: bool, mode: Rounding) -> Value:
    """An exact zero from x + y: the common sign; of unlike signs +0, but -0 in TOWARD_NEGATIVE."""
    if a_negative == b_negative:
        return signed(a_negative, Fraction(0))
    return signed(mode is Rounding.TOWARD_NEGATIVE, Fraction(0))


def _add(mode: Rounding, a: Value, b: Value) -> Result:
    if not (is_finite(a) and is_finite(b)):
        if is_finite(a) or is_finite(b) or a == b:
            return Result(a if not is_finite(a) else b)
        return _INVALID
    total = _fraction(a) + _fraction(b)
    return Result(total if total else _zero_sum(is_negative(a), is_negative(b), mode))


def _subtract(mode: Rounding, a: Value, b: Value) -> Result:
    return _add(mode, a, -b if b or isinstance(b, float) else -0.0)


def _multiply(mode: Rounding, a: Value, b: Value) -> Result:
    negative = is_negative(a) != is_negative(b)
    if not (is_finite(a) and is_finite(b)):
        return Result(signed(negative, INF)) if a and b else _INVALID
    return Result(signed(negative, abs(_fraction(a) * _fraction(b))))


def _divide(mode: Rounding, a: Value, b: Value) -> Result:
    negative = is_negative(a) != is_negative(b)
    if (not is_finite(a) and not is_finite(b)) or (a == 0 and b == 0):
        return _INVALID
    if b == 0:
        return Result(signed(negative, INF), frozenset({"divide_by_zero"} if is_finite(a) else ()))
    if not is_finite(a):
        return Result(signed(negative, INF))
    return Result(signed(negative, abs(_fraction(a) / _fraction(b)) if is_finite(b) else Fraction(0)))


def _sqrt(mode: Rounding, a: Value) -> Result:
    if a < 0:
        return _INVALID
    if a == 0 or not is_finite(a):
        return Result(a)
    return Result(sqrt_to_odd(Fraction(a)))


ROOT_BITS = MAX_WIDTH + 64
"""The bits of a root: more than enough to decide every rounding to the widest format."""


def sqrt_to_odd(x: Fraction, bits: int = ROOT_BITS) -> Fraction:
    """sqrt(x) where it is rational in `bits` bits, else a number between the two neighbours of `bits` bits.

    Every decision of rounding to fewer than `bits` bits is the same for both (this is rounding to odd).
    """
    shift = 2 * bits - exponent_of(x)
    shift += shift % 2
    n = x * Fraction(2) ** shift
    root = math.isqrt(n.numerator // n.denominator)
    sticky = root * root != n
    return (root + Fraction(sticky, 2)) / Fraction(2) ** (shift // 2)


def _fma(mode: Rounding, a: Value, b: Value, c: Value) -> Result:
    product = _multiply(mode, a, b)
    if product.flags or is_nan(c):
        return product if product.flags else Result(c)
    return _add(mode, product.value, c)


def _ieee_remainder(mode: Rounding, a: Value, b: Value) -> Result:
    if not is_finite(a) or b == 0:
        return _INVALID
    if not is_finite(b):
        return Result(a)
    x, y = Fraction(a), Fraction(b)
    rest = x - y * round(x / y)  # Python rounds a Fraction to the nearest integer, ties to even
    return Result(rest if rest else signed(is_negative(a), Fraction(0)))


def _fmod(mode: Rounding, a: Value, b: Value) -> Result:
    if not is_finite(a) or b == 0:
        return _INVALID
    if not is_finite(b):
        return Result(a)
    return Result(signed(is_negative(a), abs(Fraction(a)) % abs(Fraction(b))))


def _log_b(mode: Rounding, a: Value) -> Result:
    if a == 0:
        return Result(-INF, frozenset({"divide_by_zero"}))
    return Result(Fraction(exponent_of(abs(Fraction(a)))) if is_finite(a) else INF)


def _extreme(name: str) -> Callable[[Rounding, Value, Value], Result]:
    """minimum, maximum and their forms: by magnitude first, or with a number preferred to NaN."""
    pick = min if name.startswith("minimum") else max

    def order(x: Value) -> tuple[Value, Value, bool]:
        size = -x if x < 0 else x
        return (size if "magnitude" in name else 0.0), x, not is_negative(x)  # -0 before +0

    def extreme(mode: Rounding, a: Value, b: Value) -> Result:
        if is_nan(a) or is_nan(b):
            return Result(b if is_nan(a) else a)  # NaN only if both are
        return Result(pick(a, b, key=order))

    return extreme


_FORMS = ("", "_number", "_magnitude", "_magnitude_number")
EXTREMES = tuple(f"{which}{form}" for form in _FORMS for which in ("minimum", "maximum"))
"""IEEE 754-2019's minimum, maximum, minimumNumber, ..., maximumMagnitudeNumber."""

OPERATIONS: dict[str, Callable[..., Result]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "sqrt": _sqrt,
    "fma": _fma,
    "ieee_remainder": _ieee_remainder,
    "fmod": _fmod,
    "log_b": _log_b,
    **{name: _extreme(name) for name in EXTREMES},
}


def compute(
    operation: str,
    operands: tuple[Any, ...],
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Any = None,
    tininess: str = "after",
) -> Result:
    """Value and flags of an operation: operands rounded to `fmt`, the exact result rounded once.

    >>> compute("divide", (1, 3), "binary16").flags
    frozenset({'inexact'})
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    values, flags = [], _NONE
    for x in operands:
        operand = round_operand(as_exact(x), fmt, mode, draw_for(mode, rng), tininess)
        values.append(operand.value)
        flags |= operand.flags
    result = _operate(operation, tuple(values), fmt, mode, draw_for(mode, rng), tininess)
    return Result(result.value, result.flags | flags)


def operate(
    operation: str, operands: tuple[Any, ...], fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after"
) -> Result:
    """Value and flags of an operation on operands that `fmt` holds."""
    return _operate(operation, tuple(map(as_exact, operands)), fmt, mode, draw, tininess)


def _operate(
    operation: str, values: tuple[Value, ...], fmt: Format, mode: Rounding, draw: int, tininess: str
) -> Result:
    result = unrounded(operation, values, mode)
    rounded = round_result(result.value, fmt, mode, draw, tininess)
    return Result(rounded.value, rounded.flags | result.flags) if result.flags else rounded


def unrounded(operation: str, values: tuple[Value, ...], mode: Rounding) -> Result:
    """The exact result of an operation, and the flags invalid and divide_by_zero."""
    if not any(isinstance(v, float) for v in values):  # the commonest case: no NaN
        return OPERATIONS[operation](mode, *values)
    signaling = any(map(is_signaling, values))
    if operation in EXTREMES and operation.endswith("_number"):
        chosen = OPERATIONS[operation](mode, *values).value  # a signaling NaN is ignored too, but for its flag
        return Result(NAN if is_nan(chosen) else chosen, frozenset({"invalid"} if signaling else ()))
    if signaling:
        return _INVALID
    # A quiet NaN goes through; fma decides for itself, since infinity times zero is invalid whatever c is.
    if any(is_nan(v) for v in (values[:2] if operation == "fma" else values)):
        return Result(NAN)
    return OPERATIONS[operation](mode, *values)


def add(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a + b, exact, rounded once.

    >>> add(2048, 1, "binary16")
    Fraction(2048, 1)
    """
    return compute("add", (a, b), fmt, mode, rng=rng).value


def subtract(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a - b, exact, rounded once."""
    return compute("subtract", (a, b), fmt, mode, rng=rng).value


def multiply(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a * b, exact, rounded once."""
    return compute("multiply", (a, b), fmt, mode, rng=rng).value


def divide(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a / b, exact, rounded once."""
    return compute("divide", (a, b), fmt, mode, rng=rng).value


def sqrt(a: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None) -> Value:
    """The square root of a, rounded once from a value that decides every rounding of every format as the root does."""
    return compute("sqrt", (a,), fmt, mode, rng=rng).value


def fma(
    a: Any, b: Any, c: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a * b + c, exact, rounded once.

    >>> fma(3, 683, "2^-24", "binary16")
    Fraction(2050, 1)
    """
    return compute("fma", (a, b, c), fmt, mode, rng=rng).value


def ieee_remainder(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a - n * b with n the integer nearest to a / b, ties to even: always exact."""
    return compute("ieee_remainder", (a, b), fmt, mode, rng=rng).value


def fmod(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> Value:
    """a - n * b with n = a / b cut to an integer: exact, with the sign of a."""
    return compute("fmod", (a, b), fmt, mode, rng=rng).value


def log_b(a: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None) -> Value:
    """floor(log2(abs(a))), the exponent of a, rounded once; -infinity for 0, infinity for an infinity.

    >>> log_b("0.1", "binary16")
    Fraction(-4, 1)
    """
    return compute("log_b", (a,), fmt, mode, rng=rng).value
