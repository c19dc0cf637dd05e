"""The loops of the accumulators, each rounded operation recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .. import accumulators
from ..accumulators import Accumulator
from ..conversion import Generator
from ..exact import Value
from ..formats import Format, Rounding
from .explanation import Explanation
from .numerals import short_text
from .operations import operate_on
from .records import Operand, Record
from .steps import next_draw, round_step


@dataclass(frozen=True)
class Step(Record):
    """One rounded operation of a loop.

    Attributes
    ----------
    name : str
        What the loop calls its result: "p0" (a product), "s1" (a partial sum), ...
    formula : str
        In the loop's own names, such as "s0 + p1".
    why : Explanation
    """

    name: str
    formula: str
    why: Explanation


@dataclass
class Log:
    """The steps taken so far, and how to take the next."""

    fmt: Format
    mode: Rounding
    rng: Generator
    steps: list[Step] = field(default_factory=list)

    def do(self, operation: str, name: str, formula: str, *values: Value) -> Value:
        """Take a step."""
        operands = tuple(self._operand(label, x) for label, x in zip("abc", values, strict=False))
        why = operate_on(operation, operands, self.fmt, self.mode, next_draw(self.rng))
        self.steps.append(Step(name, formula, why))
        return why.result.value

    def _operand(self, label: str, x: Value) -> Operand:
        held = round_step(x, self.fmt, self.mode).result
        return Operand(label, short_text(x), x, None, held)

    def products(self, a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
        """All products first."""
        return [self.do("multiply", f"p{k}", f"a{k} × b{k}", x, y) for k, (x, y) in enumerate(zip(a, b, strict=True))]

    def chain(self, named: Sequence[tuple[str, Value]], prefix: str) -> tuple[str, Value]:
        """One term after the other."""
        name, total = named[0]
        for k, (other, x) in enumerate(named[1:], 1):
            total = self.do("add", f"{prefix}{k}", f"{name} + {other}", total, x)
            name = f"{prefix}{k}"
        return name, total


def _sequential(log: Log, a: Sequence[Value], b: Sequence[Value], how: Any) -> Value:
    total = log.do("multiply", "s0", "a0 × b0", a[0], b[0])
    for k in range(1, len(a)):
        p = log.do("multiply", f"p{k}", f"a{k} × b{k}", a[k], b[k])
        total = log.do("add", f"s{k}", f"s{k - 1} + p{k}", total, p)
    return total


def _fused(log: Log, a: Sequence[Value], b: Sequence[Value], how: Any) -> Value:
    total = log.do("multiply", "s0", "a0 × b0", a[0], b[0])
    for k in range(1, len(a)):
        total = log.do("fma", f"s{k}", f"a{k} × b{k} + s{k - 1}", a[k], b[k], total)
    return total


def _pairwise(log: Log, a: Sequence[Value], b: Sequence[Value], how: Any) -> Value:
    terms = log.products(a, b)

    def half(low: int, high: int) -> tuple[str, Value]:
        if high - low == 1:
            return f"p{low}", terms[low]
        middle = low + (high - low) // 2
        (left, x), (right, y) = half(low, middle), half(middle, high)
        name = f"s{low}..{high - 1}"
        return name, log.do("add", name, f"{left} + {right}", x, y)

    return half(0, len(terms))[1]


def _blocked(log: Log, a: Sequence[Value], b: Sequence[Value], how: Any) -> Value:
    named = [(f"p{k}", p) for k, p in enumerate(log.products(a, b))]
    blocks = [named[k : k + how.block] for k in range(0, len(named), how.block)]
    return log.chain([log.chain(block, f"b{k}.") for k, block in enumerate(blocks)], "s")[1]


def _kahan(log: Log, a: Sequence[Value], b: Sequence[Value], how: Any) -> Value:
    terms = log.products(a, b)
    s: Value = terms[0]
    lost: Value = Fraction(0)
    name = "p0"
    for k in range(1, len(terms)):
        y = log.do("subtract", f"y{k}", f"p{k} - lost{k - 1}", terms[k], lost)
        t = log.do("add", f"s{k}", f"{name} + y{k}", s, y)
        u = log.do("subtract", f"u{k}", f"s{k} - {name}", t, s)
        lost = log.do("subtract", f"lost{k}", f"u{k} - y{k}", u, y)
        s, name = t, f"s{k}"
    return s


LOOPS: dict[type[Accumulator], Callable[[Log, Sequence[Value], Sequence[Value], Any], Value]] = {
    accumulators.Sequential: _sequential,
    accumulators.Fused: _fused,
    accumulators.Pairwise: _pairwise,
    accumulators.Blocked: _blocked,
    accumulators.Kahan: _kahan,
}
