"""How a table fits into a terminal: words are never broken.

A table that is too wide first gets narrower gaps, then lines that are wrapped between words, widest column first. If it
is still too wide, each row is a list of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

GAPS = (3, 2)
"""Blanks between columns: as usual, and in a narrow terminal."""

WORDS = re.compile(r"\([^()]*\)\S*|\S+")
"""What is not broken: a word, or what stands in brackets, such as an interval."""


class Fit(NamedTuple):
    """A table that fits: the blanks between its columns, and how wide each is."""

    gap: int
    widths: list[int]


def fit(columns: Sequence[Sequence[str]], room: int) -> Fit | None:
    """How the columns, each a heading and cells, fit into a number of characters; None if no way is left.

    >>> columns = [["run", "mixed-binary16"], ["test accuracy", "14.5% (11.2 to 18.5)"]]
    >>> fit(columns, 40), fit(columns, 30), fit(columns, 20)
    (Fit(gap=3, widths=[14, 20]), Fit(gap=2, widths=[14, 14]), None)
    """
    widths = [max(len(line) for text in column for line in text.split("\n")) for column in columns]
    least = [max(len(word) for text in column for word in [*WORDS.findall(text), ""]) for column in columns]
    for gap in GAPS:
        if sum(widths) + gap * (len(widths) - 1) <= room:
            return Fit(gap, widths)
    gaps = GAPS[-1] * (len(widths) - 1)
    if sum(least) + gaps > room:
        return None
    while sum(widths) + gaps > room:
        widest = max((k for k, width in enumerate(widths) if width > least[k]), key=widths.__getitem__)
        widths[widest] = max(map(len, _wrapped_all(columns[widest], widths[widest] - 1)))
    return Fit(GAPS[-1], widths)


def _wrapped_all(texts: Sequence[str], width: int) -> list[str]:
    return [line for text in texts for line in wrapped(text, width)]


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, those that are too long broken between words.

    >>> wrapped("98.3% (96.4 to 99.2)", 16)
    ['98.3%', '(96.4 to 99.2)']
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width:
            lines.append(line)
            continue
        parts = [""]
        for word in WORDS.findall(line):
            longer = f"{parts[-1]} {word}".lstrip()
            parts[-1:] = [longer] if len(longer) <= width or not parts[-1] else [parts[-1], word]
        lines += parts
    return lines


def as_lists(headings: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> str:
    """A table as text: for each row the first cell, and under it the others with the names of their columns.

    >>> print(as_lists(["run", "over-\\nflows", "skipped\\nsteps"], [["mixed-binary16", "0", "12"]], 40))
    mixed-binary16
      overflows       0
      skipped steps  12
    """
    names = [" ".join(heading.replace("-\n", "").split()) for heading in headings[1:]]
    left, right = (max(map(len, texts), default=0) for texts in (names, [cell for row in rows for cell in row[1:]]))
    parts = []
    for first, *cells in rows:
        lines = [f"  {name:{left}}  {cell:>{right}}".rstrip() for name, cell in zip(names, cells, strict=True)]
        if max(map(len, lines), default=0) > room:
            lines = [
                f"  {line}" for pair in zip(names, cells, strict=True) for line in wrapped(": ".join(pair), room - 2)
            ]
        parts.append("\n".join([*wrapped(first, room), *lines]))
    return "\n\n".join(parts)
