"""One subject in a process of its own: a crash or a hang is a line of the report, and the rest goes on."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias

from .records import Findings, Measured, Order, Verdict, verdict_from

OnPart: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of a part, how many are done, and how many there are."""

LOADING = 120.0
"""Seconds that importing a library may take."""
MOST_RESTARTS = 5


class _Ended(Exception):
    """The process is gone or is too slow; the text completes "the process ..."."""


def audit_in_process(name: str, request: dict[str, Any], time_limit: float, on_part: OnPart | None) -> Findings:
    """All findings about one subject; parts that crash or hang are left out and named."""
    findings, start = Findings(name), time.perf_counter()
    skip: list[str] = []
    for _ in range(MOST_RESTARTS):
        process = _Process(request | {"skip": skip})
        try:
            findings, broken = _exchange(process, findings, skip, time_limit, on_part)
        finally:
            process.kill()
        if broken is None:
            break
        part, why = broken
        findings = _with_failure(findings, part, why)
    seconds = time.perf_counter() - start - findings.import_seconds
    return replace(findings, seconds=seconds)


def _exchange(
    process: _Process, findings: Findings, skip: list[str], time_limit: float, on_part: OnPart | None
) -> tuple[Findings, tuple[str, str] | None]:
    """Read results until the process is done, or a part broke it: that part, and what happened."""
    part, count = "", -1  # how many parts are left; -1 until the library is loaded
    try:
        while True:
            match process.receive(time_limit if part else LOADING):
                case ["subject", version, seconds, count]:
                    seconds += findings.import_seconds
                    findings = replace(findings, version=version, import_seconds=seconds)
                case ["skipped", why]:
                    return replace(findings, skipped=why), None
                case ["failed", why]:
                    return replace(findings, failure=why), None
                case ["begin", part]:
                    if on_part:
                        done = _parts_done(findings)
                        on_part(part, done, done + count)
                    skip.append(part)
                case ["done", kind, fields]:
                    findings, count = _with_part(findings, kind, fields), count - 1
                    part = part if count else ""
                case None:
                    if count:
                        raise _Ended(f"ended with exit code {process.exit_code()}")
                    return findings, None
    except _Ended as ended:
        if not part:
            return replace(findings, failure=f"{findings.name} {ended} while it was loaded"), None
        return findings, (part, f"the process {ended}")


def _parts_done(findings: Findings) -> int:
    return len(findings.verdicts) + len(findings.orders) + len(findings.measured)


def _with_part(findings: Findings, kind: str, fields: dict[str, Any]) -> Findings:
    match kind:
        case "Verdict":
            return replace(findings, verdicts=(*findings.verdicts, verdict_from(fields)))
        case "Order":
            return replace(findings, orders=(*findings.orders, Order(**fields)))
    return replace(findings, measured=(*findings.measured, Measured(**fields)))


def _with_failure(findings: Findings, part: str, why: str) -> Findings:
    return replace(findings, verdicts=(*findings.verdicts, Verdict(part, "", "", "", failure=why)))


# --- the process ----------------------------------------------------------------------------------------------------


class _Process:
    """A Python that runs `child` with one request, in a group of its own, and a thread that reads its lines."""

    def __init__(self, request: dict[str, Any]) -> None:
        paths = [path and os.path.abspath(path) for path in sys.path]
        start = f"import sys; sys.path[:] = {paths!r}; from {__package__}.child import main; main()"
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._read_all, daemon=True).start()
        assert self._popen.stdin is not None
        with suppress(OSError):
            self._popen.stdin.write(json.dumps(request).encode() + b"\n")
            self._popen.stdin.close()

    def _read_all(self) -> None:
        assert self._popen.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._popen.stdout:
                self._lines.put(json.loads(line))
        self._lines.put(None)

    def receive(self, seconds: float) -> Any:
        """The next message, or None at the end."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            raise _Ended(f"did not answer within {seconds:g} seconds, and was ended") from None

    def exit_code(self) -> int:
        """How it ended; below 0 is a signal."""
        try:
            return self._popen.wait(5)
        except subprocess.TimeoutExpired:
            return 0

    def kill(self) -> None:
        """End it with its group, if it still runs."""
        if self._popen.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._popen.pid, signal.SIGKILL)
                else:
                    self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
