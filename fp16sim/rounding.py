"""round_to: the one thing that rounds.

Lift to an integer, round the integer, put it back: x = n * 2^q, where 2^q is the quantum of x's binade in the format;
the mode turns n into an integer k; the result is k * 2^q. NumPy's float64 does this without an error: scaling by a
power of two is exact, and k needs no more than precision + 1 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import exact, flags, kernels
from .formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding, with_behaviour
from .lifting import Array, Generator, Seed, as_generator, carrier_for, check_hardware, checked_out, lift, same_format

PIECE = 1 << 14
"""Elements worked on at a time: the temporaries of a piece stay in the processor's cache."""

# --- the integer step, by mode --------------------------------------------------------------------------------------
# Each takes n (float64, of any size below 2^54) and 32 random bits for each element (STOCHASTIC only).


def _ties_to_away(n: Array, draws: Array | None) -> Array:
    # n - trunc(n) is exact and below 1; twice that is 1 or more from the tie on. (floor(n + 0.5) rounds n + 0.5 first.)
    whole = np.trunc(n)
    return whole + np.trunc(2 * (n - whole))


def _to_odd(n: Array, draws: Array | None) -> Array:
    # Between 2j and 2j + 2 the odd integer is 2j + 1; integers stay.
    return np.where(n == np.trunc(n), n, 2 * np.floor(n / 2) + 1)


def _stochastic(n: Array, draws: Array | None) -> Array:
    # On magnitudes, where the fraction of a tiny n is n itself, not 1 - tiny. Up where (draw + 1/2) / 2^32 < fraction.
    assert draws is not None
    magnitude = np.abs(n)
    whole = np.floor(magnitude)
    return np.copysign(whole + (draws + 0.5 < (magnitude - whole) * 2.0**32), n)


ROUND_INTEGER: dict[Rounding, Callable[[Array, Array | None], Array]] = {
    Rounding.TIES_TO_EVEN: lambda n, draws: np.rint(n),
    Rounding.TIES_TO_AWAY: _ties_to_away,
    Rounding.TOWARD_ZERO: lambda n, draws: np.trunc(n),
    Rounding.TOWARD_POSITIVE: lambda n, draws: np.ceil(n),
    Rounding.TOWARD_NEGATIVE: lambda n, draws: np.floor(n),
    Rounding.TO_ODD: _to_odd,
    Rounding.STOCHASTIC: _stochastic,
}

# The modes in which a positive, and a negative, number beyond max_finite becomes max_finite and not infinity.
_INWARD = {
    False: (Rounding.TOWARD_ZERO, Rounding.TO_ODD, Rounding.TOWARD_NEGATIVE),
    True: (Rounding.TOWARD_ZERO, Rounding.TO_ODD, Rounding.TOWARD_POSITIVE),
}

# --- the general path -----------------------------------------------------------------------------------------------


def exponent(x: Array) -> Array:
    """floor(log2(|x|)) of finite nonzero elements, without the error of a logarithm."""
    return np.frexp(x)[1] - 1


def _round_to_quantum(x: Array, fmt: Format, mode: Rounding, draws: Array | None, bounded: bool = True) -> Array:
    """x rounded as if there were no largest number and, if not `bounded`, no smallest normal one either."""
    e = exponent(x)
    q = (np.maximum(e, fmt.emin) if bounded else e) - fmt.trailing_bits
    if bounded and fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
        q = np.where(e < fmt.emin, fmt.emin, q)  # below min_normal the only multiples kept are 0 and min_normal
    return np.ldexp(ROUND_INTEGER[mode](np.ldexp(x, -q), draws), q)


def _overflowed(negative: bool, fmt: Format, mode: Rounding) -> float:
    if fmt.saturate or mode in _INWARD[negative]:
        return float(fmt.max_finite)
    return np.inf if fmt.has_infinity else np.nan


def round_piece(x: Array, fmt: Format, mode: Rounding, draws: Array | None = None) -> Array:
    """The general path: float64 in, float64 out, for every format that binary64 holds and every mode."""
    with np.errstate(all="ignore"):
        y = np.abs(_round_to_quantum(x, fmt, mode, draws))
        beyond = np.where(x < 0, _overflowed(True, fmt, mode), _overflowed(False, fmt, mode))
        y = np.where(y > fmt.max_finite, beyond, y)
        if fmt.subnormals is not Subnormals.GRADUAL:
            y = np.where(y < fmt.min_normal, 0.0, y)
        if not np.isfinite(x).all():
            y = _put_specials(x, y, fmt)
        return np.copysign(y, x)


def _put_specials(x: Array, y: Array, fmt: Format) -> Array:
    """NaN stays NaN, payload and all; infinity is no overflow: it stays, saturates, or is NaN where there is none."""
    infinity = float(fmt.max_finite) if fmt.saturate else np.inf if fmt.has_infinity else np.nan
    y = np.where(np.isinf(x), infinity, y)
    nan = np.isnan(x)
    if not fmt.has_nan and nan.any():
        value = float(exact.nan_value(fmt))
        x[nan] = value  # so that the sign comes from the code that was asked for
        return np.where(nan, abs(value), y)
    return np.where(nan, x, y)


def _note_flags(
    tally: flags.Tally, x: Array, y: Array, fmt: Format, mode: Rounding, draws: Array | None, offset: int
) -> None:
    """Which exceptions the step from x, exact, to y raises."""
    with np.errstate(all="ignore"):
        changed = (x != y) & ~np.isnan(x)
        if not changed.any():
            return
        tally.note("inexact", changed, offset)
        beyond = np.abs(_round_to_quantum(x, fmt, mode, draws)) > fmt.max_finite
        tally.note("overflow", changed & np.where(np.isfinite(x), beyond, np.isinf(x)), offset)
        if tally.wants("underflow"):
            small = changed & (np.abs(x) < fmt.min_normal)
            if "before" in tally.listeners.tininess:
                tally.note("underflow", small, offset, "before")
            unbounded = np.abs(_round_to_quantum(x, fmt, mode, draws, bounded=False))
            tally.note("underflow", small & (unbounded < fmt.min_normal), offset, "after")


def round_array(
    x: Array,
    fmt: Format,
    mode: Rounding,
    rng: Generator = None,
    *,
    out: Array,
    operation: str = "round_to",
    tally: flags.Tally | None = None,
) -> Array:
    """Round a float32 or float64 array into `out`, piece by piece in C order, and report the flags of `operation`."""
    tally = flags.Tally(flags.listening()) if tally is None else tally
    kernel = kernels.find(fmt, mode, np.result_type(x, out).name)
    carrier = np.float32 if kernel else np.float64
    exhaustive = tally.wants("inexact", "underflow")
    offset = 0
    pieces = np.nditer(
        [x, out],
        flags=["external_loop", "buffered", "zerosize_ok", "copy_if_overlap"],
        op_flags=[["readonly", "overlap_assume_elementwise"], ["writeonly", "overlap_assume_elementwise"]],
        op_dtypes=[carrier, carrier],
        casting="same_kind",
        order="C",
        buffersize=PIECE,
    )
    with pieces, np.errstate(all="ignore"):  # no hardware flags, such as that of a signaling NaN that is cast
        for source, target in pieces:
            draws = None
            if mode is Rounding.STOCHASTIC:
                assert rng is not None
                draws = rng.integers(0, 2**32, source.size, dtype=np.uint32)
            # Only what is above max_finite can overflow; NaN makes the comparison false, and is looked at closely.
            noting = exhaustive or (tally.wants("overflow") and not _all_within(source, fmt))
            before = source.astype(np.float64) if noting else None
            if kernel:
                kernel(source, target)
            else:
                # A copy, since rounding reads the source after it has written to it where both are one array.
                target[...] = round_piece(source.copy(), fmt, mode, draws)
            if before is not None:
                _note_flags(tally, before, target.astype(np.float64), fmt, mode, draws, offset)
            offset += source.size
    tally.report(operation, out.shape)
    return out


def _all_within(x: Array, fmt: Format) -> bool:
    if not x.size:
        return True
    bound = float(fmt.max_finite)
    return bool(np.maximum.reduce(x) <= bound and np.minimum.reduce(x) >= -bound)


# --- numbers that float64 does not hold ---------------------------------------------------------------------------


def _round_objects(x: Array, fmt: Format, mode: Rounding, rng: Generator, out: Array, operation: str) -> Array:
    """Element by element in the exact layer: for numbers that float64 does not hold."""
    tally = flags.Tally(flags.listening())
    draws = rng.integers(0, 2**32, x.size, dtype=np.uint32) if rng is not None else np.zeros(x.size, np.uint32)
    values = np.empty(x.size, np.float64)
    for i, (item, draw) in enumerate(zip(x.flat, draws, strict=True)):
        result = exact.round_operand(exact.as_exact(item), fmt, mode, int(draw))
        values[i] = result.value
        note_exact(tally, result, i)
        if "before" in tally.listeners.tininess:
            before = exact.round_operand(exact.as_exact(item), fmt, mode, int(draw), "before")
            note_exact(tally, before, i, "before")
    out[...] = values.reshape(x.shape)
    tally.report(operation, out.shape)
    return out


def note_exact(tally: flags.Tally, result: exact.Result, index: int, tininess: str = "after") -> None:
    """Add the flags of one result of the exact layer; with "before" its underflow alone."""
    for name in sorted(result.flags):
        if name == "underflow":
            tally.merge((name, tininess), flags.Event(1, index))
        elif tininess == "after":
            tally.merge((name, ""), flags.Event(1, index))


# --- the public function --------------------------------------------------------------------------------------------


def round_to(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    saturate: bool | None = None,
    subnormals: Subnormals | str | None = None,
    out: Array | None = None,
) -> Any:
    """Round to a format, once, from the exact value: correctly rounded for every input, format and mode.

    Parameters
    ----------
    x : array_like
        float16, float32, float64, longdouble, integer or boolean arrays; Python ints of any size, Fraction, Decimal
        and strings such as "0.1", "1/3", "0x1.8p3", "1p-24", "inf"; nested lists of them.
    fmt : Format, str or dtype
        Any format that binary64 holds.
    mode : Rounding or str
        The default is ties_to_even. In "stochastic" the probability of going up is the fraction of the distance
        covered, to 32 bits, also below min_subnormal; beyond max_finite the same holds for the step to 2^(emax + 1),
        which is an overflow: it gives infinity (max_finite if saturating, NaN where there is no infinity).
    rng : int or numpy.random.Generator, optional
        For "stochastic": a seed, a generator (which advances by 32 bits an element, in C order), or None for fresh
        entropy.
    saturate, subnormals : optional
        Override the format's own behaviour: whether anything beyond max_finite, infinity included, becomes max_finite;
        and "gradual", "flush_to_zero", "flush_to_nearest" or "flush_inputs".
    out : ndarray, optional
        Where to write: of the shape of x, float32 or float64, able to hold fmt; may be x itself.

    Returns
    -------
    ndarray or scalar
        float32 for float32 input where the format fits in it, else float64; a scalar for a scalar. `out` if given.

    Raises
    ------
    ValueError
        For an unknown format or mode, a text that is no number, a format wider than binary64, NaN in a format without
        NaN and without `nan_code`, or an unsuitable `out`.
    TypeError
        For what is not a real number.
    RuntimeError
        If the processor is set to flush subnormals to zero.

    Notes
    -----
    IEEE 754-2019, section 4.3; round to odd after Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums:
    proved algorithms using rounding to odd" (2008).

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.round_to(0.1, "binary16")
    np.float64(0.0999755859375)
    >>> fs.round_to(["1/3", 2**70 + 1, "1p-24"], "bfloat16", "toward_positive")
    array([3.33984375e-01, 1.18981499e+21, 5.96046448e-08])
    """
    fmt, mode = with_behaviour(get_format(fmt), saturate, subnormals), get_rounding(mode)
    check_hardware()
    source = lift(same_format(x, fmt))
    carrier = carrier_for(fmt, source)
    target = np.empty(source.shape, carrier) if out is None else checked_out(out, source, fmt)
    generator = as_generator(mode, rng)
    if fmt.subnormals is Subnormals.FLUSH_INPUTS and source.dtype != object:
        return _flush_inputs_then_round(source, fmt, mode, generator, target)[() if out is None else ...]
    if source.dtype == object:
        _round_objects(source, fmt, mode, generator, target, "round_to")
    else:
        round_array(source, fmt, mode, generator, out=target)
    return target[()] if out is None else out


def _flush_inputs_then_round(x: Array, fmt: Format, mode: Rounding, rng: Generator, out: Array) -> Array:
    tally = flags.Tally(flags.listening())
    small = (np.abs(x) < fmt.min_normal) & (x != 0)
    for name, tininess in (("inexact", ""), ("underflow", "after"), ("underflow", "before")):
        tally.note(name, small.reshape(-1), 0, tininess)
    return round_array(np.where(small, np.copysign(x.dtype.type(0), x), x), fmt, mode, rng, out=out, tally=tally)
