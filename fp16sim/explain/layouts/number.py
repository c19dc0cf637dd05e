"""The documents of a stored number: one format (anatomy), and all formats side by side (comparison)."""

from __future__ import annotations

from fractions import Fraction

from ...exact import is_finite, is_nan
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
from ..records import Number
from ..stored_number import Anatomy, Comparison
from ..value_text import decimal_text, is_long, power_text, rough_text, short_text, two_to_the, ulps_text
from .operation import bits_of, code_lines, meaning, rounding_section
from .sentences import CLASSES, format_name, formula, stored_text


@document_of.register
def anatomy_document(it: Anatomy) -> Document:
    """What was typed, what is stored, what it means, its neighbours."""
    number = it.number
    bits = section(
        "bits", *_bits(number), paragraph("value", formula(number)), paragraph("class", CLASSES[number.kind])
    )
    value, neighbours = section("value", *_values(it)), section("neighbours", _neighbours(it))
    if it.is_code:
        title = f"{it.text}, the code {number.hex} of {it.fmt}: {short_text(number.value)}"
        return document(title, bits, value, neighbours)
    title = f"{it.text} in {format_name(it.fmt)}, {it.rounding.mode}: {short_text(number.value)}"
    return document(
        title,
        section("given", *_given(it)),
        bits,
        value,
        rounding_section(it.rounding) if it.rounding.changes else None,
        neighbours,
    )


def _given(it: Anatomy) -> list[LabelledLines]:
    said = meaning(it.text, it.exact)
    lines = [paragraph("means", said)] if said else []
    if it.error is None:
        return [*lines, paragraph("flags", ", ".join(it.rounding.flags) or "none")]
    if not it.error:
        return [*lines, paragraph("error", f"none: {it.fmt} represents this number exactly")]
    relative = "" if not it.relative else f"; relative error {'1' if it.relative == 1 else rough_text(it.relative)}"
    ulps = "" if it.rounding.overflow_rule else f"; {ulps_text(it.ulps or Fraction(0))} ulp"
    return [*lines, paragraph("error", f"{_error(it.error)}{ulps}{relative}")]


def _error(error: Fraction) -> str:
    """With its sign: exact if that is short, else to three digits."""
    exact = short_text(error, 24)
    rough = f"{'-' if error < 0 else '+'}{rough_text(abs(error))}"
    if "..." in exact:
        return rough
    return f"{rough} = {exact} exactly" if "/" in exact else ("+" if error > 0 else "") + exact


def _bits(number: Number) -> list[LabelledLines]:
    fields = (
        f"sign {number.sign}, biased exponent {number.biased_exponent} (bias {number.fmt.bias}), "
        f"trailing significand {number.trailing_significand}"
    )
    return [code_lines("code", number), paragraph("fields", fields)]


def _values(it: Anatomy) -> list[LabelledLines]:
    value = it.number.value
    if not is_finite(value):
        return [paragraph("", short_text(value))]
    x = abs(Fraction(value))
    minus = "-" if it.number.sign else ""
    lines = [paragraph("shortest", it.shortest)]
    lines.append(paragraph("exact", minus + (power_text(x) if is_long(x, 150) else decimal_text(x))))
    if x.denominator > 1:
        fraction = str(x) if x.denominator < 10**20 else power_text(x)
        lines.append(paragraph("fraction", minus + fraction))
    return [*lines, paragraph("hex", it.hex_float)]


def _neighbours(it: Anatomy) -> Table:
    named = (("next down", it.next_down), ("this", it.number), ("next up", it.next_up))
    rows = [(line(name), line(stored_text(x.value, x.fmt)), line(x.hex)) for name, x in named]
    if it.ulp is not None:
        q = _exponent(it.ulp)
        rows.append((line("ulp"), line(two_to_the(q) + (f" = {short_text(it.ulp)}" if q < 0 else "")), ()))
    return Table(("",) * 3, tuple(rows))


def _exponent(ulp: Fraction) -> int:
    """q of a power of two 2^q."""
    return ulp.numerator.bit_length() - ulp.denominator.bit_length()


# --- side by side ---------------------------------------------------------------------------------------------------


@document_of.register
def comparison_document(it: Comparison) -> Document:
    """Three tables: what is stored, the neighbours, the bits."""
    stored = tuple(map(_stored, it.rows))
    beside = tuple(_side_by_side(one) for one in it.rows if not is_nan(one.number.value))
    bits = tuple((line(one.fmt.name), bits_of(one.number)) for one in it.rows)
    said = meaning(it.text, it.exact)
    return document(
        f"{it.text} in {len(it.rows)} formats, {it.mode}",
        section("given", paragraph("", said)) if said else None,
        section("stored", Table(("format", "value", "error", "in ulp", "flags"), stored)),
        section("neighbours", Table(("format", "next down", "next up", "one ulp"), beside)) if beside else None,
        section("bits", Table(("format", "sign_exponent_significand"), bits)),
    )


def _stored(one: Anatomy) -> tuple[Line, ...]:
    error = "" if one.error is None else "exact" if not one.error else _short_error(one.error)
    ulps = "" if not one.ulps or one.rounding.overflow_rule else ulps_text(one.ulps)
    flags = [flag for flag in one.rounding.flags if flag != "inexact"]
    return (
        line(one.fmt.name),
        line(Span(short_text(one.number.value, 24), "strong")),
        line(error),
        line(ulps),
        line(Span(", ".join(flags), "warn")),
    )


def _short_error(error: Fraction) -> str:
    """With its sign: exact if that is very short, else to three digits."""
    exact = short_text(error, 10)
    text = exact if "..." not in exact and "/" not in exact else ("-" if error < 0 else "") + rough_text(abs(error))
    return ("+" if error > 0 else "") + text


def _side_by_side(one: Anatomy) -> tuple[Line, ...]:
    return (
        line(one.fmt.name),
        line(stored_text(one.next_down.value, one.fmt, 22)),
        line(stored_text(one.next_up.value, one.fmt, 22)),
        line("" if one.ulp is None else two_to_the(_exponent(one.ulp))),
    )
