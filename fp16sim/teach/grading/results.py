"""What a learner's function returned: read as what the task asks for, or a kind word about what it is instead."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ... import exact
from ...text import to_text
from .running import Raised


class Unsuitable(ValueError):
    """A result that is not what was asked for; says what it is, and what to return."""


def _shown(raw: Any) -> str:
    text = " ".join(repr(raw).split())
    return text if len(text) <= 60 else text[:57] + "..."


def number(raw: Any) -> float | Fraction:
    """A real number, exactly: a float where binary64 holds it."""
    if type(raw) is float or type(raw) is np.float64:
        return float(raw)
    raw = getattr(raw, "values", raw) if hasattr(raw, "fmt") else raw
    if isinstance(raw, Raised):
        raise Unsuitable(str(raw))
    if raw is None:
        raise Unsuitable("returned None; is a `return` missing?")
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
        raise Unsuitable(f"returned {_shown(raw)}, a {type(raw).__name__}; return a real number") from None
    if isinstance(value, float):
        return value
    try:
        near = float(value)
    except OverflowError:
        return value
    return near if near == value else value


def code(raw: Any) -> int:
    """An integer; a whole float is refused by name."""
    value = number(raw)
    if hasattr(raw, "__index__"):
        return int(raw)
    if isinstance(value, float) and value.is_integer():
        raise Unsuitable(f"returned {_shown(raw)}; a code is an integer: return int(...)")
    raise Unsuitable(f"returned {_shown(raw)}; a code is an integer")


def word(raw: Any) -> str:
    """A text."""
    if isinstance(raw, str):
        return str(raw)
    if raw is None or isinstance(raw, Raised):
        number(raw)
    raise Unsuitable(f"returned {_shown(raw)}, a {type(raw).__name__}; return a text")


def numbers(raw: Any) -> tuple[float | Fraction, ...]:
    """Several numbers, in a list, tuple or array."""
    raw = getattr(raw, "values", raw) if hasattr(raw, "fmt") else raw
    if isinstance(raw, (list, tuple, np.ndarray)) and np.ndim(raw) == 1:
        return tuple(number(item) for item in raw)
    if raw is None or isinstance(raw, Raised):
        number(raw)
    raise Unsuitable(f"returned {_shown(raw)}, a {type(raw).__name__}; return a list of numbers")


def codes(raw: Any) -> tuple[int, ...]:
    """Several integers, in a list, tuple or array."""
    if isinstance(raw, (list, tuple, np.ndarray)):
        return tuple(code(item) for item in raw)
    if raw is None or isinstance(raw, Raised):
        number(raw)
    raise Unsuitable(f"returned {_shown(raw)}, a {type(raw).__name__}; return a tuple of integers")


def anything(raw: Any) -> Any:
    """Numbers exactly, texts and truth values as they are, sequences as tuples of such."""
    if isinstance(raw, (bool, np.bool_)):
        return bool(raw)
    if isinstance(raw, str):
        return str(raw)
    if isinstance(raw, (set, frozenset)):
        return frozenset(anything(item) for item in raw)
    raw = getattr(raw, "values", raw) if hasattr(raw, "fmt") else raw
    if isinstance(raw, (list, tuple)) or getattr(raw, "shape", ()) != ():
        return tuple(anything(item) for item in raw)
    return number(raw)


def verdict(raw: Any) -> str:
    """What a test said of what it was given."""
    return "refused" if isinstance(raw, Raised) else "accepted"


READERS = {
    "number": number,
    "code": code,
    "word": word,
    "numbers": numbers,
    "codes": codes,
    "anything": anything,
    "verdict": verdict,
}


def same(expected: Any, got: Any) -> bool:
    """Equality without tolerance: all NaNs alike, the two zeros not; sequences element by element."""
    if isinstance(expected, (list, tuple)):
        alike = isinstance(got, (list, tuple)) and len(expected) == len(got)
        return alike and all(same(x, y) for x, y in zip(expected, got, strict=True))
    if isinstance(expected, (str, frozenset, bool)) or isinstance(got, (str, frozenset, bool, tuple)):
        return type(expected) is type(got) and bool(expected == got)
    if exact.is_nan(expected) or exact.is_nan(got):
        return exact.is_nan(expected) and exact.is_nan(got)
    return bool(expected == got) and (expected != 0 or exact.is_negative(expected) == exact.is_negative(got))


def show(value: Any, fmt: Any = None) -> str:
    """A value as a learner would write it, with its code where the format holds it."""
    if isinstance(value, tuple):
        return f"({', '.join(show(item) for item in value)})"
    if isinstance(value, (str, bool, frozenset)):
        return repr(value) if not isinstance(value, frozenset) else repr(set(value))
    if isinstance(value, (int, np.integer)):
        return str(value)
    shown = str(value) if isinstance(value, Fraction) else repr(float(value))
    if fmt is None:
        return shown
    return f"{shown}   {code_note(value, fmt)}"


def code_note(value: float | Fraction, fmt: Any) -> str:
    """The code of a value with its fields, or that the format does not have it."""
    if isinstance(value, float) and not math.isfinite(value):
        held = fmt.has_infinity if math.isinf(value) else fmt.has_nan
    else:
        held = exact.round_to(value, fmt) == value
    if not held:
        return f"(no number of {fmt.name})"
    return f"(code 0x{exact.encode(value, fmt):0{-(-fmt.width // 4)}x}, bits {to_text(value, fmt, 'bits')})"
