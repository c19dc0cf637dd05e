"""How many threads share the work on a large array, where the caller does not say."""

from __future__ import annotations

import os

import numpy as np

from ..wording import quoted

VARIABLE = "FP16SIM_THREADS"
"""The environment variable that names the number of threads; 1 keeps all work in the caller's thread."""

LARGE = 1 << 21
"""Elements from which two threads take less time than one."""


def checked_threads(threads: int | None, size: int) -> int:
    """The number of threads for an array of this size, as asked for; None leaves it to `default_threads`."""
    if threads is None:
        return default_threads(size)
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)):
        raise TypeError(
            f"threads={quoted(threads)} is not a number of threads; give an integer, or None to leave it out"
        )
    if threads < 1:
        raise ValueError(f"threads={threads} must be 1 or more; leave it out for the default")
    return int(threads)


def default_threads(size: int) -> int:
    """One for a small array; for a large one what VARIABLE says, or two if the machine is likely to have a free core.

    On a busy machine two threads wait for each other, and take longer than one.
    """
    if size < LARGE:
        return 1
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        return 2 if max(2, load()) <= cores() else 1
    if not named.isdecimal() or int(named) < 1:
        raise ValueError(
            f"{VARIABLE}={quoted(named)} in the environment is not a number of threads; "
            "set it to 1 for no second thread, or to 2 or more, or unset it"
        )
    return int(named)


def cores() -> int:
    """The processor's cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> float:
    """How many threads of all programs had work, on average over the last minute; 0 where the system does not say."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows; a container without /proc
        return 0.0
