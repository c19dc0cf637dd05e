"""Fast paths of rounding. Deleting this room would change no result, only the time it takes.

A kernel rounds float32 or float64 arrays in a few whole-array steps, on pieces that stay in the processor's cache, and
is proved equal to the general path by tests that enumerate its inputs. `find` returns the kernel for a format and mode,
or None. There are two methods, by `scaling` and on the `bits`. What they do not know about the upper end of a format is
put right here: from 2^emax on, infinities and NaN included, by clipping or by the general path.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from math import isfinite
from typing import TypeAlias

import numpy as np

from ...conversion import Array
from ...formats import BINARY16, BINARY32, BINARY64, Format, Rounding, Subnormals
from ..reference import INWARD, round_piece
from . import scratch
from .bits import on_bits
from .mostly import mostly_on_bits
from .representable import holds as holds
from .scaling import CARRIERS, by_scaling
from .scratch import BOOL, F4, F8, ROUNDED, Method, Row

Kernel: TypeAlias = Callable[..., None]
"""kernel(x, out, draws=None, look=None, size=None) rounds x into out (which may be x): arrays of the kernel's dtype,
contiguous, of one length. `draws` are for STOCHASTIC. look(piece, start) is called before a piece with numbers of
2^emax or more is rounded, until it answers False. A piece has `size` bytes, or CHUNK_BYTES. The caller silences NumPy's
errstate: the hardware's own exceptions say nothing about the format."""


@lru_cache(maxsize=256)
def find(fmt: Format, mode: Rounding, carrier: str) -> Kernel | None:
    """The kernel for input and output of the dtype `carrier`, or None where the general path has to do it."""
    holder = {"float32": BINARY32, "float64": BINARY64}.get(carrier)
    if holder is None or not fmt.fits_in(holder) or fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
        return None
    if fmt == holder:
        return lambda x, out, draws=None, look=None, size=0: np.copyto(out, x)
    if fmt.precision == holder.precision:
        return None  # nothing to drop: what is left is flushing or saturating
    like_binary32 = holder == BINARY32 and fmt.exponent_bits == BINARY32.exponent_bits
    method = on_bits(fmt, mode) if like_binary32 else by_scaling(fmt, mode, CARRIERS[carrier])
    if method is None:
        return None
    if mode is Rounding.STOCHASTIC and holder == BINARY32 and not like_binary32:
        method = mostly_on_bits(fmt, method)
    share = 2 if mode is Rounding.STOCHASTIC else 1  # which has many intermediates
    flush = None if fmt.subnormals is Subnormals.GRADUAL else float(fmt.min_normal)
    kernel = partial(_round, method=method, ends=_ends(fmt, mode, method.overflows), share=share, flush=flush)
    numpys_own = fmt == BINARY16 and mode is Rounding.TIES_TO_EVEN
    return partial(_round_few, otherwise=kernel) if numpys_own else kernel


FEW = 128
"""So few numbers NumPy converts in less time than a kernel's calls take (or, if all are subnormals, in little more)."""


def _round_few(
    x: Array,
    out: Array,
    draws: None = None,
    look: Callable[[Array, int], bool] | None = None,
    size: int | None = None,
    *,
    otherwise: Kernel,
) -> None:
    """Few numbers to binary16, ties to even, as NumPy converts them; `otherwise` if they are many or one is large."""
    if x.size <= FEW:
        y = x.astype(np.float16).astype(x.dtype)
        flat = y if y.ndim == 1 else y.reshape(-1)
        if isfinite(flat.dot(flat)):  # no sum of so few squares overflows: no result is infinite or NaN
            np.copyto(out, y)
            return
    otherwise(x, out, draws, look, size)


def _round(
    x: Array,
    out: Array,
    draws: Array | None = None,
    look: Callable[[Array, int], bool] | None = None,
    size: int | None = None,
    *,
    method: Method,
    ends: Ends | None,
    share: int,
    flush: float | None,
) -> None:
    if x.ndim != 1:
        x, out = x.reshape(-1), out.reshape(-1)
    size, start, far = (size or scratch.CHUNK_BYTES) // (x.itemsize * share), 0, False
    while start < x.size:
        stop = start + size
        piece, bits, room = x[start:stop], None if draws is None else draws[start:stop], out[start:stop]
        far = method.reaches(piece, far and look is None and method.overflows)
        if far and look is not None and not look(piece, start):
            look = None
        mend = ends if far else None
        y = ROUNDED[x.dtype](piece.size) if mend else room  # `ends` compares it with x, which `out` may be
        method.round(piece, y, bits, far)
        if mend:
            mend(piece, y, bits)
        if flush is not None:
            _flush(y, flush)
        if mend:
            np.copyto(room, y)
        start = stop


_MAGNITUDES, _FLAGS = {F4: Row(2, F4), F8: Row(2, F8)}, Row(3, BOOL)


def _flush(y: Array, min_normal: float) -> None:
    """Zeros, with their signs, for what is below min_normal."""
    magnitude, normal = _MAGNITUDES[y.dtype](y.size), _FLAGS(y.size)
    np.abs(y, out=magnitude)
    np.less(magnitude, min_normal, out=normal)
    np.invert(normal, out=normal)  # NaN counts as normal
    np.copyto(magnitude, normal)
    np.multiply(y, magnitude, out=y)


# --- from 2^emax on -------------------------------------------------------------------------------------------------

Ends: TypeAlias = Callable[[Array, Array, "Array | None"], None]
"""ends(x, y, draws) puts right what a method made of the x of 2^emax and more."""


def _ends(fmt: Format, mode: Rounding, overflows: bool) -> Ends | None:
    """By the general path; where the method `overflows` as the format does, by clipping, or there is nothing to do."""
    edge, largest = 2.0**fmt.emax, float(fmt.max_finite)
    low = -largest if fmt.saturate or mode in INWARD[True] else -np.inf
    high = largest if fmt.saturate or mode in INWARD[False] else np.inf

    def by_general_path(x: Array, y: Array, draws: Array | None) -> None:
        for start in range(0, x.size, 4096):  # there may be many, and the general path has many intermediates
            at = start + np.flatnonzero(~(np.abs(x[start : start + 4096]) < edge))
            if at.size:
                y[at] = round_piece(x[at].astype(np.float64), fmt, mode, None if draws is None else draws[at])

    def by_clipping(x: Array, y: Array, draws: Array | None) -> None:
        y.clip(low, high, out=y)
        if not fmt.saturate:  # infinity itself is no overflow
            infinite = np.isinf(x, out=_FLAGS(x.size))
            np.copyto(y, x, where=infinite)

    if not overflows:
        return by_general_path
    return by_clipping if np.isfinite(low) or np.isfinite(high) else None
