"""Puzzles, hints and worked solutions, as a learner uses them in a notebook, a script or a terminal.

    @fs.teach.puzzle                    # grades the function below it, and prints one line
    def sign_of(code):
        return ...

    fs.teach.check(round_to_half)       # grades an exercise of the course, and prints the report
    fs.teach.hint()                     # a hint for what was graded last; the next one comes after another attempt
    fs.teach.hint("round_to_half")
    fs.teach.solution("round_to_half")  # a worked solution with its reasons, once yours has passed

What was tried is kept in `progress.json` beside the exercises, see `progress`; nothing leaves the machine. A teacher
may turn hints and solutions off with a file `class.toml` in the folder of the course. That is a reminder and not a
lock: the package is open source, and who looks for the solutions in it will find them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from ..wording import did_you_mean, printable, quoted
from . import answers, grade, progress
from .advice import ADVICE
from .grading.child import RUN_NAME
from .grading.report import Report
from .progress import STUB, Attempt, Record
from .source import has_dots

Function = TypeVar("Function", bound=Callable[..., Any])

WIDTH = 96
"""Columns of what is printed."""
PUZZLE_BUDGET = 5.0
"""Seconds for all cases of a puzzle."""
OFF = "{} are turned off in this course, by the file class.toml; ask your teacher."


# --- grading --------------------------------------------------------------------------------------------------------


def puzzle(function: Function) -> Function:
    """Grade a puzzle of the course, print one line, and give the function back: for use as a decorator.

    The name of the function says which puzzle it is. Every hidden case is compared exactly. A puzzle may stand in any
    lesson, also in several.

    Examples
    --------
    >>> @puzzle
    ... def sign_of(code):
    ...     return ...
    sign_of: not yet: fill in the dots; hint() gives a hint.
    """
    name = getattr(function, "__name__", "")
    if getattr(function, "__module__", "") == RUN_NAME:  # its file is being graded: see `grading.child`
        return function
    if name not in answers.puzzles():
        similar = did_you_mean(str(name), answers.puzzles())
        print(f"{quoted(name)} is not a puzzle of the course. {similar}The name of the function says which one it is.")
        return function
    report = grade.run(function, name, budget=PUZZLE_BUDGET)
    attempt = progress.LATEST[name]
    if not report.passed and (has_dots(function) or attempt.fingerprint == STUB):
        progress.LATEST[name] = replace(attempt, fingerprint=STUB)
        print(f"{name}: not yet: fill in the dots; hint() gives a hint.")
    else:
        progress.remember(attempt)
        print(verdict(report))
    return function


def check(function: Callable[..., Any]) -> None:
    """Grade an exercise of the course by the name of the function, and print the report.

    Raises
    ------
    ValueError
        If the course has no exercise of that name.
    """
    name = getattr(function, "__name__", "")
    one = _asked(str(name))
    report = grade.run(function, one.task, one.fmt, one.mode)
    progress.remember(progress.LATEST[one.name])
    print(report)


def verdict(report: Report) -> str:
    """A report on a puzzle in one line.

    >>> print(verdict(grade.run(lambda code: code >> 15, "sign_of")))
    <lambda>: right, all 65,536 codes.
    >>> print(verdict(grade.run(lambda code: 1, "sign_of")))
    <lambda>: not yet. <lambda>(0x0000) must be 0; yours is 1.
    """
    group = report.groups[0] if report.groups else None
    if report.passed and group:
        return f"{report.function}: right, all {group.total:,} {group.name}."
    example = report.counterexample
    if report.problem or example is None:
        return f"{report.function}: not yet. {report.problem or report.note}"
    if example.got is None:  # it raised, or returned something that cannot be compared
        end = "" if example.got_text.endswith(("?", ".")) else "."
        return f"{report.function}: not yet. {example.shown} {example.got_text}{end}"
    return f"{report.function}: not yet. {example.shown} must be {example.expected_text}; yours is {example.got_text}."


# --- hints and solutions --------------------------------------------------------------------------------------------


def hint(name: str = "") -> None:
    """Print the next hint for an exercise or a puzzle, by default for what was graded last.

    There are three: a question, the key idea, nearly the code. The first comes when the function was graded, the next
    ones each after another attempt that was graded. If the grader knows the mistake, the hint speaks of it first.

    Raises
    ------
    ValueError
        If the course has no such function.
    """
    _print(hint_text(*_latest(name)))


def solution(name: str = "") -> None:
    """Print a worked solution with its reasons: once yours has passed.

    Raises
    ------
    ValueError
        If the course has no such function.
    """
    _print(solution_text(*_latest(name)))


def _latest(name: str) -> tuple[Path, str, Attempt | None]:
    """The folder of the progress, the function that is meant, and its last attempt in this process."""
    chosen = name or next(reversed(progress.LATEST), "") or progress.load(Path()).last
    attempt = progress.LATEST.get(chosen)
    return attempt.folder if attempt else Path(), chosen, attempt


def hint_text(folder: Path, name: str, attempt: Attempt | None) -> str:
    """The next hint of a function, which is noted in the folder's file; or why there is none."""
    one, known = _asked(name), progress.load(folder)
    record = known.of(name)
    record = record.after(attempt.fingerprint, attempt.report) if attempt else record
    if not progress.allows(folder, "hints"):
        return OFF.format("Hints")
    if record.passed:
        return f"{name} has passed already: ask for its solution, which is explained."
    if not record.attempts:
        return f"{name} was not graded yet. {_how_to_grade(one)}; then there is a hint."
    hints = answers.hints(name)
    is_new = record.has_earned and record.shown < len(hints)
    if is_new:
        record = record.after_hint(record.shown + 1)
    progress.save(folder, known.with_record(name, record))
    return _hint(name, hints, record, is_new)


def _hint(name: str, hints: tuple[str, ...], record: Record, is_new: bool) -> str:
    if not hints:
        return f"There are no hints for {name}."
    number = record.shown
    parts = [f"{name}: hint {number} of {len(hints)}" + ("" if is_new else ", again")]
    if record.misconception:
        advice = ADVICE.get(record.misconception, "")
        parts.append(f"The grader saw what your function does: it {record.misconception}. {advice}".rstrip())
    parts.append(hints[number - 1])
    if not is_new and number < len(hints):
        parts.append("The next hint comes after another attempt: change the function, and grade it.")
    return "\n\n".join(parts)


def solution_text(folder: Path, name: str, attempt: Attempt | None) -> str:
    """The worked solution of a function that has passed, or what to do first."""
    one, record = _asked(name), progress.load(folder).of(name)
    if not progress.allows(folder, "solutions"):
        return OFF.format("Solutions")
    if not (record.passed or (attempt and attempt.report.passed)):
        again = "until then, ask for a hint" if record.attempts or attempt else _how_to_grade(one)
        return f"The solution of {name} comes when yours has passed the grader; {again}."
    worked = answers.worked(name)
    if worked is None:
        return f"There is no worked solution of {name}."
    code = textwrap.indent(worked.code, "    ", lambda line: bool(line.strip()))
    return f"A worked solution of {name}; yours may be another one, and as good.\n\n{code}\n\n{worked.explanation}"


# --- what they share ------------------------------------------------------------------------------------------------


def _asked(name: str) -> answers.Asked:
    one = answers.asked(name)
    if one is None:
        known = answers.everything()
        listed = f"{did_you_mean(name, known)}known: {', '.join(known)}"
        what = f"name={quoted(name)} is not an exercise or a puzzle of the course" if name else "nothing was graded yet"
        raise ValueError(f"{what}; {listed}")
    return one


def _how_to_grade(one: answers.Asked) -> str:
    if one.is_puzzle:
        return f"Run the cell with its stub in the lesson {one.lesson}"
    return f"Run check({one.name}), or fp16sim grade exercises/{one.lesson}.py"


def wrapped(text: str) -> str:
    """Paragraphs as lines of at most `WIDTH` characters; code, which is indented, stays as it is.

    >>> print(wrapped("one\\ntwo\\n\\n    x = 1\\n    y = 2"))
    one two
    <BLANKLINE>
        x = 1
        y = 2
    """
    lines: list[str] = []
    for is_prose, group in groupby(text.splitlines(), lambda line: bool(line) and not line.startswith("    ")):
        together = list(group)
        lines += textwrap.wrap(" ".join(together), WIDTH) if is_prose else together
    return "\n".join(lines)


def _print(text: str) -> None:
    print(printable(wrapped(text), keep="\n"))


__all__ = ["check", "hint", "hint_text", "puzzle", "solution", "solution_text", "verdict", "wrapped"]
