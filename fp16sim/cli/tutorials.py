"""fp16sim tutorials: the lessons, copied to a folder or read in the terminal, and the guesses that were made."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..teach import course, lessons, progress, start, variants
from ..teach.guessing import kept, scoring
from . import lesson_reader
from .output import print_json, print_table, print_text
from .parsing import Parser, add_options, refuse_unused

KIT = ("student", "secret", "no_hints", "no_solutions")
"""Options for a copy of the course."""


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Copy the course to a folder, which is created if needed: lessons as notebooks\n"
        "and as Python files, and exercises. Files that you changed are kept, and named.\n"
        "Without a folder: list the lessons. With a lesson: read and run it right here."
    )
    parser.epilog = (
        "examples:\n  fp16sim tutorials course\n  fp16sim tutorials course/sixteen_bits.py\n"
        "  fp16sim tutorials --guesses course\n  fp16sim grade course/exercises/rounding.py\n"
        "  fp16sim tutorials course --student 'Anna Berg'   (and exercises of her own)\n"
        "  fp16sim tutorials kit --no-solutions             (for a class)"
    )
    parser.add_argument("place", type=Path, nargs="?", metavar="DIR", help="a folder to copy to, or a lesson (.py)")
    parser.add_argument("--with-outputs", action="store_true", help="notebooks with their results, for teachers")
    parser.add_argument("--guesses", action="store_true", help="show the guesses that were made in the lessons of DIR")
    option = parser.add_argument
    option("--student", metavar="NAME", help="also write exercises drawn from this name: exercises/variant.py")
    option("--secret", metavar="WORD", help="a teacher's word for them, so that nobody else can draw them")
    option("--no-hints", action="store_true", help="turn hints off, in exercises/class.toml")
    option("--no-solutions", action="store_true", help="turn worked solutions off there")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """List the lessons, copy them, read one, or show guesses."""
    if options.guesses or options.place is None or options.place.suffix == ".py":
        refuse_unused(options, "they are for copying the course", *KIT)
    if options.guesses:
        _show_guesses(options.place or Path(), options.json)
    elif options.place is None:
        _list(options.json)
    elif options.place.suffix == ".py":
        lesson_reader.read(options.place)
    else:
        _copy(options)


# --- what there is --------------------------------------------------------------------------------------------------


def _list(as_json: bool) -> None:
    if as_json:
        print_json([vars(course.lesson(name)) | {"core": name in course.CORE} for name in course.NAMES])
        return
    hurry, core = ("In a hurry", (course.FIRST,)), ("The core path, in this order", course.CORE)
    for title, names in (hurry, core, ("Optional", course.OPTIONAL)):
        rows = [(f"{name}", one.time, one.question) for name in names for one in [course.lesson(name)]]
        print_table(title, [("lesson", "left"), ("time", "right"), ("question", "left")], rows)
        print_text("")
    print_text("To start: fp16sim tutorials course     (copies the course to the folder course)")


def _copy(options: argparse.Namespace) -> None:
    copied = lessons.copy(options.place, options.with_outputs, _extras(options))
    if options.json:
        print_json(vars(copied))
        return
    print_text(f"{len(copied.written)} files written to {options.place}, {len(copied.same)} were there already")
    for name in copied.kept:
        print_text(f"kept, because it differs from the original: {name}")
    print_text(_what_to_do_next(options.place))


def _extras(options: argparse.Namespace) -> dict[str, str]:
    """The files beside the lessons that the options ask for: a variant, and what a class may see."""
    if options.secret and not options.student:
        raise ValueError("--secret is for exercises of a student; add --student NAME")
    extras = {}
    if options.student is not None:
        extras[f"exercises/{variants.FILE}"] = variants.draw(options.student, options.secret or "").text()
    if options.no_hints or options.no_solutions:
        extras[f"exercises/{progress.CLASS}"] = progress.class_file(not options.no_hints, not options.no_solutions)
    return extras


def _what_to_do_next(folder: Path) -> str:
    """Three ways in, one command each."""
    page, first = folder / f"{start.NAME}.ipynb", folder / f"{course.CORE[0]}.py"
    missing = "" if find_spec("jupyterlab") else "   (first: pip install jupyterlab)"
    return (
        f"Start in Jupyter:   jupyter lab {_typed(page)}{missing}\n"
        f"or in VS Code:      code {_typed(folder)}   and open {page.name}\n"
        f"or right here:      fp16sim tutorials {_typed(first)}"
    )


def _typed(path: Path) -> str:
    """A path as it is typed in a terminal."""
    return f'"{path}"' if " " in str(path) else str(path)


# --- guesses --------------------------------------------------------------------------------------------------------


def _show_guesses(folder: Path, as_json: bool) -> None:
    found = _guesses(folder)
    if as_json:
        print_json([vars(guess) for guess in found.values()])
        return
    if not found:
        print_text(f"no guesses in {folder} yet: they are made in the lessons, and kept in {kept.FILE}")
        return
    rows = []
    for name in course.NAMES:
        asked = course.questions(name)
        made = [found[question] for question in asked if question in found]
        if made:
            rows.append((name, f"{len(made)} of {len(asked)}", *map(str, scoring.scores(made))))
    columns: list[tuple[str, str]] = [("lesson", "left"), ("guessed", "right")]
    if rows:
        headings = [(f"right when {score.confidence}", "right") for score in scoring.scores(())]
        print_table("", columns + headings, rows)
        print_text("")
    print_text(scoring.table([("right", found.values())]))
    if wrong := scoring.sure_and_wrong(found.values()):
        print_text(f"\nSure and wrong, so worth a second look:\n{scoring.named(wrong)}")


def _guesses(folder: Path) -> dict[str, Any]:
    try:
        return dict(kept.read(folder))
    except kept.Unreadable as error:
        raise ValueError(f"{str(folder / kept.FILE)!r} cannot be read: {error}") from error
