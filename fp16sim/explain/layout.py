"""An explanation laid out as a document."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from ..exact import is_finite, is_negative
from ..formats import Rounding
from .document import Document, Line, Row, Section, Span, Table, bits_of, fixed, joined, legend_of, line, section, text
from .lessons import lessons
from .numerals import binary_text, decimal_text, exact_text, is_dyadic, power_text, short_text, ulps_text
from .records import Neighbour, Number, Operand, RoundingStep
from .sums import exact_section
from .words import CLASSES, FLAGS, decision, formula, place

if TYPE_CHECKING:
    from .explanation import Explanation, ModeResult

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


def question(why: Explanation) -> str:
    """The operation as it was asked."""
    return PATTERNS[why.operation].format(*(x.text for x in why.operands))


def document_of(why: Explanation) -> Document:
    """All of it: operands, exact result, rounding, result, other modes, other ways."""
    verb = {"round": "rounded to", "convert": "converted to", "parse": "read as"}.get(why.operation, "in")
    title = f"{question(why)} {verb} {why.fmt}, {why.mode}: {short_text(why.result.value)}"
    remarks = lessons(why)
    parts = (
        operands_section(why),
        exact_section(why),
        rounding_section(why.rounding),
        result_section(why.result, _flags(why)),
        modes_section(why),
        section("remark" if len(remarks) == 1 else "remarks", *(text("", remark) for remark in remarks)),
    )
    return Document(title, tuple(part for part in parts if part.blocks))


# --- operands -------------------------------------------------------------------------------------------------------


def operands_section(why: Explanation) -> Section:
    """Each operand: what was given, its first rounding if there was one, its code."""
    if why.operation in ("round", "parse"):
        x = why.operands[0]
        return section("given", text("", _meaning(x))) if _meaning(x) else section("given")
    return section("operands", *(row for x in why.operands for row in _operand(x)))


def _meaning(x: Operand) -> str:
    """What a text means, where that is not what it says."""
    meant = exact_text(x.exact)
    if meant == x.text or not is_finite(x.exact) or x.text == x.number.hex:
        return ""
    digits = decimal_text(Fraction(x.exact)) if is_dyadic(Fraction(x.exact)) else meant
    if len(digits) > 120:
        digits = short_text(x.exact, 40) + (
            f" = {power_text(Fraction(x.exact))}" if is_dyadic(Fraction(x.exact)) else ""
        )
    return f"{x.text} means {digits}."


def _operand(x: Operand) -> Iterator[Row]:
    number = x.number
    if x.rounding is not None:
        yield text(x.name, f"{x.text} is rounded to {number.fmt} first: {decision(x.rounding)}")
    name = "" if x.rounding is not None else x.name
    shown = [f"  {number.hex}  = {short_text(number.value)}"]
    if x.text in (number.hex, exact_text(number.value)) or x.rounding is not None:
        yield fixed(name, line(*bits_of(number), *shown))
    else:
        yield fixed(name, line(*bits_of(number), *shown, Span(f"  given as {x.text}"[:24], "muted")))


# --- rounding -------------------------------------------------------------------------------------------------------


def rounding_section(step: RoundingStep) -> Section:
    """The digits and the cut, the neighbours, the decision."""
    return section(
        "rounding",
        _digits(step),
        _neighbours(step),
        text("place", place(step)) if step.rest or step.case == "overflow" else None,
        text("rule", decision(step)),
    )


def _digits(step: RoundingStep) -> Row | None:
    if step.kept is None or step.quantum_exponent is None:
        return None
    places = step.fmt.trailing_bits if step.quantum_exponent != step.fmt.emin else 0
    kept = binary_text(step.kept, places)
    sign = "-" if is_negative(step.exact) else ""
    power = f"   × 2^{step.quantum_exponent + places}"
    cut = (str(step.guard), "guard"), (str(step.round), "round"), (str(step.sticky), "sticky")
    digits = line(sign, Span(kept, "kept"), " | ", *(Span(bit + " ", style) for bit, style in cut), power)
    legend = Span(" " * len(sign) + "kept".ljust(len(kept)) + " | g r s   guard, round, sticky", "muted")
    return fixed("digits", digits, line(legend))


def _neighbours(step: RoundingStep) -> Table | None:
    if step.below is None or step.above is None:
        return None
    if step.rule == "exact" and step.below == step.above:
        return None
    middle = (line("exact"), line(short_text(step.exact, 34)), (), (), ())
    return Table(("",) * 5, (_neighbour("below", step.below, step), middle, _neighbour("above", step.above, step)))


def _neighbour(name: str, one: Neighbour, step: RoundingStep) -> tuple[Line, ...]:
    style = "chosen" if one.chosen else ""
    code = "no code" if one.code is None else f"0x{one.code:0{-(-step.fmt.width // 4)}X}"
    away = "" if one.distance is None else f"{ulps_text(one.distance)} ulp away"
    chance = "" if one.probability is None else f"p = {ulps_text(one.probability)}"
    mark = joined_marks(chance, _choice(step) if one.chosen else "")
    return line(name), line(Span(short_text(one.value, 34), style)), line(code), line(away), line(Span(mark, style))


def _choice(step: RoundingStep) -> str:
    return (
        "<- chosen, overflow" if step.case == "overflow" and step.overflow_rule in ("infinity", "nan") else "<- chosen"
    )


def joined_marks(*marks: str) -> str:
    """The marks that are there, with blanks between."""
    return "  ".join(mark for mark in marks if mark)


# --- result ---------------------------------------------------------------------------------------------------------


def _flags(why: Explanation) -> str:
    """The flags and their reasons; and where, if it was in rounding the operands."""
    said = []
    for name in why.flags:
        early = [x.name for x in why.operands if x.rounding and name in x.rounding.flags]
        late = name in why.rounding.flags or name in why.exact.flags
        where = "" if late else f", in rounding {joined(early)}"
        said.append(f"{name}: {FLAGS[name]}{where}.")
    return " ".join(said) or "none."


def result_section(number: Number, flags: str) -> Section:
    """The code taken apart, its formula, and the flags."""
    return section(
        "result",
        fixed(
            "code",
            line(*bits_of(number), f"  {number.hex}  = ", Span(short_text(number.value), "strong")),
            legend_of(number),
        ),
        text("value", formula(number)),
        text("class", f"{CLASSES[number.kind]}"),
        text("flags", flags),
    )


# --- the others -----------------------------------------------------------------------------------------------------


def modes_section(why: Explanation) -> Section:
    """What the modes give, those with one answer together; and the wider intermediates that agree."""
    groups: dict[int, list[str]] = {}
    stochastic: list[Row | Table] = []
    for result in why.modes:
        if len(result.outcomes) > 1:
            stochastic.append(_lottery(result, why))
        else:
            groups.setdefault(result.outcomes[0].code, []).append(result.mode)
    table = Table(("", "", ""), tuple(_answer(code, modes, why) for code, modes in groups.items()))
    agreeing = [detour.via for detour in why.detours if not detour.differs and detour.via != "two roundings"]
    note = f"Through {joined(agreeing)} the answer would be the same." if agreeing else ""
    return section("every mode", table, *stochastic, text("", note, style="muted") if note else None)


def _answer(code: int, modes: list[str], why: Explanation) -> tuple[Line, ...]:
    value = next(o.value for r in why.modes for o in r.outcomes if o.code == code)
    here = "chosen" if code == why.result.code else ""
    return (
        line(Span(f"0x{code:0{-(-why.fmt.width // 4)}X}", here)),
        line(Span(short_text(value), here)),
        line(", ".join(modes)),
    )


def _lottery(result: ModeResult, why: Explanation) -> Row:
    chances = (f"{short_text(o.value)} with probability {ulps_text(o.probability)}" for o in result.outcomes)
    return text("", f"{Rounding.STOCHASTIC}: {joined(chances)}.")
