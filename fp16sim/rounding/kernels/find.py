"""`find` returns the kernel for a format and mode, or None where the general path has to round.

A kernel rounds float32 or float64 arrays in a few whole-array steps, on chunks that stay in the processor's cache.
Tests that enumerate its inputs prove it equal to the general path. A method may be wrong at the top of the range, from
2^emax on (infinities and NaN included): the kernel fixes those numbers by clipping or by the general path.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Protocol, TypeAlias

import numpy as np

from ...conversion import Array
from ...formats import BINARY16, BINARY32, BINARY64, Format, Rounding, Subnormals
from ...nans import has_nan
from ..reference import INWARD, round_float64
from . import buffers
from .bits import on_bits, on_bits_where_normal
from .buffers import BOOL, F4, F8, RESULT, Buffer
from .method import Method
from .scaling import CARRIERS, by_scaling

OnOverflow: TypeAlias = Callable[[Array, int], bool]
"""on_overflow(chunk, start) is called before each chunk is rounded that may overflow, because of NaN or of numbers of
2^emax or more; and perhaps before later ones. It returns whether it wants to be called for later chunks, too."""


class Kernel(Protocol):
    """Rounds x into `out`, which may be x: contiguous arrays of one shape and of the kernel's dtype.

    It returns whether a number may have overflowed, or is NaN. `draws` are for STOCHASTIC. The caller silences NumPy's
    errstate: the hardware's own exceptions say nothing about the format.
    """

    def __call__(
        self,
        x: Array,
        out: Array,
        draws: Array | None = None,
        on_overflow: OnOverflow | None = None,
        chunk_bytes: int | None = None,
    ) -> bool: ...


@lru_cache(maxsize=256)
def find(fmt: Format, mode: Rounding, carrier: str) -> Kernel | None:
    """The kernel for input and output of the dtype `carrier`, or None where the general path has to round."""
    if mode.random_bits is not None:
        return None
    wide = {"float32": BINARY32, "float64": BINARY64}.get(carrier)
    if wide is None or not fmt.fits_in(wide) or fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
        return None
    if fmt == wide:
        return _copy
    if fmt.precision == wide.precision:
        return None  # no bits to drop, only numbers to flush or saturate
    if fmt.precision == 1 or not fmt.signed or fmt.max_finite < 2.0**fmt.emax:
        return None
    method = _method(fmt, mode, carrier)
    if method is None:
        return None
    kernel = _by_method(
        method,
        fix_top=_top_fix(fmt, mode, method),
        chunk_divisor=2 if mode is Rounding.STOCHASTIC else 1,  # this mode needs many buffers
        flush_below=None if fmt.subnormals is Subnormals.GRADUAL else float(fmt.min_normal),
        one_zero=not fmt.has_negative_zero,
    )
    numpy_rounds = fmt == BINARY16 and mode is Rounding.TIES_TO_EVEN
    return a_few_by_numpy(kernel) if numpy_rounds else kernel


def _method(fmt: Format, mode: Rounding, carrier: str) -> Method | None:
    if carrier == "float32" and fmt.exponent_bits == BINARY32.exponent_bits:
        return on_bits(fmt, mode)
    method = by_scaling(fmt, mode, CARRIERS[carrier])
    if method is not None and carrier == "float32" and mode is Rounding.STOCHASTIC:
        return on_bits_where_normal(fmt, method)
    return method


def _copy(
    x: Array,
    out: Array,
    draws: Array | None = None,
    on_overflow: OnOverflow | None = None,
    chunk_bytes: int | None = None,
) -> bool:
    """The numbers themselves; a signaling NaN becomes quiet, as in every multiplication."""
    found = has_nan(x)
    if on_overflow is not None and found:
        on_overflow(x, 0)
    np.multiply(x, _ONE[x.dtype], out=out)
    return found


_ONE = {F4: np.array(1, F4), F8: np.array(1, F8)}
_ZERO = {F4: np.array(0, F4), F8: np.array(0, F8)}

_HALF = np.dtype(np.float16)
SMALL_SQUARES = 2.0**31
"""Numbers whose squares have no larger sum are far below 65520, from which on binary16 overflows: 2^31 < 46341^2."""

FEW = 128
"""Up to this size, NumPy's conversion is faster than the calls of a kernel (or little slower, if all are subnormal)."""


def a_few_by_numpy(kernel: Kernel) -> Kernel:
    """A few numbers to binary16, ties to even, as NumPy converts them; `kernel` if there are more or one is large."""

    def round_few(
        x: Array,
        out: Array,
        draws: Array | None = None,
        on_overflow: OnOverflow | None = None,
        chunk_bytes: int | None = None,
    ) -> bool:
        if x.size <= FEW:
            flat, y = x if x.ndim == 1 else x.reshape(-1), x.astype(_HALF)
            if flat.dot(flat) < SMALL_SQUARES:
                out[...] = y
                return False
            y = y.astype(x.dtype)
            flat = y if y.ndim == 1 else y.reshape(-1)
            if isfinite(flat.dot(flat)):  # the sum of a few squares does not overflow: no result is infinite or NaN
                out[...] = y
                return False
        return kernel(x, out, draws, on_overflow, chunk_bytes)

    return round_few


def _by_method(
    method: Method, *, fix_top: FixTop | None, chunk_divisor: int, flush_below: float | None, one_zero: bool
) -> Kernel:
    """Round chunk by chunk: by the method, then fix the top of the range and flush subnormals where that is needed."""
    prepare, may_be_large, round_prepared, overflows_to_infinity, _ = method

    def round_chunks(
        x: Array,
        out: Array,
        draws: Array | None = None,
        on_overflow: OnOverflow | None = None,
        chunk_bytes: int | None = None,
    ) -> bool:
        if x.ndim != 1:
            x, out = x.reshape(-1), out.reshape(-1)
        size = (chunk_bytes or buffers.CHUNK_BYTES) // (x.itemsize * chunk_divisor)
        may_overflow = found = False
        for start in range(0, x.size, size):
            stop = start + size
            chunk, target = (x, out) if x.size <= size else (x[start:stop], out[start:stop])
            bits = None if draws is None else draws[start:stop]
            prepared = prepare(chunk)
            # After one chunk that may overflow, others often follow: it is faster not to check.
            assumed = may_overflow and overflows_to_infinity
            may_overflow = assumed or may_be_large(prepared)
            found = found or may_overflow
            if may_overflow and on_overflow is not None and not on_overflow(chunk, start):
                on_overflow = None  # it wants no more calls
            fix = fix_top if may_overflow else None
            y = RESULT[x.dtype](chunk.size) if fix else target  # `fix` compares y with x, so it must not be x
            round_prepared(chunk, prepared, y, bits, may_overflow)
            if fix:
                fix(chunk, y, bits)
            if flush_below is not None:
                _flush(y, flush_below)
            if one_zero:
                np.add(y, _ZERO[y.dtype], out=y)  # -0 + 0 is +0
            if fix:
                np.copyto(target, y)
        return found

    return round_chunks


_MAGNITUDES, _FLAGS = {F4: Buffer(2, F4), F8: Buffer(2, F8)}, Buffer(3, BOOL)


def _flush(y: Array, min_normal: float) -> None:
    """Replace the numbers below min_normal by zeros of their signs."""
    magnitude, normal = _MAGNITUDES[y.dtype](y.size), _FLAGS(y.size)
    np.abs(y, out=magnitude)
    np.less(magnitude, min_normal, out=normal)
    np.invert(normal, out=normal)  # NaN counts as normal
    np.copyto(magnitude, normal)
    np.multiply(y, magnitude, out=y)


# --- from 2^emax on -------------------------------------------------------------------------------------------------

FixTop: TypeAlias = Callable[[Array, Array, "Array | None"], None]
"""fix_top(x, y, draws) corrects in y the results of numbers that are NaN, or 2^emax or more."""


def _top_fix(fmt: Format, mode: Rounding, method: Method) -> FixTop | None:
    """By clipping, if the method overflows to infinity (None if that is right already) or the format saturates; else by
    the general path."""
    top, largest = 2.0**fmt.emax, float(fmt.max_finite)
    low = -largest if fmt.saturate or mode in INWARD[True] else -np.inf
    high = largest if fmt.saturate or mode in INWARD[False] else np.inf

    def by_general_path(x: Array, y: Array, draws: Array | None) -> None:
        for start in range(0, x.size, 4096):  # many numbers may be large, and the general path has many intermediates
            at = start + np.flatnonzero(~(np.abs(x[start : start + 4096]) < top))
            if at.size:
                y[at] = round_float64(x[at].astype(np.float64), fmt, mode, None if draws is None else draws[at])

    def by_clipping(x: Array, y: Array, draws: Array | None) -> None:
        y.clip(low, high, out=y)
        if not fmt.saturate:  # infinity itself does not overflow
            infinite = np.isinf(x, out=_FLAGS(x.size))
            np.copyto(y, x, where=infinite)

    def by_saturating(x: Array, y: Array, draws: Array | None) -> None:
        y.clip(-largest, largest, out=y)  # numbers beyond 2^emax stayed beyond it; NaN stays
        if not fmt.has_nan and has_nan(y):
            at = np.flatnonzero(np.isnan(x))
            y[at] = round_float64(x[at].astype(np.float64), fmt, mode, None if draws is None else draws[at])

    if not method.overflows_to_infinity:
        return by_saturating if fmt.saturate and method.keeps_order else by_general_path
    return by_clipping if np.isfinite(low) or np.isfinite(high) else None
