"""Work in a process of its own: whole commands, and libraries with pools of threads.

Two libraries in one process compete: the threads of one wait busily for work while the other computes. So each side
gets a process that has loaded nothing of the other.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .measure import Missing, Side, timed

WARM, STEPS = 3, 9
"""Calls in a process before those that count, and those that count."""


def report(work: Callable[[], Any]) -> None:
    """In the process: call the work several times, and print the median of the seconds of a call."""
    for _ in range(WARM):
        work()
    print(statistics.median(timed(work) for _ in range(STEPS)))


def alone(module: str, function: str) -> Side:
    """What a function of a module of this package returns is called in a new process, which times it."""
    code = f"from {__package__}.{module} import {function} as make; from {__name__} import report; report(make())"
    home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONPATH": path}
    return lambda: float(_output(["-c", code], environment))


def command(*arguments: str) -> Side:
    """A whole command of Python, from start to end."""
    # Users start from bytecode. The first calls write it, and they are not measured.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return lambda: timed(lambda: _output(arguments, environment))


def _output(arguments: Sequence[str], environment: dict[str, str]) -> str:
    """What Python prints with these arguments."""
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise Missing(f"a process failed ({reason})")
    return done.stdout
