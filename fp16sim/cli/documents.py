"""What `explain` knows, printed: documents with coloured fields on a terminal, plain text in a pipe, or JSON."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Protocol

from ..explain.document import Document, Line, Span, Style
from ..explain.rendering import html_of, lines_of
from .output import console, has_style, print_json, print_text, shown

STYLES: dict[Style, str] = {
    "sign": "bold red underline",
    "exponent": "bold green",
    "trailing": "cyan",
    "kept": "cyan",
    "guard": "bold reverse",
    "round": "bold underline",
    "sticky": "bold",
    "chosen": "bold",
    "strong": "bold",
    "muted": "dim",
    "warn": "bold yellow",
}
"""How a terminal shows each style; letters below the fields name them too, so that nobody needs the colours."""


class ShownRecord(Protocol):
    """An explanation of any kind; its module is loaded by the command that makes it."""

    @property
    def document(self) -> Document: ...

    def to_dict(self) -> dict[str, Any]: ...


def print_records(records: Sequence[ShownRecord], as_json: bool) -> None:
    """Documents, or JSON: one object, or a list of several."""
    if as_json:
        steps = [record.to_dict() for record in records]
        print_json(steps[0] if len(steps) == 1 else steps)
        return
    for k, record in enumerate(records):
        if k:
            print_text("\n")
        print_document(record.document)


def page_of(records: Sequence[ShownRecord]) -> str:
    """The documents as one HTML page, in the colours of light or dark that the reader's system has."""
    title = html.escape(records[0].document.title)
    body = "\n".join(html_of(record.document) for record in records)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<style>:root{color-scheme:light dark}body{font-family:system-ui,sans-serif;margin:1.5em}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def print_document(document: Document) -> None:
    """A document, at most 80 columns wide."""
    if not has_style():
        for spans in lines_of(document):
            print_text("".join(shown(span.text) for span in _trimmed(spans)))
        return
    from rich.text import Text

    out = console()
    for spans in lines_of(document):
        line = Text()
        for span in _trimmed(spans):
            line.append(shown(span.text), STYLES.get(span.style))
        out.print(line, highlight=False)


def _trimmed(spans: Line) -> list[Span]:
    """The line without blanks at its end."""
    kept = list(spans)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return kept
