"""The page that a student opens first: three ways to work with the lessons, and the lessons in their order.

It is made when the lessons are copied, from the heads of the lessons.
"""

from __future__ import annotations

import json
import re

from . import course

NAME = "00_start"
"""Of the page as Markdown and as a notebook. Lists of files are sorted, and this comes first."""

PAGE = """\
# Start here

This is a course about numbers of 16 bits, and what they do to programs. Each lesson is a notebook (`rounding.ipynb`)
and the same cells as a Python file (`rounding.py`). Take the one that you like; both are yours to change.

## Three ways in

Choose one. The commands are for a terminal in this folder.

| way | once | start |
|---|---|---|
| **Jupyter** | `pip install jupyterlab` | `jupyter lab {name}.ipynb` |
| **VS Code** | its extensions Python and Jupyter; `pip install ipykernel` | `code .` and open `{name}.ipynb` |
| **Plain terminal** | nothing | `fp16sim tutorials {first}.py` |

In VS Code a click on `Run Cell` above a cell of `{first}.py` works too. In the terminal the lesson is shown and run,
cell by cell, as you press Enter.

## How a lesson works

1. Read a piece. Where it asks, **guess first**: type what you expect, and how sure you are. Your guesses are kept in
   `guesses.json` in this folder and nowhere else.
2. Run the next cell and compare. At the end of a lesson you see where you were sure and wrong.
3. Change the lines that are marked `<- change`, and run again.
4. Fill in the dots of a **puzzle**, and run its cell: it is graded at once. In the terminal, fill them in with an
   editor, and run `fp16sim grade {first}.py:sign_of`, with the name of the puzzle.
5. Write the exercises of the lesson, in `exercises/`. `fp16sim grade exercises/{first}.py` says what is wrong, and
   with which input.

Some links lead to a view of `explorer.html`, a page where you click on bits. In JupyterLab, click them with the
*middle* mouse button: a plain click opens the page without its scripts. In VS Code and in the terminal, run
`fp16sim explore "number?x=0.1"`, with what stands after `#` in the link.

`fp16sim tutorials --guesses .` shows your guesses in all lessons. `fp16sim tutorials DIR` never overwrites what you
have changed.

## The lessons

{tables}

The core path takes about {hours}, with its exercises.
"""


def page() -> str:
    """The page as Markdown."""
    return PAGE.format(name=NAME, first=course.CORE[0], tables=course.tables(), hours=_hours(course.CORE))


def notebook() -> str:
    """The page as a notebook, in which the links open the lessons."""
    cell = {"cell_type": "markdown", "id": "start", "metadata": {}, "source": page()}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _hours(names: tuple[str, ...]) -> str:
    """The time of some lessons together, as their heads state it."""
    minutes = sum(int(found[0]) for name in names if (found := re.match(r"\d+", course.lesson(name).time)))
    return f"{minutes / 60:.1f} hours".replace(".0", "")
