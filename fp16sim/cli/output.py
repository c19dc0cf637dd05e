"""What the commands share when they write: files, progress on a terminal, tables, text, JSON, errors.

Everything that reaches the terminal passes `shown`: it is text, never markup, and control characters in a name are
shown and not obeyed.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeAlias

from ..files import why_not_writable
from ..wording import joined, printable, shortened

PICTURES = (".png", ".svg", ".pdf")

OnProgress: TypeAlias = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


def check_writable(
    path: Path, suffixes: Sequence[str] = PICTURES, name: str = "out", beside: Iterable[Path] = ()
) -> None:
    """Refuse a file that cannot be written, or files `beside` it, before the work starts and not after it."""
    for file in (path, *beside):
        if why := why_not_writable(file):
            and_file = "" if file == path else f" also writes {str(file)!r}"
            raise ValueError(f"{name}={str(path)!r}{and_file}: {why}")
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{name}={str(path)!r} must end in {joined(suffixes, 'or')}")


def progress(quiet: bool, unit: str = "steps") -> AbstractContextManager[Callable[[str], OnProgress | None]]:
    """A context that makes a callback for each label: a bar on a terminal, None in a pipe."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return nullcontext(lambda label: None)
    return _Bars(unit)


class _Bars(AbstractContextManager[Callable[[str], OnProgress | None]]):
    """Progress bars on stderr, one for each label."""

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def __enter__(self) -> Callable[[str], OnProgress]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description:>10}", markup=False),
            BarColumn(),
            TextColumn(f"{{task.completed}}/{{task.total}} {self.unit}", markup=False),
        )
        self.progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
        self.progress.start()
        return self._bar

    def _bar(self, label: str) -> OnProgress:
        task = self.progress.add_task(shown(label, sys.stderr), total=None)
        return lambda done, total: self.progress.update(task, completed=done, total=total)

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()


def console() -> Any:
    """Where tables go: with colours on a terminal only (NO_COLOR is respected), and as wide as they are in a pipe."""
    from rich.console import Console

    made: Any = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 1000)
    made.on_broken_pipe = _raise_again
    return made


def _raise_again() -> None:
    """Instead of rich's own exit: `main` knows what to do."""
    raise


def print_table(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> None:
    """A table of text; a column is (heading, "left" or "right")."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    heading = Text(shown(title), style="table.title")
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, justify in columns:
        column = Text(shown(name, keep="\n"))
        table.add_column(column, justify="left" if justify == "left" else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console().print(table)


def print_text(text: str) -> None:
    """Plain text of any number of lines."""
    print(shown(text, keep="\n\t"))


LONGEST = 2000
"""Characters of an error: what it quotes can be much longer."""


def print_error(text: str, keep: str = "") -> None:
    """One line on stderr, if there is one; with keep="\\n" several."""
    with suppress(OSError):  # nobody reads it
        if sys.stderr is not None:
            print(shortened(shown(text, sys.stderr, keep), LONGEST), file=sys.stderr)


def shown(text: str, stream: Any = None, keep: str = "") -> str:
    """The text as a stream, by default stdout, can show it: without control characters but those in `keep`."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    return encodable(printable(text, keep), encoding or "utf-8")


def print_lines(text: str) -> None:
    """A sentence or several, in lines of at most 80 characters; nothing if there are none."""
    if text:
        print_text(textwrap.fill(text, 80))


PLAINER = {"×": "x"}
"""What to write where an encoding does not have a character."""


def encodable(text: str, encoding: str) -> str:
    """The text, or the nearest text that the encoding has.

    >>> encodable("2 × 3 = 6½", "utf-8"), encodable("2 × 3 = 6½", "ascii")
    ('2 × 3 = 6½', '2 x 3 = 6?')
    """
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        for character, plainer in PLAINER.items():
            text = text.replace(character, plainer)
        return text.encode("ascii", "replace").decode()
    return text


def print_json(data: Any) -> None:
    """JSON and nothing else."""
    print(json.dumps(data, indent=2))
