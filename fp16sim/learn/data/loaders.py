"""Data sets from files: the bundled digits, MNIST and Fashion-MNIST in the IDX format; and `load`, any set by its name.

The digits are Optical Recognition of Handwritten Digits by E. Alpaydin and C. Kaynak (1998), UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49, licensed CC BY 4.0: 1,797 images of 8 x 8 pixels with 17 grey levels (the
test set of the original). Only the file format was changed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np

from ...conversion import Array
from ...wording import did_you_mean, quoted
from .dataset import Dataset
from .sources import SOURCES, VARIABLE, Found, Source, cache_folder, find, roots
from .synthetic import sequences, spirals
from .text import PREFIX, authors, load_text

# --- the bundled digits ---------------------------------------------------------------------------------------------


def load_digits(test_share: float = 0.2, *, rng: int = 0) -> Dataset:
    """The bundled 8 x 8 digits: 1,797 real images in ten classes.

    In the original the images of each writer follow each other, so they are shuffled.

    Parameters
    ----------
    test_share : float
        The part of the images that is kept for tests.
    rng : int
        The seed of the shuffle.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.train_images.shape, digits.test_images.shape, digits.image_shape
    ((1438, 64), (359, 64), (8, 8))
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share={test_share} leaves no images to test on or none to train on; use 0.2")
    with (files(__package__) / "digits.npz").open("rb") as file, np.load(file) as stored:
        images, labels = stored["images"], stored["labels"].astype(np.int64)
    order = np.random.default_rng(rng).permutation(len(labels))
    images, labels = images[order].reshape(len(labels), -1) / 16.0, labels[order]
    cut = round(len(labels) * (1 - test_share))
    return Dataset("digits", images[:cut], labels[:cut], images[cut:], labels[cut:], image_shape=(8, 8))


# --- MNIST and Fashion-MNIST ----------------------------------------------------------------------------------------


def load_idx(source: Source, folders: tuple[Path, ...] | None = None) -> Dataset:
    """MNIST or Fashion-MNIST from its four IDX files."""
    folders = roots() if folders is None else folders
    missing, arrays = [], []
    for file in source.files:  # one at a time, so that only one file is in memory twice
        found = find(source, folders, file)
        if found.path is None:
            missing.append(found)
        elif not missing:
            arrays.append(_as_rows(read_idx(found.content, str(found.path), file.ndim)))
    if missing:
        raise ValueError(_explain_missing(source, folders, missing))
    images, labels, tests, test_labels = arrays
    return Dataset(source.name, images, labels, tests, test_labels, image_shape=(28, 28))


def _as_rows(x: Array) -> Array:
    """Labels as int64; images as rows of float32 in [0, 1], each pixel rounded once."""
    if x.ndim == 1:
        return x.astype(np.int64)
    rows = x.reshape(len(x), -1).astype(np.float32)
    rows /= np.float32(255)
    return rows


def _explain_missing(source: Source, folders: tuple[Path, ...], missing: list[Found]) -> str:
    """Which files are missing or wrong, which folders were searched, and what to do, in one line."""
    absent = [found.file.name for found in missing if not found.problems]
    parts = [f"{', '.join(absent)} not found"] if absent else []
    parts += [problem for found in missing for problem in found.problems]
    searched = ", ".join(str(folder) for folder in folders)
    home = cache_folder() / source.folders[0]
    return (
        f"data={source.name}: {'; '.join(parts)}; searched {searched}, and the subfolder {source.folders[0]} of each. "
        f"Get the files with 'fp16sim data {source.name}', or put them (with or without gzip) into {home} or into a "
        f"folder that {VARIABLE} names"
    )


UNSIGNED_BYTE = 8


def read_idx(content: bytes, what: str, ndim: int | None = None) -> Array:
    """The array of unsigned bytes in an IDX file: exact, a view of `content`.

    IDX is the file format of MNIST; all its numbers have the high byte first:

        byte 0, 1    zero
        byte 2       the type of the elements: 8 means unsigned bytes, the only type that is read here
        byte 3       the number of dimensions
        then         each dimension as a 32-bit integer, and the elements, the last dimension running fastest

    Parameters
    ----------
    content : bytes
    what : str
        The file's name, for errors.
    ndim : int, optional
        The number of dimensions that it must have: 3 for images, 1 for labels.

    Raises
    ------
    ValueError
        For another magic number, another number of dimensions, or a length that does not fit the dimensions.

    Examples
    --------
    >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]), "labels")
    array([7, 2, 1], dtype=uint8)
    """
    magic = content[:4]
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != UNSIGNED_BYTE or not magic[3]:
        raise ValueError(
            f"{what} starts with {magic.hex(' ') or 'nothing'}; an IDX file of unsigned bytes starts with 00 00 08"
        )
    dimensions = magic[3]
    if ndim is not None and dimensions != ndim:
        kinds = {1: "labels have", 3: "images have"}
        rule = f"{kinds.get(ndim, 'it must have')} {ndim}"
        raise ValueError(
            f"{what} has {dimensions} dimensions (magic {magic.hex(' ')}), but {rule}; give the right file"
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise ValueError(f"{what} has {len(content)} bytes, but its header needs {start}; it was cut off: get it again")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) != start + math.prod(shape):
        raise ValueError(
            f"{what} has {len(content)} bytes, but a header of {start} and shape={shape} need "
            f"{start + math.prod(shape)}; it was cut off or changed: get it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


# --- any data set by its name -----------------------------------------------------------------------------------------


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": load_digits,
    "mnist": lambda: load_idx(SOURCES["mnist"]),
    "fashion-mnist": lambda: load_idx(SOURCES["fashion-mnist"]),
    "spirals": spirals,
    "sequences": sequences,
    "alice": lambda: load_text("alice"),
    "authors": authors,
}
"""By name, with the default options; the functions themselves have options."""


def load(name: str, folder: str | Path | None = None) -> Dataset:
    """A data set, verified: rows of float32 in [0, 1] (the digits: float64), int labels, and its `image_shape`.

    Nothing is downloaded: `fp16sim data mnist` does that, once and only on request. A pixel k becomes the float32
    nearest to k / 255.

    Parameters
    ----------
    name : str
        "digits", "mnist", "fashion-mnist", "spirals", "sequences", "alice", "authors", or "text:FILE": a text as
        windows of characters, see `Text`.
    folder : path, optional
        Where the files of MNIST or Fashion-MNIST are, or are in a subfolder "mnist" or "fashion-mnist", with or without
        gzip. Without it FP16SIM_DATA, ./data and the user's cache folder are searched.

    Raises
    ------
    ValueError
        If the name is unknown, or files are missing or wrong. The message says which files, which folders were
        searched, and where to put the files.

    Examples
    --------
    >>> load("spirals").classes
    3
    """
    if str(name).startswith(PREFIX) and folder is None:
        return load_text(name)
    key = str(name).strip().lower().replace("_", "-")
    key = {"fashion": "fashion-mnist", "fashionmnist": "fashion-mnist"}.get(key, key)
    if key not in DATASETS:
        raise ValueError(
            f"data={quoted(name)} is unknown; {did_you_mean(key, DATASETS)}use one of {', '.join(DATASETS)}"
        )
    if folder is None:
        return DATASETS[key]()
    if key not in SOURCES:
        raise ValueError(f"folder={str(folder)!r}: {key} needs no files; leave folder out")
    return load_idx(SOURCES[key], (Path(folder),))
