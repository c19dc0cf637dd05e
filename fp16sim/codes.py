"""Codes: the integers as which a format stores its values, and what can be read from them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from .conversion import Array, Seed, array_of_objects, check_fits, lift, same_format
from .formats import (
    BINARY64,
    Format,
    FormatLike,
    Rounding,
    as_integer,
    get_format,
    get_rounding,
    not_a_code,
    quoted,
    with_behaviour,
)
from .nans import has_nan, widened
from .rounding import exponent, round_to


class FloatClass(StrEnum):
    """The ten classes of IEEE 754-2019, section 5.7.2, in its spelling."""

    SIGNALING_NAN = "signalingNaN"
    QUIET_NAN = "quietNaN"
    NEGATIVE_INFINITY = "negativeInfinity"
    NEGATIVE_NORMAL = "negativeNormal"
    NEGATIVE_SUBNORMAL = "negativeSubnormal"
    NEGATIVE_ZERO = "negativeZero"
    POSITIVE_ZERO = "positiveZero"
    POSITIVE_SUBNORMAL = "positiveSubnormal"
    POSITIVE_NORMAL = "positiveNormal"
    POSITIVE_INFINITY = "positiveInfinity"


class Fields(NamedTuple):
    """The three parts of a code, as unsigned integers."""

    sign: Any
    biased_exponent: Any
    trailing_significand: Any


def code_dtype(fmt: Format) -> np.dtype[Any]:
    """The smallest unsigned integer dtype that holds the codes of `fmt`."""
    return np.min_scalar_type(2**fmt.width - 1)


def encode(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    overflow: str | None = None,
) -> Any:
    """The codes of values; exact. A value that `fmt` does not hold is rounded first, correctly, never truncated.

    Parameters
    ----------
    x : array_like
        Anything that `round_to` takes.
    fmt, mode, rng, overflow
        As for `round_to`.

    Returns
    -------
    ndarray or scalar
        Of the smallest unsigned dtype that holds the codes. A NaN in a float32 or float64 array keeps its sign and
        the leading bits of its payload. If the format holds the payload, as it does after `decode`, the code is that of
        the NaN, signaling or quiet, and no flag is raised. If not, a signaling NaN raises invalid and becomes quiet.

    Raises
    ------
    ValueError, TypeError
        As `round_to` does.

    Examples
    --------
    >>> import fp16sim as fs
    >>> hex(fs.encode(0.1, "binary16"))
    '0x2e66'
    >>> fs.encode([1.0, -2.0, float("inf")], "bfloat16")
    array([16256, 49152, 32640], dtype=uint16)
    """
    fmt, mode = with_behaviour(get_format(fmt), None, None, overflow), get_rounding(mode)
    source = lift(same_format(x, fmt))
    held = _held_nans(source, fmt)
    rounded = round_to(np.where(held, source.dtype.type(0), source) if held.any() else source, fmt, mode, rng=rng)
    values = widened(np.asarray(rounded))
    return encode_held(np.where(held, widened(source), values) if held.any() else values, fmt)[()]


def _held_nans(source: Array, fmt: Format) -> Array:
    """Which NaNs have a payload that `fmt` holds."""
    if source.dtype == object or not fmt.has_payloads or not has_nan(source):
        return np.asarray(False)
    lost = np.uint64(2 ** (BINARY64.trailing_bits - fmt.trailing_bits) - 1)
    return np.asarray(np.isnan(source) & (widened(source).view(np.uint64) & lost == 0))


def encode_held(values: Array, fmt: Format) -> Array:
    """The codes of float64 values that `fmt` holds."""
    with np.errstate(all="ignore"):
        magnitude = np.where(np.isfinite(values), np.abs(values), 0.0)
        e = np.maximum(exponent(magnitude), fmt.emin)
        significand = np.ldexp(magnitude, fmt.trailing_bits - e).astype(np.uint64)
    # The implicit bit of a normal number adds 1 to the exponent field; a subnormal has none.
    field = np.where(magnitude > 0, e - fmt.emin, 0).astype(np.uint64)
    code = (field << np.uint64(fmt.trailing_bits)) + significand
    if not fmt.zero:
        code = np.maximum(code, np.uint64(1)) - np.uint64(1)  # the field 0 is that of normal numbers; 0 is not a number
    code = np.where(np.isinf(values), np.uint64(fmt.largest_code + 1), code)
    code |= np.signbit(values).astype(np.uint64) * np.uint64(fmt.sign_bit)
    nan = np.isnan(values)
    if nan.any():
        code = np.where(nan, _nan_codes(values, fmt), code)
    return np.asarray(code, code_dtype(fmt))


def _nan_codes(values: Array, fmt: Format) -> Array:
    """NaN codes, with their sign where NaN has one, and the leading bits of binary64's payload."""
    sign = np.signbit(values).astype(np.uint64) * np.uint64(fmt.sign_bit)
    if not fmt.has_payloads:
        assert fmt.quiet_nan_code is not None
        return sign | np.uint64(fmt.quiet_nan_code)
    payload = (values.view(np.uint64) & np.uint64(2**52 - 1)) >> np.uint64(52 - fmt.trailing_bits)
    payload = np.where(payload == 0, np.uint64(1 << (fmt.trailing_bits - 1)), payload)
    return sign | payload | np.uint64(fmt.largest_code + 1)


def decode(code: Any, fmt: FormatLike = "binary16") -> Any:
    """The values with those codes; exact, as float64.

    Parameters
    ----------
    code : int or array_like of int
        0 to 2^width - 1.
    fmt : Format, str or dtype
        Any format that binary64 holds.

    Returns
    -------
    ndarray or scalar of float64
        A NaN carries its payload in the leading bits of its significand, so that `encode` gives its code back, and a
        signaling NaN stays one.

    Raises
    ------
    ValueError
        For a number outside 0 to 2^width - 1.
    TypeError
        For anything but integers, and for ragged lists.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.decode([0x3C00, 0x7BFF, 0x0001, 0x8000], "binary16")
    array([ 1.00000000e+00,  6.55040000e+04,  5.96046448e-08, -0.00000000e+00])
    """
    fmt = get_format(fmt)
    check_fits(fmt)
    codes = _checked_codes(code, fmt)
    sign, field, trailing = _split(codes, fmt)
    least = np.uint64(fmt.zero)  # the field 0 is that of the smallest normal numbers, but without the implicit bit
    significand = trailing | ((field >= least).astype(np.uint64) << np.uint64(fmt.trailing_bits))
    q = np.maximum(field, least).astype(np.int32) - (fmt.bias + fmt.trailing_bits)
    with np.errstate(over="ignore"):  # the topmost field of binary64, which is replaced below
        values = np.ldexp(significand.astype(np.float64), q)
    if fmt.has_nan:
        values = np.where(_is_special(codes, fmt), _special_values(codes, trailing, fmt), values)
    bits = values.view(np.uint64) | (sign << np.uint64(63))
    return bits.view(np.float64)[()]


def _checked_codes(code: Any, fmt: Format) -> Array:
    codes = np.asarray(code) if hasattr(code, "__array__") else array_of_objects(code)
    why = "give codes: encode(x, fmt) is the code of a value"
    if codes.dtype == object:
        codes = np.array([as_integer("code", c, why) for c in codes.flat], object).reshape(codes.shape)
    elif codes.dtype.kind not in "iu" and (codes.size or codes.dtype.kind != "f"):  # NumPy's empty arrays are float64
        raise TypeError(f"code={quoted(code)} is not an integer; {why}")
    outside = (codes < 0) | (codes > 2**fmt.width - 1)
    if outside.any():
        raise ValueError(not_a_code(codes[outside].flat[0], fmt))
    return codes.astype(np.uint64)


def _split(codes: Array, fmt: Format) -> Fields:
    trailing = codes & np.uint64(2**fmt.trailing_bits - 1)
    field = (codes >> np.uint64(fmt.trailing_bits)) & np.uint64(2**fmt.exponent_bits - 1)
    return Fields(codes >> np.uint64(fmt.width - 1) if fmt.signed else codes & np.uint64(0), field, trailing)


def _is_special(codes: Array, fmt: Format) -> Array:
    """Whether codes are those of an infinity or a NaN."""
    special = codes & np.uint64(fmt.magnitude_mask) > fmt.largest_code
    if fmt.has_payloads or fmt.quiet_nan_code is None:
        return np.asarray(special)
    return np.asarray(special | (codes == fmt.quiet_nan_code))


def _special_values(codes: Array, trailing: Array, fmt: Format) -> Array:
    """Infinity or NaN as float64 without sign, payload to the left."""
    if not fmt.has_payloads:
        is_nan = codes | np.uint64(fmt.sign_bit) == np.uint64(fmt.quiet_nan_code or 0) | np.uint64(fmt.sign_bit)
        return np.where(is_nan | (not fmt.has_infinity), np.nan, np.inf)
    payload = trailing << np.uint64(BINARY64.trailing_bits - fmt.trailing_bits)
    return (payload | np.uint64(0x7FF << 52)).view(np.float64)


def fields(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Fields:
    """Sign, biased exponent and trailing significand of values; exact (values not in `fmt` are rounded first).

    Takes values, as `encode` does; for a code write `fields(decode(code, fmt), fmt)`.

    Returns
    -------
    Fields
        A named tuple (sign, biased_exponent, trailing_significand) of unsigned integers, of the shape of x.

    Examples
    --------
    >>> import fp16sim as fs
    >>> tuple(int(part) for part in fs.fields(0.1, "binary16"))
    (0, 11, 614)
    """
    fmt = get_format(fmt)
    codes = np.asarray(encode(x, fmt, mode, rng=rng)).astype(np.uint64)
    return Fields(*(np.asarray(part, code_dtype(fmt))[()] for part in _split(codes, fmt)))


def classify(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """Which of IEEE 754's ten classes values are in; exact (values not in `fmt` are rounded first).

    Returns
    -------
    FloatClass or ndarray of str
        Such as "positiveNormal": a member of FloatClass for a scalar, an array of the same strings for an array. In a
        format whose only NaN has all bits set, it counts as quiet.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.classify(1e-7, "binary16")
    <FloatClass.POSITIVE_SUBNORMAL: 'positiveSubnormal'>
    >>> fs.classify(fs.decode([0x7C00, 0x7C01, 0xFE00, 0x8000], "binary16"), "binary16").tolist()
    ['positiveInfinity', 'signalingNaN', 'quietNaN', 'negativeZero']
    """
    fmt = get_format(fmt)
    codes = np.asarray(encode(x, fmt, mode, rng=rng)).astype(np.uint64)
    sign, field, trailing = _split(codes, fmt)
    special = _is_special(codes, fmt)
    infinite = special & np.isinf(_special_values(codes, trailing, fmt)) if fmt.has_infinity else np.False_
    quiet = (trailing >> np.uint64(fmt.trailing_bits - 1)) & np.uint64(1) == 1 if fmt.has_payloads else np.True_
    names = np.select(
        [infinite, special & quiet, special, field >= fmt.zero, trailing > 0],
        ["Infinity", "quietNaN", "signalingNaN", "Normal", "Subnormal"],
        "Zero",
    )
    signs = np.where(sign == 1, "negative", "positive")
    names = np.where(np.char.endswith(names, "NaN"), names, np.char.add(signs, names))
    return FloatClass(str(names)) if names.ndim == 0 else names


def all_values(fmt: FormatLike = "binary16") -> Array:
    """Every value of a format, in the order of the codes; exact.

    Returns
    -------
    ndarray of float64
        `all_values(fmt)[code]` is `decode(code, fmt)`: both zeros, infinities and all NaNs included.

    Raises
    ------
    ValueError
        For formats wider than 20 bits.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.all_values("e2m1fn")[:8]
    array([0. , 0.5, 1. , 1.5, 2. , 3. , 4. , 6. ])
    """
    fmt = get_format(fmt)
    if fmt.width > 20:
        raise ValueError(
            f"fmt={fmt.name} has 2^{fmt.width} values, too many for one array; decode the codes that you need"
        )
    return np.asarray(decode(np.arange(2**fmt.width, dtype=np.uint64), fmt))
