"""Numbers as people write them, exactly; even hostile text takes hardly any time."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

Value: TypeAlias = Fraction | float
"""A Fraction, or one of the floats -0.0, inf, -inf and nan."""

NAN, INF = math.nan, math.inf
MAX_DIGITS, MAX_EXPONENT = 1200, {2: 20000, 10: 5000}
"""The limits of a text: enough for all digits of every binary64 and the range of binary128, in a millisecond."""

# Possessive quantifiers (*+, ?+) never give a digit back, so that no text takes more than linear time.
_UNSIGNED = r"(?:\d[\d_]*+\.?+[\d_]*+|\.\d[\d_]*+)"
_GRAMMAR = rf"""(?P<sign>[+-]?)\s*(?:
        (?P<special>inf(?:inity)?|nan)
      | 0x(?P<hex>[0-9a-f_]*+\.?+[0-9a-f_]*+)p(?P<hex_exponent>[+-]?\d+)
      | (?P<top>{_UNSIGNED})(?:e(?P<top_exponent>[+-]?\d+))?\s*(?:
            /\s*(?P<bottom>{_UNSIGNED})(?:e(?P<bottom_exponent>[+-]?\d+))?
          | (?:p|(?:\*\s*2\s*(?:\^|\*\*)))\s*(?P<two>[+-]?\d+)
          | (?:\^|\*\*)\s*(?P<power>[+-]?\d+)
        )?
    )"""


@lru_cache(maxsize=1)
def _grammar() -> re.Pattern[str]:
    """Compiled at first use, so that importing the package takes no time for it."""
    return re.compile(_GRAMMAR, re.VERBOSE | re.IGNORECASE)


def parse(text: str) -> Value:
    """The exact value of a number as people write it; nothing is rounded.

    Understood: `0.1`, `-1.5e-8`, `1/3`, `0x1.8p3` (C99), `1p-24` and `3*2^-24` (times a power of two), `2^-24`, `inf`,
    `nan`, with `_` between digits if you like.

    Returns
    -------
    Fraction or float
        A float for -0.0, the infinities and nan only.

    Raises
    ------
    ValueError
        If the text is not a number, is ambiguous (`0x2E66` may be a code or a number), has more than 1,300
        characters, or an exponent beyond 5,000 (of two: 20,000).

    Examples
    --------
    >>> parse("1/3"), parse("0x1.8p3"), parse("1p-3"), parse("-0")
    (Fraction(1, 3), Fraction(12, 1), Fraction(1, 8), -0.0)
    """
    if len(text) > MAX_DIGITS + 100:
        raise ValueError(f"text of {len(text)} characters is too long for a number; use at most {MAX_DIGITS} digits")
    text = text.strip()
    match = _grammar().fullmatch(text)
    if match is None:
        raise ValueError(_complaint(text))
    part = match.groupdict()
    negative = part["sign"] == "-"
    if part["special"]:
        return NAN if part["special"].lower() == "nan" else math.copysign(INF, -negative)
    magnitude = _magnitude(text, part)
    if magnitude == 0:
        return -0.0 if negative else Fraction(0)
    return -magnitude if negative else magnitude


def _magnitude(text: str, part: dict[str, str]) -> Fraction:
    if part["hex"] is not None:
        whole, _, fraction = part["hex"].replace("_", "").partition(".")
        if not whole + fraction:
            raise ValueError(_complaint(text))
        return int(whole + fraction, 16) * _power(text, 2, part["hex_exponent"]) / 16 ** len(fraction)
    top = _decimal(text, part["top"], part["top_exponent"])
    if part["bottom"]:
        bottom = _decimal(text, part["bottom"], part["bottom_exponent"])
        if bottom == 0:
            raise ValueError(f"text={text!r} divides by zero; write inf or nan if you mean it")
        return top / bottom
    if part["power"]:
        if top != 2:
            raise ValueError(f"text={text!r}: only powers of two are understood; write 2^{part['power']}")
        return _power(text, 2, part["power"])
    return top * _power(text, 2, part["two"]) if part["two"] else top


def _decimal(text: str, digits: str, exponent: str | None) -> Fraction:
    whole, _, fraction = digits.replace("_", "").partition(".")
    return int(whole + fraction) * _power(text, 10, exponent or "0") / 10 ** len(fraction)


def _power(text: str, base: int, exponent: str) -> Fraction:
    if len(exponent) > 8 or abs(int(exponent)) > MAX_EXPONENT[base]:
        raise ValueError(
            f"text={text[:40]!r} has an exponent beyond {MAX_EXPONENT[base]}; no supported format reaches it"
        )
    return Fraction(base) ** int(exponent)


def _complaint(text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    if re.fullmatch(r"[+-]?0(x(_?[0-9a-f])+|b(_?[01])+)", text, re.IGNORECASE):
        number = f"{int(text, 0)}" + (f" or {text}p0" if "x" in text.lower() else "")
        return (
            f"text={shown!r} could be a code or a number; for the value with that code use decode({text}, fmt), "
            f"for the number {int(text, 0)} write {number}"
        )
    return f"text={shown!r} is not a number; write it like 0.1, 1e-8, 1/3, 0x1.8p3, 1p-24, 2^-24, inf or nan"
