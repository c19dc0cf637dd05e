"""The document of a dot product: its operands, its steps as a table, the result next to the exact one."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ...wording import count
from ..alignment import AlignedGroup, AlignedTerm, Alignment
from ..document import (
    Document,
    LabelledLines,
    Line,
    Section,
    Span,
    Table,
    document,
    document_of,
    fixed_lines,
    line,
    paragraph,
    section,
)
from ..dot_product import DotExplanation, Step
from ..records import Operand, OverflowRule, RoundingStep
from ..value_text import short_text, ulps_text
from .operation import result_section
from .sentences import decision, format_name

RULES = {
    "exact": "exact",
    "nearer": "to nearest",
    "tie_to_even": "tie, to even",
    "tie_to_away": "tie, away from zero",
    "to_odd": "to odd",
    "special": "",
    "flushed_input": "flushed to 0",
}
"""What the table says for a rule, if it is not the name of the rule."""

OVERFLOWS: dict[OverflowRule, str] = {
    "infinity": "infinity",
    "nan": "no infinity, so NaN",
    "max_finite": "max_finite",
    "saturate": "saturated",
}
"""What the table says after "overflow: "."""

NAMES = {"dot": "dot product", "sum": "sum", "mean": "mean", "norm": "norm"}

MOST_STEPS = 60
"""Steps of a long sum that are shown; the record has all of them."""


@document_of.register
def dot_document(why: DotExplanation) -> Document:
    """The operands that were rounded, the loop, the result, the exact result."""
    terms = count(len(why.a), "term")
    name = NAMES[why.operation]
    title = f"{name} of {terms} in {format_name(why.fmt)}, {why.mode}, {why.accumulator}: "
    rounded = [x for x in (*why.a, *why.b) if x.rounding is not None]
    return document(
        title + short_text(why.result.value),
        section("operands", Table(("", "", "", ""), tuple(map(_operand, rounded[:MOST_STEPS])))) if rounded else None,
        *(_group(group) for group in (why.alignment.groups[:MOST_GROUPS] if why.alignment else ())),
        _orders(why.alignment) if why.alignment else None,
        section("steps", _steps(why.steps), _left_out(why)) if why.steps else None,
        section("last rounding", paragraph("", decision(why.final))) if why.final.changes else None,
        result_section(why.result, ", ".join(why.flags) or "none"),
        section("exact result", *_exact_result(why)),
    )


MOST_GROUPS = 8
"""Steps of a matrix unit that are shown; the record has all of them."""
BELOW = 20
"""Bits below the window that are shown."""


def _group(group: AlignedGroup) -> Section:
    """The bits of every term above each other: those in the window, a line, those that are cut off."""
    name = len(max((term.name for term in group.terms), key=len))
    shown = [_bits(term, group, name) for term in group.terms[:MOST_STEPS] if term.value]
    total = line(f"{'=':<{name}} ", Span(short_text(group.total), "strong"))
    lost = f"{short_text(group.lost)} is cut off" if group.lost else "nothing is cut off"
    window = f"from 2^{group.highest} down to 2^{group.highest - group.bits}; {lost}"
    return section(
        f"{group.name}: {count(len(group.terms) - 1, 'product')} and {group.terms[0].name}",
        paragraph("window", window),
        fixed_lines("bits", *shown, total),
        paragraph("stored", short_text(group.result)),
    )


def _bits(term: AlignedTerm, group: AlignedGroup, name: int) -> Line:
    """The bits of 2^(highest + 1), of which a product may have one, and on; dots stand for zeros before the first."""
    digits = f"{int(abs(term.value) / Fraction(2) ** (group.highest - group.bits - BELOW)):0{group.bits + 2 + BELOW}b}"
    first = len(digits) - len(digits.lstrip("0"))
    digits = "." * first + digits[first:]
    kept, below = digits[: group.bits + 2], digits[group.bits + 2 :].rstrip("0.")
    if term.lost and not below:
        below = f" {short_text(term.value)}"
    sign = "-" if term.value < 0 else "+"
    return line(f"{term.name:<{name}} {sign}", Span(kept, "kept"), "|", Span(below, "sticky" if term.lost else "muted"))


def _orders(alignment: Alignment) -> Section | None:
    """Which other orders of the products would give another number."""
    others = [f"{one.order}: {short_text(one.value)}" for one in alignment.orders if one.differs]
    same = [one.order for one in alignment.orders if not one.differs]
    if not alignment.orders:
        return None
    return section(
        "other orders of the products",
        *(paragraph("another result", text) for text in others),
        paragraph("the same result", "; ".join(same)) if same else None,
    )


def _operand(x: Operand) -> tuple[Line, ...]:
    value = f"rounded to {short_text(x.number.value)}"
    return line(x.name), line(x.text[:24]), line(value), _alarm(x.rounding.flags if x.rounding else ())


def _steps(steps: tuple[Step, ...]) -> Table:
    return Table(("", "", "", "", "rounding"), tuple(_step(step) for step in steps[:MOST_STEPS]))


def _step(step: Step) -> tuple[Line, ...]:
    result, words = step.why.result, rounding_words(step.why.rounding)
    alarm = _alarm(flag for flag in step.why.flags if flag != "overflow")
    return (
        line(step.name),
        line(f"= {step.formula}"),
        line(Span(short_text(result.value, 18), "strong")),
        line(Span(result.hex, "muted")),
        (*words, *line("; " if words and alarm else ""), *alarm),
    )


def rounding_words(step: RoundingStep) -> Line:
    """What the table says of a rounding: how it ended, or which rule decided and how much it cut off."""
    if step.overflow_rule:
        return line(Span("overflow", "warn"), f": {OVERFLOWS[step.overflow_rule]}")
    if "invalid" in step.flags:
        return line("signaling NaN")
    if step.flushed:
        return line(RULES["flushed_input"])
    return line(RULES.get(step.rule, step.rule), f", {ulps_text(step.rest)} ulp cut off" if step.rest else "")


def _alarm(flags: Iterable[str]) -> Line:
    """The flags that are rarer than inexact."""
    rare = [flag for flag in flags if flag != "inexact"]
    return line(Span(", ".join(rare), "warn")) if rare else ()


def _left_out(why: DotExplanation) -> LabelledLines | None:
    more = len(why.steps) - MOST_STEPS
    return paragraph("", f"... and {count(more, 'more step')}; .steps has them all") if more > 0 else None


def _exact_result(why: DotExplanation) -> list[LabelledLines]:
    lines = [paragraph(NAMES[why.operation].split()[-1], short_text(why.exact, 40))]
    lines.append(paragraph("rounded", f"{short_text(why.best.value)}  {why.best.hex}"))
    if why.ulps is not None:
        lines.append(paragraph("error", f"{ulps_text(why.ulps)} ulp" if why.ulps else "none"))
    return lines
