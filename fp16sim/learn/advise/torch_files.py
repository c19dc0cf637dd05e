"""Tensors of PyTorch's .pt and .pth files, mapped and not loaded; their pickle is read as data and never executed.

Since version 1.6 such a file is a zip archive: `data.pkl` says which tensors there are, and each storage is a file,
`data/0`, `data/1` ..., which is not compressed.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...archives import stored_at
from ...formats import get_format
from ...wording import quoted, shortened
from .numbers import Coded
from .safetensors_files import map_bytes
from .torch_pickle import CODES, CONVERT, DTYPE_OF, StoredTensor, read_pickle

MOST_BYTES_OF_PICKLE = 1 << 26
MOST_ITEMS, LONGEST_NAME = 1 << 18, 2000
"""Of all dicts and lists together; of a tensor, with the names of what it is in."""
OVERLAPS = 16
"""Tensors may share storages, but together they are at most this many times as large as the file."""

_FORMATS = {name: get_format(name.removesuffix("_x2")) for name in ("bfloat16", *CODES)}


def _words(dtype: str) -> str:
    """The NumPy type of what a storage of a dtype has."""
    fmt = _FORMATS.get(dtype)
    return dtype if fmt is None else f"u{max(fmt.width, 8) // 8}"


class _Archive(NamedTuple):
    """The storages of an open archive."""

    path: Path
    file: zipfile.ZipFile
    root: str
    big_endian: bool
    length: int

    def storage(self, key: str, dtype: np.dtype[Any], elements: int) -> tuple[int, int]:
        """Where a storage starts, and how many elements of a dtype it has."""
        info = self.file.getinfo(f"{self.root}data/{key}")
        start = stored_at(self.file, info, self.length)
        if elements * dtype.itemsize > info.file_size:
            raise ValueError(f"data/{shortened(key)} has {info.file_size:,} bytes, and its pickle says more")
        return start, info.file_size // dtype.itemsize


def open_torch(path: Path) -> dict[str, Any]:
    """The tensors of a state dict by name: arrays, codes, or why one is not read. Names in dicts are joined by dots.

    Raises
    ------
    ValueError
        If the file is damaged, or holds anything but tensors, numbers and texts in dicts and lists.
    """
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        why = " ".join(str(error).split())
        raise ValueError(
            f"it is not a zip archive, as PyTorch writes it since version 1.6 ({why}); {CONVERT}"
        ) from None
    with file:
        try:
            archive = _opened(path, file)
            told = read_pickle(file.read(f"{archive.root}data.pkl"))
            found = {name: _read(archive, tensor) for name, tensor in _named(told).items()}
        except KeyError as error:
            raise ValueError(f"the archive lacks a file ({quoted(error.args[0])}); it was cut off or changed") from None
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError) as error:
            raise ValueError(f"it is damaged ({' '.join(str(error).split())})") from None
    if sum(x.size * x.itemsize for x in map(_array, found.values()) if x is not None) > OVERLAPS * archive.length:
        raise ValueError(f"its tensors are more than {OVERLAPS} times as large as the file, because they share numbers")
    if not found:
        raise ValueError("it has no tensor")
    return found


def _array(x: Any) -> np.ndarray[Any, Any] | None:
    return None if isinstance(x, str) else x.codes if isinstance(x, Coded) else x


def _opened(path: Path, file: zipfile.ZipFile) -> _Archive:
    names = [info.filename for info in file.infolist()]
    if len(set(names)) < len(names):
        raise ValueError("it has two members with the same name")
    roots = [name.removesuffix("data.pkl") for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise ValueError(f"it has no data.pkl, so it is not a file of torch.save; {CONVERT}")
    (root,) = roots
    length, info = path.stat().st_size, file.getinfo(f"{root}data.pkl")
    stored_at(file, info, length)
    if info.file_size > MOST_BYTES_OF_PICKLE:
        raise ValueError(f"its pickle has {info.file_size:,} bytes; at most {MOST_BYTES_OF_PICKLE:,} are read")
    order = f"{root}byteorder"
    big = order in names and file.getinfo(order).file_size == 3 and file.read(order) == b"big"
    return _Archive(path, file, root, big, length)


def _named(told: Any) -> dict[str, StoredTensor]:
    """The tensors in dicts, lists and tuples, each with the names on the way to it, in their order.

    A list may hold itself, or the same list twice, and so on: there is a limit to what is looked at.
    """
    found: dict[str, StoredTensor] = {}
    left, seen = [("", told)], 0
    while left:
        path, value = left.pop()
        seen += 1
        if seen > MOST_ITEMS or len(path) > LONGEST_NAME:
            raise ValueError(f"its dicts and lists are too deep, or have more than {MOST_ITEMS:,} items in all")
        if isinstance(value, StoredTensor):
            name, number = path or "tensor", 1
            while name in found:
                name, number = f"{path} ({number + 1})", number + 1
            found[name] = value
        elif isinstance(value, (dict, list, tuple)):
            items = list(value.items() if isinstance(value, dict) else enumerate(value))
            left += [(f"{path}.{name}" if path else str(name), item) for name, item in reversed(items)]
    return found


def _read(archive: _Archive, tensor: StoredTensor) -> Any:
    """The numbers of a tensor, mapped; or why they are not read."""
    name = tensor.dtype.removeprefix("torch.") or DTYPE_OF.get(tensor.storage.type, "")
    if not name:
        raise ValueError("a tensor has no dtype")
    dtype = np.dtype(_words(name)).newbyteorder(">" if archive.big_endian else "<")
    elements = tensor.storage.elements // (dtype.itemsize if tensor.dtype else 1)  # of bytes, if it is untyped
    start, elements = archive.storage(tensor.storage.key, dtype, elements)
    size = math.prod(tensor.shape)
    if size > elements:
        return f"its {size:,} numbers are views of {elements:,} stored ones; save a copy (tensor.contiguous())"
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if size and last >= elements:
        raise ValueError(f"a tensor reaches beyond data/{shortened(tensor.storage.key)}; the file was changed")
    if not size:
        x = np.empty(tensor.shape, dtype)
    else:
        whole = map_bytes(archive.path, dtype.str, start, (elements,))
        steps = tuple(step * dtype.itemsize for step in tensor.strides)
        x = np.lib.stride_tricks.as_strided(whole[tensor.offset :], tensor.shape, steps, writeable=False)
    fmt = _FORMATS.get(name)
    if fmt is None:
        return x
    if fmt.width < 8 and (not tensor.shape or not x.flags.c_contiguous):
        return f"dtype={name} has two codes in a byte, and is not contiguous; save a copy (tensor.contiguous())"
    return Coded(x, fmt, 2 if fmt.width < 8 else 1)
