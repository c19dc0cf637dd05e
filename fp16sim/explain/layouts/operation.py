"""The document of an operation: operands, exact result, rounding, result, the other modes, remarks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from fractions import Fraction

from ...exact import Value, is_finite, is_negative
from ...formats import Format, Subnormals
from ...wording import count, joined
from ..alternatives import ModeResult
from ..document import (
    Document,
    LabelledLines,
    Line,
    Section,
    Span,
    Style,
    Table,
    document,
    document_of,
    fixed_lines,
    line,
    paragraph,
    section,
)
from ..explanation import Explanation
from ..records import ExactStep, Neighbour, Number, Operand, RoundingStep, Term
from ..rounding_step import HALF
from ..value_text import binary_text, decimal_text, exact_text, is_dyadic, is_long, short_text, ulps_text
from .sentences import CLASSES, FLAGS, SPECIAL_CASES, decision, format_name, formula, place, stored_text

PATTERNS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} × {1}",
    "divide": "{0} / {1}",
    "sqrt": "sqrt({0})",
    "fma": "fma({0}, {1}, {2})",
    "round": "{0}",
    "convert": "{0}",
    "parse": "{0}",
}


@document_of.register
def operation_document(why: Explanation) -> Document:
    """The whole document, in the order in which the operation is computed."""
    asked = PATTERNS[why.operation].format(*(x.text for x in why.operands))
    verb = {"round": "rounded to", "convert": "converted to", "parse": "read as"}.get(why.operation, "in")
    remarks = why.remarks
    return document(
        f"{asked} {verb} {format_name(why.fmt)}, {why.mode}: {short_text(why.result.value)}",
        _operands(why),
        _exact_result(why),
        None if _is_settled(why) else rounding_section(why.rounding),
        result_section(why.result, flags_text(why.flags, why.operands, (*why.exact.flags, *why.rounding.flags))),
        _modes(why),
        section("remark" if len(remarks) == 1 else "remarks", *(paragraph("", remark) for remark in remarks)),
    )


def _is_settled(why: Explanation) -> bool:
    """Whether a special case gives the result, so that nothing is left to round."""
    return why.exact.is_special and not why.rounding.changes


# --- operands -------------------------------------------------------------------------------------------------------


def _operands(why: Explanation) -> Section:
    """Each operand: its text, its own rounding if there was one, its code."""
    if why.operation in ("round", "parse"):
        x = why.operands[0]
        said = "" if x.text == x.number.hex else meaning(x.text, x.exact)
        return section("given", paragraph("", said) if said else None)
    return section("operands", *(block for x in why.operands for block in operand_lines(x)))


def meaning(typed: str, x: Value) -> str:
    """The exact value of a text, unless the text says it already."""
    if not is_finite(x) or typed == exact_text(x):
        return ""
    value = Fraction(x)
    if not is_dyadic(value):
        fraction = exact_text(value)
        if fraction == typed.replace(" ", ""):
            return ""
        if len(fraction) < 30:
            return f"{typed} is {fraction}, whose binary digits never end."
        return f"{typed}: its binary digits never end."
    digits = short_text(value, 40) if is_long(value, 120) else decimal_text(value)
    same = digits.replace("+", "") == typed.replace("+", "").lower()
    return "" if same else f"{typed} is {digits}."


def operand_lines(x: Operand) -> Iterator[LabelledLines]:
    """An operand: its code, after the rounding that made it a number of the format."""
    number, name = x.number, x.name
    shown = line(f"{number.hex}  = {short_text(number.value)}")
    if x.rounding is not None:
        before = "." if x.rounding.rule == "flushed_input" else f" is rounded to {number.fmt} first:"
        yield paragraph(name, f"{x.text}{before} {decision(x.rounding)}")
        name = ""
    elif x.text not in (number.hex, exact_text(number.value)):
        shown = (*shown, Span(f"  given as {x.text}"[:24], "muted"))
    beside = (*bits_of(number), Span("  "), *shown)
    if sum(len(part.text) for part in beside) <= WIDEST_CODE:
        yield fixed_lines(name, beside)
    else:
        yield fixed_lines(name, bits_of(number), shown)


# --- exact result ---------------------------------------------------------------------------------------------------

WIDEST = 58
"""Binary digits that fit on a line after a label; terms that need more are written with their own exponents."""

TITLES = {
    "add": "exact sum",
    "subtract": "exact difference",
    "multiply": "exact product",
    "divide": "exact quotient",
    "sqrt": "exact root",
    "fma": "exact product and sum",
}


def _exact_result(why: Explanation) -> Section | None:
    """The terms, their alignment, the exact result, its normalisation; or the sentence of a special case."""
    step = why.exact
    if step.rule == "given":
        return None
    title = TITLES[why.operation]
    if step.is_special:
        return section(title, paragraph("", SPECIAL_CASES[step.rule]))
    blocks = _DIGITS.get(why.operation, _sum)(step)
    if why.operation == "fma":
        product = step.terms[0].integer * Fraction(2) ** step.terms[0].exponent
        blocks.insert(0, paragraph("product", f"a × b = {short_text(product, 40)}: it is not rounded."))
    return section(title, *blocks, paragraph("value", _value(step)), paragraph("", _normalised(step, why.operation)))


def _value(step: ExactStep) -> str:
    value = step.value
    assert isinstance(value, Fraction)
    if step.irrational:
        return f"{short_text(value, 40)}, irrational: its digits never end"
    if not is_dyadic(value):
        return f"{short_text(value, 40)}, whose binary digits never end"
    return short_text(value, 60)


def _normalised(step: ExactStep, operation: str) -> str:
    shift, e = step.normalisation, step.exponent
    if not shift:
        return f"The leading bit is at 2^{e}: no normalisation is needed."
    places = count(abs(shift), "place")
    if shift > 0:
        return f"A carry: the leading bit is at 2^{e}, {places} further left."
    what = "Cancellation: the" if operation in ("add", "subtract", "fma") else "The"
    return f"{what} leading bit is at 2^{e}, {places} further right."


def _sum(step: ExactStep) -> list[LabelledLines]:
    zeros = [t.name for t in step.terms if not t.integer]
    if zeros:
        return [paragraph("", f"{zeros[0]} is zero: the exact result is the other term.")]
    if not step.shift:
        return [_columns(step)]
    larger = next(t.name for t in step.terms if t.name != step.shifted)
    moved = f"{step.shifted} moves right by {count(step.shift, 'place')}, to the exponent of {larger}."
    return [paragraph("align", moved), _columns(step)]


def _columns(step: ExactStep) -> LabelledLines:
    """The terms and their sum, aligned below each other."""
    assert step.integer is not None
    assert step.integer_exponent is not None
    low = step.integer_exponent
    total = Term("", step.integer, low)
    top = max(_leading(t) for t in (*step.terms, total) if t.integer)
    places = max(_leading(t) for t in step.terms if t.integer) - low
    if top - low + 1 > WIDEST:
        return fixed_lines("", *(_scientific(t, mark) for t, mark in zip((*step.terms, total), " + =", strict=False)))
    lines: list[Line] = []
    width = top - low + 2 + (places > 0)
    for t, mark in zip((*step.terms, total), ("", "", "="), strict=True):
        sign = mark or ("-" if t.integer < 0 else "+" if lines else " ")
        minus = "-" if mark and t.integer < 0 else ""
        digits = minus + binary_text(abs(t.integer) << (t.exponent - low), places)
        tail = f"   × 2^{low + places}" if mark else f"   {t.name}"
        lines.append(line(f"{sign} {' ' * (width - len(digits))}", Span(digits, "kept"), Span(tail, "muted")))
    return fixed_lines("", *lines)


def _leading(t: Term) -> int:
    """The exponent of a term's leading bit."""
    return t.exponent + max(abs(t.integer).bit_length() - 1, 0)


def _scientific(t: Term, mark: str) -> Line:
    n = abs(t.integer)
    places = max(n.bit_length() - 1, 0)
    if places > WIDEST:
        head, ones = f"{n:b}"[:24], f"{n:b}".rstrip("0")[-12:]
        digits = f"{head[0]}.{head[1:]}...{ones}"
    else:
        digits = binary_text(n, places).rstrip("0").rstrip(".") if places else str(n)
    sign = mark if mark == "=" else "-" if t.integer < 0 else mark
    minus = "-" if mark == "=" and t.integer < 0 else ""
    return line(f"{sign} ", minus, Span(digits, "kept"), f" × 2^{_leading(t)}  ", t.name)


def _product(step: ExactStep) -> list[LabelledLines]:
    a, b = step.terms
    e = step.integer_exponent
    return [
        paragraph("integers", f"{a.integer} × {b.integer} = {step.integer}"),
        paragraph("exponents", f"{a.exponent} + {b.exponent} = {e}: {step.integer} × 2^{e}"),
    ]


def _quotient(step: ExactStep) -> list[LabelledLines]:
    a, b = step.terms
    assert step.integer is not None
    places = a.exponent - b.exponent - (step.integer_exponent or 0)
    digits = binary_text(abs(step.integer), places)
    return [
        paragraph("integers", f"{a.integer} / {b.integer}, to {places} places: {digits}; {_remainder(step)}"),
        paragraph("exponents", f"{a.exponent} - {b.exponent} = {a.exponent - b.exponent}"),
    ]


def _root(step: ExactStep) -> list[LabelledLines]:
    (x,) = step.terms
    assert step.integer_exponent is not None
    even = 2 * step.integer_exponent
    wide = x.integer << (x.exponent - even)
    return [
        paragraph(
            "integers", f"{wide} at the even exponent {even}; its integer root is {step.integer}; {_remainder(step)}"
        ),
        paragraph("exponent", f"half of {even}: {step.integer} × 2^{step.integer_exponent}"),
    ]


def _remainder(step: ExactStep) -> str:
    return "the remainder sets the sticky bit" if step.remainder else "no remainder"


_DIGITS = {"multiply": _product, "divide": _quotient, "sqrt": _root}


# --- rounding -------------------------------------------------------------------------------------------------------


def rounding_section(step: RoundingStep, exact: str = "", beside: bool = False) -> Section:
    """The digits and where they are cut, the neighbours, the decision.

    `exact` is what to write for the exact number; `beside` says that it is next to a midpoint or to a number of the
    format, so that its distances are not known.
    """
    return section(
        "rounding",
        _digits(step),
        _scale(step),
        _neighbours(step, exact, beside),
        paragraph("place", place(step)) if step.rest or step.case == "overflow" else None,
        paragraph("rule", decision(step, _beside(step.rest or Fraction(0)) if beside else "")),
    )


def _digits(step: RoundingStep) -> LabelledLines | None:
    if step.kept is None or step.quantum_exponent is None or step.exponent is None:
        return None
    to_nearest = step.fmt.subnormals is Subnormals.FLUSH_TO_NEAREST and step.exponent < step.fmt.emin
    places = 0 if to_nearest else step.fmt.trailing_bits
    kept = binary_text(step.kept, places)
    sign = "-" if is_negative(step.exact) else ""
    guard, sticky = Span(str(step.guard), "guard"), Span(str(step.sticky), "sticky")
    power = f"× 2^{step.quantum_exponent + places}"
    wide = len(kept) > 40
    digits = line(sign, Span(kept, "kept"), " | ", guard, " ", Span(str(step.round), "round"), " ", sticky)
    legend = " " * len(sign) + "kept".ljust(len(kept)) + " | g r s"
    if wide:
        return fixed_lines("digits", digits, line(Span(legend, "muted")), line(power))
    legend += "   guard, round, sticky"
    return fixed_lines("digits", (*digits, Span(f"   {power}")), line(Span(legend, "muted")))


WIDEST_TABLE = 76
"""Columns for the neighbours, beside the indentation and the longest label."""
CELLS = 40
"""Width of the scale between the two neighbours; even, so that it has a middle."""


def _scale(step: RoundingStep) -> LabelledLines | None:
    """Where the exact number lies between its neighbours: never on one of them, in the middle only for a tie."""
    if not step.rest or step.below is None or step.above is None or step.above.distance is None:
        return None
    part = step.below.distance
    if part is None:
        return None
    at = min(max(round(part * CELLS), 1), CELLS - 1)
    if at == CELLS // 2 and part != HALF:
        at += 1 if part > HALF else -1
    bar = list("|" + "-" * (CELLS // 2 - 1) + "+" + "-" * (CELLS // 2 - 1) + "|")
    bar[at] = "*"
    legend = "below".ljust(CELLS // 2 - 3) + "midpoint" + "above".rjust(CELLS // 2 - 4)
    shown = "".join(bar)
    marks = line(shown[:at], Span("*", "strong"), shown[at + 1 :], "   * the exact number")
    return fixed_lines("scale", marks, line(Span(legend, "muted")))


def _neighbours(step: RoundingStep, exact: str, beside: bool) -> Table | None:
    if step.below is None or step.above is None:
        return None
    if step.rule == "exact" and step.below == step.above:
        return None
    for width in (30, 22, 16) if step.fmt.width <= 16 else (22, 16):
        middle = (line("exact"), line(exact or short_text(step.exact, width)), (), (), ())
        below, above = (_neighbour(*side, step, width) for side in (("below", step.below), ("above", step.above)))
        if beside:
            below, above = ((*side[:3], (), side[4]) for side in (below, above))
        table = Table(("",) * 5, (below, middle, above))
        if table.width <= WIDEST_TABLE:
            break
    return table


def _beside(rest: Fraction) -> str:
    """The part that is cut off, if it is next to no ulp, to half an ulp or to a whole one."""
    if abs(rest - HALF) < HALF / 2:
        return f"Just {'over' if rest > HALF else 'under'} half an ulp"
    return "Nearly a whole ulp" if rest > HALF else "A tiny part of an ulp"


def _neighbour(name: str, one: Neighbour, step: RoundingStep, width: int) -> tuple[Line, ...]:
    style: Style = "chosen" if one.chosen else ""
    code = "no code" if one.code is None else step.fmt.hex_code(one.code)
    away = "" if one.distance is None else f"{ulps_text(one.distance)} ulp"
    if one.probability is not None:
        away = f"p = {ulps_text(one.probability)}"
    mark = "" if not one.chosen else "<- chosen, overflow" if step.overflow_rule else "chosen"
    value = Span(stored_text(one.value, step.fmt, width), style)
    return line(name), line(value), line(code), line(away), line(Span(mark, style))


# --- result ---------------------------------------------------------------------------------------------------------


def result_section(number: Number, flags: str) -> Section:
    """The code in fields, its formula, and the flags."""
    return section(
        "result",
        code_lines("code", number, "  = ", Span(short_text(number.value), "strong")),
        paragraph("value", formula(number)),
        paragraph("class", CLASSES[number.kind]),
        paragraph("flags", flags),
    )


WIDEST_CODE = 71
"""Columns that are left beside a label."""


def code_lines(label: str, number: Number, *after: str | Span) -> LabelledLines:
    """The bits above their legend, and the code in hexadecimal: after the bits, or below them in a wide format."""
    beside = line(*bits_of(number), f"  {number.hex}", *after)
    if sum(len(part.text) for part in beside) <= WIDEST_CODE:
        return fixed_lines(label, beside, _legend(number.fmt))
    return fixed_lines(label, bits_of(number), _legend(number.fmt), line(number.hex, *after))


def bits_of(number: Number) -> Line:
    """The three fields, separated by "_"."""
    sign, exponent, trailing = number.fmt.bit_fields(number.code)
    spans = (Span(sign, "sign"), Span(exponent, "exponent"), Span(trailing, "trailing"))
    separated = [part for span in spans if span.text for part in ("_", span)]
    return line(*separated[1:])


def _legend(fmt: Format) -> Line:
    """The letters below the bits: s for the sign, e for the exponent, t for the trailing significand."""
    return line(Span(f"{'s ' * fmt.signed}{'e' * fmt.exponent_bits} {'t' * fmt.trailing_bits}".strip(), "muted"))


def flags_text(
    raised: Iterable[str], operands: Iterable[Operand], late: Container[str], reasons: Mapping[str, str] = FLAGS
) -> str:
    """The flags and their reasons; and the operands, if it was only their rounding that raised a flag.

    `late` are the flags of the operation itself, `reasons` its own reasons for some flags.
    """
    said = []
    for name in raised:
        early = [x.name for x in operands if x.rounding and name in x.rounding.flags]
        where = f" (in the rounding of {joined(early)})" if early and name not in late else ""
        said.append(f"{name}: {reasons.get(name, FLAGS[name])}{where}.")
    return " ".join(said) or "none."


# --- the other modes ------------------------------------------------------------------------------------------------


def _modes(why: Explanation) -> Section:
    """What the modes give, those with the same result together; and the wider intermediates that agree."""
    groups: dict[int, list[str]] = {}
    stochastic: list[LabelledLines] = []
    for result in why.modes:
        if len(result.outcomes) > 1:
            stochastic.append(_probabilities(result))
        else:
            groups.setdefault(result.outcomes[0].code, []).append(result.mode)
    if len(groups) == 1 and not stochastic:
        return section("every mode", paragraph("", "All modes give the same result."))
    table = Table(("", "", ""), tuple(_mode_row(code, modes, why) for code, modes in groups.items()))
    agreeing = [detour.via for detour in why.detours if not detour.differs and detour.via != "two roundings"]
    if not agreeing or not why.rounding.rest:
        return section("every mode", table, *stochastic)
    note = f"Computed first in {joined(agreeing, 'or')}, the result would be the same."
    return section("every mode", table, *stochastic, paragraph("", note, style="muted"))


def _mode_row(code: int, modes: list[str], why: Explanation) -> tuple[Line, ...]:
    value = next(o.value for r in why.modes for o in r.outcomes if o.code == code)
    style: Style = "chosen" if code == why.result.code else ""
    return (
        line(Span(why.fmt.hex_code(code), style)),
        line(Span(short_text(value), style)),
        line(", ".join(modes)),
    )


def _probabilities(result: ModeResult) -> LabelledLines:
    outcomes = (f"{short_text(o.value)} with probability {ulps_text(o.probability)}" for o in result.outcomes)
    return paragraph("", f"{result.mode}: {joined(outcomes)}.")
