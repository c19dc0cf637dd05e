"""Documents on the terminal: fields coloured there, plain in a pipe."""

from __future__ import annotations

from ..explain.document import Document, Span
from ..explain.rendering import lines_of
from .output import console, encodable

STYLES = {
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
"""How a terminal shows each style; under the fields stand their letters, so that no colour is needed to read them."""


def print_document(document: Document) -> None:
    """A document, at most 80 columns wide."""
    from rich.text import Text

    out = console()
    for spans in lines_of(document):
        line = Text()
        for span in _trimmed(spans):
            line.append(encodable(span.text, out.encoding), STYLES.get(span.style))
        out.print(line, highlight=False)


def _trimmed(spans: tuple[Span, ...]) -> list[Span]:
    """Without the blanks at the end of the line."""
    kept = list(spans)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return kept
