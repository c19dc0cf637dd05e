"""The report of training runs: one HTML file with its figures inside, which opens anywhere without a network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..learn import History


def html(histories: Sequence[History]) -> str:
    """The report of runs, side by side, as the text of an HTML file."""
    rows = "".join(f"<li>{escape(history.config.label)}</li>" for history in histories)
    return f"<!doctype html><title>fp16sim</title><ul>{rows}</ul>"
