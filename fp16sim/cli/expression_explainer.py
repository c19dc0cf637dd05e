"""An expression explained: one explanation for each rounded operation, the innermost first."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .. import explain
from ..accumulators import Accumulator
from ..conversion import Generator
from ..exact import is_negative, signed
from ..explain.decoding import Given, read
from ..explain.functions import COMPARISONS
from ..explain.number_parts import PARTS
from ..formats import Format, Rounding
from .documents import ShownRecord
from .errors import ExpressionError
from .expressions import (
    ARITHMETIC,
    LISTS,
    OPERATORS,
    RELATIONS,
    ROUNDING,
    STORED,
    VECTORS,
    Literal,
    Negation,
    Node,
    Operation,
    Vector,
    parse_expression,
)

KINDS = {
    "cumsum": "a list",
    "frexp": "two numbers",
    "modf": "two numbers",
    "softmax": "a list",
    "to_integer": "an integer, which is no number of the format",
}
"""What some functions give, whose results no operation takes."""
SIGNS = {name: sign for sign, name in (OPERATORS | RELATIONS).items()}


class Explainer:
    """An expression, what its operations need, and the explanations so far."""

    def __init__(
        self, text: str, fmt: Format, mode: Rounding | str, rng: Generator, accumulator: Accumulator | None = None
    ) -> None:
        self.text, self.fmt, self.mode, self.rng, self.accumulator = text, fmt, mode, rng, accumulator
        self.found: list[ShownRecord] = []

    def run(self) -> list[ShownRecord]:
        """All explanations. A number alone, and a negated operation, end with the explanation of a rounding."""
        node = parse_expression(self.text)
        if isinstance(node, Operation):
            self._operation(node)
        else:
            given = self._given(node)
        if isinstance(node, (Literal, Negation)):
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
            raise ExpressionError(LISTS, self.text, node.position)
        found = self._operation(node)
        alone = explain.ComparisonExplanation | explain.PartsExplanation | explain.Anatomy | explain.SoftmaxExplanation
        if isinstance(found, alone) or node.name == "cumsum":
            kind = KINDS.get(node.name, "no number")
            raise ExpressionError(f"{node.name} gives {kind}, so it stands alone", self.text, node.position)
        return Given(_text(node), found.result.value, found.result.code)

    def _literal(self, node: Literal) -> Given:
        try:
            return read(node.text, self.fmt)
        except ValueError as error:
            raise ExpressionError(str(error), self.text, node.position, len(node.text)) from None

    def _operation(self, node: Operation) -> Any:
        operands: list[Any] = [
            [self._given(item) for item in x.items] if isinstance(x, Vector) else self._given(x) for x in node.operands
        ]
        try:
            self.found += self._explained(node.name, operands)
        except ValueError as error:
            raise ExpressionError(str(error), self.text, node.position) from None
        return self.found[-1]

    def _explained(self, name: str, operands: list[Any]) -> list[ShownRecord]:
        """The explanation of an operation; of a cumulative sum one for each of its elements."""
        how: dict[str, Any] = {"fmt": self.fmt, "mode": self.mode, "rng": self.rng}
        if name in VECTORS:
            return self._summed(name, operands, how | {"accumulator": self.accumulator})
        if name in ARITHMETIC:
            names = ("divide", [Given("1", Fraction(1)), *operands]) if name == "reciprocal" else (name, operands)
            return [getattr(explain, names[0])(*names[1], **how)]
        if name in ROUNDING:
            return [explain.rounding(*operands, **how)]
        if name in STORED:
            return [explain.anatomy(*operands, **how)]
        if name in PARTS:
            return [explain.parts(name, *operands, **how)]
        if name in COMPARISONS:
            return [explain.comparison(name, *operands, **how)]
        return [explain.function(name, tuple(operands), **how)]

    def _summed(self, name: Any, operands: list[Any], how: dict[str, Any]) -> list[ShownRecord]:
        if VECTORS[name] == 2:
            return [explain.dot(*operands, **how)]
        (x,) = operands
        if name == "softmax":
            return [explain.softmax(x, **how)]
        if name == "cumsum":
            return [explain.total(x[: k + 1], **how) for k in range(len(x))]
        return [explain.total(x, **how, operation=name)]


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
