"""How the factors of matrix products are scaled and rounded in training with 8 and 4 bits: a frozen record, and names.

The numbers of a tensor are multiplied by a scale, so that the largest uses the top of a narrow format, rounded to it,
multiplied and summed; the sum is divided by the scales again. `Factors` says where scales come from and what is rounded
how; `scaled_products` computes with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from ..blocks import SCALE_RULES, Block
from ..blocks.hadamard import checked_size
from ..formats import BINARY32, E4M3FN, E5M2, E8M0FNU, Format, FormatLike, as_integer, get_format
from ..wording import did_you_mean, joined, quoted, yes_or_no
from .records import Converted, from_plain, names_unknown

SCALINGS = {
    "current": "one scale a tensor, from its own largest magnitude (amax)",
    "delayed": "one scale a tensor, from its amax in the steps before",
    "mx": "a power of two for each 32 elements along the sum (OCP Microscaling)",
    "nvfp4": "an e4m3fn scale for each 16 elements along the sum, and one for the tensor (NVFP4)",
    "block": "a binary32 scale for each 128 elements along the sum, whose sums it multiplies (DeepSeek-V3)",
}
"""Where scales come from."""

BLOCK_SIZES = {"mx": 32, "nvfp4": 16, "block": 128}
PER_TENSOR = ("current", "delayed")

ONLY_FOR = {
    "amax_history_len": ("delayed",),
    "amax_compute_algo": ("delayed",),
    "margin": PER_TENSOR,
    "power_2_scale": (*PER_TENSOR, "block"),
    "promote_every": PER_TENSOR,
    "block": tuple(BLOCK_SIZES),
    "square_weights": tuple(BLOCK_SIZES),
    "scale_rule": ("mx", "nvfp4"),
}
"""The scalings for which a part means something."""

AMAX_ALGORITHMS = ("max", "most_recent")
PRODUCTS = {"linear": "products with a weight", "all": "these, and products of two activations, as in attention"}


@names_unknown
@dataclass(frozen=True)
class Factors:
    """How the factors of matrix products are scaled and rounded; TransformerEngine's names for parts that it has.

    Every product has its own factors: x and w in x w, the gradient g and w in g w^T, x and g in x^T g. Blocks and the
    Hadamard transform lie along the axis that the product sums over.

    Parameters
    ----------
    scaling : {"current", "delayed", "mx", "nvfp4", "block"}
        Where scales come from; see `SCALINGS`.
    forward, backward : Format, str or dtype
        What activations and weights are rounded to, and what gradients are: e4m3fn and e5m2 are the hybrid of 2022.
    margin : int
        Scales of a tensor are divided by 2^margin, so that amax may grow before anything saturates.
    amax_history_len : int
        How many steps delayed scaling remembers.
    amax_compute_algo : {"max", "most_recent"}
        Which amax of the history gives the scale.
    power_2_scale : bool
        Whether scales are rounded to a power of two: down, so that nothing more saturates.
    block : int
        Elements that share a scale; 0 for 32 (mx), 16 (nvfp4) or 128 (block).
    square_weights : bool
        Whether the blocks of weights have that many rows and columns, so that both passes see the same numbers.
    scale_rule : str
        For mx and nvfp4: a rule of `fs.blocks.SCALE_RULES`; if empty, that of the block.
    hadamard : int
        The size of the random Hadamard transform of both factors of a weight's gradient, such as 16; 0 for none. The
        signs are the same in all products and runs.
    stochastic_gradients : bool
        Whether gradients are rounded stochastically, anew for each product; all else is rounded to nearest.
    promote_every : int
        After this number of products their sum is added to one in binary32 and starts from 0; 0 for never. It is for
        matrix units that add 8-bit products in few bits, as Hopper's; scaling "block" does it for every block.
    wide_last : int
        The products with the last so many weights are not rounded.
    products : {"linear", "all"}
        Which products: those with a weight, or all.

    Raises
    ------
    ValueError
        For an unknown name, a number out of range, and a part that has no effect with this scaling.

    Examples
    --------
    >>> print(Factors.of("nvfp4 hadamard=0"))
    nvfp4 hadamard=0
    >>> Factors("delayed", amax_history_len=16).backward.name
    'e5m2'
    """

    scaling: str = "current"
    forward: Converted[FormatLike, Format] = Converted(get_format, E4M3FN)
    backward: Converted[FormatLike, Format] = Converted(get_format, E5M2)
    margin: int = 0
    amax_history_len: int = 1024
    amax_compute_algo: str = "max"
    power_2_scale: bool = False
    block: int = 0
    square_weights: bool = False
    scale_rule: str = ""
    hadamard: int = 0
    stochastic_gradients: bool = False
    promote_every: int = 0
    wide_last: int = 0
    products: str = "linear"

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if (given := getattr(self, name)) not in known:
                raise ValueError(
                    f"{name}={quoted(given)} is unknown; {did_you_mean(str(given), known)}use {joined(known, 'or')}"
                )
        for name in (*_RANGES, "hadamard"):
            object.__setattr__(self, name, as_integer(name, getattr(self, name), "use a whole number"))
        for name, default in _DEFAULTS.items():
            if isinstance(default, bool) and not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name}={quoted(getattr(self, name))} is neither True nor False; use one of them")
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}={quoted(getattr(self, name))} is out of range; use {least} to {most:,}")
        for name, scalings in ONLY_FOR.items():
            if self.scaling not in scalings and getattr(self, name) != _DEFAULTS[name]:
                raise ValueError(
                    f"{name}={quoted(getattr(self, name))} has no effect with scaling={quoted(self.scaling)}; leave it "
                    f"out, or use scaling={joined(map(repr, scalings), 'or')}"
                )
        self._check_formats()

    def _check_formats(self) -> None:
        if self.hadamard:
            checked_size(self.hadamard)
            if self.scaling == "delayed":
                raise ValueError(
                    f"hadamard={self.hadamard} with scaling='delayed': the history knows no amax of transformed "
                    "factors; use another scaling, or hadamard=0"
                )
        for name in ("forward", "backward"):
            fmt = getattr(self, name)
            if self.scaling in BLOCK_SIZES:
                self.block_of("weight" if name == "forward" else "gradient").checked_rule(self.scale_rule or None)
            elif not (fmt.has_nan and fmt.signed and fmt.zero and fmt.fits_in(BINARY32)):
                raise ValueError(
                    f"{name}={fmt} with scaling={quoted(self.scaling)}: factors need zero, signs and NaN, and at most "
                    "the range of binary32; use e4m3fn or e5m2, or blocks (scaling='mx' or 'nvfp4')"
                )

    # --- what follows -----------------------------------------------------------------------------------------------

    @property
    def has_blocks(self) -> bool:
        """Whether elements share scales in blocks."""
        return self.scaling in BLOCK_SIZES

    @property
    def block_size(self) -> int:
        """Elements that share a scale; 0 for all of a tensor."""
        return self.block or BLOCK_SIZES.get(self.scaling, 0)

    def fmt_of(self, role: str) -> Format:
        """The format of the elements of a factor, which is an "activation", a "weight" or a "gradient"."""
        return self.backward if role == "gradient" else self.forward

    def block_of(self, role: str) -> Block:
        """The block of a factor, for the scalings that have blocks."""
        size, element = self.block_size, self.fmt_of(role)
        sides = (size, size) if self.square_weights and role == "weight" else size
        if self.scaling == "mx":
            return Block(element, E8M0FNU, sides)
        if self.scaling == "nvfp4":
            return Block(element, E4M3FN, sides, BINARY32)
        return Block(element, E8M0FNU if self.power_2_scale else BINARY32, sides)

    @property
    def rule(self) -> str | None:
        """The rule of the scales of blocks; None for that of the block."""
        return "rceil" if self.scaling == "block" and self.power_2_scale else self.scale_rule or None

    def conversions(self, role: str) -> int:
        """How often a step has to convert the numbers of a factor: twice if its two products sum over two axes."""
        once = not self.has_blocks or (role == "weight" and self.square_weights)
        return 1 if once and not (self.hadamard and role != "weight") else 2

    def bits(self, role: str) -> float:
        """Bits of an element, with its part of the block's scale."""
        block = self.block_of(role) if self.has_blocks else None
        if block is None:
            return self.fmt_of(role).width
        elements = self.block_size ** (2 if isinstance(block.size, tuple) else 1)
        return block.element.width + block.scale.width / elements

    # --- text and plain data ----------------------------------------------------------------------------------------

    @classmethod
    def of(cls, given: FactorsLike, base: Factors | None = None) -> Factors:
        """From Factors, or text: a name of `FACTORS` and parts that differ, such as "nvfp4 hadamard=0".

        Without a name the parts change `base`, or `Factors()`.
        """
        if isinstance(given, Factors):
            return given
        if not isinstance(given, str):
            raise TypeError(f"factors={quoted(given)} are not Factors or their text, such as 'fp8-current margin=1'")
        first, *rest = [part for part in re.split(r"[,\s]+", given.strip()) if part] or [""]
        if "=" not in first:
            if first.lower() not in FACTORS:
                known = joined(FACTORS, "or")
                raise ValueError(f"factors={quoted(given)}: {did_you_mean(first, FACTORS)}start with {known}")
            base = FACTORS[first.lower()]
        else:
            rest = [first, *rest]
        try:
            return replace(base or cls(), **dict(_part(part) for part in rest))
        except ValueError as error:
            raise ValueError(f"factors={quoted(given)}: {error}") from None

    def __str__(self) -> str:
        name = min(FACTORS, key=lambda name: len(self._differing(FACTORS[name])))
        return " ".join(
            [name, *(f"{part}={yes_or_no(getattr(self, part))}" for part in self._differing(FACTORS[name]))]
        )

    def _differing(self, other: Factors) -> list[str]:
        return [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON, which `from_plain` reads back."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**plain, "forward": self.forward.to_plain(), "backward": self.backward.to_plain()}

    @classmethod
    def from_plain(cls, given: Any, what: str) -> Factors:
        """What `to_plain` and JSON made of Factors."""
        stored = from_plain(_StoredFactors, given, what)
        return cls(**{field.name: getattr(stored, field.name) for field in fields(stored)})


FactorsLike: TypeAlias = Factors | str
"""Factors, or their text."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "scaling": tuple(SCALINGS),
    "amax_compute_algo": AMAX_ALGORITHMS,
    "products": tuple(PRODUCTS),
    "scale_rule": ("", *SCALE_RULES),
}
_RANGES = {
    "margin": (-64, 64),
    "amax_history_len": (1, 100_000),
    "block": (0, 1 << 16),
    "promote_every": (0, 1 << 20),
    "wide_last": (0, 1000),
}
_DEFAULTS = {field.name: field.default for field in fields(Factors)}


@dataclass(frozen=True)
class _StoredFactors:
    scaling: str
    forward: str | Format
    backward: str | Format
    margin: int
    amax_history_len: int
    amax_compute_algo: str
    power_2_scale: bool
    block: int
    square_weights: bool
    scale_rule: str
    hadamard: int
    stochastic_gradients: bool
    promote_every: int
    wide_last: int
    products: str


_SWITCHES = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


def _part(text: str) -> tuple[str, Any]:
    """The name and the value in PART=VALUE."""
    name, equals, value = text.partition("=")
    if name not in _DEFAULTS or not equals or not value:
        raise ValueError(
            f"{did_you_mean(name, _DEFAULTS)}{quoted(text)} must be PART=VALUE, where PART is one of "
            f"{', '.join(_DEFAULTS)}"
        )
    default = _DEFAULTS[name]
    if isinstance(default, bool):
        if value.lower() not in _SWITCHES:
            raise ValueError(f"{name}={quoted(value)} is not yes or no")
        return name, _SWITCHES[value.lower()]
    if isinstance(default, int):
        try:
            return name, int(value)
        except ValueError:
            raise ValueError(f"{name}={quoted(value)} is not an integer") from None
    return name, value


FACTORS = {
    "fp8-current": Factors("current"),
    "fp8-delayed": Factors("delayed"),
    "fp8-block": Factors("block", backward=E4M3FN, square_weights=True),
    "mxfp8": Factors("mx", backward=E4M3FN),
    "nvfp4": Factors(
        "nvfp4",
        forward="e2m1fn",
        backward="e2m1fn",
        square_weights=True,
        hadamard=16,
        stochastic_gradients=True,
        wide_last=1,
    ),
}
"""The usual ones, by the names of their recipes."""


def factors_if_given(given: FactorsLike | None) -> Factors | None:
    """Factors, or None for None and "none"."""
    return None if given is None or (isinstance(given, str) and given.lower() == "none") else Factors.of(given)
