"""What the commands share in writing: files that can be written, progress on a terminal, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

PICTURES = (".png", ".svg", ".pdf")


def check_writable(path: Path, suffixes: Sequence[str] = PICTURES) -> None:
    """Say now, and not after the work, that the result cannot be written."""
    if not path.parent.is_dir():
        raise ValueError(f"out={str(path)!r}: the folder {str(path.parent)!r} does not exist; make it first")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"out={str(path)!r} cannot be written to; choose another file")
    if suffixes and path.suffix.lower() not in suffixes:
        kind = "pictures are" if suffixes == PICTURES else "this is"
        listed = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]
        raise ValueError(f"out={str(path)!r}: {kind} written as {listed}; choose such a name")


def progress(quiet: bool, unit: str = "steps") -> Any:
    """A context that makes a callback for each run: a bar on a terminal, nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        return nullcontext(lambda label: None)
    return _Bars(unit)


class _Bars:
    """Progress bars on stderr, one a run."""

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def __enter__(self) -> Callable[[str], Callable[[int, int], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description:>10}"),
            BarColumn(),
            TextColumn(f"{{task.completed}}/{{task.total}} {self.unit}"),
        )
        self.progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
        self.progress.start()
        return self._bar

    def _bar(self, label: str) -> Callable[[int, int], None]:
        task = self.progress.add_task(label, total=None)
        return lambda done, total: self.progress.update(task, completed=done, total=total)

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()


def console() -> Any:
    """Where tables go: colours on a terminal alone (NO_COLOR is respected), and no line is folded in a pipe."""
    from rich.console import Console

    return Console(soft_wrap=True)


def print_table(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> None:
    """A table of text; a column is (heading, "left" or "right")."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading, justify in columns:
        table.add_column(heading, justify="left" if justify == "left" else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def print_text(text: str) -> None:
    """A line of plain text, not taken for markup."""
    console().print(text, highlight=False, markup=False)
