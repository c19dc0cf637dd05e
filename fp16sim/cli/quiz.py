"""fp16sim quiz: questions on the terminal, or on a sheet with a key."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TextIO

from ..files import atomic_path
from ..teach import exercises
from ..teach.exercises import Question
from ..teach.quiz.exporting import GIFT, KEY, SHEET, Layout
from ..wording import count
from .output import OnProgress, check_writable, print_json, print_table, print_text, progress
from .parsing import Parser, add_options, integer, refuse_unused
from .quiz_session import Session

EPILOG = """examples:
  fp16sim quiz
  fp16sim quiz --kind add --level 2 -n 5 --rng 1
  fp16sim quiz --rng 7 --export sheet.md --key key.md
  fp16sim quiz -n 20 --export moodle.gift

While it asks: ? says what an answer looks like, hint how to begin, words what
the words mean; skip shows the answer, quit ends."""


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = "Ask questions that have exact answers; a wrong answer gets a worked solution."
    parser.epilog = EPILOG
    option = parser.add_argument
    option("--kind", default="mixed", help="a kind of question; --list shows them (default: %(default)s)")
    option("-n", type=integer, default=10, help="the number of questions (default: %(default)s)")
    level_help = (
        "1: small formats, a minute a question; 2: 16-bit formats, three minutes; 3: all modes (default: %(default)s)"
    )
    option("--level", type=int, choices=(1, 2, 3), default=1, help=level_help)
    add_options(parser, "rng", help="seed: the same seed gives the same questions")
    option("--no-confidence", dest="confidence", action="store_false", help="do not ask how sure you are")
    option("--export", type=Path, metavar="FILE", help="write the questions to a new file: .md, or .gift for Moodle")
    option("--key", type=Path, metavar="FILE", help="with --export: write the answers to a new file: .md")
    option("--title", metavar="TEXT", help="with --export: the heading of the sheet, or the category in Moodle")
    add_options(parser, "list", help="list the kinds of questions")
    add_options(parser, "json", help="print questions and answers as JSON, and do not ask")


def run(options: argparse.Namespace) -> None:
    """List the kinds, or print, export or ask questions."""
    if options.list or options.kind in ("list", "help", "?"):
        refuse_unused(options, "--list asks nothing", but=("list", "json", "kind"))
        _list(options.json)
        return
    _check(options)
    sheet_only = options.export and options.export.suffix.lower() == ".md" and not options.key
    questions = exercises.endless(options.kind, options.rng, options.level, solve=not sheet_only)
    if options.n < 0:
        raise ValueError(f"n={options.n} is not a number of questions; use an integer of 0 or more")
    if options.export:
        _export(questions, options)
    elif options.json:
        print_json([question.to_dict() for question in islice(questions, options.n)])
    else:
        Session(options.n, options.confidence).ask(islice(questions, options.n))


def _list(as_json: bool) -> None:
    if as_json:
        print_json(list(exercises.KINDS))
        return
    rows = [(name, kind.summary) for name, kind in exercises.KINDS.items()]
    print_table("", (("kind", "left"), ("asks", "left")), [("mixed", "all of these (the default)"), *rows])
    print_text("\nTo practise one: fp16sim quiz --kind add --level 2")


def _check(options: argparse.Namespace) -> None:
    """Refuse options that would be ignored, and files that cannot be written or are there."""
    export, key = options.export, options.key
    if export:
        refuse_unused(options, "--export asks nothing", "confidence")
    elif options.json:
        refuse_unused(options, "--json asks nothing", "confidence")
    for name, given in (("key", key), ("title", options.title)):
        if given is not None and not export:
            raise ValueError(f"{name}={str(given)!r} is for the questions that --export writes; add --export sheet.md")
    if export:
        check_writable(export, (".md", ".gift"), "export")
    if key:
        check_writable(key, (".md",), "key")
    if key and export and key.resolve() == export.resolve():
        raise ValueError(f"key={str(key)!r} and export are one file; give the key another name")
    for name, path in (("export", export), ("key", key)):
        if path and path.exists():
            raise ValueError(f"{name}={str(path)!r} is there already; choose another name, or remove the file first")


# --- files ----------------------------------------------------------------------------------------------------------

LONG = 2000
"""From so many questions on, writing them takes seconds and shows its progress."""


def _export(questions: Iterable[Question], options: argparse.Namespace) -> None:
    """Write the questions, and their answers if asked, one by one; the files appear when they are complete."""
    wanted = {options.export: GIFT if options.export.suffix.lower() == ".gift" else SHEET}
    wanted |= {options.key: KEY} if options.key else {}
    with progress(options.n < LONG, "questions") as bar, ExitStack() as stack:
        files: dict[TextIO, Layout] = {
            stack.enter_context(stack.enter_context(atomic_path(path)).open("w", encoding="utf-8")): layout
            for path, layout in wanted.items()
        }
        _write(files, islice(questions, options.n), options, bar("quiz"))
    written = {"export": str(options.export), "key": options.key and str(options.key), "questions": options.n}
    if options.json:
        print_json(written)
    else:
        print_text("\n".join(f"written: {path}" for path in wanted) + f" ({count(options.n, 'question')})")


def _write(
    files: dict[TextIO, Layout], questions: Iterable[Question], options: argparse.Namespace, bar: OnProgress | None
) -> None:
    for file, layout in files.items():
        file.write(layout.head(options.title or layout.title))
    for number, question in enumerate(questions, 1):
        for file, layout in files.items():
            file.write(layout.item(number, question))
        if bar and (number % 100 == 0 or number == options.n):
            bar(number, options.n)
    for file, layout in files.items():
        file.write(layout.tail)
