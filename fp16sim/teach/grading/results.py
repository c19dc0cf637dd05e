"""What a learner's function returned: read as the task asks, or a message that says what to return instead."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ... import exact
from ...formats import Format
from .running import Raised


class Unsuitable(ValueError):
    """A result of the wrong kind; the message says what it is, and what to return."""


def _shown(raw: Any) -> str:
    text = " ".join(repr(raw).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _refusal(raw: Any, wanted: str) -> Unsuitable:
    """The message for a result that cannot be read; a missing result and an exception have their own."""
    if isinstance(raw, Raised):
        return Unsuitable(str(raw))
    if raw is None:
        return Unsuitable("returned None; is a `return` missing?")
    return Unsuitable(f"returned {_shown(raw)}, a {type(raw).__name__}; return {wanted}")


def unwrapped(raw: Any) -> Any:
    """The values of a FloatArray; anything else unchanged."""
    return getattr(raw, "values", raw) if hasattr(raw, "fmt") else raw


# --- reading --------------------------------------------------------------------------------------------------------


def number(raw: Any) -> float | Fraction:
    """A real number, exactly: a float where binary64 has it."""
    if type(raw) is float or type(raw) is np.float64:
        return float(raw)
    raw = unwrapped(raw)
    if isinstance(raw, (bool, np.bool_)):
        raise Unsuitable(f"returned {raw}; return a number")
    if isinstance(raw, str):
        raise Unsuitable(f"returned the text {_shown(raw)}; return a number, not its digits")
    if getattr(raw, "shape", ()) != ():
        raise Unsuitable(f"returned an array of shape {raw.shape} for plain numbers; return a number")
    raw = raw[()] if isinstance(raw, np.ndarray) else raw
    try:
        value = exact.as_exact(raw)
    except (TypeError, ValueError, OverflowError):
        raise _refusal(raw, "a real number") from None
    if isinstance(value, float):
        return value
    try:
        near = float(value)
    except OverflowError:
        return value
    return near if near == value else value


def code(raw: Any) -> int:
    """An integer; a float is refused even if it is whole."""
    value = number(raw)
    if hasattr(raw, "__index__"):
        return int(raw)
    whole = isinstance(value, float) and value.is_integer()
    raise Unsuitable(f"returned {_shown(raw)}; a code is an integer" + (": return int(...)" if whole else ""))


def text(raw: Any) -> str:
    """A text."""
    if isinstance(raw, str):
        return str(raw)
    raise _refusal(raw, "a text")


def numbers(raw: Any) -> tuple[float | Fraction, ...]:
    """Several numbers, in a list, tuple or array."""
    raw = unwrapped(raw)
    if isinstance(raw, (list, tuple, np.ndarray)) and np.ndim(raw) == 1:
        return tuple(number(item) for item in raw)
    raise _refusal(raw, "a list of numbers")


def codes(raw: Any) -> tuple[int, ...]:
    """Several integers, in a list, tuple or array."""
    if isinstance(raw, (list, tuple, np.ndarray)):
        return tuple(code(item) for item in raw)
    raise _refusal(raw, "a tuple of integers")


def anything(raw: Any) -> Any:
    """Numbers exactly, texts and truth values unchanged, sequences as tuples of such."""
    if isinstance(raw, (bool, np.bool_)):
        return bool(raw)
    if isinstance(raw, str):
        return str(raw)
    if isinstance(raw, (set, frozenset)):
        return frozenset(anything(item) for item in raw)
    raw = unwrapped(raw)
    if isinstance(raw, (list, tuple)) or getattr(raw, "shape", ()) != ():
        return tuple(anything(item) for item in raw)
    return number(raw)


def verdict(raw: Any) -> str:
    """What a learner's test said about a rounder: it refuses by raising."""
    return "refused" if isinstance(raw, Raised) else "accepted"


READERS = {
    "number": number,
    "code": code,
    "text": text,
    "numbers": numbers,
    "codes": codes,
    "anything": anything,
    "verdict": verdict,
}


# --- comparing and showing ------------------------------------------------------------------------------------------


def same(expected: Any, got: Any) -> bool:
    """Equality without tolerance: all NaNs are the same, the two zeros are not; sequences element by element."""
    if isinstance(expected, (list, tuple)):
        alike = isinstance(got, (list, tuple)) and len(expected) == len(got)
        return alike and all(same(x, y) for x, y in zip(expected, got, strict=True))
    if isinstance(expected, (str, frozenset, bool)) or isinstance(got, (str, frozenset, bool, tuple)):
        return type(expected) is type(got) and bool(expected == got)
    if exact.is_nan(expected) or exact.is_nan(got):
        return exact.is_nan(expected) and exact.is_nan(got)
    return bool(expected == got) and (expected != 0 or exact.is_negative(expected) == exact.is_negative(got))


def show(value: Any, fmt: Format | None = None) -> str:
    """A value as a learner would write it; given a format, with its code there."""
    if isinstance(value, tuple):
        return f"({', '.join(show(item) for item in value)})"
    if isinstance(value, frozenset):
        return repr(set(value))
    if isinstance(value, (str, bool)):
        return repr(value)
    if isinstance(value, (int, np.integer)):
        return str(value)
    shown = str(value) if isinstance(value, Fraction) else repr(float(value))
    return shown if fmt is None else f"{shown}   {code_note(value, fmt)}"


def code_note(value: float | Fraction, fmt: Format) -> str:
    """The code of a value and its bits, or a note that the format does not have the value."""
    if isinstance(value, float) and not math.isfinite(value):
        has_it = fmt.has_infinity if math.isinf(value) else fmt.has_nan
    else:
        has_it = exact.round_to(value, fmt) == value
    if not has_it:
        return f"(not a number of {fmt.name})"
    code = exact.encode(value, fmt)
    return f"(code {fmt.hex_code(code)}, bits {'_'.join(fmt.bit_fields(code))})"
