"""The process of a learner's file: it loads the file, calls its functions, and answers with plain data.

`process` starts it, and is the only one who talks to it. It knows no right answers, and whatever it says is read as
data by a parent that alone decides. Requests come and answers go as lines of JSON, on pipes that are not the standard
input and output: what the file prints goes nowhere, and what it reads is empty. An answer is a line with a result; all
other lines start with a mark.

    ["load", path]                                  -> an answer: the names of the functions, and TASKS
    ["call", name, columns of arguments, seconds]   -> ["begin"], an answer for each row until the time is up, and
                                                       ["done", characters printed]
    when a function calls a rounder that it was given: ["round", number of the rounder, shape of x], the bytes of x
                                                       -> the bytes of y
"""

from __future__ import annotations

import json
import math
import os
import runpy
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ...formats import get_format
from .plain import from_json, to_json
from .running import call, quiet, rows_of

RUN_NAME = "graded_file"
"""The name of the module of a file that is graded; not its own name, which may be that of a library."""
MARK = b"!"
"""The first byte of a line that is not an answer."""
MEMORY = 2**30
"""Bytes that a file may take, beside those of Python and NumPy."""
CPU_SECONDS = 3600
"""The end of a process whose parent was killed and could not end it."""
FILE_SIZE = 2**26
"""Bytes of a file that it may write."""


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    connection = _Connection()
    _limit_resources()
    with quiet() as sink, np.errstate(all="ignore"):
        module: Mapping[str, Any] = {}
        while request := connection.read():
            if request[0] == "load":
                module = _load(connection, request[1])
            else:
                sink.count = 0  # not what the file printed when it was loaded: in a lesson that is much
                _call(connection, module, *request[1:])
                connection.write("done", sink.count)


class _Connection:
    """The pipes to the parent, under numbers of their own; the standard ones lead nowhere."""

    def __init__(self) -> None:
        self.requests = os.fdopen(os.dup(0), "rb")
        self.answers = os.fdopen(os.dup(1), "wb", buffering=0)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)

    def read(self) -> Any:
        line = self.requests.readline()
        return json.loads(line) if line else None

    def answer(self, result: Any) -> None:
        fast = type(result) is float and math.isfinite(result)
        self.write_bytes(f"{result!r}\n".encode() if fast else json.dumps(to_json(result)).encode() + b"\n")

    def write(self, *message: Any) -> None:
        self.write_bytes(MARK + json.dumps(message).encode() + b"\n")

    def write_bytes(self, data: bytes) -> None:
        sent = self.answers.write(data)
        while sent < len(data):
            sent += self.answers.write(memoryview(data)[sent:])


def _refuse_fork(event: str, arguments: tuple[Any, ...]) -> None:
    """For `sys.addaudithook`: processes that multiply would take the machine down before their time is up."""
    if event in ("os.fork", "os.forkpty"):
        raise PermissionError("a file that is graded may not fork")


def _limit_resources() -> None:
    """Limit memory, time, files and forks, where the system can; the parent limits time everywhere."""
    sys.addaudithook(_refuse_fork)
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {"RLIMIT_AS": _size() + MEMORY, "RLIMIT_CPU": CPU_SECONDS, "RLIMIT_FSIZE": FILE_SIZE, "RLIMIT_CORE": 0}
    for name, limit in limits.items():
        with suppress(AttributeError, ValueError, OSError):
            which = getattr(resource, name)
            _, hard = resource.getrlimit(which)
            most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(which, (most, most))


def _size() -> int:
    """Bytes of address space that this process takes already, where the system says so."""
    with suppress(OSError, ValueError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 2**31


# --- requests -------------------------------------------------------------------------------------------------------


def _load(connection: _Connection, path: str) -> Mapping[str, Any]:
    sys.path.insert(0, str(Path(path).resolve().parent))  # the file may import other files beside it
    module: dict[str, Any] = {}
    connection.answer(call(lambda: _contents(module, path), ()))
    return module


def _contents(module: dict[str, Any], path: str) -> tuple[list[str], Any]:
    """Run the file; the names of its functions, and its table TASKS."""
    module.update(runpy.run_path(path, run_name=RUN_NAME))
    theirs = [name for name, value in module.items() if callable(value)]
    table = module.get("TASKS")
    return theirs, _settings(table) if isinstance(table, Mapping) else None


def _settings(table: Mapping[Any, Any]) -> dict[Any, Any]:
    """TASKS, with formats as plain data."""
    return {name: tuple(_setting(x) for x in what) if isinstance(what, tuple) else what for name, what in table.items()}


def _setting(x: Any) -> Any:
    return x if isinstance(x, (str, list)) else get_format(x).to_dict()


def _call(connection: _Connection, module: Mapping[str, Any], name: str, columns: Any, seconds: float) -> None:
    """Call a function for each row, until the time is up."""
    end = time.monotonic() + seconds
    function: Callable[..., Any] = module[name]
    rows = rows_of([_arguments(connection, column) for column in columns])
    connection.write("begin")
    for row in rows:
        connection.answer(call(function, row))
        if time.monotonic() > end:
            return


def _arguments(connection: _Connection, column: Any) -> Any:
    if isinstance(column, dict) and "rounders" in column:
        return [_Rounder(connection, number) for number in range(column["rounders"])]
    return from_json(column)


class _Rounder:
    """A rounder that the parent computes: nothing here says whether it is right."""

    def __init__(self, connection: _Connection, number: int) -> None:
        self._connection, self._number = connection, number

    def __call__(self, x: Any) -> Any:
        given = np.asarray(x, np.float64)
        self._connection.write("round", self._number, given.shape)
        self._connection.write_bytes(given.tobytes())
        y = np.frombuffer(self._connection.requests.read(given.nbytes)).reshape(given.shape).copy()
        return y if given.shape else float(y)
