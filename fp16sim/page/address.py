"""The address of a view, the part after "#": which views and keys there are is read from the page's own source."""

from __future__ import annotations

import re

from ..wording import did_you_mean, joined, quoted, shortened
from .assemble import source


def known_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The views and the keys of an address, from `state.js`, which defines both.

    >>> known_names()[0]
    ('number', 'formats', 'line', 'arithmetic', 'heatmap', 'block', 'window')
    """
    text = source("state.js")
    views = re.search(r"VIEWS = \[(.*?)\]", text)
    defaults = re.search(r"DEFAULTS = Object\.freeze\(\{(.*?)\}\)", text, re.DOTALL)
    assert views
    assert defaults
    keys = [name for name in re.findall(r"^  (\w+):", defaults[1], re.MULTILINE) if name != "view"]
    return tuple(re.findall(r'"(\w+)"', views[1])), tuple(keys)


def check_address(state: str) -> None:
    """ValueError if the view or a key does not exist; the page itself says which values it does not know."""
    view, _, query = state.partition("?")
    views, keys = known_names()
    if view and view not in views:
        why = "has no view before its keys" if "=" in view else "opens no view"
        similar = did_you_mean(view, views)
        raise ValueError(f"state={quoted(state)} {why}; {similar}write {joined(views, 'or')}, as in number?x=0.1")
    for part in filter(None, query.split("&")):
        key = part.partition("=")[0]
        if key not in keys:
            similar = did_you_mean(key, keys)
            raise ValueError(f"state: {quoted(shortened(key, 60))} is not a key; {similar}use {joined(keys, 'or')}")
