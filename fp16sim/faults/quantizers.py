"""Wrong quantizers of blocks: a quantizer in five steps, each of which a fault replaces.

A quantizer takes a list of floats and the size of a block, and gives what hardware stores: the codes of the scales, and
the elements as bytes; with a tensor scale also that. `RIGHT` is equal to the definition in `blocks.definition`, which
tests check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from .. import exact
from ..blocks import Block, get_block
from ..blocks.definition import candidates, element_code, element_of, saturated, scale_exponent, tensor_scale
from ..blocks.packing import pack_bits
from ..exact import Value
from ..formats import Format, Rounding
from .roundings import Answer

ANYTHING = "anything"
"""Stands for every answer, in a fault that says only where a function goes wrong."""
RAISES = "raises"
"""Stands for the answer of a function that raises an exception."""
SETTINGS = {name: (get_block(name), "floor") for name in ("mxfp4", "mxfp6", "mxfp6_e3m2", "mxfp8", "mxfp8_e5m2")}
SETTINGS |= {f"{name}_rceil": (get_block(name), "rceil") for name in ("mxfp4", "mxfp8")}
SETTINGS |= {"nvfp4": (get_block("nvfp4"), "nearest")}
"""The tasks of the grader that quantize blocks: the block, and the rule of its scale."""

Numbers: TypeAlias = Sequence[Value]
Scale: TypeAlias = tuple[Any, Value]
"""A code that is stored, and the number that the elements are divided by."""


def finite(x: Numbers) -> bool:
    """Whether a block holds numbers only."""
    return all(map(exact.is_finite, x))


def largest(x: Numbers) -> Fraction:
    """The largest magnitude of what is finite."""
    return max((abs(Fraction(v)) for v in x if exact.is_finite(v)), default=Fraction(0))


def blocks_of(values: Sequence[float], size: int) -> list[Numbers]:
    """The blocks of a list, exactly."""
    numbers = [exact.as_exact(v) for v in values]
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


# --- the right steps ------------------------------------------------------------------------------------------------


def _tensor_amax_of(blocks: Sequence[Numbers]) -> Fraction:
    """The largest magnitude of the blocks that hold numbers only."""
    return max((largest(x) for x in blocks if finite(x)), default=Fraction(0))


def _tensor(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
    """The tensor scale that is stored, and the one that is used."""
    found = tensor_scale(_tensor_amax_of(blocks), block, rule)
    return found, found


def _amax(x: Numbers, blocks: Sequence[Numbers]) -> Value:
    return largest(x) if finite(x) else math.nan


@lru_cache(maxsize=10_000)
def _scale(amax: Fraction, block: Block, rule: str) -> Scale:
    """The scale of amax > 0, which is divided by the tensor scale."""
    (found,) = candidates(amax, block, rule)
    return exact.encode(found, block.scale), found


def _element(share: Value, block: Block, mode: Rounding) -> int:
    # Zeros stay out of the cache, in which -0.0 and 0 are the same.
    return _rounded(share, block, mode) if share else element_code(share, block.element)


@lru_cache(maxsize=10_000)
def _rounded(share: Value, block: Block, mode: Rounding) -> int:
    return element_code(element_of(share, block.element, mode), block.element)


def _zeros(x: Numbers, block: Block) -> tuple[Any, list[Any]]:
    return 0, [element_code(v, block.element) for v in x]


def _nan(x: Numbers, block: Block) -> tuple[Any, list[Any]]:
    return exact.encode(math.nan, block.scale), [0] * len(x)


def _pack(codes: Sequence[int], width: int) -> list[int]:
    return list(pack_bits(np.array(codes, np.uint8), width))


@dataclass(frozen=True)
class Steps:
    """The steps of a quantizer; `whole` replaces the answer of a list by what it gives, unless that is None."""

    tensor: Callable[..., tuple[Value, Fraction]] = _tensor
    amax: Callable[..., Value] = _amax
    scale: Callable[..., Scale] = _scale
    element: Callable[..., int] = _element
    zeros: Callable[..., tuple[Any, list[Any]]] = _zeros
    nan: Callable[..., tuple[Any, list[Any]]] = _nan
    pack: Callable[..., list[int]] = _pack
    whole: Callable[..., Any] = lambda blocks, block, rule: None

    def __call__(self, values: Sequence[float], size: int, block: Block, rule: str, mode: Rounding) -> Any:
        """([tensor scale,] codes of the scales, bytes of the elements)."""
        blocks = blocks_of(values, size)
        if (instead := self.whole(blocks, block, rule)) is not None:
            return instead
        stored, tensor = self.tensor(blocks, block, rule)
        found = [self._block(x, self.amax(x, blocks), tensor, block, rule, mode) for x in blocks]
        packed = [byte for _, codes in found for byte in self._packed(codes, block.element.width)]
        parts = [scale for scale, _ in found], packed
        return (float(stored), *parts) if block.tensor_scale else parts

    def _block(
        self, x: Numbers, amax: Value, tensor: Fraction, block: Block, rule: str, mode: Rounding
    ) -> tuple[Any, list[Any]]:
        if exact.is_nan(amax):
            return self.nan(x, block)
        if amax == 0:
            return self.zeros([v if exact.is_finite(v) else 0.0 for v in x], block)
        code, scale = self.scale(Fraction(amax) / tensor, block, rule)
        if scale == 0:
            return code, [ANYTHING] * len(x)
        return code, [self._code(v, Fraction(scale) * tensor, block, mode) for v in x]

    def _code(self, v: Value, product: Fraction, block: Block, mode: Rounding) -> int:
        """A NaN that came so far becomes +0, and infinity the largest element."""
        if exact.is_nan(v):
            return 0
        if not exact.is_finite(v):
            v = math.copysign(float(block.element.max_finite), v) * product
        return self.element(v if v == 0 else Fraction(v) / product, block, mode)

    def _packed(self, codes: Sequence[Any], width: int) -> list[Any]:
        if ANYTHING in codes:
            return [ANYTHING] * (len(codes) * width // 8)
        return self.pack(codes, width)


RIGHT = Steps()

# --- wrong steps ----------------------------------------------------------------------------------------------------


def _tensor_amax(x: Numbers, blocks: Sequence[Numbers]) -> Value:
    """Of the whole list; a block that holds NaN is as it should be."""
    return max(largest(y) for y in blocks if finite(y)) if finite(x) else math.nan


def _tensor_amax_but_zeros(x: Numbers, blocks: Sequence[Numbers]) -> Value:
    """The same, and blocks of zeros are as they should be."""
    return _tensor_amax(x, blocks) if largest(x) else _amax(x, blocks)


def _power(e: int, block: Block) -> Scale:
    """The scale 2^e, as near to that as the format of the scale has it."""
    e = min(max(e, block.scale.quantum_exponent_min), block.scale.emax)
    return exact.encode(Fraction(2) ** e, block.scale), Fraction(2) ** e


def _by_exponent(exponent: Callable[[Fraction, Block, str], int]) -> Callable[..., Scale]:
    return lambda amax, block, rule: _power(exponent(amax, block, rule), block)


def _log2(amax: Fraction, block: Block, rule: str) -> int:
    if rule == "rceil":
        return math.ceil(math.log2(float(amax) / block.element.max_finite))
    return math.floor(math.log2(float(amax))) - block.element.emax


def _int_log2(amax: Fraction, block: Block, rule: str) -> int:
    return int(math.log2(float(amax))) - block.element.emax


def _no_emax(amax: Fraction, block: Block, rule: str) -> int:
    return scale_exponent(amax, block.element, "floor" if rule == "floor" else "ceil") + block.element.emax


def _other_rule(name: str) -> Callable[..., Scale]:
    return _by_exponent(lambda amax, block, rule: scale_exponent(amax, block.element, name))


def _clamped_at(least: Callable[[Block], Fraction]) -> Callable[..., Scale]:
    def scale(amax: Fraction, block: Block, rule: str) -> Scale:
        found = max(Fraction(_scale(amax, block, rule)[1]), least(block))
        return exact.encode(found, block.scale), found

    return scale


def _inverted_code(amax: Fraction, block: Block, rule: str) -> Scale:
    code, scale = _scale(amax, block, rule)
    return max(0, 2 * block.scale.bias - code), scale


def _in_mode(mode: Rounding) -> Callable[..., int]:
    return lambda share, block, _: _element(share, block, mode)


def _ties_to_zero(share: Value, block: Block, mode: Rounding) -> int:
    """The first of two equally near elements, in a list that begins with 0."""
    low, high = (element_of(share, block.element, way) for way in (Rounding.TOWARD_ZERO, Rounding.TIES_TO_AWAY))
    is_tie = Fraction(low) != Fraction(high) and 2 * Fraction(share) == Fraction(low) + Fraction(high)
    return _element(low, block, mode) if is_tie else _element(share, block, Rounding.TIES_TO_EVEN)


def _not_saturated(share: Value, block: Block, mode: Rounding) -> int:
    """NaN or infinity beyond the largest element if the format has it; else the code runs over into the sign bit."""
    element = block.element
    assert isinstance(element, Format)
    wide = replace(element, width=element.width + 1, bias=element.bias, saturate=False)
    rounded = exact.round_to(share, wide, mode)
    size = abs(Fraction(rounded))
    if size <= Fraction(element.max_finite):
        return _element(share, block, mode)
    sign = element.sign_bit if rounded < 0 else 0
    if element.has_infinity:
        return int(exact.encode(math.inf, element)) | sign
    if element.has_nan:
        return int(exact.encode(math.nan, element)) | sign
    return int(exact.encode(size, wide)) % 2**element.width | sign


def _floor_half(share: Value, block: Block, mode: Rounding) -> int:
    """floor(abs(x) / step + 0.5) in float64, where the sum is rounded, too."""
    if share == 0:
        return _element(share, block, mode)
    assert isinstance(block.element, Format)
    size = abs(Fraction(share))
    step = Fraction(2) ** exact.quantum_exponent(size, block.element)
    size = math.floor(float(size / step) + 0.5) * step
    return _element(math.copysign(float(size), share), block, mode)


def _without_sign_of_zero(share: Value, block: Block, mode: Rounding) -> int:
    code = _element(share, block, mode)
    assert isinstance(block.element, Format)
    return 0 if code == block.element.sign_bit else code


def _zeros_with(code: Callable[[Block], Any]) -> Callable[..., tuple[Any, list[Any]]]:
    return lambda x, block: (code(block), _zeros(x, block)[1])


def _one(block: Block) -> int:
    return int(exact.encode(1.0, block.scale))


def _smallest(block: Block) -> int:
    return int(exact.encode(block.scale.min_subnormal, block.scale))


def _zeros_nan(x: Numbers, block: Block) -> tuple[Any, list[Any]]:
    return exact.encode(math.nan, block.scale), [ANYTHING] * len(x)


def _zero_input_positive(share: Value, block: Block, mode: Rounding) -> int:
    return _element(share, block, mode) if share else 0


def _positive_zeros(x: Numbers, block: Block) -> tuple[Any, list[Any]]:
    return 0, [0] * len(x)


def _nan_left_out(x: Numbers, blocks: Sequence[Numbers]) -> Value:
    return largest(x)


def _tensor_of_all(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
    """Also of the numbers beside NaN and infinity."""
    return _tensor([[v for v in x if exact.is_finite(v)] for x in blocks], block, rule)


def _if(find: Callable[[Sequence[Numbers], Block, str], bool], answer: str) -> Callable[..., Any]:
    return lambda blocks, block, rule: answer if find(blocks, block, rule) else None


def _some_zero(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    return any(finite(x) and largest(x) == 0 for x in blocks)


def _all_zero(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    return all(largest(x) == 0 for x in blocks if finite(x))


def _some_nan(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    return not all(map(finite, blocks))


def _nan_beside_others(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    return len(blocks) > 1 and _some_nan(blocks, block, rule)


def _some_beyond(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    """Whether an element is beyond the largest one after it was rounded to nearest."""
    _, tensor = _tensor(blocks, block, rule)
    limit = Fraction(block.element.max_finite) + Fraction(2) ** (block.element.emax - block.element.precision)
    amaxes = [largest(x) / tensor for x in blocks if finite(x) and largest(x)]
    return any(amax / Fraction(_scale(amax, block, rule)[1]) >= limit for amax in amaxes)


def _some_large(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    """Whether a scale, which is a power of two, would be above the largest number of its format."""
    amaxes = [largest(x) for x in blocks if finite(x) and largest(x)]
    return any(scale_exponent(amax, block.element, rule) > block.scale.emax for amax in amaxes)


def _some_small(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    """Whether a scale would be below the smallest number of its format."""
    _, tensor = _tensor(blocks, block, rule)
    shares = [largest(x) / tensor for x in blocks if finite(x) and largest(x)]
    if block.tensor_scale:
        return any(share / 6 <= Fraction(block.scale.min_subnormal) / 2 for share in shares)
    return any(scale_exponent(share, block.element, rule) < block.scale.quantum_exponent_min for share in shares)


def _high_first(codes: Sequence[int], width: int) -> list[int]:
    """From the highest bit of each byte."""
    bits = "".join(f"{code:0{width}b}" for code in codes)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


# --- two levels -----------------------------------------------------------------------------------------------------


def _no_tensor(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
    return Fraction(1), Fraction(1)


def _inverted_tensor(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
    """2688 / amax is stored; all else is right."""
    return _inverse(blocks, block), _tensor(blocks, block, rule)[1]


def _inverse(blocks: Sequence[Numbers], block: Block) -> Fraction:
    """2688 / amax in the format of the tensor scale; 1 for zeros."""
    amax = _tensor_amax_of(blocks)
    assert block.tensor_scale is not None
    return Fraction(saturated(2688 / amax, block.tensor_scale, Rounding.TIES_TO_EVEN)) if amax else Fraction(1)


def _inverted_factor(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
    """2688 / amax is stored, and numbers are multiplied by it."""
    return _inverse(blocks, block), 1 / _inverse(blocks, block)


def _inverted_divisor(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
    """2688 / amax is stored, and numbers are divided by it."""
    return _inverse(blocks, block), _inverse(blocks, block)


def _tensor_by(divisor: int) -> Callable[..., tuple[Value, Fraction]]:
    def tensor(blocks: Sequence[Numbers], block: Block, rule: str) -> tuple[Value, Fraction]:
        amax, fmt = _tensor_amax_of(blocks), block.tensor_scale
        assert fmt is not None
        found = saturated(amax / divisor, fmt, Rounding.TIES_TO_EVEN) if amax else 1
        used = max(Fraction(found), Fraction(fmt.min_subnormal))
        return used, used

    return tensor


def _unrounded_tensor(blocks: Sequence[Numbers], block: Block, rule: str) -> Any:
    """amax / 2688 in float64 is stored; what follows from it depends on how the quotients are rounded."""
    amax = _tensor_amax_of(blocks)
    found = float(amax / 2688)
    return None if found == _tensor(blocks, block, rule)[0] or not amax else (found, ANYTHING, ANYTHING)


def _beyond_binary32(blocks: Sequence[Numbers], block: Block, rule: str) -> bool:
    """Whether 2688 / amax is so."""
    amax = _tensor_amax_of(blocks)
    return amax > 0 and 2688 / amax >= Fraction(2) ** 128


def _scale_in(mode: str) -> Callable[..., Scale]:
    def scale(amax: Fraction, block: Block, rule: str) -> Scale:
        rounded = exact.round_operand(amax / 6, replace(block.scale, saturate=True), Rounding(mode), 0).value
        found = max(Fraction(rounded), Fraction(block.scale.min_subnormal))
        return exact.encode(found, block.scale), found

    return scale


def _unrounded_scale(amax: Fraction, block: Block, rule: str) -> Scale:
    return _scale(amax, block, rule)[0], amax / 6


def _scale_to_zero(amax: Fraction, block: Block, rule: str) -> Scale:
    code, scale = _scale(amax, block, rule)
    return (0, 0.0) if amax / 6 <= Fraction(block.scale.min_subnormal) / 2 else (code, scale)


# --- the table ------------------------------------------------------------------------------------------------------

_ELEMENTS: tuple[tuple[str, str, Steps], ...] = (
    (
        "ties_away",
        "rounds ties of elements away from zero, not to even",
        Steps(element=_in_mode(Rounding.TIES_TO_AWAY)),
    ),
    (
        "ties_to_zero",
        "rounds ties of elements toward zero: takes the first of two that are equally near",
        Steps(element=_ties_to_zero),
    ),
    ("truncates", "cuts elements off, and does not round them", Steps(element=_in_mode(Rounding.TOWARD_ZERO))),
    ("no_saturation", "does not saturate elements beyond the largest one", Steps(element=_not_saturated)),
    (
        "sign_of_zero",
        "drops the sign of zeros, and of elements that become zero",
        Steps(element=_without_sign_of_zero, zeros=_positive_zeros),
    ),
    (
        "minus_zero",
        "drops the sign of -0",
        Steps(element=_zero_input_positive, zeros=_positive_zeros),
    ),
    ("zeros_lose_sign", "drops the signs in a block of zeros", Steps(zeros=_positive_zeros)),
    ("high_first", "packs the first element into the high bits of a byte, not the low ones", Steps(pack=_high_first)),
)
_SPECIAL: tuple[tuple[str, str, Steps], ...] = (
    (
        "nan_ignored",
        "leaves NaN and infinity out of amax: the scale of such a block is NaN",
        Steps(amax=_nan_left_out, tensor=_tensor_of_all),
    ),
    ("zero_division", "divides by zero in a block of zeros", Steps(whole=_if(_some_zero, RAISES))),
    ("zero_tensor", "divides by zero if all numbers are zeros", Steps(whole=_if(_all_zero, RAISES))),
    ("zero_one", "gives a block of zeros the scale 1: its scale has code 0", Steps(zeros=_zeros_with(_one))),
    ("zero_nan", "gives a block of zeros the scale NaN, as 0 / 0 does: its scale has code 0", Steps(zeros=_zeros_nan)),
)
_WHERE: tuple[tuple[str, str, Steps], ...] = (
    (
        "nan_block",
        "is wrong where a block holds NaN or infinity: the scale of such a block is NaN",
        Steps(whole=_if(_some_nan, ANYTHING)),
    ),
    (
        "zero_block",
        "is wrong for blocks of zeros: the scale has code 0, and the zeros keep their signs",
        Steps(whole=_if(_some_zero, ANYTHING)),
    ),
    (
        "beyond",
        "does not saturate elements beyond the largest one",
        Steps(whole=_if(_some_beyond, ANYTHING)),
    ),
    (
        "no_clamp",
        "lets a scale leave its format at the small end: the smallest is the smallest positive number of the format",
        Steps(whole=_if(_some_small, ANYTHING)),
    ),
)
_OF_THE_LIST = "takes the largest magnitude of the whole list, not that of each block"
_AMAX: tuple[tuple[str, str, Steps], ...] = (
    ("tensor_amax", _OF_THE_LIST, Steps(amax=_tensor_amax, whole=_if(_nan_beside_others, ANYTHING))),
    (
        "tensor_amax_but_zeros",
        _OF_THE_LIST,
        Steps(amax=_tensor_amax_but_zeros, whole=_if(_nan_beside_others, ANYTHING)),
    ),
)
_INVERTED = "stores 2688 / amax as the tensor scale: it is amax / 2688"
_POWERS: tuple[tuple[str, str, Steps], ...] = (
    *_AMAX,
    (
        "log2",
        "takes the exponent from a logarithm, which is rounded: wrong just beside a power of two",
        Steps(scale=_by_exponent(_log2)),
    ),
    (
        "no_emax",
        "forgets the exponent of the largest element: the scale is 2^(emax of the elements) too large",
        Steps(scale=_by_exponent(_no_emax)),
    ),
    (
        "clamp_126",
        "clamps the scale at 2^-126, the smallest normal float32; E8M0 goes down to 2^-127",
        Steps(scale=_clamped_at(lambda block: Fraction(2) ** -126)),
    ),
    ("inverted", "stores the reciprocal of the scale", Steps(scale=_inverted_code)),
    ("ceil", "uses the rule ceil: rounds amax up to a power of two", Steps(scale=_other_rule("ceil"))),
)
_FLOOR: tuple[tuple[str, str, Steps], ...] = (
    (
        "no_upper_clamp",
        "lets a scale leave its format at the large end: the largest is 2^127, and elements saturate",
        Steps(whole=_if(_some_large, ANYTHING)),
    ),
    (
        "floor_half",
        "rounds ties of elements away from zero; in floor(abs(n) + 0.5) the sum is rounded, too",
        Steps(element=_floor_half),
    ),
    *_POWERS,
    (
        "int_log2",
        "takes the exponent from int(log2(amax)), which is one too high below 1",
        Steps(scale=_by_exponent(_int_log2)),
    ),
    (
        "rceil",
        "uses NVIDIA's rule rceil: the scale is rounded up, so that nothing saturates",
        Steps(scale=_other_rule("rceil")),
    ),
)
_RCEIL = (*_POWERS, ("floor", "uses the OCP's rule floor: elements saturate", Steps(scale=_other_rule("floor"))))
_NVFP4: tuple[tuple[str, str, Steps], ...] = (
    *_AMAX,
    ("no_tensor_scale", "forgets the tensor scale: it is 1", Steps(tensor=_no_tensor)),
    ("inverted_tensor", _INVERTED, Steps(tensor=_inverted_tensor, whole=_if(_beyond_binary32, ANYTHING))),
    ("inverted_factor", _INVERTED, Steps(tensor=_inverted_factor, whole=_if(_beyond_binary32, ANYTHING))),
    ("inverted_divisor", _INVERTED, Steps(tensor=_inverted_divisor, whole=_if(_beyond_binary32, ANYTHING))),
    ("tensor_by_6", "divides amax by 6 for the tensor scale, not by 6 x 448", Steps(tensor=_tensor_by(6))),
    ("tensor_by_448", "divides amax by 448 for the tensor scale, not by 6 x 448", Steps(tensor=_tensor_by(448))),
    ("unrounded_tensor", "does not round the tensor scale to binary32", Steps(whole=_unrounded_tensor)),
    (
        "clamp_normal",
        "clamps the block scale at 2^-6, the smallest normal number; E4M3FN goes down to 2^-9",
        Steps(scale=_clamped_at(lambda block: Fraction(block.scale.min_normal))),
    ),
    (
        "zero_smallest",
        "gives a block of zeros the smallest positive scale: its scale has code 0",
        Steps(zeros=_zeros_with(_smallest)),
    ),
    (
        "zero_tensor_scale",
        "is wrong if all numbers are zeros: the tensor scale is 1",
        Steps(whole=_if(_all_zero, ANYTHING)),
    ),
    ("scale_to_zero", "lets a small block scale become 0: the smallest is 2^-9", Steps(scale=_scale_to_zero)),
    ("scale_cut", "cuts the block scale off: it is rounded to nearest", Steps(scale=_scale_in("toward_zero"))),
    ("scale_up", "rounds the block scale up: it is rounded to nearest", Steps(scale=_scale_in("toward_positive"))),
    (
        "unrounded_scale",
        "divides the elements by amax / 6, not by the block scale that is stored",
        Steps(scale=_unrounded_scale),
    ),
)


def _answer(steps: Steps, block: Block, rule: str) -> Answer:
    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> list[Any]:
        return [steps(values, size, block, rule, mode) for values, size in zip(*operands, strict=True)]

    return answer


def _faults() -> tuple[tuple[str, str, str, Answer], ...]:
    """name, task, misconception, answer: for each task, those that can happen there."""
    found = []
    for task, (block, rule) in SETTINGS.items():
        own = _NVFP4 if block.tensor_scale else _FLOOR if rule == "floor" else _RCEIL
        for name, words, steps in (*own, *_ELEMENTS, *_SPECIAL, *_WHERE):
            if name != "high_first" or block.element.width < 8:
                found.append((name, task, words, _answer(steps, block, rule)))
    return tuple(found)


BLOCKS: tuple[tuple[str, str, str, Answer], ...] = _faults()
