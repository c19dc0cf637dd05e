"""Blocks by definition, on ints and Fractions: what the arrays of `quantize` are compared with.

amax    the largest magnitude of the block
scale   by the rule, from amax / tensor scale; a number of the scale's format
codes   of x / (scale x tensor scale), exact, rounded once, saturated
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from .. import exact
from ..exact import NAN, Value, exponent_of, is_finite
from ..formats import BINARY32, Format, Rounding, Specials
from . import libraries
from .block import LIBRARY_RULES, POWERS_OF_TWO, Block, Element, FixedPoint
from .libraries import EXACT

NEAREST = Rounding.TIES_TO_EVEN


@dataclass(frozen=True)
class DefinedBlock:
    """A block: the value and code of its scale, the codes of its elements and the values that they stand for.

    `shares` are what is rounded to the elements: x / (scale x tensor scale), or what a library computes for it.
    """

    scale: Value
    scale_code: int
    codes: tuple[int, ...]
    elements: tuple[Value, ...]
    values: tuple[Value, ...]
    shares: tuple[Value, ...]


# --- scales ---------------------------------------------------------------------------------------------------------


def scale_exponent(amax: Fraction, element: Element, rule: str) -> int:
    """The exponent of a scale that is a power of two, as if there were no largest and no smallest one."""
    floor = exponent_of(amax)
    if rule == "floor":
        return floor - element.emax
    if rule == "ceil":
        return floor + (amax > Fraction(2) ** floor) - element.emax
    if rule == "even":
        quantum = Fraction(2) ** (floor - (element.precision - 1))
        return exponent_of(exact.round_integer(amax / quantum, NEAREST, False) * quantum) - element.emax
    ratio = amax / Fraction(element.max_finite)  # rceil
    e = exponent_of(ratio)
    return e + (ratio > Fraction(2) ** e)


@lru_cache(maxsize=64)
def _saturating(fmt: Format) -> Format:
    return replace(fmt, saturate=True)


def saturated(x: Value, fmt: Format, mode: Rounding, draw: int = 0) -> Value:
    """x rounded to a format, and to its largest number where it is beyond that."""
    return exact.round_operand(x, _saturating(fmt), mode, draw).value


def candidates(amax: Fraction, block: Block, rule: str) -> tuple[Fraction, ...]:
    """The scales that a rule chooses from, for amax > 0 divided by the tensor scale."""
    if rule in POWERS_OF_TWO:
        e = scale_exponent(amax, block.element, rule)
        return (Fraction(2) ** min(max(e, block.scale.quantum_exponent_min), block.scale.emax),)
    targets = (6, 4) if rule == "four_over_six" else (Fraction(block.element.max_finite),)
    smallest = Fraction(block.scale.min_subnormal)
    return tuple(max(Fraction(saturated(amax / t, block.scale, NEAREST)), smallest) for t in targets)


def largest_scale(block: Block, rule: str) -> Fraction:
    """The scale that the block with the largest number of the tensor gets."""
    return Fraction(block.scale.max_finite) if rule == "nearest" else Fraction(2) ** block.scale.emax


def tensor_scale(amax: Fraction, block: Block, rule: str | None = None) -> Fraction:
    """The scale of a tensor whose largest magnitude is amax; 1 without one, and for zeros."""
    rule = block.checked_rule(rule)
    if rule in LIBRARY_RULES:
        return Fraction(libraries.tensor_scale(EXACT, saturated(amax, BINARY32, NEAREST), block, rule))
    if block.tensor_scale is None or amax == 0:
        return Fraction(1)
    fmt = block.tensor_scale
    found = saturated(amax / (Fraction(block.element.max_finite) * largest_scale(block, rule)), fmt, NEAREST)
    return max(Fraction(found), Fraction(fmt.min_subnormal))


# --- elements -------------------------------------------------------------------------------------------------------


def element_of(x: Value, element: Element, mode: Rounding = NEAREST, draw: int = 0) -> Value:
    """The number of the element type that a finite x becomes."""
    if not isinstance(element, FixedPoint):
        return saturated(x, element, mode, draw)
    scaled = Fraction(x) * 2**element.fraction_bits
    n = exact.round_integer(abs(scaled), mode, scaled < 0, draw)
    return Fraction(min(max(-n if scaled < 0 else n, -element.largest - 1), element.largest), 2**element.fraction_bits)


def element_code(value: Value, element: Element) -> int:
    """The code of a number of the element type."""
    if not isinstance(element, FixedPoint):
        return exact.encode(value, element)
    return int(Fraction(value) * 2**element.fraction_bits) % 2**element.width


def squared_error(x: Sequence[Value], block: Block, scale: Fraction) -> Fraction:
    """The sum of the squared errors of a block, for numbers divided by the tensor scale."""
    rounded = (element_of(exact.as_exact(Fraction(v) / scale), block.element) for v in x)
    return sum(((Fraction(v) - Fraction(r) * scale) ** 2 for v, r in zip(x, rounded, strict=True)), Fraction(0))


def scale_of(x: Sequence[Value], block: Block, rule: str, tensor: Fraction = Fraction(1)) -> Value:
    """The scale of a block: NaN if something in it is not finite."""
    if not all(map(is_finite, x)):
        return NAN
    amax = max((abs(Fraction(v)) for v in x), default=Fraction(0)) / tensor
    if amax == 0:
        return exact.decode(0, block.scale)
    found = candidates(amax, block, rule)
    shares = [Fraction(v) / tensor for v in x]
    return found[0] if len(found) == 1 else min(found, key=lambda scale: squared_error(shares, block, scale))


def quantize_block(
    x: Sequence[Value],
    block: Block,
    rule: str | None = None,
    mode: Rounding = NEAREST,
    *,
    tensor: Fraction = Fraction(1),
    draws: Sequence[int] = (),
    tensor_amax: Fraction | None = None,
) -> DefinedBlock:
    """A block of exact values, by definition.

    Parameters
    ----------
    x : sequence of Fraction or float
        As `exact.as_exact` gives them.
    block, rule, mode
        As for `quantize`.
    tensor : Fraction
        The tensor scale, as `tensor_scale` gives it.
    draws : sequence of int
        For stochastic rounding: 32 random bits for each element.
    tensor_amax : Fraction, optional
        For the rules of libraries, which compute from it rather than from the tensor scale: the largest magnitude of
        the tensor; by default that of x.

    Examples
    --------
    >>> from fp16sim.blocks import get_block
    >>> found = quantize_block([Fraction(7), Fraction(1, 2), Fraction(-3)], get_block("mxfp4"))
    >>> found.scale_code, found.codes, [float(v) for v in found.values]
    (127, (7, 1, 13), [6.0, 0.5, -3.0])
    """
    rule = block.checked_rule(rule)
    if rule in LIBRARY_RULES:
        return _library_block(x, block, rule, mode, draws, tensor_amax)
    scale = scale_of(x, block, rule, tensor)
    if not is_finite(scale) or scale == 0:
        zeros = tuple(_zero_like(v, block.element) if is_finite(scale) else Fraction(0) for v in x)
        elements: tuple[Value, ...] = zeros
        shares = values = zeros if is_finite(scale) else (NAN,) * len(x)
    else:
        product = Fraction(scale) * tensor
        drawn = draws or (0,) * len(x)
        shares = tuple(v if v == 0 else Fraction(v) / product for v in x)
        elements = tuple(element_of(v, block.element, mode, draw) for v, draw in zip(shares, drawn, strict=True))
        values = tuple(v if v == 0 else Fraction(v) * product for v in elements)
    codes = tuple(element_code(v, block.element) for v in elements)
    return DefinedBlock(scale, exact.encode(scale, block.scale), codes, elements, values, shares)


def _zero_like(x: Value, element: Element) -> Value:
    """A zero with the sign of x, where the elements have signed zeros."""
    negative = math.copysign(1, x) < 0 if isinstance(x, float) else x < 0
    has_both = isinstance(element, Format) and element.specials is not Specials.ONE_NAN and element.has_negative_zero
    return -0.0 if negative and has_both else Fraction(0)


def _library_block(
    x: Sequence[Value], block: Block, rule: str, mode: Rounding, draws: Sequence[int], largest: Fraction | None
) -> DefinedBlock:
    """A block in the steps of a library."""
    held = [exact.round_to(v, BINARY32) for v in x]
    amax = max((abs(Fraction(v)) for v in held if is_finite(v)), default=Fraction(0))
    top = amax if largest is None else Fraction(saturated(largest, BINARY32, NEAREST))
    scale = libraries.block_scale(EXACT, amax, top, block, rule) if all(map(is_finite, held)) else NAN
    products: list[Value] = [NAN] * len(held)
    tensor = Fraction(libraries.tensor_scale(EXACT, top, block, rule))
    if is_finite(scale):
        factor = libraries.factor(EXACT, scale, tensor, block, rule)
        products = [exact.multiply(v, factor, BINARY32) for v in held]
    drawn = draws or (0,) * len(x)
    elements = tuple(_library_element(v, block.element, mode, draw) for v, draw in zip(products, drawn, strict=True))
    values = tuple(_library_value(v, scale, tensor) for v in elements)
    codes = tuple(element_code(v, block.element) for v in elements)
    return DefinedBlock(scale, exact.encode(scale, block.scale), codes, elements, values, tuple(products))


def _library_element(product: Value, element: Element, mode: Rounding, draw: int) -> Value:
    return Fraction(0) if exact.is_nan(product) else element_of(product, element, mode, draw)


def _library_value(element: Value, scale: Value, tensor: Fraction) -> Value:
    """element x scale x tensor scale, which may be 0."""
    if not is_finite(scale):
        return NAN
    product = Fraction(element) * Fraction(scale) * tensor
    return exact.signed(exact.is_negative(element), abs(product))
