"""The document of a dot product: its operands, its steps as a table, the result next to the exact one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from ...exact import is_finite
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
from ..explanation import Explanation
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
"""A sum of more steps is shortened; the record has all of them."""
SHOWN = 8
"""Of a shortened sum: the first steps, the worst and the last, as many of each."""


@document_of.register
def dot_document(why: DotExplanation) -> Document:
    """The operands that were rounded, the loop, the result, the exact result."""
    terms = count(len(why.a), "term")
    name = NAMES[why.operation]
    title = f"{name} of {terms} in {format_name(why.fmt)}, {why.mode}, {why.accumulator}: "
    given = (*why.a, *why.b, why.c) if why.c else (*why.a, *why.b)
    rounded = [x for x in given if x.rounding is not None]
    return document(
        title + short_text(why.result.value),
        operands_section(rounded),
        *(_group(group) for group in (why.alignment.groups[:MOST_GROUPS] if why.alignment else ())),
        _orders(why.alignment) if why.alignment else None,
        section("steps", steps_table(why.steps), left_out(why.steps)) if why.steps else None,
        section("last rounding", paragraph("", decision(why.final))) if why.final.changes else None,
        result_section(why.result, ", ".join(why.flags) or "none"),
        section("exact result", *_exact_result(why)),
        section("where the error comes from", *error_lines(why)),
    )


MOST_GROUPS = 8
"""Steps of a matrix unit that are shown; the record has all of them."""
BELOW = 20
"""Bits below the window that are shown."""


def _group(group: AlignedGroup) -> Section:
    """The bits of every term above each other: those in the window, a line, those that are cut off."""
    name = len(max((term.name for term in group.terms), key=len))
    shown = [term for term in group.terms[:MOST_STEPS] if term.value]
    total = line(f"{'=':<{name}} ", Span(short_text(group.total), "strong"))
    lost = f"{short_text(group.lost)} is cut off" if group.lost else "nothing is cut off"
    first, *others = group.terms
    products = sum(term.name.startswith("p") for term in others)
    if group.bits is None:
        window, bits = "all digits", [line(f"{x.name:<{name}} ", Span(short_text(x.value), "kept")) for x in shown]
    else:
        window = f"from 2^{group.highest} down to 2^{group.highest - group.bits}; {lost}"
        bits = [_bits(term, group.highest, group.bits, name) for term in shown]
    return section(
        f"{group.name}: {count(products, 'product') if products else others[0].name} and {first.name}",
        paragraph("window", window),
        fixed_lines("bits", *bits, total),
        paragraph("stored", short_text(group.result)),
    )


def _bits(term: AlignedTerm, highest: int, bits: int, name: int) -> Line:
    """The bits of 2^(highest + 1), of which a product may have one, and on; dots stand for zeros before the first."""
    digits = f"{int(abs(term.value) / Fraction(2) ** (highest - bits - BELOW)):0{bits + 2 + BELOW}b}"
    first = len(digits) - len(digits.lstrip("0"))
    digits = "." * first + digits[first:]
    kept, below = digits[: bits + 2], digits[bits + 2 :].rstrip("0.")
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


def operands_section(rounded: Sequence[Operand]) -> Section | None:
    """The operands that were rounded; of many, those that raise a rarer flag than inexact come first."""
    if not rounded:
        return None
    shown = rounded
    if len(rounded) > MOST_STEPS:
        shown = sorted(rounded, key=lambda x: not _rare(x.rounding.flags if x.rounding else ()))[:SHOWN]
    more = len(rounded) - len(shown)
    rest = paragraph("", f"... and {count(more, 'more operand')}, rounded too") if more else None
    return section("operands", Table(("", "", "", ""), tuple(map(_operand, shown))), rest)


def _operand(x: Operand) -> tuple[Line, ...]:
    value = f"rounded to {short_text(x.number.value)}"
    return line(x.name), line(x.text[:24]), line(value), _alarm(x.rounding.flags if x.rounding else ())


def steps_table(steps: tuple[Step, ...]) -> Table:
    """The steps as rows; of a long sum the first, the worst and the last, with rows that count the others."""
    rows: list[tuple[Line, ...]] = []
    last = -1
    for k in shown_steps(steps):
        if k > last + 1:
            rows.append((line("..."), line(f"{count(k - last - 1, 'step')} left out"), (), (), ()))
        rows.append(_step(steps[k]))
        last = k
    return Table(("", "", "", "", "rounding"), tuple(rows))


def shown_steps(steps: Sequence[Step]) -> list[int]:
    """The places of the steps that are shown: all of up to 60, else the first, the worst and the last."""
    everything = range(len(steps))
    if len(steps) <= MOST_STEPS:
        return list(everything)
    worst = sorted(everything, key=lambda k: _badness(steps[k]), reverse=True)[:SHOWN]
    absorbing = [k for k in everything if steps[k].absorbs][:1]
    return sorted({*everything[:SHOWN], *worst, *absorbing, *everything[-SHOWN:]})


def _badness(step: Step) -> tuple[bool, Fraction]:
    """What has become infinite or NaN is worse than any error."""
    return not is_finite(step.why.result.value), abs(step.error or Fraction(0))


def _step(step: Step) -> tuple[Line, ...]:
    result, rounding = step.why.result, step.why.rounding
    words = rounding_words(rounding) if rounding else ()
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
    rare = _rare(flags)
    return line(Span(", ".join(rare), "warn")) if rare else ()


def _rare(flags: Iterable[str]) -> list[str]:
    return [flag for flag in flags if flag != "inexact"]


def left_out(steps: Sequence[Step]) -> LabelledLines | None:
    """How many steps are not shown."""
    more = len(steps) - len(shown_steps(steps))
    return paragraph("", f"{count(more, 'step')} left out; .steps has them all") if more else None


def _exact_result(why: DotExplanation) -> list[LabelledLines]:
    lines = [paragraph(NAMES[why.operation].split()[-1], short_text(why.exact, 40))]
    lines.append(paragraph("rounded", f"{short_text(why.best.value)}  {why.best.hex}"))
    if why.ulps is not None:
        lines.append(paragraph("error", f"{ulps_text(why.ulps)} ulp" if why.ulps else "none"))
    return lines


# --- where the error comes from ---------------------------------------------------------------------------------------

MANY = 8
"""Roundings from which on their sum and the largest of them are worth a sentence."""
LINEAR = ("Sequential", "Pairwise", "Blocked", "Fused")
"""Accumulators in which the errors of the steps add up to the error of the sum."""


def error_lines(why: DotExplanation) -> list[LabelledLines | None]:
    """The first step that is not finite, the additions that changed nothing, and what the roundings add up to."""
    errors = [step.error for step in why.steps if step.error]
    return [_overflown(why), _absorbing(why), *(_roundings(why, errors) if len(errors) >= MANY else ())]


def _overflown(why: DotExplanation) -> LabelledLines | None:
    given = all(is_finite(x.number.value) for x in (*why.a, *why.b))
    if not given or why.worst is None or is_finite(why.worst.why.result.value):
        return None
    value = short_text(why.worst.why.result.value)
    step = f"{why.worst.name} = {why.worst.formula} is the first step that is not finite: {value}."
    return paragraph("overflow" if "overflow" in why.worst.why.flags else "not finite", step)


def _absorbing(why: DotExplanation) -> LabelledLines | None:
    """Which addends left the sum as it was."""
    found = why.absorbed
    if not found:
        return None
    first, additions = found[0], sum(step.why.operation in ("add", "fma") for step in why.steps)
    same = f"{len(found):,} of {count(additions, 'addition')} {'leave' if len(found) > 1 else 'leaves'}"
    said = f"{same} the sum as it was (absorption), the first in {first.name} = {first.formula}"
    together = f"Together they lose {size([step.error or Fraction(0) for step in found])}." if len(found) > 1 else ""
    kahan = "Kahan's compensation puts that back." if why.accumulator.startswith("Kahan") else ""
    if isinstance(first.why, Explanation) and (lost := first.why.absorbed):
        said += f": {short_text(lost.value, 14)} is too small to change {short_text(first.why.result.value, 14)}"
    return paragraph("absorption", f"{said}.", together, kahan)


def _roundings(why: DotExplanation, errors: list[Fraction]) -> list[LabelledLines | None]:
    up, down = [x for x in errors if x > 0], [x for x in errors if x < 0]
    sides = f"{count(len(up), 'rounding')} up add {size(up)}, {len(down):,} down take away {size(down)}."
    sums = why.accumulator.startswith(LINEAR) and why.operation in ("sum", "dot")
    worst = why.worst
    return [
        paragraph("worst step", f"{worst.name} = {worst.formula}, by {size([worst.error])}.")
        if worst and worst.error
        else None,
        paragraph("all steps", sides) if sums else None,
    ]


def size(errors: list[Fraction]) -> str:
    """The magnitude of their sum, to six digits: enough for an error."""
    return f"{abs(float(sum(errors, Fraction(0)))):.6g}"
