"""Documents on the terminal: fields coloured there, plain in a pipe; JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

from ..explain.document import Document, Span
from ..explain.rendering import lines_of
from .output import console

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

PLAINER = {"×": "x"}
"""What to write where the terminal's encoding has no such character."""


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


def encodable(text: str, encoding: str) -> str:
    """The text, or the nearest to it that the encoding has."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        for character, plainer in PLAINER.items():
            text = text.replace(character, plainer)
        return text.encode("ascii", "replace").decode()
    return text


def print_json(data: Any) -> None:
    """JSON and nothing else."""
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
