"""Anatomies and comparisons laid out as documents."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ..exact import is_finite, is_nan
from .document import Document, Line, Row, Span, Table, bits_of, line, section, text
from .layout import code_row, meaning, rounding_section
from .numerals import decimal_text, is_long, power_of_two, power_text, rough_text, short_text, stored_text, ulps_text
from .records import Number
from .words import CLASSES, format_name, formula

if TYPE_CHECKING:
    from .anatomy import Anatomy, Comparison


def anatomy_document(it: Anatomy) -> Document:
    """What was typed, what is stored, how it is read, what lies beside it."""
    number = it.number
    how = "the code" if it.is_code else "stored as"
    title = f"{it.text}, {how} {number.hex} of {it.fmt}: {short_text(number.value)}"
    if not it.is_code:
        title = f"{it.text} in {format_name(it.fmt)}, {it.rounding.mode}: {short_text(number.value)}"
    parts = [section("bits", *_bits(number), text("value", formula(number)), text("class", CLASSES[number.kind]))]
    parts.append(section("value", *_values(it)))
    if not it.is_code:
        parts.insert(0, section("typed", *_typed(it)))
        if it.rounding.rule not in ("exact", "special"):
            parts.append(rounding_section(it.rounding))
    parts.append(section("beside it", _beside(it)))
    return Document(title, tuple(parts))


def _typed(it: Anatomy) -> list[Row]:
    said = meaning(it.text, it.exact)
    rows = [text("means", said)] if said else []
    if it.error is None:
        return [*rows, text("flags", ", ".join(it.rounding.flags) or "none")]
    if not it.error:
        return [*rows, text("error", "none: the format holds this number")]
    relative = ""
    if it.relative:
        relative = "; the whole number" if it.relative == 1 else f"; {rough_text(it.relative)} of the number"
    return [*rows, text("error", f"{_signed(it.error)}; {ulps_text(it.ulps or Fraction(0))} ulp{relative}")]


def _signed(error: Fraction) -> str:
    exact = short_text(error, 24)
    rough = f"{'-' if error < 0 else '+'}{rough_text(abs(error))}"
    return (
        rough
        if "..." in exact
        else f"{rough} = {exact} exactly"
        if "/" in exact
        else ("+" if error > 0 else "") + exact
    )


def _bits(number: Number) -> list[Row]:
    return [
        code_row("code", number),
        text(
            "fields",
            f"sign {number.sign}, biased exponent {number.biased_exponent} (bias {number.fmt.bias}), "
            f"trailing significand {number.trailing_significand}",
        ),
    ]


def _values(it: Anatomy) -> list[Row]:
    value = it.number.value
    if not is_finite(value):
        return [text("", short_text(value))]
    x = abs(Fraction(value))
    minus = "-" if it.number.sign else ""
    rows = [text("shortest", it.shortest)]
    rows.append(text("exact", minus + (power_text(x) if is_long(x, 150) else decimal_text(x))))
    if x.denominator > 1:
        fraction = str(x) if x.denominator < 10**20 else power_text(x)
        rows.append(text("fraction", minus + fraction))
    return [*rows, text("hex", it.hex_float)]


def _beside(it: Anatomy) -> Table:
    rows = [_beside_row("next down", it.next_down), _beside_row("this", it.number), _beside_row("next up", it.next_up)]
    if it.ulp is not None and is_finite(it.number.value):
        q = it.ulp.numerator.bit_length() - it.ulp.denominator.bit_length()
        rows.append((line("ulp"), line(f"{power_of_two(q)}" + (f" = {short_text(it.ulp)}" if q < 0 else "")), ()))
    return Table(("",) * 3, tuple(rows))


def _beside_row(name: str, number: Number) -> tuple[Line, ...]:
    return line(name), line(stored_text(number.value, number.fmt)), line(number.hex)


# --- side by side ---------------------------------------------------------------------------------------------------


def comparison_document(it: Comparison) -> Document:
    """A table, and the bits under it."""
    rows = tuple(_stored(one) for one in it.rows)
    beside = tuple(_neighbours(one) for one in it.rows if not is_nan(one.number.value))
    bits = tuple((line(one.fmt.name), bits_of(one.number)) for one in it.rows)
    said = meaning(it.text, it.exact)
    given = section("typed", text("", said)) if said else None
    parts = (
        given,
        section("stored", Table(("format", "value", "error", "in ulp", "flags"), rows)),
        section("neighbours", Table(("format", "next down", "next up", "one ulp"), beside)) if beside else None,
        section("bits", Table(("format", "sign_exponent_significand"), bits)),
    )
    return Document(f"{it.text} in {len(it.rows)} formats, {it.mode}", tuple(part for part in parts if part))


def _stored(one: Anatomy) -> tuple[Line, ...]:
    error = "" if one.error is None else "exact" if not one.error else _signed_about(one.error)
    ulps = "" if not one.ulps or one.rounding.case == "overflow" else ulps_text(one.ulps)
    flags = [flag for flag in one.rounding.flags if flag != "inexact"]
    return (
        line(one.fmt.name),
        line(Span(short_text(one.number.value, 24), "strong")),
        line(error),
        line(ulps),
        line(Span(", ".join(flags), "warn")),
    )


def _signed_about(error: Fraction) -> str:
    exact = short_text(error, 10)
    text = exact if "..." not in exact and "/" not in exact else ("-" if error < 0 else "") + rough_text(abs(error))
    return ("+" if error > 0 else "") + text


def _neighbours(one: Anatomy) -> tuple[Line, ...]:
    ulp = "" if one.ulp is None else power_of_two(one.ulp.numerator.bit_length() - one.ulp.denominator.bit_length())
    return (
        line(one.fmt.name),
        line(stored_text(one.next_down.value, one.fmt, 22)),
        line(stored_text(one.next_up.value, one.fmt, 22)),
        line(ulp),
    )
