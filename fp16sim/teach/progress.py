"""What a learner has tried: which attempts were graded, which hints were given, what passed. A file in her own
folder.

It is `progress.json` beside the exercises, and nothing leaves the machine. A hint is earned by an attempt: the next
one comes after a graded attempt that differs from all before. The stub as it is shipped counts as the first attempt,
so that nobody is stuck at the start; it alone is not worth a file.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..files import numbered, write_text
from . import answers
from .grading.report import Report
from .source import fingerprint_here

FILE = "progress.json"
DAMAGED = "progress-damaged.json"
CLASS = "class.toml"
"""A teacher's file, in the folder of the course or of its exercises: hints = false, solutions = false."""
STUB = "stub"
MOST_ATTEMPTS = 1000
"""Attempts that are remembered for each function."""


@dataclass(frozen=True)
class Record:
    """What is known of one function.

    Attributes
    ----------
    attempts : tuple of str
        A fingerprint of each attempt that was graded.
    shown : int
        How many hints were given.
    used : int
        How many attempts there were when the last hint was given.
    passed : bool
        Whether an attempt passed.
    misconception : str
        What the last attempt does instead, if the grader knew.
    """

    attempts: tuple[str, ...] = ()
    shown: int = 0
    used: int = 0
    passed: bool = False
    misconception: str = ""

    def after(self, fingerprint: str, report: Report) -> Record:
        """The record after a graded attempt."""
        attempts = self.attempts if fingerprint in self.attempts else (*self.attempts, fingerprint)[-MOST_ATTEMPTS:]
        return replace(self, attempts=attempts, passed=self.passed or report.passed, misconception=report.misconception)

    def after_hint(self, number: int) -> Record:
        """The record after a hint was given."""
        return replace(self, shown=number, used=len(self.attempts))

    @property
    def has_earned(self) -> bool:
        """Whether there was another attempt since the last hint."""
        return len(self.attempts) > self.used


@dataclass(frozen=True)
class Progress:
    """The records of a folder, by function; `last` is the function that was graded last."""

    records: dict[str, Record] = field(default_factory=dict)
    last: str = ""

    def of(self, name: str) -> Record:
        """The record of a function; an empty one if it was never graded."""
        return self.records.get(name, Record())

    def with_record(self, name: str, record: Record) -> Progress:
        """The progress with one record changed."""
        return Progress({**self.records, name: record}, name)


# --- the file -------------------------------------------------------------------------------------------------------


def home(folder: Path) -> Path:
    """Where the file is: the folder of the exercises, given that folder or that of the lessons."""
    return folder / "exercises" if (folder / "exercises").is_dir() else folder


def load(folder: Path, say: Callable[[str], object] = print) -> Progress:
    """The progress of a folder. A file that cannot be read is put aside, with a line that says so."""
    path = home(folder) / FILE
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        say(f"{path} cannot be read ({error.strerror}); starting without it")
        return Progress()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        aside = next(place for n in range(1, 10_000) if not (place := numbered(path.with_name(DAMAGED), n)).exists())
        path.replace(aside)
        say(f"{path} is damaged. It is kept as {aside.name}, and a new one begins: earlier attempts do not count.")
        return Progress()


def _read(data: Any) -> Progress:
    records = {str(name): _record(one) for name, one in dict(data["functions"]).items()}
    return Progress(records, str(data["last"]))


def _record(data: Any) -> Record:
    attempts = tuple(data["attempts"])
    numbers = data["shown"], data["used"]
    if not all(isinstance(x, str) for x in attempts) or not all(isinstance(n, int) and n >= 0 for n in numbers):
        raise TypeError("not a record")
    return Record(attempts, *numbers, bool(data["passed"]), str(data["misconception"]))


def save(folder: Path, progress: Progress, say: Callable[[str], object] = print) -> None:
    """Write the progress of a folder; a folder that cannot be written to gives a line, and not an error."""
    functions = {name: {**vars(record)} for name, record in progress.records.items()}
    path = home(folder) / FILE
    try:
        write_text(path, json.dumps({"last": progress.last, "functions": functions}, indent=1) + "\n")
    except OSError as error:
        say(f"{path} cannot be written ({error.strerror}): attempts and hints are not remembered")


def class_file(hints: bool, solutions: bool) -> str:
    """The text of a teacher's file.

    >>> print(class_file(True, False))
    # What a learner may see in this folder. The package is open source: this is a reminder, and no lock.
    hints = true
    solutions = false
    <BLANKLINE>
    """
    about = "# What a learner may see in this folder. The package is open source: this is a reminder, and no lock."
    return f"{about}\nhints = {str(hints).lower()}\nsolutions = {str(solutions).lower()}\n"


def allows(folder: Path, what: str) -> bool:
    """Whether "hints" or "solutions" are on: they are, unless the teacher's file in the folder or above says no.

    Raises
    ------
    ValueError
        If that file cannot be read.
    """
    for place in (home(folder), home(folder).resolve().parent):
        path = place / CLASS
        if path.is_file():
            try:
                return tomllib.loads(path.read_text(encoding="utf-8")).get(what) is not False
            except ValueError as error:
                raise ValueError(f"{str(path)!r} is not TOML ({error}); write lines such as {what} = false") from None
    return True


# --- attempts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempt:
    """A graded function of the course: what tells it from other attempts, the report, and the folder it belongs to."""

    fingerprint: str
    report: Report
    folder: Path


LATEST: dict[str, Attempt] = {}
"""The last attempt of this process at each function of the course; the last one in it was graded last."""


def note(function: Callable[..., Any], report: Report) -> Report:
    """Remember in this process that a function of the course was graded as the course asks; the report again."""
    if is_of_the_course(report):
        LATEST.pop(report.function, None)
        fingerprint = STUB if is_stub(report) else fingerprint_here(function)
        LATEST[report.function] = Attempt(fingerprint, report, _folder(function))
    return report


def _folder(function: Any) -> Path:
    """Where a function's progress is kept: beside its file, or in the working directory if it is from a notebook."""
    path = getattr(getattr(function, "__code__", None), "co_filename", "")
    return Path(path).parent if os.path.isfile(path) else Path()


def is_of_the_course(report: Report) -> bool:
    """Whether the function was graded as the course asks of a function with its name."""
    asked = answers.asked(report.function)
    if asked is None:
        return False
    task = "cases" if report.task == "cases" else asked.task
    return (report.task, report.fmt, report.mode) == (task, asked.fmt, asked.mode)


def is_stub(report: Report) -> bool:
    """Whether the function was not written yet."""
    return report.problem.endswith("it raises NotImplementedError.")


def remember(attempt: Attempt, say: Callable[[str], object] = print) -> None:
    """Write an attempt into the file of its folder; for a stub nothing is written."""
    if attempt.fingerprint != STUB:
        known, name = load(attempt.folder, say), attempt.report.function
        changed = known.with_record(name, known.of(name).after(attempt.fingerprint, attempt.report))
        if changed != known:
            save(attempt.folder, changed, say)
