"""The lessons that come with the package, copied to a student's folder; the student's own work is never overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..files import write_bytes
from . import course, start


@dataclass(frozen=True)
class Copied:
    """The files by what was done with them; names are relative to the folder."""

    written: tuple[str, ...]
    same: tuple[str, ...]
    """Already there, and equal to ours."""
    kept: tuple[str, ...]
    """Already there and different: the student's own work, which is kept."""


def files(outputs: bool = False) -> dict[str, Callable[[], bytes]]:
    """What is copied: for each name, relative to the folder, a function that gives the content.

    The start page comes first; then each lesson, its notebook and its exercises; the texts beside
    them, and the explorer.
    """
    folder = course.source()
    found: dict[str, Callable[[], bytes]] = {
        f"{start.NAME}.md": lambda: start.page().encode(),
        f"{start.NAME}.ipynb": lambda: start.notebook().encode(),
    }
    for name in course.NAMES:
        found[f"{name}.py"] = (folder / f"{name}.py").read_bytes
        found[f"{name}.ipynb"] = partial(_notebook, folder / f"{name}.ipynb", outputs)
        if name != course.FIRST:
            found[f"exercises/{name}.py"] = (folder / "exercises" / f"{name}.py").read_bytes
    beside = [*sorted(folder.glob("*.md")), folder / "explorer.html"]
    return found | {path.name: path.read_bytes for path in beside}


def _notebook(path: Path, outputs: bool) -> bytes:
    return path.read_bytes() if outputs else without_outputs(path.read_text(encoding="utf-8")).encode()


def without_outputs(notebook: str) -> str:
    """A notebook as it is before it is run, so that no result stands below its question.

    >>> print(without_outputs('{"cells": [{"cell_type": "code", "execution_count": 1, "outputs": [1]}]}'))
    {
     "cells": [
      {
       "cell_type": "code",
       "execution_count": null,
       "outputs": []
      }
     ]
    }
    <BLANKLINE>
    """
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = None, []
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def copy(target: str | Path, outputs: bool = False, extras: Mapping[str, str] | None = None) -> Copied:
    """Copy the lessons into a folder, which is created if needed; files that are there and differ are kept.

    With `outputs`, the notebooks have their results, as a teacher wants them. `extras` are more files, from their names
    in the folder to their texts.

    Raises
    ------
    ValueError
        If the target is a file, or the folder of the lessons themselves.
    """
    target = Path(target)
    if target.exists() and not target.is_dir():
        raise ValueError(f"folder={str(target)!r} is a file; choose a folder")
    if target.resolve() == course.source():
        raise ValueError(f"folder={str(target)!r} is where the lessons come from; choose another")
    outcome: dict[str, list[str]] = {"written": [], "same": [], "kept": []}
    other = files(not outputs)
    for name, content in files(outputs).items():
        outcome[_place(target / name, content(), other[name]())].append(name)
    for name, text in (extras or {}).items():
        outcome[_place(target / name, text.encode(), text.encode())].append(name)
    return Copied(tuple(outcome["written"]), tuple(outcome["same"]), tuple(outcome["kept"]))


def _place(place: Path, content: bytes, other: bytes) -> str:
    """Write a file, unless it is there with the student's changes; `other` is the same notebook, run or not run."""
    there = place.read_bytes() if place.is_file() else None
    if there == content:
        return "same"
    if (place.exists() or place.is_symlink()) and there != other:
        return "kept"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(place, content)
    return "written"
