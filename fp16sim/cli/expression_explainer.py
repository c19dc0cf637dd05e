"""An expression explained: one explanation for each rounded operation, the innermost first."""

from __future__ import annotations

from typing import Any, TypeAlias

from .. import explain
from ..accumulators import Accumulator
from ..conversion import Generator
from ..exact import is_negative, signed
from ..explain.decoding import Given, read
from ..formats import Format, Rounding
from .expressions import OPERATORS, ExpressionError, Literal, Negation, Node, Operation, Vector, parse_expression

Explained: TypeAlias = explain.Explanation | explain.DotExplanation

SIGNS = {name: sign for sign, name in OPERATORS.items()}


class Explainer:
    """An expression, what its operations need, and the explanations so far."""

    def __init__(
        self, text: str, fmt: Format, mode: Rounding | str, rng: Generator, accumulator: Accumulator | None = None
    ) -> None:
        self.text, self.fmt, self.mode, self.rng, self.accumulator = text, fmt, mode, rng, accumulator
        self.found: list[Explained] = []

    def run(self) -> list[Explained]:
        """All explanations. A number alone, and a negated operation, end with the explanation of a rounding."""
        node = parse_expression(self.text)
        given = self._given(node)
        if not self.found or isinstance(node, Negation):
            self.found.append(explain.rounding(given, self.fmt, self.mode, rng=self.rng))
        return self.found

    def _given(self, node: Node) -> Given:
        """What a node gives to the operation above it."""
        if isinstance(node, Literal):
            return self._literal(node)
        if isinstance(node, Negation):
            inner = self._given(node.of)
            minus = signed(not is_negative(inner.value), -inner.value if inner.value < 0 else inner.value)
            return Given(f"-{inner.text}", minus)
        if isinstance(node, Vector):
            raise ExpressionError("a list is allowed only in dot([1, 2], [3, 4])", self.text, node.position)
        result = self._operation(node).result
        return Given(_text(node), result.value, result.code)

    def _literal(self, node: Literal) -> Given:
        try:
            return read(node.text, self.fmt)
        except ValueError as error:
            raise ExpressionError(str(error), self.text, node.position, len(node.text)) from None

    def _operation(self, node: Operation) -> Explained:
        options: dict[str, Any] = {"rng": self.rng}
        operands = [
            [self._given(item) for item in x.items] if isinstance(x, Vector) else self._given(x) for x in node.operands
        ]
        if node.name == "dot" and self.accumulator is not None:
            options["accumulator"] = self.accumulator
        try:
            self.found.append(getattr(explain, node.name)(*operands, self.fmt, self.mode, **options))
        except ValueError as error:
            raise ExpressionError(str(error), self.text, node.position) from None
        return self.found[-1]


def _text(node: Node) -> str:
    """A node as text, nearly as it was written."""
    if isinstance(node, Literal):
        return node.text
    if isinstance(node, Negation):
        return f"-{_text(node.of)}"
    if isinstance(node, Vector):
        return f"[{', '.join(map(_text, node.items))}]"
    parts = list(map(_text, node.operands))
    if node.name in SIGNS:
        return f"({parts[0]} {SIGNS[node.name]} {parts[1]})"
    return f"{node.name}({', '.join(parts)})"
