"""A lesson in the terminal: each cell is shown and then run, as the reader presses Enter. In a pipe nothing waits."""

from __future__ import annotations

import ast
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..page import Explorer
from ..teach import course
from .output import console, print_text

KEYS = "Enter: run this and go on;  s: skip it;  q: quit > "


def read(lesson: Path) -> None:
    """Show and run the cells of a lesson, in one namespace, as a notebook does.

    Raises
    ------
    ValueError
        If there is no such file, or it has no cells.
    """
    if not lesson.is_file():
        raise ValueError(f"lesson={str(lesson)!r} does not exist; copy the lessons first: fp16sim tutorials course")
    cells = course.cells(lesson.read_text(encoding="utf-8"))
    if not cells:
        raise ValueError(f"lesson={str(lesson)!r} has no cells; a cell begins with the line '# %%'")
    names: dict[str, Any] = {"__name__": "__main__", "__file__": str(lesson.resolve())}
    with _in_folder(lesson.resolve().parent):
        for number, (kind, text, line) in enumerate(cells, 1):
            if kind == "markdown":
                _show_text(text)
            elif text.strip():
                _show_code(text)
                key = _key(f"[{number}/{len(cells)}] {KEYS}")
                if key == "q":
                    return
                if key != "s":
                    _run(text, line, lesson, names)
                    _save_pictures(lesson.with_name(f"{lesson.stem}-{number}"))


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Run in the folder of the lesson, whose files it may import, as Jupyter does."""
    before, path = Path.cwd(), sys.path.copy()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path


def _key(prompt: str) -> str:
    """What the reader pressed; nothing where nobody can."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    try:
        return input(prompt).strip().lower()[:1]
    except EOFError:
        return "q"


def _show_text(text: str) -> None:
    if not sys.stdout.isatty():
        print_text(f"\n{text}\n")
        return
    from rich.markdown import Markdown

    console().print(Markdown(text, hyperlinks=False), soft_wrap=False)


def _show_code(text: str) -> None:
    if not sys.stdout.isatty():
        print_text("\n".join(f"    {line}".rstrip() for line in text.splitlines()) + "\n")
        return
    from rich.panel import Panel
    from rich.syntax import Syntax

    console().print(Panel(Syntax(text.strip(), "python", background_color="default", word_wrap=True)), soft_wrap=False)


def _run(text: str, line: int, lesson: Path, names: dict[str, Any]) -> None:
    """Run a cell. An error is shown, and the lesson goes on, as in a notebook; a last expression is printed."""
    try:
        warnings.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")
        tree = ast.parse("\n" * (line - 1) + text, str(lesson))  # with the line numbers of the file
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(lesson), "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(lesson), "eval"), names)
            if isinstance(value, Explorer):
                print_text(f'See it in the explorer: fp16sim explore "{value.state}"')
            elif value is not None:
                print_text(repr(value))
    except Exception:
        print_text("".join(traceback.format_exc(limit=-3)))


def _save_pictures(begin: Path) -> None:
    """Where no window can be opened, `plt.show` leaves the pictures: save them, and say where."""
    if (plt := sys.modules.get("matplotlib.pyplot")) is None:
        return
    for figure in plt.get_fignums():
        place = begin.with_name(f"{begin.name}-{figure}.png")
        plt.figure(figure).savefig(place.name)
        plt.close(figure)
        print_text(f"the picture is in {place}")
