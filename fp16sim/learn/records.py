"""Records: a field that may be given in several forms, misspelt options, and records from plain data, as JSON gives it.

Nobody knows who wrote a file. So plain data are compared with the fields and types that a record states, and a field
that is missing, unknown or of another type is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache, wraps
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from ..wording import did_you_mean, joined, quoted, shortened

Given = TypeVar("Given")
Kept = TypeVar("Kept")
Made = TypeVar("Made")


class Converted(Generic[Given, Kept]):
    """A field of a frozen dataclass that may be given in several forms and is kept in one.

    It is what Python's documentation calls a descriptor-typed field: type checkers know both types.
    """

    def __init__(self, convert: Callable[[Given], Kept], default: Given) -> None:
        self.convert = convert
        self.default: Any = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Kept:
        return self.default if instance is None else instance.__dict__[self.name]

    def __set__(self, instance: Any, given: Given) -> None:
        instance.__dict__[self.name] = self.convert(given)


def names_unknown(cls: type[Made]) -> type[Made]:
    """Let a dataclass say which field is meant where a keyword is misspelt.

    >>> from fp16sim.learn import Config
    >>> Config(epoch=1)
    Traceback (most recent call last):
    TypeError: epoch=1 is not an option of Config; did you mean 'epochs'?
    """
    made, known = cls.__init__, [field.name for field in fields(cls)]  # type: ignore[arg-type]

    @wraps(made)
    def init(self: Made, *args: Any, **options: Any) -> None:
        refuse_unknown(cls.__name__, options, known)
        made(self, *args, **options)

    cls.__init__ = init  # type: ignore[method-assign, assignment]
    return cls


def refuse_unknown(owner: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    """TypeError for a keyword that is not known, with the one that is most like it, or else with all."""
    for name in given:
        if name not in known:
            similar = did_you_mean(name, known).rstrip() or f"it has {joined(known)}"
            raise TypeError(f"{name}={quoted(given[name])} is not an option of {owner}; {similar}")


# --- from plain data ------------------------------------------------------------------------------------------------

Record = TypeVar("Record")

LARGEST = 1 << 128
"""Integers beyond this are refused: no count and no state of a random generator has more bits."""


def from_plain(kind: type[Record], given: Any, what: str) -> Record:
    """The record of a type, from what `dataclasses.asdict` and JSON made of it.

    Parameters
    ----------
    kind : type
        A dataclass, a NamedTuple, an Enum, a tuple, a list, a dict, a number, a text, or a union of these, as
        annotations have them; or a type that reads itself, with the method `from_plain(given, what)`.
    given
        Plain data: dicts, lists, texts, numbers, true, false and null.
    what : str
        What it is called in messages.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of another type, or the record refuses its fields.

    Examples
    --------
    >>> from fp16sim.learn.shares import Share
    >>> from_plain(dict[str, Share | None], {"lost": {"count": 1, "total": 8}, "absorbed": None}, "shares")
    {'lost': Share(count=1, total=8), 'absorbed': None}
    >>> from_plain(Share, {"count": "1", "total": 8}, "share")
    Traceback (most recent call last):
    ValueError: share.count='1' is not an integer
    """
    return _read(kind, given, what)


def _read(kind: Any, given: Any, what: str) -> Any:
    origin = get_origin(kind) or kind
    if kind is Any:
        return given
    if origin is Converted:
        return _read(get_args(kind)[1], given, what)
    if hasattr(origin, "from_plain"):
        return origin.from_plain(given, what)
    if origin in (Union, UnionType):
        return _one_of(get_args(kind), given, what)
    if is_dataclass(kind):
        return _record(kind, given, what)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return _member(origin, given, what)
    if hasattr(origin, "_fields"):
        return origin._make(_items(tuple(get_type_hints(origin).values()), given, what))
    reader = _READERS.get(origin)
    if reader is None:
        raise TypeError(f"kind={kind!r} cannot be read from plain data")
    return reader(get_args(kind), given, what)


def _wrong(given: Any, what: str, expected: str) -> ValueError:
    return ValueError(f"{what}={quoted(given)} is not {expected}")


# --- one reader for each kind ---------------------------------------------------------------------------------------


def _record(kind: Any, given: Any, what: str) -> Any:
    hints = _hints(kind)
    if not isinstance(given, dict):
        raise _wrong(given, what, "an object with named fields")
    if missing := [name for name in hints if name not in given]:
        raise ValueError(f"{what}.{missing[0]} is missing; was this written by another version?")
    if unknown := [name for name in given if name not in hints]:
        raise ValueError(f"{what}.{shortened(unknown[0])} is unknown; was this written by another version?")
    return kind(**{name: _read(hint, given[name], f"{what}.{name}") for name, hint in hints.items()})


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _one_of(kinds: tuple[Any, ...], given: Any, what: str) -> Any:
    if given is None and NoneType in kinds:
        return None
    *others, last = (kind for kind in kinds if kind is not NoneType)
    for kind in others:
        try:
            return _read(kind, given, what)
        except ValueError:
            pass
    return _read(last, given, what)


def _member(kind: type[Enum], given: Any, what: str) -> Enum:
    try:
        return kind(given)
    except ValueError:
        raise _wrong(given, what, f"one of {', '.join(str(member.value) for member in kind)}") from None


def _items(kinds: tuple[Any, ...], given: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(given, (list, tuple)):
        raise _wrong(given, what, "a list")
    if len(kinds) == 2 and kinds[1] is ...:
        kinds = kinds[:1] * len(given)
    if len(kinds) != len(given):
        raise _wrong(given, what, f"a list of {len(kinds)}")
    return tuple(_read(kind, item, f"{what}[{k}]") for k, (kind, item) in enumerate(zip(kinds, given, strict=True)))


def _list(kinds: tuple[Any, ...], given: Any, what: str) -> list[Any]:
    return list(_items((*kinds, ...), given, what))


def _dict(kinds: tuple[Any, ...], given: Any, what: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _wrong(given, what, "an object")
    return {name: _read(kinds[1], value, f"{what}[{name!r}]") for name, value in given.items()}


def _plain(kind: type | tuple[type, ...], expected: str) -> Callable[[tuple[Any, ...], Any, str], Any]:
    """A reader of numbers or texts; True and False are not numbers."""

    def read(kinds: tuple[Any, ...], given: Any, what: str) -> Any:
        fits = isinstance(given, kind) and (kind is bool or not isinstance(given, bool))
        if not fits or (isinstance(given, int) and abs(given) > LARGEST):
            raise _wrong(given, what, expected)
        return given

    return read


_READERS: dict[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    tuple: _items,
    list: _list,
    dict: _dict,
    int: _plain(int, "an integer"),
    float: _plain((int, float), "a number"),
    str: _plain(str, "a text"),
    bool: _plain(bool, "true or false"),
}
"""How each kind of plain data is read: called with the arguments of the type, the data and their name."""
