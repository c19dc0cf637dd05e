"""Arithmetic as people type it: a tokenizer, a grammar, and errors that point at the place.

comparison   expression [("<" | "<=" | "==" | "!=" | ">" | ">=") expression]
expression   term (("+" | "-") term)*
term         factor (("*" | "/") factor)*
factor       ("+" | "-") factor | atom
atom         number | name "(" [argument ("," argument)*] ")" | "(" expression ")"
argument     expression | "[" expression ("," expression)* "]"
number       0.1   1e-8   0x1.8p3   1p-24   2^-24   inf   nan   and codes: 0x2E66   0b...   0_01011_1001100110

Also with the signs of printed texts, as in −2⁻²⁴ × 3. A comma outside brackets is a decimal one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ..exact.parsing import with_plain_signs
from ..explain.functions import ARGUMENTS, COMPARISONS
from ..explain.number_parts import PARTS
from ..wording import count, did_you_mean, quoted
from .errors import ExpressionError

ARITHMETIC = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "sqrt": 1, "fma": 3, "reciprocal": 1}
VECTORS = {"sum": 1, "mean": 1, "norm": 1, "cumsum": 1, "softmax": 1, "dot": 2, "matmul": 2}
"""Functions whose arguments are lists."""
ROUNDING = ("round_to", "array", "parse")
STORED = ("encode", "decode", "fields", "classify", "to_text")
"""Functions that say how a number is stored."""
FUNCTIONS = {
    **ARITHMETIC,
    **ARGUMENTS,
    **PARTS,
    **VECTORS,
    **dict.fromkeys(COMPARISONS, 2),
    **dict.fromkeys((*ROUNDING, *STORED), 1),
}
"""Names that may be called, and their number of arguments."""
OTHER_NAMES = {
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "div": "divide",
    "ldexp": "scale_b",
    "ln": "log",
    "logb": "log_b",
    "max": "maximum",
    "min": "minimum",
    "mul": "multiply",
    "pow": "power",
    "remainder": "ieee_remainder",
    "rint": "round_to_integral",
    "scaleb": "scale_b",
    "scalbn": "scale_b",
    "sub": "subtract",
}
"""Names that other libraries have."""

OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
RELATIONS = {
    "<": "less",
    "<=": "less_equal",
    "==": "equal",
    "!=": "not_equal",
    ">": "greater",
    ">=": "greater_equal",
}
SPELLINGS = {"**": "^", "≤": "<=", "≥": ">=", "≠": "!="}
"""Other ways to write an operator; `with_plain_signs` knows those of arithmetic."""

LONGEST, DEEPEST, MOST = 4000, 60, 200
"""The limits of an expression: its characters, its nested brackets, its operations."""
LISTS = "a list is allowed only in a sum, mean, norm, cumsum, softmax, dot or matmul, such as sum([1, 2, 3])"
EXAMPLES = 'write it like "0.1 + 0.2", "sqrt(2)" or "fma(3, 683, 2^-24)"'


class Token(NamedTuple):
    """A word of the text; its kind is "number", "name", "end", or the operator or bracket itself."""

    kind: str
    text: str
    position: int


_TOKEN = r"""(?P<number>
            0x[0-9a-f_]*\.?[0-9a-f_]*p[+-]?\d+      # C99's hexadecimal, with an exponent of two
          | 0x[0-9a-f_]+ | 0b[01_]+ | [01]_[01]+_[01]+   # codes
          | (?:\d[\d_]*[.POINT]?[\d_]*|[.POINT]\d[\d_]*)(?:e[+-]?\d+|p[+-]?\d+)?
        )
      | (?P<name>[a-z_]\w*|∞)
      | (?P<symbol>\*\*|<=|>=|==|!=|[-+*/^()\[\],<>=≤≥≠])
      | (?P<blank>\s+)"""
_OUTSIDE, _INSIDE = (re.compile(_TOKEN.replace("POINT", comma), re.VERBOSE | re.IGNORECASE) for comma in (",", ""))
"""Tokens outside brackets, and inside, where commas part arguments."""


def tokens(text: str) -> list[Token]:
    """The words of a text; the last has kind "end"."""
    if len(text) > LONGEST:
        raise ExpressionError(
            f"an expression of {len(text)} characters is too long; use at most {LONGEST}", text, LONGEST
        )
    found, position, depth = [], 0, 0
    while position < len(text):
        match = (_INSIDE if depth > 0 else _OUTSIDE).match(text, position)
        if match is None:
            raise ExpressionError(f"{text[position]!r} is not understood here; {EXAMPLES}", text, position)
        piece, kind = match.group(), match.lastgroup or ""
        if kind == "name" and piece.lower() in ("inf", "infinity", "∞", "nan"):
            kind = "number"
        if kind == "symbol":
            kind = SPELLINGS.get(piece, piece)
            depth += (piece in "([") - (piece in ")]")
        if kind != "blank":
            found.append(Token(kind, piece, position))
        position = match.end()
    return [*found, Token("end", "", len(text.rstrip()))]


# --- trees ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Literal:
    """A number or a code, as text that `decoding.read` understands."""

    text: str
    position: int


@dataclass(frozen=True)
class Negation:
    """Minus something: exact, so not a rounded operation."""

    of: Node
    position: int


@dataclass(frozen=True)
class Vector:
    """A list of numbers: an argument of dot, sum and the like."""

    items: tuple[Node, ...]
    position: int


@dataclass(frozen=True)
class Operation:
    """A rounded operation."""

    name: str
    operands: tuple[Node, ...]
    position: int


Node: TypeAlias = Literal | Negation | Vector | Operation


# --- the grammar ----------------------------------------------------------------------------------------------------


def parse_expression(text: str) -> Node:
    """The tree of an expression; if the text is not one, an ExpressionError with a caret under the place."""
    reader = _Reader(with_plain_signs(text))
    if reader.now.kind == "end":
        raise reader.error(f"there is nothing to explain; {EXAMPLES}")
    node = reader.comparison()
    if reader.now.kind == "=":
        raise reader.error("write == to compare two numbers")
    if reader.now.kind in RELATIONS:
        raise reader.error("only two numbers are compared at a time")
    if reader.now.kind != "end":
        raise reader.error(f"an operator is missing before {quoted(reader.now.text)}; {EXAMPLES}")
    return node


class _Reader:
    """The tokens, and the position of the next one."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.at, self.depth, self.count = text, tokens(text), 0, 0, 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def error(self, message: str, token: Token | None = None) -> ExpressionError:
        token = token or self.now
        return ExpressionError(message, self.text, token.position, len(token.text))

    def expect(self, kind: str, why: str) -> Token:
        if self.now.kind != kind:
            raise self.error(f"{kind!r} is missing here, {why}")
        return self.take()

    def comparison(self) -> Node:
        left = self.expression()
        if self.now.kind not in RELATIONS:
            return left
        relation = self.take()
        return self.operation(RELATIONS[relation.kind], (left, self.expression()), relation)

    def expression(self) -> Node:
        return self._chain(("+", "-"), self.term)

    def term(self) -> Node:
        return self._chain(("*", "/"), self.factor)

    def _chain(self, kinds: tuple[str, str], part: Callable[[], Node]) -> Node:
        left = part()
        while self.now.kind in kinds:
            operator = self.take()
            left = self.operation(OPERATORS[operator.kind], (left, part()), operator)
        return left

    def operation(self, name: str, operands: tuple[Node, ...], token: Token) -> Operation:
        self.count += 1
        if self.count > MOST:
            raise self.error(f"more than {MOST} operations; use fewer, or dot for a long sum", token)
        return Operation(name, operands, token.position)

    def factor(self) -> Node:
        signs = []
        while self.now.kind in ("+", "-"):
            signs.append(self.take())
        node = self.atom()
        for sign in reversed(signs):
            if sign.kind == "-":
                node = _negated(node, sign.position)
        return node

    def atom(self) -> Node:
        token = self.now
        if token.kind == "number":
            return self.number()
        if token.kind == "name":
            return self.call()
        if token.kind == "(":
            self.take()
            self._deeper(token)
            inside = self.expression()
            self.expect(")", f"to close the '(' at {token.position + 1}")
            self.depth -= 1
            return inside
        if token.kind == "[":
            raise self.error(LISTS)
        where = "at the end" if token.kind == "end" else f"before {quoted(token.text)}"
        raise self.error(f"a number is missing {where}; {EXAMPLES}")

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} nested brackets; use fewer", token)

    def number(self) -> Node:
        token = self.take()
        if self.now.kind != "^":
            return Literal(token.text, token.position)
        power = self.take()
        if token.text not in ("2", "10"):
            raise self.error("only powers of 2 and 10 are understood; write them like 2^-24", token)
        sign = self.take().kind if self.now.kind in ("+", "-") else ""
        if self.now.kind != "number" or not self.now.text.isdigit():
            raise self.error("an integer is missing after the power sign; write it like 2^-24", power)
        return Literal(f"{token.text}^{sign}{self.take().text}", token.position)

    def call(self) -> Node:
        name = self.take()
        key = OTHER_NAMES.get(name.text.lower(), name.text.lower())
        if key not in FUNCTIONS:
            known = f"{did_you_mean(key, FUNCTIONS)}fp16sim explain --help lists them"
            raise self.error(f"{quoted(name.text)} is not a known function; {known}", name)
        self.expect("(", f"after {key}")
        self._deeper(name)
        arguments = [] if self.now.kind == ")" else [self.argument(key)]
        while self.now.kind == ",":
            self.take()
            arguments.append(self.argument(key))
        close = self.expect(")", f"to close the '(' after {key}")
        self.depth -= 1
        if len(arguments) != FUNCTIONS[key]:
            takes = count(FUNCTIONS[key], "argument")
            raise self.error(
                f"{key} takes {takes}, but {len(arguments)} {'is' if len(arguments) == 1 else 'are'} given", close
            )
        return self.operation(key, tuple(arguments), name)

    def argument(self, function: str) -> Node:
        if function not in VECTORS:
            return self.expression()
        example = "([1, 2], [3, 4])" if VECTORS[function] == 2 else "([1, 2, 3])"
        takes = "two lists" if VECTORS[function] == 2 else "a list"
        first = self.expect("[", f"because {function} takes {takes}: {function}{example}")
        items = [self.expression()]
        while self.now.kind == ",":
            self.take()
            items.append(self.expression())
        self.expect("]", "to close the list")
        return Vector(tuple(items), first.position)


def _negated(node: Node, position: int) -> Node:
    """-x: the sign becomes part of a number; a code keeps its own sign bit, and is negated."""
    if isinstance(node, Literal) and not re.match(r"-|0x[^p]*$|0b|[01]_[01]+_", node.text, re.IGNORECASE):
        return Literal("-" + node.text, position)
    return Negation(node, position)
