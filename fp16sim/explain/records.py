"""What an explanation consists of: frozen records of plain data, computed from exact integers.

An `Explanation` of an operation with one rounding goes from left to right:

    operands   each with its text, its own rounding where the format does not hold it, and its code taken apart
    exact      the terms as integers, their alignment, the exact result, its normalisation
    rounding   the kept integer, guard, round and sticky, the neighbours, the decision and its rule
    result     the code taken apart; flags; what each mode gives; what a wider intermediate would have given

A value is a Fraction, or one of the floats -0.0, inf, -inf and nan. `to_dict` gives any record as JSON-able data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from typing import Any

from ..codes import FloatClass
from ..exact import Value
from ..formats import NAMED_FORMATS, Format, Rounding
from .numerals import exact_text


def plain(x: Any) -> Any:
    """Any part of a record as JSON-able data: exact values are text that `fs.parse` reads."""
    if isinstance(x, Record):
        return x.to_dict()
    if isinstance(x, (Fraction, float)):
        return exact_text(x)
    if isinstance(x, Format):
        return x.name if any(x == one and x.name == one.name for one in NAMED_FORMATS) else _described(x)
    if isinstance(x, Enum):
        return x.value
    if isinstance(x, tuple):
        return [plain(item) for item in x]
    return x


def _described(fmt: Format) -> dict[str, Any]:
    """A format that no name stands for, by its fields."""
    return {field.name: plain(getattr(fmt, field.name)) for field in fields(fmt)}


def hex_code(code: int, fmt: Format) -> str:
    """A code in hexadecimal, of as many digits as the format has."""
    return f"0x{code:0{-(-fmt.width // 4)}X}"


@dataclass(frozen=True)
class Record:
    """Frozen data that can be had as a dict."""

    def to_dict(self) -> dict[str, Any]:
        """The fields, JSON-able: values as text such as "1/3" or "0.0999755859375", formats and modes by name.

        A format of your own, or one that saturates or flushes, is a dict of its fields.
        """
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class Number(Record):
    """A code of a format, taken apart.

    Attributes
    ----------
    fmt : Format
    code : int
    sign, biased_exponent, trailing_significand : int
        The three fields.
    kind : FloatClass
        Which of IEEE 754's ten classes, such as "positiveSubnormal".
    value : Value
    exponent : int or None
        e of 2^e times a significand in [1, 2), or emin for subnormals and zeros; None for infinities and NaN.
    significand : int or None
        With the implicit bit: |value| = significand * 2^(exponent - trailing_bits).
    """

    fmt: Format
    code: int
    sign: int
    biased_exponent: int
    trailing_significand: int
    kind: FloatClass
    value: Value
    exponent: int | None
    significand: int | None

    @property
    def digits(self) -> tuple[str, str, str]:
        """The bits of sign, exponent and trailing significand."""
        bits = f"{self.code:0{self.fmt.width}b}"
        cut = 1 + self.fmt.exponent_bits
        return bits[0], bits[1:cut], bits[cut:]

    @property
    def bits(self) -> str:
        """The fields in binary, parted by "_"."""
        return "_".join(self.digits)

    @property
    def hex(self) -> str:
        """The code in hexadecimal, of as many digits as the format has."""
        return hex_code(self.code, self.fmt)

    def to_dict(self) -> dict[str, Any]:
        """The fields, and the code as bits and hexadecimal digits."""
        return super().to_dict() | {"bits": self.bits, "hex": self.hex}


@dataclass(frozen=True)
class Neighbour(Record):
    """A number of the format beside the exact one.

    Attributes
    ----------
    value : Value
    code : int or None
        None for the number after max_finite, which the format does not have: what stands there is overflow.
    distance : Fraction or None
        From the exact number, in ulp (of 2^quantum_exponent); None from an infinity.
    chosen : bool
    probability : Fraction or None
        In stochastic rounding: of choosing this one, were the draws of infinitely many bits.
    """

    value: Value
    code: int | None
    distance: Fraction | None
    chosen: bool
    probability: Fraction | None = None


@dataclass(frozen=True)
class RoundingStep(Record):
    """One rounding: lift |exact| = scaled * 2^quantum_exponent, round scaled to an integer, put it back.

    Attributes
    ----------
    fmt, mode
        What it is rounded to, and how.
    exact : Value
        What is rounded. (Of an irrational root 320 bits and a sticky one, which decide every rounding as it does.)
    case : str
        "normal", "subnormal" (the quantum no longer shrinks with the number), "overflow" (the result is beyond
        max_finite), "zero" (an exact one), "infinity", "nan", or "flushed_input".
    exponent : int or None
        e with 2^e <= |exact| < 2^(e + 1). This and the next eight are None where no digits are cut off.
    quantum_exponent : int or None
        q: the ulp is 2^q here. e - trailing_bits, but never below that of the subnormals.
    scaled : Fraction or None
        |exact| / 2^q.
    kept : int or None
        floor(scaled): the integer that truncation keeps.
    guard, round, sticky : int or None
        The first and the second bit cut off, and whether any later one is 1.
    rest : Fraction or None
        scaled - kept, in [0, 1): what is cut off, in ulp.
    rounded : int or None
        The integer that the mode picks: kept or kept + 1.
    carry : bool
        Whether kept + 1 needed one more bit, so that the exponent grows by 1.
    flushed : bool
        Whether the result would be subnormal and the format makes it a zero.
    rule : str
        What decided: "exact", "nearer", "tie_to_even", "tie_to_away", "toward_zero", "toward_positive",
        "toward_negative", "to_odd", "stochastic"; or "special" and "flushed_input" where nothing is cut off.
    overflow_rule : str or None
        Beyond max_finite: "infinity", "nan" (no infinity in the format), "max_finite" (the mode points inward) or
        "saturate" (the format does).
    draw : int or None
        In stochastic rounding, the 32 bits drawn: up where (draw + 1/2) / 2^32 < rest.
    below, above : Neighbour or None
        The numbers of the format on either side, below <= exact <= above; the same one where the format holds it.
    result : Number
    flags : tuple of str
    """

    fmt: Format
    mode: Rounding
    exact: Value
    case: str
    rule: str
    result: Number
    flags: tuple[str, ...]
    exponent: int | None = None
    quantum_exponent: int | None = None
    scaled: Fraction | None = None
    kept: int | None = None
    guard: int | None = None
    round: int | None = None
    sticky: int | None = None
    rest: Fraction | None = None
    rounded: int | None = None
    carry: bool = False
    flushed: bool = False
    overflow_rule: str | None = None
    draw: int | None = None
    below: Neighbour | None = None
    above: Neighbour | None = None

    @property
    def up(self) -> bool:
        """Whether the magnitude grew."""
        return self.rounded is not None and self.kept is not None and self.rounded > self.kept


@dataclass(frozen=True)
class Operand(Record):
    """What was given to an operation.

    Attributes
    ----------
    name : str
        "a", "b", "c" or "x".
    text : str
        As it was given.
    exact : Value
        What it means, exactly.
    rounding : RoundingStep or None
        The first step, where the format does not hold it (or flushes it); None where nothing changes.
    number : Number
        What the operation works on.
    """

    name: str
    text: str
    exact: Value
    rounding: RoundingStep | None
    number: Number


@dataclass(frozen=True)
class Term(Record):
    """integer * 2^exponent, signed: an operand or a product as the operation sees it."""

    name: str
    integer: int
    exponent: int


@dataclass(frozen=True)
class ExactStep(Record):
    """The operation without any rounding.

    Attributes
    ----------
    rule : str
        "digits" where integers are computed; else which special case: "nan_operand", "invalid_*", "infinity",
        "divide_by_zero", "exact_zero", "zero".
    value : Value
        The exact result. (Of an irrational root 320 bits and a sticky one, which decide every rounding as it does.)
    irrational : bool
    terms : tuple of Term
        What is added, multiplied or divided.
    shift : int or None
        add, subtract, fma: by how many bits the term of the smaller exponent moves right.
    shifted : str or None
        The name of that term.
    integer : int or None
        The result is integer * 2^exponent: exactly, or but for a remainder (division and root).
    integer_exponent : int or None
    remainder : bool
        Whether division or root leave one: all its bits go into the sticky bit.
    exponent : int or None
        e with 2^e <= |value| < 2^(e + 1).
    normalisation : int or None
        By how much that differs from what the operands' exponents promise: the larger one of terms, the sum of
        factors' ones, the difference in a quotient, half of a root's. 1 is a carry; negative is cancellation.
    flags : tuple of str
        invalid or divide_by_zero.
    """

    rule: str
    value: Value
    irrational: bool = False
    terms: tuple[Term, ...] = ()
    shift: int | None = None
    shifted: str | None = None
    integer: int | None = None
    integer_exponent: int | None = None
    remainder: bool = False
    exponent: int | None = None
    normalisation: int | None = None
    flags: tuple[str, ...] = ()
