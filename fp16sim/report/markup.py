"""HTML as values: text is escaped unless it is Markup, so that escaping cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any


class Markup(str):
    """HTML, which is not escaped again; any other text is."""

    __slots__ = ()


def join(*parts: Any) -> Markup:
    """Markup and texts, one after the other; None is left out, and lists may be nested.

    >>> join("a < b", Markup("<br>"), None, ["c", "d"])
    'a &lt; b<br>cd'
    """
    return Markup("".join(map(_one, parts)))


def _one(part: Any) -> str:
    if part is None:
        return ""
    if isinstance(part, Markup):
        return part
    if isinstance(part, Iterable) and not isinstance(part, str):
        return join(*part)
    return escape(str(part))


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """An element. In the names of attributes a trailing "_" is dropped, and any other becomes "-".

    An attribute whose value is None or False is left out.

    >>> tag("td", "1 < 2", class_="number", aria_label="true", hidden=None)
    '<td class="number" aria-label="true">1 &lt; 2</td>'
    """
    pairs = [(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()]
    texts = [f" {key}" if value is True else f' {key}="{escape(str(value))}"' for key, value in pairs if _given(value)]
    return Markup(f"<{name}{''.join(texts)}>{join(*children)}</{name}>")


def _given(value: Any) -> bool:
    return value is not None and value is not False


def number(x: float) -> str:
    """A coordinate, with two digits after the point: that is finer than a pixel here.

    >>> number(12.0), number(0.126), number(-0.001)
    ('12', '0.13', '0')
    """
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
