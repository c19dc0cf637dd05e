"""Arrays are rounded in chunks, by a kernel where there is one, else by the reference; then the flags are noted."""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from .. import flags
from ..conversion import Array, Generator
from ..formats import Format, Rounding
from . import chunks, kernels
from .kernels import scratch
from .random_bits import drawer
from .reference import round_piece, round_to_quantum

CHUNK = 1 << 14
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
    for first in range(0, x.size, CHUNK):
        at = first + np.flatnonzero(np.abs(x[first : first + CHUNK]) > bound)
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
    run, size = CHUNK, None
    if job.kernel and not tally.wants("inexact", "underflow"):  # else there are many intermediates
        # Longer pieces: threads wait for each other less. With draws there are too many intermediates for that.
        size = scratch.CHUNK_BYTES * (1 if draw else min(threads, 2))
        run = (scratch.CHUNK_BYTES if draw else 8 * size if threads > 1 else max(1, out.nbytes)) // carrier.itemsize
    work = partial(_round_run, job, size)
    # No hardware flags are to be heard, such as that of a signaling NaN that is cast.
    with np.errstate(all="ignore") if tally.listeners.announced else nullcontext():
        if not chunks.plain(x, out):
            for offset, source, target in chunks.buffered(x, out, carrier, min(run, scratch.CHUNK_BYTES // 4)):
                work(source, target, draw(source.size) if draw else None, tally, offset)
        elif x.size <= run:
            work(*chunks.flat(x, out), draw(x.size) if draw else None, tally, 0)
        else:
            chunks.share(work, *chunks.flat(x, out), run, draw, tally, threads)
    tally.report(operation, out.shape)
    return out


def round_without_flags(x: Array, fmt: Format, mode: Rounding) -> Array:
    """Float64 numbers rounded without raising a flag: for questions about numbers, which are not operations."""
    nobody = flags.Tally(flags.Listening(frozenset(), frozenset()))
    return round_array(x, fmt, mode, out=np.empty(x.shape, np.float64), tally=nobody)
