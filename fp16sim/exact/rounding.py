"""Rounding by definition: lift to an integer, round it, put it back."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from ..formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding
from .codes import decode, encode_held
from .parsing import INF, NAN, Value
from .values import as_exact, exponent_of, exponent_of_ratio, is_nan, is_signaling, signed

FLAGS = ("invalid", "divide_by_zero", "overflow", "underflow", "inexact")
DRAW_BITS = 32


class Result(NamedTuple):
    """A rounded value and the names of the exceptions that it raised."""

    value: Value
    flags: frozenset[str] = frozenset()


def quantum_exponent(magnitude: Fraction, fmt: Format) -> int:
    """The exponent of the spacing of `fmt` around `magnitude`, as if there were no largest number."""
    return _quantum_exponent(exponent_of(magnitude), fmt)


def _quantum_exponent(e: int, fmt: Format) -> int:
    """The same in the binade from 2^e on."""
    if e >= fmt.emin:
        return e - fmt.trailing_bits
    if fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
        return fmt.emin  # below min_normal there is nothing but 0 and min_normal
    return fmt.quantum_exponent_min


def is_odd(low: int, q: int, fmt: Format) -> bool:
    """Whether the last bit of the code of low * 2^q is 1, for low < 2^precision and 2^q the quantum there.

    That is the last bit of the significand; with precision 1, of which no bit is stored, that of the exponent field,
    as in P3109. A format without zero has no field whose last bit says so: there the significand, 1, is odd.
    """
    stored = fmt.precision > 1 or not fmt.zero
    return low % 2 == 1 and (stored or (q - fmt.emin) % 2 == 0)


def round_integer(n: Fraction, mode: Rounding, negative: bool, draw: int = 0, odd: bool | None = None) -> int:
    """The integer that `mode` picks for n >= 0, the magnitude of a number with the given sign.

    `odd` says whether floor(n) counts as odd (`is_odd`); by default, whether it is.
    `draw`, of 32 random bits, decides for stochastic modes: `goes_up`.
    """
    low, rest = divmod(n.numerator, n.denominator)
    if rest == 0:
        return low
    return low + _picks_upper(rest, n.denominator, mode, negative, draw, low % 2 == 1 if odd is None else odd)


def _picks_upper(rest: int, whole: int, mode: Rounding, negative: bool, draw: int, odd: bool) -> bool:
    """Whether `mode` picks the upper neighbour of a magnitude that is rest / whole of an ulp above an integer."""
    if mode.random:
        return goes_up(Fraction(rest, whole), mode, draw)
    return _UPPER[mode](2 * rest - whole, negative, odd)


_UPPER: dict[Rounding, Callable[[int, bool, bool], bool]] = {
    Rounding.TIES_TO_EVEN: lambda beyond_half, negative, odd: beyond_half > 0 or (beyond_half == 0 and odd),
    Rounding.TIES_TO_AWAY: lambda beyond_half, negative, odd: beyond_half >= 0,
    Rounding.TOWARD_ZERO: lambda beyond_half, negative, odd: False,
    Rounding.TOWARD_POSITIVE: lambda beyond_half, negative, odd: not negative,
    Rounding.TOWARD_NEGATIVE: lambda beyond_half, negative, odd: negative,
    Rounding.TO_ODD: lambda beyond_half, negative, odd: not odd,
}


def goes_up(rest: Fraction, mode: Rounding, draw: int) -> bool:
    """Whether a stochastic mode rounds a fraction of an ulp up.

    STOCHASTIC does where (draw + 1/2) / 2^32 is below the fraction. With r random bits the fraction counts as
    `counted` 2^-r, and the first r bits of the draw decide: up where they, as an integer, are below it. In hardware
    that is the carry of an addition of the fraction's r bits and r random bits, the complement of these.
    """
    if mode.random_bits is None:
        return Fraction(2 * draw + 1, 2 ** (DRAW_BITS + 1)) < rest
    return draw >> (DRAW_BITS - mode.random_bits) < chance_of_up(rest, mode) * 2**mode.random_bits


def chance_of_up(rest: Fraction, mode: Rounding) -> Fraction:
    """The probability with which a stochastic mode rounds a fraction of an ulp up: its first r bits, or all of it.

    >>> [str(chance_of_up(Fraction(6, 32), Rounding(f"stochastic{bits}"))) for bits in ("", "_3", "_3_half")]
    ['3/16', '1/8', '1/4']
    """
    if mode.random_bits is None:
        return rest
    units = 2**mode.random_bits
    return Fraction(math.floor(rest * units + Fraction(int(mode.adds_half), 2)), units)


def _round_to_multiple(
    n: int, d: int, q: int, fmt: Format, mode: Rounding, negative: bool, draw: int
) -> tuple[int, bool]:
    """The integer k for which `mode` picks k * 2^q as the magnitude n / d; and whether that is n / d itself."""
    n, d = (n << -q, d) if q < 0 else (n, d << q)
    low, rest = divmod(n, d)
    if rest == 0:
        return low, True
    return low + _picks_upper(rest, d, mode, negative, draw, is_odd(low, q, fmt)), False


def _multiple(negative: bool, k: int, q: int) -> Value:
    """k * 2^q with a sign; keeps the sign of zero."""
    if k == 0:
        return -0.0 if negative else Fraction(0)
    n = -k if negative else k
    return Fraction(n << q) if q >= 0 else Fraction(n, 1 << -q)


def _is_subnormal(k: int, q: int, fmt: Format) -> bool:
    """Whether k * 2^q, with q <= emin, is less than min_normal = 2^emin."""
    return k < 1 << (fmt.emin - q)


def _is_beyond_max(k: int, q: int, fmt: Format) -> bool:
    """Whether k * 2^q is more than max_finite = max_significand * 2^(emax - trailing_bits)."""
    shift = q - (fmt.emax - fmt.trailing_bits)
    return k << shift > fmt.max_significand if shift >= 0 else k > fmt.max_significand << -shift


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
        return Result(nan_value(fmt), frozenset({"invalid"} if is_signaling(x) else ()))
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
    if not fmt.signed and not is_nan(x) and x < -fmt.max_finite:
        x = -Fraction(fmt.max_finite)  # a negative number, however large, is no overflow
    rounded = _round_result(x, fmt, mode, draw, tininess)
    return rounded if fmt.has_negative_zero else _without_sign_or_zero(rounded, fmt)


def _without_sign_or_zero(rounded: Result, fmt: Format) -> Result:
    """What a format stores that lacks -0, every negative number, or zero."""
    x = rounded.value
    if is_nan(x) or (x > 0) or (x < 0 and fmt.signed):
        return rounded
    if x == 0 and fmt.zero:
        return Result(Fraction(0), rounded.flags)
    if not fmt.saturate:
        return Result(NAN, frozenset({"invalid"}))
    return Result(Fraction(0 if fmt.zero else fmt.min_normal), frozenset({"overflow", "inexact"}))


def _round_result(x: Value, fmt: Format, mode: Rounding, draw: int, tininess: str) -> Result:
    if isinstance(x, float):
        return _round_special(x, fmt)
    n, d = x.numerator, x.denominator
    if n == 0:
        return Result(x)
    negative, n = n < 0, abs(n)
    e = exponent_of_ratio(n, d)
    q = _quantum_exponent(e, fmt)
    k, exact = _round_to_multiple(n, d, q, fmt, mode, negative, draw)
    if k == 0 and not fmt.zero:
        k = 1  # of the quantum there, which is min_normal
    if _is_beyond_max(k, q, fmt):
        return Result(overflow_value(negative, fmt, mode), _OVERFLOW)
    if fmt.subnormals is not Subnormals.GRADUAL and e < fmt.emin and _is_subnormal(k, q, fmt):
        k, exact = 0, False
    if exact:
        return Result(x)
    tiny = e < fmt.emin and (tininess == "before" or _is_tiny(n, d, e, fmt, mode, negative, draw))
    return Result(_multiple(negative, k, q), _UNDERFLOW if tiny else _INEXACT)


_INEXACT, _UNDERFLOW, _OVERFLOW = (frozenset({"inexact", *more}) for more in ((), ("underflow",), ("overflow",)))


def _is_tiny(n: int, d: int, e: int, fmt: Format, mode: Rounding, negative: bool, draw: int) -> bool:
    """Whether n / d, of the binade of 2^e, is below min_normal when rounded with no smallest exponent."""
    q = e - fmt.trailing_bits
    k, _ = _round_to_multiple(n, d, q, fmt, mode, negative, draw)
    return _is_subnormal(k, q, fmt)


def round_operand(x: Value, fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after") -> Result:
    """Round an operand: like a result, but FLUSH_INPUTS makes it zero first if it is small."""
    flushes = fmt.subnormals is Subnormals.FLUSH_INPUTS
    if flushes and isinstance(x, Fraction) and 0 < abs(x) < fmt.min_normal:
        flushed = Result(signed(x < 0, Fraction(0)), frozenset({"inexact", "underflow"}))
        return flushed if fmt.has_negative_zero else _without_sign_or_zero(flushed, fmt)
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


def encode(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Any = None) -> int:
    """The code of `x`, rounded first where `fmt` does not hold it. NaN becomes the quiet NaN of payload 0.

    >>> hex(encode("0.1", "binary16")), hex(encode("-inf", "bfloat16"))
    ('0x2e66', '0xff80')
    """
    fmt = get_format(fmt)
    return encode_held(round_to(x, fmt, mode, rng=rng), fmt)


def draw_for(mode: Rounding, rng: Any) -> int:
    """32 random bits for STOCHASTIC from a seed, a random.Random or a numpy.random.Generator; 0 for the other modes."""
    if not mode.random:
        return 0
    if hasattr(rng, "integers"):
        return int(rng.integers(0, 2**DRAW_BITS))
    if not hasattr(rng, "getrandbits"):
        import random  # loaded on demand: it loads hashes, and takes longer than the rest of this package

        rng = random.Random(operator.index(rng) if hasattr(rng, "__index__") else rng)
    return int(rng.getrandbits(DRAW_BITS))


def without_input_flush(fmt: Format) -> Format:
    """`fmt` for the results of operations, whose operands are flushed already."""
    return replace(fmt, subnormals=Subnormals.FLUSH_TO_ZERO) if fmt.subnormals is Subnormals.FLUSH_INPUTS else fmt
