"""The documents of a function and of a comparison."""

from __future__ import annotations

import math
from fractions import Fraction

from ...exact import Value, is_finite, is_nan, is_negative
from ..document import Document, LabelledLines, Section, Table, document, document_of, line, paragraph, section
from ..functions import ComparisonExplanation, FunctionExplanation
from ..records import RoundingStep
from ..value_text import short_text
from .operation import flags_text, operand_lines, result_section, rounding_section
from .sentences import decision, format_name

SYMBOLS = {
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
"""How a comparison is written between its operands; the others are written as functions."""

CHOICES = {
    "minimum": "The smaller operand",
    "maximum": "The larger operand",
    "minimum_magnitude": "The operand nearer to zero, or the smaller of two equally near",
    "maximum_magnitude": "The operand farther from zero, or the larger of two equally far",
}
RULES = {
    "ieee_remainder": "a - n × b, where n is the integer nearest to a / b, ties to even. It is always exact.",
    "fmod": "a - n × b, where n is a / b without its fraction. It is always exact, and has the sign of a.",
    "log_b": "The exponent e of x, with 2^e <= abs(x) < 2^(e + 1): {value}. Zero has no such e: it gives -infinity.",
    "round_to_integral": "x as an integer, in the direction of {mode}: {value}.",
    "scale_b": "x × 2^n, exactly: {value}.",
    **{name: f"{rule}. -0 counts as less than +0, and a NaN makes the result NaN." for name, rule in CHOICES.items()},
    **{
        f"{name}_number": f"{rule}. -0 counts as less than +0; a number is preferred to NaN."
        for name, rule in CHOICES.items()
    },
    "next_up": "The smallest number of {fmt} that is greater than x.",
    "next_down": "The greatest number of {fmt} that is less than x.",
    "ulp": "The distance between the numbers of {fmt} in the binade of x.",
    "spacing": "The distance from x to the next number of {fmt} further from zero, with the sign of x.",
}
"""What the functions that are no elementary ones give."""


@document_of.register
def function_document(why: FunctionExplanation) -> Document:
    """The operands, the value, its rounding, the result, the other modes."""
    asked = f"{why.operation}({', '.join(why.texts)})"
    mode = f", {why.mode}" if why.operands else ""
    shown = _digits(why)
    return document(
        f"{asked} in {format_name(why.fmt)}{mode}: {short_text(why.result.value)}",
        section("operands", *(block for x in why.operands for block in operand_lines(x))),
        section("value", *_value(why, shown)),
        _rounding(why, why.rounding, shown) if why.rounding and why.rounding.changes else None,
        result_section(why.result, flags_text(why.flags, why.operands, why.rounding.flags if why.rounding else ())),
        _modes(why),
    )


def _value(why: FunctionExplanation, shown: str) -> list[LabelledLines | None]:
    if rule := RULES.get(why.operation):
        return [paragraph("", rule.format(fmt=why.fmt, mode=why.mode, value=shown))]
    if "divide_by_zero" in why.flags and not is_finite(why.value):
        return [paragraph("", "A pole: the value is an exact infinity, and the flag divide_by_zero is raised.")]
    if is_nan(why.value):
        undefined = "invalid" in why.flags
        number = f"{why.operation} has no real value here: the result is NaN, and the flag invalid is raised."
        return [paragraph("", number if undefined else "An operand is NaN, so the result is NaN.")]
    accuracy = {
        "exact": "The value is exact.",
        "near": f"It is not exact, but near enough: no rounding to {why.fmt} changes within 2^-40 of it.",
        "above": "The exact value is so near to that number that an inequality tells on which side it is.",
        "below": "The exact value is so near to that number that an inequality tells on which side it is.",
        "huge": "It is far beyond max_finite.",
        "tiny": "It is far below min_subnormal.",
        "binary64": f"This is float64's result. {why.fmt} has more than 11 bits of precision, for which a correct "
        "rounding of this function is not promised.",
    }[why.accuracy]
    return [paragraph("value", shown), paragraph("", accuracy)]


def _rounding(why: FunctionExplanation, step: RoundingStep, shown: str) -> Section:
    """The rounding, with no more digits than are right."""
    if why.accuracy == "huge":
        return section("rounding", paragraph("rule", decision(step)))
    if why.accuracy == "tiny":
        between = f"The number lies between 0 and {'-' if is_negative(step.exact) else ''}min_subnormal, nearly at 0."
        return section(
            "rounding", paragraph("rule", f"{between} In {why.mode} it becomes {short_text(step.result.value)}.")
        )
    return rounding_section(step, shown, why.accuracy in ("above", "below"))


def _digits(why: FunctionExplanation) -> str:
    """The value with as many digits as are right."""
    value: Value = why.value
    sign = "-" if is_negative(value) else ""
    if why.accuracy == "huge":
        return f"{sign}beyond 2^1000 in magnitude"
    if why.accuracy == "tiny":
        return f"{sign}below 2^-1000 in magnitude, and not 0"
    if why.accuracy in ("above", "below"):
        boundary = math.nextafter(float(value), -math.inf if why.accuracy == "above" else math.inf)
        return f"just {why.accuracy} {short_text(Fraction(boundary))}"
    if why.accuracy == "exact" or not is_finite(value):
        return short_text(value, 40)
    return f"{float(value):.12g}{'...' if why.accuracy == 'near' else ''}"


def _modes(why: FunctionExplanation) -> Section | None:
    """What the modes give, those with the same result together."""
    groups: dict[int, list[str]] = {}
    for result in why.modes:
        groups.setdefault(result.outcomes[0].code, []).append(result.mode)
    if not groups:
        return None
    if len(groups) == 1:
        return section("every mode", paragraph("", "All modes give the same result."))
    values = {result.outcomes[0].code: result.outcomes[0].value for result in why.modes}
    rows = tuple(
        (line(why.fmt.hex_code(code)), line(short_text(values[code])), line(", ".join(modes)))
        for code, modes in groups.items()
    )
    return section("every mode", Table(("", "", ""), rows))


# --- comparisons ------------------------------------------------------------------------------------------------------

SAYS = {
    "less": "{0} is less than {1}.",
    "equal": "{0} and {1} are equal.",
    "greater": "{0} is greater than {1}.",
    "unordered": "An operand is NaN: it is not less than, equal to or greater than anything.",
}


@document_of.register
def comparison_document(why: ComparisonExplanation) -> Document:
    """The operands, what is compared, the result and the flags."""
    a, b = (x.text for x in why.operands)
    symbol = SYMBOLS.get(why.operation)
    asked = f"{a} {symbol} {b}" if symbol else f"{why.operation}({a}, {b})"
    truth = "true" if why.truth else "false"
    return document(
        f"{asked} in {format_name(why.fmt)}, {why.mode}: {truth}",
        section("operands", *(block for x in why.operands for block in operand_lines(x))),
        section("comparison", *(paragraph("", said) for said in _compared(why) if said)),
        section(
            "result",
            paragraph("truth", truth),
            paragraph("flags", flags_text(why.flags, why.operands, (), {"invalid": "an operand is NaN"})),
        ),
    )


def _compared(why: ComparisonExplanation) -> list[str]:
    a, b = (short_text(x.number.value) for x in why.operands)
    if why.operation == "total_order":
        order = "-NaN, -infinity, negative numbers, -0, +0, positive numbers, infinity, NaN"
        return [f"The order of all values is {order}; no NaN raises a flag.", _before(why, a, b)]
    said = [SAYS[why.relation].format(a, b)]
    if why.operation == "unordered":
        said.append("The question is whether an operand is NaN.")
    elif why.relation == "unordered":
        said.append("So == < <= > and >= are all false, and != is true.")
        kind = "every NaN raises invalid" if why.signaling else "only a signaling NaN raises invalid"
        said.append(f"This is the {'signaling' if why.signaling else 'quiet'} comparison: {kind}.")
        if not why.signaling and "invalid" not in why.flags and why.operation not in ("equal", "not_equal"):
            said.append("The signaling one, which < is in C, would raise invalid here.")
    elif why.relation == "equal" and why.operands[0].number.code != why.operands[1].number.code:
        said.append("The zeros of both signs are equal.")
    if why.given_relation != why.relation:
        x, y = (x.text for x in why.operands)
        said.append(f"Before they were rounded it was otherwise: {SAYS[why.given_relation].format(x, y)}")
    return said


def _before(why: ComparisonExplanation, a: str, b: str) -> str:
    return f"{a} is before {b}, or is it." if why.truth else f"{a} is after {b}."
