"""Running a learner's function in this process: whatever it does, the caller continues.

The calls are made in a daemon thread, which the caller watches. A call that takes too long is stopped by an exception
raised inside it (CPython's PyThreadState_SetAsyncExc, on every system). A call that cannot be stopped in this way,
because it sleeps or catches everything, is left running in its thread. A thread also runs functions that are typed in a
notebook, which another process could not import.

This is for honest use: nothing interrupts a single operation of the interpreter, such as 10 ** 10 ** 9, and a function
in this process can end it, or change the grader. Files of learners run in a process of their own: see `process`.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import io
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from .plain import plain, raised


class Expired(BaseException):
    """Raised inside a call that takes too long."""


@dataclass(frozen=True)
class Run:
    """What the calls gave, as plain data: results or Raised, in order.

    There are fewer results than calls if `failure` or `out_of_time` says why.
    """

    results: tuple[Any, ...]
    failure: str = ""
    """What the next call did instead of returning: it "did not return within 2 seconds", say."""
    out_of_time: bool = False
    """The time for all calls was up."""
    printed: int = 0
    """Characters that the function printed; they are not shown."""

    @property
    def complete(self) -> bool:
        """Whether all calls were made."""
        return not (self.failure or self.out_of_time)


Calls: TypeAlias = Callable[[Sequence[Any], float, float], Run]
"""columns of arguments, seconds for one call, seconds for all -> what the calls gave, one call for each row."""


def hung(time_limit: float) -> str:
    """The failure of a call that was stopped."""
    return f"did not return within {time_limit:g} seconds (an endless loop?)"


def as_list(column: Any) -> list[Any]:
    """A column as a list of Python's own numbers."""
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def rows_of(columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The arguments of each call, as Python's own numbers."""
    return list(zip(*map(as_list, columns), strict=True))


def call(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What a call returns, or what it raises, as plain data."""
    try:
        return plain(function(*arguments))
    except Expired:
        raise
    except BaseException as error:  # also SystemExit: the learner's sys.exit() must not end our program
        return raised(error)


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
                # Copies, so that a function that changes its arguments does not change our cases.
                own = [copy.deepcopy(x) if isinstance(x, (list, tuple, np.ndarray)) else x for x in row]
                self.results.append(call(self.function, own))


class _Nowhere(io.TextIOBase):
    """A file that counts what is written to it and forgets it: for the prints of thousands of calls."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[_Nowhere]:
    """Without output, input and warnings."""
    sink, stdin = _Nowhere(), sys.stdin
    sys.stdin = io.StringIO()
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield sink
    finally:
        sys.stdin = stdin


def run(function: Callable[..., Any], columns: Sequence[Any], time_limit: float, budget: float) -> Run:
    """Call a function for each row of arguments.

    Parameters
    ----------
    function : callable
        Any function; it may raise, loop for ever, print, read, or call sys.exit.
    columns : sequence of lists or arrays
        The arguments; lists and arrays among them are passed as copies.
    time_limit, budget : float
        Seconds for one call, and for all of them.
    """
    worker = _Worker(function, rows_of(columns))
    thread = threading.Thread(target=worker.work, daemon=True, name="graded function")
    with quiet() as sink:
        start = worker.began = time.monotonic()
        try:
            thread.start()
        except RuntimeError:  # no threads here, as in a browser: run without a limit
            worker.work()
            return Run(tuple(worker.results), printed=sink.count)
        try:
            is_hung = _watch(thread, worker, start, time_limit, budget)
        finally:  # also when the watcher itself is interrupted
            if thread.is_alive():
                _end(thread)
    results = tuple(worker.results[: len(worker.rows)])
    if len(results) == len(worker.rows):
        return Run(results, printed=sink.count)
    return Run(results, hung(time_limit) if is_hung else "", not is_hung, sink.count)


def _watch(thread: threading.Thread, worker: _Worker, start: float, time_limit: float, budget: float) -> bool:
    """Wait until all calls are made or the time is up; whether one call took too long."""
    while thread.is_alive():
        thread.join(0.02)
        now = time.monotonic()
        if now - worker.began > time_limit and thread.is_alive():
            return True
        worker.time_is_up = now - start > budget
    return False


def _end(thread: threading.Thread) -> None:
    """Raise Expired in a thread again and again until it ends, for at most half a second."""
    for _ in range(25):
        if not thread.is_alive() or thread.ident is None:
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Expired))
        thread.join(0.02)
