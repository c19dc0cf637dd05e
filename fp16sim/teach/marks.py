"""The marks of a class: what each student handed in, graded as the course asks, in one table.

A folder has a folder for each student, or a file for each. A file of exercises is known by the functions in it,
whatever its name; the tables TASKS in it do not count. Stubs that were not touched count as missing. What goes wrong
with one student is a note in her line. With a table `marks.csv` there is a file `marks.csv.progress.json`: with it,
the next run grades only what is new or changed.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..files import why_not_writable, write_text
from ..version import __version__
from ..wording import aligned, printable, quoted, shortened
from . import answers, course, grade, variants
from .grading.report import Report

DEEPEST, MOST_FILES, LARGEST = 5, 200, 2**20
"""Folders in a student's folder, Python files of a student, and bytes of a file that are looked at."""
VARIANT = "variant"
CELLS = "# %%"
"""What a lesson has, and a file of exercises has not."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """The line of a student: her scores by exercise, and what went wrong."""

    student: str
    scores: Mapping[str, int]
    note: str


@dataclass(frozen=True)
class Marks:
    """The table: the exercises that somebody handed in, and a row for each student."""

    exercises: tuple[str, ...]
    rows: tuple[Row, ...]

    def total(self, row: Row) -> int:
        """The mean of the scores, rounded down; what is missing counts 0."""
        return sum(row.scores.get(name, 0) for name in self.exercises) // max(len(self.exercises), 1)

    def note(self, row: Row) -> str:
        """What went wrong, and which exercises are missing."""
        lessons = dict.fromkeys(lesson_of(name) for name in self.exercises if name not in row.scores)
        missing = [lesson for lesson in lessons if f"{lesson}.py" not in row.note]
        return "; ".join(filter(None, [row.note, f"missing: {', '.join(missing)}" if missing else ""]))

    def to_list(self) -> list[dict[str, Any]]:
        """A record for each student, JSON-able."""
        return [
            {"student": r.student, "scores": dict(r.scores), "total": self.total(r), "note": self.note(r)}
            for r in self.rows
        ]

    def csv(self) -> str:
        """The table as CSV, for a spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["student", *self.exercises, "total", "note"])
        for row in self.rows:
            scores = [row.scores.get(name, "") for name in self.exercises]
            writer.writerow([cell(row.student), *scores, self.total(row), cell(self.note(row))])
        return text.getvalue()

    def __str__(self) -> str:
        """The totals, for a terminal."""
        if not self.rows:
            return "nobody handed in anything"
        count = len(self.exercises)
        lines = [["student", "total", "passed", "  note"]]
        for row in self.rows:
            passed = sum(score == 100 for score in row.scores.values())
            lines.append([printable(row.student), str(self.total(row)), f"{passed} of {count}", f"  {self.note(row)}"])
        width = max(len(line[3]) for line in lines)
        return aligned([[*line[:3], line[3].ljust(width)] for line in lines])


def cell(text: str) -> str:
    """A text for a spreadsheet, which takes a text that begins with = + - or @ for a formula: those get a '.

    >>> cell("=1+1"), cell("Anna"), cell(" @sum")
    ("'=1+1", 'Anna', "' @sum")
    """
    shown = printable(text)
    return f"'{shown}" if shown.lstrip()[:1] in tuple("=+-@") else shown


# --- what was handed in ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Submission:
    """A student, and her Python files."""

    student: str
    files: tuple[Path, ...]

    def key(self, *setting: Any) -> str:
        """What changes with the content of a file, or with how it is graded."""
        parts = [repr((__version__, *setting))]
        for path in self.files:
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.stat().st_size <= LARGEST else "large"
            parts.append(f"{path} {content}")
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def submissions(folder: Path) -> list[Submission]:
    """The students of a folder: its folders and its Python files; or one, if it is itself the folder of a student."""
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith((".", "__"))]
    files = [entry for entry in entries if entry.is_file() and entry.suffix == ".py"]
    if any(path.stem in course.NAMES for path in files):
        return [Submission(folder.resolve().name, _python_files(folder))]
    found = [Submission(entry.name, _python_files(entry)) for entry in entries if entry.is_dir()]
    return sorted(found + [Submission(path.stem, (path,)) for path in files], key=lambda one: one.student)


def _python_files(folder: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):  # links to folders are not followed
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__"))) if depth < DEEPEST else []
        found += [Path(place, name) for name in sorted(names) if name.endswith(".py") and Path(place, name).is_file()]
    return tuple(found[:MOST_FILES])


@lru_cache(maxsize=1)
def _functions() -> dict[str, str]:
    """The lesson of each exercise."""
    exercises = {name: one.lesson for name, one in answers.everything().items() if not one.is_puzzle}
    return exercises | dict.fromkeys(variants.EXERCISES, VARIANT)


def lesson_of(exercise: str) -> str:
    """The lesson to which an exercise belongs, or "variant"."""
    return _functions().get(exercise, "")


def _lesson(path: Path, text: str) -> str:
    """The lesson whose exercises a file has, by its functions, or by its name if it cannot be read; "" if none."""
    try:
        names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        known = [name for name in (*course.NAMES, VARIANT) if name in path.stem]
        return max(known, key=len, default="")
    lessons = [lesson_of(name) for name in names if lesson_of(name)]
    return max(lessons, key=lessons.count, default="")


@dataclass(frozen=True)
class _Handed:
    """A file of exercises."""

    lesson: str
    path: Path
    text: str

    @property
    def rank(self) -> tuple[bool, bool]:
        """Files in a folder "exercises" come first, and lessons, which have stubs as well, last."""
        return CELLS in self.text, self.path.parent.name != "exercises"

    @property
    def is_untouched(self) -> bool:
        """Whether it is the stub as it is shipped."""
        stub = course.source() / "exercises" / f"{self.lesson}.py"
        return stub.is_file() and stub.read_text(encoding="utf-8").split() == self.text.split()


def _handed(submission: Submission) -> list[_Handed]:
    """The best file of each lesson."""
    found: dict[str, _Handed] = {}
    for path in submission.files:
        if path.stat().st_size > LARGEST:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        one = _Handed(_lesson(path, text), path, text)
        if one.lesson and not one.is_untouched and (one.lesson not in found or one.rank < found[one.lesson].rank):
            found[one.lesson] = one
    return [one for one in found.values() if not one.rank[0]] or list(found.values())


# --- grading --------------------------------------------------------------------------------------------------------


def grade_class(
    folder: Path,
    table: Path | None = None,
    *,
    secret: str = "",
    force: bool = False,
    limits: Mapping[str, float] | None = None,
    on_progress: OnProgress | None = None,
) -> Marks:
    """Grade a class, and write the table if one is named.

    Parameters
    ----------
    folder : Path
        A folder for each student, or a file for each.
    table : Path, optional
        The CSV file. It replaces only what this function wrote, unless `force`.
    secret : str
        The word with which the variants were made.
    limits : mapping, optional
        `budget` and `time_limit`, as for `grade.file`.
    on_progress : callable, optional
        Called with the number of students that are done, and that there are.

    Raises
    ------
    ValueError
        If the folder holds nothing to grade, or the table cannot be written.
    """
    students = submissions(folder)
    if not students:
        raise ValueError(f"folder={str(folder)!r} has no folders of students and no Python files")
    state = _State.load(table, force) if table else _State()
    rows: list[Row] = []
    for done, submission in enumerate(students):
        if on_progress:
            on_progress(done, len(students))
        rows.append(_row(submission, state, secret, dict(limits or {})))
        if table:
            state.save(table)
    if on_progress:
        on_progress(len(students), len(students))
    marks = _marks(rows)
    if table:
        state.write(table, marks.csv())
    return marks


def _marks(rows: list[Row]) -> Marks:
    handed_in = {name for row in rows for name in row.scores}
    return Marks(tuple(name for name in _functions() if name in handed_in), tuple(rows))


def _row(submission: Submission, state: _State, secret: str, limits: dict[str, float]) -> Row:
    """The line of a student, from the state if nothing changed."""
    try:
        key = submission.key(secret, sorted(limits.items()))
        if (known := state.done.get(submission.student)) and known["key"] == key:
            return Row(submission.student, known["scores"], known["note"])
        row = _graded(submission, secret, limits)
    except Exception as error:  # one student costs a line, and not the class
        return Row(submission.student, {}, f"not graded: {shortened(printable(str(error)))}")
    state.done[submission.student] = {"key": key, "scores": dict(row.scores), "note": row.note}
    return row


def _graded(submission: Submission, secret: str, limits: dict[str, float]) -> Row:
    scores: dict[str, int] = {}
    notes: list[str] = []
    for one in _handed(submission):
        try:
            declared = _declared(one, submission.student, secret)
            reports = grade.file(one.path, declared=declared, **limits)
        except (ValueError, OSError) as error:
            notes.append(_without_path(str(error), one))
            continue
        scores |= {report.function: report.score for report in reports}
        notes += filter(None, map(_trouble, reports))
    if not scores and not notes:
        notes = ["nothing handed in"]
    return Row(submission.student, scores, "; ".join(notes))


def _declared(one: _Handed, student: str, secret: str) -> Mapping[str, Any]:
    """What the course asks of a file. The variant of somebody else is refused."""
    if one.lesson != VARIANT:
        return answers.declared(one.lesson)
    named = variants.named_in(one.text)
    if named is None:
        raise ValueError("does not say whose variant it is: the line STUDENT is missing")
    variant = variants.draw(named[0], secret)
    if not variants.words(named[0]) <= variants.words(student):
        raise ValueError(f"is the variant of somebody else: {quoted(named[0])}")
    if named[1] != variant.check:
        raise ValueError("was made with another class secret, or for another name")
    return variant.tasks


def _without_path(message: str, one: _Handed) -> str:
    """A message about a file, with its short name: {path!r} did not run -> rounding.py did not run."""
    name = f"{one.lesson}.py"
    told = message.replace(f"path={str(one.path)!r}", "did not run:").replace(repr(str(one.path)), "")
    return f"{name} {shortened(printable(told), 150)}"


def _trouble(report: Report) -> str:
    """What a teacher wants to know beside the score."""
    if "did not return within" in report.problem or report.note.startswith("The time was up"):
        return f"time limit: {report.function}"
    if report.problem.startswith("There is no function"):
        return f"no function {report.function}"
    if "NotImplementedError" in report.problem:
        return f"not written: {report.function}"
    return f"{report.function}: {shortened(printable(report.problem), 100)}" if report.problem else ""


# --- what the next run needs ----------------------------------------------------------------------------------------


@dataclass
class _State:
    """The students that are graded, with what changes when their files do; and the tables that were written."""

    done: dict[str, Any]
    tables: list[str]

    def __init__(self, done: dict[str, Any] | None = None, tables: list[str] | None = None) -> None:
        self.done, self.tables = done or {}, tables or []

    @staticmethod
    def path(table: Path) -> Path:
        return table.with_name(f"{table.name}.progress.json")

    @classmethod
    def load(cls, table: Path, force: bool) -> _State:
        """What an earlier run left. A table that it did not write is not replaced."""
        for path in (table, cls.path(table)):
            if why := why_not_writable(path):
                raise ValueError(f"csv={str(path)!r}: {why}")
        try:
            data = json.loads(cls.path(table).read_text(encoding="utf-8"))
            done = {str(name): _known(one) for name, one in data["done"].items()}
            state = cls(done, [str(one) for one in data["tables"]])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            state = cls()
        if table.exists() and not force and _digest(table.read_bytes()) not in state.tables:
            raise ValueError(
                f"csv={str(table)!r} exists, and was not written by this command or was edited since; "
                "choose another name, or replace it with --force"
            )
        return state

    def save(self, table: Path) -> None:
        write_text(self.path(table), json.dumps({"tables": self.tables, "done": self.done}, indent=1) + "\n")

    def write(self, table: Path, text: str) -> None:
        """Write the table. The mark at the beginning tells spreadsheets that it is UTF-8."""
        content = f"\ufeff{text}"
        self.tables = [*self.tables, _digest(content.encode("utf-8", "replace"))][-2:]
        self.save(table)
        write_text(table, content.encode("utf-8", "replace").decode("utf-8"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _known(data: Any) -> dict[str, Any]:
    scores = {str(name): int(score) for name, score in data["scores"].items()}
    return {"key": str(data["key"]), "scores": scores, "note": str(data["note"])}
