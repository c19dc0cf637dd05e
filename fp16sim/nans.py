"""NaN in arrays: its payload, and what a signaling NaN raises (IEEE 754-2019, section 6.2).

A NaN is signaling if the first bit of its payload is 0, else quiet. An operation on a signaling NaN raises invalid, and
its result is a quiet NaN. A float32 or float64 that carries a NaN of a narrower format has that format's payload in its
own leading bits, so the first bit is the same one. NumPy's casts make a NaN quiet; these functions do not.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from .flags import Tally, current_listeners
from .formats import BINARY64, get_format

Array: TypeAlias = np.ndarray[Any, Any]


def has_nan(x: Array) -> bool:
    """Whether an element is NaN: then NumPy's minimum is NaN, which takes less time than asking each element."""
    if not x.ndim:
        return bool(x != x)
    return bool(np.isnan(np.minimum.reduce(x, axis=None, initial=np.inf)))


def is_signaling(x: Array) -> Array:
    """Which elements of a float32 or float64 array are signaling NaNs."""
    bits, quiet = (x.view(np.uint64), 1 << 51) if x.itemsize == 8 else (x.view(np.uint32), 1 << 22)
    return np.asarray(np.isnan(x) & (bits & bits.dtype.type(quiet) == 0))


def any_signaling(*operands: Array) -> Array:
    """Where one of the operands is a signaling NaN; quickly, where they have no NaN at all."""
    if not any(map(has_nan, operands)):
        return np.asarray(False)
    return reduce(np.logical_or, map(is_signaling, operands))


def report_signaling(operation: str, *operands: Array) -> None:
    """Raise invalid for the signaling NaNs among the operands of an operation that has no other exceptions."""
    signaling = any_signaling(*operands)
    if signaling.any():
        tally = Tally(current_listeners())
        tally.note("invalid", signaling.reshape(-1))
        tally.report(operation, signaling.shape)


def quieted(x: Array) -> Array:
    """The same numbers; signaling NaNs become quiet, and keep the rest of their payload."""
    with np.errstate(all="ignore"):
        return np.multiply(x, x.dtype.type(1))  # as every operation of the processor


def widened(x: Array) -> Array:
    """Narrower floats as float64, with the payloads of their NaNs."""
    if x.dtype == np.float64:
        return x
    with np.errstate(all="ignore"):  # the cast of a signaling NaN
        values = x.astype(np.float64)
    if not has_nan(values) or x.dtype.name not in WITH_PAYLOADS:
        return values
    fmt = get_format(x.dtype)
    bits = x.view(f"u{x.itemsize}").astype(np.uint64)
    sign = bits >> np.uint64(fmt.width - 1) << np.uint64(63)
    payload = (bits & np.uint64(2**fmt.trailing_bits - 1)) << np.uint64(BINARY64.trailing_bits - fmt.trailing_bits)
    return np.where(np.isnan(values), (sign | payload | np.uint64(0x7FF << 52)).view(np.float64), values)


WITH_PAYLOADS = ("float16", "float32", "bfloat16", "float8_e5m2", "float8_e4m3")
"""The dtypes of NumPy and ml_dtypes whose NaNs are those of IEEE 754."""
