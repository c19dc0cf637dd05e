"""What a learner's function returned: read as the task asks, or a message that says what to return instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ... import exact
from ...faults import ANYTHING
from ...formats import Format
from .inputs import ACCEPTED, REFUSED
from .plain import Other, Raised, one_line

Number: TypeAlias = int | float | Fraction


class Unsuitable(ValueError):
    """A result of the wrong kind; the message says what it is, and what to return."""


def _refusal(result: Any, wanted: str) -> Unsuitable:
    """The message for a result that cannot be read; a missing result and an exception have their own."""
    if isinstance(result, Raised):
        return Unsuitable(str(result))
    if result is None:
        return Unsuitable("returned None; is a `return` missing?")
    kind = result.kind if isinstance(result, Other) else type(result).__name__
    shown = result.shown if isinstance(result, Other) else one_line(repr(result))
    return Unsuitable(f"returned {shown}, a {kind}; return {wanted}")


# --- reading --------------------------------------------------------------------------------------------------------


def number(result: Any) -> Number:
    """A real number, exactly."""
    if isinstance(result, bool):
        raise Unsuitable(f"returned {result}; return a number")
    if isinstance(result, (int, float, Fraction)):
        return result
    if isinstance(result, str):
        raise Unsuitable(f"returned the text {one_line(repr(result))}; return a number, not its digits")
    if result is ... or (isinstance(result, Other) and result.kind == "ellipsis"):
        raise Unsuitable("returned the dots; fill them in")
    if isinstance(result, np.ndarray):
        raise Unsuitable(f"returned an array of shape {result.shape} for plain numbers; return a number")
    raise _refusal(result, "a real number")


def code(result: Any) -> int:
    """An integer; a float is refused even if it is whole."""
    value = number(result)
    if isinstance(value, int):
        return value
    whole = isinstance(value, float) and value.is_integer()
    raise Unsuitable(f"returned {show(value)}; a code is an integer" + (": return int(...)" if whole else ""))


def text(result: Any) -> str:
    """A text."""
    if isinstance(result, str):
        return result
    raise _refusal(result, "a text")


def numbers(result: Any) -> tuple[Number, ...]:
    """Several numbers, in a list, tuple or array."""
    if isinstance(result, (list, tuple)) or (isinstance(result, np.ndarray) and result.ndim == 1):
        return tuple(number(item) for item in _items(result))
    raise _refusal(result, "a list of numbers")


def codes(result: Any) -> tuple[int, ...]:
    """Several integers, in a list, tuple or array."""
    if isinstance(result, (list, tuple, np.ndarray)):
        return tuple(code(item) for item in _items(result))
    raise _refusal(result, "a tuple of integers")


def _items(result: Any) -> list[Any]:
    return result.tolist() if isinstance(result, np.ndarray) else list(result)


def blocks(result: Any) -> tuple[Any, ...]:
    """The codes of scales, and bytes."""
    return _parts(result, ("scale codes", "bytes"))


def blocks_of_a_tensor(result: Any) -> tuple[Any, ...]:
    """A tensor scale, the codes of scales, and bytes."""
    return _parts(result, ("tensor scale", "scale codes", "bytes"))


def _parts(result: Any, names: Sequence[str]) -> tuple[Any, ...]:
    wanted = f"a tuple ({', '.join(names)})"
    if not isinstance(result, (list, tuple)):
        raise _refusal(result, wanted)
    if len(result) != len(names):
        raise Unsuitable(f"returned {len(result)} parts; return {wanted}")
    *tensor, scales, packed = result
    octets = _integers(packed, "bytes")
    if outside := [byte for byte in octets if not 0 <= byte <= 255]:
        raise Unsuitable(f"returned {outside[0]} among the bytes; a byte is 0 to 255")
    return *map(number, tensor), _integers(scales, "scale codes"), octets


def _integers(result: Any, name: str) -> list[int]:
    if not isinstance(result, (list, tuple, np.ndarray)):
        raise _refusal(result, f"a list of integers as {name}")
    return [code(item) for item in _items(result)]


def anything(result: Any) -> Any:
    """Numbers exactly, texts and truth values unchanged, sequences of such as lists; a tuple stays one."""
    if isinstance(result, (bool, str)):
        return result
    if isinstance(result, frozenset):
        return frozenset(anything(item) for item in result)
    if isinstance(result, (list, tuple, np.ndarray)):
        items = [anything(item) for item in _items(result)]
        return tuple(items) if isinstance(result, tuple) else items
    return number(result)


def verdict(result: Any) -> str:
    """What a learner's test said about a rounder: it refuses by raising."""
    return REFUSED if isinstance(result, Raised) else ACCEPTED


READERS = {
    "number": number,
    "code": code,
    "text": text,
    "numbers": numbers,
    "codes": codes,
    "anything": anything,
    "verdict": verdict,
    "blocks": blocks,
    "blocks of a tensor": blocks_of_a_tensor,
}


# --- comparing and showing ------------------------------------------------------------------------------------------


def same(expected: Any, got: Any) -> bool:
    """Equality without tolerance: all NaNs are the same, the two zeros are not; sequences element by element."""
    if expected is ANYTHING:
        return True
    if isinstance(expected, (list, tuple)):
        alike = isinstance(got, (list, tuple)) and len(expected) == len(got)
        return alike and all(same(x, y) for x, y in zip(expected, got, strict=True))
    if isinstance(expected, (str, frozenset, bool)) or isinstance(got, (str, frozenset, bool, list, tuple)):
        return type(expected) is type(got) and bool(expected == got)
    if exact.is_nan(expected) or exact.is_nan(got):
        return exact.is_nan(expected) and exact.is_nan(got)
    return bool(expected == got) and (expected != 0 or exact.is_negative(expected) == exact.is_negative(got))


def show(value: Any, fmt: Format | None = None) -> str:
    """A value as a learner would write it; given a format, with its code there."""
    if isinstance(value, (list, tuple)):
        items = ", ".join(map(show, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, frozenset):
        return one_line(repr(set(value)), LONGEST_SHOWN)
    if isinstance(value, (str, bool)):
        return one_line(repr(value), LONGEST_SHOWN)
    shown = one_line(str(value) if isinstance(value, (int, Fraction)) else repr(float(value)), LONGEST_SHOWN)
    return shown if fmt is None else f"{shown}   {code_note(value, fmt)}"


LONGEST_SHOWN = 100


def code_note(value: Number, fmt: Format) -> str:
    """The code of a value and its bits, or a note that the format does not have the value."""
    if isinstance(value, float) and not math.isfinite(value):
        has_it = fmt.has_infinity if math.isinf(value) else fmt.has_nan
    else:
        has_it = exact.round_to(value, fmt) == value
    if not has_it:
        return f"(not a number of {fmt.name})"
    code = exact.encode(value, fmt)
    return f"(code {fmt.hex_code(code)}, bits {fmt.bits_text(code)})"
