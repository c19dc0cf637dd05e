"""The document of a block: its largest element, its scale, its elements as a table, and the other rules."""

from __future__ import annotations

from fractions import Fraction

from ...blocks.block import LIBRARY_RULES
from ...exact import Value, exponent_of, is_finite
from ...wording import count
from ..block_scaling import BlockElement, BlockExplanation, Fate, RuleResult
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
    "torchao": "torchao computes (amax / 6) / (tensor scale), each quotient rounded to binary32: {wanted}.",
    "transformer_engine": "TransformerEngine computes amax × (S × (1 / 6)) with S = 2688 / (largest magnitude of the "
    "tensor), each step rounded to binary32: {wanted}.",
}
POWER_OF_TRANSFORMER_ENGINE = (
    "TransformerEngine multiplies amax by 1 / {largest}, both rounded to binary32, and rounds the product, {wanted}, "
    "up to a power of two."
)
LIMITS = {
    "largest": "{fmt} has no scale as large as that, so the block gets the largest one.",
    "smallest": "{fmt} has no scale as small as that, so the block gets the smallest one.",
}
LIMIT_OF_TORCHAO = "torchao has no scale below 2⁻⁶, so the block gets that one."
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
            Table(("", "x", _share_of(why), "code", "element", "value", ""), tuple(map(_row, *_rows(why)))),
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
    text = why.elements[why.amax_index].text.lstrip("-−+")
    amax = short_text(why.amax) if is_dyadic(Fraction(why.amax)) or len(text) > 20 else text
    return f"The largest magnitude is {amax} (element {why.amax_index}), {binade}."


def _tensor(why: BlockExplanation) -> LabelledLines | None:
    if why.tensor_amax is None:
        return None
    sees = "" if why.scale_rule in LIBRARY_RULES else ", and the rule sees amax divided by it"
    return paragraph(
        "tensor",
        f"The largest magnitude of the tensor is {short_text(why.tensor_amax)}; "
        f"its scale is {scale_text(why.tensor_scale)}{sees}.",
    )


def _rule(why: BlockExplanation) -> tuple[str, ...]:
    if not is_finite(why.amax):
        return ("NaN and infinity have no place in a block: its scale is NaN, and so is every value.",)
    if not is_finite(why.scale):
        what = "divides 0 by 0" if why.wanted_scale is None else "has an infinity"
        return (f"{why.scale_rule} {what} in binary32: the scale is NaN, and so is every value.",)
    if why.wanted_scale is None:
        return ("A block of zeros has the scale with code 0.",)
    sentence = RULES[why.scale_rule]
    if why.scale_rule == "transformer_engine" and why.scale_format == "e8m0fnu":
        sentence = POWER_OF_TRANSFORMER_ENGINE
    told = sentence.format(
        exponent=exponent_of(Fraction(why.amax) / (why.tensor_scale or 1)) if why.amax else "",
        emax=why.element_emax,
        wanted=scale_text(why.wanted_scale),
        largest=short_text(why.element_max),
    )
    limit = LIMIT_OF_TORCHAO if why.scale_rule == "torchao" and why.limit == "smallest" else LIMITS.get(why.limit, "")
    return told, limit.format(fmt=why.scale_format)


def _share_of(why: BlockExplanation) -> str:
    """The heading of what is rounded to the elements."""
    return "x × factor" if why.scale_rule in LIBRARY_RULES else "x / scale"


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
