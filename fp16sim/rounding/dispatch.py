"""Arrays are rounded in chunks, by a kernel where there is one, else by the reference; then the flags are noted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import numpy as np

from .. import flags
from ..conversion import Array, Generator
from ..formats import Format, Rounding, Subnormals
from ..nans import any_signaling, widened
from . import chunks, kernels
from .kernels import buffers
from .random_bits import draws_from
from .reference import lacks, round_float64, round_to_quantum

CHUNK = 1 << 14
"""Elements of a chunk: its intermediates stay in the processor's cache."""

# --- flags of a chunk -----------------------------------------------------------------------------------------------


def _note_flags(
    tally: flags.Tally, x: Array, y: Array, fmt: Format, mode: Rounding, draws: Array | None, offset: int
) -> None:
    """Note which exceptions the rounding of x, exact, to y raises."""
    with np.errstate(all="ignore"):
        if not fmt.signed:
            lacking = lacks(x, fmt, mode, draws)
            for name in ("overflow", "inexact") if fmt.saturate else ("invalid",):
                tally.note(name, lacking, offset)
            x, y = np.where(lacking, 1.0, x), np.where(lacking, 1.0, y)
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


def _note_top(
    tally: flags.Tally, fmt: Format, mode: Rounding, draws: Array | None, offset: int, x: Array, start: int = 0
) -> bool:
    """Note what NaNs and large numbers raise: invalid and overflow. Return whether more of them would matter.

    With its first five arguments bound, this is an `OnOverflow` of a kernel: x is the chunk that starts at `start`.
    """
    if tally.lacks("invalid"):
        tally.note("invalid", any_signaling(x), offset + start)
    if tally.lacks("overflow"):
        _note_overflow(tally, fmt, mode, draws, offset, x, start)
    return tally.lacks("invalid") or tally.lacks("overflow")


def _note_overflow(
    tally: flags.Tally, fmt: Format, mode: Rounding, draws: Array | None, offset: int, x: Array, start: int
) -> None:
    """Note overflow alone, from the numbers above max_finite: no other can raise it."""
    bound = float(fmt.max_finite)
    for first in range(0, x.size, CHUNK):
        at = first + np.flatnonzero(np.abs(x[first : first + CHUNK]) > bound)
        if at.size and tally.lacks("overflow"):
            large = x[at].astype(np.float64)
            beyond = np.abs(round_to_quantum(large, fmt, mode, None if draws is None else draws[start + at]))
            becomes_finite = fmt.saturate or not fmt.has_infinity  # or NaN: there infinity itself overflows
            raised = np.where(np.isinf(large), becomes_finite, beyond > fmt.max_finite)
            tally.note_at("overflow", at[raised], offset + start)


# --- arrays ---------------------------------------------------------------------------------------------------------


def _round_chunk(
    fmt: Format,
    mode: Rounding,
    kernel: kernels.Kernel | None,
    kernel_bytes: int | None,
    per_element: bool,
    x: Array,
    out: Array,
    draws: Array | None,
    tally: flags.Tally,
    offset: int,
) -> None:
    """Round contiguous numbers, the first of which is number `offset`, and note their flags."""
    on_overflow = None
    if per_element:
        tally.note("invalid", any_signaling(x), offset)
    elif tally.lacks("invalid") or tally.lacks("overflow"):
        on_overflow = partial(_note_top, tally, fmt, mode, draws, offset)
    # A copy, because `out` may be x, and the flags are found by comparing the two.
    exact = x.astype(np.float64) if per_element or kernel is None else x
    if kernel is not None:
        kernel(x, out, draws, on_overflow, kernel_bytes)
    else:
        if on_overflow is not None:
            on_overflow(x)
        out[...] = round_float64(exact.copy() if per_element else exact, fmt, mode, draws)
    if per_element:
        _note_flags(tally, exact, out.astype(np.float64), fmt, mode, draws, offset)


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
    note: Callable[[], None] | None = None,
) -> Array:
    """Round a float32 or float64 array into `out`, in chunks in C order, and report the flags of `operation`.

    `note` is called when `out` is known, before the report: it may add events to the tally.
    """
    tally = flags.Tally(flags.current_listeners()) if tally is None else tally
    carrier = out.dtype if x.dtype == out.dtype else np.result_type(x, out)
    if x.dtype != carrier and any_signaling(x).any():
        x = widened(x)
    kernel = kernels.find(fmt, mode, "float32" if carrier.itemsize == 4 else "float64")
    draw = None if rng is None else draws_from(rng)
    wanted = tally.listeners.names
    per_element = not wanted.isdisjoint(flags.PER_ELEMENT) or (not fmt.signed and bool(wanted))
    chunk, kernel_bytes = CHUNK, None
    if kernel and not per_element:
        # Large chunks, cut again by the kernel, make threads wait less for each other; but draws would fill the memory.
        kernel_bytes = buffers.CHUNK_BYTES * (1 if draw else min(threads, 2))
        chunk_bytes = buffers.CHUNK_BYTES if draw else 8 * kernel_bytes if threads > 1 else max(1, out.nbytes)
        chunk = chunk_bytes // carrier.itemsize
    work = partial(_round_chunk, fmt, mode, kernel, kernel_bytes, per_element)
    # NumPy must not warn of the hardware's own exceptions, such as that of a signaling NaN that is cast.
    with np.errstate(all="ignore") if tally.listeners.errstate else nullcontext():
        if not chunks.can_slice(x, out):
            for offset, source, target in chunks.buffered(x, out, carrier, min(chunk, buffers.CHUNK_BYTES // 4)):
                work(source, target, draw(source.size) if draw else None, tally, offset)
        elif x.size <= chunk:
            work(*chunks.flattened(x, out), draw(x.size) if draw else None, tally, 0)
        else:
            chunks.for_each(work, *chunks.flattened(x, out), chunk, draw, tally, threads)
    if note is not None:
        note()
    tally.report(operation, out.shape)
    return out


_CARRIERS = {np.dtype(name): name for name in ("float32", "float64")}


def round_at_once(x: Array, fmt: Format, mode: Rounding) -> Array | None:
    """A contiguous array of one chunk, rounded by a kernel if that is all there is to do; else None.

    These are most calls. `round_array` would do the same, after it has prepared for everything else.
    """
    carrier, layout = _CARRIERS.get(x.dtype), x.flags
    if carrier is None or not x.ndim or x.size > CHUNK or not (layout.c_contiguous and layout.aligned):
        return None
    kernel = None if mode.random or fmt.subnormals is Subnormals.FLUSH_INPUTS else kernels.find(fmt, mode, carrier)
    if kernel is None:
        return None
    listeners = flags.current_listeners()
    if not listeners.names.isdisjoint(flags.PER_ELEMENT):
        return None
    out = np.empty(x.shape, x.dtype)
    may_overflow = flags.silent_context().run(kernel, x, out)
    return None if may_overflow and listeners.names else out


def round_without_flags(x: Array, fmt: Format, mode: Rounding) -> Array:
    """Round float64 numbers without raising a flag: for questions about numbers, which are not operations."""
    nobody = flags.Tally(flags.Listeners(frozenset(), frozenset()))
    return round_array(x, fmt, mode, out=np.empty(x.shape, np.float64), tally=nobody)
