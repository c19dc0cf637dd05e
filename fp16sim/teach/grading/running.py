"""Running a learner's function: whatever it does, the caller gets on.

Each call is made in a daemon thread, which the caller watches. A call that takes too long is told to stop by an
exception raised inside it (CPython's PyThreadState_SetAsyncExc, on every system); one that does not listen, because it
sleeps or because it catches everything, is left behind. Functions need not be importable, so that those typed in a
notebook can be run. What cannot be interrupted is a single operation of the interpreter itself, such as 10 ** 10 ** 9.
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
    """Raised inside a call that has used up its time."""


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
    """What became of calls: results or Raised, in order; fewer than were asked for if `stopped` says why."""

    results: tuple[Any, ...]
    stopped: str = ""
    """"" (all done), "hung" (the next call took too long) or "budget" (the time for all of them was over)."""
    printed: int = 0
    """Characters that the function printed, which nobody saw."""


def raised(error: BaseException) -> Raised:
    """An exception as data; the line is the last one outside of libraries."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if frame.filename != __file__]
    own = [frame for frame in theirs if "site-packages" not in frame.filename and "fp16sim" not in frame.filename]
    last = next(reversed(own or theirs), None)
    line = error.lineno if isinstance(error, SyntaxError) else last.lineno if last else None
    message = " ".join(str(error).split())
    return Raised(type(error).__name__, message[:200], line)


@dataclass
class _Worker:
    """The calls, one after the other, and where they are."""

    function: Callable[..., Any]
    rows: Sequence[tuple[Any, ...]]
    results: list[Any] = field(default_factory=list)
    began: float = 0.0
    enough: bool = False

    def work(self) -> None:
        """Make the calls until all are made, or enough is said."""
        with contextlib.suppress(Expired), np.errstate(all="ignore"):
            for row in self.rows:
                if self.enough:
                    return
                self.began = time.monotonic()
                self.results.append(self._call(row))

    def _call(self, row: tuple[Any, ...]) -> Any:
        # Copies: what the function does to its arguments is its own affair.
        own = [x.copy() if isinstance(x, (list, np.ndarray)) else x for x in row]
        try:
            return self.function(*own)
        except Expired:
            raise
        except BaseException as error:  # sys.exit() and the like included: it is the learner's, not ours
            return raised(error)


class _Nowhere(io.TextIOBase):
    """Where a learner's prints go while the function is called thousands of times."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)


@contextlib.contextmanager
def _quiet() -> Iterator[_Nowhere]:
    """No output, no input and no warnings."""
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
        Anything; it may raise, loop for ever, print, read, or exit.
    rows : sequence of tuple
        Arguments; lists and arrays are passed as copies.
    time_limit, budget : float
        Seconds for one call, and for all of them.

    Returns
    -------
    Run
        Exactly what was returned and raised.
    """
    worker = _Worker(function, rows)
    thread = threading.Thread(target=worker.work, daemon=True, name="graded function")
    with _quiet() as sink:
        start = worker.began = time.monotonic()
        try:
            thread.start()
        except RuntimeError:  # no threads here, as in a browser: then without a limit
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
        worker.enough = now - start > budget
    return "budget" if len(worker.results) < len(worker.rows) else ""


def _end(thread: threading.Thread) -> None:
    """Raise Expired in a thread until it ends, for half a second."""
    for _ in range(25):
        if not thread.is_alive() or thread.ident is None:
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Expired))
        thread.join(0.02)
