"""The parts of an explanation: frozen records of plain data, computed from exact integers.

An `Explanation` of an operation with one rounding reads from left to right:

    operands   each with its text, its own rounding if the format lacks the number, and its code in fields
    exact      the terms as integers, their alignment, the exact result, its normalisation
    rounding   the kept integer, guard, round and sticky, the neighbours, the decision and its rule
    result     the code in fields; flags; what each mode gives; what a wider intermediate would have given

A value is a Fraction, or one of the floats -0.0, inf, -inf and nan. `to_dict` turns any record into data for JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from ..codes import FloatClass
from ..exact import FLAGS, Value, is_nan
from ..formats import Format, Rounding
from .value_text import exact_text


def json_data(x: object) -> Any:
    """Any part of a record as data for JSON; exact values become text that `fs.parse` reads."""
    if isinstance(x, Record):
        return x.to_dict()
    if isinstance(x, (Fraction, float)):
        return exact_text(x)
    if isinstance(x, Format):
        return x.to_plain()
    if isinstance(x, Enum):
        return x.value
    if isinstance(x, tuple):
        return [json_data(item) for item in x]
    return x


def ordered_flags(names: Iterable[str]) -> tuple[str, ...]:
    """Flags in the order in which IEEE 754 lists them."""
    raised = set(names)
    return tuple(name for name in FLAGS if name in raised)


@dataclass(frozen=True)
class Record:
    """Frozen data that `to_dict` turns into data for JSON."""

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON: values as text such as "1/3" or "0.0999755859375", formats and modes by name.

        A format of your own, or one that saturates or flushes, becomes a dict of its fields.
        """
        return {field.name: json_data(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class Number(Record):
    """A code of a format and what its fields mean.

    Attributes
    ----------
    fmt : Format
    code : int
    sign, biased_exponent, trailing_significand : int
        The three fields.
    kind : FloatClass
        One of IEEE 754's ten classes, such as "positiveSubnormal".
    value : Value
    exponent : int or None
        e in 2^e times a significand in [1, 2), or emin for subnormals and zeros; None for infinities and NaN.
    significand : int or None
        With the implicit bit: `|value| = significand * 2^(exponent - trailing_bits)`.
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
    def bits(self) -> str:
        """The three fields in binary, separated by "_"."""
        return self.fmt.bits_text(self.code)

    @property
    def hex(self) -> str:
        """The code in hexadecimal, with as many digits as the width needs."""
        return self.fmt.hex_code(self.code)

    def to_dict(self) -> dict[str, Any]:
        """The fields, and the code in binary and in hexadecimal."""
        return super().to_dict() | {"bits": self.bits, "hex": self.hex}


# --- one rounding ---------------------------------------------------------------------------------------------------

RoundingCase: TypeAlias = Literal[
    "normal", "subnormal", "overflow", "zero", "infinity", "nan", "flushed_input", "no_number"
]
RoundingRule: TypeAlias = Literal[
    "exact",
    "nearer",
    "tie_to_even",
    "tie_to_away",
    "toward_zero",
    "toward_positive",
    "toward_negative",
    "to_odd",
    "stochastic",
    "special",
    "flushed_input",
]
OverflowRule: TypeAlias = Literal["infinity", "nan", "max_finite", "saturate"]


@dataclass(frozen=True)
class Neighbour(Record):
    """A number of the format next to the exact number.

    Attributes
    ----------
    value : Value
    code : int or None
        None for the number after max_finite, which has no code in the format: to round to it is to overflow.
    distance : Fraction or None
        From the exact number, in ulp (of 2^quantum_exponent; of max_finite, if the other neighbour is an infinity);
        None for an infinity.
    chosen : bool
    probability : Fraction or None
        In stochastic rounding: of choosing this one, if the random number had infinitely many bits.
    """

    value: Value
    code: int | None
    distance: Fraction | None
    chosen: bool
    probability: Fraction | None = None


@dataclass(frozen=True)
class RoundingStep(Record):
    """One rounding: lift `|exact| = scaled * 2^quantum_exponent`, round scaled to an integer, put it back.

    Attributes
    ----------
    fmt, mode
        The format it is rounded to, and how.
    exact : Value
        What is rounded. (For an irrational root: 320 bits or more and a sticky bit, which round to the same result.)
    case : str
        "normal", "subnormal" (the quantum no longer shrinks with the number), "overflow" (the rounded number is beyond
        max_finite), "zero" (exact is a zero), "infinity", "nan", "flushed_input",
        or "no_number" (negative, or too small, for a format without such numbers).
    exponent : int or None
        e with `2^e <= |exact| < 2^(e + 1)`; None for zeros, infinities and NaN.
    quantum_exponent : int or None
        q: the ulp is 2^q here. e - trailing_bits, but never below that of the subnormals. This and the next seven are
        None if the rule is "special" or "flushed_input".
    scaled : Fraction or None
        `|exact| / 2^q`.
    kept : int or None
        floor(scaled): the integer that truncation keeps.
    guard, round, sticky : int or None
        The first and the second bit cut off, and whether any later one is 1.
    rest : Fraction or None
        scaled - kept, in [0, 1): the part that is cut off, in ulp.
    rounded : int or None
        The integer that the mode picks: kept or kept + 1.
    carry : bool
        Whether kept + 1 needs one more bit, so that the exponent grows by 1.
    flushed : bool
        Whether the result would be subnormal and the format replaces it by a zero.
    rule : str
        What decided: "exact", "nearer", "tie_to_even", "tie_to_away", "toward_zero", "toward_positive",
        "toward_negative", "to_odd", "stochastic"; or "special" (a zero, an infinity or NaN) or "flushed_input", where
        there are no digits to round. It picks the digits as if there were no largest number; then `overflow_rule` and
        `flushed` say whether the result is another one, even if the digits are exact.
    overflow_rule : str or None
        Beyond max_finite: "infinity", "nan" (the format has no infinity), "max_finite" (the mode rounds inward) or
        "saturate" (the format saturates).
    draw : int or None
        In stochastic rounding, the 32 random bits: kept + 1 is picked if (draw + 1/2) / 2^32 < rest. None if nothing is
        cut off.
    below, above : Neighbour or None
        The numbers of the format on either side, below <= exact <= above; both are the same if nothing is cut off.
    result : Number
    flags : tuple of str
    """

    fmt: Format
    mode: Rounding
    exact: Value
    case: RoundingCase
    rule: RoundingRule
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
    overflow_rule: OverflowRule | None = None
    draw: int | None = None
    below: Neighbour | None = None
    above: Neighbour | None = None

    @property
    def up(self) -> bool:
        """Whether the magnitude grew."""
        return self.rounded is not None and self.kept is not None and self.rounded > self.kept

    @property
    def changes(self) -> bool:
        """Whether the result is not what was rounded: a flag is raised, or NaN becomes a number."""
        return bool(self.flags) or (self.case == "nan" and not is_nan(self.result.value))


# --- one operation --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand(Record):
    """An operand as it was given, and as the operation uses it.

    Attributes
    ----------
    name : str
        "a", "b", "c" or "x".
    text : str
        As it was given.
    exact : Value
        The exact value of the text.
    rounding : RoundingStep or None
        The first rounding, if the format lacks the number (or flushes it); None if nothing changes.
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
    """integer * 2^exponent, signed: an operand or a product inside an operation."""

    name: str
    integer: int
    exponent: int

    @property
    def value(self) -> Fraction:
        """The exact number."""
        return self.integer * Fraction(2) ** self.exponent


ExactRule: TypeAlias = Literal[
    "given",
    "digits",
    "nan_operand",
    "signaling_operand",
    "invalid_difference",
    "invalid_zero_times_infinity",
    "invalid_zero_by_zero",
    "invalid_infinity_by_infinity",
    "invalid_root",
    "divide_by_zero",
    "infinity",
    "cancelled",
    "zeros_of_one_sign",
    "zeros_of_unlike_signs",
    "by_infinity",
    "zero",
]


@dataclass(frozen=True)
class ExactStep(Record):
    """The operation without any rounding.

    Attributes
    ----------
    rule : str
        "given" where there is no operation, only a rounding; "digits" where integers are computed; else the special
        case: "nan_operand", "signaling_operand" (a signaling NaN), "invalid_difference" (of infinities),
        "invalid_zero_times_infinity", "invalid_zero_by_zero", "invalid_infinity_by_infinity", "invalid_root",
        "divide_by_zero", "infinity", "cancelled" (the sum of two terms is 0), "zeros_of_one_sign",
        "zeros_of_unlike_signs" (both terms are 0), "by_infinity" (a quotient is 0), "zero" (a product, quotient or root
        is 0).
    value : Value
        The exact result. (For an irrational root: 320 bits or more and a sticky bit, which round to the same result.)
    irrational : bool
    terms : tuple of Term
        What is added, multiplied or divided.
    shift : int or None
        add, subtract, fma: by how many bits the term with the smaller exponent moves right.
    shifted : str or None
        The name of that term.
    integer : int or None
        The result is integer * 2^integer_exponent, exactly or (for a quotient or a root) without the remainder.
    integer_exponent : int or None
    remainder : bool
        Whether a division or a root has a remainder; it then sets the sticky bit.
    exponent : int or None
        e with `2^e <= |value| < 2^(e + 1)`.
    normalisation : int or None
        How far the leading bit is above the place that the operands' exponents suggest: the larger one of two terms,
        the sum of two factors' exponents, the difference in a quotient, half in a root. 1 is a carry; a negative
        number is cancellation.
    flags : tuple of str
        invalid or divide_by_zero.
    """

    rule: ExactRule
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

    @property
    def is_special(self) -> bool:
        """Whether a rule for infinities, NaN and zeros gives the result, and not digits."""
        return self.rule not in ("given", "digits")
