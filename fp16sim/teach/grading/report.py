"""What the grader found, as frozen data; and that as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import Any

from ...formats import Format, Rounding
from ...wording import count

WIDTH = 100
"""Columns of the text."""


@dataclass(frozen=True)
class Group:
    """Cases that are about the same thing: how many are right, were tried, and exist."""

    name: str
    right: int
    tried: int
    total: int

    @property
    def passed(self) -> bool:
        """Whether there are some, and all are right."""
        return self.right == self.total > 0


@dataclass(frozen=True)
class Counterexample:
    """The simplest arguments for which the function is wrong.

    Attributes
    ----------
    arguments : tuple
    expected, got : object
        The right answer, and what was returned; `got` is None if that was not usable.
    shown : str
        The call, as you would type it.
    expected_text, got_text : str
        Both with their codes; `got_text` may say what the function did instead of returning a number.
    explanation : object
        From `fs.explain` if it explains the task, else a text; `str` works for both.
    """

    arguments: tuple[Any, ...]
    expected: Any
    got: Any
    shown: str
    expected_text: str
    got_text: str
    explanation: Any


@dataclass(frozen=True)
class Report:
    """The grade of a function. It is exact: every case was compared by code.

    Attributes
    ----------
    task, function : str
    fmt : Format
    mode : Rounding
    groups : tuple of Group
        What the cases are about, and how many are right.
    counterexample : Counterexample or None
        The simplest wrong case.
    misconceptions : tuple of str
        What the function does instead, if a known fault, or two together, give the same answers in every case tried.
    unanswered : str
        The cases without an answer that can be compared, such as exceptions, and the simplest of them; empty if there
        are none, or if that is the counterexample.
    problem : str
        Why the function could not be graded to the end; empty if it could.
    note : str
        Other remarks.
    """

    task: str
    function: str
    fmt: Format
    mode: Rounding
    groups: tuple[Group, ...] = ()
    counterexample: Counterexample | None = None
    misconceptions: tuple[str, ...] = ()
    unanswered: str = ""
    problem: str = ""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether there were cases, every one was tried, and every one is right."""
        return not self.problem and bool(self.groups) and all(group.passed for group in self.groups)

    @property
    def score(self) -> int:
        """0 to 100: the percentage of cases that are right, rounded down; a case that was not reached is not right.

        So it is 100 only if the function passed.
        """
        right, total = sum(group.right for group in self.groups), sum(group.total for group in self.groups)
        return min(100 * right // max(total, 1), 100 if self.passed else 99)

    @property
    def missing(self) -> tuple[str, ...]:
        """The groups that are not yet all right."""
        return tuple(group.name for group in self.groups if not group.passed)

    @property
    def misconception(self) -> str:
        """The misconceptions in one text; empty if none was recognised."""
        return ", and ".join(self.misconceptions)

    @property
    def title(self) -> str:
        """What was graded."""
        setting = f" in {self.fmt.name}, {self.mode.value}" if self.task != "cases" else ""
        return f"{self.function}: {self.task}{setting}"

    @property
    def verdict(self) -> str:
        """Passed or not, and the score."""
        right, total = sum(group.right for group in self.groups), sum(group.total for group in self.groups)
        if self.passed:
            return f"passed: {'all ' * (total > 1)}{count(total, 'case is', 'cases are')} right. Score 100 of 100."
        counted = f": {right:,} of {count(total, 'case is', 'cases are')} right" if total else ""
        return f"not yet{counted}. Score {self.score} of 100."

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        example = self.counterexample
        return {
            "task": self.task,
            "function": self.function,
            "format": self.fmt.name,
            "mode": self.mode.value,
            "passed": self.passed,
            "score": self.score,
            "groups": [vars(group) for group in self.groups],
            "missing": list(self.missing),
            "misconceptions": list(self.misconceptions),
            "unanswered": self.unanswered,
            "problem": self.problem,
            "note": self.note,
            "counterexample": example
            and {
                "call": example.shown,
                "expected": example.expected_text,
                "got": example.got_text,
                "why": str(example.explanation),
            },
        }

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _html(self)


def _wrapped(text: str, later: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent=later)


def _lines(report: Report) -> list[str]:
    lines = [report.title, f"  {report.verdict}"]
    if report.problem:
        lines += _wrapped(report.problem)
    lines += _table(report)
    if report.unanswered:
        lines += ["", *_wrapped(report.unanswered)]
    if report.misconceptions:
        said = f"In every case tried, it answers like a function that {report.misconception}."
        lines += ["", *_wrapped(said)]
    example = report.counterexample
    if example:
        lines += ["", f"  the simplest wrong case: {example.shown}"]
        lines += [f"    right  {example.expected_text}", f"    yours  {example.got_text}"]
        why = str(example.explanation)
        if why:
            lines += ["", "  why:", textwrap.indent(why, "    ").rstrip()]
    if 0 < len(report.missing) < len(report.groups):
        listed = ", ".join(report.missing) if len(report.missing) <= 8 else f"{len(report.missing)} of the above"
        lines += ["", *_wrapped(f"still missing: {listed}", "    ")]
    if report.note:
        lines += ["", *_wrapped(report.note)]
    return lines


def _table(report: Report) -> list[str]:
    if not report.groups:
        return []
    wide = max(len(group.name) for group in report.groups)
    lines = [""]
    for group in report.groups:
        mark = "ok " if group.passed else "-- " if group.tried else "?? "
        lines.append(f"  {mark} {group.name:{wide}}  {_counted(group)}")
    return lines


def _counted(group: Group) -> str:
    if not group.tried:
        return "not tried"
    untried = group.total - group.tried
    return f"{group.right:,} of {group.total:,}" + (f" ({untried:,} not tried)" if untried else "")


def _explanation(example: Counterexample) -> str:
    rich = getattr(example.explanation, "_repr_html_", None)
    if rich is not None:
        return str(rich())
    text = str(example.explanation)
    return f"<pre>{html.escape(text)}</pre>" if text else ""


def _html(report: Report) -> str:
    """For notebooks: the same order as the text; nothing is told by colour only."""
    escape = html.escape
    parts = [f"<p><b>{escape(report.title)}</b><br>{escape(report.verdict)}</p>"]
    if report.problem:
        parts.append(f"<p>{escape(report.problem)}</p>")
    if report.groups:
        cell = "<tr><td style='text-align:left'>{}</td><td style='text-align:left'>{}</td><td>{}</td></tr>"
        rows = []
        for group in report.groups:
            mark = "ok" if group.passed else "not yet"
            rows.append(cell.format(mark, escape(group.name), _counted(group)))
        parts.append(f"<table>{''.join(rows)}</table>")
    if report.unanswered:
        parts.append(f"<p>{escape(report.unanswered)}</p>")
    if report.misconceptions:
        parts.append(
            f"<p>In every case tried, it answers like a function that <b>{escape(report.misconception)}</b>.</p>"
        )
    example = report.counterexample
    if example:
        row = "<tr><td style='text-align:left'>{}</td><td style='text-align:left'><code>{}</code></td></tr>"
        both = row.format("right", escape(example.expected_text)) + row.format("yours", escape(example.got_text))
        parts.append(f"<p>The simplest wrong case: <code>{escape(example.shown)}</code></p><table>{both}</table>")
        parts.append(f"<details><summary>why</summary>{_explanation(example)}</details>")
    if report.note:
        parts.append(f"<p>{escape(report.note)}</p>")
    return f"<div>{''.join(parts)}</div>"
