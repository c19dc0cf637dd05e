"""The exact part of an operation, laid out: terms under each other, aligned, and what becomes of them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from .document import Line, Row, Section, Span, fixed, line, section, text
from .lessons import SPECIALS
from .numerals import binary_text, is_dyadic, short_text
from .records import ExactStep, Term

if TYPE_CHECKING:
    from .explanation import Explanation

WIDEST = 58
"""Digits that fit a line beside a label; terms further apart are written with their own exponents."""

TITLES = {
    "add": "exact sum",
    "subtract": "exact difference",
    "multiply": "exact product",
    "divide": "exact quotient",
    "sqrt": "exact root",
    "fma": "exact product and sum",
}


def exact_section(why: Explanation) -> Section:
    """The terms, their alignment, the exact result, its normalisation; a rule where no digits decide."""
    step = why.exact
    title = TITLES.get(why.operation, "")
    if step.rule == "given":
        return section("exact")
    if step.rule in SPECIALS:
        return section(title, text("", SPECIALS[step.rule]))
    rows = _LAYOUTS.get(why.operation, _sum)(step)
    if why.operation == "fma":
        product = step.terms[0].integer * Fraction(2) ** step.terms[0].exponent
        rows.insert(0, text("product", f"a × b = {short_text(product, 40)}: all its digits are kept."))
    return section(title, *rows, text("value", _value(step)), text("", _normalised(step, why.operation)))


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
        return f"The leading bit stands at 2^{e}: no normalisation."
    places = f"{abs(shift)} place{'s' if abs(shift) > 1 else ''}"
    if shift > 0:
        return f"A carry: the leading bit stands at 2^{e}, {places} further left."
    what = "Cancellation: the" if operation in ("add", "subtract", "fma") else "The"
    return f"{what} leading bit stands at 2^{e}, {places} further right."


# --- sums -----------------------------------------------------------------------------------------------------------


def _sum(step: ExactStep) -> list[Row]:
    nothing = [t.name for t in step.terms if not t.integer]
    if nothing:
        return [text("", f"{nothing[0]} is zero, so nothing is added: the other term is the result, exactly.")]
    rows = []
    if step.shift:
        larger = next(t.name for t in step.terms if t.name != step.shifted)
        rows.append(text("align", f"{step.shifted} moves right by {_places(step.shift)}, to the exponent of {larger}."))
    rows.append(_columns(step))
    return rows


def _places(n: int) -> str:
    return f"{n} place{'s' if n > 1 else ''}"


def _columns(step: ExactStep) -> Row:
    assert step.integer is not None
    assert step.integer_exponent is not None
    low = step.integer_exponent
    total = Term("", step.integer, low)
    top = max(_lead(t) for t in (*step.terms, total) if t.integer)
    places = max(_lead(t) for t in step.terms if t.integer) - low
    if top - low + 1 > WIDEST:
        return fixed("", *(_scientific(t, mark) for t, mark in zip((*step.terms, total), " + =", strict=False)))
    lines: list[Line] = []
    width = top - low + 2 + (places > 0)
    for t, mark in zip((*step.terms, total), ("", "", "="), strict=True):
        sign = mark or ("-" if t.integer < 0 else "+" if lines else " ")
        minus = "-" if mark and t.integer < 0 else ""
        digits = minus + binary_text(abs(t.integer) << (t.exponent - low), places)
        tail = f"   × 2^{low + places}" if mark else f"   {t.name}"
        lines.append(line(f"{sign} {' ' * (width - len(digits))}", Span(digits, "kept"), Span(tail, "muted")))
    return fixed("", *lines)


def _lead(t: Term) -> int:
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
    return line(
        f"{sign} ", "-" if mark == "=" and t.integer < 0 else "", Span(digits, "kept"), f" × 2^{_lead(t)}  ", t.name
    )


# --- products, quotients, roots -------------------------------------------------------------------------------------


def _multiply(step: ExactStep) -> list[Row]:
    a, b = step.terms
    assert step.integer_exponent is not None
    return [
        text("integers", f"{a.integer} × {b.integer} = {step.integer}"),
        text(
            "exponents",
            f"{a.exponent} + {b.exponent} = {step.integer_exponent}: {step.integer} × 2^{step.integer_exponent}",
        ),
    ]


def _divide(step: ExactStep) -> list[Row]:
    a, b = step.terms
    assert step.integer is not None
    places = a.exponent - b.exponent - (step.integer_exponent or 0)
    rest = "a remainder, which the sticky bit remembers" if step.remainder else "no remainder"
    return [
        text(
            "integers",
            f"{a.integer} / {b.integer}, to {places} places: {binary_text(abs(step.integer), places)}; {rest}",
        ),
        text("exponents", f"{a.exponent} - {b.exponent} = {a.exponent - b.exponent}"),
    ]


def _sqrt(step: ExactStep) -> list[Row]:
    (x,) = step.terms
    assert step.integer_exponent is not None
    wide = x.integer << (x.exponent - 2 * step.integer_exponent)
    rest = "a remainder, which the sticky bit remembers" if step.remainder else "no remainder"
    return [
        text(
            "integers",
            f"{wide} at the even exponent {2 * step.integer_exponent}; its integer root is {step.integer}; {rest}",
        ),
        text("exponent", f"half of {2 * step.integer_exponent}: {step.integer} × 2^{step.integer_exponent}"),
    ]


_LAYOUTS = {"multiply": _multiply, "divide": _divide, "sqrt": _sqrt}
