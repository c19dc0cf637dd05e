"""Answers as plain data: numbers, texts, lists and arrays of Python's and NumPy's own types, and nothing else.

To read an object may run code of its class, which may fail, loop or exit. So `plain` is called where the learner's
function is called, under the same limits, and only plain data leave that place. Between processes they travel as JSON.
Floats, integers, texts, True, False, None and lists are what they are in JSON (Python's JSON keeps every float
exactly); everything else is {"tuple": [...]} and so on, by the names in `READERS`.

>>> answer = plain((1, 0.5, Fraction(1, 3), np.float32(2)))
>>> answer, from_json(to_json(answer)) == answer
((1, 0.5, Fraction(1, 3), 2.0), True)
"""

from __future__ import annotations

import base64
import operator
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ... import exact
from ...conversion import lift
from ...wording import printable, shortened

Array: TypeAlias = np.ndarray[Any, Any]

MOST_ITEMS = 2**20
"""In a list or an array, with those inside them."""
DEEPEST = 20
"""Lists inside lists."""
LONGEST_TEXT = 1000
"""Characters."""
LONGEST_INTEGER = 10_000
"""Bits. Python refuses to write or read integers of more than 4,300 digits."""


@dataclass(frozen=True)
class Raised:
    """What a call raised instead of returning."""

    kind: str
    message: str
    line: int | None

    def __str__(self) -> str:
        where = f", line {self.line}" if self.line else ""
        return f"raised {self.kind}{where}" + (f": {self.message}" if self.message else "")


@dataclass(frozen=True)
class Other:
    """A result that is none of the plain data: the name of its type, and how it prints, shortened."""

    kind: str
    shown: str


def one_line(text: str, length: int = 60) -> str:
    """A text on one line, with control characters shown, and cut to a length.

    >>> print(one_line("a\\n\\x1bb  c"), one_line("abcdefgh", 6))
    a \\x1bb c abc...
    """
    return shortened(printable(" ".join(text[: 10 * length].split())), length)


_GRADER = str(Path(__file__).parent)
_PACKAGE = str(Path(__file__).parents[2])


def raised(error: BaseException) -> Raised:
    """An exception as data; the line is the last one in the learner's own code, if there is one.

    The exception loses its traceback: it may be raised again, and would collect the frames of all calls.
    """
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    theirs = [(name, line) for name, line in frames if not name.startswith(_GRADER)]
    own = [line for name, line in theirs if "site-packages" not in name and not name.startswith(_PACKAGE)]
    lines: list[int | None] = [*(own or [line for _, line in theirs])]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(lines), None)
    BaseException.with_traceback(error, None)
    kind = safe_text(lambda: type(error).__name__) or "an exception"
    return _raised(kind, safe_text(lambda: error), line)


def safe_text(read: Callable[[], Any]) -> str:
    """str of what `read` gives; empty where that raises, because it is a learner's object that is read."""
    try:
        return str(read())
    except Exception:
        return ""


def _raised(kind: str, message: str, line: int | None) -> Raised:
    return Raised(one_line(str(kind)), one_line(str(message), 200), line if isinstance(line, int) else None)


# --- reading --------------------------------------------------------------------------------------------------------


def plain(raw: Any) -> Any:
    """Anything as plain data. It may raise whatever the object raises when it is read."""
    if type(raw) is float or raw is None:
        return raw
    return _Reader().read(raw, 0)


_COLLECTIONS = (list, tuple, dict, set, frozenset)


class _Reader:
    """Reads one object, and counts its items."""

    def __init__(self) -> None:
        self.items = 0

    def read(self, raw: Any, depth: int) -> Any:
        if raw is None or isinstance(raw, (bool, np.bool_)):
            return raw if raw is None else bool(raw)
        if isinstance(raw, str):
            own = str.__str__(raw)
            return own if len(own) <= LONGEST_TEXT else Other("str", f"a text of {len(own):,} characters")
        if isinstance(raw, float):
            return float.__float__(raw)
        if hasattr(raw, "fmt") and hasattr(raw, "values"):  # a FloatArray
            raw = raw.values
        if isinstance(raw, (bytes, bytearray)):
            raw = list(raw)
        if isinstance(raw, np.ndarray):
            return self._array(np.asarray(raw), depth)
        if isinstance(raw, _COLLECTIONS):
            return self._collection(raw, depth)
        return self._number(raw)

    def _collection(self, raw: Any, depth: int) -> Any:
        kind: Any = next(kind for kind in _COLLECTIONS if isinstance(raw, kind))
        self.items += kind.__len__(raw)
        if depth >= DEEPEST or self.items > MOST_ITEMS:
            return Other(kind.__name__, f"a {kind.__name__} that is too deep or too long")
        if kind is dict:
            return {self.read(key, depth + 1): self.read(value, depth + 1) for key, value in dict.items(raw)}
        items = [self.read(item, depth + 1) for item in kind.__iter__(raw)]
        return frozenset(items) if kind is set else kind(items)

    def _array(self, raw: Array, depth: int) -> Any:
        if raw.shape == ():
            return self.read(raw[()], depth)
        kind, size = raw.dtype.kind, raw.dtype.itemsize
        self.items += raw.size
        if self.items > MOST_ITEMS:
            return Other("ndarray", f"an array of shape {raw.shape}")
        if kind == "b" or (kind in "iu" and size < 8) or (kind, size) == ("i", 8):
            return raw.astype(bool if kind == "b" else np.int64)
        if (kind == "f" and size <= 8) or (kind == "V" and raw.dtype.names is None):
            return np.array(lift(raw), np.float64)
        items = np.empty(raw.size, object)
        items[:] = [self.read(item, depth + 1) for item in raw.reshape(-1).tolist()]
        return items.reshape(raw.shape)

    def _number(self, raw: Any) -> Any:
        """An integer as an int; another real number as a float, or a Fraction where binary64 does not have it."""
        try:
            if hasattr(raw, "__index__"):
                return self._checked(int.__index__(operator.index(raw)), raw)
            value = exact.as_exact(raw)
        except (TypeError, ValueError, OverflowError):
            return Other(type(raw).__name__, one_line(repr(raw)))
        if isinstance(value, float):
            return float.__float__(value)
        try:
            near = float(value)
        except OverflowError:
            return self._checked(value, raw)
        return near if near == value else self._checked(value, raw)

    def _checked(self, value: int | Fraction, raw: Any) -> Any:
        bits = max(value.numerator.bit_length(), value.denominator.bit_length())
        return value if bits <= LONGEST_INTEGER else Other(type(raw).__name__, f"a number of {bits:,} bits")


def is_plain(value: Any) -> bool:
    """Whether plain data contain neither something that is not plain nor an exception."""
    if isinstance(value, dict):
        return all(map(is_plain, [*value, *value.values()]))
    if isinstance(value, (list, tuple, frozenset, np.ndarray)):
        return all(map(is_plain, value.flat if isinstance(value, np.ndarray) else value))
    return not isinstance(value, (Other, Raised))


# --- as JSON --------------------------------------------------------------------------------------------------------


def _bytes(array: Array) -> list[Any]:
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return [array.dtype.name, list(array.shape), data]


def _from_bytes(dtype: str, shape: list[int], data: str) -> Array:
    if dtype not in ("float64", "int64", "bool"):
        raise ValueError(f"dtype={dtype!r} is not a dtype of plain data")
    return np.frombuffer(base64.b64decode(data, validate=True), dtype).reshape(shape).copy()


def _fraction(numerator: int, denominator: int) -> Fraction:
    if not (isinstance(numerator, int) and isinstance(denominator, int)):  # a text may stand for a huge number
        raise TypeError("a fraction of plain data is two integers")
    return Fraction(numerator, denominator)


def _other(kind: str, shown: str) -> Other:
    return Other(one_line(str(kind)), one_line(str(shown)))


def _objects(shape: list[int], items: list[Any]) -> Array:
    found = np.empty(len(items), object)
    found[:] = [from_json(item) for item in items]
    return found.reshape(shape)


def to_json(value: Any) -> Any:
    """Plain data as JSON has them.

    >>> to_json([0.5, (1, "a")]), to_json({0.5})
    ([0.5, {'tuple': [1, 'a']}], {'set': [0.5]})
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return {"objects": [list(value.shape), [to_json(item) for item in value.flat]]}
        return {"array": _bytes(value)}
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    if isinstance(value, Raised):
        return {"raised": [value.kind, value.message, value.line]}
    if isinstance(value, Other):
        return {"other": [value.kind, value.shown]}
    if isinstance(value, dict):
        return {"dict": [[to_json(key), to_json(item)] for key, item in value.items()]}
    return {"tuple" if isinstance(value, tuple) else "set": [to_json(item) for item in value]}


READERS: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": lambda body: tuple(from_json(item) for item in body),
    "set": lambda body: frozenset(from_json(item) for item in body),
    "dict": lambda body: {from_json(key): from_json(item) for key, item in body},
    "fraction": lambda body: _fraction(*body),
    "array": lambda body: _from_bytes(*body),
    "objects": lambda body: _objects(*body),
    "raised": lambda body: _raised(*body),
    "other": lambda body: _other(*body),
}
"""How each kind of plain data that JSON does not have is read."""


def from_json(data: Any) -> Any:
    """Plain data from JSON.

    Raises
    ------
    ValueError
        If it is not what `to_json` gives.
    """
    if isinstance(data, list):
        return [from_json(item) for item in data]
    if not isinstance(data, dict):
        return data
    try:
        ((tag, body),) = data.items()
        return READERS[tag](body)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise ValueError(f"data={one_line(repr(data))} is not plain data") from error
