"""One operation by the processor's own float32 or float64, where that is correct after one more rounding.

This is a shortcut for speed: the clear path of `operations` gives the same results.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..conversion import Array
from ..flags import Tally
from ..formats import BINARY32, BINARY64, Format, Rounding
from ..rounding import kernels
from .intermediates import UFUNCS, hardware_for

CHUNK = 1 << 17
"""Elements computed and rounded at a time."""


class Hardware(NamedTuple):
    """A ufunc that computes an operation in `dtype`, and the kernel that rounds its results (None: no need to)."""

    ufunc: np.ufunc
    dtype: np.dtype[Any]
    kernel: kernels.Kernel | None


@lru_cache(maxsize=1024)
def hardware_of(name: str, fmt: Format, mode: Rounding) -> Hardware | None:
    """How the hardware computes an operation, or None where the clear path has to."""
    dtype = hardware_for(fmt, mode)
    if dtype is None or name not in UFUNCS:
        return None
    if fmt in (BINARY32, BINARY64):
        kernel = None
    else:
        sums = name in ("add", "subtract")
        kernel = kernels.find_for_sums(fmt, mode) if sums else kernels.find(fmt, mode, "float32")
    return Hardware(UFUNCS[name], np.dtype(dtype), kernel)


def by_hardware(hardware: Hardware, operands: list[Array]) -> tuple[Array, bool]:
    """The result, and whether it is known to be finite. The caller silences NumPy's errstate.

    A finite result has raised neither invalid, nor divide_by_zero, nor (in ties to even) overflow. Large arrays are
    computed chunk by chunk, so that a chunk is rounded while it is still in the cache.
    """
    ufunc, dtype, kernel = hardware
    a, b = operands[0], operands[-1]
    if a.dtype is not dtype or b.dtype is not dtype:
        operands = [x.astype(dtype, copy=False) for x in operands]
    if kernel is None or (a.size <= CHUNK and b.size <= CHUNK) or not _can_slice(operands):
        y = np.asarray(ufunc(*operands))
        if kernel is None:
            return y, False
        if y.ndim > 1 and not y.flags.c_contiguous:
            y = np.ascontiguousarray(y)
        return y, not kernel(y, y)
    shape = next(x.shape for x in operands if x.ndim)
    y = np.empty(shape, dtype)
    flat, out, may_overflow = [x.reshape(-1) if x.ndim else x for x in operands], y.reshape(-1), False
    for start in range(0, out.size, CHUNK):
        chunk = out[start : start + CHUNK]
        ufunc(*(x[start : start + CHUNK] if x.ndim else x for x in flat), out=chunk)
        may_overflow |= kernel(chunk, chunk)
    return y, not may_overflow


def _can_slice(operands: list[Array]) -> bool:
    """Whether slices of all can be chunks: they are contiguous and of one shape, or scalars."""
    shapes = {x.shape for x in operands if x.ndim}
    return len(shapes) == 1 and all(x.flags.c_contiguous for x in operands)


def report_overflow(y: Array, name: str, operands: list[Array], tally: Tally, label: str) -> bool:
    """Report the overflows of a result by hardware, and return True; only return False if others are listened for.

    An infinite result of finite operands has raised overflow, unless it is a division by zero.
    """
    if tally.listeners.names != {"overflow"}:
        return False
    tally.note("overflow", overflowed(y, name, operands).reshape(-1))
    tally.report(label, y.shape)
    return True


def overflowed(y: Array, name: str, operands: Sequence[Array]) -> Array:
    """Where a result by hardware has overflowed."""
    raised = np.isinf(y)
    for x in operands:
        raised = raised & np.isfinite(x)
    if name == "divide":
        raised &= operands[1] != 0
    return raised
