"""To integers, and by powers of two: round_to_integral, to_integer, scale_b, frexp, modf.

float64 computes all of them exactly, for every format whose numbers it holds, except scale_b where the exponents of the
format come near its own. What is left to round is a result that the format lacks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..conversion import Array, Carrier, Generator, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from ..exact import as_exact
from ..exact.integers import IntegerType, integer_type, scaled_result
from ..flags import StepTally, Tally, current_listeners
from ..formats import BINARY64, Format, FormatLike, Rounding, as_integer, get_format, get_rounding
from ..nans import quieted
from ..rounding import round_operand
from ..rounding.exact_numbers import note_exact
from ..rounding.random_bits import draws_from
from ..rounding.reference import round_integer
from .operations import broadcast_shape, round_exact


class Operand(NamedTuple):
    """A number of the format, and what the result is rounded to."""

    x: Array
    fmt: Format
    mode: Rounding
    rng: Generator
    carrier: Carrier

    def rounded(self, name: str, y: Array, *operands: Array) -> Array:
        """An exact result of these operands, rounded if the format lacks it."""
        return round_exact(name, y, operands, self.fmt, self.mode, self.rng, self.carrier)


def _start(x: Any, fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Operand:
    """Round the operand to the format where needed."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    source = lift(same_format(x, fmt))
    carrier, generator = carrier_for(fmt, source), as_generator(mode, rng)
    return Operand(round_operand(source, fmt, mode, generator), fmt, mode, generator, carrier)


# --- integers ---------------------------------------------------------------------------------------------------------


_NUMPY: dict[Rounding, np.ufunc] = {
    Rounding.TIES_TO_EVEN: np.rint,
    Rounding.TOWARD_ZERO: np.trunc,
    Rounding.TOWARD_POSITIVE: np.ceil,
    Rounding.TOWARD_NEGATIVE: np.floor,
}
"""These keep the sign of what becomes zero, infinities and NaNs."""


def integral(x: Array, mode: Rounding, rng: Generator = None) -> Array:
    """Numbers rounded to integers in the direction of `mode`; zeros keep their sign, infinities and NaNs stay."""
    if mode in _NUMPY:
        with np.errstate(all="ignore"):
            return np.asarray(_NUMPY[mode](x))
    finite = np.isfinite(x)
    draws = None if rng is None else draws_from(rng)(x.size).reshape(x.shape)
    k = round_integer(np.where(finite, x, x.dtype.type(0)), mode, draws)
    return np.where(finite, np.copysign(k, x), x)


def round_to_integral(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    exact: bool = False,
    rng: Seed = None,
) -> Any:
    """x rounded to an integer in the direction of `mode`, and still a number of the format: exact in every mode.

    Only an integer beyond max_finite is not exact: 7.5 in e2m3fn toward positive. It overflows as any result does.

    Parameters
    ----------
    x : array_like
        Anything that `round_to` takes; a number that `fmt` does not hold is first rounded to it, in the same mode.
    fmt : Format, str or dtype
    mode : Rounding or str
        "toward_negative" is floor, "toward_positive" ceil, "toward_zero" trunc.
    exact : bool
        Whether a result that differs from x raises inexact. False: as IEEE 754's roundToIntegralTiesToEven and its
        sisters (2019, section 5.9), and C's `nearbyint`. True: as roundToIntegralExact, and C's `rint`.
    rng : int or numpy.random.Generator, optional
        For "stochastic", which goes up with the probability of the fraction.

    Returns
    -------
    ndarray or scalar
        Zeros keep their sign, and so do numbers that become zero; infinities and NaN stay.

    Raises
    ------
    ValueError, TypeError
        As `round_to` does.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.round_to_integral([2.5, -0.5, 1e4], "binary16")
    array([ 2.e+00, -0.e+00,  1.e+04])
    >>> fs.round_to_integral([2.5, -0.5], "binary16", "toward_positive")
    array([ 3., -0.])
    >>> with fs.record_flags() as raised:
    ...     _ = fs.round_to_integral(2.5, "binary16"), fs.round_to_integral(3.5, "binary16", exact=True)
    >>> raised.inexact.count
    1
    """
    operand = _start(x, fmt, mode, rng)
    x, fmt, mode, _, carrier = operand
    k = integral(x, mode, operand.rng)
    tally = Tally(current_listeners())
    if exact and tally.wants("inexact"):  # an overflow raises it in any case
        tally.note("inexact", ((k != x) & (np.abs(k) <= fmt.max_finite)).reshape(-1))
    # An integer beyond max_finite is the next multiple of the quantum, or more: it needs no random number.
    final = Rounding.TIES_TO_EVEN if mode.random else mode
    return round_exact("round_to_integral", k, [x], fmt, final, None, carrier, tally)[()]


def to_integer(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    width: int = 32,
    signed: bool = True,
    *,
    exact: bool = False,
    invalid: str = "arm",
    rng: Seed = None,
) -> Any:
    """x rounded to an integer of `width` bits: exact in every mode. What has no such integer raises invalid.

    This is IEEE 754's convertToInteger (2019, section 5.8). The cast of C, `(int) x`, is mode="toward_zero".

    Parameters
    ----------
    x, fmt, mode, rng
        As for `round_to_integral`. To convert a number that is of no narrower format, use fmt="binary64".
    width : int
        Bits of the integer: 1 to 64.
    signed : bool
        Two's complement, or only integers that are not negative.
    exact : bool
        Whether a result that differs from x raises inexact: IEEE 754's convertToIntegerExact... forms.
    invalid : {"arm", "riscv", "x86"}
        What NaN, an infinity or a number out of range gives, apart from the flag invalid; by the processors that do so.
        "arm": NaN gives 0, others the nearest integer of the type (also Rust's `as` and WebAssembly's trunc_sat).
        "riscv": the same, but NaN gives the largest integer. "x86": all give one integer, the smallest if signed
        (0x80000000 in 32 bits), and the largest if not.

    Returns
    -------
    ndarray or scalar of integers
        Of the narrowest dtype of NumPy that has `width` bits.

    Raises
    ------
    ValueError, TypeError
        As `round_to` does, and for a width, or a name of `invalid`, that does not exist.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.to_integer([2.5, -2.5, 3.5], "binary16")
    array([ 2, -2,  4], dtype=int32)
    >>> with fs.record_flags() as raised, np.errstate(invalid="ignore"):
    ...     y = fs.to_integer([2.5, 300.0, float("nan")], "binary16", "toward_zero", 8)
    >>> y, raised.invalid.count
    (array([  2, 127,   0], dtype=int8), 2)
    """
    kind = integer_type(width, signed, invalid, 64)
    operand = _start(x, fmt, mode, rng)
    x = operand.x
    k = integral(x, operand.mode, operand.rng)
    # Both bounds are powers of two, or 0, which float64 holds; greatest itself has up to 64 bits.
    valid = (k >= float(kind.least)) & (k < float(kind.greatest + 1))
    tally = Tally(current_listeners())
    tally.note("invalid", ~valid.reshape(-1))
    if exact:
        tally.note("inexact", (valid & (k != x)).reshape(-1))
    tally.report("to_integer", k.shape)
    if valid.all():
        return k.astype(_dtype(kind))[()]
    return np.where(valid, np.where(valid, k, 0).astype(_dtype(kind)), _invalid(x, kind))[()]


def _dtype(kind: IntegerType) -> np.dtype[Any]:
    return np.dtype(f"{'i' if kind.signed else 'u'}{next(n for n in (1, 2, 4, 8) if 8 * n >= kind.width)}")


def _invalid(x: Array, kind: IntegerType) -> Array:
    """What each number gives if it has no integer of this type."""
    nan, low, high = (np.array(kind.invalid_result(v), _dtype(kind)) for v in (np.nan, -np.inf, np.inf))
    return np.where(np.isnan(x), nan, np.where(x < 0, low, high))


# --- powers of two ----------------------------------------------------------------------------------------------------


def scale_b(
    x: Any,
    n: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
) -> Any:
    """x * 2^n for integers n, correctly rounded once in every mode: exact, but where it overflows or is subnormal.

    IEEE 754's scaleB (2019, section 5.3.3), C's `scalbn` and `ldexp`. 2^n need not be a number of the format.

    Parameters
    ----------
    x, fmt, mode, rng
        As for `add`.
    n : int or array_like of int
        Of any size; it broadcasts with x.

    Returns
    -------
    ndarray or scalar

    Raises
    ------
    ValueError, TypeError
        As `round_to` does, and for an n that is no integer.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.scale_b(1.5, [3, -24, 15], "binary16", "toward_zero")
    array([1.20000000e+01, 5.96046448e-08, 4.91520000e+04])
    """
    return scaled(_start(x, fmt, mode, rng), n)[()]


def scaled(operand: Operand, n: Any) -> Array:
    """`scale_b` of values of the format."""
    x, fmt, powers = operand.x, operand.fmt, _powers(n)
    shape = broadcast_shape("scale_b", [x, powers])
    # 40 bits beyond either end of the format, nothing changes any more, not even a probability.
    far = fmt.emax - fmt.quantum_exponent_min + 40
    with np.errstate(all="ignore"):
        y = np.ldexp(x.astype(np.float64), np.clip(powers, -far, far).astype(np.int32))
    if fmt.emax + far > BINARY64.emax or fmt.quantum_exponent_min - far < BINARY64.quantum_exponent_min:
        # Where binary64 has a normal number, ldexp committed no error.
        inexact = (x != 0) & np.isfinite(x) & (np.isinf(y) | (np.abs(y) <= BINARY64.min_normal))
        if inexact.any():
            return _scaled_exactly(operand, np.broadcast_to(x, shape), np.broadcast_to(powers, shape))
    return operand.rounded("scale_b", y, np.broadcast_to(x, shape))


_MOST = 1 << 17  # a number of any format, times this power of two, is beyond every format


def _powers(n: Any) -> Array:
    """Integers as an array of int64, those of no further effect cut to a limit."""
    powers = np.asarray(n)
    if powers.dtype.kind in "iu" or not powers.size:
        return np.clip(powers.astype(np.float64), -_MOST, _MOST).astype(np.int64)
    checked = [as_integer("n", item, "give the power of two, such as -3") for item in np.asarray(n, object).flat]
    return np.array([max(-_MOST, min(_MOST, item)) for item in checked]).reshape(powers.shape)


def _scaled_exactly(operand: Operand, x: Array, powers: Array) -> Array:
    """The same, element by element in the exact layer."""
    tally, out = Tally(current_listeners()), np.empty(x.shape, operand.carrier)
    draws = np.zeros(x.size, np.uint32) if operand.rng is None else draws_from(operand.rng)(x.size)
    for i, (item, n, draw) in enumerate(zip(x.flat, powers.flat, draws, strict=True)):
        for tininess in sorted(tally.listeners.tininess):
            result = scaled_result(as_exact(item), int(n), operand.fmt, operand.mode, int(draw), tininess)
            note_exact(tally, result, i, tininess)
            out.flat[i] = result.value
    tally.report("scale_b", out.shape)
    return out


def frexp(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> tuple[Any, Any]:
    """The fraction in [1/2, 1), with the sign of x, and the integer exponent: x = fraction * 2^exponent, exactly.

    Only a format without numbers of full precision below 1, such as e2m1fn and e2m3fn, may lack the fraction, which is
    then rounded once. Zeros, infinities and NaN are their own fraction, with exponent 0. Parameters as for `add`.

    Returns
    -------
    fraction : ndarray or scalar
        A number of the format.
    exponent : ndarray or scalar of int32

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.frexp([12.0, -0.1, 2.0**-24], "binary16")
    (array([ 0.75      , -0.79980469,  0.5       ]), array([  4,  -3, -23], dtype=int32))
    """
    fraction, e = split_at_exponent(_start(x, fmt, mode, rng))
    return fraction[()], e[()]


def split_at_exponent(operand: Operand) -> tuple[Array, Array]:
    """`frexp` of values of the format."""
    x = operand.x
    finite = np.isfinite(x)
    fraction, e = np.frexp(np.where(finite, x, x.dtype.type(0)))
    return operand.rounded("frexp", np.where(finite, fraction, x), x), np.asarray(e, np.int32)


def modf(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> tuple[Any, Any]:
    """The fraction and the integer that add up to x, both with the sign of x: exact.

    Only a format that flushes subnormals may lose a fraction. Those of an infinity are 0 and the infinity. The order is
    that of NumPy and C. Parameters as for `add`.

    Returns
    -------
    fraction, integer : ndarray or scalar
        Numbers of the format.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.modf([2.25, -3.0, float("inf")], "binary16")
    (array([ 0.25, -0.  ,  0.  ]), array([ 2., -3., inf]))
    """
    fraction, whole = split_at_point(_start(x, fmt, mode, rng))
    return fraction[()], whole[()]


def split_at_point(operand: Operand) -> tuple[Array, Array]:
    """`modf` of values of the format."""
    x, fmt, mode, rng, carrier = operand
    tally = StepTally(current_listeners())  # which reports the exceptions of both at the end
    with np.errstate(all="ignore"):
        fraction, whole = np.modf(x)
    fraction = round_exact("modf", fraction, [x], fmt, mode, rng, carrier, tally)
    # The integer needs no random number, and a signaling NaN is counted once.
    whole = round_exact("modf", whole, [quieted(x)], fmt, Rounding.TOWARD_ZERO, None, carrier, tally)
    tally.finish("modf", x.shape)
    return fraction, whole
