"""The document of a block: its largest element, its scale, its elements as a table, and the other rules."""

from __future__ import annotations

from fractions import Fraction

from ...exact import Value, exponent_of, is_finite
from ...wording import count
from ..block import BlockElement, BlockExplanation, Fate, RuleResult
from ..document import (
    Document,
    LabelledLines,
    Line,
    Span,
    Style,
    Table,
    document,
    document_of,
    line,
    paragraph,
    section,
)
from ..value_text import is_dyadic, rough_text, scientific_text, short_text, two_to_the

RULES = {
    "floor": "The rule floor (OCP) moves the binade of amax to that of the largest element: "
    "2^({exponent} − {emax}) = {wanted}. What is above {largest} times the scale saturates.",
    "ceil": "The rule ceil rounds log2(amax) up before it subtracts the exponent {emax} of the largest element, "
    "{largest}: {wanted}.",
    "even": "The rule even rounds amax to the precision of the elements, and then does as floor: {wanted}.",
    "rceil": "The rule rceil (NVIDIA) rounds amax / {largest} up to a power of two, so that nothing saturates: "
    "{wanted}.",
    "nearest": "The rule nearest maps amax to the largest element, {largest}: amax / {largest} = {wanted}.",
    "four_over_six": "The rule four over six compares the scale that maps amax to 6, {wanted}, with the one that "
    "maps it to 4, and takes the smaller sum of squared errors.",
}
LIMITS = {
    "largest": "{fmt} has no scale as large as that, so the block gets the largest one.",
    "smallest": "{fmt} has no scale as small as that, so the block gets the smallest one.",
}
FATES: dict[Fate, tuple[str, Style]] = {
    "exact": ("", ""),
    "rounded": ("rounded", "muted"),
    "saturated": ("saturated", "warn"),
    "vanished": ("became 0", "warn"),
    "nan": ("NaN", "warn"),
}
MOST_ROWS = 64
"""Elements that are shown; the record has all of them."""


@document_of.register
def block_document(why: BlockExplanation) -> Document:
    """The largest element, the scale, the elements, the other rules."""
    fates = f"{why.count('saturated')} saturated, {why.count('vanished')} became 0"
    title = f"block of {count(len(why.elements), 'element')} in {why.block}, {why.scale_rule}, {why.mode}: "
    more = len(why.elements) - MOST_ROWS
    return document(
        f"{title}scale {scale_text(why.scale)}, {fates}",
        section("scale", paragraph("amax", _largest(why)), _tensor(why), paragraph("rule", *_rule(why)), _stored(why)),
        section(
            "elements",
            Table(("", "x", "x / scale", "code", "element", "value", ""), tuple(map(_row, *_rows(why)))),
            paragraph("", f"{count(more, 'more element')}; the record has all of them.") if more > 0 else None,
        ),
        section(
            "each rule",
            Table(("", "scale", "code", "saturated", "became 0", "squared error"), tuple(_results(why))),
        ),
    )


def scale_text(x: Value) -> str:
    """A scale: a power of two as such, and a quotient without end by its leading digits."""
    if isinstance(x, float) or x == 0:
        return short_text(x)
    if x.numerator == 1 or x.denominator == 1:
        e = exponent_of(x)
        if x == Fraction(2) ** e:
            return two_to_the(e) if abs(e) > 5 else short_text(x)
    return short_text(x, 16) if is_dyadic(x) else f"about {scientific_text(x, 6)[0]}"


def _largest(why: BlockExplanation) -> str:
    if not is_finite(why.amax):
        return f"Element {why.amax_index} is {short_text(why.amax)}."
    if why.amax == 0:
        return "All elements are zeros."
    exponent = exponent_of(Fraction(why.amax))
    binade = f"in the binade of {two_to_the(exponent)}"
    return f"The largest magnitude is {short_text(why.amax)} (element {why.amax_index}), {binade}."


def _tensor(why: BlockExplanation) -> LabelledLines | None:
    if why.tensor_amax is None:
        return None
    return paragraph(
        "tensor",
        f"The largest magnitude of the tensor is {short_text(why.tensor_amax)}; "
        f"its scale is {scale_text(why.tensor_scale)}, and the rule sees amax divided by it.",
    )


def _rule(why: BlockExplanation) -> tuple[str, ...]:
    if not is_finite(why.amax):
        return ("NaN and infinity have no place in a block: its scale is NaN, and so is every value.",)
    if why.wanted_scale is None:
        return ("A block of zeros has the scale with code 0.",)
    amax = Fraction(why.amax) / why.tensor_scale
    sentence = RULES[why.scale_rule].format(
        exponent=exponent_of(amax),
        emax=why.element_emax,
        wanted=scale_text(why.wanted_scale),
        largest=short_text(why.element_max),
    )
    return sentence, LIMITS[why.limit].format(fmt=why.scale_format) if why.limit else ""


def _stored(why: BlockExplanation) -> LabelledLines:
    code = f"0x{why.scale_code:0{-(-why.scale_width // 4)}X} ({why.scale_code})"
    return paragraph("stored", f"{scale_text(why.scale)} in {why.scale_format}, code {code}.")


def _rows(why: BlockExplanation) -> tuple[range, tuple[BlockElement, ...], list[int]]:
    shown = why.elements[:MOST_ROWS]
    return range(len(shown)), shown, [why.element_width] * len(shown)


def _row(k: int, x: BlockElement, width: int) -> tuple[Line, ...]:
    word, style = FATES[x.fate]
    return (
        line(Span(str(k), "muted")),
        line(x.text if len(x.text) <= 12 else short_text(x.given, 12)),
        line(short_text(x.share, 12)),
        line(Span(f"{x.code:0{width}b}", "muted")),
        line(short_text(x.number, 10)),
        line(Span(short_text(x.value, 14), "strong")),
        line(Span(word, style) if word else ""),
    )


def _results(why: BlockExplanation) -> list[tuple[Line, ...]]:
    return [_result(x, why.scale_width) for x in why.rules]


def _result(x: RuleResult, width: int) -> tuple[Line, ...]:
    error = "" if x.squared_error is None else "0" if x.squared_error == 0 else rough_text(x.squared_error)
    return (
        line(Span(x.rule + (" (this one)" if x.chosen else ""), "chosen" if x.chosen else "")),
        line(scale_text(x.scale)),
        line(Span(f"0x{x.scale_code:0{-(-width // 4)}X}", "muted")),
        line(str(x.saturated)),
        line(str(x.vanished)),
        line(error),
    )
