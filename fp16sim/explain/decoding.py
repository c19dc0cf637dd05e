"""Codes taken apart by integers, and what people type read as a number or as a code."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from .. import exact
from ..codes import FloatClass
from ..conversion import same_format
from ..exact import Value
from ..exact.codes import encode_held
from ..formats import Format, Specials, Subnormals
from .records import Number


def plain_format(fmt: Format) -> Format:
    """The same codes, none of them flushed or saturated: for looking at codes, which is no arithmetic."""
    return replace(fmt, subnormals=Subnormals.GRADUAL, saturate=False)


def number(code: int, fmt: Format) -> Number:
    """A code taken apart."""
    value = exact.decode(code, fmt)
    sign, rest = divmod(code, 1 << (fmt.width - 1))
    field, trailing = divmod(rest, 1 << fmt.trailing_bits)
    kind = _kind(value, sign, field, trailing, fmt)
    if not exact.is_finite(value):
        return Number(fmt, code, sign, field, trailing, kind, value, None, None)
    significand = trailing + (1 << fmt.trailing_bits if field else 0)
    return Number(fmt, code, sign, field, trailing, kind, value, max(field, 1) - fmt.bias, significand)


def _kind(value: Value, sign: int, field: int, trailing: int, fmt: Format) -> FloatClass:
    if exact.is_nan(value):
        quiet = fmt.specials is Specials.NAN or trailing >> (fmt.trailing_bits - 1)
        return FloatClass.QUIET_NAN if quiet else FloatClass.SIGNALING_NAN
    size = "Infinity" if not exact.is_finite(value) else "Normal" if field else "Subnormal" if trailing else "Zero"
    return FloatClass(("negative" if sign else "positive") + size)


def number_of(value: Value, fmt: Format) -> Number:
    """A value that the format holds, taken apart."""
    return number(encode_held(value, fmt), fmt)


# --- what people type -----------------------------------------------------------------------------------------------


class Given(NamedTuple):
    """What was typed: its text, its exact value, and its code if it was written as one."""

    text: str
    value: Value
    code: int | None = None


_CODE = re.compile(r"0x(?P<hex>[0-9a-f_]+)|0b(?P<bits>[01_]+)|(?P<fields>[01]_[01]+_[01]+)|(?P<plain>[01]+)", re.I)


def code_in(text: str, fmt: Format) -> int | None:
    """The code of `fmt` that a text writes: 0x2E66, 0b..., 0_01011_1001100110 or all `width` bits; else None.

    Bits without any mark are a code where there are exactly `width` of them, 8 or more; 101 is a hundred and one.
    """
    match = _CODE.fullmatch(text.strip())
    if match is None:
        return None
    digits = match["hex"] or match["bits"] or match["fields"] or match["plain"]
    bare = digits.replace("_", "")
    if match["plain"] and (len(bare) != fmt.width or fmt.width < 8):
        return None
    cut = (1, fmt.exponent_bits, fmt.trailing_bits)
    if match["fields"] and tuple(map(len, digits.split("_"))) != cut:
        raise ValueError(
            f"{text.strip()}: the fields of {fmt.name} have {cut[0]}, {cut[1]} and {cut[2]} bits; "
            f"write 0b{bare} for a code without fields, or choose another format"
        )
    if not bare:
        raise ValueError(f"{text.strip()} has no digits; write a code like 0x3C00")
    code = int(bare, 16 if match["hex"] else 2)
    if code >= 1 << fmt.width:
        raise ValueError(
            f"{text.strip()} is no code of {fmt.name}, which has {fmt.width} bits; "
            f"write {text.strip()}p0 if you mean the number {code}"
            if match["hex"]
            else f"{text.strip()} is no code of {fmt.name}, which has {fmt.width} bits; use as many, or another format"
        )
    return code


def read(x: Any, fmt: Format) -> Given:
    """Any number, or code of `fmt` as text, that an explanation is asked for."""
    if isinstance(x, Given):
        return x
    if isinstance(x, Number):
        return Given(x.hex, x.value, x.code)
    if isinstance(x, str):
        code = code_in(x, fmt)
        return Given(x.strip(), exact.parse(x) if code is None else exact.decode(code, fmt), code)
    x = getattr(same_format(x, fmt), "values", x)
    shape = getattr(x, "shape", ())
    if shape != () or isinstance(x, (list, tuple)):
        raise TypeError(f"x={x!r} is not one number; explain one element at a time, such as x[0]")
    item = x.item() if hasattr(x, "item") else x
    value = exact.as_exact(item)
    return Given(_text_of(item), value)


def _text_of(x: Any) -> str:
    text = str(x)
    return text if len(text) <= 40 else f"{text[:30]}... ({len(text)} digits)"
