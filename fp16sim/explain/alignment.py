"""A step of a matrix unit: every term against the window, what is cut off, and what another order would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..accumulators import TensorCore
from ..exact import Value, is_finite
from ..flags import record_flags
from ..hardware import Model, model_of
from .records import Record


@dataclass(frozen=True)
class AlignedTerm(Record):
    """A product, or the sum so far, in the alignment of its group.

    Attributes
    ----------
    name : str
        "p3" for the product of a3 and b3; "s0", "s1", ... for the sum so far.
    value : Fraction
    exponent : int or None
        As the unit sees it: of a product the sum of its factors' exponents; None for a zero that takes no part.
    kept, lost : Fraction
        What is in the window, and what is cut off below it: their sum is the value.
    """

    name: str
    value: Fraction
    exponent: int | None
    kept: Fraction
    lost: Fraction


@dataclass(frozen=True)
class AlignedGroup(Record):
    """One step of a matrix unit.

    Attributes
    ----------
    name : str
        "s1" for the sum after the first step.
    highest : int
        The largest exponent: the window reaches from it down to `highest - bits`.
    bits : int
    terms : tuple of AlignedTerm
        The sum so far comes first.
    total : Fraction
        The sum of what was kept.
    result : Value
        That, as the unit stores it.
    """

    name: str
    highest: int
    bits: int
    terms: tuple[AlignedTerm, ...]
    total: Fraction
    result: Value

    @property
    def lost(self) -> Fraction:
        """What alignment cut off of all terms together."""
        return sum((term.lost for term in self.terms), Fraction(0))


@dataclass(frozen=True)
class OrderResult(Record):
    """What the unit gives for the same products in another order."""

    order: str
    value: Value
    differs: bool


@dataclass(frozen=True)
class Alignment(Record):
    """What a matrix unit did: its steps, and other orders of the products.

    Attributes
    ----------
    machine : str
    groups : tuple of AlignedGroup
        Empty if a factor is an infinity or NaN.
    orders : tuple of OrderResult
    """

    machine: str
    groups: tuple[AlignedGroup, ...]
    orders: tuple[OrderResult, ...]


def align(core: TensorCore, a: Sequence[Value], b: Sequence[Value]) -> tuple[Alignment, Value, frozenset[str]]:
    """The steps of a unit, its last value, and the flags that they raise.

    Raises
    ------
    TypeError
        For a machine that does not align its terms in one step.
    """
    path = core.path
    if path.step != "aligned":
        raise TypeError(
            f"accumulator={path.machine!r} with factors={path.factors}: its step is {path.step!r}, and only an "
            "alignment of all terms at once is explained; use volta, turing, ampere, ada or hopper"
        )
    left, right = ([float(x) for x in values] for values in (a, b))
    with record_flags() as raised:
        total = float(core.dot(left, right))
    if not all(map(is_finite, [*a, *b])):
        return Alignment(path.machine, (), ()), _value(total), frozenset(raised.names())
    model = model_of(path)
    alignment = Alignment(path.machine, tuple(_groups(model, left, right)), tuple(_orders(model, left, right, total)))
    return alignment, _value(total), frozenset(raised.names())


def _value(x: float) -> Value:
    return Fraction(x) if is_finite(x) else x  # a unit's zero is +0


def _groups(model: Model, a: list[float], b: list[float]) -> list[AlignedGroup]:
    found: list[AlignedGroup] = []
    total = 0.0
    for n, places in enumerate(model.groups(len(a))):
        if not is_finite(total):
            break
        values, exponents = model.products([a[k] for k in places], [b[k] for k in places])
        names = [f"s{n}", *(f"p{k}" for k in places)]
        values, exponents = [Fraction(total), *values], [model.stored_exponent(total, model.output), *exponents]
        highest, unit = model.window(exponents)
        terms = []
        for name, value, e in zip(names, values, exponents, strict=True):
            kept = int(value / unit) * unit
            terms.append(AlignedTerm(name, value, e, kept, value - kept))
        kept = sum((term.kept for term in terms), Fraction(0))
        total = model.rounded(kept)
        assert model.bits is not None
        found.append(AlignedGroup(f"s{n + 1}", highest, model.bits, tuple(terms), kept, _value(total)))
    return found


def _orders(model: Model, a: list[float], b: list[float], result: float) -> list[OrderResult]:
    """The same products from the last to the first, and by magnitude."""
    size = [abs(x * y) for x, y in zip(a, b, strict=True)]
    by_size = sorted(range(len(a)), key=lambda k: size[k])
    orders = {
        "from the last to the first": list(range(len(a)))[::-1],
        "from the smallest to the largest": by_size,
        "from the largest to the smallest": by_size[::-1],
    }
    found = []
    for name, order in orders.items():
        value = model.dot([a[k] for k in order], [b[k] for k in order])
        found.append(OrderResult(name, _value(value), value != result))
    return found
