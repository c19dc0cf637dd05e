"""The table of a sweep: one file of JSON lines, to which finished cells are appended.

The first line says what the table is of: the version, the function and the options that all cells share. Each further
line is a cell: `config`, `key`, `result` or `failure`, and `seconds`, in this order. A later line replaces an earlier
one of the same key: a cell that failed and was computed again has two. No line is ever changed.

A process that is killed while it writes leaves a last line without its end. Such a line is no record, so that its cell
is computed again; it is removed before the next record is written. One process at a time may write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..files import claim, claim_file, why_not_writable, write_text
from ..version import __version__
from ..wording import quoted
from .cells import Cell, canonical, key_of
from .work import Failure, Outcome

FORMAT = 1
"""The version of the file's layout."""

MARK = "fp16sim_sweep"


@dataclass(frozen=True)
class Record:
    """A finished cell: its whole configuration, and its result or its failure."""

    key: str
    config: dict[str, Any]
    result: dict[str, Any] | None
    failure: Failure | None
    seconds: float

    @classmethod
    def of(cls, cell: Cell, outcome: Outcome) -> Record:
        """What came of a cell."""
        return cls(cell.key, cell.config, *outcome)

    def to_line(self) -> str:
        """The line of the table, with its end. All but `seconds` depends on the configuration alone."""
        came = {"result": self.result} if self.failure is None else {"failure": asdict(self.failure)}
        line = {"config": self.config, "key": self.key, **came, "seconds": self.seconds}
        return canonical(line) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Record:
        """The record of a line; ValueError if it is none."""
        try:
            given = json.loads(line)
            failure = Failure(**given["failure"]) if "failure" in given else None
            record = cls(given["key"], given["config"], given.get("result"), failure, given["seconds"])
        except (TypeError, KeyError, ValueError, RecursionError) as error:
            raise ValueError(f"is not a record ({type(error).__name__}: {error})") from None
        if not isinstance(record.config, dict) or (failure is None) != isinstance(record.result, dict):
            raise ValueError("has neither a result nor a failure")
        if key_of(record.config) != record.key:
            raise ValueError("was changed: its key is not that of its configuration")
        return record


@dataclass(frozen=True)
class Header:
    """What a table is of: the function of its cells, and the options that all of them share."""

    function: str
    base: Mapping[str, Any]

    def to_line(self) -> str:
        """The first line of the table."""
        made = {MARK: FORMAT, "version": __version__, "function": self.function, "base": dict(self.base)}
        return json.dumps(made, ensure_ascii=False) + "\n"

    def check(self, line: str, path: Path) -> None:
        """ValueError if the first line of a file is not that of this sweep's table."""
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or MARK not in found:
            raise ValueError(f"table={str(path)!r} is not the table of a sweep; give another file")
        if found[MARK] != FORMAT or found.get("version") != __version__:
            theirs = f"{quoted(found.get('version'))}, layout {quoted(found[MARK])}"
            ours = f"{quoted(__version__)}, layout {FORMAT}"
            raise ValueError(
                f"table={str(path)!r} was written by fp16sim {theirs}, and this is {ours}, "
                "whose results may have other bits; give another table"
            )
        for name, own in (("function", self.function), ("base", dict(self.base))):
            if found.get(name) != own:
                raise ValueError(f"table={str(path)!r} is of another sweep: {_difference(name, found.get(name), own)}")


def _difference(name: str, theirs: Any, ours: Any) -> str:
    """The first difference between two headers, and the way out."""
    there, here = f"{name}={quoted(theirs)}", quoted(ours)
    if name == "base" and isinstance(theirs, dict):
        for option in sorted(theirs.keys() | ours.keys()):
            if _value(theirs, option) != _value(ours, option):
                there, here = (f"{option}={_value(theirs, option)}", _value(ours, option))
                break
    return f"it has {there}, and this one {here}; give another table (its axes may grow, but not that)"


def _value(options: Mapping[str, Any], name: str) -> str:
    return quoted(options[name]) if name in options else "the default"


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path, header: Header) -> dict[str, Record]:
    """The records of a table by key, without a torn last line; none if there is no such file.

    Raises
    ------
    ValueError
        If the file is not a table of this sweep and this version, or a line was changed.
    """
    return _read(path, header)[0]


def _read(path: Path, header: Header) -> tuple[dict[str, Record], int, bool]:
    """The records; how many bytes of the file are whole lines; and whether the last record lacks its line break."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, 0, False
    whole = content.rfind(b"\n") + 1
    first, *lines = content[:whole].decode("utf-8", "replace").split("\n")
    header.check(first, path)
    lines, rest = lines[:-1], content[whole:].decode("utf-8", "replace")
    unended = bool(rest) and not _is_torn(rest)
    records: dict[str, Record] = {}
    for number, line in enumerate([*lines, *([rest] if unended else [])], 2):
        try:
            record = Record.from_line(line)
        except ValueError as error:
            raise ValueError(f"table={str(path)!r}: line {number} {error}; correct or remove that line") from None
        if record.failure is None or record.key not in records or records[record.key].failure:
            records[record.key] = record
    return records, whole, unended


def _is_torn(rest: str) -> bool:
    """Whether a last line without its end is the beginning of a record: JSON ends with its last brace only."""
    begin = '{"config":'
    if not (rest.startswith(begin) or begin.startswith(rest)):
        return False
    try:
        json.loads(rest)
    except (ValueError, RecursionError):
        return True
    return False


# --- writing --------------------------------------------------------------------------------------------------------


class Writer:
    """A table that can get new records; its file is made, or repaired, when the first one comes.

    Attributes
    ----------
    records : dict
        Those that it has, by key.
    """

    def __init__(self, path: Path | None, header: Header) -> None:
        self._path, self._header, self._handle = path, header, -1
        self.records: dict[str, Record] = {} if path is None else read(path, header)

    def append(self, record: Record) -> None:
        """Add a finished cell. It is on the disk when this returns."""
        if self._path is not None:
            if self._handle < 0:
                self._handle = self._opened(self._path)
            left = memoryview(record.to_line().encode("ascii"))
            try:
                while left:
                    left = left[os.write(self._handle, left) :]
                os.fsync(self._handle)
            except OSError as error:  # it names no file by itself
                raise OSError(error.errno, error.strerror, str(self._path)) from None
        self.records[record.key] = record

    def _opened(self, path: Path) -> int:
        """The file at its end, without a torn last line."""
        _, whole, unended = _read(path, self._header)
        if not path.exists():
            write_text(path, self._header.to_line())
        handle = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
        if unended:
            os.write(handle, b"\n")
        elif whole:
            os.ftruncate(handle, whole)
        return handle

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)


@contextmanager
def writing(path: Path | None, header: Header) -> Iterator[Writer]:
    """Open a table for new records; without a path, one in memory.

    Raises
    ------
    ValueError
        As `read`, and if another process is writing, or the file cannot be written.
    """
    if path is None:
        yield Writer(None, header)
        return
    if why := why_not_writable(path):
        raise ValueError(f"table={str(path)!r}: {why}")
    with claim(path) as ours:
        if not ours:
            raise ValueError(
                f"table={str(path)!r}: another process is writing it; wait for its end, or give another table (if "
                f"there is none, delete {str(claim_file(path))!r})"
            )
        writer = Writer(path, header)
        try:
            yield writer
        finally:
            writer.close()
