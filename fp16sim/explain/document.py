"""An explanation laid out once, for text, terminal and HTML alike: sections of rows, of lines, of styled spans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from .numerals import short_text
from .records import Number

STYLES = (
    "sign",
    "exponent",
    "trailing",
    "kept",
    "guard",
    "round",
    "sticky",
    "chosen",
    "strong",
    "muted",
    "warn",
)
"""What a span may be. Each is told apart by more than its colour: by its place, a mark or a label under it."""


class Span(NamedTuple):
    """A piece of text of one style."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[Span, ...]


class Row(NamedTuple):
    """Lines behind a label. `fixed` ones keep their columns; others may be wrapped."""

    label: str
    lines: tuple[Line, ...]
    fixed: bool = False


class Table(NamedTuple):
    """Cells under headings; no cell is wrapped."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


class Section(NamedTuple):
    """A heading and what is under it."""

    title: str
    blocks: tuple[Row | Table, ...]


class Document(NamedTuple):
    """A title, and sections."""

    title: str
    sections: tuple[Section, ...]


def line(*parts: str | Span) -> Line:
    """A line of spans and plain texts."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts if part)


def text(label: str, *sentences: str, style: str = "") -> Row:
    """A row of sentences, one after the other."""
    return Row(label, (line(Span(" ".join(s for s in sentences if s), style)),))


def fixed(label: str, *lines: Line) -> Row:
    """A row whose lines keep their columns."""
    return Row(label, lines, True)


def section(title: str, *blocks: Row | Table | None) -> Section:
    """A section of those blocks that are there."""
    return Section(title, tuple(block for block in blocks if block is not None))


def bits_of(number: Number) -> Line:
    """The three fields, parted by "_"."""
    sign, exponent, trailing = number.digits
    return line(Span(sign, "sign"), "_", Span(exponent, "exponent"), "_", Span(trailing, "trailing"))


def legend_of(number: Number) -> Line:
    """What stands above: s for the sign, e for the exponent, t for the trailing significand."""
    fmt = number.fmt
    fields = f"s {'e' * fmt.exponent_bits} {'t' * fmt.trailing_bits}"
    return line(Span(fields, "muted"))


def value_of(number: Number) -> str:
    """A stored value for people."""
    return short_text(number.value)


def joined(words: Iterable[str]) -> str:
    """a, b and c."""
    listed = list(words)
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
