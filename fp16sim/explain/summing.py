"""The steps of a dot product laid out as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .document import Document, Line, Row, Span, Table, line, section, text
from .layout import result_section
from .numerals import short_text, ulps_text
from .words import decision, format_name

if TYPE_CHECKING:
    from .dots import DotExplanation
    from .loops import Step
    from .records import Operand

RULES = {
    "exact": "exact",
    "nearer": "to the nearer",
    "tie_to_even": "tie, to even",
    "tie_to_away": "tie, away",
    "to_odd": "to odd",
    "special": "",
}
MOST_STEPS = 60
"""Steps of a long sum that are shown; the record has them all."""


def dot_document(why: DotExplanation) -> Document:
    """Operands that were rounded, the loop, the result beside the exact one."""
    terms = f"{len(why.a)} term{'s' if len(why.a) > 1 else ''}"
    title = f"dot product of {terms} in {format_name(why.fmt)}, {why.mode}, {why.accumulator}: "
    rounded = [x for x in (*why.a, *why.b) if x.rounding is not None]
    parts = [
        section("operands", Table(("", "", ""), tuple(map(_operand, rounded[:MOST_STEPS])))) if rounded else None,
        section("steps", _steps(why.steps), _left_out(why)) if why.steps else None,
        section("last rounding", text("", decision(why.final))) if why.final.rule != "exact" else None,
        result_section(why.result, ", ".join(why.flags) or "none"),
        section("exactly", *_exactly(why)),
    ]
    return Document(title + short_text(why.result.value), tuple(part for part in parts if part is not None))


def _operand(x: Operand) -> tuple[Line, ...]:
    return line(x.name), line(x.text[:24]), line(f"rounded to {short_text(x.number.value)}")


def _steps(steps: tuple[Step, ...]) -> Table:
    return Table(("", "", "", "", "rounding"), tuple(_step(step) for step in steps[:MOST_STEPS]))


def _step(step: Step) -> tuple[Line, ...]:
    rounding, result = step.why.rounding, step.why.result
    rule = RULES.get(rounding.rule, rounding.rule)
    lost = f", {ulps_text(rounding.rest)} ulp cut off" if rounding.rest else ""
    flags = [flag for flag in step.why.flags if flag != "inexact"]
    alarm = Span(("; " if rule else "") + ", ".join(flags), "warn") if flags else ""
    return (
        line(step.name),
        line(f"= {step.formula}"),
        line(Span(short_text(result.value, 18), "strong")),
        line(Span(result.hex, "muted")),
        line(rule + lost, alarm),
    )


def _left_out(why: DotExplanation) -> Row | None:
    more = len(why.steps) - MOST_STEPS
    return text("", f"... and {more} more steps, all of them in .steps") if more > 0 else None


def _exactly(why: DotExplanation) -> list[Row]:
    rows = [text("sum", short_text(why.exact, 40))]
    rows.append(text("rounded", f"{short_text(why.best.value)}  {why.best.hex}"))
    if why.ulps is not None:
        rows.append(text("error", f"{ulps_text(why.ulps)} ulp" if why.ulps else "none"))
    return rows
