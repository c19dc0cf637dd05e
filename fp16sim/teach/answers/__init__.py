"""The exercises and puzzles of the lessons: what each asks for, three hints, and a worked solution with its reasons.

There is one module for each lesson, with the lesson's name:

    PUZZLES = {"sign_of": Puzzle(...)}      # the lesson's puzzles: see `grading.puzzles`
    HINTS = {"sign_of": (                   # for each exercise and each puzzle
        "A question that points the way.",
        "The key idea.",
        "Nearly the code.",
    )}

    def sign_of(code):                      # the worked solution: tests grade what is shown
        '''Why it is so: shown below the code.'''
        return code >> 15

To add a puzzle to a lesson, add its row, its hints and its solution here, and write the stub with `...` into the
lesson, under the line `@fs.teach.puzzle`. An exercise has its stub in `tutorials/exercises`, whose table TASKS says
what is graded; it needs hints and a solution here. Tests check the rest: three hints, a solution that passes,
examples that are right, and that nobody who knows nothing passes.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ...formats import Format, FormatLike, Rounding, get_format, get_rounding
from .. import course, source
from ..grading.block_tasks import BLOCK_TASKS
from ..grading.puzzles import Puzzle
from ..grading.tasks import Task


@dataclass(frozen=True)
class Asked:
    """What a function of the course is graded as.

    Attributes
    ----------
    name, lesson : str
        The function, and the lesson to which it belongs.
    task : str
        For `grade.run`.
    fmt : Format
    mode : Rounding
    is_puzzle : bool
        Whether its stub stands in the lesson; else it stands in the lesson's file of exercises.
    """

    name: str
    lesson: str
    task: str
    fmt: Format
    mode: Rounding
    is_puzzle: bool = False


@dataclass(frozen=True)
class Worked:
    """A worked solution."""

    code: str
    """All that the function needs: it can be run as it is shown."""
    explanation: str


@lru_cache(maxsize=1)
def _modules() -> dict[str, ModuleType]:
    """The modules of the lessons that have one, by the names of the lessons."""
    here = Path(__file__).parent
    return {
        name: importlib.import_module(f"{__name__}.{name}") for name in course.NAMES if (here / f"{name}.py").exists()
    }


def _puzzles_of(module: ModuleType) -> Mapping[str, Puzzle]:
    return getattr(module, "PUZZLES", {})


@lru_cache(maxsize=1)
def puzzles() -> dict[str, Puzzle]:
    """Every puzzle of the course by name."""
    return {name: one for module in _modules().values() for name, one in _puzzles_of(module).items()}


@lru_cache(maxsize=1)
def puzzle_tasks() -> dict[str, Task]:
    """The puzzles as the grader takes them."""
    return {name: one.task() for name, one in puzzles().items()}


# --- what is asked --------------------------------------------------------------------------------------------------


def declared(lesson: str) -> dict[str, Any]:
    """The table TASKS of a lesson's exercises, from their stub; empty if there is no stub."""
    stub = course.source() / "exercises" / f"{lesson}.py"
    if not stub.is_file():
        return {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TASKS":
            return dict(ast.literal_eval(node.value))
    return {}


@lru_cache(maxsize=1)
def everything() -> dict[str, Asked]:
    """Every exercise and puzzle of the course, by the names of their functions, in the order of the lessons."""
    found: dict[str, Asked] = {}
    for lesson in course.NAMES:
        module = _modules().get(lesson)
        for name in _puzzles_of(module) if module else ():
            found[name] = Asked(name, lesson, name, *_setting(), is_puzzle=True)
        for name, what in declared(lesson).items():
            task, *setting = (what,) if isinstance(what, str) else what
            if task in BLOCK_TASKS:
                setting = [BLOCK_TASKS[task].fmt, *setting[1:]]
            found[name] = Asked(name, lesson, task, *_setting(*setting))
    return found


def _setting(fmt: FormatLike = "binary16", mode: str = "ties_to_even") -> tuple[Format, Rounding]:
    return get_format(fmt), get_rounding(mode)


def asked(name: str) -> Asked | None:
    """What a function of this name is asked to do in the course; None if it is not of the course."""
    try:
        return everything().get(name)
    except ValueError:  # an installation without lessons
        return None


# --- what helps -----------------------------------------------------------------------------------------------------


def hints(name: str) -> tuple[str, ...]:
    """The three hints for an exercise or a puzzle; none if it is not of the course."""
    for module in _modules().values():
        if name in getattr(module, "HINTS", {}):
            return tuple(map(inspect.cleandoc, module.HINTS[name]))
    return ()


def worked(name: str) -> Worked | None:
    """The worked solution of an exercise or a puzzle."""
    one = asked(name)
    module = _modules().get(one.lesson) if one else None
    if module is None or not hasattr(module, name):
        return None
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    return Worked(source.code_of(text, name), source.docstring(text, name))
