"""`load`: any data set by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from .dataset import Array, Dataset
from .digits import load_digits
from .idx import read_idx
from .sources import FASHION_MNIST, MNIST, SOURCES, VARIABLE, Found, Source, cache_folder, find, roots
from .synthetic import sequences, spirals

DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": load_digits,
    "mnist": lambda: load_idx(MNIST),
    "fashion-mnist": lambda: load_idx(FASHION_MNIST),
    "spirals": spirals,
    "sequences": sequences,
}
"""By name; the functions themselves have options."""


def load(name: str, folder: str | Path | None = None) -> Dataset:
    """A data set, verified: rows of float32 in [0, 1] (the digits: float64), int labels, and its `image_shape`.

    Nothing is downloaded: `fp16sim data mnist` does that, once and on request. A pixel k is the float32 nearest to
    k / 255.

    Parameters
    ----------
    name : str
        "digits", "mnist", "fashion-mnist", "spirals" or "sequences".
    folder : path, optional
        Where to look for MNIST's files instead of FP16SIM_DATA, ./data and the user's cache folder; they may lie in a
        subfolder "mnist" or "fashion-mnist", and be compressed by gzip.

    Raises
    ------
    ValueError
        For an unknown name, and where files are missing or not the right ones: it says which, where they were looked
        for, and where to put them.

    Examples
    --------
    >>> load("spirals").classes
    3
    """
    key = str(name).strip().lower().replace("_", "-")
    key = {"fashion": "fashion-mnist", "fashionmnist": "fashion-mnist"}.get(key, key)
    if key not in DATASETS:
        raise ValueError(f"data={name!r} is unknown; use one of {', '.join(DATASETS)}")
    if folder is None:
        return DATASETS[key]()
    if key not in SOURCES:
        raise ValueError(f"folder={str(folder)!r}: {key} needs no files; leave folder out")
    return load_idx(SOURCES[key], (Path(folder),))


def load_idx(source: Source, folders: tuple[Path, ...] | None = None) -> Dataset:
    """MNIST or Fashion-MNIST from its four files."""
    folders = roots() if folders is None else folders
    missing, arrays = [], []
    for file in source.files:  # one at a time, so that little is held twice
        found = find(source, folders, file)
        if found.path is None:
            missing.append(found)
        elif not missing:
            arrays.append(_as_rows(read_idx(found.content, str(found.path), file.ndim)))
    if missing:
        raise ValueError(explain_missing(source, folders, missing))
    images, labels, tests, test_labels = arrays
    return Dataset(source.name, images, labels, tests, test_labels, image_shape=(28, 28))


def _as_rows(x: Array) -> Array:
    """Labels as int64; images as rows of float32 in [0, 1], each rounded once."""
    if x.ndim == 1:
        return x.astype(np.int64)
    rows = x.reshape(len(x), -1).astype(np.float32)
    rows /= np.float32(255)
    return rows


def explain_missing(source: Source, folders: tuple[Path, ...], missing: list[Found]) -> str:
    """Which files are missing or wrong, where they were looked for, and the way out: one line."""
    absent = [found.file.name for found in missing if not found.problems]
    parts = [f"{', '.join(absent)} not found"] if absent else []
    parts += [problem for found in missing for problem in found.problems]
    looked = ", ".join(str(folder) for folder in folders)
    home = cache_folder() / source.folders[0]
    return (
        f"data={source.name}: {'; '.join(parts)}; looked in {looked}, and in {source.folders[0]} in each. Get the "
        f"files with 'fp16sim data {source.name}', or put them (.gz or plain) into {home} or a folder "
        f"that {VARIABLE} names"
    )
