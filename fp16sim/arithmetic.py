"""add, subtract, multiply, divide, sqrt, fma, ieee_remainder: an intermediate that loses nothing, then one rounding.

The intermediate is a float64, for formats of up to 24 bits of precision (all named ones up to binary32):

- a product of two 24-bit significands has 48 bits, and float64 holds 53: it is exact.
- a sum may need hundreds of bits. TwoSum gives s = fl(a + b) and the error e with s + e = a + b exactly. Where e is not
  zero and the last bit of s is 0, s moves one ulp toward e: this is a + b rounded *to odd* in 53 bits, and rounding
  that to at most 51 bits gives in every mode what rounding the exact sum gives (Boldo and Melquiond 2008).
- fma is such a sum, of the exact product and c.
- a quotient a / b differs from every number m of p + 1 bits that it does not equal by a relative 1 / (B M) >= 2^-49
  (with integer significands A, B < 2^24 and M < 2^25, |A 2^k - M B| is a nonzero integer). float64 errs by at most
  2^-53, so it never reaches or crosses m: values and midpoints of the format, where decisions change, are such m.
- a root: |x - m^2| is a nonzero integer where m^2 < 2^50, so sqrt(x) and m differ by a relative 2^-51 at least.
- a remainder has no more bits than its operands: it is exact, and so is each step of its computation.

The probability of a stochastic step is read off the bits that rounding drops. Of binary32 too few are left in float64,
so that case, and all formats that float64 does not hold with this margin, go through the exact layer. There is one
shortcut, for speed: ties to even by float32, where that is innocuous (`_by_float32`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from . import exact, kernels
from .flags import Tally, listening
from .formats import BINARY32, BINARY64, Format, FormatLike, Rounding, Specials, Subnormals, get_format, get_rounding
from .rounding import (
    Array,
    Seed,
    as_generator,
    carrier_for,
    check_hardware,
    lift,
    note_exact,
    round_array,
    round_to,
    same_format,
)

Generator: TypeAlias = "np.random.Generator | None"  # text, since evaluating it would load numpy.random

# --- exact, or to odd, in float64 -----------------------------------------------------------------------------------


def add_to_odd(a: Array, b: Array, mode: Rounding) -> Array:
    """a + b in float64, rounded to odd; `mode` matters for the sign of an exact zero only."""
    s = np.asarray(a + b)
    # Knuth's TwoSum, which needs no branch: exact unless something overflows, and nothing does (|a|, |b| < 2^600).
    part = s - a
    error = (a - (s - part)) + (b - part)
    bits = s.view(np.int64)
    # Toward the error is away from zero where both have one sign: one up in a sign-magnitude code, else one down.
    # An infinite or NaN sum has a NaN error, which compares false.
    step = np.where((error > 0) == (s > 0), 1, -1)
    odd = np.where((np.abs(error) > 0) & (bits & 1 == 0), bits + step, bits).view(np.float64)
    if mode is Rounding.TOWARD_NEGATIVE:
        # An exact zero from operands of unlike sign is -0 in this mode; the hardware, in ties to even, said +0.
        return np.where(s == 0, np.where(np.signbit(a) | np.signbit(b), -0.0, 0.0), odd)
    return odd


def _remainder(a: Array, b: Array) -> Array:
    # fmod(|a|, 2|b|) is exact, takes an even multiple of b away, and leaves r < 2|b|: then 0, 1 or 2 more times b,
    # the nearest, and at a tie the even number of times.
    y = np.abs(b)
    r = np.fmod(np.abs(a), 2 * y)
    r = np.where(2 * r > y, np.where(2 * r >= 3 * y, r - 2 * y, r - y), r)
    return np.where(r == 0, np.copysign(0.0, a), np.where(np.signbit(a), -r, r))


LIFTED: dict[str, Callable[..., Array]] = {
    "add": lambda mode, a, b: add_to_odd(a, b, mode),
    "subtract": lambda mode, a, b: add_to_odd(a, -b, mode),
    "multiply": lambda mode, a, b: a * b,
    "divide": lambda mode, a, b: a / b,
    "sqrt": lambda mode, a: np.sqrt(a),
    "fma": lambda mode, a, b, c: add_to_odd(a * b, c, mode),
    "ieee_remainder": lambda mode, a, b: _remainder(a, b),
}

# --- which intermediate will do -------------------------------------------------------------------------------------

_UFUNCS: dict[str, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "sqrt": np.sqrt,
}


@lru_cache(maxsize=256)
def float64_will_do(fmt: Format, mode: Rounding) -> bool:
    """Whether the derivations above hold: at most 24 bits, exponents far from float64's ends, bits left to draw by."""
    roomy = fmt.precision <= 24 and fmt.emax <= 480 and fmt.quantum_exponent_min >= -500
    return roomy and (mode is not Rounding.STOCHASTIC or fmt.precision + 33 <= BINARY64.precision)


@lru_cache(maxsize=256)
def hardware_for(fmt: Format, mode: Rounding) -> Any:
    """The dtype whose own operations, rounded to `fmt` once more, are ties-to-even right for `fmt`; or None.

    The dtype's own format, trivially. Narrower formats through float32 where 24 >= 2p + 2 (Figueroa), so p <= 11; near
    float32's own subnormals that needs an argument: a product of 2p bits that is above half of min_subnormal, where
    decisions are taken, must be exact, so its last bit must be 2^-149 or more: quantum_exponent_min - 2p >= -149. (A
    quotient stays a relative 2^-(2p + 1) away from those decisions, a sum is exact there.)
    """
    if mode is not Rounding.TIES_TO_EVEN or fmt.saturate or fmt.subnormals is not Subnormals.GRADUAL:
        return None
    if fmt in (BINARY32, BINARY64):
        return np.float32 if fmt == BINARY32 else np.float64
    narrow = fmt.precision <= 11 and fmt.quantum_exponent_min - 2 * fmt.precision >= -149
    if narrow and fmt.specials is Specials.IEEE and kernels.find(fmt, mode, "float32") is not None:
        return np.float32
    return None


def _by_hardware(name: str, operands: list[Array], fmt: Format, mode: Rounding) -> Array | None:
    """The result where nothing exceptional happens, fast; None where the clear path has to look."""
    dtype = hardware_for(fmt, mode)
    if dtype is None or name not in _UFUNCS:
        return None
    with np.errstate(all="ignore"):
        y = np.asarray(_UFUNCS[name](*(x.astype(dtype, copy=False) for x in operands)))
        if fmt not in (BINARY32, BINARY64):
            kernel = kernels.find(fmt, mode, "float32")
            assert kernel is not None
            flat = np.ascontiguousarray(y).reshape(-1)
            kernel(flat, flat)
            y = flat.reshape(y.shape)
    return y


# --- one operation --------------------------------------------------------------------------------------------------


def operate(
    name: str,
    operands: list[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Any,
    label: str | None = None,
) -> Array:
    """An operation on arrays whose values `fmt` holds, flags reported as those of `label`; the result in `carrier`."""
    listeners = listening()
    if not ({"inexact", "underflow"} & listeners.names):
        y = _by_hardware(name, operands, fmt, mode)
        # A finite result has raised neither invalid, nor divide_by_zero, nor (in ties to even) overflow.
        if y is not None and (not listeners.names or np.isfinite(y).all()):
            return y.astype(carrier, copy=False)
    tally = Tally(listeners)
    if not float64_will_do(fmt, mode):
        return _operate_exactly(name, operands, fmt, mode, rng, carrier, tally, label or name)
    with np.errstate(all="ignore"):
        wide = [x.astype(np.float64, copy=False) for x in operands]
        lifted = np.asarray(LIFTED[name](mode, *wide))
    _note_invalid(tally, name, wide, lifted)
    out = np.empty(lifted.shape, carrier)
    return round_array(lifted, exact.without_input_flush(fmt), mode, rng, out=out, operation=label or name, tally=tally)


def _note_invalid(tally: Tally, name: str, operands: list[Array], lifted: Array) -> None:
    """invalid: a NaN that no operand brought, or zero times infinity in any fma; divide_by_zero: x / 0 for finite x."""
    if not tally.wants("invalid", "divide_by_zero"):
        return
    born = np.isnan(lifted)
    for x in operands[:2] if name == "fma" else operands:
        born = born & ~np.isnan(x)
    if name == "fma" and born.any():
        a, b, c = operands
        with np.errstate(all="ignore"):
            born = born & (np.isnan(a * b) | ~np.isnan(c))
    tally.note("invalid", born.reshape(-1))
    if name == "divide":
        a, b = operands
        tally.note("divide_by_zero", ((b == 0) & np.isfinite(a) & (a != 0)).reshape(-1))


def _operate_exactly(
    name: str,
    operands: list[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Any,
    tally: Tally,
    label: str,
) -> Array:
    """Element by element in the exact layer."""
    arrays = np.broadcast_arrays(*operands)
    out = np.empty(arrays[0].shape, carrier)
    draws = np.zeros(out.size, np.uint32) if rng is None else rng.integers(0, 2**32, out.size, dtype=np.uint32)
    for i, (items, draw) in enumerate(zip(zip(*(a.flat for a in arrays), strict=True), draws, strict=True)):
        for tininess in sorted(tally.listeners.tininess):
            result = exact.operate(name, items, fmt, mode, int(draw), tininess)
            note_exact(tally, result, i, tininess)
            out.flat[i] = result.value
    tally.report(label, out.shape)
    return out


def _operation(name: str, values: tuple[Any, ...], fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Any:
    """Round the operands to the format where it does not hold them, compute, round once."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    sources = [lift(same_format(x, fmt)) for x in values]
    arrays = [s for s, x in zip(sources, values, strict=True) if not isinstance(x, (bool, int, float))]
    carrier = carrier_for(fmt, *(arrays or sources))
    generator = as_generator(mode, rng)
    operands = [np.asarray(round_to(s, fmt, mode, rng=generator)) for s in sources]
    shape = _broadcast_shape(name, operands)
    return operate(name, operands, fmt, mode, generator, carrier).reshape(shape)[()]


def _broadcast_shape(name: str, operands: list[Array]) -> tuple[int, ...]:
    shapes = [x.shape for x in operands]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(map(str, shapes))
        raise ValueError(
            f"{name}: operands of shapes {listed} do not broadcast together; make their trailing dimensions equal or 1"
        ) from None


# --- the public functions -------------------------------------------------------------------------------------------


def add(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a + b, correctly rounded once, in every mode.

    Parameters
    ----------
    a, b : array_like
        Anything that `round_to` takes; they broadcast. Operands that `fmt` does not hold are first rounded to it, in
        the same mode (recorded flags count that under "round_to").
    fmt : Format, str or dtype
    mode : Rounding or str
        Sets the sign of an exact zero, too: x - x is +0, but -0 toward negative.
    rng : int or numpy.random.Generator, optional
        For "stochastic", as in `round_to`.

    Returns
    -------
    ndarray or scalar
        float32 if all arrays are float32 and the format fits in it, else float64.

    Raises
    ------
    ValueError, TypeError
        As `round_to` does, and for shapes that do not broadcast.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.add(2048, 1, "binary16"), fs.add(1, "1p-60", "bfloat16", "toward_positive")
    (np.float64(2048.0), np.float64(1.0078125))
    """
    return _operation("add", (a, b), fmt, mode, rng)


def subtract(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a - b, correctly rounded once, in every mode; parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.subtract(1, "0.9995", "binary16")
    np.float64(0.00048828125)
    """
    return _operation("subtract", (a, b), fmt, mode, rng)


def multiply(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a * b, correctly rounded once, in every mode; parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.multiply([0.1, 300.0], [0.1, 200.0], "binary16")
    array([9.99450684e-03, 6.00000000e+04])
    """
    return _operation("multiply", (a, b), fmt, mode, rng)


def divide(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a / b, correctly rounded once, in every mode; parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.divide(1, 3, "binary16"), fs.divide(1, 3, "binary16", "toward_positive")
    (np.float64(0.333251953125), np.float64(0.33349609375))
    """
    return _operation("divide", (a, b), fmt, mode, rng)


def sqrt(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The square root, correctly rounded once, in every mode; sqrt(-0) is -0. Parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.sqrt([2.0, -0.0], "bfloat16")
    array([ 1.4140625, -0.       ])
    """
    return _operation("sqrt", (x,), fmt, mode, rng)


def fma(
    a: Any, b: Any, c: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a * b + c with a single rounding, correct in every mode; parameters as for `add`.

    Infinity times zero is invalid whatever c is, a NaN included.

    >>> import fp16sim as fs
    >>> fs.fma(3, 683, 2.0**-24, "binary16")  # float32 in between would say 2048
    np.float64(2050.0)
    """
    return _operation("fma", (a, b, c), fmt, mode, rng)


def ieee_remainder(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a - n * b for the integer n nearest to a / b, ties to even: exact. Parameters as for `add`.

    A zero result has the sign of a.

    >>> import fp16sim as fs
    >>> fs.ieee_remainder([5.0, 7.0, -6.0], 2.0, "binary16")
    array([ 1., -1., -0.])
    """
    return _operation("ieee_remainder", (a, b), fmt, mode, rng)
