"""Tensors of a .safetensors file, mapped and not loaded. The library safetensors reads and checks the header.

The file is a length of 8 bytes, a header, and the tensors one after the other without gaps, which the library has
checked. So their places follow from their sizes in the order of their offsets.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...formats import E2M1FN, Format, get_format
from .numbers import Coded


class _Stored(NamedTuple):
    """How a dtype is stored: the bits of an element; what NumPy reads; for codes their format."""

    bits: int
    dtype: str = ""
    fmt: Format | None = None


_NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
_NUMPY |= {"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "C64": "<c8"}
_BYTES = {"F8_E4M3": "e4m3fn", "F8_E5M2": "e5m2", "F8_E8M0": "e8m0fnu"}
_BYTES |= {"F8_E4M3FNUZ": "e4m3fnuz", "F8_E5M2FNUZ": "e5m2fnuz"}

DTYPES = {
    **{name: _Stored(8 * np.dtype(code).itemsize, code) for name, code in _NUMPY.items()},
    **{name: _Stored(8, "u1", get_format(fmt)) for name, fmt in _BYTES.items()},
    "BF16": _Stored(16, "<u2", get_format("bfloat16")),
    "F4": _Stored(4, "u1", E2M1FN),
    "F6_E2M3": _Stored(6),
    "F6_E3M2": _Stored(6),
}
"""The dtypes of the library. How four codes of 6 bits lie in three bytes, no documentation says."""


def open_safetensors(path: Path) -> dict[str, Any]:
    """The tensors by name, in the order in which they are stored: arrays, codes, or why one is not read.

    Raises
    ------
    ValueError
        If the library is missing, or refuses the file.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise ValueError("the package safetensors is missing; install it: pip install safetensors") from None
    try:
        with safe_open(path, framework="np") as file:
            headers = [(name, file.get_slice(name)) for name in file.offset_keys()]
            listed = [(name, one.get_dtype(), tuple(one.get_shape())) for name, one in headers]
    except SafetensorError as error:
        raise ValueError(f"it is not a whole .safetensors file: {' '.join(str(error).split())}") from None
    with path.open("rb") as stream:
        start = 8 + int.from_bytes(stream.read(8), "little")
    found, length = {}, path.stat().st_size
    for name, dtype, shape in listed:
        if dtype not in DTYPES:
            raise ValueError(f"{name} has the dtype {dtype}, which is new here; save it as F32")
        size = math.prod(shape) * DTYPES[dtype].bits // 8
        if start + size > length:
            raise ValueError(f"{name} ends after the file; it was changed while it was read")
        found[name] = _tensor(path, dtype, shape, start)
        start += size
    return found


def _tensor(path: Path, dtype: str, shape: tuple[int, ...], start: int) -> Any:
    """A tensor whose bytes start there."""
    stored = DTYPES[dtype]
    if not stored.dtype:
        return f"dtype={dtype} has codes of {stored.bits} bits, which are not read; save it as F32"
    per_code = 8 // stored.bits if stored.bits < 8 else 1
    if per_code > 1:
        if not shape or shape[-1] % per_code:
            return f"dtype={dtype} has two codes in a byte, and its last axis is odd; save it as F32"
        shape = (*shape[:-1], shape[-1] // per_code)
    x = map_bytes(path, stored.dtype, start, shape)
    return x if stored.fmt is None else Coded(x, stored.fmt, per_code)


def map_bytes(path: Path, dtype: str, start: int, shape: tuple[int, ...]) -> Any:
    """Numbers that start at a byte of a file, of which only what is used is read; no file maps nothing."""
    if not math.prod(shape):
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape)
