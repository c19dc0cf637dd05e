"""The findings as text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..wording import aligned, count, joined, percent, share, shortened
from .records import Audit, Cause, Findings, Measured, Order, Verdict
from .summation import described

HEADINGS = ("subject", "version", "compared", "wrong", "by convention", "seconds", "the most frequent cause")
TREES = 12
"""Lines of a tree in a text report; the JSON has all."""
MANY = 100_000
"""Answers of a comparison that stands alone."""
LONGEST = 120
"""Characters of an input or a line of code in a text report; the JSON has all."""


class Line(NamedTuple):
    """A line of the scoreboard."""

    name: str
    version: str
    compared: str
    wrong: str
    by_convention: str
    seconds: str
    cause: str


def scoreboard(audit: Audit) -> list[Line]:
    """One line for each subject that was audited."""
    return [_line(one) for one in audit.subjects if not one.skipped]


def _line(one: Findings) -> Line:
    if one.failure and not one.compared:
        return Line(one.name, one.version or "-", "-", "-", "-", "-", one.failure)
    wrong = f"{one.wrong:,}" if one.wrong else "0"
    convention = f"{one.by_convention:,}"
    return Line(
        one.name, one.version or "-", f"{one.compared:,}", wrong, convention, f"{one.seconds:.1f}", cause_of(one)
    )


def cause_of(one: Findings) -> str:
    """The cause of the most wrong answers of a subject, and how many others there are."""
    totals: dict[str, int] = {}
    for verdict in one.verdicts:
        for cause in verdict.causes:
            totals[cause.words] = totals.get(cause.words, 0) + cause.count
    if not totals:
        return "could not be compared in part" if one.failures else "none: all answers are right"
    first = max(totals, key=lambda words: totals[words])
    more = f" (and {count(len(totals) - 1, 'other cause')})" if len(totals) > 1 else ""
    return f"{first}{more}"


def skipped(audit: Audit) -> list[tuple[str, str]]:
    """Subjects that were not audited, and why."""
    return [(one.name, one.skipped) for one in audit.subjects if one.skipped]


def grouped(one: Findings) -> Iterator[tuple[str, list[Verdict]]]:
    """Wrong verdicts of a subject; those with the same single cause are together, but for casts to 16 bits."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in one.verdicts:
        if verdict.wrong:
            alone = len(verdict.causes) != 1 or (verdict.task == "rounding" and verdict.compared > MANY)
            key = verdict.name if alone else f"{verdict.causes[0].words}, {verdict.mode}"
            groups.setdefault(key, []).append(verdict)
    yield from groups.items()


def title_of(verdicts: list[Verdict]) -> str:
    """What a group of verdicts is about: "exp, exp2 and 12 more: 40 of 888,874 wrong"."""
    names = [verdict.name for verdict in verdicts]
    named = joined(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    wrong, compared = sum(verdict.wrong for verdict in verdicts), sum(verdict.compared for verdict in verdicts)
    worst = max(verdict.worst for verdict in verdicts)
    by = f", by up to {worst:,.3g} ulp" if worst > 1 else ""
    return f"{named}: {wrong:,} of {compared:,} wrong ({percent(share(wrong, compared))}){by}"


def causes_of(verdicts: list[Verdict]) -> list[Cause]:
    """The causes of the first, with counts of all."""
    first = verdicts[0]
    if len(verdicts) == 1:
        return list(first.causes)
    (cause,) = first.causes
    total = sum(verdict.causes[0].count for verdict in verdicts)
    return [Cause(cause.name, cause.words, total, cause.example)]


def example_of(cause: Cause) -> str:
    """One sentence about the example of a cause."""
    example = cause.example
    why = f"; {example.why}" if example.why else ""
    return f"{_short(example.given)} gives {_short(example.got)}; right is {_short(example.right)}{why}"


def _short(text: str) -> str:
    return shortened(text, LONGEST)


def conventions(audit: Audit) -> list[tuple[str, str]]:
    """Formats in which subjects treat numbers beyond the range differently: the number, and who gives what."""
    answers: dict[str, dict[str, list[str]]] = {}
    for one in audit.subjects:
        for verdict in one.verdicts:
            if verdict.beyond and verdict.mode == "ties_to_even":
                given, _, got = verdict.beyond.partition(" -> ")
                fmt = verdict.fmt.partition(",")[0]
                names = answers.setdefault(f"{given} to {fmt}", {}).setdefault(got, [])
                if one.name not in names:
                    names.append(one.name)
    return [
        (key, "; ".join(f"{got} in {joined(names)}" for got, names in found.items()))
        for key, found in answers.items()
        if len(found) > 1
    ]


def conventions_of(one: Findings) -> list[str]:
    """What a subject documents, where that decided an answer."""
    return list(dict.fromkeys(verdict.convention for verdict in one.verdicts if verdict.by_convention))


def measured_line(one: Measured) -> str:
    """The error of a function, or why it was not measured."""
    if one.failure:
        return f"not measured: {one.failure}"
    return f"error at most {one.worst:.3f} ulp on {count(one.rows, 'random row')}, median {one.median:.3f}"


def _to_intended(verdicts: Iterable[Verdict]) -> str:
    """How to tell the audit that a user's function saturates on purpose."""
    names = {cause.name for verdict in verdicts for cause in verdict.causes}
    if not names & {"saturates", "inf_to_max"}:
        return ""
    return 'If that is intended, say so in the format, such as "e4m3fn,overflow=pytorch": then it is not counted.'


# --- text -----------------------------------------------------------------------------------------------------------


def to_text(audit: Audit) -> str:
    """The scoreboard, and what is wrong with each subject, with the simplest example of each cause."""
    return "\n".join([_board([HEADINGS, *scoreboard(audit)]), *details_of(audit), *notes_of(audit)]) + "\n"


def details_of(audit: Audit) -> list[str]:
    """Lines about each subject."""
    return [line for one in audit.subjects for line in _details(one)]


def notes_of(audit: Audit) -> list[str]:
    """Lines about all of them: where conventions differ, and what was skipped."""
    lines = [f"{key}: {found}" for key, found in conventions(audit)]
    lines += [f"{name} was skipped: {why}" for name, why in skipped(audit)]
    return ["", *lines] if lines else []


def _board(rows: list[Any]) -> str:
    """Names and causes to the left, numbers to the right."""
    columns = aligned([row[:-1] for row in rows], left=2).splitlines()
    width = max(map(len, columns))
    return "\n".join(f"{line:<{width}}  {row[-1]}" for line, row in zip(columns, rows, strict=True))


def _details(one: Findings) -> Iterator[str]:
    wrong = list(grouped(one))
    if not (wrong or one.failures or one.orders or one.measured):
        return
    yield from ("", f"{one.name} {one.version}".strip())
    for _, verdicts in wrong:
        yield f"  {title_of(verdicts)}"
        if len(verdicts[0].causes) > 1:
            yield f"    several causes: {len(verdicts[0].causes)}"
        for cause in causes_of(verdicts):
            yield f"    {cause.count:,}: {cause.words}"
            yield f"      {example_of(cause)}"
            yield f"      {_short(cause.example.line)}"
    if hint := _to_intended(one.verdicts):
        yield f"  {hint}"
    for convention in conventions_of(one):
        yield f"  by convention, not counted as wrong: {convention}"
    for failure in one.failures:
        yield f"  not compared: {failure}"
    for order in one.orders:
        yield f"  {order.name} in {order.fmt}: {described(order)}"
        yield from (f"      {line}" for line in tree_of(order))
    for found in one.measured:
        yield f"  {found.name} in {found.fmt}: {measured_line(found)}"


def tree_of(order: Order) -> list[str]:
    """The first lines of a tree; none for one that is a chain, which the description says."""
    lines = order.tree.splitlines()
    if len(lines) <= 1:
        return []
    return lines if len(lines) <= TREES else [*lines[: TREES - 1], f"... {len(lines) - TREES + 1} more lines"]


# --- Markdown -------------------------------------------------------------------------------------------------------


def to_markdown(audit: Audit, details: bool = True) -> str:
    """The scoreboard as a table, then a section for each subject if details are wanted."""
    where = joined(f"{name} {version}" for name, version in audit.machine.items())
    parts = [f"Made by `fp16sim audit` with {where}.", _table(HEADINGS, scoreboard(audit))]
    if differ := conventions(audit):
        rows = [(key, found) for key, found in differ]
        parts += ["### Where conventions differ", _table(("beyond the range", "what libraries give"), rows)]
    if details:
        parts += [part for one in audit.subjects for part in _section(one)]
    elif orders := [row for one in audit.subjects for row in _order_rows(one)]:
        parts += ["### How sums are taken", _table(ORDERS, orders)]
    if left := skipped(audit):
        parts.append("\n".join(f"- {name} was skipped: {_plain(why)}" for name, why in left))
    return "\n\n".join(parts) + "\n"


ORDERS = ("sum", "in", "order", "partial sums", "4,096 ones give")


def _order_rows(one: Findings) -> list[tuple[str, ...]]:
    return [
        (f"{one.name}: {order.name}", order.fmt, order.kind or order.failure, order.intermediate or "-", order.ones)
        for order in one.orders
    ]


def _section(one: Findings) -> list[str]:
    wrong = list(grouped(one))
    items = []
    for _, verdicts in wrong:
        several = "; several causes" if len(verdicts[0].causes) > 1 else ""
        items.append(f"- {_plain(title_of(verdicts))}{several}")
        for cause in causes_of(verdicts):
            items.append(f"  - {cause.count:,}: {_plain(cause.words)}. {_plain(example_of(cause))}.")
            items.append(f"    `{_short(cause.example.line)}`")
    items += [f"- By convention, and not counted as wrong: {_plain(text)}." for text in conventions_of(one)]
    items += [f"- Not compared: {_plain(failure)}." for failure in one.failures]
    items += [f"- {order.name} in {order.fmt}: {described(order)}." for order in one.orders]
    items += [f"- {found.name} in {found.fmt}: {measured_line(found)}." for found in one.measured]
    return [f"### {one.name} {one.version}".rstrip(), "\n".join(items)] if items else []


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headings), *([_plain(cell) for cell in row] for row in rows)]
    head, *body = (f"| {' | '.join(cells)} |" for cells in lines)
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])


def _plain(text: str) -> str:
    """Text in which Markdown finds nothing to format."""
    for character in ("\\", "|", "*", "_", "<", "`"):
        text = text.replace(character, f"\\{character}")
    return text
