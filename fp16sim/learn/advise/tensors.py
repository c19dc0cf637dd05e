"""The tensors that a user gives: arrays in memory, files of NumPy, safetensors and PyTorch, and of `fp16sim train`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...archives import Archive, Header, check_memory, map_npy, open_archive
from ...conversion import Array, plain_array
from ...formats import BINARY32, Format, FormatLike, get_format
from ..run.checkpoint import load_arrays, word
from .numbers import Coded, Numbers, largest, reader
from .numbers import integers as floats_of_integers
from .safetensors_files import open_safetensors
from .torch_files import open_torch


def title(given: object) -> str:
    """What messages call the tensors: the path of their file, or "arrays"."""
    return str(given) if isinstance(given, (str, Path)) else "arrays"


# --- names and arrays -----------------------------------------------------------------------------------------------


@contextmanager
def opened(given: Any, max_bytes: int) -> Iterator[Mapping[str, Any]]:
    """The tensors by name. Those of an archive are read when they are asked for; ValueError if that is not possible."""
    if isinstance(given, (str, Path)):
        with _file(Path(given), max_bytes) as stored:
            yield stored
    else:
        yield {str(name): x for name, x in given.items()} if isinstance(given, Mapping) else {"array": given}


@contextmanager
def _file(path: Path, max_bytes: int) -> Iterator[Mapping[str, Any]]:
    kind = path.suffix.lower()
    if kind not in (*MAPPED, ".npz"):
        raise ValueError(
            f"{path} is not a .safetensors, .pt, .pth, .bin, .ckpt, .npz or .npy file; save the tensors with "
            "numpy.savez('grads.npz', **arrays)"
        )
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give the path of a .safetensors, .pt, .npz or .npy file")
    with ExitStack() as stack:
        with _naming(path):
            if kind in MAPPED:
                stored = MAPPED[kind](path)
            else:
                archive = stack.enter_context(open_archive(path))
                read = (header.nbytes for name, header in archive.headers.items() if not archive.is_mapped(name))
                check_memory(sum(read), max_bytes)
                stored = _Stored(path, archive)
        yield load_arrays(path, max_bytes=max_bytes) if kind == ".npz" and _is_model([*stored]) else stored


def _npy(path: Path) -> Mapping[str, Any]:
    return {path.stem: map_npy(path)}


MAPPED: dict[str, Callable[[Path], Mapping[str, Any]]] = {
    ".npy": _npy,
    ".safetensors": open_safetensors,
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt"), open_torch),
}
"""By the end of a file's name: what maps its tensors, so that they may be larger than memory."""


def _is_model(names: Sequence[str]) -> bool:
    return "about" in names and any(name.startswith("params/") for name in names)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors name the file."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


class _Stored(Mapping[str, Any]):
    """The arrays of an open archive; for one that is never opened, its header."""

    def __init__(self, path: Path, archive: Archive) -> None:
        self.path, self.archive = path, archive

    def __iter__(self) -> Iterator[str]:
        return iter(self.archive.headers)

    def __len__(self) -> int:
        return len(self.archive.headers)

    def __getitem__(self, name: str) -> Any:
        header = self.archive.headers[name]
        with _naming(self.path):
            if header.dtype is None:
                return header
            return self.archive.map(name) if self.archive.is_mapped(name) else self.archive.read(name)


# --- numbers --------------------------------------------------------------------------------------------------------


def by_size(formats: FormatLike | Sequence[FormatLike]) -> dict[int, Format]:
    """The formats of codes by the bytes of a code; ValueError if there are two for a size, or one for a wide code."""
    found: dict[int, Format] = {}
    for fmt in as_formats(formats):
        size = word(fmt).itemsize
        if size > 2:
            raise ValueError(f"read_as={fmt} has more than 16 bits; NumPy's own dtypes say what wider numbers are")
        if size in found:
            raise ValueError(f"read_as={found[size]},{fmt} are two formats for codes of {8 * size} bits; give one")
        found[size] = fmt
    return found


def as_formats(given: FormatLike | Sequence[FormatLike]) -> tuple[Format, ...]:
    """One format or several, each once."""
    return tuple(dict.fromkeys(map(get_format, given if isinstance(given, (list, tuple)) else [given])))


def as_numbers(x: Any, read_as: Mapping[int, Format], integers: bool = True) -> Numbers | str:
    """The numbers of a tensor, to be read piece by piece, or the reason why that is not possible.

    Parameters
    ----------
    x : array_like
        A tensor of PyTorch is taken off its device and out of its graph.
    read_as : mapping
        From `by_size`: what arrays of unnamed bytes are codes of.
    integers : bool
        Whether integers count as numbers.
    """
    if isinstance(x, str):
        return x
    if isinstance(x, Header):
        return f"dtype={x.descr} stands for Python objects or structures, which are never opened"
    if isinstance(x, Coded):
        return Numbers(x.codes, reader(x.fmt, x.per_code), x.per_code)
    try:
        x = _in_numpy(x)
    except (TypeError, ValueError, RuntimeError) as error:
        return f"it is not an array: {' '.join(str(error).split())}"
    if x.dtype.kind == "V" and x.dtype.names is None and x.dtype.subdtype is None:
        return _decoded(x, read_as)
    if integers and x.dtype.kind in "iu":
        if x.dtype.itemsize < 8 or largest(x) < 2**53:
            return Numbers(x, floats_of_integers)
        return "it has integers of 2^53 or more, which float64 does not tell apart"
    if x.dtype.kind == "f" and x.dtype.itemsize <= 8:
        return Numbers(x)
    return f"dtype={x.dtype} is not a float of up to 64 bits{' or an integer' if integers else ''}"


def dtype_of(x: Any) -> str:
    """The dtype of a tensor, or the format of an array of ours."""
    return str(getattr(x, "fmt", None) or getattr(x, "dtype", None) or np.asarray(x).dtype)


def _in_numpy(x: Any) -> Array:
    if callable(getattr(x, "detach", None)):
        x = x.detach().cpu()
        try:
            return np.asarray(x.numpy())
        except TypeError:  # PyTorch's bfloat16 and float8, which NumPy does not have; float32 has all their numbers
            x = x.float().numpy()
    return plain_array(x, "x")


def _decoded(x: Array, read_as: Mapping[int, Format]) -> Numbers | str:
    """The numbers of an array whose dtype NumPy does not know."""
    try:
        if get_format(x.dtype).fits_in(BINARY32):  # a type of ml_dtypes
            return Numbers(x, lambda part: part.astype(np.float32))
    except ValueError:
        pass
    size = x.dtype.itemsize
    if size not in read_as:
        example = {1: "e5m2", 2: "bfloat16"}.get(size)
        hint = f"; if it is {example}, say so with read_as={example!r} (--as {example})" if example else ""
        return f"dtype={x.dtype} does not say which format its codes have{hint}"
    codes, fmt = x.view(f"<u{size}"), read_as[size]
    if fmt.width < 8 * size and (code := largest(codes)) >> fmt.width:
        return f"it has the code {code}, and {fmt} has codes up to {(1 << fmt.width) - 1}"
    return Numbers(codes, reader(fmt))
