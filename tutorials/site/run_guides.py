"""Run the code of the how-to guides: `python tutorials/site/run_guides.py` writes what it prints into the pages.

With --check it only says which pages differ. A page is run from top to bottom in an empty folder. Its blocks are

    ```python    lines after >>>, with what they print below them
    ```python    a file, whose name stands in its first line: # kernel.py
    ```console   commands after $, with what they print below them: fp16sim, python or pytest

Output that is written with "..." for what differs from run to run, or is too long to read, stays so if it matches.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # this checkout, before an installed fp16sim

from fp16sim.cli import main as fp16sim_command

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAME = doctest.OutputChecker()


def pages() -> list[Path]:
    """The guides."""
    return [page for page in sorted((HERE / "howto").glob("*.md")) if page.stem != "index"]


def updated(text: str) -> str:
    """A page with the output that its code has now; the same text if nothing has changed."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with _as_started_anew(), np.errstate(), warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would stand between the lines on a reader's screen
        return FENCE.sub(lambda block: f"```{block[1]}\n{_run(block[1], block[2], names)}```", text)


@contextlib.contextmanager
def _as_started_anew() -> Iterator[None]:
    """In an empty folder, whose modules can be imported, and are forgotten afterwards."""
    modules, paths = set(sys.modules), list(sys.path)
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path[:] = paths
            for name in set(sys.modules) - modules:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(folder):
                    del sys.modules[name]


def _run(language: str, body: str, names: dict[str, Any]) -> str:
    if language == "python" and ">>> " in body:
        return _with_output(body, _examples(body, names))
    if language == "python" and (name := re.match(r"# (\w+\.py)\n", body)):
        Path(name[1]).write_text(body, encoding="utf-8")
        return body
    if language == "console":
        return _with_output(body, _commands(body))
    raise ValueError(f"language={language!r}: blocks of a guide are python (with >>> or a file's name) or console")


Piece = tuple[int, str, Callable[[], str]]
"""The line after an input, the output that the page has, and what runs it."""


def _with_output(body: str, pieces: Iterator[Piece]) -> str:
    """The inputs as they are, each followed by what it printed."""
    lines, made, done = body.splitlines(keepends=True), [], 0
    for end, kept, run in pieces:
        made += lines[done:end]
        printed = "".join(f"{line.rstrip()}\n" for line in run().splitlines())
        matches = SAME.check_output(kept, printed, doctest.ELLIPSIS)
        made.append(kept if matches else printed)
        done = end + kept.count("\n")
    return "".join([*made, *lines[done:]])


def _examples(body: str, names: dict[str, Any]) -> Iterator[Piece]:
    for example in doctest.DocTestParser().get_examples(body):
        end = example.lineno + example.source.count("\n")
        yield end, example.want, lambda source=example.source: _printed(source, names)


def _printed(source: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<guide>", "single"), names)
        except (TypeError, ValueError) as error:
            print(f"Traceback (most recent call last):\n    ...\n{type(error).__name__}: {error}")
    return out.getvalue()


def _commands(body: str) -> Iterator[Piece]:
    lines = body.splitlines(keepends=True)
    starts = [k for k, line in enumerate(lines) if line.startswith("$ ")]
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        kept = "".join(lines[start + 1 : following])
        yield start + 1, kept, lambda line=lines[start]: _shell(shlex.split(line[2:], comments=True))


def _shell(words: list[str]) -> str:
    program, *arguments = words
    if program == "fp16sim":
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            fp16sim_command(arguments)
        return out.getvalue()
    if program not in ("python", "pytest"):
        raise ValueError(f"command={program!r}: a guide runs fp16sim, python or pytest")
    command = [sys.executable, *(["-m", "pytest", "-p", "no:cacheprovider"] if program == "pytest" else []), *arguments]
    path = os.pathsep.join([str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    return done.stdout + done.stderr


def main(arguments: list[str]) -> int:
    """Update the pages, or with --check only compare; the exit code is the number of pages that differed."""
    differing = 0
    for page in pages():
        kept = page.read_text(encoding="utf-8")
        now = updated(kept)
        differing += now != kept
        print(f"{page.name}: {'ok' if now == kept else 'differs' if '--check' in arguments else 'updated'}")
        if now != kept and "--check" not in arguments:
            page.write_text(now, encoding="utf-8")
    return differing if "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
