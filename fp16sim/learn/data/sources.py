"""MNIST and Fashion-MNIST: which files they have, where they are searched, and how they are verified.

A file is used only if every bit is right: after decompression its sha256 is the one in the table. So it does not matter
who compressed it or where it came from.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

VARIABLE = "FP16SIM_DATA"
"""The environment variable that names a folder with data."""


class SourceFile(NamedTuple):
    """An IDX file: its name, its size and sha256 without compression, and the dimensions of its array."""

    name: str
    size: int
    sha256: str
    ndim: int


@dataclass(frozen=True)
class Source:
    """A data set that is not bundled: its files, where to get them, and its licence."""

    name: str
    title: str
    folders: tuple[str, ...]
    """Subfolders that are searched; files are written to the first one."""
    url: str
    """Where `fetch` downloads from by default; the name of a file is appended."""
    licence: str
    attribution: str
    files: tuple[SourceFile, ...]


_NAMES = (
    ("train-images-idx3-ubyte", 47_040_016, 3),
    ("train-labels-idx1-ubyte", 60_008, 1),
    ("t10k-images-idx3-ubyte", 7_840_016, 3),
    ("t10k-labels-idx1-ubyte", 10_008, 1),
)


def _files(*digests: str) -> tuple[SourceFile, ...]:
    return tuple(SourceFile(name, size, sha256, n) for (name, size, n), sha256 in zip(_NAMES, digests, strict=True))


MNIST = Source(
    name="mnist",
    title="70,000 digits, 28x28",
    folders=("mnist", "MNIST/raw"),
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    licence="CC BY-SA 3.0",
    attribution="MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges",
    files=_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
FASHION_MNIST = Source(
    name="fashion-mnist",
    title="70,000 clothes, 28x28",
    folders=("fashion-mnist", "FashionMNIST/raw"),
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # the server has no https; the sha256 is checked
    licence="MIT",
    attribution="Fashion-MNIST by Han Xiao, Kashif Rasul and Roland Vollgraf (Zalando SE)",
    files=_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
SOURCES = {source.name: source for source in (MNIST, FASHION_MNIST)}
_KNOWN = {file.sha256: source.name for source in SOURCES.values() for file in source.files}


# --- folders ----------------------------------------------------------------------------------------------------------


def cache_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The user's cache folder: its place depends on the system."""
    home = Path.home()
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "fp16sim" / "Cache"
    if platform == "darwin":
        return home / "Library" / "Caches" / "fp16sim"
    cache = environment.get("XDG_CACHE_HOME", "")  # only an absolute path is valid
    return (Path(cache) if cache.startswith("/") else home / ".cache") / "fp16sim"


def roots(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The folders that are searched, in this order: FP16SIM_DATA, ./data, the user's cache folder."""
    named = environment.get(VARIABLE)
    return (*([Path(named).expanduser()] if named else []), Path("data"), cache_folder(environment))


# --- verification -----------------------------------------------------------------------------------------------------

SLACK = 1 << 16
"""How many bytes longer than the content a gzip file may be."""


def read_bounded(path: Path, file: SourceFile) -> bytes:
    """The bytes of a file as it is, with or without gzip; one that is too long to be right is not read."""
    size = path.stat().st_size
    if size > file.size + SLACK:
        raise ValueError(f"it has {size} bytes and must have {file.size}")
    with path.open("rb") as stream:
        return stream.read(file.size + SLACK)


def decompress(content: bytes, file: SourceFile) -> bytes:
    """The content of a file, with or without gzip. At most one byte more than the right size is decompressed."""
    if content[:2] != b"\x1f\x8b":
        return content
    unpacker, limit = zlib.decompressobj(wbits=31), file.size + 1
    try:
        data = unpacker.decompress(content, limit)
    except zlib.error as error:
        raise ValueError(f"it is not a valid gzip file ({error})") from None
    if not unpacker.eof and len(data) < limit:
        raise ValueError(f"it was cut off: the gzip file ends after {len(content)} bytes")
    return data


def verified(content: bytes, file: SourceFile) -> bytes:
    """The decompressed bytes of a file, if they are right.

    Raises
    ------
    ValueError
        With what is wrong, but without the name of the file.
    """
    data = decompress(content, file)
    if len(data) != file.size:
        more = "at least " if len(data) > file.size and data is not content else ""
        raise ValueError(f"it has {more}{len(data)} bytes and must have {file.size}")
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        if digest in _KNOWN:
            raise OtherDataset(f"it belongs to {_KNOWN[digest]}")
        raise ValueError(f"its sha256 is {digest[:16]}... and must be {file.sha256[:16]}...")
    return data


class OtherDataset(ValueError):
    """A right file of the same name that belongs to another data set; not a fault if both are in one folder."""


class Found(NamedTuple):
    """The result of a search for a file: its path and bytes, or what is wrong with the files of that name."""

    file: SourceFile
    path: Path | None = None
    content: bytes = b""
    problems: tuple[str, ...] = ()


def candidates(source: Source, folders: tuple[Path, ...], file: SourceFile) -> list[Path]:
    """The paths where a file may be, in the order of the search."""
    places = [root / sub for root in folders for sub in (*source.folders, "")]
    return [place / (file.name + suffix) for place in places for suffix in ("", ".gz")]


def find(source: Source, folders: tuple[Path, ...], file: SourceFile) -> Found:
    """The first file of that name that is right."""
    problems = []
    for path in candidates(source, folders, file):
        if not path.is_file():
            continue
        try:
            return Found(file, path, verified(read_bounded(path, file), file))
        except OtherDataset as error:
            if path.parent not in folders:  # in the subfolder of this data set it is a fault
                problems.append(f"{path} is not used: {error}")
        except (ValueError, OSError) as error:
            problems.append(f"{path} is not used: {error}")
    return Found(file, problems=tuple(problems))
