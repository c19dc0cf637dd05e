"""fp16sim grade: a learner's function, compared with the exact layer."""

from __future__ import annotations

import argparse

from ..formats import Rounding, get_format
from ..teach import grade
from ..teach.grading.report import Report
from .output import print_json, print_text
from .parsing import Parser, add_options, number, refuse_unused


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Run a function that you wrote on every interesting case, and compare each\n"
        "result with the exact one. If a result is wrong, show the simplest such case\n"
        "and name the misconception. The exit code is 0 if all functions pass, else 1.\n\n"
        "The score is the percentage of the cases that are right, rounded down. A case\n"
        "that was not reached, because a call before it hung, is not right.\n\n"
        "Your file runs in a process of its own, with limits of time and memory. This is\n"
        "not a sandbox: the file may do whatever you may do, such as delete files. Grade\n"
        "only files that you would run."
    )
    parser.epilog = (
        "examples:\n"
        "  fp16sim grade my.py:my_round --task rounding --mode toward_zero\n"
        "  fp16sim grade exercises/rounding.py   (all functions in TASKS of the file)\n"
        "  fp16sim grade --list"
    )
    option = parser.add_argument
    option("target", nargs="?", metavar="FILE[:FUNCTION]", help="a Python file, and a function in it")
    option("--task", metavar="NAME", help="what the function should do; --list shows the tasks")
    add_options(parser, "format")
    add_options(parser, "mode", choices=[mode.value for mode in Rounding if mode is not Rounding.STOCHASTIC])
    option("--time-limit", type=number, metavar="S", help="seconds after which a call is stopped")
    budget_help = "seconds for all calls of a function (default: %(default)s)"
    option("--budget", type=number, default=10.0, metavar="S", help=budget_help)
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
    reports = _reports(options)
    if options.json:
        print_json([report.to_dict() for report in reports])
    else:
        print_text("\n\n".join(map(str, reports)))
    return 0 if reports and all(report.passed for report in reports) else 1


def _reports(options: argparse.Namespace) -> list[Report]:
    if not options.target:
        raise ValueError("the file is missing; write 'fp16sim grade my.py:my_function --task rounding'")
    limits = {"budget": options.budget}
    if options.time_limit is not None:
        limits["time_limit"] = options.time_limit
    path, name = split(options.target)
    if not name:
        why = "TASKS in the file says what its functions do; to grade one of them write FILE:FUNCTION"
        refuse_unused(options, why, "task", "format", "mode")
        return list(grade.file(path, **limits))
    if not options.task:
        raise ValueError(f"say what {name} should do, as in --task rounding; fp16sim grade --list shows the tasks")
    if options.task in grade.EXERCISES:
        refuse_unused(options, "the exercise has its own", "format", "mode")
    return [grade.function_of_file(path, name, options.task, get_format(options.format), options.mode, **limits)]


def split(target: str) -> tuple[str, str]:
    """The file and the function of "file.py:function"; an empty text if no function is named.

    >>> split("my.py:round_it"), split("my.py"), split("C:/my.py")
    (('my.py', 'round_it'), ('my.py', ''), ('C:/my.py', ''))
    """
    path, colon, name = target.rpartition(":")
    return (path, name) if colon and name.isidentifier() and len(path) > 1 else (target, "")


def _print_tasks(as_json: bool) -> None:
    if as_json:
        tasks = (grade.TASKS | grade.EXERCISES).items()
        print_json([{"task": name, "signature": task.signature, "returns": task.statement} for name, task in tasks])
        return
    for name, task in grade.TASKS.items():
        print_text(f"{name:13} {task.signature:12} {task.statement}")
    print_text("\nexercises of the lessons, whose format is part of the task:")
    for name, task in grade.EXERCISES.items():
        print_text(f"{name + task.signature[1:]}: {task.statement}")
