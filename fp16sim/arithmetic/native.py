"""One operation by the hardware's float32 or float64, where that is correctly rounded after one more rounding.

A shortcut of `arithmetic`, for speed: the clear path gives the same results.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..conversion import Array
from ..flags import Listening, Tally
from ..formats import BINARY32, BINARY64, Format, Rounding
from ..rounding import kernels
from .intermediates import UFUNCS, hardware_for

PIECE = 1 << 17
"""Elements computed and rounded at a time."""


class Hardware(NamedTuple):
    """A ufunc that computes an operation in `dtype`, and the kernel that rounds what it gives (None: nothing to do)."""

    ufunc: np.ufunc
    dtype: np.dtype[Any]
    kernel: kernels.Kernel | None
    tells: bool
    """Whether the kernel looks at a piece (with its `look`) if that has a number that is not finite."""


@lru_cache(maxsize=1024)
def hardware_of(name: str, fmt: Format, mode: Rounding) -> Hardware | None:
    """How the hardware computes an operation, or None where the clear path has to."""
    dtype = hardware_for(fmt, mode)
    if dtype is None or name not in UFUNCS:
        return None
    kernel = None if fmt in (BINARY32, BINARY64) else kernels.find(fmt, mode, "float32")
    return Hardware(UFUNCS[name], np.dtype(dtype), kernel, fmt.emax < BINARY32.emax)


def by_hardware(hardware: Hardware, operands: list[Array], listeners: Listening) -> tuple[Array, bool]:
    """The result, and whether there is nothing to tell the listeners: all is finite, or nobody listens.

    A finite result has raised neither invalid, nor divide_by_zero, nor (in ties to even) overflow.
    """
    operands = [x if x.dtype == hardware.dtype else x.astype(hardware.dtype) for x in operands]
    if not listeners.names:
        return _piecewise(hardware, operands, None), True
    large: list[int] = []
    with np.errstate(all="ignore") if listeners.announced else nullcontext():
        y = _piecewise(hardware, operands, lambda piece, start: large.append(start))  # None: once is enough
    return y, (hardware.tells and not large) or bool(np.isfinite(y).all())


def _piecewise(hardware: Hardware, operands: list[Array], look: Any) -> Array:
    """The operation and its rounding, a piece at a time, so that what is rounded is still in the cache."""
    ufunc, _, kernel, _ = hardware
    if kernel is None or max(operands[0].size, operands[-1].size) <= PIECE or not _alike(operands):
        y = np.asarray(ufunc(*operands))
        if kernel is not None:
            y = y if y.flags.c_contiguous else np.ascontiguousarray(y)
            kernel(y, y, None, look)
        return y
    shape = next(x.shape for x in operands if x.ndim)
    y = np.empty(shape, hardware.dtype)
    flat, out = [x.reshape(-1) if x.ndim else x for x in operands], y.reshape(-1)
    for start in range(0, out.size, PIECE):
        part = out[start : start + PIECE]
        ufunc(*(x[start : start + PIECE] if x.ndim else x for x in flat), out=part)
        kernel(part, part, None, look)
    return y


def _alike(operands: list[Array]) -> bool:
    """Whether all are contiguous and of one shape, or scalars."""
    shapes = {x.shape for x in operands if x.ndim}
    return len(shapes) == 1 and all(x.flags.c_contiguous for x in operands)


def heard(y: Array, name: str, operands: list[Array], listeners: Listening, label: str) -> bool:
    """Whether all that listeners want to hear of a result by hardware, not all finite, is known, and told to them.

    An infinite result of finite operands, and no division by zero, has raised overflow.
    """
    if listeners.names != {"overflow"}:
        return False
    raised = np.isinf(y)
    for x in operands:
        raised = raised & np.isfinite(x)
    if name == "divide":
        raised &= operands[1] != 0
    tally = Tally(listeners)
    tally.note("overflow", raised.reshape(-1))
    tally.report(label, y.shape)
    return True
