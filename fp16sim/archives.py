"""NumPy's files, .npz and .npy, from anyone: what a file says about its arrays is checked before a number is read.

A .npy file is a header and the numbers; a .npz file is a zip archive of .npy files. A header is text such as

    {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }

It is compared with a pattern and never evaluated, and pickles are never opened. A header must agree with the size of
its file, so that a small file cannot ask for much memory unless it is compressed; `check_memory` is for those.

Every ValueError here says what is wrong, but not with which file: the caller names it.
"""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from .wording import shortened

MAX_BYTES = 1 << 32
"""How much memory a file may need, unless the caller gives another limit."""

MAX_HEADER = 10_000
"""Characters in a header; NumPy has the same limit."""

LARGE = 1 << 26
"""Arrays of a .npz file from this many bytes on are mapped and not read, if they are not compressed."""

_HEADER = re.compile(
    r"\{\s*'descr'\s*:\s*(?P<descr>'[^'\\]{1,99}'|\[.+\])\s*,\s*'fortran_order'\s*:\s*(?P<fortran>True|False)\s*,"
    r"\s*'shape'\s*:\s*\((?P<shape>(?:[0-9]+\s*,\s*)*[0-9]*)\s*\)\s*,?\s*\}\s*"
)
_SIMPLE = re.compile(r"[<>|=]?[biufcmMSUVO?][0-9]{0,9}(\[[0-9a-zA-Z]+\])?")
"""The code of a dtype that is not a structure, such as <f4, |b1, <U10 or <M8[ns]."""

_AS_BYTES = {"<f1": "|V1"}
"""Codes that NumPy does not know, and the bytes that they stand for: ml_dtypes writes float8_e5m2 as <f1."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, LookupError, ValueError, OSError, EOFError, RuntimeError)
"""What zipfile and NumPy raise if a file is not what it should be (RuntimeError: "encrypted", "not implemented")."""


class Header(NamedTuple):
    """What a file says about an array.

    Attributes
    ----------
    name : str
        Its name in the archive.
    descr : str
        Its dtype as the header states it, such as "<f4".
    shape : tuple of int
    fortran_order : bool
        Whether the first index runs fastest.
    """

    name: str
    descr: str
    shape: tuple[int, ...]
    fortran_order: bool

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The dtype; None for Python objects (pickles), structures and unknown codes, which are never read."""
        if not _SIMPLE.fullmatch(self.descr):
            return None
        try:
            dtype = np.dtype(_AS_BYTES.get(self.descr, self.descr))
        except (TypeError, ValueError):
            return None
        return None if dtype.hasobject else dtype

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes its numbers take; 0 if its dtype is None."""
        return self.size * (self.dtype.itemsize if self.dtype else 0)


def read_header(file: IO[bytes], name: str, length: int) -> Header:
    """The header at the start of a .npy file of `length` bytes.

    Raises
    ------
    ValueError
        If there is no header, or it does not fit the length.
    """
    start = file.read(8)  # the magic string, and the version: 1 has a length of 2 bytes, 2 and 3 have one of 4
    if start[:6] != b"\x93NUMPY" or start[6:7] not in (b"\1", b"\2", b"\3"):
        raise ValueError(f"{name} is not an array in NumPy's format")
    count = int.from_bytes(file.read(2 if start[6] == 1 else 4), "little")
    if count > MAX_HEADER:
        raise ValueError(f"{name} has a header of {count:,} characters; at most {MAX_HEADER:,} are read")
    text = file.read(count)
    found = _HEADER.fullmatch(text.decode("utf-8", "replace"))
    if len(text) < count or not found:
        raise ValueError(f"{name} has a header that is cut off or not in NumPy's format")
    shape = tuple(int(n) for n in found["shape"].split(",") if n.strip())
    if max(shape, default=0) >= 1 << 63:  # even if another dimension is 0
        raise ValueError(f"{name} has dimensions of 2^63 or more")
    header = Header(name, found["descr"].strip("'"), shape, found["fortran"] == "True")
    needed = (10 if start[6] == 1 else 12) + count + header.nbytes
    if header.dtype and needed != length:
        raise ValueError(
            f"{name} has {length:,} bytes, but its header (dtype={header.descr}, shape={shape}) needs {needed:,}; "
            "it was cut off or changed"
        )
    return header


def npy_header(path: Path) -> Header:
    """The header of a .npy file, checked against the length of the file."""
    with _one_reason(), path.open("rb") as file:
        return read_header(file, path.stem, path.stat().st_size)


def map_npy(path: Path) -> np.ndarray[Any, Any] | Header:
    """The array of a .npy file, of which only what is used is read; its header if its dtype is None."""
    header = npy_header(path)
    if header.dtype is None:
        return header
    if header.descr not in _AS_BYTES:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    start = path.stat().st_size - header.nbytes
    return np.memmap(path, header.dtype, "r", start, header.shape, "F" if header.fortran_order else "C")


class Archive:
    """The arrays of a .npz file: all `headers` are known and checked, and the numbers are read one array at a time."""

    def __init__(self, file: zipfile.ZipFile, length: int) -> None:
        self._file, self._length = file, length
        self._members = {info.filename.removesuffix(".npy"): info for info in _array_members(file, length)}
        self.headers = {name: self._header(name) for name in self._members}

    def _header(self, name: str) -> Header:
        info = self._members[name]
        with self._file.open(info) as member:
            return read_header(member, name, info.file_size)

    def read(self, name: str) -> np.ndarray[Any, Any]:
        """An array; ValueError if it is damaged, and for Python objects and structures."""
        header = self.headers[name]
        if header.dtype is None:
            raise ValueError(f"{name} has dtype={header.descr}, which is not read")
        with _one_reason(), self._file.open(self._members[name]) as member:
            if header.descr not in _AS_BYTES:
                return np.lib.format.read_array(member, allow_pickle=False)
            numbers = member.read()[-header.nbytes :] if header.nbytes else b""
            return np.ndarray(header.shape, header.dtype, numbers, order="F" if header.fortran_order else "C")

    def is_mapped(self, name: str) -> bool:
        """Whether `map` gives an array: a large one of a file on disk, not compressed."""
        stored = self._members[name].compress_type == zipfile.ZIP_STORED
        return stored and self.headers[name].nbytes >= LARGE and self._file.filename is not None

    def map(self, name: str) -> np.ndarray[Any, Any]:
        """An array, of which only what is used is read. Its checksum is not compared, which `read` does."""
        header, info = self.headers[name], self._members[name]
        assert header.dtype is not None
        with _one_reason():
            start = stored_at(self._file, info, self._length) + info.file_size - header.nbytes
            order: Any = "F" if header.fortran_order else "C"
            return np.memmap(self._file.filename or "", header.dtype, "r", start, header.shape, order)


def stored_at(file: zipfile.ZipFile, info: zipfile.ZipInfo, length: int) -> int:
    """Where the bytes of a member that is not compressed start in an archive of `length` bytes.

    Raises
    ------
    ValueError
        If the member is compressed or encrypted, or not where the archive says.
    """
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
        raise ValueError(f"{info.filename} is compressed or encrypted; save the file without compression")
    stream = file.fp
    assert stream is not None
    stream.seek(info.header_offset)
    head = stream.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise ValueError(f"{info.filename} is not where the archive says; it was cut off or changed")
    start = info.header_offset + 30 + sum(struct.unpack("<HH", head[26:30]))
    if start + info.file_size > length:
        raise ValueError(f"{info.filename} ends after the archive; it was cut off or changed")
    return start


_RATIOS = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}
"""How many bytes a compressed byte can stand for, by method; these two methods are read in small parts."""


def _array_members(file: zipfile.ZipFile, length: int) -> Iterator[zipfile.ZipInfo]:
    """The members that are arrays, each with a name of its own and a size that the archive of `length` can have."""
    seen = set()
    for info in file.infolist():
        name = info.filename
        if name in seen:
            raise ValueError(f"it has two members with the name {name}")
        seen.add(name)
        if not name.endswith(".npy"):
            continue
        if info.compress_type not in _RATIOS:
            raise ValueError(f"{name} is compressed by method {info.compress_type}; NumPy uses 0 and 8")
        if info.file_size > _RATIOS[info.compress_type] * info.compress_size or info.compress_size > length:
            raise ValueError(f"{name} cannot have {info.file_size:,} bytes; the archive was cut off or changed")
        yield info


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The arrays of a .npz file, for a `with` block; ValueError if it is not one, or a header is wrong."""
    with _one_reason():
        file = zipfile.ZipFile(path)
    with file:
        with _one_reason():
            archive = Archive(file, path.stat().st_size)
        yield archive


def check_memory(needed: int, max_bytes: int) -> None:
    """Refuse what would need more memory than the limit."""
    if needed > max_bytes:
        raise ValueError(
            f"it would take {needed:,} bytes of memory, more than max_bytes={max_bytes:,}; if you trust the file, give "
            "a larger limit (--max-bytes)"
        )


@contextmanager
def _one_reason() -> Iterator[None]:
    """Turn what a damaged file raises into a ValueError of one line."""
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(shortened(" ".join(str(error).split()), 500) or type(error).__name__) from None
