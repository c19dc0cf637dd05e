"""The file of guesses, `guesses.json` beside the lesson: read before each use, written beside and renamed.

What a person typed is never lost: a file that cannot be read is renamed, and a new one is begun.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...files import numbered, write_text
from ...wording import quoted
from ..quiz.results import CONFIDENCE

FILE = "guesses.json"
LARGEST = 2**22
"""Bytes of a file that is read."""


@dataclass(frozen=True)
class Kept:
    """What was said to one question; `result` and `right` once it was compared (`right` is None if unreadable)."""

    question: str
    answer: str
    confidence: str
    result: str | None = None
    right: bool | None = None


class Unreadable(ValueError):
    """A file of guesses that is not one."""


def read(folder: Path) -> dict[str, Kept]:
    """The guesses by question, in the order in which they were first made; none if there is no file.

    Raises
    ------
    Unreadable
        If the file is not one of guesses; the message says why.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"it has more than {LARGEST:,} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unreadable(error.strerror or "it cannot be opened") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error) if isinstance(error, Unreadable) else "it is not JSON in UTF-8") from error
    entries = found.get("guesses") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise Unreadable('it has no list "guesses"')
    return {entry.question: entry for entry in map(_entry, entries)}


def _entry(data: Any) -> Kept:
    names = [field.name for field in fields(Kept)]
    if not isinstance(data, dict) or not set(data) <= set(names):
        raise Unreadable(f"an entry is not a guess: {quoted(data)}")
    texts = (data.get("question"), data.get("answer"), data.get("confidence"), data.get("result", ""))
    if (
        not all(isinstance(text, str | None) for text in texts)
        or None in texts[:3]
        or texts[2] not in CONFIDENCE.values()
    ):
        raise Unreadable(f"an entry is not a guess: {quoted(data)}")
    if data.get("right") not in (None, True, False):
        raise Unreadable(f"an entry is not a guess: {quoted(data)}")
    return Kept(**data)


def write(folder: Path, guess: Kept) -> str:
    """Keep a guess, and all that are in the file; what went wrong and what was done, or "" if nothing."""
    said, known = "", {}
    try:
        known = read(folder)
    except Unreadable as error:
        said = f"{FILE} cannot be read: {error}. {_set_aside(folder / FILE)}"
    entries = [asdict(entry) for entry in (known | {guess.question: guess}).values()]
    try:
        write_text(folder / FILE, json.dumps({"guesses": entries}, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        return f"{said} Your guess is not kept: {error.strerror} ({folder / FILE}).".strip()
    return said


def _set_aside(path: Path) -> str:
    """Rename a file that cannot be read, so that it is not written over."""
    number = 1
    while (place := numbered(path.with_name("guesses-unreadable.json"), number)).exists():
        number += 1
    with suppress(OSError):
        path.rename(place)
        return f"It was renamed to {place.name}, and a new one was begun."
    return "It was left alone."
