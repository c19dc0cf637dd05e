"""What is in force while a model computes: how products are rounded, islands of another precision, rules by name.

A context variable has it, so that models of one's own need not pass it on. `Tensor` asks it at each operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from ...accumulators import Accumulator
from ...conversion import Generator, Seed, as_generator
from ..precision import DEFAULT_PRODUCTS, Policy, Precision, PrecisionLike, Products
from ..scaled_products import FactorsOfStep


class Ruling(NamedTuple):
    """What holds for an operation: a precision that operands are cast to, if any, and products."""

    precision: Precision | None
    products: Products


class ByName:
    """What the rules of a policy say of each layer and operation."""

    def __init__(self, policy: Policy, products: Products, rng: Generator = None) -> None:
        self.policy, self.rng = policy, rng
        self.usual = Ruling(None, products)
        self.of_layer = lru_cache(maxsize=None)(self._of_layer)
        self.of_operation = lru_cache(maxsize=None)(self._of_operation)

    def _of_layer(self, layer: str) -> Ruling:
        if not any(rule.is_for_layer(layer) for rule in self.policy.rules):
            return self.usual
        return self._ruling(self.policy.of_layer(layer), self.policy)

    def _of_operation(self, layer: str, operation: str) -> Ruling:
        if not any(rule.is_for_operation(layer, operation) for rule in self.policy.rules):
            return self.of_layer(layer)
        return self._ruling(self.policy.of_operation(layer, operation), self.policy)

    def _ruling(self, own: Policy, usual: Policy) -> Ruling:
        return Ruling(None if own.compute == usual.compute else own.compute, Products.of(own, self.rng))


@dataclass(frozen=True, eq=False)
class Context:
    """What is in force.

    Attributes
    ----------
    products : Products
        For operations for which nothing is chosen.
    precision : Precision or None
        That of the island in which operations are; None outside all islands.
    by_name : ByName or None
        Rules of the policy.
    owners, made : dict of int to (Tensor, str)
        In a model that is a function: the layer of each parameter and its views, and of each result, by identity.
    scalars : str
        How Python numbers meet tensors: "rounded" or "binary64"; see `constants`.
    rng : generator
        For stochastic rounding of what is cast to an island.
    factors : FactorsOfStep or None
        Scaled factors of products, outside islands.
    too_narrow : Accumulator or None
        The policy's accumulator, where it is too narrow for the island.
    casts : dict
        What was cast to the precision here, so that a tensor is cast once, however often it is used.
    """

    products: Products = DEFAULT_PRODUCTS
    precision: Precision | None = None
    by_name: ByName | None = None
    owners: dict[int, tuple[Any, str]] = field(default_factory=dict)
    made: dict[int, tuple[Any, str]] = field(default_factory=dict)
    scalars: str = "rounded"
    rng: Generator = None
    factors: FactorsOfStep | None = None
    too_narrow: Accumulator | None = None
    casts: dict[tuple[int, Precision], tuple[Any, Any]] = field(default_factory=dict)

    @property
    def changes_operands(self) -> bool:
        """Whether an operation has to ask for more than its products."""
        return self.precision is not None or self.by_name is not None or self.scalars != "rounded"

    def ruling(self, layer: str, operation: str) -> Ruling:
        """What holds for an operation in a layer: the island that the code names, or else the rules."""
        if self.by_name is None or self.precision is not None:
            return Ruling(self.precision, self.products)
        found = self.by_name.of_operation(layer, operation)
        return Ruling(None, self.products) if found is self.by_name.usual else found

    def is_usual(self, how: Any, layer: str, part: str = "") -> bool:
        """Whether products, or their accumulator, are those of the policy, so that a rule for an operation may change
        them; others were chosen in the code."""
        known = [DEFAULT_PRODUCTS, self.products]
        if self.by_name is not None:
            known += [self.by_name.usual.products, self.by_name.of_layer(layer).products]
        return any(how is (getattr(one, part) if part else one) for one in known)


_USUAL = Context()
_IN_FORCE: ContextVar[Context] = ContextVar("in force")


def in_force() -> Context:
    """What is in force here."""
    return _IN_FORCE.get(_USUAL)


@contextmanager
def put_in_force(**changes: Any) -> Iterator[Context]:
    """Within it something else is in force, as `Context` names it."""
    given = replace(_IN_FORCE.get(_USUAL), **changes, casts={})
    before = _IN_FORCE.set(given)
    try:
        yield given
    finally:
        _IN_FORCE.reset(before)


# --- layers ---------------------------------------------------------------------------------------------------------

_LAYER: ContextVar[str] = ContextVar("layer", default="")


def current_layer() -> str:
    """The layer that computes; "" outside all layers, and in a model that is a function."""
    return _LAYER.get()


@contextmanager
def inside_layer(name: str) -> Iterator[str]:
    """Within it, operations belong to the layer of this name; a layer within a layer is called "outer.inner"."""
    path = f"{outer}.{name}" if (outer := _LAYER.get()) else name
    before = _LAYER.set(path)
    try:
        yield path
    finally:
        _LAYER.reset(before)


@contextmanager
def layer_in_force(name: str, how: Products) -> Iterator[tuple[str, Products]]:
    """The same, with the layer's whole name and its products: by the rules for that name, or those it is given."""
    with inside_layer(name) as path:
        now = in_force()
        if now.by_name is None or now.precision is not None:
            yield path, how
        else:
            own = now.by_name.of_layer(path).products
            with put_in_force(products=own):
                yield path, own


# --- islands --------------------------------------------------------------------------------------------------------


@contextmanager
def island(precision: PrecisionLike, rng: Seed = None) -> Iterator[None]:
    """Within it, operations compute in another precision: tensors are cast to it first, and back when they leave.

    Each tensor is cast once. Its gradient is rounded back to its own format once, after all that meets at it was added
    up in the island's format. A result keeps the island's format until an operation outside uses it; that one casts it
    to the format of the tensor that entered. Products follow the policy, unless its accumulator is too narrow: then
    they are summed one after the other in the island's format.

    Parameters
    ----------
    precision
        As for `Policy`: "binary32", "bfloat16:stochastic", a Format ...
    rng : int or numpy.random.Generator, optional
        For stochastic rounding.

    Examples
    --------
    The square of 300 is infinite in binary16, but the root of the mean square is not:

    >>> import fp16sim as fs
    >>> x = fs.learn.Tensor(fs.array([300.0, 400.0], "binary16"))
    >>> with island("binary32"):
    ...     root = (x * x).mean().sqrt()
    >>> (root * 1).value
    FloatArray(353.5, binary16)
    """
    to, now = Precision.of(precision), _IN_FORCE.get(_USUAL)
    changes: dict[str, Any] = {"precision": to, "rng": as_generator(to.mode, now.rng if rng is None else rng)}
    sums = now.products.accumulator
    if sums is not None and not sums.accepts(to.fmt):
        changes |= {"products": replace(now.products, accumulator=None), "too_narrow": sums}
    with put_in_force(**changes):
        yield
