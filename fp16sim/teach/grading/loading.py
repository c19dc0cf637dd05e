"""Files of learners: run as an import would run them; whatever goes wrong there becomes one clear error."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .running import Raised, run

LOAD_LIMIT = 20.0
"""Seconds that running a file may take."""


def load(path: str | Path) -> dict[str, Any]:
    """The names that a Python file defines.

    Raises
    ------
    ValueError
        If there is no such file, or if it cannot be run; the message names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"path={str(path)!r}: there is no such file; give the path of a Python file")
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # the file may import other files beside it
    try:
        done = run(lambda: runpy.run_path(str(path), run_name=path.stem), [()], LOAD_LIMIT, LOAD_LIMIT)
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    if not done.results:
        raise ValueError(f"path={str(path)!r} did not finish within {LOAD_LIMIT:g} seconds; is there an endless loop?")
    if isinstance(done.results[0], Raised):
        raise ValueError(f"path={str(path)!r} {done.results[0]}; correct the file first")
    return dict(done.results[0])


def split(target: str) -> tuple[str, str]:
    """The file and the function of "file.py:function"; an empty text if no function is named.

    >>> split("my.py:round_it"), split("my.py"), split("C:/my.py")
    (('my.py', 'round_it'), ('my.py', ''), ('C:/my.py', ''))
    """
    path, colon, name = target.rpartition(":")
    return (path, name) if colon and name.isidentifier() and len(path) > 1 else (target, "")


def function(target: str) -> Callable[..., Any]:
    """The function that "file.py:function" names.

    Raises
    ------
    ValueError
        If the file cannot be run, or has no such function; the message lists those that it has.
    """
    path, name = split(target)
    module = load(path)
    found = module.get(name)
    if not callable(found):
        theirs = [key for key, value in module.items() if callable(value) and not key.startswith("_")]
        raise ValueError(f"{path!r} has no function {name!r}; it has {', '.join(theirs) or 'none'}")
    return found
