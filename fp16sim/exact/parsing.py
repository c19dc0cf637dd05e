"""Numbers as people write them, exactly; even hostile text takes hardly any time."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ..formats import quoted

Value: TypeAlias = Fraction | float
"""A Fraction, or one of the floats -0.0, inf, -inf and nan."""

NAN, INF = math.nan, math.inf
MAX_LENGTH, MAX_DIGITS = 10_000, 1200
"""The limits of a text: its characters, and its digits without zeros at either end; all of a binary64 fit."""
REACH = 20_000
"""All numbers of all formats are between 2^-REACH and 2^REACH, and so are the points where their rounding changes."""

SIGNS = str.maketrans("−–×·⋅÷", "--***/")
"""Signs that keyboards do not have, and that people and this package write."""
RAISED = "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
# Digits with no-break, thin or narrow no-break spaces between them; and those that are groups of three, as in
# 65 536 or 0.000 061.
_SPACE = r"[\u00a0\u2009\u202f]"
_SPACED = rf"\d+(?:{_SPACE}\d+)*(?:[.,]\d+(?:{_SPACE}\d+)*)?"
_GROUPED = rf"(?:\d+|\d{{1,3}}(?:{_SPACE}\d{{3}})+)(?:[.,](?:\d+|(?:\d{{3}}{_SPACE})+\d{{1,3}}))?"

# Possessive quantifiers (*+, ?+) never give a digit back, so that no text takes more than linear time.
_UNSIGNED = r"(?:\d[\d_]*+(?:\.[\d_]*+|,\d[\d_]*+)?+|[.,]\d[\d_]*+)"
_GRAMMAR = rf"""(?P<sign>[+-]?)\s*(?:
        (?P<special>inf(?:inity)?|∞|nan)
      | 0x(?P<hex>[0-9a-f_]*+\.?+[0-9a-f_]*+)p(?P<hex_exponent>[+-]?\d+)
      | (?P<top>{_UNSIGNED})(?:e(?P<top_exponent>[+-]?\d+))?\s*(?:
            /\s*(?P<bottom>{_UNSIGNED})(?:e(?P<bottom_exponent>[+-]?\d+))?
          | (?:p|(?:\*\s*2\s*(?:\^|\*\*)))\s*(?P<two>[+-]?\d+)
          | \*\s*10\s*(?:\^|\*\*)\s*(?P<ten>[+-]?\d+)
          | (?:\^|\*\*)\s*(?P<power>[+-]?\d+)
        )?
    )"""

_AMBIGUOUS = r"[1-9]\d{0,2},\d{3}"
"""Here a comma may be a decimal point, or stand between thousands."""


@lru_cache(maxsize=1)
def _grammar() -> re.Pattern[str]:
    """Compiled at first use, so that importing the package takes no time for it."""
    return re.compile(_GRAMMAR, re.VERBOSE | re.IGNORECASE | re.ASCII)


def parse(text: str) -> Value:
    """The exact value of a number as people write it; nothing is rounded.

    Understood: `0.1`, `-1.5e-8`, `1/3`, `0x1.8p3` (C99), `1p-24` and `3*2^-24` (times a power of two), `2^-24`, `inf`,
    `nan`, with `_` between digits if you like; and what is printed for people: `−0.5`, `3 × 10⁻⁵`, `2⁻²⁴`, `∞`, `0,1`
    with a decimal comma, and no-break or thin spaces between groups of three digits.

    Returns
    -------
    Fraction or float
        A float for -0.0, the infinities and nan only.

    Raises
    ------
    ValueError
        If the text is not a number, is ambiguous (`0x2E66` may be a code or a number, `1,234` a thousand or one), has
        more than 1,200 digits, or its value is beyond 2^20000 or below 2^-20000. `round_to` and `encode` round these
        two: no format reaches them.
    TypeError
        If it is not a text.

    Examples
    --------
    >>> parse("1/3"), parse("0x1.8p3"), parse("1p-3"), parse("-0")
    (Fraction(1, 3), Fraction(12, 1), Fraction(1, 8), -0.0)
    >>> parse("−2⁻³"), parse("3 × 10⁻⁵"), parse("0,5")
    (Fraction(-1, 8), Fraction(3, 100000), Fraction(1, 2))
    """
    value = _read(text)
    if isinstance(value, _Beyond):
        raise out_of_reach("text", text, value.large)
    return value


def out_of_reach(label: str, x: object, large: bool) -> ValueError:
    """The error for a number whose exact value has too many digits."""
    side = f"beyond 2^{REACH}" if large else f"below 2^-{REACH}"
    return ValueError(
        f"{label}={quoted(x)} is {side}, too many digits to be written out; no format reaches it, so round_to and "
        "encode still round it"
    )


def stand_in(negative: bool, large: bool) -> Fraction:
    """2^REACH or 2^-REACH with a sign: every format rounds it as it rounds what is beyond."""
    magnitude = Fraction(2) ** (REACH if large else -REACH)
    return -magnitude if negative else magnitude


def parse_to_round(text: str) -> Value:
    """The exact value of a text; or 2^REACH or 2^-REACH for what is beyond, which every format rounds in the same way.

    >>> parse_to_round("-1e999999999999") == -(2**20000)
    True
    """
    value = _read(text)
    return stand_in(*value) if isinstance(value, _Beyond) else value


def with_plain_signs(text: str) -> str:
    """A text with the signs that keyboards have, and without spaces between groups of digits; other texts as they are.

    >>> with_plain_signs("−3 × 10⁻⁵"), with_plain_signs("65\\u202f536")
    ('-3 * 10^-5', '65536')
    """
    if text.isascii():
        return text
    plain = str.maketrans(RAISED, "+-0123456789")
    text = re.sub(f"[{RAISED}]+", lambda found: f"^{found[0].translate(plain)}", text)
    return re.sub(_SPACED, _ungrouped, text, flags=re.ASCII).translate(SIGNS)


def _ungrouped(found: re.Match[str]) -> str:
    text = found[0]
    return re.sub(_SPACE, "", text) if re.fullmatch(_GROUPED, text, re.ASCII) else text


class _Beyond(NamedTuple):
    """A number whose magnitude is beyond 2^REACH (`large`) or below 2^-REACH."""

    negative: bool
    large: bool


class _Number(NamedTuple):
    """The number top / bottom * 10^ten * 2^two, not yet multiplied out."""

    top: int
    bottom: int = 1
    ten: int = 0
    two: int = 0


def _read(text: str) -> Value | _Beyond:
    if not isinstance(text, str):
        raise TypeError(f"text={quoted(text)} is not a text; give one such as '0.1', or give the number to round_to")
    if len(text) > MAX_LENGTH:  # before anything that takes time
        raise ValueError(f"text of {len(text)} characters is too long for a number; use at most {MAX_LENGTH}")
    plain, text = (" ".join(line.split()) for line in (with_plain_signs(text), text))
    match = _grammar().fullmatch(plain)
    if match is None:
        raise ValueError(_complaint(text))
    part = match.groupdict()
    negative = part["sign"] == "-"
    if part["special"]:
        return NAN if part["special"].lower() == "nan" else math.copysign(INF, -negative)
    number = _number(text, part)
    if number.top == 0:
        return -0.0 if negative else Fraction(0)
    magnitude = _multiplied_out(text, number)
    if isinstance(magnitude, bool):
        return _Beyond(negative, large=magnitude)
    return -magnitude if negative else magnitude


def _number(text: str, part: dict[str, str | Any]) -> _Number:
    if part["hex"] is not None:
        return _hexadecimal(text, part["hex"], _exponent(text, part["hex_exponent"]))
    top, ten = _decimal(text, part["top"], part["top_exponent"])
    if part["bottom"]:
        bottom, less = _decimal(text, part["bottom"], part["bottom_exponent"])
        if bottom == 0:
            raise ValueError(f"text={quoted(text)} divides by zero; write inf or nan if you mean it")
        return _Number(top, bottom, ten - less)
    if part["power"]:
        if (top, ten) not in ((2, 0), (1, 1)):
            raise ValueError(f"text={quoted(text)}: only powers of 2 and 10 are understood, like 2^-24")
        exponent = _exponent(text, part["power"])
        return _Number(1, two=exponent) if top == 2 else _Number(1, ten=exponent)
    return _Number(top, ten=ten + _exponent(text, part["ten"] or "0"), two=_exponent(text, part["two"] or "0"))


def _decimal(text: str, digits: str, exponent: str | None) -> tuple[int, int]:
    """An integer without zeros at its end, and the power of ten that it is multiplied by."""
    digits = digits.replace("_", "")
    if re.fullmatch(_AMBIGUOUS, digits):
        both = f"{digits.replace(',', '.')} or {digits.replace(',', '')}"
        raise ValueError(f"text={quoted(text)}: {digits} could be one number or a thousand times it; write {both}")
    whole, _, fraction = digits.replace(",", ".").partition(".")
    significant = (whole + fraction).rstrip("0")
    zeros = len(whole + fraction) - len(significant)
    return _integer(text, significant, 10), _exponent(text, exponent or "0") - len(fraction) + zeros


def _hexadecimal(text: str, digits: str, exponent: int) -> _Number:
    whole, _, fraction = digits.replace("_", "").partition(".")
    if not whole + fraction:
        raise ValueError(_complaint(text))
    significant = (whole + fraction).rstrip("0")
    zeros = len(whole + fraction) - len(significant)
    return _Number(_integer(text, significant, 16), two=exponent + 4 * (zeros - len(fraction)))


def _integer(text: str, digits: str, base: int) -> int:
    digits = digits.lstrip("0")
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"text={quoted(text)} has {len(digits)} digits, too many for a number; use {MAX_DIGITS}")
    return int(digits or "0", base)


def _exponent(text: str, digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-0")
    return sign * (int(digits or "0") if len(digits) <= 40 else 10**40)  # an exponent that no other one can cancel


def _multiplied_out(text: str, x: _Number) -> Fraction | bool:
    """The magnitude; if it is beyond REACH, whether it is large (True) or small (False)."""
    if abs(x.ten) > REACH or abs(x.two) > 4 * REACH:
        # Too many digits to try: log2(10) is between 3.3219 and 3.3220, and log2(top / bottom) between -5000 and 5000.
        bounds = [x.ten * log // 10_000 + x.two for log in (33219, 33220)]
        if min(bounds) > 2 * REACH or max(bounds) < -2 * REACH:
            return min(bounds) > 0
        raise ValueError(f"text={quoted(text)} has exponents too large to be multiplied out; write a single one")
    magnitude = Fraction(x.top, x.bottom)
    if x.ten:
        magnitude *= Fraction(10) ** x.ten
    if x.two:
        magnitude *= Fraction(2) ** x.two
    bits = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if abs(bits) < REACH or Fraction(2) ** -REACH <= magnitude <= Fraction(2) ** REACH:
        return magnitude
    return magnitude > 1


def _complaint(text: str) -> str:
    shown = quoted(text if len(text) <= 40 else text[:37] + "...")
    if re.fullmatch(r"[+-]?0(x(_?[0-9a-f])+|b(_?[01])+)", text, re.IGNORECASE | re.ASCII):
        if len(text) > 40:
            return f"text={shown} could be a code or a number; codes are for decode, and numbers end in p0"
        number = f"{int(text, 0)}" + (f" or {text}p0" if "x" in text.lower() else "")
        return (
            f"text={shown} could be a code or a number; for the value with that code use decode({text}, fmt), "
            f"for the number {int(text, 0)} write {number}"
        )
    if "…" in text:
        return f"text={shown} is the beginning of a number; copy all its digits, or write it as a fraction"
    return f"text={shown} is not a number; write it like 0.1, 1e-8, 1/3, 0x1.8p3, 1p-24, 2^-24, inf or nan"
