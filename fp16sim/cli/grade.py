"""fp16sim grade: a learner's function, compared with the exact layer; hints and solutions; the marks of a class."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..formats import Rounding, get_format
from ..teach import answers, grade, marks, practice, progress, source
from ..teach.grading.report import Report
from ..wording import count, quoted
from .output import print_error, print_json, print_text
from .output import progress as progress_bar
from .parsing import Parser, add_options, number, refuse_unused

CLASS = ("csv", "secret", "force")
"""Options for a folder."""


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Run a function that you wrote on every interesting case, and compare each\n"
        "result with the exact one. If a result is wrong, show the simplest such case\n"
        "and name the misconception. The exit code is 0 if all functions pass, else 1.\n\n"
        "The score is the percentage of the cases that are right, rounded down. A case\n"
        "that was not reached, because a call before it hung, is not right.\n\n"
        "For the exercises of the course there are three hints and a worked solution.\n"
        "A hint comes after each new attempt, the solution when yours has passed; your\n"
        "attempts are noted in progress.json beside the exercises. A teacher turns both\n"
        "off with a file class.toml there (hints = false, solutions = false). That is a\n"
        "reminder and no lock: the package is open source.\n\n"
        "Given a folder of students' folders or files, it writes a table of marks: a\n"
        "line for each student, a column for each exercise that somebody handed in. The\n"
        "total is the mean of the scores, rounded down. The same command goes on where\n"
        "it was stopped, and grades what is new or changed. The exit code is then 0.\n\n"
        "Your file runs in a process of its own, with limits of time and memory. This is\n"
        "not a sandbox: the file may do whatever you may do, such as delete files. Grade\n"
        "only files that you would run."
    )
    parser.epilog = (
        "examples:\n"
        "  fp16sim grade my.py:my_round --task rounding --mode toward_zero\n"
        "  fp16sim grade my.py:my_quantizer --task mxfp4   (blocks that share a scale)\n"
        "  fp16sim grade exercises/rounding.py   (all functions in TASKS of the file)\n"
        "  fp16sim grade --hint exercises/rounding.py:round_to_half\n"
        "  fp16sim grade --solution exercises/rounding.py:round_to_half\n"
        "  fp16sim grade handed_in --csv marks.csv   (a class)\n"
        "  fp16sim grade --list"
    )
    option = parser.add_argument
    option("target", nargs="?", metavar="FILE[:FUNCTION]", help="a Python file, and a function in it; or a folder")
    option("--task", metavar="NAME", help="what the function should do; --list shows the tasks")
    add_options(parser, "format")
    add_options(parser, "mode", choices=[mode.value for mode in Rounding if mode is not Rounding.STOCHASTIC])
    option("--time-limit", type=number, metavar="S", help="seconds after which a call is stopped")
    budget_help = "seconds for all calls of a function (default: %(default)s)"
    option("--budget", type=number, default=10.0, metavar="S", help=budget_help)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--hint", action="store_true", help="grade, and give the next hint")
    what.add_argument("--solution", action="store_true", help="show a worked solution, if yours passes")
    option("--csv", type=Path, metavar="FILE", help="write the marks of a class")
    option("--secret", default="", metavar="WORD", help="the word with which the class's variants were made")
    option("--force", action="store_true", help="replace a table of marks that was not made here, or was edited")
    add_options(parser, "list", help="list the tasks, and what the function should return")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> int:
    """Grade, and print the reports; 1 if a function fails."""
    if options.list:
        if options.target:
            raise ValueError("--list lists the tasks and grades nothing; leave the file out")
        refuse_unused(options, "--list grades nothing", but=("list", "json"))
        _print_tasks(options.json)
        return 0
    if not options.target:
        raise ValueError("the file is missing; write 'fp16sim grade my.py:my_function --task rounding'")
    if Path(options.target).is_dir():
        return _class(options)
    refuse_unused(options, f"it is for the marks of a class; {options.target!r} is not a folder", *CLASS)
    reports = _reports(options)
    _remember(options, reports)
    if options.hint or options.solution:
        return _help(options, reports)
    if options.json:
        print_json([report.to_dict() for report in reports])
    else:
        print_text("\n\n".join(map(str, reports)))
        _point_to_hints(options, reports)
    return 0 if reports and all(report.passed for report in reports) else 1


def _limits(options: argparse.Namespace) -> dict[str, Any]:
    limits = {"budget": options.budget}
    if options.time_limit is not None:
        limits["time_limit"] = options.time_limit
    return limits


def _reports(options: argparse.Namespace) -> list[Report]:
    path, name = split(options.target)
    limits = _limits(options)
    if not name:
        why = "TASKS in the file says what its functions do; to grade one of them write FILE:FUNCTION"
        refuse_unused(options, why, "task", "format", "mode")
        return list(grade.file(path, **limits))
    asked = answers.asked(name)
    if options.task:
        task, fmt, mode = options.task, get_format(options.format), options.mode
    elif asked:
        task, fmt, mode = asked.task, asked.fmt, asked.mode
    else:
        raise ValueError(f"say what {name} should do, as in --task rounding; fp16sim grade --list shows the tasks")
    if options.task in grade.BLOCK_TASKS:
        refuse_unused(options, "the block has its own", "format")
    if (asked and not options.task) or options.task in grade.EXERCISES | answers.puzzle_tasks():
        refuse_unused(options, "the exercise has its own", "format", "mode")
    return [grade.function_of_file(path, name, task, fmt, mode, **limits)]


def split(target: str) -> tuple[str, str]:
    """The file and the function of "file.py:function"; an empty text if no function is named.

    >>> split("my.py:round_it"), split("my.py"), split("C:/my.py")
    (('my.py', 'round_it'), ('my.py', ''), ('C:/my.py', ''))
    """
    path, colon, name = target.rpartition(":")
    return (path, name) if colon and name.isidentifier() and len(path) > 1 else (target, "")


# --- hints and solutions --------------------------------------------------------------------------------------------


def _attempt(options: argparse.Namespace, report: Report) -> progress.Attempt:
    path = Path(split(options.target)[0])
    text = path.read_text(encoding="utf-8")
    is_stub = progress.is_stub(report) or (not report.passed and source.is_to_fill_in(text, report.function))
    fingerprint = progress.STUB if is_stub else source.fingerprint(text, report.function)
    return progress.Attempt(fingerprint, report, path.parent)


def _remember(options: argparse.Namespace, reports: list[Report]) -> None:
    """Note the attempts at functions of the course."""
    for report in reports:
        if progress.is_of_the_course(report) and "There is no function" not in report.problem:
            progress.remember(_attempt(options, report), print_error)


def _help(options: argparse.Namespace, reports: list[Report]) -> int:
    """Print a hint, or a solution, for the named function; or for the first that does not pass, or the first."""
    if not reports:
        raise ValueError(f"{quoted(options.target)} has no function to help with")
    chosen = next((report for report in reports if not report.passed), reports[0])
    if not progress.is_of_the_course(chosen):
        raise ValueError(f"{chosen.function} is not graded as an exercise of the course, so there is no help for it")
    attempt = _attempt(options, chosen)
    text_of = practice.hint_text if options.hint else practice.solution_text
    text = text_of(attempt.folder, chosen.function, attempt)
    if options.json:
        print_json({"function": chosen.function, "passed": chosen.passed, "text": text})
    else:
        print_text(practice.wrapped(text))
    return 0


def _point_to_hints(options: argparse.Namespace, reports: list[Report]) -> None:
    """Say how to get a hint, if a function of the course does not pass yet."""
    path, _ = split(options.target)
    failed = [one.function for one in reports if not one.passed and progress.is_of_the_course(one)]
    if failed and progress.allows(Path(path).parent, "hints"):
        print_text(f"\nfor a hint: fp16sim grade --hint {path}:{failed[0]}")


# --- a class --------------------------------------------------------------------------------------------------------


def _class(options: argparse.Namespace) -> int:
    """Grade a class; 0 also if somebody fails, because the marks are the result."""
    why = "the course says what its exercises are; a folder is graded as a class"
    refuse_unused(options, why, "task", "format", "mode", "hint", "solution")
    with progress_bar(options.json, "students") as bar:
        found = marks.grade_class(
            Path(options.target),
            options.csv,
            secret=options.secret,
            force=options.force,
            limits=_limits(options),
            on_progress=bar("grading"),
        )
    if options.json:
        print_json(found.to_list())
    else:
        print_text(str(found))
    if options.csv and not options.json:
        print_text(f"\n{count(len(found.rows), 'student')} written to {options.csv}")
    return 0


def _print_tasks(as_json: bool) -> None:
    puzzles: dict[str, Any] = answers.puzzle_tasks()
    if as_json:
        tasks = (grade.TASKS | grade.BLOCK_TASKS | grade.EXERCISES | puzzles).items()
        print_json([{"task": name, "signature": task.signature, "returns": task.statement} for name, task in tasks])
        return
    for name, task in grade.TASKS.items():
        print_text(f"{name:13} {task.signature:12} {task.statement}")
    others = (("quantizers of blocks", grade.BLOCK_TASKS), ("exercises of the lessons", grade.EXERCISES))
    for title, some in (*others, ("puzzles of the lessons", puzzles)):
        print_text(f"\n{title}, whose format is part of the task:")
        for name, task in some.items():
            print_text(f"{name + task.signature[1:]}: {task.statement}")
