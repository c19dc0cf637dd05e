"""Documents as text of at most 80 columns and as HTML for notebooks; and records that show themselves."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from .document import Document, LabelledLines, Line, Section, Span, Style, Table, document_of, line


class Shown:
    """A record that shows itself: in a line by `repr`, as text by `str`, as HTML in a notebook.

    `document_of` finds its layout. A dataclass that shows itself is declared with repr=False.
    """

    @property
    def document(self) -> Document:
        """The layout that text, terminal and HTML have in common."""
        return document_of(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.document.title}; print it to see every step>"

    def __str__(self) -> str:
        return text_of(self.document)

    def _repr_html_(self) -> str:
        return html_of(self.document)


# --- text -----------------------------------------------------------------------------------------------------------

WIDTH = 80
INDENT = 2
LEAST = 10
"""Columns that the last cell of a table needs to stand beside the others."""


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
        margin = max([len(block.label) for block in section.blocks if isinstance(block, LabelledLines)], default=0)
        for block in section.blocks:
            yield from _table(block, margin) if isinstance(block, Table) else _labelled(block, margin)


def _labelled(block: LabelledLines, margin: int) -> Iterator[Line]:
    label = " " * INDENT + (block.label.ljust(margin) + "  " if margin else "")
    width = WIDTH - len(label)
    for spans in block.lines:
        for part in _cut(spans, width) if block.fixed else _wrapped(spans, width):
            yield (Span(label, "muted"), *part)
            label = " " * len(label)


def _cut(spans: Line, width: int) -> Iterator[Line]:
    """The line unchanged, or cut at the last column: codes of wide formats have no blanks to break at."""
    part: list[Span] = []
    left = width
    for span in spans:
        rest = span.text
        while len(rest) > left:
            yield (*part, Span(rest[:left], span.style))
            part, rest, left = [], rest[left:], width
        part.append(Span(rest, span.style))
        left -= len(rest)
    yield tuple(part)


def _wrapped(spans: Line, width: int) -> Iterator[Line]:
    """The line broken at blanks: all spans are wrapped as one text, and each character keeps its style."""
    whole = re.sub(r"\s", " ", "".join(span.text for span in spans))  # as textwrap would, but one for one
    styles = [span.style for span in spans for _ in span.text]
    start = 0
    for part in textwrap.wrap(whole, width, break_on_hyphens=False) or [""]:
        start = whole.index(part, start)
        yield _restyled(part, styles[start : start + len(part)])
        start += len(part)


def _restyled(text: str, styles: list[Style]) -> Line:
    spans: list[Span] = []
    for character, style in zip(text, styles, strict=True):
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
    widths[0] = max(widths[0], margin)  # aligned with the labels of the lines above and below
    for row in rows:
        spans: list[Span] = [Span(" " * INDENT)]
        for cell, width in zip(row[:-1], widths, strict=False):
            spans += [*cell, Span(" " * (width - _length(cell) + 2))]
        left = _length(tuple(spans))
        if left > WIDTH - min(LEAST, _length(row[-1])):  # the last cell goes below the others
            yield from _cut(tuple(spans), WIDTH)
            if not row[-1]:
                continue
            left = 3 * INDENT
            spans = [Span(" " * left)]
        for part in _wrapped(row[-1], WIDTH - left):
            yield from _cut((*spans, *part), WIDTH)
            spans = [Span(" " * left)]


def _length(cell: Line) -> int:
    return sum(len(span.text) for span in cell)


# --- HTML -----------------------------------------------------------------------------------------------------------

# Colours are translucent backgrounds below text in the page's own colour, so they suit dark and light pages alike; each
# field also has its own border, and the text says everything again.
_CSS = """
.fp16sim-why{font-size:14px;line-height:1.5;max-width:62em;color:inherit;overflow-x:auto}
.fp16sim-why h4{font-size:1.15em;font-weight:600;margin:.2em 0 .6em}
.fp16sim-why section{display:grid;grid-template-columns:7.5em 1fr;margin:0;padding:.45em 0;border-top:1px solid #8885}
.fp16sim-why h5{font-size:1em;font-weight:600;margin:0;opacity:.8}
.fp16sim-why dl{display:grid;grid-template-columns:6em 1fr;gap:.1em 1em;margin:0}
.fp16sim-why dl.plain{display:block}.fp16sim-why .plain dt{display:none}
.fp16sim-why dt{opacity:.75;font-weight:400}.fp16sim-why dd{margin:0;max-width:46em}
.fp16sim-why pre{font:inherit;font-family:ui-monospace,Menlo,Consolas,monospace;margin:0;padding:0;line-height:1.6;
background:none;color:inherit;border:0;white-space:pre;overflow:visible}
.fp16sim-why tbody tr:nth-child(n){background:none}
.fp16sim-why table{border-collapse:collapse;table-layout:auto;margin:.2em 0;font-size:1em;color:inherit;background:none}
.fp16sim-why td,.fp16sim-why th{border:0;padding:.05em 1em .05em 0;text-align:left;background:none;color:inherit;
font-family:ui-monospace,Menlo,Consolas,monospace;vertical-align:top;white-space:pre-wrap}
.fp16sim-why .labelled td:first-child{font:inherit;opacity:.75;min-width:6em}
.fp16sim-why th{font-weight:400;opacity:.75}
.fp16sim-why .sign{background:#d55e0040;border-bottom:3px double #d55e00}
.fp16sim-why .exponent{background:#0072b240;border-bottom:3px solid #3a94d0}
.fp16sim-why .trailing{background:#5f961a40;border-bottom:3px dotted #5f961a}
.fp16sim-why .kept{background:#5f961a2e}
.fp16sim-why .guard{border:1px solid;font-weight:700}.fp16sim-why .round{border:1px dashed}
.fp16sim-why .sticky{border:1px dotted}
.fp16sim-why .chosen,.fp16sim-why .strong{font-weight:700}.fp16sim-why .muted{opacity:.75}
.fp16sim-why .warn{font-weight:700;text-decoration:underline wavy #d55e00}
"""


def html_of(document: Document) -> str:
    """The document as one HTML element with its own style."""
    body = "".join(map(_section_html, document.sections))
    # The class stands twice because notebooks have rules for tables and headings, and the more specific rule wins.
    style = _CSS.replace("\n", "").replace(".fp16sim-why ", ".fp16sim-why.fp16sim-why ")
    return f'<div class="fp16sim-why"><style>{style}</style><h4>{_escaped(document.title)}</h4>{body}</div>'


def _escaped(text: str) -> str:
    from html import escape  # for notebooks only

    return escape(text)


def _section_html(section: Section) -> str:
    labelled = any(isinstance(block, LabelledLines) and block.label for block in section.blocks)
    blocks = "".join(_block_html(block, "" if labelled else ' class="plain"') for block in section.blocks)
    kind = "labelled" if labelled else "free"
    return f'<section><h5>{_escaped(section.title)}</h5><div class="{kind}">{blocks}</div></section>'


def _block_html(block: LabelledLines | Table, attribute: str) -> str:
    if isinstance(block, Table):
        return _table_html(block)
    lines = "\n".join(map(_line_html, block.lines))
    shown = f"<pre>{lines}</pre>" if block.fixed else lines
    return f"<dl{attribute}><dt>{_escaped(block.label)}</dt><dd>{shown}</dd></dl>"


def _line_html(spans: Line) -> str:
    return "".join(
        f'<span class="{span.style}">{_escaped(span.text)}</span>' if span.style else _escaped(span.text)
        for span in spans
    )


def _table_html(table: Table) -> str:
    head = "".join(f"<th>{_escaped(heading)}</th>" for heading in table.headings)
    rows = "".join(f"<tr>{''.join(f'<td>{_line_html(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table>{f'<tr>{head}</tr>' if any(table.headings) else ''}{rows}</table>"
