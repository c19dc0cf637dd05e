"""A typed answer against what was computed: numbers, yes and no, texts, and lists of them, as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...arrays import FloatArray
from ...wording import joined, power_of_two, quoted
from ..quiz import reading

YES_NO = reading.YES_NO


def plain(result: Any) -> Any:
    """A result without NumPy: a bool, an int, a float, a Fraction, a text, or a list of those.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    if isinstance(result, FloatArray):
        result = result.values
    if isinstance(result, (np.generic, np.ndarray)):
        result = result.tolist()
    if isinstance(result, (list, tuple)):
        return [plain(item) for item in result]
    if isinstance(result, (bool, int, float, Fraction, str)):
        return result
    raise TypeError(f"result={quoted(result)} cannot be compared; give a number, a bool, a text, or a list of those")


def shown(result: Any) -> str:
    """A result as a person writes it.

    >>> shown(2048.0), shown(True), shown([1.5, math.inf]), shown(2.0**-24), shown(-0.0)
    ('2048', 'yes', '1.5, inf', '2^-24 (5.96046e-08)', '-0')
    """
    if isinstance(result, list):
        return ", ".join(map(shown, result))
    if isinstance(result, bool):
        return YES_NO[not result]
    if isinstance(result, float) and math.isfinite(result):
        if 0 < abs(result) < 1e-3 and power_of_two(abs(result)).startswith("2^"):
            return f"{'-' if result < 0 else ''}{power_of_two(abs(result))} ({result:g})"
        return repr(result).removesuffix(".0")
    return str(result)


def given(answer: Any, choices: Sequence[str] = ()) -> str:
    """An answer that was written in a cell or typed, as a text; for the letter of a choice, the choice.

    >>> given(2050), given([1, 0.5]), given(False), given("  about 7 "), given("B", ("up", "down"))
    ('2050', '1, 0.5', 'no', 'about 7', 'down')
    """
    text = answer.strip() if isinstance(answer, str) else shown(plain(answer))
    return dict(zip("abcdefghij", choices, strict=False)).get(text.lower().rstrip(")"), text)


def is_right(answer: str, result: Any, within: float = 0.0, choices: Sequence[str] = ()) -> bool | None:
    """Whether an answer is the result; None if it cannot be read.

    >>> is_right("2^-2", 0.25), is_right("about 1000", 1024, within=0.1), is_right("Yes", True), is_right("?", 0.25)
    (True, True, True, None)
    >>> is_right("2048, 2050", [2048.0, 2052.0]), is_right("0", -0.0), is_right("NaN", math.nan)
    (False, False, True)
    """
    if isinstance(result, list):
        parts = _parts(answer, len(result))
        if len(parts) != len(result):
            return None
        verdicts = [is_right(part, item, within, choices) for part, item in zip(parts, result, strict=True)]
        return None if None in verdicts else all(verdicts)
    if isinstance(result, bool):
        return _is_choice(answer, YES_NO[not result], YES_NO)
    if isinstance(result, str):
        return _is_choice(answer, result, choices) if choices else _words(answer) == _words(result)
    return _is_number(answer, result, within)


def how_to_answer(result: Any, choices: Sequence[str] = ()) -> str:
    """What an answer that can be compared with this result looks like."""
    if isinstance(result, list):
        return f"{len(result)} answers with commas between them"
    if isinstance(result, bool):
        return "yes or no"
    return joined(choices, "or") if choices else "a number, such as 0.25, 1/4, 2^-10 or inf"


def _parts(answer: str, count: int) -> list[str]:
    """The answers in a text: with semicolons, commas or only blanks between them."""
    for separator in (r"\s*;\s*", r"\s*,\s*|\s+and\s+", r"\s+"):
        parts = [part for part in re.split(separator, answer.strip(" ()[]")) if part]
        if len(parts) == count:
            break
    return parts


def _words(text: str) -> str:
    return reading.plain(text).strip(" .!")


def _is_choice(answer: str, right: str, choices: Sequence[str]) -> bool | None:
    found = reading.choices(reading.plain(answer), choices)
    return None if not found else found == [_words(right)]


def _is_number(answer: str, result: float | Fraction, within: float) -> bool | None:
    text = reading.plain(answer).removeprefix("about ").lstrip("~≈ ").rstrip(".")
    meanings = _numbers(text)
    if not meanings:
        return None
    ((negative, value),) = _numbers(reading.plain(str(Fraction(result)) if _is_ordinary(result) else str(result)))
    exactly = (negative, value) in meanings
    if exactly or not within or not _is_ordinary(result, zero=True):
        return exactly
    right, allowed = Fraction(result), Fraction(within)
    near = (Fraction(number) for _, number in meanings if _is_fraction(number))
    return any(abs(number - right) <= allowed * (abs(right) or 1) for number in near)


def _numbers(text: str) -> list[Any]:
    """What a number can mean; a percentage is a share of 1, or a number of percent."""
    if text.endswith("%"):
        whole = reading.numbers(text[:-1].strip())
        return whole + reading.numbers(f"{text[:-1].strip()}e-2")
    return reading.numbers(text)


def _is_ordinary(result: float | Fraction, zero: bool = False) -> bool:
    """Whether a Fraction holds it: a finite number, and not a zero, which has a sign."""
    return math.isfinite(result) and (zero or result != 0)


def _is_fraction(number: object) -> bool:
    return isinstance(number, (int, Fraction))
