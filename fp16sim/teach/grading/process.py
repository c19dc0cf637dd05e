"""Files of learners, each in a process of its own: the parent asks, compares and decides; the process only answers.

Whatever the process does instead of answering is a failure that the report states: it ends, crashes, loops, forks,
closes the connection, or sends too much or something else. It is then killed with all processes of its group. Time is
limited here, on every system; memory in `child`, where the system can.

It is not a sandbox: a file may do whatever its user may do, such as delete files.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .child import MARK
from .inputs import Rounder
from .plain import Raised, from_json, to_json
from .running import Calls, Run, hung

Array: TypeAlias = np.ndarray[Any, Any]

LOAD_LIMIT = 20.0
"""Seconds that running a file may take."""
GRACE = 2.0
"""Seconds beyond the time for all calls, within which the process must say that it has stopped."""
CHUNK = 2**16
"""Bytes read at once."""
LONGEST_MESSAGE = 2**26
"""Bytes of one message, such as the array that a rounder is given."""
MOST_BYTES = 2**27
"""Bytes of all answers to one request."""
NO_ANSWER = "sent the grader something that is not an answer"


class Broken(Exception):
    """The process did something else than answer; the text completes "the function ..."."""


# --- a file ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contents:
    """What a file defines: the names of its functions, and its table TASKS as plain data; None if it has none."""

    functions: tuple[str, ...]
    tasks: Any


class LearnerFile:
    """A file of a learner in a process of its own, for a `with` statement; a process that was killed is started again.

    Raises
    ------
    ValueError
        If there is no such file, or if it cannot be run; the message names the line.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise ValueError(f"path={str(path)!r}: there is no such file; give the path of a Python file")
        self.path = str(path)
        self._process: _Process | None = None

    def __enter__(self) -> LearnerFile:
        self._process, self.contents = self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def calls(self, name: str) -> Calls:
        """What calls a function of the file, as `running.run` calls a function of this process."""
        return partial(self._call, name)

    def _call(self, name: str, columns: Sequence[Any], time_limit: float, budget: float) -> Run:
        if self._process is None:
            try:
                self._process, _ = self._start()
            except ValueError as error:  # the file could be run once, but not again
                return Run((), f"could not be called: {error}")
        results: list[Any] = []
        try:
            return _exchange(self._process, name, columns, time_limit, budget, results)
        except (Broken, TimeoutError) as error:
            self._stop()
            return Run(tuple(results), str(error) if isinstance(error, Broken) else hung(time_limit))

    def _start(self) -> tuple[_Process, Contents]:
        process = _Process()
        try:
            return process, self._load(process)
        except BaseException:
            process.kill()
            raise

    def _load(self, process: _Process) -> Contents:
        try:
            process.send(["load", self.path])
            return self._contents(process.receive(time.monotonic() + LOAD_LIMIT))
        except TimeoutError:
            problem = f"did not finish within {LOAD_LIMIT:g} seconds; is there an endless loop?"
        except Broken as broken:
            problem = f"{broken} while it was loaded; correct the file first"
        raise ValueError(f"path={self.path!r} {problem}")

    def _contents(self, message: Any) -> Contents:
        match _answer(message) if isinstance(message, bytes) else None:
            case Raised() as error:
                raise ValueError(f"path={self.path!r} {error}; correct the file first")
            case ([*functions], tasks):
                return Contents(tuple(map(str, functions)), tasks)
        raise Broken(NO_ANSWER)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = None


# --- what is said ---------------------------------------------------------------------------------------------------


def _exchange(
    process: _Process, name: str, columns: Sequence[Any], time_limit: float, budget: float, results: list[Any]
) -> Run:
    """Ask for the results of all rows and collect them; meanwhile the process may ask for roundings."""
    count, size, begun, start = len(columns[0]), 0, False, time.monotonic()
    process.send(["call", name, [_column(column) for column in columns], budget])
    deadline = start + LOAD_LIMIT
    while True:
        match message := process.receive(deadline):
            case bytes() if begun and len(results) < count:
                results.append(_answer(message))
                size += len(message)
            case ["begin"] if not begun:
                begun = True
            case ["round", int(number), [*shape]] if begun and 0 <= number < count:
                process.send_bytes(_rounded(columns[0][number], process.receive_array(shape, deadline)))
                continue  # the time of the call goes on
            case ["done", int(printed)] if len(results) == count or time.monotonic() - start >= budget:
                return Run(tuple(results), out_of_time=len(results) < count, printed=printed)
            case _:
                raise Broken(NO_ANSWER)
        if size > MOST_BYTES:
            raise Broken(f"gave answers of more than {MOST_BYTES:,} bytes")
        deadline = min(time.monotonic() + time_limit, start + budget + time_limit + GRACE)


def _column(column: Any) -> Any:
    """Arguments as JSON; rounders stay here, and the process asks for them by number."""
    if isinstance(column, list) and column and isinstance(column[0], Rounder):
        return {"rounders": len(column)}
    return to_json(column)


def _rounded(rounder: Any, x: Array) -> bytes:
    if not isinstance(rounder, Rounder):
        raise Broken(NO_ANSWER)
    return np.asarray(rounder(x), np.float64).tobytes()


def _answer(line: bytes) -> Any:
    """A result as plain data; floats, of which there are most, without the parser of JSON."""
    try:
        if line[0] in b"-0123456789" and (b"." in line or b"e" in line):
            return float(line)
        return from_json(json.loads(line))
    except (ValueError, RecursionError):
        raise Broken(NO_ANSWER) from None


# --- the process ----------------------------------------------------------------------------------------------------


class _Process:
    """A Python that runs `child`, in a group of its own, and messages to and from it."""

    def __init__(self) -> None:
        paths = [os.path.abspath(path) for path in sys.path]
        child = f"{__package__}.child"
        start = f"import sys; sys.path[:] = {paths!r}; from {child} import main; main()"
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # it starts faster, and takes less memory
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._chunks: queue.Queue[bytes] = queue.Queue(64)
        self._unsent: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._buffer = bytearray()
        self._killed = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read_all, self._write_all)]
        for thread in self._threads:
            thread.start()

    def send(self, message: Any) -> None:
        """Send a message as soon as the process takes it."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Send the answer to a question of the process."""
        self._unsent.put(data)

    def receive(self, deadline: float) -> Any:
        """The next message: an answer as the bytes of a line, or another message as a list.

        Raises
        ------
        TimeoutError
            If there is none before the deadline, a time of `time.monotonic`.
        Broken
            If the process has ended, or has sent something else.
        """
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            self._fill(deadline)
        if time.monotonic() > deadline:
            raise TimeoutError
        line = self._take(end + 1)
        if line[:1] != MARK:
            return line
        try:
            return json.loads(line[1:])
        except (ValueError, RecursionError):
            raise Broken(NO_ANSWER) from None

    def receive_array(self, shape: list[Any], deadline: float) -> Array:
        """The array of float64 that follows a message."""
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise Broken(NO_ANSWER)
        size = 8 * math.prod(shape)
        while len(self._buffer) < size:
            self._fill(deadline)
        try:
            return np.frombuffer(self._take(size), np.float64).reshape(shape)
        except ValueError:  # more dimensions than NumPy has
            raise Broken(NO_ANSWER) from None

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self, deadline: float) -> None:
        if len(self._buffer) > LONGEST_MESSAGE:
            raise Broken(f"sent the grader more than {LONGEST_MESSAGE:,} bytes at once")
        try:
            chunk = self._chunks.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None
        if not chunk:
            raise Broken(self._ending())
        self._buffer += chunk

    def _ending(self) -> str:
        """How the process ended, or that it only closed the connection."""
        try:
            code = self._popen.wait(1.0)
        except subprocess.TimeoutExpired:
            return "closed its connection to the grader"
        if code >= 0:
            return f"ended the process with exit code {code}"
        known = {int(number): number.name for number in signal.Signals}
        return f"ended the process by the signal {known.get(-code, -code)}"

    def kill(self) -> None:
        """Kill the process, with all of its group."""
        self._killed.set()
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(self._popen.pid)], capture_output=True, check=False)
        else:
            with suppress(OSError):  # all have ended
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._unsent.put(b"")
        for thread, pipe in zip(self._threads, (self._popen.stdout, self._popen.stdin), strict=True):
            thread.join(1.0)
            if pipe is not None and not thread.is_alive():  # a process that left the group may keep the pipe open
                pipe.close()

    def _read_all(self) -> None:
        """Pass on what the process sends, in chunks; the empty one is the end."""
        assert self._popen.stdout is not None
        chunk = b"-"
        while chunk:
            chunk = self._popen.stdout.read(CHUNK)
            while not self._killed.is_set():
                with suppress(queue.Full):  # the process waits while the parent is busy
                    self._chunks.put(chunk, timeout=0.1)
                    break

    def _write_all(self) -> None:
        """Send the messages; in a thread, because a process that does not read would block the parent."""
        assert self._popen.stdin is not None
        with suppress(OSError):  # the process has ended
            while unsent := memoryview(self._unsent.get()):
                while unsent:
                    unsent = unsent[self._popen.stdin.write(unsent) :]
