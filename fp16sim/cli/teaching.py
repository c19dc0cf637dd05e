"""fp16sim grade, quiz, tutorials: what a learner types."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..formats import Rounding, get_format
from .output import check_writable
from .parsing import number


def add(commands: Any) -> None:
    """The three commands and their options."""
    _add_grade(commands)
    _add_quiz(commands)
    _add_tutorials(commands)


# --- grade ----------------------------------------------------------------------------------------------------------


def _add_grade(commands: Any) -> None:
    grade = commands.add_parser(
        "grade",
        help="grade a function of yours against the exact layer",
        description="Run a function of yours on every interesting case, compare each result with the exact one, show "
        "the simplest\ncase that goes wrong, and name the misconception. The exit code is 0 if it passes, 1 if not.",
        epilog="examples:\n  fp16sim grade my_module.py:my_function --task rounding --format bf16 --mode toward_zero\n"
        "  fp16sim grade exercises/02_rounding.py          (all that the file's TASKS declare)\n"
        "  fp16sim grade --list",
    )
    option = grade.add_argument
    option("target", nargs="?", metavar="FILE[:FUNCTION]", help="a Python file, and a function in it")
    option("--task", help="what the function should do; see --list")
    option("--format", default="binary16", help="the format to grade in")
    modes = [mode.value for mode in Rounding if mode is not Rounding.STOCHASTIC]
    option("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    option("--time-limit", type=number, default=argparse.SUPPRESS, metavar="S", help="seconds for one call")
    option("--budget", type=number, default=10.0, metavar="S", help="seconds for all calls of a function")
    option("--list", action="store_true", help="list the tasks, and what each asks for")
    option("--json", action="store_true", help="print the reports as JSON")
    grade.set_defaults(run=_grade)


def _grade(options: argparse.Namespace) -> None:
    from ..teach import grade
    from ..teach.grading import loading

    if options.list:
        _list_tasks(options.json)
        return
    if not options.target:
        raise ValueError("name a file and a function: fp16sim grade my_module.py:my_function --task rounding")
    limits = {"budget": options.budget}
    if hasattr(options, "time_limit"):
        limits["time_limit"] = options.time_limit
    path, name = loading.split(options.target)
    if name and not options.task:
        raise ValueError(f"task=None: say what {name} should do, as in --task rounding (fp16sim grade --list)")
    if name:
        fmt = get_format(options.format)
        reports = [grade.run(loading.function(options.target), options.task, fmt, options.mode, **limits)]
    else:
        reports = list(grade.file(path, **limits))
    if options.json:
        print(json.dumps([report.to_dict() for report in reports], indent=2))
    else:
        _say("\n\n".join(map(str, reports)))
    if not all(report.passed for report in reports):
        raise SystemExit(1)


def _list_tasks(as_json: bool) -> None:
    from ..teach.grade import TASKS

    if as_json:
        print(json.dumps([{"task": t.name, "signature": t.signature, "returns": t.statement} for t in TASKS.values()]))
        return
    for task in TASKS.values():
        _say(f"{task.name:13} {task.signature:12} {task.statement}")


def _say(text: str) -> None:
    """Print, with what the terminal cannot show replaced."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


# --- quiz -----------------------------------------------------------------------------------------------------------


def _add_quiz(commands: Any) -> None:
    quiz = commands.add_parser(
        "quiz",
        help="answer questions, or write a sheet of them",
        description="Ask questions with exact answers and worked solutions, as many as you like.",
        epilog="examples:\n  fp16sim quiz\n  fp16sim quiz --kind add --level 2 -n 5 --rng 1\n"
        "  fp16sim quiz --rng 7 --export sheet.md --key key.md\n  fp16sim quiz -n 20 --export moodle.gift",
    )
    option = quiz.add_argument
    option("--kind", default="mixed", help="a kind of question; see --list")
    option("-n", type=int, default=10, help="questions")
    option("--level", type=int, choices=(1, 2, 3), default=1, help="1: small formats; 2: 16 bits; 3: every mode")
    option("--rng", type=int, default=argparse.SUPPRESS, metavar="SEED", help="the same questions for the same seed")
    option("--export", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="write .md, or .gift for Moodle")
    option("--key", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="with --export: write the answers (.md)")
    option("--list", action="store_true", help="list the kinds")
    option("--json", action="store_true", help="print questions and answers as JSON instead of asking")
    quiz.set_defaults(run=_quiz)


def _quiz(options: argparse.Namespace) -> None:
    from ..teach import exercises

    export, key = getattr(options, "export", None), getattr(options, "key", None)
    if options.list:
        print("\n".join(exercises.KINDS))
        return
    if key is not None and export is None:
        raise ValueError(f"key={str(key)!r} is the key to what --export writes; add --export sheet.md")
    for path, kinds in ((export, (".md", ".gift")), (key, (".md",))):
        if path is not None:
            check_writable(path, kinds)
    if key is not None and export is not None and key.resolve() == export.resolve():
        raise ValueError(f"key={str(key)!r} and export are one file; give the key a name of its own")
    questions = exercises.generate(options.kind, getattr(options, "rng", None), options.n, options.level)
    if options.json:
        print(json.dumps([question.to_dict() for question in questions], indent=2))
    elif export is not None:
        sheet = exercises.to_gift if export.suffix.lower() == ".gift" else exercises.markdown
        _write(export, sheet(questions))
        if key is not None:
            _write(key, exercises.markdown_key(questions))
    else:
        _ask(questions)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(beside, path)
    print(f"written: {path}")


def _ask(questions: Sequence[Any]) -> None:
    right = asked = 0
    try:
        for number_, question in enumerate(questions, 1):
            _say(f"\n{number_}. {question.prompt}")
            for letter, choice in zip("abcdefghij", question.choices, strict=False):
                _say(f"   {letter}) {choice}")
            answer = input("> ")
            asked += 1
            if question.check(answer):
                right += 1
                print("right")
            else:
                _say(f"no: {question.answer}\n\n{question.solution}")
    except (EOFError, KeyboardInterrupt):
        print()
    print(f"\n{right} of {asked} right" + ("" if asked == len(questions) else f"; {len(questions) - asked} not asked"))


# --- tutorials ------------------------------------------------------------------------------------------------------


def _add_tutorials(commands: Any) -> None:
    tutorials = commands.add_parser(
        "tutorials",
        help="copy the lessons and exercises to a folder of yours",
        description="Copy the lessons (NN_name.py and .ipynb) and the exercises to a folder, which is made if needed.\n"
        "What is there already and differs is yours: it is kept and named.",
        epilog="examples:\n  fp16sim tutorials course\n  fp16sim grade course/exercises/02_rounding.py",
    )
    tutorials.add_argument("folder", type=Path, metavar="DIR", help="where to")
    tutorials.add_argument("--json", action="store_true", help="print what became of each file as JSON")
    tutorials.set_defaults(run=_tutorials)


def _tutorials(options: argparse.Namespace) -> None:
    from ..teach import lessons

    copied = lessons.copy(options.folder)
    if options.json:
        print(json.dumps(vars(copied), indent=2))
        return
    print(f"{len(copied.written)} files written to {options.folder}, {len(copied.same)} were there already")
    for name in copied.kept:
        print(f"kept, since it differs from what is shipped: {name}")
