"""A step of a matrix unit: every term against the window, what is cut off, and what another order would give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from ..accumulators import TensorCore
from ..accumulators.alignment import TRUNCATED
from ..exact import Value, is_finite
from ..flags import record_flags
from ..formats import BINARY16, Format, Rounding
from ..hardware import Model, model_of
from ..wording import joined
from .records import Record

Term: TypeAlias = tuple[str, Fraction, int | None]
"""The name of a term, its value, and its exponent as the unit sees it."""


@dataclass(frozen=True)
class AlignedTerm(Record):
    """A product, or the sum so far, in the alignment of its group.

    Attributes
    ----------
    name : str
        "p3" for the product of a3 and b3; "s0", "s1", ... for the sum so far; "s1.1" for a sum within the first step.
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
    """One sum of a matrix unit.

    Attributes
    ----------
    name : str
        "s1" for the sum after the first step; "s1.1" for one within it.
    highest : int
        The largest exponent: the window reaches from it down to `highest - bits`.
    bits : int or None
        None for a sum of whole terms.
    terms : tuple of AlignedTerm
        The sum so far comes first.
    total : Fraction
        The sum of what was kept.
    result : Value
        That, as the unit stores it.
    """

    name: str
    highest: int
    bits: int | None
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


def align(
    core: TensorCore, a: Sequence[Value], b: Sequence[Value], c: Value
) -> tuple[Alignment, Value, frozenset[str]]:
    """The steps of a unit from `c` on, its last value, and the flags that they raise.

    Raises
    ------
    TypeError
        For a machine whose step is not one of EXPLAINED.
    """
    path = core.path
    if path.step not in EXPLAINED:
        raise TypeError(
            f"accumulator={path.machine!r} with factors={path.factors}: its step is {path.step!r}, and only "
            f"{joined(EXPLAINED)} are explained; use volta, turing, ampere, ada, hopper or blackwell"
        )
    left, right = ([float(x) for x in values] for values in (a, b))
    with record_flags() as raised:
        total = float(core.dot(left, right, float(c)))
    if not all(map(is_finite, [*a, *b, c])):
        return Alignment(path.machine, (), ()), _value(total), frozenset(raised.names())
    model = model_of(path)
    groups, orders = _groups(model, left, right, float(c)), _orders(model, left, right, float(c), total)
    return Alignment(path.machine, tuple(groups), tuple(orders)), _value(total), frozenset(raised.names())


def _value(x: float) -> Value:
    return Fraction(x) if is_finite(x) else x  # a unit's zero is +0


def _groups(model: Model, a: list[float], b: list[float], c: float) -> list[AlignedGroup]:
    found: list[AlignedGroup] = []
    total: Value = Fraction(c)
    for n, places in enumerate(model.groups(len(a)), 1):
        if is_finite(total):
            found += EXPLAINED[model.step](model, n, Products(places, a, b), Fraction(total))
            total = found[-1].result
    return found


@dataclass(frozen=True)
class Products:
    """Some products of two vectors, by their places."""

    places: Sequence[int]
    a: Sequence[float]
    b: Sequence[float]

    def terms(self, model: Model, fmt: Format | None = None) -> list[Term]:
        """Their names, values and exponents."""
        values, exponents = model.products([self.a[k] for k in self.places], [self.b[k] for k in self.places], fmt)
        return list(zip((f"p{k}" for k in self.places), values, exponents, strict=True))


def _at_once(model: Model, n: int, products: Products, total: Fraction) -> list[AlignedGroup]:
    """All products and the sum so far: one sum."""
    return [_added(model, f"s{n}", [_sum_so_far(model, f"s{n - 1}", total), *products.terms(model)])]


def _in_halves(model: Model, n: int, products: Products, total: Fraction) -> list[AlignedGroup]:
    """Every other pair of products from zero, then the others on top of that; the sum so far is added last."""
    found: list[AlignedGroup] = []
    part, name = Fraction(0), "0"
    for pairs in (0, 1):
        half = [k for i, k in enumerate(products.places) if i // 2 % 2 == pairs]
        if half:
            terms = [_sum_so_far(model, name, part), *replace(products, places=half).terms(model, BINARY16)]
            name = f"s{n}.{pairs + 1}"
            found.append(_added(model, name, terms, TRUNCATED[model.output]))
            if not is_finite(found[-1].result):
                return found
            part = Fraction(found[-1].result)
    last = [_sum_so_far(model, f"s{n - 1}", total), _sum_so_far(model, name, part)]
    return [*found, _added(replace(model, bits=None), f"s{n}", last)]


EXPLAINED: dict[str, Callable[[Model, int, Products, Fraction], list[AlignedGroup]]] = {
    "aligned": _at_once,
    "exact": _at_once,
    "in_halves": _in_halves,
}
"""The sums of a step, one after the other; only the last one may be infinite."""


def _sum_so_far(model: Model, name: str, total: Fraction) -> Term:
    return name, total, model.stored_exponent(float(total), model.output)


def _added(model: Model, name: str, terms: list[Term], mode: Rounding | None = None) -> AlignedGroup:
    exponents = [exponent for _, _, exponent in terms]
    if model.bits is None:
        highest, unit = max((e for e in exponents if e is not None), default=0), None
    else:
        highest, unit = model.window(exponents)
    kept = [value if unit is None else int(value / unit) * unit for _, value, _ in terms]
    shown = tuple(AlignedTerm(*term, x, term[1] - x) for term, x in zip(terms, kept, strict=True))
    total = sum(kept, Fraction(0))
    return AlignedGroup(name, highest, model.bits, shown, total, _value(model.rounded(total, mode)))


def _orders(model: Model, a: list[float], b: list[float], c: float, result: float) -> list[OrderResult]:
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
        value = model.dot([a[k] for k in order], [b[k] for k in order], c)
        found.append(OrderResult(name, _value(value), value != result))
    return found
