"""The error that shows a place in a text; here, so that `main` knows it without the grammar of `expressions`."""

from __future__ import annotations


class ExpressionError(ValueError):
    """What is wrong with an expression, and where: the message shows the place with a caret under it."""

    def __init__(self, message: str, text: str, position: int, length: int = 1) -> None:
        self.position, self.length = position, length
        first = max(0, min(position - 40, len(text) - 74))
        window = "".join(c if c.isprintable() else " " for c in text[first : first + 74])
        marks = "^" * max(1, min(length, len(window) - (position - first)))
        super().__init__(f"{message}\n  {window}\n  {' ' * (position - first)}{marks}")
