"""Documents as text of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from .document import Document, Line, Row, Span, Table, line

WIDTH = 80
INDENT = 2
LEAST = 10
"""Columns that the last cell of a table needs beside the others."""


def text_of(document: Document) -> str:
    """The document as plain text."""
    return "\n".join("".join(span.text for span in spans).rstrip() for spans in lines_of(document))


def lines_of(document: Document) -> Iterator[Line]:
    """The document as lines of styled spans, each at most 80 columns wide."""
    for part in textwrap.wrap(document.title, WIDTH):
        yield line(Span(part, "strong"))
    for section in document.sections:
        yield ()
        yield line(Span(section.title, "strong"))
        margin = max([len(block.label) for block in section.blocks if isinstance(block, Row)], default=0)
        for block in section.blocks:
            yield from _table(block, margin) if isinstance(block, Table) else _row(block, margin)


def _row(row: Row, margin: int) -> Iterator[Line]:
    label = " " * INDENT + (row.label.ljust(margin) + "  " if margin else "")
    room = WIDTH - len(label)
    for spans in row.lines:
        for part in _fixed(spans, room) if row.fixed else _wrapped(spans, room):
            yield (Span(label, "muted"), *part)
            label = " " * len(label)


def _fixed(spans: Line, room: int) -> Iterator[Line]:
    """The line as it is, or cut where the columns end: codes of wide formats have no blanks to break at."""
    part: list[Span] = []
    left = room
    for span in spans:
        rest = span.text
        while len(rest) > left:
            yield (*part, Span(rest[:left], span.style))
            part, rest, left = [], rest[left:], room
        part.append(Span(rest, span.style))
        left -= len(rest)
    yield tuple(part)


def _wrapped(spans: Line, room: int) -> Iterator[Line]:
    """The line broken at blanks; a span is wrapped as part of the whole, each character keeping its style."""
    whole = "".join(span.text for span in spans)
    styles = [span.style for span in spans for _ in span.text]
    start = 0
    for piece in textwrap.wrap(whole, room, break_on_hyphens=False) or [""]:
        start = whole.index(piece, start)
        yield _restyled(piece, styles[start : start + len(piece)])
        start += len(piece)


def _restyled(piece: str, styles: list[str]) -> Line:
    spans: list[Span] = []
    for character, style in zip(piece, styles, strict=True):
        if spans and spans[-1].style == style:
            spans[-1] = Span(spans[-1].text + character, style)
        else:
            spans.append(Span(character, style))
    return tuple(spans)


def _table(table: Table, margin: int) -> Iterator[Line]:
    rows = [tuple(line(Span(h, "muted")) for h in table.headings), *table.rows]
    if not any(table.headings):
        rows = rows[1:]
    widths = [max(_length(row[k]) for row in rows) for k in range(len(table.headings))]
    widths[0] = max(widths[0], margin)  # under the labels of the rows beside it
    for row in rows:
        spans: list[Span] = [Span(" " * INDENT)]
        for cell, width in zip(row[:-1], widths, strict=False):
            spans += [*cell, Span(" " * (width - _length(cell) + 2))]
        left = _length(tuple(spans))
        if left > WIDTH - LEAST:  # no room beside them: below them
            yield from _fixed(tuple(spans), WIDTH)
            left = 3 * INDENT
            spans = [Span(" " * left)]
            if not row[-1]:
                continue
        for part in _wrapped(row[-1], WIDTH - left):  # the last column alone may be long
            yield from _fixed((*spans, *part), WIDTH)
            spans = [Span(" " * left)]


def _length(cell: Line) -> int:
    return sum(len(span.text) for span in cell)
