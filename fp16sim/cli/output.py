"""What the commands share when they write: files, progress on a terminal, tables, text, JSON, errors.

Everything that reaches the terminal passes `shown`: it is text, never markup, and control characters in a name are
shown and not obeyed.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from ..wording import joined, printable, shortened
from .layout import GAPS, Fit, as_lists, fit, wrapped

if TYPE_CHECKING:  # it takes time to load, as do the modules that functions here load when they are called
    from pathlib import Path

PICTURES = (".png", ".svg", ".pdf")

OnProgress: TypeAlias = Callable[..., None]
"""Called with what is done, what there is to do, and perhaps a note."""


def check_writable(
    path: Path, suffixes: Sequence[str] = PICTURES, name: str = "out", beside: Iterable[Path] = ()
) -> None:
    """Refuse a file that cannot be written, or files `beside` it, before the work starts and not after it."""
    from ..files import why_not_writable

    if not path.name:  # "." and "/"
        raise ValueError(f"{name}={str(path)!r} is a folder; give the name of a file in it")
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

        label, done = (TextColumn(text, markup=False) for text in ("{task.description:>10}", "{task.fields[done]}"))
        columns = (label, BarColumn(), done, TimeElapsedColumn())
        self.progress = Progress(*columns, console=Console(stderr=True))
        self.progress.start()
        return self._bar

    def _bar(self, label: str) -> OnProgress:
        task = self.progress.add_task(shown(label, sys.stderr), total=None, done="")

        def update(done: int, total: int, note: str = "") -> None:
            self.progress.update(task, completed=done, total=total, done=f"{done:,}/{total:,} {self.unit}{note}")

        return update

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()


def has_style() -> bool:
    """Whether stdout may show colours, so that rich is needed: on a terminal, or where the environment says so."""
    return sys.stdout.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))


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
    """A table of text; a column is (heading, "left" or "right"). How it fits into a terminal: see `layout`."""
    made = console()
    headings = [shown(name, keep="\n") for name, _ in columns]
    cells = [[shown(cell) for cell in row] for row in rows]
    found = fit([list(column) for column in zip(headings, *cells, strict=True)], made.width)
    if found is None:
        print_text(f"{shown(title)}\n\n{as_lists(headings, cells, made.width)}")
    else:
        _draw(made, shown(title), columns, [headings, *cells], found)


def _draw(made: Any, title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], fit: Fit) -> None:
    """The headings and rows as a table of rich."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    def text(cell: str, width: int) -> Text:
        return Text("\n".join(wrapped(cell, width)))

    heading, narrow = Text(title, style="table.title"), fit.gap < GAPS[0]
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.collapse_padding = narrow
    for name, width, (_, justify) in zip(rows[0], fit.widths, columns, strict=True):
        side: Any = "left" if justify == "left" else "right"
        table.add_column(text(name, width), justify=side, overflow="fold", width=width)
    for row in rows[1:]:
        table.add_row(*map(text, row, fit.widths))
    made.print(table)


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


def command_line(words: Sequence[str]) -> str:
    """The command line of this program with these arguments, as its user started it; it can be pasted."""
    import shlex
    import subprocess

    module = sys.orig_argv[1:3] == ["-m", "fp16sim"]
    program = [sys.orig_argv[0], "-m", "fp16sim"] if module else ["fp16sim"]
    return subprocess.list2cmdline([*program, *words]) if os.name == "nt" else shlex.join([*program, *words])


def shown(text: str, stream: Any = None, keep: str = "") -> str:
    """The text as a stream, by default stdout, can show it: without control characters but those in `keep`."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    return encodable(printable(text, keep), encoding or "utf-8")


def print_lines(text: str) -> None:
    """Sentences in lines of at most 80 characters, or fewer in a narrow terminal; nothing if there are none."""
    if text:
        print_text(_filled(text, min(80, console().width) if has_style() else 80))


def print_sentence(text: str) -> None:
    """A line that is wrapped between words on a terminal, and stays one line in a pipe, where programs read it."""
    print_text(_filled(text, console().width) if sys.stdout.isatty() else text)


def _filled(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


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
    import json

    print(json.dumps(data, indent=2))
