"""round_to: the one thing that rounds.

`general` says how; `kernels` does the same sooner where it can. Here arrays are cut into pieces, the flags of each
piece are noted, and numbers that float64 does not hold go through the exact layer.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from . import exact, flags, kernels, pieces
from .draws import drawer
from .formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding, with_behaviour
from .general import exponent as exponent
from .general import round_piece, round_to_quantum
from .lifting import Array, Generator, Seed, as_generator, carrier_for, check_hardware, checked_out, lift, same_format

PIECE = 1 << 14
"""Elements worked on at a time: the temporaries of a piece stay in the processor's cache."""

# --- flags of a piece -----------------------------------------------------------------------------------------------


def _note_flags(
    tally: flags.Tally, x: Array, y: Array, fmt: Format, mode: Rounding, draws: Array | None, offset: int
) -> None:
    """Which exceptions the step from x, exact, to y raises."""
    with np.errstate(all="ignore"):
        changed = (x != y) & ~np.isnan(x)
        if not changed.any():
            return
        tally.note("inexact", changed, offset)
        beyond = np.abs(round_to_quantum(x, fmt, mode, draws)) > fmt.max_finite
        tally.note("overflow", changed & np.where(np.isfinite(x), beyond, np.isinf(x)), offset)
        if tally.wants("underflow"):
            small = changed & (np.abs(x) < fmt.min_normal)
            if "before" in tally.listeners.tininess:
                tally.note("underflow", small, offset, "before")
            unbounded = np.abs(round_to_quantum(x, fmt, mode, draws, bounded=False))
            tally.note("underflow", small & (unbounded < fmt.min_normal), offset, "after")


def _note_overflow(
    tally: flags.Tally, fmt: Format, mode: Rounding, draws: Array | None, offset: int, x: Array, start: int = 0
) -> bool:
    """The same for overflow alone: nothing but what is above max_finite can raise it, and that is looked at closely.

    False when no more is to be found out.
    """
    bound = float(fmt.max_finite)
    for first in range(0, x.size, PIECE):
        at = first + np.flatnonzero(np.abs(x[first : first + PIECE]) > bound)
        if at.size and not tally.settled("overflow"):
            large = x[at].astype(np.float64)
            beyond = np.abs(round_to_quantum(large, fmt, mode, None if draws is None else draws[start + at]))
            becomes_finite = fmt.saturate or not fmt.has_infinity  # or NaN: infinity itself overflows there
            raised = np.where(np.isinf(large), becomes_finite, beyond > fmt.max_finite)
            tally.note_at("overflow", at[raised], offset + start)
    return not tally.settled("overflow")


# --- arrays ---------------------------------------------------------------------------------------------------------


class _Job(NamedTuple):
    """What is the same for all pieces of an array."""

    fmt: Format
    mode: Rounding
    kernel: kernels.Kernel | None


_job = lru_cache(maxsize=256)(lambda fmt, mode, carrier: _Job(fmt, mode, kernels.find(fmt, mode, carrier)))


def _round_run(
    job: _Job, size: int | None, x: Array, out: Array, draws: Array | None, tally: flags.Tally, offset: int
) -> None:
    """Round contiguous numbers, whose first is number `offset`, and note their flags. A kernel's piece is of `size`."""
    fmt, mode, kernel = job
    close = tally.wants("inexact", "underflow")
    look = None
    if not close and tally.wants("overflow") and not tally.settled("overflow"):
        look = partial(_note_overflow, tally, fmt, mode, draws, offset)
    # A copy, since where both are one array rounding reads the source after it has written to it.
    before = x.astype(np.float64) if close or kernel is None else x
    if kernel is not None:
        kernel(x, out, draws, look, size)
    else:
        if look is not None:
            look(before)
        out[...] = round_piece(before.copy() if close else before, fmt, mode, draws)
    if close:
        _note_flags(tally, before, out.astype(np.float64), fmt, mode, draws, offset)


def round_array(
    x: Array,
    fmt: Format,
    mode: Rounding,
    rng: Generator = None,
    *,
    out: Array,
    operation: str = "round_to",
    tally: flags.Tally | None = None,
    threads: int = 1,
) -> Array:
    """Round a float32 or float64 array into `out`, piece by piece in C order, and report the flags of `operation`."""
    tally = flags.Tally(flags.listening()) if tally is None else tally
    carrier = out.dtype if x.dtype == out.dtype else np.result_type(x, out)
    job = _job(fmt, mode, "float32" if carrier.itemsize == 4 else "float64")
    draw = None if rng is None else drawer(rng)
    run, size = PIECE, None
    if job.kernel and not tally.wants("inexact", "underflow"):  # else there are many intermediates
        # Longer pieces: threads wait for each other less. With draws there are too many intermediates for that.
        size = kernels.PIECE * (1 if draw else min(threads, 2))
        run = (kernels.PIECE if draw else 8 * size if threads > 1 else max(1, out.nbytes)) // carrier.itemsize
    work = partial(_round_run, job, size)
    # No hardware flags are to be heard, such as that of a signaling NaN that is cast.
    with np.errstate(all="ignore") if tally.listeners.announced else nullcontext():
        if not pieces.plain(x, out):
            for offset, source, target in pieces.buffered(x, out, carrier, min(run, kernels.PIECE // 4)):
                work(source, target, draw(source.size) if draw else None, tally, offset)
        elif x.size <= run:
            work(*pieces.flat(x, out), draw(x.size) if draw else None, tally, 0)
        else:
            pieces.share(work, *pieces.flat(x, out), run, draw, tally, threads)
    tally.report(operation, out.shape)
    return out


def held(x: Array, fmt: Format, mode: Rounding, rng: Generator = None) -> Array:
    """`x` rounded to the format: x itself where it is large and holds such numbers alone, which shows sooner."""
    if x.size >= HELD_FROM and rng is None and kernels.holds(x, fmt):
        return x
    return np.asarray(round_to(x, fmt, mode, rng=rng))


HELD_FROM = 1 << 10

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
        covered, to 32 bits, also below min_subnormal; beyond max_finite the same holds for the step to 2^(emax + 1),
        which is an overflow: it gives infinity (max_finite if saturating, NaN where there is no infinity).
    rng : int or numpy.random.Generator, optional
        For "stochastic": a seed, a generator (which advances by 32 bits an element, in C order), or None for fresh
        entropy.
    saturate, subnormals : optional
        Override the format's own behaviour: whether anything beyond max_finite, infinity included, becomes max_finite;
        and "gradual", "flush_to_zero", "flush_to_nearest" or "flush_inputs".
    out : ndarray, optional
        Where to write: of the shape of x, float32 or float64, able to hold fmt; may be x itself, or a numpy.memmap.
    threads : int, optional
        Threads that share the pieces of a large contiguous array; one by default. The result does not depend on it.

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
    Beside input and output a call needs less than 2 MiB a thread, for float32 and float64 arrays of any size.

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
    workers = _checked_threads(threads)
    if fmt.subnormals is Subnormals.FLUSH_INPUTS and source.dtype != object:
        return _flush_inputs_then_round(source, fmt, mode, generator, target, workers)[() if out is None else ...]
    if source.dtype == object:
        _round_objects(source, fmt, mode, generator, target, "round_to")
    else:
        round_array(source, fmt, mode, generator, out=target, threads=workers)
    return target[()] if out is None else out


def _checked_threads(threads: int | None) -> int:
    if threads is None:
        return 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)):
        raise TypeError(f"threads={threads!r} is not a number of threads; give an integer, or None for one")
    if threads < 1:
        raise ValueError(f"threads={threads} must be 1 or more; leave it out for one")
    return int(threads)


def _flush_inputs_then_round(x: Array, fmt: Format, mode: Rounding, rng: Generator, out: Array, threads: int) -> Array:
    tally = flags.Tally(flags.listening())
    small = (np.abs(x) < fmt.min_normal) & (x != 0)
    for name, tininess in (("inexact", ""), ("underflow", "after"), ("underflow", "before")):
        tally.note(name, small.reshape(-1), 0, tininess)
    return round_array(
        np.where(small, np.copysign(x.dtype.type(0), x), x), fmt, mode, rng, out=out, tally=tally, threads=threads
    )
