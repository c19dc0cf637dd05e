"""The document of a function with two results, and of one whose result is an integer."""

from __future__ import annotations

from ..document import Document, LabelledLines, Span, document, document_of, fixed_lines, line, paragraph, section
from ..number_parts import Part, PartsExplanation
from ..value_text import short_text
from .operation import WIDEST_CODE, bits_of, flags_text, operand_lines
from .sentences import format_name

RULES = {
    "frexp": "x = fraction × 2^exponent, where the magnitude of the fraction is at least 1/2 and less than 1.",
    "modf": "x = fraction + integer; both have the sign of x.",
    "to_integer": "x is rounded to an integer ({mode}), which {type} holds from {least} to {greatest}.",
}
INVALID = {
    "arm": "NaN gives 0, any other number the nearest integer of the type, as on Arm",
    "riscv": "NaN gives the largest integer, any other number the nearest integer of the type, as on RISC-V",
    "x86": "the result is the smallest integer of a signed type, the largest of an unsigned one, as on x86",
}
"""What to_integer gives where invalid is raised."""


@document_of.register
def parts_document(why: PartsExplanation) -> Document:
    """The operand, the rule, and the results."""
    x = why.operands[0]
    found = ", ".join(f"{part.name} {_text(part)}" if len(why.parts) > 1 else _text(part) for part in why.parts)
    invalid = {"invalid": f"no integer is the right result; {INVALID[why.invalid]}"} if why.invalid else {}
    late = [flag for part in why.parts for flag in part.flags]
    return document(
        f"{why.operation}({x.text}) in {format_name(why.fmt)}, {why.mode}: {found}",
        section("operands", *operand_lines(x)),
        section("value", paragraph("", _rule(why))),
        section(
            "result",
            *map(_part_lines, why.parts),
            paragraph("flags", flags_text(why.flags, why.operands, late, invalid)),
        ),
    )


def _rule(why: PartsExplanation) -> str:
    if why.integer_type is None:
        return RULES[why.operation]
    least, greatest = why.bounds
    return RULES[why.operation].format(mode=why.mode, type=why.integer_type, least=least, greatest=greatest)


def _text(part: Part) -> str:
    return str(part.integer) if part.number is None else short_text(part.number.value)


def _part_lines(part: Part) -> LabelledLines:
    if part.number is None:
        return paragraph(part.name, str(part.integer))
    bits, value = bits_of(part.number), line(f"{part.number.hex}  = {_text(part)}")
    beside = (*bits, Span("  "), *value)
    if sum(len(span.text) for span in beside) <= WIDEST_CODE:
        return fixed_lines(part.name, beside)
    return fixed_lines(part.name, bits, value)
