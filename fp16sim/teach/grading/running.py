"""Running a learner's function: whatever it does, the caller continues.

The calls are made in a daemon thread, which the caller watches. A call that takes too long is stopped by an exception
raised inside it (CPython's PyThreadState_SetAsyncExc, on every system). A call that cannot be stopped so, because it
sleeps or catches everything, is left running in its thread. A process would need functions that can be imported; a
thread also runs those typed in a notebook. Nothing interrupts a single operation of the interpreter, such as
10 ** 10 ** 9.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Expired(BaseException):
    """Raised inside a call that takes too long."""


@dataclass(frozen=True)
class Raised:
    """What a call raised instead of returning."""

    kind: str
    message: str
    line: int | None

    def __str__(self) -> str:
        where = f", line {self.line}" if self.line else ""
        return f"raised {self.kind}{where}" + (f": {self.message}" if self.message else "")


@dataclass(frozen=True)
class Run:
    """What the calls gave: results or Raised, in order; fewer than the calls asked for if `stopped` says why."""

    results: tuple[Any, ...]
    stopped: str = ""
    """"" (all calls made), "hung" (the next call took too long) or "budget" (the time for all calls was up)."""
    printed: int = 0
    """Characters that the function printed; they are not shown."""


def raised(error: BaseException) -> Raised:
    """An exception as data; the line is the last one in the learner's own code, if there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if frame.filename != __file__]
    own = [frame for frame in theirs if "site-packages" not in frame.filename and "fp16sim" not in frame.filename]
    last = next(reversed(own or theirs), None)
    line = error.lineno if isinstance(error, SyntaxError) else last.lineno if last else None
    message = " ".join(str(error).split())
    return Raised(type(error).__name__, message[:200], line)


@dataclass
class _Worker:
    """The calls, one after the other, and how many are made."""

    function: Callable[..., Any]
    rows: Sequence[tuple[Any, ...]]
    results: list[Any] = field(default_factory=list)
    began: float = 0.0
    """When the current call began."""
    time_is_up: bool = False

    def work(self) -> None:
        """Make the calls until all are made, or the time for all is up."""
        with contextlib.suppress(Expired), np.errstate(all="ignore"):
            for row in self.rows:
                if self.time_is_up:
                    return
                self.began = time.monotonic()
                self.results.append(self._call(row))

    def _call(self, row: tuple[Any, ...]) -> Any:
        # Copies, so that a function that changes its arguments does not change our cases.
        own = [x.copy() if isinstance(x, (list, np.ndarray)) else x for x in row]
        try:
            return self.function(*own)
        except Expired:
            raise
        except BaseException as error:  # also SystemExit: the learner's sys.exit() must not end our program
            return raised(error)


class _Nowhere(io.TextIOBase):
    """A file that counts what is written to it and forgets it: for the prints of thousands of calls."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)


@contextlib.contextmanager
def _quiet() -> Iterator[_Nowhere]:
    """Without output, input and warnings."""
    sink, stdin = _Nowhere(), sys.stdin
    sys.stdin = io.StringIO()
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield sink
    finally:
        sys.stdin = stdin


def run(function: Callable[..., Any], rows: Sequence[tuple[Any, ...]], time_limit: float, budget: float) -> Run:
    """Call `function(*row)` for each row.

    Parameters
    ----------
    function : callable
        Any function; it may raise, loop for ever, print, read, or exit.
    rows : sequence of tuple
        Arguments; lists and arrays are passed as copies.
    time_limit, budget : float
        Seconds for one call, and for all of them.

    Returns
    -------
    Run
        What was returned and raised, unchanged.
    """
    worker = _Worker(function, rows)
    thread = threading.Thread(target=worker.work, daemon=True, name="graded function")
    with _quiet() as sink:
        start = worker.began = time.monotonic()
        try:
            thread.start()
        except RuntimeError:  # no threads here, as in a browser: run without a limit
            worker.work()
            return Run(tuple(worker.results), "", sink.count)
        try:
            stopped = _watch(thread, worker, start, time_limit, budget)
        finally:  # also when the watcher itself is interrupted
            if thread.is_alive():
                _end(thread)
    return Run(tuple(worker.results[: len(rows)]), stopped, sink.count)


def _watch(thread: threading.Thread, worker: _Worker, start: float, time_limit: float, budget: float) -> str:
    while thread.is_alive():
        thread.join(0.02)
        now = time.monotonic()
        if now - worker.began > time_limit and thread.is_alive():
            return "hung"
        worker.time_is_up = now - start > budget
    return "budget" if len(worker.results) < len(worker.rows) else ""


def _end(thread: threading.Thread) -> None:
    """Raise Expired in a thread again and again until it ends, for at most half a second."""
    for _ in range(25):
        if not thread.is_alive() or thread.ident is None:
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Expired))
        thread.join(0.02)
