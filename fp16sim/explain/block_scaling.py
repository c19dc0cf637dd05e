"""explain.block: why a block has its scale, what became of each element, and what other rules would have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from .. import exact
from ..blocks import Block, get_block, libraries, quantize_block, tensor_scale
from ..blocks.block import LIBRARY_RULES, POWERS_OF_TWO, BlockLike, FixedPoint
from ..blocks.definition import DefinedBlock, scale_exponent
from ..conversion import Array, Seed, as_generator
from ..exact import Value, is_finite
from ..formats import BINARY32, BINARY64, Rounding, get_rounding, quoted
from .decoding import NumberLike, read
from .records import Record
from .rendering import Shown

MOST = 1024
"""Elements of a block that is explained."""

Fate: TypeAlias = Literal["exact", "rounded", "saturated", "vanished", "nan"]


@dataclass(frozen=True)
class BlockElement(Record):
    """What became of an element.

    Attributes
    ----------
    text : str
        As it was given.
    given : Value
    share : Value
        given / (scale x tensor scale), exactly, or what the library of the rule computes for it; nan in a block of NaN.
    number : Value
        The number of the element type that it is rounded to.
    code : int
    value : Value
        number x scale x tensor scale.
    fate : str
        "exact", "rounded", "saturated" (share is beyond the largest element), "vanished" (a number became 0), "nan".
    """

    text: str
    given: Value
    share: Value
    number: Value
    code: int
    value: Value
    fate: Fate


@dataclass(frozen=True)
class RuleResult(Record):
    """What a scale rule gives for the block.

    Attributes
    ----------
    rule : str
    chosen : bool
    scale : Value
    scale_code : int
    tensor_scale : Fraction
    saturated, vanished : int
        How many elements.
    squared_error : Fraction or None
        The sum of the squares of value - given; None in a block of NaN.
    """

    rule: str
    chosen: bool
    scale: Value
    scale_code: int
    tensor_scale: Fraction
    saturated: int
    vanished: int
    squared_error: Fraction | None


@dataclass(frozen=True, repr=False)
class BlockExplanation(Shown, Record):
    """Why a block is quantized as it is: its largest magnitude, its scale, its elements, and the other rules.

    Attributes
    ----------
    block, element, scale_format : str
        Names.
    element_width, scale_width : int
    element_max : Fraction
        The largest number of the element type; `element_emax` is its exponent.
    element_emax : int
    scale_rule : str
    mode : Rounding
    amax : Value
        The largest magnitude; nan or inf if one is in the block. `amax_index` is its first place.
    amax_index : int
    tensor_amax : Value or None
        The largest magnitude of the tensor, if the block has a tensor scale.
    tensor_scale : Fraction
        1 without one.
    wanted_scale : Fraction or None
        What the rule asks for, before its format: a power of two, an exact quotient, or the binary32 number of a
        library. None for zeros and NaN.
    scale : Value
    scale_code : int
    limit : str
        "largest" or "smallest" if the format of the scale lacks what the rule asks for, else "".
    elements : tuple of BlockElement
    rules : tuple of RuleResult
        All rules that suit the block.
    """

    block: str
    element: str
    scale_format: str
    element_width: int
    scale_width: int
    element_max: Fraction
    element_emax: int
    scale_rule: str
    mode: Rounding
    amax: Value
    amax_index: int
    tensor_amax: Value | None
    tensor_scale: Fraction
    wanted_scale: Fraction | None
    scale: Value
    scale_code: int
    limit: str
    elements: tuple[BlockElement, ...]
    rules: tuple[RuleResult, ...]

    def count(self, fate: Fate) -> int:
        """How many elements had this fate."""
        return sum(x.fate == fate for x in self.elements)


def block(
    x: Sequence[NumberLike] | Array,
    block: BlockLike = "mxfp8",
    *,
    scale_rule: str | None = None,
    mode: Rounding | str = "ties_to_even",
    tensor_amax: NumberLike | None = None,
    rng: Seed = None,
) -> BlockExplanation:
    """Why one block has its scale and its elements: exact, the same as `fs.blocks.quantize` gives.

    Parameters
    ----------
    x : sequence of numbers
        The elements of one block, or fewer; each as for `rounding`.
    block, scale_rule, mode, rng
        As for `fs.blocks.quantize`.
    tensor_amax : number, optional
        The largest magnitude of the whole tensor, for blocks with a tensor scale; by default that of x.

    Returns
    -------
    BlockExplanation

    Raises
    ------
    ValueError
        For no elements or more than a block has, and as `quantize` does.
    TypeError
        For anything but numbers.

    Examples
    --------
    >>> why = block([7, 0.5, -3, 0.1], "mxfp4")
    >>> why.scale_code, [x.fate for x in why.elements]
    (127, ['saturated', 'exact', 'exact', 'vanished'])
    >>> [(rule.rule, rule.scale_code, rule.saturated, rule.vanished) for rule in why.rules[:4]]
    [('floor', 127, 1, 1), ('ceil', 128, 0, 2), ('even', 128, 0, 2), ('rceil', 128, 0, 2)]
    """
    what, mode = get_block(block), get_rounding(mode)
    rule, generator = what.checked_rule(scale_rule), as_generator(mode, rng)
    given = [read(item, BINARY64) for item in _row(x, what)]
    values = [item.value for item in given]
    draws = (
        [0] * len(values) if generator is None else generator.integers(0, 2**32, len(values), dtype=np.uint32).tolist()
    )
    largest = _tensor_amax(values, tensor_amax, what)
    results = {name: _defined(values, what, name, mode, largest, draws) for name in what.rules}
    tensor, found = results[rule]
    amax = _largest(values)
    wanted = _wanted(amax, tensor, largest, what, rule)
    return BlockExplanation(
        block=what.name,
        element=str(what.element),
        scale_format=what.scale.name,
        element_width=what.element.width,
        scale_width=what.scale.width,
        element_max=Fraction(what.element.max_finite),
        element_emax=what.element.emax,
        scale_rule=rule,
        mode=mode,
        amax=amax,
        amax_index=next(k for k, v in enumerate(values) if abs(v) == amax or (v != v and amax != amax)),
        tensor_amax=largest if what.tensor_scale else None,
        tensor_scale=tensor,
        wanted_scale=wanted,
        scale=found.scale,
        scale_code=found.scale_code,
        limit=_limit(wanted, what, rule),
        elements=tuple(
            BlockElement(item.text, item.value, *parts)
            for item, *parts in zip(given, *_fates(values, found, tensor, what), strict=True)
        ),
        rules=tuple(_rule_result(values, name, rule, *results[name], what) for name in results),
    )


def _largest(values: list[Value]) -> Value:
    """The largest magnitude; inf or nan if one is there."""
    strange = [v for v in values if not is_finite(v)]
    return abs(float(strange[0])) if strange else max(abs(Fraction(v)) for v in values)


def _row(x: Sequence[NumberLike] | Array, what: Block) -> list[NumberLike]:
    if np.ndim(getattr(x, "values", x)) != 1 if hasattr(x, "__array__") else isinstance(x, (str, int, float, Fraction)):
        raise TypeError(f"x={quoted(x)} is not one row of numbers; give the elements of one block")
    row = list(x)
    size = what.size if isinstance(what.size, int) else MOST
    if not 1 <= len(row) <= min(size, MOST):
        raise ValueError(
            f"x has {len(row)} elements, and a block of {what} has 1 to {size}; explain one block at a time"
        )
    return row


def _tensor_amax(values: list[Value], given: NumberLike | None, what: Block) -> Fraction:
    own = max((abs(Fraction(v)) for v in values if is_finite(v)), default=Fraction(0))
    if given is None:
        return own
    if what.tensor_scale is None:
        raise ValueError(f"tensor_amax={quoted(given)}: {what} has no tensor scale; leave it out")
    value = read(given, BINARY64).value
    if not is_finite(value) or value < own:
        raise ValueError(f"tensor_amax={quoted(given)} is not the largest magnitude; give a number of {own} or more")
    return Fraction(value)


def _defined(
    values: list[Value], what: Block, rule: str, mode: Rounding, amax: Fraction, draws: list[int]
) -> tuple[Fraction, DefinedBlock]:
    tensor = tensor_scale(amax, what, rule)
    return tensor, quantize_block(values, what, rule, mode, tensor=tensor, draws=draws, tensor_amax=amax)


def _wanted(amax: Value, tensor: Fraction, largest: Fraction, what: Block, rule: str) -> Fraction | None:
    """The scale before its format: of four over six, the one for six."""
    if rule in LIBRARY_RULES and is_finite(amax):
        own, top = (exact.round_to(v, replace(BINARY32, saturate=True)) for v in (amax, largest))
        wanted = libraries.wanted_scale(libraries.EXACT, own, top, what, rule)
        return Fraction(wanted) if is_finite(wanted) else None
    if not is_finite(amax) or amax == 0:
        return None
    if rule in POWERS_OF_TWO:
        return Fraction(2) ** scale_exponent(Fraction(amax) / tensor, what.element, rule)
    return Fraction(amax) / tensor / Fraction(what.element.max_finite)


def _limit(wanted: Fraction | None, what: Block, rule: str) -> str:
    if wanted is None:
        return ""
    largest = Fraction(2) ** what.scale.emax if rule in POWERS_OF_TWO else Fraction(what.scale.max_finite)
    smallest = libraries.SMALLEST_OF_TORCHAO if rule == "torchao" else what.scale.min_subnormal
    beyond = exact.round_to(wanted, what.scale) != largest and wanted > largest
    return "largest" if beyond else "smallest" if wanted < smallest and (wanted or rule == "torchao") else ""


def _fates(
    values: list[Value], found: DefinedBlock, tensor: Fraction, what: Block
) -> tuple[list[Value], list[Value], list[int], list[Value], list[Fate]]:
    """Shares, numbers, codes, values and fates of all elements."""
    product = Fraction(found.scale) * tensor if is_finite(found.scale) else Fraction(0)
    fates = [_fate(*parts, product, what) for parts in zip(values, found.elements, found.values, strict=True)]
    return list(found.shares), list(found.elements), list(found.codes), list(found.values), fates


def _fate(given: Value, number: Value, value: Value, product: Fraction, what: Block) -> Fate:
    if not is_finite(value):
        return "nan"
    if value == given:
        return "exact"
    if number == 0:
        return "vanished"
    low = what.element.min_finite if isinstance(what.element, FixedPoint) else -what.element.max_finite
    beyond = given > Fraction(what.element.max_finite) * product or given < Fraction(low) * product
    return "saturated" if beyond else "rounded"


def _rule_result(
    values: list[Value], name: str, rule: str, tensor: Fraction, found: DefinedBlock, what: Block
) -> RuleResult:
    *_, fates = _fates(values, found, tensor, what)
    error = None
    if is_finite(found.scale):
        error = sum(((Fraction(v) - Fraction(w)) ** 2 for v, w in zip(values, found.values, strict=True)), Fraction(0))
    saturated, vanished = fates.count("saturated"), fates.count("vanished")
    return RuleResult(name, name == rule, found.scale, found.scale_code, tensor, saturated, vanished, error)
