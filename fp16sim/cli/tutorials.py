"""fp16sim tutorials: the lessons and exercises in a folder of the learner's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..teach import lessons
from .output import print_json, print_text
from .parsing import Parser, add_options


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Copy the lessons (NAME.py and NAME.ipynb) and the exercises to a folder, which\n"
        "is created if needed. Files that you changed are kept, and their names printed."
    )
    parser.epilog = "examples:\n  fp16sim tutorials course\n  fp16sim grade course/exercises/rounding.py"
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder to copy to")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Copy, and print what became of each file."""
    copied = lessons.copy(options.folder)
    if options.json:
        print_json(vars(copied))
        return
    print_text(f"{len(copied.written)} files written to {options.folder}, {len(copied.same)} were there already")
    for name in copied.kept:
        print_text(f"kept, because it differs from the original: {name}")
