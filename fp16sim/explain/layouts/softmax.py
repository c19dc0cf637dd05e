"""The document of a softmax: a row for each element, the sum of the exponentials, and what went wrong."""

from __future__ import annotations

from fractions import Fraction

from ...exact import is_finite
from ...wording import count, joined
from ..document import (
    Document,
    LabelledLines,
    Line,
    Span,
    Table,
    document,
    document_of,
    line,
    paragraph,
    section,
)
from ..dot_product import Step
from ..softmax_steps import SoftmaxExplanation
from ..value_text import short_text
from .dot import error_lines, left_out, operands_section, size, steps_table
from .sentences import format_name

MOST_ROWS = 24
"""More elements are shortened; the record has all of them."""
SHOWN = 6
"""Of many elements: the first, the worst and the last, as many of each."""
LONGEST = 4
"""Places that a sentence names."""


@document_of.register
def softmax_document(why: SoftmaxExplanation) -> Document:
    """The operands that were rounded, the elements, the sum, the probabilities, what went wrong."""
    shifted = "" if why.shift else ", the largest number not subtracted"
    title = f"softmax of {count(len(why.x), 'number')} in {format_name(why.fmt)}, {why.mode}, {why.sum.accumulator}"
    total = paragraph("sum", short_text(why.sum.result.value))
    return document(
        title + shifted,
        operands_section([x for x in why.x if x.rounding is not None]),
        section("largest", paragraph("", f"max = {short_text(why.largest.value)}")) if why.shift else None,
        section("each element", _elements(why), _more(why)),
        section("their sum", *_steps(why), total),
        section("result", *_results(why)),
        section("where the error comes from", *_causes(why), *error_lines(why.sum)),
    )


def _steps(why: SoftmaxExplanation) -> list[LabelledLines | Table | None]:
    steps = why.sum.steps
    return [steps_table(steps), left_out(steps)] if steps else []


def _elements(why: SoftmaxExplanation) -> Table:
    inside = ("x", "x - max", "e^(x - max)") if why.shift else ("x", "e^x")
    headings = ("", *inside, "probability", "error")
    rows: list[tuple[Line, ...]] = []
    last = -1
    for k in _shown(why):
        if k > last + 1:
            rows.append((line("..."), *((),) * (len(headings) - 1)))
        rows.append(_row(why, k))
        last = k
    return Table(headings, tuple(rows))


def _shown(why: SoftmaxExplanation) -> list[int]:
    everything = range(len(why.x))
    if len(everything) <= MOST_ROWS:
        return list(everything)
    worst = sorted(everything, key=lambda k: (why.ulps[k] is None, why.ulps[k] or Fraction(0)), reverse=True)[:SHOWN]
    return sorted({*everything[:SHOWN], *worst, *everything[-SHOWN:]})


def _row(why: SoftmaxExplanation, k: int) -> tuple[Line, ...]:
    ulps = why.ulps[k]
    difference = (line(short_text(why.differences[k].why.result.value, 14)),) if why.shift else ()
    return (
        line(str(k)),
        line(short_text(why.x[k].number.value, 14)),
        *difference,
        line(short_text(why.exponentials[k].why.result.value, 14)),
        line(Span(short_text(why.results[k].value, 16), "strong")),
        line("" if ulps is None else f"{size([ulps])} ulp"),
    )


def _more(why: SoftmaxExplanation) -> LabelledLines | None:
    more = len(why.x) - len(_shown(why))
    return paragraph("", f"{count(more, 'element')} left out; .results has them all") if more else None


def _results(why: SoftmaxExplanation) -> list[LabelledLines]:
    lines = [paragraph("flags", ", ".join(why.flags) or "none")]
    if all(is_finite(y.value) for y in why.results):
        total = sum((Fraction(y.value) for y in why.results), Fraction(0))
        lines.insert(0, paragraph("sum", f"the probabilities add up to {short_text(total, 22)}, exactly"))
    return lines


def _causes(why: SoftmaxExplanation) -> list[LabelledLines | None]:
    """An exponential that overflows, and probabilities that become 0."""
    over = [step.formula for step in why.exponentials if overflows(step)]
    return [
        paragraph("overflow", f"{_named(over)} {_verb(over)}: subtract the largest number first.") if over else None,
        _vanished(why),
    ]


def overflows(step: Step) -> bool:
    """Whether the rounding of a step is beyond max_finite."""
    return step.why.rounding is not None and step.why.rounding.overflow_rule is not None


def _vanished(why: SoftmaxExplanation) -> LabelledLines | None:
    if not why.vanished or not all(is_finite(y.value) for y in why.results):
        return None
    names = [f"y{k}" for k in why.vanished]
    least = short_text(why.exact[why.vanished[0]], 14)
    k = why.vanished[0]
    return paragraph(
        "underflow",
        f"{_named(names)} became 0, though y{k} is {least} exactly; its logarithm would be -infinity.",
        "A log_softmax, x - max - log(sum), stays finite." if why.shift else "",
    )


def _named(names: list[str]) -> str:
    return joined(names) if len(names) <= LONGEST else f"{names[0]} and {len(names) - 1:,} others"


def _verb(names: list[str]) -> str:
    return "overflows" if len(names) == 1 else "overflow"
