"""What is shown of a record, laid out once for text, terminal and HTML: a document of sections, lines and styled spans.

`document_of` is the registry: `fp16sim.explain.layouts` registers a function for each type of record that can be shown.
`LAYOUTS` says in which of its modules, so that only the layouts that are used are loaded.
"""

from __future__ import annotations

from functools import singledispatch
from importlib import import_module
from typing import Literal, NamedTuple, TypeAlias

Style: TypeAlias = Literal[
    "", "sign", "exponent", "trailing", "kept", "guard", "round", "sticky", "chosen", "strong", "muted", "warn"
]
"""What a span is. A reader who sees no colours tells them apart by a mark, by their place or by a label below."""


class Span(NamedTuple):
    """Text in one style."""

    text: str
    style: Style = ""


Line: TypeAlias = tuple[Span, ...]


class LabelledLines(NamedTuple):
    """Lines after a label. `fixed` lines keep their columns; others may be wrapped."""

    label: str
    lines: tuple[Line, ...]
    fixed: bool = False


class Table(NamedTuple):
    """Cells under headings; only the last cell of a row may be wrapped."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]

    @property
    def width(self) -> int:
        """Columns of its text, if no cell is wrapped."""
        cells = [map(len, self.headings), *([sum(len(s.text) for s in cell) for cell in row] for row in self.rows)]
        return sum(map(max, zip(*cells, strict=True))) + 2 * (len(self.headings) - 1)


class Section(NamedTuple):
    """A title, and what is below it."""

    title: str
    blocks: tuple[LabelledLines | Table, ...]


class Document(NamedTuple):
    """A title, and sections."""

    title: str
    sections: tuple[Section, ...]


def line(*parts: str | Span) -> Line:
    """A line of spans and plain texts; empty ones are left out."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts if part)


def paragraph(label: str, *sentences: str, style: Style = "") -> LabelledLines:
    """Sentences after a label, one after the other; empty ones are left out."""
    return LabelledLines(label, (line(Span(" ".join(s for s in sentences if s), style)),))


def fixed_lines(label: str, *lines: Line) -> LabelledLines:
    """Lines after a label that keep their columns."""
    return LabelledLines(label, lines, True)


def section(title: str, *blocks: LabelledLines | Table | None) -> Section:
    """A section of the blocks that are not None."""
    return Section(title, tuple(block for block in blocks if block is not None))


def document(title: str, *sections: Section | None) -> Document:
    """A document of the sections that have something to show."""
    return Document(title, tuple(part for part in sections if part and part.blocks))


LAYOUTS = {
    "block_scaling": "block",
    "dot_product": "dot",
    "explanation": "operation",
    "functions": "function",
    "number_parts": "parts",
    "softmax_steps": "softmax",
    "stored_number": "number",
}
"""The module of `layouts` that registers the layouts of the records in each module."""


@singledispatch
def document_of(record: object) -> Document:
    """The document of a record: what its registered layout makes of it."""
    package, _, module = type(record).__module__.rpartition(".")
    if package == __package__ and module in LAYOUTS:
        import_module(f"{package}.layouts.{LAYOUTS[module]}")
        if (layout := document_of.dispatch(type(record))) is not document_of.dispatch(object):
            return layout(record)
    raise TypeError(f"{type(record).__name__} has no layout; register one with document_of.register")
