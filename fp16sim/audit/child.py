"""The process of one subject: it imports the library, compares, and writes each result as a line of JSON.

A library may crash or hang, so it is not loaded where the report is written. Requests and lines::

    {"subject": "numpy", "skip": [names of parts]}  or  {"own": [...], "skip": []}
    ["subject", version, seconds of the import, number of parts]
    ["begin", name of a part]
    ["done", "Verdict" | "Order" | "Measured", its fields]
    ["skipped", why] or ["failed", why] instead of the first
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from typing import Any

from .auditing import parts
from .subject import Subject
from .subjects import SUBJECTS, version_of
from .subjects.own import Function
from .subjects.own import subject as own_subject

MEMORY = 4 * 2**30
"""Bytes that a library may take, beside those that it has when it is loaded."""


def main() -> None:
    """Read the request, and answer it."""
    request = json.loads(sys.stdin.readline())
    write = _writer()
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    try:
        subject = _subject(request)
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and "subject" in request
        write("skipped" if missing else "failed", _said(error))
        return
    except Exception as error:
        write("failed", f"could not be loaded: {_said(error) or type(error).__name__}")
        return
    _limit_memory()
    todo = [(name, compute) for name, compute in parts(subject) if name not in request["skip"]]
    write("subject", subject.version, time.perf_counter() - start, len(todo))
    for name, compute in todo:
        write("begin", name)
        try:
            part = compute()
        except Exception as error:  # such as a function that this format does not have
            write("failed", _said(error))
            return
        write("done", type(part).__name__, asdict(part))


def _subject(request: dict[str, Any]) -> Subject:
    if "own" in request:
        return own_subject(Function(*request["own"]))
    library = SUBJECTS[request["subject"]]
    modules = [import_module(name) for name in library.modules]
    subject = library.subject(*modules)
    return subject if subject.version else Subject(subject.name, version_of(modules[0]), subject.checks)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _writer() -> Callable[..., None]:
    """The pipe to the parent, under a number of its own: what a library prints goes nowhere."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)

    def write(*message: Any) -> None:
        pipe.write(json.dumps(message) + "\n")
        pipe.flush()

    return write


def _limit_memory() -> None:
    """So that a function that takes all memory ends itself, and not the machine; where the system can."""
    with suppress(ImportError, OSError, ValueError):
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
