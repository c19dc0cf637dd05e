"""fp16sim quiz: questions on the terminal, or on a sheet with a key."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..files import write_text
from ..teach import exercises
from ..teach.exercises import Question
from .output import check_writable, print_json, print_text
from .parsing import Parser, add_options, integer


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = "Ask questions that have exact answers; a wrong answer gets a worked solution."
    parser.epilog = (
        "examples:\n  fp16sim quiz\n  fp16sim quiz --kind add --level 2 -n 5 --rng 1\n"
        "  fp16sim quiz --rng 7 --export sheet.md --key key.md\n  fp16sim quiz -n 20 --export moodle.gift"
    )
    option = parser.add_argument
    option("--kind", default="mixed", help="a kind of question; --list shows them (default: %(default)s)")
    option("-n", type=integer, default=10, help="the number of questions (default: %(default)s)")
    level_help = "1: small formats; 2: 16-bit formats; 3: all modes (default: %(default)s)"
    option("--level", type=int, choices=(1, 2, 3), default=1, help=level_help)
    add_options(parser, "rng", help="seed: the same seed gives the same questions")
    option("--export", type=Path, metavar="FILE", help="write the questions to a file: .md, or .gift for Moodle")
    option("--key", type=Path, metavar="FILE", help="with --export: write the answers to a file: .md")
    add_options(parser, "list", help="list the kinds of questions")
    add_options(parser, "json", help="print questions and answers as JSON, and do not ask")


def run(options: argparse.Namespace) -> None:
    """List the kinds, or print, export or ask questions."""
    if options.list:
        print_json(list(exercises.KINDS)) if options.json else print_text("\n".join(exercises.KINDS))
        return
    _check_files(options.export, options.key)
    questions = exercises.generate(options.kind, options.rng, options.n, options.level)
    if options.json:
        print_json([question.to_dict() for question in questions])
    elif options.export:
        sheet = exercises.to_gift if options.export.suffix.lower() == ".gift" else exercises.markdown
        _write(options.export, sheet(questions))
        if options.key:
            _write(options.key, exercises.markdown_key(questions))
    else:
        _ask(questions)


def _check_files(export: Path | None, key: Path | None) -> None:
    if key and not export:
        raise ValueError(f"key={str(key)!r} is for the questions that --export writes; add --export sheet.md")
    if export:
        check_writable(export, (".md", ".gift"), "export")
    if key:
        check_writable(key, (".md",), "key")
    if key and export and key.resolve() == export.resolve():
        raise ValueError(f"key={str(key)!r} and export are one file; give the key another name")
    for name, path in (("export", export), ("key", key)):
        if path and path.exists():
            raise ValueError(f"{name}={str(path)!r} is there already; choose another name, or remove the file first")


def _write(path: Path, text: str) -> None:
    write_text(path, text)
    print_text(f"written: {path}")


def _ask(questions: Sequence[Question]) -> None:
    right = asked = 0
    try:
        for number, question in enumerate(questions, 1):
            print_text(f"\n{number}. {question.prompt}")
            for letter, choice in zip("abcdefghij", question.choices, strict=False):
                print_text(f"   {letter}) {choice}")
            answer = input("> ")
            while answer.strip() and not question.understands(answer):
                print_text(f"Please answer with {question.how_to_answer}; press Enter alone to see the answer.")
                answer = input("> ")
            asked += 1
            if question.check(answer):
                right += 1
                print_text("right")
            else:
                print_text(f"wrong: {question.answer}\n\n{question.solution}")
    except (EOFError, KeyboardInterrupt):
        print_text("")
    print_text(
        f"\n{right} of {asked} right" + ("" if asked == len(questions) else f"; {len(questions) - asked} not asked")
    )
