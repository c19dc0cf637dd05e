"""Codes as numbers, from integers alone; and what people type, read as a number or as a code."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from .. import exact
from ..codes import FloatClass
from ..conversion import Array, same_format
from ..exact import Value
from ..exact.codes import encode_held
from ..formats import Format, Subnormals, quoted
from .records import Number


def without_behaviour(fmt: Format) -> Format:
    """The same codes, without flushing or saturation: reading a code is not arithmetic."""
    return replace(fmt, subnormals=Subnormals.GRADUAL, saturate=False)


def number(code: int, fmt: Format) -> Number:
    """The number that a code stands for, with its fields."""
    value = exact.decode(code, fmt)
    sign, rest = int(code & fmt.sign_bit > 0), code & ~fmt.sign_bit
    field, trailing = divmod(rest, 1 << fmt.trailing_bits)
    kind = _kind(value, sign, field, trailing, fmt)
    if not exact.is_finite(value):
        return Number(fmt, code, sign, field, trailing, kind, value, None, None)
    significand = trailing + (1 << fmt.trailing_bits if field or not fmt.zero else 0)
    return Number(fmt, code, sign, field, trailing, kind, value, max(field, int(fmt.zero)) - fmt.bias, significand)


def _kind(value: Value, sign: int, field: int, trailing: int, fmt: Format) -> FloatClass:
    if exact.is_nan(value):
        quiet = not fmt.has_payloads or trailing >> (fmt.trailing_bits - 1)
        return FloatClass.QUIET_NAN if quiet else FloatClass.SIGNALING_NAN
    normal = field or not fmt.zero
    size = "Infinity" if not exact.is_finite(value) else "Normal" if normal else "Subnormal" if trailing else "Zero"
    return FloatClass(("negative" if sign else "positive") + size)


def number_of(value: Value, fmt: Format) -> Number:
    """A value of the format as a number."""
    return number(encode_held(value, fmt), fmt)


# --- neighbours by their codes --------------------------------------------------------------------------------------


def next_up(x: Number) -> Number:
    """The next greater number of the format; the greatest number and NaN stay, and a signaling NaN becomes quiet."""
    return _next(x, 1)


def next_down(x: Number) -> Number:
    """The next smaller number of the format; the smallest number and NaN stay."""
    return _next(x, -1)


def _next(x: Number, step: int) -> Number:
    """One code further: the codes without sign are in the order of the magnitudes."""
    fmt = x.fmt
    if exact.is_nan(x.value):
        return number(x.code | 1 << (fmt.trailing_bits - 1), fmt) if exact.is_signaling(x.value) else x
    highest = fmt.largest_code + fmt.has_infinity
    place = (x.code & ~fmt.sign_bit) * (-1 if x.sign else 1) + step
    place = min(max(place, -highest if fmt.signed else 0), highest)
    minus = place < 0 or (place == 0 and x.sign and fmt.has_negative_zero)
    return number(abs(place) | (fmt.sign_bit if minus else 0), fmt)


# --- what people type -----------------------------------------------------------------------------------------------


class Given(NamedTuple):
    """What was typed: its text, its exact value, and its code if it was written as a code."""

    text: str
    value: Value
    code: int | None = None


class ArrayOfAFormat(Protocol):
    """A `FloatArray`, by what is read of it: its module is loaded by whoever makes one."""

    @property
    def fmt(self) -> Format: ...

    @property
    def values(self) -> Array: ...


NumberLike: TypeAlias = int | float | str | Fraction | Decimal | np.generic | Array | ArrayOfAFormat | Number | Given
"""One number, as a user gives it: an array has shape (), a text may be a code."""

_CODE = re.compile(
    r"0x(?P<hex>[0-9a-f_]+)|0b(?P<bits>[01_]+)|(?P<fields>[01][_ ][01]+[_ ][01]+)|(?P<plain>[01]+)", re.I
)


def code_in(text: str, fmt: Format) -> int | None:
    """The code of `fmt` that a text writes: 0x2E66, 0b..., 0_01011_1001100110 or all `width` bits; else None.

    Blanks between the fields do as well as "_".
    Bits without a prefix are a code only if there are exactly `width` of them, and 8 or more; 101 is the number 101.
    """
    match = _CODE.fullmatch(text.strip())
    if match is None:
        return None
    digits = match["hex"] or match["bits"] or match["fields"] or match["plain"]
    bare = digits.replace("_", "").replace(" ", "")
    if match["plain"] and (len(bare) != fmt.width or fmt.width < 8):
        return None
    text = text.strip() if len(text) <= 100 else f"{text.strip()[:37]}..."
    sizes = (1, fmt.exponent_bits, fmt.trailing_bits)
    if match["fields"] and tuple(map(len, re.split("[_ ]", digits))) != sizes:
        without = f"0b{bare}" if len(bare) < 100 else "0b..."
        raise ValueError(
            f"{text}: the fields of {fmt.name} have {sizes[0]}, {sizes[1]} and {sizes[2]} bits; "
            f"write {without} for a code without fields, or choose another format"
        )
    if not bare:
        raise ValueError(f"{text} has no digits; write a code like 0x3C00")
    code = int(bare, 16 if match["hex"] else 2)
    if code >= 1 << fmt.width:
        number = f"write {text}p0 if you mean the number {quoted(code)}"
        repair = number if match["hex"] else f"write at most {fmt.width} bits, or choose another format"
        raise ValueError(f"{text} is not a code of {fmt.name}, which has {fmt.width} bits; {repair}")
    return code


def read(x: NumberLike, fmt: Format) -> Given:
    """Any number, or the text of a code of `fmt`, that a user asks to have explained."""
    if isinstance(x, Given):
        return x
    if isinstance(x, Number):
        return Given(x.hex, x.value, x.code)
    if isinstance(x, str):
        if len(x) > exact.MAX_LENGTH:
            exact.parse(x)  # raises, before anything that takes time
        code = code_in(x, fmt)
        return Given(x.strip(), exact.parse(x) if code is None else exact.decode(code, fmt), code)
    x = getattr(same_format(x, fmt), "values", x)
    shape = getattr(x, "shape", ())
    if shape != () or isinstance(x, (list, tuple)):
        raise TypeError(f"x={quoted(x)} is not one number; explain one element at a time, such as x[0]")
    return Given(_text_of(x.item() if hasattr(x, "item") else x), exact.as_exact(x, strict=True))


def _text_of(x: object) -> str:
    try:
        text = str(x)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return quoted(x)
    return text if len(text) <= 40 else f"{text[:30]}... ({len(text)} digits)"
