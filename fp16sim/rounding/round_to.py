"""round_to: the public function of rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import flags
from ..conversion import (
    Array,
    Generator,
    Seed,
    as_generator,
    carrier_for,
    check_hardware,
    checked_out,
    lift,
    same_format,
)
from ..formats import (
    BINARY32,
    BINARY64,
    Format,
    FormatLike,
    Rounding,
    Subnormals,
    get_format,
    get_rounding,
    with_behaviour,
)
from ..nans import has_nan, widened
from . import kernels
from .dispatch import round_array, round_at_once
from .scalars import round_number
from .threads import checked_threads


def round_to(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    saturate: bool | None = None,
    subnormals: Subnormals | str | None = None,
    overflow: str | None = None,
    out: Array | None = None,
    threads: int | None = None,
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
        covered, to 32 bits, also below min_subnormal; and above max_finite, where the next number up stands for
        overflow: it gives infinity (max_finite if saturating, NaN where there is no infinity). "stochastic_8" has 8
        random bits, as hardware may, and a bias; "stochastic_8_half" rounds to them: see `Rounding.STOCHASTIC`.
    rng : int or numpy.random.Generator, optional
        For "stochastic": a seed, a generator (which advances by 32 bits an element, in C order), or None for fresh
        entropy.
    saturate, subnormals : optional
        Used instead of the format's own: whether anything beyond max_finite, infinity included, becomes max_finite;
        and "gradual", "flush_to_zero", "flush_to_nearest" or "flush_inputs".
    overflow : str, optional
        Instead of `saturate`: the convention of a standard or a library for overflow, infinity and NaN in this format,
        such as "ocp-saturating" or "pytorch". `fp16sim.overflow.CONVENTIONS` is the table of all.
    out : ndarray, optional
        Where to write: an array with the shape of x, of float32 (if fmt fits in it) or float64. It may be x itself, or
        a numpy.memmap.
    threads : int, optional
        Threads that share the work on a large contiguous array. By default two from 2^21 elements on, unless all cores
        are busy, and one below; the environment variable FP16SIM_THREADS names another number, such as 1. The result
        does not depend on it.

    Returns
    -------
    ndarray or scalar
        float32 for float32 input where the format fits in it, else float64; a scalar for a scalar. `out` if given.

    Raises
    ------
    ValueError
        For an unknown format or mode, a text that is not a number, a format wider than binary64, NaN in a format
        without NaN and without `nan_code`, or an unsuitable `out`.
    TypeError
        For anything that is not a real number.
    RuntimeError
        If the processor flushes subnormal numbers to zero.

    Notes
    -----
    Besides input and output, a call needs less than 2 MiB a thread, for float32 and float64 arrays of any size.

    A signaling NaN raises invalid and becomes quiet, as in all operations of IEEE 754 (2019, section 6.2). In a float32
    or float64 array it is a NaN whose first payload bit is 0: `decode` gives one for the code of a signaling NaN.

    IEEE 754-2019, section 4.3; round to odd after Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums:
    proved algorithms using rounding to odd" (2008).

    Examples
    --------
    >>> import numpy as np
    >>> import fp16sim as fs
    >>> fs.round_to(0.1, "binary16")
    np.float64(0.0999755859375)
    >>> fs.round_to(["1/3", 2**70 + 1, "1p-24"], "bfloat16", "toward_positive")
    array([3.33984375e-01, 1.18981499e+21, 5.96046448e-08])
    >>> with np.errstate(over="ignore"):
    ...     fs.round_to([-500.0, 500.0], "e4m3fn", overflow="pytorch")
    array([-448.,  448.])
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if saturate is not None or subnormals is not None or overflow is not None:
        fmt = with_behaviour(fmt, saturate, subnormals, overflow)
    check_hardware()
    if out is None and threads is None:
        y = (round_at_once if type(x) is np.ndarray else round_number)(x, fmt, mode)
        if y is not None:
            return y
    source = lift(same_format(x, fmt))
    carrier = carrier_for(fmt, source)
    target = np.empty(source.shape, carrier) if out is None else checked_out(out, source, fmt)
    generator = as_generator(mode, rng)
    workers = checked_threads(threads, source.size)
    if fmt.subnormals is Subnormals.FLUSH_INPUTS and source.dtype != object:
        return _flush_inputs_then_round(source, fmt, mode, generator, target, workers)[() if out is None else ...]
    if source.dtype == object:
        from .exact_numbers import round_objects  # the exact layer is loaded when it is needed

        round_objects(source, fmt, mode, generator, target, "round_to")
    else:
        round_array(source, fmt, mode, generator, out=target, threads=workers)
    return target[()] if out is None else out


def _flush_inputs_then_round(x: Array, fmt: Format, mode: Rounding, rng: Generator, out: Array, threads: int) -> Array:
    """FLUSH_INPUTS: numbers below min_normal become zeros first, which raises inexact and underflow."""
    tally = flags.Tally(flags.current_listeners())
    small = (np.abs(x) < fmt.min_normal) & (x != 0)
    for name, tininess in (("inexact", ""), ("underflow", "after"), ("underflow", "before")):
        tally.note(name, small.reshape(-1), 0, tininess)
    return round_array(
        np.where(small, np.copysign(x.dtype.type(0), x), x), fmt, mode, rng, out=out, tally=tally, threads=threads
    )


def round_if_needed(x: Array, fmt: Format, mode: Rounding, rng: Generator = None) -> Array:
    """`x` rounded to the format; x itself if it is large and all its numbers are in the format."""
    if x.size >= CHECK_FROM and rng is None and kernels.all_representable(x, fmt):
        return x
    return np.asarray(round_to(x, fmt, mode, rng=rng))


def round_operand(x: Array, fmt: Format, mode: Rounding, rng: Generator = None) -> Array:
    """The same for an operand, whose NaNs stay as they are: the operation itself says what a signaling one raises."""
    if rng is None and x.dtype.kind == "f" and fmt.width == 8 * x.itemsize and fmt in (BINARY32, BINARY64):
        return x
    if x.size >= CHECK_FROM and rng is None and kernels.all_representable(x, fmt):
        return x
    if x.dtype == object or not fmt.has_nan or not has_nan(x):
        return np.asarray(round_to(x, fmt, mode, rng=rng))
    nan = np.isnan(x)
    held = x.dtype.type(0 if fmt.zero else fmt.min_normal)
    y = np.asarray(round_to(np.where(nan, held, x), fmt, mode, rng=rng))
    return np.where(nan, x if x.dtype == y.dtype else widened(x), y)


CHECK_FROM = 1 << 10
"""From this size on it is faster to check first whether x needs rounding."""
