"""An explanation laid out as a document."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from ..exact import Value, is_finite, is_negative
from ..formats import Rounding, Subnormals
from .document import (
    Document,
    Line,
    Row,
    Section,
    Span,
    Table,
    bits_of,
    fixed,
    joined,
    legend_of,
    line,
    section,
    text,
)
from .lessons import SPECIALS, lessons
from .numerals import binary_text, decimal_text, exact_text, is_dyadic, is_long, short_text, stored_text, ulps_text
from .records import Neighbour, Number, Operand, RoundingStep, hex_code
from .steps import HALF
from .sums import exact_section
from .words import CLASSES, FLAGS, decision, format_name, formula, place

if TYPE_CHECKING:
    from .alternatives import ModeResult
    from .explanation import Explanation

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
    title = f"{question(why)} {verb} {format_name(why.fmt)}, {why.mode}: {short_text(why.result.value)}"
    remarks = lessons(why)
    parts = (
        operands_section(why),
        exact_section(why),
        section("rounding") if _is_settled(why) else rounding_section(why.rounding),
        result_section(why.result, _flags(why)),
        modes_section(why),
        section("remark" if len(remarks) == 1 else "remarks", *(text("", remark) for remark in remarks)),
    )
    return Document(title, tuple(part for part in parts if part.blocks))


def _is_settled(why: Explanation) -> bool:
    """Whether a special rule has given the result already, and rounding has nothing to say."""
    return why.exact.rule in SPECIALS and why.rounding.rule == "special" and why.rounding.overflow_rule is None


# --- operands -------------------------------------------------------------------------------------------------------


def operands_section(why: Explanation) -> Section:
    """Each operand: what was given, its first rounding if there was one, its code."""
    if why.operation in ("round", "parse"):
        x = why.operands[0]
        said = "" if x.text == x.number.hex else meaning(x.text, x.exact)
        return section("given", text("", said) if said else None)
    return section("operands", *(row for x in why.operands for row in _operand(x)))


def meaning(typed: str, x: Value) -> str:
    """What a text means, where that is not what it says."""
    if not is_finite(x) or typed == exact_text(x):
        return ""
    value = Fraction(x)
    if not is_dyadic(value):
        fraction = exact_text(value)
        if fraction == typed.replace(" ", ""):
            return ""
        return (
            f"{typed} is {fraction}, whose binary digits never end."
            if len(fraction) < 30
            else (f"{typed}: its binary digits never end.")
        )
    digits = short_text(value, 40) if is_long(value, 120) else decimal_text(value)
    same = digits.replace("+", "") == typed.replace("+", "").lower()
    return "" if same else f"{typed} is {digits}."


def _operand(x: Operand) -> Iterator[Row]:
    number = x.number
    if x.rounding is not None:
        flushed = x.rounding.rule == "flushed_input"
        yield text(
            x.name, f"{x.text}{'.' if flushed else f' is rounded to {number.fmt} first:'} {decision(x.rounding)}"
        )
    name = "" if x.rounding is not None else x.name
    shown = line(f"{number.hex}  = {short_text(number.value)}")
    if x.text not in (number.hex, exact_text(number.value)) and x.rounding is None:
        shown = (*shown, Span(f"  given as {x.text}"[:24], "muted"))
    if number.fmt.width <= 36:
        yield fixed(name, (*bits_of(number), Span("  "), *shown))
    else:
        yield fixed(name, bits_of(number), shown)


# --- rounding -------------------------------------------------------------------------------------------------------


def rounding_section(step: RoundingStep) -> Section:
    """The digits and the cut, the neighbours, the decision."""
    return section(
        "rounding",
        _digits(step),
        _scale(step),
        _neighbours(step),
        text("place", place(step)) if step.rest or step.case == "overflow" else None,
        text("rule", decision(step)),
    )


def _digits(step: RoundingStep) -> Row | None:
    if step.kept is None or step.quantum_exponent is None or step.exponent is None:
        return None
    to_nearest = step.fmt.subnormals is Subnormals.FLUSH_TO_NEAREST and step.exponent < step.fmt.emin
    places = 0 if to_nearest else step.fmt.trailing_bits
    kept = binary_text(step.kept, places)
    sign = "-" if is_negative(step.exact) else ""
    cut = line(
        Span(str(step.guard), "guard"), " ", Span(str(step.round), "round"), " ", Span(str(step.sticky), "sticky")
    )
    power = f"× 2^{step.quantum_exponent + places}"
    wide = len(kept) > 40
    legend = Span(
        " " * len(sign) + "kept".ljust(len(kept)) + " | g r s" + ("" if wide else "   guard, round, sticky"), "muted"
    )
    digits = line(sign, Span(kept, "kept"), " | ", *cut, "" if wide else f"   {power}")
    return fixed("digits", digits, line(legend), *([line(power)] if wide else []))


CELLS = 40
"""Of the scale between the two neighbours; an even number, so that there is a middle."""


def _scale(step: RoundingStep) -> Row | None:
    """Where the exact number lies between its neighbours: never on one, and on the middle for a tie only."""
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
    return fixed("scale", marks, line(Span(legend, "muted")))


def _neighbours(step: RoundingStep) -> Table | None:
    if step.below is None or step.above is None:
        return None
    if step.rule == "exact" and step.below == step.above:
        return None
    room = 30 if step.fmt.width <= 16 else 22
    middle = (line("exact"), line(short_text(step.exact, room)), (), (), ())
    sides = _neighbour("below", step.below, step, room), _neighbour("above", step.above, step, room)
    return Table(("",) * 5, (sides[0], middle, sides[1]))


def _neighbour(name: str, one: Neighbour, step: RoundingStep, room: int) -> tuple[Line, ...]:
    style = "chosen" if one.chosen else ""
    code = "no code" if one.code is None else hex_code(one.code, step.fmt)
    away = "" if one.distance is None else f"{ulps_text(one.distance)} ulp"
    if one.probability is not None:
        away = f"p = {ulps_text(one.probability)}"
    mark = _choice(step) if one.chosen else ""
    return (
        line(name),
        line(Span(stored_text(one.value, step.fmt, room), style)),
        line(code),
        line(away),
        line(Span(mark, style)),
    )


def _choice(step: RoundingStep) -> str:
    return "<- chosen, overflow" if step.case == "overflow" and step.overflow_rule in ("infinity", "nan") else "chosen"


# --- result ---------------------------------------------------------------------------------------------------------


def code_row(label: str, number: Number, *after: str | Span) -> Row:
    """Bits over their legend, and the code in hexadecimal: behind them, or below those of a wide format."""
    if number.fmt.width <= 36:
        return fixed(label, line(*bits_of(number), f"  {number.hex}", *after), legend_of(number))
    return fixed(label, bits_of(number), legend_of(number), line(number.hex, *after))


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
        code_row("code", number, "  = ", Span(short_text(number.value), "strong")),
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
    if len(groups) == 1 and not stochastic:
        return section("every mode", text("", "All modes give the same."))
    table = Table(("", "", ""), tuple(_answer(code, modes, why) for code, modes in groups.items()))
    agreeing = [detour.via for detour in why.detours if not detour.differs and detour.via != "two roundings"]
    note = f"Through {joined(agreeing)} the answer would be the same." if agreeing and why.rounding.rest else ""
    return section("every mode", table, *stochastic, text("", note, style="muted") if note else None)


def _answer(code: int, modes: list[str], why: Explanation) -> tuple[Line, ...]:
    value = next(o.value for r in why.modes for o in r.outcomes if o.code == code)
    here = "chosen" if code == why.result.code else ""
    return (
        line(Span(hex_code(code, why.fmt), here)),
        line(Span(short_text(value), here)),
        line(", ".join(modes)),
    )


def _lottery(result: ModeResult, why: Explanation) -> Row:
    chances = (f"{short_text(o.value)} with probability {ulps_text(o.probability)}" for o in result.outcomes)
    return text("", f"{Rounding.STOCHASTIC}: {joined(chances)}.")
