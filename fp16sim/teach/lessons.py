"""The lessons that come with the package, copied to a student's folder; the student's own work is never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..files import write_bytes
from . import course

KINDS = (".py", ".ipynb", ".md", ".png")


@dataclass(frozen=True)
class Copied:
    """The files by what was done with them; names are relative to the folder."""

    written: tuple[str, ...]
    same: tuple[str, ...]
    """Already there, and equal to ours."""
    kept: tuple[str, ...]
    """Already there and different: the student's own work, which is kept."""


def files() -> tuple[Path, ...]:
    """The lessons, exercises and pictures, relative to their folder."""
    folder = course.source()
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix in KINDS)
    return tuple(sorted(path for path in found if _is_for_students(path)))


def _is_for_students(path: Path) -> bool:
    """The lessons of the course, and their exercises; pictures and texts; not the reference, nor our tools."""
    if path.parent not in (Path(), Path("exercises")):
        return False
    return path.suffix in (".md", ".png") or path.stem in course.NAMES


def copy(target: str | Path) -> Copied:
    """Copy the lessons into a folder, which is created if needed; files that are there and differ are kept.

    Raises
    ------
    ValueError
        If the target is a file, or the folder of the lessons themselves.
    """
    folder, target = course.source(), Path(target)
    if target.exists() and not target.is_dir():
        raise ValueError(f"folder={str(target)!r} is a file; choose a folder")
    if target.resolve() == folder:
        raise ValueError(f"folder={str(target)!r} is where the lessons come from; choose another")
    outcome: dict[str, list[str]] = {"written": [], "same": [], "kept": []}
    for name in files():
        outcome[_place(folder / name, target / name)].append(name.as_posix())
    return Copied(tuple(outcome["written"]), tuple(outcome["same"]), tuple(outcome["kept"]))


def _place(origin: Path, place: Path) -> str:
    content = origin.read_bytes()
    if place.exists() or place.is_symlink():
        return "same" if place.is_file() and place.read_bytes() == content else "kept"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(place, content)
    return "written"
