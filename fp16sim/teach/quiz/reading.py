"""How a typed answer is read: each form has a reader, which returns every value that the text can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from ... import exact
from ...exact.parsing import with_plain_signs

Meaning: TypeAlias = object
"""A value that can be compared: a pair of sign and number, a code, a choice, or a set of flags."""

YES_NO = ("yes", "no")
LONGEST = 200
"""Characters of an answer; what is longer is not one."""


def plain(text: str) -> str:
    """An answer in lower case, with single spaces, and in ASCII where people type other signs.

    >>> plain("  −2⁻¹⁰ "), plain("3 × 2^-4")
    ('-2^-10', '3 * 2^-4')
    """
    return " ".join(with_plain_signs(text[: 2 * LONGEST]).lower().split())


# --- numbers --------------------------------------------------------------------------------------------------------


def numbers(text: str) -> list[Meaning]:
    """What a number can mean; "1,125" can be 1125 or 1.125.

    >>> numbers("1/4") == numbers(".25") == numbers("2**-2") == numbers("0,25") == numbers("2^(-2)")
    True
    >>> numbers("1 + 2^-2") == numbers("1.25"), len(numbers("1,125")), numbers("help")
    (True, 2, [])
    """
    text = re.sub(r"\(([+-]?\d+)\)", r"\1", text).replace("**", "^").removeprefix("=").strip()
    text = re.sub(r"(?<=[\d.])\s*x\s*(?=2\s*\^)", "*", text)
    found = [_sum(reading) for reading in _without_commas(text)]
    return [value for value in found if value is not None]


def _without_commas(text: str) -> list[str]:
    """The readings of a text with commas: between thousands, or before the decimals."""
    if "," not in text:
        return [text]
    readings = []
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", text):
        readings.append(text.replace(",", ""))
    if text.count(",") == 1 and "." not in text:
        readings.append(text.replace(",", "."))
    return readings


def _sum(text: str) -> Meaning | None:
    """The value of a number or of a sum such as 1 + 2^-10, with its sign, since the zeros differ."""
    parts = re.split(r"(?<=[\d.])\s*([+-])\s*(?=[\d.])(?<![ep]-)(?<![ep]\+)", text)
    try:
        values = [exact.parse(part) for part in parts[::2]]
    except ValueError:
        return None
    if len(values) == 1:
        (value,) = values
        return (False, "nan") if exact.is_nan(value) else (exact.is_negative(value), value)
    if not all(map(exact.is_finite, values)):
        return None
    signs = [1, *(1 if sign == "+" else -1 for sign in parts[1::2])]
    total = sum((sign * Fraction(value) for sign, value in zip(signs, values, strict=True)), Fraction(0))
    return (total < 0, total)


# --- codes, choices, flags ------------------------------------------------------------------------------------------


def codes(text: str, digits: int) -> list[Meaning]:
    """What a code of so many hexadecimal digits can mean: hexadecimal, or bits if it has too many digits for that.

    >>> codes("0x3c00", 4) == codes("3C00".lower(), 4) == codes("0_01111_0000000000", 4) == codes("3c00h", 4)
    True
    >>> codes("0b111100", 2), codes("3c000", 4), codes("help", 4)
    ([60], [], [])
    """
    found = text.replace("_", "").replace(" ", "")
    bits = found.removeprefix("0b")
    if set(bits) <= {"0", "1"} and (found.startswith("0b") or len(bits) > digits) and bits:
        return [int(bits, 2)] if len(bits) <= 4 * digits else []
    found = found.removeprefix("0x").removesuffix("h")
    return [int(found, 16)] if re.fullmatch(r"[0-9a-f]+", found) and len(found.lstrip("0")) <= digits else []


_YES = {"y": "yes", "true": "yes", "n": "no", "false": "no"}


def choices(text: str, options: Sequence[str]) -> list[Meaning]:
    """The option that a text names: its letter, its words, or a beginning of at least three letters that fits one.

    >>> [choices(text, ("zero", "normal", "subnormal")) for text in ("b", "(b)", "B.".lower(), "sub", "asdf")]
    [['normal'], ['normal'], ['normal'], ['subnormal'], []]
    >>> choices("y", YES_NO), choices("yes!", YES_NO)
    (['yes'], ['yes'])
    """
    words = [" ".join(option.split()).lower() for option in options]
    if tuple(options) == YES_NO:
        text = _YES.get(text.rstrip(".!"), text.rstrip(".!"))
    if text in words:
        return [text]
    letter = re.fullmatch(r"\(?([a-j])[).:]?(\s.*)?", text)
    if letter and (index := ord(letter[1]) - ord("a")) < len(words):
        rest = (letter[2] or "").strip()
        return [words[index]] if not rest or words[index].startswith(rest) else []
    begun = [word for word in words if len(text) >= 3 and word.startswith(text)]
    return list(begun) if len(begun) == 1 else []


_NOTHING = ("none", "no", "nothing", "no flags", "no flag", "none of them", "-")


def flags(text: str) -> list[Meaning]:
    """The set of flags that a text names, in any order; a beginning of at least three letters is enough.

    >>> flags("inexact, overflow") == flags("over and inexact"), flags("divide by zero"), flags("asdf")
    (True, [frozenset({'divide_by_zero'})], [])
    """
    text = text.rstrip(".")
    if text in _NOTHING:
        return [frozenset()]
    text = re.sub(r"\bdivi(?:de|sion)[ _-]?by[ _-]?zero\b", "divide_by_zero", text)
    words = [word for word in re.split(r"[\s,;+&/]+", text) if word and word != "and"]
    named = [[flag for flag in exact.FLAGS if len(word) >= 3 and flag.startswith(word)] for word in words]
    if not named or not all(len(found) == 1 for found in named):
        return []
    return [frozenset(found[0] for found in named)]
