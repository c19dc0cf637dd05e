"""The slow truth: floating-point arithmetic on ints and Fractions. Every other module is judged by this one.

A value is a Fraction, or one of the four floats that no Fraction can be: -0.0, inf, -inf and nan. An operation is
computed exactly, then rounded once:

    lift   x = n * 2^q, where 2^q is the quantum (the unit in the last place) of the binade that x lies in
    round  n to an integer k, by the mode
    lower  k * 2^q, unless that is beyond max_finite (overflow) or of a kind that the format flushes

It imports nothing but the standard library and `formats`, and shares no code with what it judges.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from numbers import Rational
from typing import Any, TypeAlias

from .formats import Format, FormatLike, Rounding, Specials, Subnormals, get_format, get_rounding, scaled

Value: TypeAlias = Fraction | float
"""A Fraction, or one of the floats -0.0, inf, -inf and nan."""

NAN, INF = math.nan, math.inf
FLAGS = ("invalid", "divide_by_zero", "overflow", "underflow", "inexact")
DRAW_BITS = 32


@dataclass(frozen=True)
class Result:
    """A rounded value and the names of the exceptions that it raised."""

    value: Value
    flags: frozenset[str] = frozenset()


# --- from anything to an exact value --------------------------------------------------------------------------------

MAX_DIGITS, MAX_EXPONENT = 1200, {2: 20000, 10: 5000}
"""What a text may ask for: every binary64 in full and the range of binary128, and no more than a millisecond."""

# Possessive quantifiers (*+, ?+): a digit once taken is not given back, so that no text takes more than linear time.
_UNSIGNED = r"(?:\d[\d_]*+\.?+[\d_]*+|\.\d[\d_]*+)"
_GRAMMAR = rf"""(?P<sign>[+-]?)\s*(?:
        (?P<special>inf(?:inity)?|nan)
      | 0x(?P<hex>[0-9a-f_]*+\.?+[0-9a-f_]*+)p(?P<hex_exponent>[+-]?\d+)
      | (?P<top>{_UNSIGNED})(?:e(?P<top_exponent>[+-]?\d+))?\s*(?:
            /\s*(?P<bottom>{_UNSIGNED})(?:e(?P<bottom_exponent>[+-]?\d+))?
          | (?:p|(?:\*\s*2\s*(?:\^|\*\*)))\s*(?P<two>[+-]?\d+)
          | (?:\^|\*\*)\s*(?P<power>[+-]?\d+)
        )?
    )"""


@lru_cache(maxsize=1)
def _grammar() -> re.Pattern[str]:
    """Compiled when first used: importing the package should cost nothing of the kind."""
    return re.compile(_GRAMMAR, re.VERBOSE | re.IGNORECASE)


def parse(text: str) -> Value:
    """The exact value of a number as people write it; nothing is rounded.

    Understood: `0.1`, `-1.5e-8`, `1/3`, `0x1.8p3` (C99), `1p-24` and `3*2^-24` (times a power of two), `2^-24`, `inf`,
    `nan`, with `_` between digits if you like.

    Returns
    -------
    Fraction or float
        A float for -0.0, the infinities and nan only.

    Raises
    ------
    ValueError
        If the text is no number, is ambiguous (`0x2E66` may be a code or a number), or asks for more than 1,200
        digits, or for an exponent beyond 5,000 (of two: 20,000).

    Examples
    --------
    >>> parse("1/3"), parse("0x1.8p3"), parse("1p-3"), parse("-0")
    (Fraction(1, 3), Fraction(12, 1), Fraction(1, 8), -0.0)
    """
    if len(text) > MAX_DIGITS + 100:
        raise ValueError(f"text of {len(text)} characters is too long for a number; use at most {MAX_DIGITS} digits")
    text = text.strip()
    match = _grammar().fullmatch(text)
    if match is None:
        raise ValueError(_complaint(text))
    part = match.groupdict()
    negative = part["sign"] == "-"
    if part["special"]:
        return NAN if part["special"].lower() == "nan" else math.copysign(INF, -negative)
    magnitude = _magnitude(text, part)
    if magnitude == 0:
        return -0.0 if negative else Fraction(0)
    return -magnitude if negative else magnitude


def _magnitude(text: str, part: dict[str, str]) -> Fraction:
    if part["hex"] is not None:
        whole, _, fraction = part["hex"].replace("_", "").partition(".")
        if not whole + fraction:
            raise ValueError(_complaint(text))
        return int(whole + fraction, 16) * _power(text, 2, part["hex_exponent"]) / 16 ** len(fraction)
    top = _decimal(text, part["top"], part["top_exponent"])
    if part["bottom"]:
        bottom = _decimal(text, part["bottom"], part["bottom_exponent"])
        if bottom == 0:
            raise ValueError(f"text={text!r} divides by zero; write inf or nan if you mean it")
        return top / bottom
    if part["power"]:
        if top != 2:
            raise ValueError(f"text={text!r}: only powers of two are understood; write 2^{part['power']}")
        return _power(text, 2, part["power"])
    return top * _power(text, 2, part["two"]) if part["two"] else top


def _decimal(text: str, digits: str, exponent: str | None) -> Fraction:
    whole, _, fraction = digits.replace("_", "").partition(".")
    return int(whole + fraction) * _power(text, 10, exponent or "0") / 10 ** len(fraction)


def _power(text: str, base: int, exponent: str) -> Fraction:
    if len(exponent) > 8 or abs(int(exponent)) > MAX_EXPONENT[base]:
        raise ValueError(
            f"text={text[:40]!r} has an exponent beyond {MAX_EXPONENT[base]}; no supported format reaches it"
        )
    return Fraction(base) ** int(exponent)


def _complaint(text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    if re.fullmatch(r"[+-]?0[xb][0-9a-f_]+", text, re.IGNORECASE):
        return (
            f"text={shown!r} could be a code or a number; for the value with that code use decode({text}, fmt), "
            f"for the number {int(text, 0)} write {int(text, 0)} or {text}p0"
        )
    return f"text={shown!r} is not a number; write it like 0.1, 1e-8, 1/3, 0x1.8p3, 1p-24, 2^-24, inf or nan"


def as_exact(x: Any) -> Value:
    """The exact value of an int, float, Fraction, Decimal, string or NumPy scalar.

    >>> as_exact(0.5), as_exact("1/3"), as_exact(-0.0)
    (Fraction(1, 2), Fraction(1, 3), -0.0)
    """
    if isinstance(x, str):
        return parse(x)
    if isinstance(x, Rational) or hasattr(x, "__index__"):
        return Fraction(x if isinstance(x, Rational) else x.__index__())
    if isinstance(x, Decimal):
        return parse(str(x).lower().replace("snan", "nan"))
    if not hasattr(x, "as_integer_ratio"):
        # NumPy's bool and the scalars of ml_dtypes know their Python value.
        plain = x.item() if hasattr(x, "item") and getattr(x, "shape", None) == () else x
        if type(plain) is type(x):
            raise TypeError(
                f"x={x!r} of type {type(x).__name__} is no real number; give an int, float, Fraction or text"
            )
        return as_exact(plain)
    if x != x or abs(x) == INF or x == 0:  # not math.isinf, to which a large longdouble is infinite
        return float(x) if x != 0 or math.copysign(1, x) < 0 else Fraction(0)
    return Fraction(*x.as_integer_ratio())


def is_negative(x: Value) -> bool:
    """The sign bit: true for -0.0 too."""
    return math.copysign(1, x) < 0 if isinstance(x, float) else x < 0


def is_finite(x: Value) -> bool:
    """False for nan and the infinities."""
    return not isinstance(x, float) or math.isfinite(x)


def is_nan(x: Value) -> bool:
    """True for nan; math.isnan would turn a Fraction into a float first, and a large one does not fit."""
    return isinstance(x, float) and math.isnan(x)


def signed(negative: bool, magnitude: Value) -> Value:
    """`magnitude` with a sign; keeps the sign of zero."""
    if magnitude == 0:
        return -0.0 if negative else Fraction(0)
    return -magnitude if negative else magnitude


# --- rounding -------------------------------------------------------------------------------------------------------


def exponent_of(magnitude: Fraction) -> int:
    """floor(log2(magnitude)) by integers: the e with 2^e <= magnitude < 2^(e + 1)."""
    n, d = magnitude.numerator, magnitude.denominator
    e = n.bit_length() - d.bit_length()  # 2^(e - 1) < n / d < 2^(e + 1)
    reached = n >= d << e if e >= 0 else n << -e >= d
    return e if reached else e - 1


def quantum_exponent(magnitude: Fraction, fmt: Format) -> int:
    """The exponent of the spacing of `fmt` around `magnitude`, as if there were no largest number."""
    e = exponent_of(magnitude)
    if e < fmt.emin and fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
        return fmt.emin  # below min_normal there is nothing but 0 and min_normal
    return max(e, fmt.emin) - fmt.trailing_bits


def round_integer(n: Fraction, mode: Rounding, negative: bool, draw: int = 0) -> int:
    """The integer that `mode` picks for n >= 0, the magnitude of a number with the given sign.

    `draw`, of 32 random bits, decides for STOCHASTIC: up where (draw + 1/2) / 2^32 is below the fraction of n.
    """
    low = n.numerator // n.denominator
    rest = n - low
    if rest == 0:
        return low
    half = Fraction(1, 2)
    up = {
        Rounding.TIES_TO_EVEN: rest > half or (rest == half and low % 2 == 1),
        Rounding.TIES_TO_AWAY: rest >= half,
        Rounding.TOWARD_ZERO: False,
        Rounding.TOWARD_POSITIVE: not negative,
        Rounding.TOWARD_NEGATIVE: negative,
        Rounding.TO_ODD: low % 2 == 0,
        Rounding.STOCHASTIC: Fraction(2 * draw + 1, 2 ** (DRAW_BITS + 1)) < rest,
    }[mode]
    return low + up


def overflow_value(negative: bool, fmt: Format, mode: Rounding) -> Value:
    """What a finite number beyond max_finite becomes."""
    inward = (
        mode in (Rounding.TOWARD_ZERO, Rounding.TO_ODD)
        or (mode is Rounding.TOWARD_POSITIVE and negative)
        or (mode is Rounding.TOWARD_NEGATIVE and not negative)
    )
    if fmt.saturate or inward:
        return signed(negative, Fraction(fmt.max_finite))
    return signed(negative, INF) if fmt.has_infinity else NAN


def _round_special(x: float, fmt: Format) -> Result:
    """-0.0, an infinity or nan in a format that may not have it."""
    if math.isnan(x):
        return Result(nan_value(fmt))
    if math.isinf(x) and (fmt.saturate or not fmt.has_infinity):
        value = signed(x < 0, Fraction(fmt.max_finite)) if fmt.saturate else NAN
        return Result(value, frozenset({"overflow", "inexact"}))
    return Result(x)


def nan_value(fmt: Format) -> Value:
    """What NaN becomes in `fmt`: NaN, or the number with nan_code, or an error."""
    if fmt.has_nan:
        return NAN
    if fmt.nan_code is None:
        raise ValueError(
            f"x=nan: {fmt.name} has no NaN; choose a code for it with "
            f"dataclasses.replace({fmt.name.upper()}, nan_code=...)"
        )
    return decode(fmt.nan_code, fmt)


def round_result(x: Value, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after") -> Result:
    """Round the exact result of an operation; `tininess` ("after" or "before" rounding) defines underflow."""
    if isinstance(x, float):
        return _round_special(x, fmt)
    negative, magnitude = x < 0, abs(x)
    if magnitude == 0:
        return Result(x)
    q = quantum_exponent(magnitude, fmt)
    rounded = round_integer(magnitude / Fraction(2) ** q, mode, negative, draw) * Fraction(2) ** q
    if rounded > fmt.max_finite:
        return Result(overflow_value(negative, fmt, mode), frozenset({"overflow", "inexact"}))
    if rounded < fmt.min_normal and fmt.subnormals is not Subnormals.GRADUAL:
        rounded = Fraction(0)
    if rounded == magnitude:
        return Result(signed(negative, rounded))
    tiny = _is_tiny(magnitude, fmt, mode, negative, draw, tininess)
    return Result(signed(negative, rounded), frozenset({"inexact", "underflow"} if tiny else {"inexact"}))


def _is_tiny(magnitude: Fraction, fmt: Format, mode: Rounding, negative: bool, draw: int, tininess: str) -> bool:
    """Below min_normal before rounding, or after rounding to the same precision with no smallest exponent."""
    if magnitude >= fmt.min_normal or tininess == "before":
        return magnitude < fmt.min_normal
    q = exponent_of(magnitude) - fmt.trailing_bits
    return round_integer(magnitude / Fraction(2) ** q, mode, negative, draw) * Fraction(2) ** q < fmt.min_normal


def round_operand(x: Value, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after") -> Result:
    """Round what is given to an operation: like a result, but FLUSH_INPUTS zeroes it first."""
    small = isinstance(x, Fraction) and 0 < abs(x) < fmt.min_normal
    if small and fmt.subnormals is Subnormals.FLUSH_INPUTS:
        return Result(signed(x < 0, Fraction(0)), frozenset({"inexact", "underflow"}))
    return round_result(x, fmt, mode, draw, tininess)


def round_to(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None) -> Value:
    """Round once, from the exact value of `x`, by definition.

    Parameters
    ----------
    x : int, float, Fraction, Decimal or str
        A number.
    fmt, mode
        As everywhere; any format, also wider than binary64.
    rng : int, random.Random or numpy.random.Generator, optional
        Where the 32 bits of STOCHASTIC come from.

    Returns
    -------
    Fraction or float
        A Fraction, or a float for -0.0, the infinities and nan.

    Examples
    --------
    >>> round_to("0.1", "binary16")
    Fraction(819, 8192)
    >>> round_to("1.00048828125000000000001", "binary16")  # np.float16 of the same text says 1.0
    Fraction(1025, 1024)
    """
    mode = get_rounding(mode)
    return round_operand(as_exact(x), get_format(fmt), mode, draw_for(mode, rng)).value


def draw_for(mode: Rounding, rng: Any) -> int:
    """32 random bits for STOCHASTIC from a seed, a random.Random or a numpy.random.Generator; 0 for the other modes."""
    if mode is not Rounding.STOCHASTIC:
        return 0
    if hasattr(rng, "integers"):
        return int(rng.integers(0, 2**DRAW_BITS))
    if not hasattr(rng, "getrandbits"):
        import random  # loaded when wanted: with its hashes it takes longer than the rest of this package

        rng = random.Random(rng)
    return int(rng.getrandbits(DRAW_BITS))


# --- operations: exact, then rounded once ---------------------------------------------------------------------------

_INVALID = Result(NAN, frozenset({"invalid"}))


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
    total = Fraction(a) + Fraction(b)
    return Result(total if total else _zero_sum(is_negative(a), is_negative(b), mode))


def _subtract(mode: Rounding, a: Value, b: Value) -> Result:
    return _add(mode, a, -b if b or isinstance(b, float) else -0.0)


def _multiply(mode: Rounding, a: Value, b: Value) -> Result:
    negative = is_negative(a) != is_negative(b)
    if not (is_finite(a) and is_finite(b)):
        return Result(signed(negative, INF)) if a and b else _INVALID
    return Result(signed(negative, abs(Fraction(a) * Fraction(b))))


def _divide(mode: Rounding, a: Value, b: Value) -> Result:
    negative = is_negative(a) != is_negative(b)
    if (not is_finite(a) and not is_finite(b)) or (a == 0 and b == 0):
        return _INVALID
    if b == 0:
        return Result(signed(negative, INF), frozenset({"divide_by_zero"} if is_finite(a) else ()))
    if not is_finite(a):
        return Result(signed(negative, INF))
    return Result(signed(negative, abs(Fraction(a) / Fraction(b)) if is_finite(b) else Fraction(0)))


def _sqrt(mode: Rounding, a: Value) -> Result:
    if a < 0:
        return _INVALID
    if a == 0 or not is_finite(a):
        return Result(a)
    return Result(_sqrt_to_odd(Fraction(a)))


def _sqrt_to_odd(x: Fraction, bits: int = 320) -> Fraction:
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


OPERATIONS: dict[str, Callable[..., Result]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "sqrt": _sqrt,
    "fma": _fma,
    "ieee_remainder": _ieee_remainder,
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
    parts = [round_operand(as_exact(x), fmt, mode, draw_for(mode, rng), tininess) for x in operands]
    result = operate(operation, tuple(part.value for part in parts), fmt, mode, draw_for(mode, rng), tininess)
    return Result(result.value, result.flags.union(*(part.flags for part in parts)))


def operate(
    operation: str, operands: tuple[Any, ...], fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after"
) -> Result:
    """Value and flags of an operation on operands that `fmt` holds."""
    values = [as_exact(x) for x in operands]
    # A quiet NaN goes through; fma alone decides for itself, since infinity times zero is invalid whatever c is.
    if any(is_nan(v) for v in (values[:2] if operation == "fma" else values)):
        result = Result(NAN)
    else:
        result = OPERATIONS[operation](mode, *values)
    rounded = round_result(result.value, fmt, mode, draw, tininess)
    return Result(rounded.value, rounded.flags | result.flags)


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
    """The square root of a, rounded once from a value that decides every rounding up to 300 bits as the root does."""
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


# --- codes ----------------------------------------------------------------------------------------------------------


def encode(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None) -> int:
    """The code of `x`, rounded first where `fmt` does not hold it. NaN becomes the quiet NaN of payload 0.

    >>> hex(encode("0.1", "binary16")), hex(encode("-inf", "bfloat16"))
    ('0x2e66', '0xff80')
    """
    fmt = get_format(fmt)
    value = round_to(x, fmt, mode, rng=rng)
    top = (2**fmt.exponent_bits - 1) << fmt.trailing_bits
    if isinstance(value, float) and math.isnan(value):
        return top | (1 << (fmt.trailing_bits - 1)) if fmt.has_infinity else 2 ** (fmt.width - 1) - 1
    sign = is_negative(value) << (fmt.width - 1)
    if not is_finite(value):
        return sign | top
    magnitude = abs(Fraction(value))
    if magnitude == 0:
        return sign
    e = max(exponent_of(magnitude), fmt.emin)
    significand = int(magnitude / Fraction(2) ** (e - fmt.trailing_bits))
    # The implicit bit adds 1 to the exponent field of a normal number, and is absent from a subnormal.
    return sign | (((e - fmt.emin) << fmt.trailing_bits) + significand)


def decode(code: int, fmt: FormatLike = "binary16") -> Value:
    """The value with that code.

    >>> decode(0x3555, "binary16")
    Fraction(1365, 4096)
    """
    fmt = get_format(fmt)
    if not 0 <= code < 2**fmt.width:
        raise ValueError(f"code={code} is not a code of {fmt.name}; use 0 to {2**fmt.width - 1}")
    negative, magnitude = divmod(code, 2 ** (fmt.width - 1))
    field, trailing = divmod(magnitude, 2**fmt.trailing_bits)
    if fmt.specials is Specials.IEEE and field == 2**fmt.exponent_bits - 1:
        return NAN if trailing else signed(bool(negative), INF)
    if fmt.specials is Specials.NAN and magnitude == 2 ** (fmt.width - 1) - 1:
        return NAN
    significand = trailing + (2**fmt.trailing_bits if field else 0)
    return signed(bool(negative), Fraction(scaled(significand, max(field, 1) - fmt.bias - fmt.trailing_bits)))


def without_input_flush(fmt: Format) -> Format:
    """`fmt` as the results of operations see it: inputs were flushed when they came in."""
    return replace(fmt, subnormals=Subnormals.FLUSH_TO_ZERO) if fmt.subnormals is Subnormals.FLUSH_INPUTS else fmt
