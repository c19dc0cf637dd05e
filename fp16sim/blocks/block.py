"""What a block is: the type of its elements, the format of its scale, and how many elements share the scale.

    value of an element = element x block scale [x tensor scale]

`Block` states these parts, and `BLOCKS` names the usual ones. `FixedPoint` is the element type of MXINT8, which is no
floating-point format. `SCALE_RULES` names the ways to find a scale, with the source of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..formats import (
    BINARY32,
    E2M1FN,
    E2M3FN,
    E3M2FN,
    E4M3FN,
    E5M2,
    E8M0FNU,
    Format,
    Specials,
    as_integer,
    get_format,
    quoted,
)
from ..wording import did_you_mean, joined

SCALE_RULES = {
    "floor": "2^(floor(log2 amax) - emax); what is above the largest element saturates (OCP Microscaling 1.0)",
    "ceil": "2^(ceil(log2 amax) - emax) (torchao)",
    "even": "floor, after amax is rounded to the precision of the elements (torchao)",
    "rceil": "amax / (largest element), rounded up to a power of two: nothing saturates (NVIDIA)",
    "nearest": "amax / (largest element), rounded to the nearest number of the scale's format (NVFP4, per-tensor fp8)",
    "four_over_six": "nearest for amax at 6 or at 4, whichever has the smaller sum of squared errors; at a tie 6",
    "torchao": "NVFP4 in the steps of torchao 0.18, each rounded to binary32; no scale below 2^-6",
    "transformer_engine": "NVFP4 and MXFP8 in the steps of TransformerEngine 2, each rounded to binary32",
}
"""How a scale is found from amax, the largest magnitude of the block."""
POWERS_OF_TWO = ("floor", "ceil", "even", "rceil")
"""The rules whose scales are powers of two."""
LIBRARY_RULES = ("torchao", "transformer_engine")
"""The rules that take the steps of a library, for scales and elements: see `libraries`."""
FOR = {
    "four_over_six": "e2m1fn elements, whose largest numbers are 4 and 6, with a scale that holds 4/6 of its numbers",
    "torchao": "NVFP4: e2m1fn elements with e4m3fn scales",
    "transformer_engine": "NVFP4 (e2m1fn elements, e4m3fn scales) and MXFP8 (e4m3fn or e5m2, e8m0fnu)",
}
"""What the rules are for that do not suit every block."""

DECIDED = {
    "zero block": ("the scale has code 0, and its elements are zeros that keep their signs", "torchao, gfloat"),
    "NaN or infinity in a block": (
        "the scale is NaN, so every value of the block is; the elements have code 0",
        "OCP leaves it open, and libraries differ; no other rule shows that the block held no number",
    ),
    "NaN or infinity in a tensor": ("the tensor scale comes from the blocks without them", "one block spoils no other"),
    "subnormal amax": ("as any other: its exponent is exact", "torchao treats the exponent field 0 as -127"),
    "scale above its format": ("the largest scale (a power of two, if the rule gives one); elements saturate", "OCP"),
    "scale below its format": ("the smallest positive scale; elements may become zeros", "gfloat; torchao's 2^-6 not"),
    "elements beyond the largest": ("rounded, then saturated, in every mode", "OCP Microscaling 1.0"),
    "zero tensor": ("the tensor scale is 1", "TransformerEngine; torchao gives NaN"),
    "tensor scale": (
        "amax / (largest element x largest scale), to nearest even; never 0, never infinite. The largest scale is "
        "the format's for nearest (NVFP4: 448), and its largest power of two (256) for the other rules",
        "the four-over-six paper for 256; with 448 a power of two could not reach the largest block",
    ),
    "order of operations": (
        "quotients and products are exact, and each number is rounded once; the rules torchao and transformer_engine "
        "take the steps of these libraries, each rounded to binary32, to which x is rounded first",
        "libraries differ in it: torchao 0.18, nvfp4_quantize; TransformerEngine 2, core_nvfp4.cuh and ptx.cuh",
    ),
    "limits in the rules of libraries": (
        "as in the library: torchao has no scale below 2^-6; a tensor of zeros, or below 2^-138, has the tensor scale "
        "0, and 0 / 0 is NaN. If 1 / (tensor scale) overflows, it makes 0 a NaN, which has no code: 0 here. "
        "TransformerEngine does not scale the elements of an MXFP8 block with scale code 0, so they vanish",
        "torchao 0.18, nvfp4_quantize; TransformerEngine 2, exp2f_rcp",
    ),
    "four over six": ("errors are compared after rounding to nearest even, in every mode", "no draw decides a scale"),
    "two's complement": ("-2^(width - 1) is used, as gfloat does; there is no -0", "OCP allows both"),
}
"""What a specification must decide, our decision, and its source or reason."""


@dataclass(frozen=True)
class FixedPoint:
    """Two's complement integers times a power of two: the elements of MXINT8. No Format, since its spacing is constant.

    >>> INT8.max_finite, INT8.min_finite, INT8.emax
    (1.984375, -2.0, 0)
    """

    name: str
    width: int
    fraction_bits: int

    def __post_init__(self) -> None:
        for label in ("width", "fraction_bits"):
            as_integer(label, getattr(self, label), "bits are counted")
        if not 2 <= self.width <= 16 or not 0 <= self.fraction_bits <= 16:
            raise ValueError(
                f"width={self.width}, fraction_bits={self.fraction_bits} is out of range; use a width of 2 to 16 and "
                "fraction bits from 0 to 16"
            )

    def __str__(self) -> str:
        return self.name

    @property
    def largest(self) -> int:
        """The largest integer; the smallest is -largest - 1."""
        return 2 ** (self.width - 1) - 1

    @property
    def max_finite(self) -> float:
        """The largest number."""
        return float(Fraction(self.largest, 2**self.fraction_bits))

    @property
    def min_finite(self) -> float:
        """The smallest number, which is larger in magnitude than max_finite."""
        return -float(Fraction(self.largest + 1, 2**self.fraction_bits))

    @property
    def precision(self) -> int:
        """Significand bits of the largest numbers."""
        return self.width - 1

    @property
    def emax(self) -> int:
        """The exponent of max_finite."""
        return self.width - 2 - self.fraction_bits

    @property
    def quantum_exponent_min(self) -> int:
        """The exponent of the spacing."""
        return -self.fraction_bits

    @property
    def lattice(self) -> Format:
        """A format whose subnormals are the same numbers, so that what rounds formats rounds these too."""
        return Format(
            self.name,
            width=self.width + 1,
            precision=self.width,
            specials=Specials.NONE,
            bias=1 - (self.emax + 1),
        )


INT8 = FixedPoint("int8", width=8, fraction_bits=6)
Element: TypeAlias = "Format | FixedPoint"


@dataclass(frozen=True)
class Block:
    """A block: elements of one type that share a scale.

    Parameters
    ----------
    element : Format, str or FixedPoint
        The type of the elements, of at most 16 bits.
    scale : Format or str
        The format of the block's scale, with NaN, and at most binary32.
    size : int, None or tuple of these
        Elements of a block along one axis (`quantize` says which), or the sides of a block along the last axes. None is
        the whole axis: (1, None) is a scale per row, (None, None) one per matrix.
    tensor_scale : Format or str, optional
        The format of a second scale, one for the whole tensor.
    name : str, optional
        What to call it in messages.

    Examples
    --------
    >>> Block("e2m1fn", "e4m3fn", 16, tensor_scale="binary32") == get_block("nvfp4")
    True
    >>> get_block("mxfp8").element.name, get_block("mxfp8").default_rule
    ('e4m3fn', 'floor')
    """

    element: Element
    scale: Format
    size: int | tuple[int | None, ...] | None = 32
    tensor_scale: Format | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.element, FixedPoint):
            object.__setattr__(self, "element", get_format(self.element))
        object.__setattr__(self, "scale", get_format(self.scale))
        if self.tensor_scale is not None:
            object.__setattr__(self, "tensor_scale", get_format(self.tensor_scale))
        object.__setattr__(self, "size", _checked_size(self.size))
        object.__setattr__(self, "name", str(self.name or f"{self.element}/{self.scale}"))
        self._check()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __str__(self) -> str:
        return self.name

    @property
    def _parts(self) -> tuple[object, ...]:
        return self.element, self.scale, self.size, self.tensor_scale

    def _check(self) -> None:
        element, scale, tensor = self.element, self.scale, self.tensor_scale
        if element.width > 16 or (isinstance(element, Format) and not element.fits_in(BINARY32)):
            raise ValueError(f"element={element} is too wide for a block; use at most 16 bits that binary32 holds")
        if isinstance(element, Format) and not (element.signed and element.zero):
            raise ValueError(f"element={element} lacks zero or negative numbers; use a format that has both")
        if not scale.has_nan:
            raise ValueError(f"scale={scale} has no NaN, which marks blocks without numbers; use e8m0fnu or e4m3fn")
        for label, fmt in (("scale", scale), ("tensor_scale", tensor)):
            if fmt is not None and not fmt.fits_in(BINARY32):
                raise ValueError(f"{label}={fmt} does not fit in binary32; use a narrower format, such as binary32")
        bits = element.precision + scale.precision + (tensor.precision if tensor else 0)
        if bits > 50:
            raise ValueError(
                f"element={element}, scale={scale}, tensor_scale={tensor}: the product needs {bits} bits, and float64 "
                "must hold it with room to spare: use formats whose precisions add up to 50 or less"
            )

    @property
    def default_rule(self) -> str:
        """The rule used if none is given: floor for scales that are powers of two, else nearest."""
        return "floor" if self.scale.precision == 1 else "nearest"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of SCALE_RULES that suit the block."""
        parts = (self.element, self.scale, self.tensor_scale)
        nvfp4 = parts in ((E2M1FN, E4M3FN, None), (E2M1FN, E4M3FN, BINARY32))
        mxfp8 = parts in ((E4M3FN, E8M0FNU, None), (E5M2, E8M0FNU, None))
        suits = {
            "four_over_six": self.element.max_finite == 6 and self.scale.precision > 1,
            "torchao": nvfp4,
            "transformer_engine": nvfp4 or mxfp8,
        }
        return tuple(rule for rule in SCALE_RULES if suits.get(rule, True))

    def checked_rule(self, rule: str | None) -> str:
        """A rule of SCALE_RULES that suits the block."""
        if rule is None:
            return self.default_rule
        if not isinstance(rule, str) or rule not in SCALE_RULES:
            known = joined(list(SCALE_RULES), "or")
            raise ValueError(f"scale_rule={quoted(rule)} is unknown; {did_you_mean(str(rule), SCALE_RULES)}use {known}")
        if rule not in self.rules:
            raise ValueError(
                f"scale_rule={quoted(rule)} is for {FOR[rule]}, and {self.name} has {self.element} and {self.scale}; "
                f"use {quoted(self.default_rule)}"
            )
        return rule


def _checked_size(size: object) -> int | tuple[int | None, ...] | None:
    if isinstance(size, (tuple, list)):
        if not size:
            raise ValueError("size=() names no axis; give an integer, None (the whole axis), or a tuple of these")
        return tuple(_checked_side(side) for side in size)
    return _checked_side(size)


def _checked_side(side: object) -> int | None:
    if side is None:
        return None
    number = as_integer("size", side, "a block has a number of elements; None is the whole axis")
    if number < 1:
        raise ValueError(f"size={number} holds no element; use 1 or more, or None for the whole axis")
    return number


BLOCKS = {
    name: Block(element, scale, size, tensor, name)
    for name, element, scale, size, tensor in (
        ("mxfp8", E4M3FN, E8M0FNU, 32, None),
        ("mxfp8_e5m2", E5M2, E8M0FNU, 32, None),
        ("mxfp6", E2M3FN, E8M0FNU, 32, None),
        ("mxfp6_e3m2", E3M2FN, E8M0FNU, 32, None),
        ("mxfp4", E2M1FN, E8M0FNU, 32, None),
        ("mxint8", INT8, E8M0FNU, 32, None),
        ("nvfp4", E2M1FN, E4M3FN, 16, BINARY32),
    )
}
BlockLike: TypeAlias = "Block | str"


def get_block(block: BlockLike) -> Block:
    """The block that a Block or a name stands for.

    >>> get_block("MXFP4").size
    32
    """
    if isinstance(block, Block):
        return block
    if not isinstance(block, str):
        raise TypeError(f"block={quoted(block)} is not a block; give a Block or a name such as 'mxfp8'")
    key = block.lower().replace("-", "_")
    if key not in BLOCKS:
        raise ValueError(
            f"block={quoted(block)} is unknown; {did_you_mean(key, BLOCKS)}use {joined(list(BLOCKS), 'or')}, or "
            "Block(element, scale, size)"
        )
    return BLOCKS[key]
