"""What a floating-point format is: the few numbers that define it, and everything that follows from them.

A format stores a sign bit, a biased exponent and a trailing significand:

    width = 1 + (width - precision) + (precision - 1)

so `width` and `precision` fix the layout. Which codes are no finite numbers (`specials`) and how arithmetic treats the
ends of the range (`subnormals`, `saturate`, `nan_code`) complete the definition. Three more fields are for formats that
differ from IEEE 754: another `bias`, no sign bit (`signed`), no zero (`zero`). Nothing else is stored.

Codes without their sign are in the order of their values, so all facts about the top of the range follow from one
number, `largest_code`: how many codes are left for finite numbers.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from ..modes import Specials, Subnormals, member
from ..overflow import CONVENTIONS
from ..wording import quoted

if TYPE_CHECKING:  # no named format needs it, and it takes longer to load than this module
    from fractions import Fraction

MAX_WIDTH, MAX_EXPONENT_BITS, MAX_NAME = 512, 15, 100
"""The widest format, the most exponent bits (those of binary128), so that all facts of a format are computed at once;
and the longest name."""
MAX_BIAS = 1 << MAX_EXPONENT_BITS
ONE_ZERO = (Specials.ONE_NAN, Specials.ONE_NAN_AND_INFINITIES)
"""The formats without -0."""
FEWEST = {  # significand bits, exponent bits
    Specials.IEEE: (2, 2),
    Specials.NAN: (1, 1),
    Specials.NONE: (1, 1),
    Specials.ONE_NAN: (1, 0),
    Specials.ONE_NAN_AND_INFINITIES: (1, 0),
}
"""The fewest bits of a significand and of an exponent: IEEE 754 needs two codes for infinity and NaN in one binade."""


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: a few numbers define it, and all its facts follow from them.

    All facts are exact: `max_finite`, `min_normal`, `min_subnormal`, `unit_roundoff` and `machine_epsilon` are floats
    where binary64 holds them (it does for every named format) and Fractions where it does not.

    Parameters
    ----------
    name : str
        What to call it in messages. Two formats that differ in name only are equal.
    width : int
        Bits in all: at most 512.
    precision : int
        Significand bits, with the implicit one. It leaves up to 15 exponent bits, as many as binary128 has.
    specials : Specials or str
        "ieee" (default), "nan" (no infinities), "none" (every code is a number; such a format always saturates),
        "one_nan" (no infinities, and NaN has the code of -0), or "one_nan_and_infinities".
    subnormals : Subnormals or str
        "gradual" (default), "flush_to_zero", "flush_to_nearest" or "flush_inputs".
    saturate : bool
        Whether anything beyond max_finite, infinity included, becomes max_finite with its sign.
    nan_code : int, optional
        Only for specials="none": the code that NaN becomes. Without it, NaN raises ValueError.
    bias : int, optional
        What is added to an exponent to store it; by default IEEE 754's, 2^(exponent_bits - 1) - 1. `replace` keeps it:
        write `replace(fmt, width=..., bias=None)` to derive it again.
    signed : bool
        Whether there is a sign bit. In an unsigned format a negative number becomes NaN, or 0 if it saturates.
    zero : bool
        False for a scale such as E8M0: precision 1, unsigned, and code 0 is the smallest power of two. There, zero is
        NaN (or the smallest number, if the format saturates), and every smaller positive number is the smallest one.

    Raises
    ------
    ValueError
        If the parameters contradict each other; the message names a way out.

    Examples
    --------
    >>> toy = Format("toy", width=6, precision=3)
    >>> toy.emax, toy.bias, toy.max_finite, toy.min_subnormal
    (3, 3, 14.0, 0.0625)
    >>> Format("half", width=16, precision=11) == BINARY16
    True
    """

    name: str = field(compare=False)
    width: int
    precision: int
    specials: Specials = Specials.IEEE
    subnormals: Subnormals = Subnormals.GRADUAL
    saturate: bool = False
    nan_code: int | None = None
    bias: int = None  # type: ignore[assignment]  # an integer once the format is made
    signed: bool = True
    zero: bool = True
    kind: ClassVar[str] = "f"
    """That of a NumPy dtype of floating-point numbers: code that asks `x.dtype.kind == "f"` takes a format for one."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isprintable() or len(self.name) > MAX_NAME:
            raise TypeError(f"name={quoted(self.name)} is not a name; give at most {MAX_NAME} printable characters")
        for label, bits in (("width", self.width), ("precision", self.precision)):
            object.__setattr__(self, label, as_integer(label, bits, "a format counts whole bits"))
            if abs(getattr(self, label)) > MAX_WIDTH:
                raise ValueError(f"{label}={quoted(bits)} is out of range; a format has at most {MAX_WIDTH} bits")
        if self.nan_code is not None:
            object.__setattr__(self, "nan_code", as_integer("nan_code", self.nan_code, "a code is one"))
        object.__setattr__(self, "specials", member(Specials, "specials", self.specials))
        object.__setattr__(self, "subnormals", member(Subnormals, "subnormals", self.subnormals))
        object.__setattr__(self, "saturate", bool(self.saturate) or self.specials is Specials.NONE)
        object.__setattr__(self, "signed", bool(self.signed))
        object.__setattr__(self, "zero", bool(self.zero))
        self._check_bits()
        bias = self.usual_bias if self.bias is None else as_integer("bias", self.bias, "an exponent is one")
        object.__setattr__(self, "bias", bias)
        self._check()

    def _check_bits(self) -> None:
        least, fewest = FEWEST[self.specials]
        if self.precision < least:
            raise ValueError(
                f"precision={self.precision} leaves no {'trailing significand bit' if least == 2 else 'significand'}, "
                f"which {'infinity, NaN and subnormals need' if least == 2 else 'every number needs'}; "
                f"use precision >= {least}{' or other specials' if self.precision == 1 else ''}"
            )
        if self.exponent_bits < fewest:
            most = self.width - fewest + (not self.signed)
            raise ValueError(
                f"precision={self.precision} leaves {max(0, self.exponent_bits)} exponent bits in "
                f"width={self.width}; at least {fewest} are needed: use precision <= {most} or "
                f"width >= {self.precision + self.width - most}"
            )
        if self.exponent_bits > MAX_EXPONENT_BITS:
            raise ValueError(
                f"width={self.width} with precision={self.precision} has {self.exponent_bits} exponent bits; "
                f"at most {MAX_EXPONENT_BITS} are supported: use width <= "
                f"{self.precision + MAX_EXPONENT_BITS - (not self.signed)}"
            )

    def _check(self) -> None:
        if abs(self.bias) > MAX_BIAS:
            raise ValueError(f"bias={quoted(self.bias)} is out of range; use -{MAX_BIAS} to {MAX_BIAS}")
        if self.largest_code < 1:
            raise ValueError(f"width={self.width} leaves no code for a positive number; use width >= {self.width + 1}")
        if not self.zero and (self.signed or self.precision > 1):
            raise ValueError(
                f"zero=False is for unsigned formats of precision 1, such as e8m0fnu, and {self.name} has "
                f"signed={self.signed} and precision={self.precision}; leave zero out"
            )
        if not self.signed and self.specials not in ONE_ZERO:
            raise ValueError(
                f"signed=False with specials={self.specials.value!r} has no meaning that is in use; choose "
                "specials='one_nan' or 'one_nan_and_infinities'"
            )
        if self.nan_code is None:
            return
        if self.specials is not Specials.NONE:
            raise ValueError(
                f"nan_code={quoted(self.nan_code)} is for formats without NaN, and {self.name} has one "
                f"(specials={self.specials.value!r}); leave nan_code out"
            )
        if not 0 <= self.nan_code < 2**self.width:
            raise ValueError(not_a_code(self.nan_code, self, "nan_code"))
        small = 0 < self.nan_code % (1 << (self.width - 1)) < 1 << (self.precision - 1)
        if small and self.subnormals is not Subnormals.GRADUAL:
            raise ValueError(
                f"nan_code={quoted(self.nan_code)} is a subnormal number, and subnormals={self.subnormals.value!r} "
                "makes those zeros; choose the code of a zero or of a normal number"
            )

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.width, self.precision, self.saturate, self.bias))  # enough to tell formats apart

    @cached_property
    def plans(self) -> dict[Any, Any]:
        """How single numbers are rounded to this format, by mode: kept here so that it is found fast; never pickled."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "plans"}

    # --- the layout -------------------------------------------------------------------------------------------------

    @cached_property
    def exponent_bits(self) -> int:
        """Bits of the biased exponent: width = signed + exponent_bits + (precision - 1)."""
        return self.width - self.precision + (not self.signed)

    @property
    def usual_bias(self) -> int:
        """The bias that IEEE 754 gives to so many exponent bits."""
        return (1 << self.exponent_bits >> 1) - 1

    @cached_property
    def trailing_bits(self) -> int:
        """Stored significand bits: all but the implicit one."""
        return self.precision - 1

    @cached_property
    def sign_bit(self) -> int:
        """The code of the sign bit alone; 0 in an unsigned format."""
        return 1 << (self.width - 1) if self.signed else 0

    @cached_property
    def magnitude_mask(self) -> int:
        """All bits of a code but the sign."""
        return (1 << (self.width - self.signed)) - 1

    @cached_property
    def largest_code(self) -> int:
        """The code of max_finite: of the codes without sign, the largest ones are kept for infinity and NaN."""
        kept = {
            Specials.IEEE: 1 << self.trailing_bits,
            Specials.NAN: 1,
            Specials.NONE: 0,
            Specials.ONE_NAN: int(not self.signed),
            Specials.ONE_NAN_AND_INFINITIES: 1 + (not self.signed),
        }
        return self.magnitude_mask - kept[self.specials]

    @cached_property
    def quiet_nan_code(self) -> int | None:
        """The code of a quiet NaN without payload; None in a format without NaN."""
        last = self.magnitude_mask
        return {
            Specials.IEEE: last ^ (1 << self.trailing_bits >> 1) - 1,
            Specials.NAN: last,
            Specials.NONE: None,
            Specials.ONE_NAN: self.sign_bit or last,
            Specials.ONE_NAN_AND_INFINITIES: self.sign_bit or last,
        }[self.specials]

    @cached_property
    def emin(self) -> int:
        """Exponent of the smallest normal number, and of every subnormal."""
        return int(self.zero) - self.bias

    @cached_property
    def emax(self) -> int:
        """Exponent of the binade of the largest finite number: that of its exponent field."""
        return max(self.largest_code >> self.trailing_bits, int(self.zero)) - self.bias

    @cached_property
    def quantum_exponent_min(self) -> int:
        """Exponent of min_subnormal, the quantum of the smallest binade and of the subnormals."""
        return self.emin - self.trailing_bits

    @property
    def overflow(self) -> str:
        """The name of the overflow convention that a cast asked for, as in "e4m3fn,overflow=pytorch", or ""."""
        convention = self.name.rpartition(",overflow=")[2]
        return convention if convention in CONVENTIONS and convention != self.name else ""

    @property
    def layout(self) -> tuple[Any, ...]:
        """The fields that say which value a code has."""
        return self.width, self.precision, self.specials, self.bias, self.signed, self.zero

    # --- the facts --------------------------------------------------------------------------------------------------

    @cached_property
    def max_significand(self) -> int:
        """max_finite = max_significand * 2^(emax - trailing_bits)."""
        has_implicit_one = not self.zero or self.largest_code >> self.trailing_bits > 0
        return self.largest_code % (1 << self.trailing_bits) + (has_implicit_one << self.trailing_bits)

    @cached_property
    def max_finite(self) -> float | Fraction:
        """The largest finite number."""
        return scaled(self.max_significand, self.emax - self.trailing_bits)

    @cached_property
    def min_normal(self) -> float | Fraction:
        """The smallest positive number of full precision."""
        return scaled(1, self.emin)

    @cached_property
    def min_subnormal(self) -> float | Fraction:
        """The smallest positive number that has a code."""
        return scaled(1, self.quantum_exponent_min)

    @cached_property
    def unit_roundoff(self) -> float | Fraction:
        """u = 2^-precision: the largest relative error of rounding to nearest in the normal range."""
        return scaled(1, -self.precision)

    @cached_property
    def machine_epsilon(self) -> float | Fraction:
        """2u: the distance from 1 to the next number above it."""
        return scaled(1, 1 - self.precision)

    # NumPy's names for the same, as in numpy.finfo.
    bits = property(lambda self: self.width)
    eps = property(lambda self: self.machine_epsilon)
    max = property(lambda self: self.max_finite)
    smallest_normal = property(lambda self: self.min_normal)
    smallest_subnormal = property(lambda self: self.min_subnormal)

    @property
    def has_infinity(self) -> bool:
        """Whether some code is an infinity."""
        return self.specials in (Specials.IEEE, Specials.ONE_NAN_AND_INFINITIES)

    @property
    def has_payloads(self) -> bool:
        """Whether there are many NaNs, quiet and signaling, which differ by their payloads."""
        return self.specials is Specials.IEEE

    @cached_property
    def has_negative_zero(self) -> bool:
        """Whether zero has two codes, one of each sign."""
        return self.signed and self.specials not in ONE_ZERO

    @property
    def has_nan(self) -> bool:
        """Whether some code is a NaN."""
        return self.specials is not Specials.NONE

    def fits_in(self, other: Format) -> bool:
        """Whether every finite number of this format is one of `other`.

        >>> BFLOAT16.fits_in(BINARY32), BFLOAT16.fits_in(BINARY16)
        (True, False)
        """
        return _fits_in(self, other)

    # --- codes as text ----------------------------------------------------------------------------------------------

    def hex_code(self, code: int) -> str:
        """A code in hexadecimal, with as many digits as the width needs.

        >>> BINARY16.hex_code(0x3C00), E2M1FN.hex_code(7)
        ('0x3C00', '0x7')
        """
        return f"0x{code:0{-(-self.width // 4)}X}"

    def bit_fields(self, code: int) -> tuple[str, str, str]:
        """The bits of a code: sign, biased exponent, trailing significand.

        >>> BINARY16.bit_fields(0x3C00)
        ('0', '01111', '0000000000')
        """
        bits = f"{code:0{self.width}b}"
        start, end = int(self.signed), self.signed + self.exponent_bits
        return bits[:start], bits[start:end], bits[end:]

    def bits_text(self, code: int) -> str:
        """The bits of a code, with "_" between its fields.

        >>> BINARY16.bits_text(0x3C00), E8M0FNU.bits_text(0x7F)
        ('0_01111_0000000000', '01111111')
        """
        return "_".join(filter(None, self.bit_fields(code)))

    # --- plain data -------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data for JSON; `get_format` reads it back.

        >>> Format(**E5M2.to_dict()) == E5M2
        True
        """
        return {
            field.name: getattr(getattr(self, field.name), "value", getattr(self, field.name)) for field in fields(self)
        }

    def to_plain(self) -> str | dict[str, Any]:
        """The name of a named format, or all fields of another: the short form in files; `get_format` reads it back.

        >>> BINARY16.to_plain(), Format("toy", width=6, precision=3).to_plain()["width"]
        ('binary16', 6)
        """
        is_named = any(self.name == named.name and self == named for named in NAMED_FORMATS)
        return self.name if is_named else self.to_dict()


@lru_cache(maxsize=1024)  # because every call asks it
def _fits_in(fmt: Format, other: Format) -> bool:
    fits_below = fmt.precision <= other.precision and fmt.quantum_exponent_min >= other.quantum_exponent_min
    return fits_below and fmt.max_finite <= other.max_finite


def as_integer(label: str, value: object, why: str) -> int:
    """An integer as Python's own, from Python's or NumPy's; TypeError for booleans and everything else."""
    # By its name, a boolean of NumPy too, which before NumPy 2.3 is an index like an integer.
    if type(value).__name__ == "bool" or not hasattr(value, "__index__"):
        raise TypeError(f"{label}={quoted(value)} is not an integer; {why}")
    try:
        return operator.index(value)
    except TypeError:  # an array that is not one integer
        raise TypeError(f"{label}={quoted(value)} is not an integer; {why}") from None


def not_a_code(code: object, fmt: Format, label: str = "code") -> str:
    """The error for an integer that is not a code of a format."""
    largest = 2**fmt.width - 1 if fmt.width <= 64 else f"2^{fmt.width} - 1"
    return f"{label}={quoted(code)} is not a code of {fmt.name}; use 0 to {largest}"


def scaled(significand: int, exponent: int) -> float | Fraction:
    """significand * 2^exponent, exactly: a float where binary64 holds it, else a Fraction."""
    if significand.bit_length() <= 53 and exponent >= -1074 and exponent + significand.bit_length() <= 1024:
        return math.ldexp(significand, exponent)
    from fractions import Fraction

    return significand * Fraction(2) ** exponent


BINARY16 = Format("binary16", width=16, precision=11)
BFLOAT16 = Format("bfloat16", width=16, precision=8)
TF32 = Format("tf32", width=19, precision=11)
BINARY32 = Format("binary32", width=32, precision=24)
BINARY64 = Format("binary64", width=64, precision=53)
E5M2 = Format("e5m2", width=8, precision=3)
E4M3 = Format("e4m3_ieee", width=8, precision=4)
E4M3FN = Format("e4m3fn", width=8, precision=4, specials=Specials.NAN)
E3M2FN = Format("e3m2fn", width=6, precision=3, specials=Specials.NONE)
E2M3FN = Format("e2m3fn", width=6, precision=4, specials=Specials.NONE)
E2M1FN = Format("e2m1fn", width=4, precision=2, specials=Specials.NONE)
E3M4 = Format("e3m4", width=8, precision=5)
E4M3FNUZ = Format("e4m3fnuz", width=8, precision=4, specials=Specials.ONE_NAN, bias=8)
E5M2FNUZ = Format("e5m2fnuz", width=8, precision=3, specials=Specials.ONE_NAN, bias=16)
E4M3B11FNUZ = Format("e4m3b11fnuz", width=8, precision=4, specials=Specials.ONE_NAN, bias=11)
E8M0FNU = Format("e8m0fnu", width=8, precision=1, specials=Specials.ONE_NAN, signed=False, zero=False)


def p3109(width: int, precision: int, kind: str = "se") -> Format:
    """A format of IEEE P3109, "binary8p3se": signed or unsigned, and extended by infinities or finite.

    >>> p3109(8, 3).max_finite, p3109(8, 3, "sf").max_finite, p3109(8, 3, "uf").max_finite
    (49152.0, 57344.0, 3221225472.0)
    """
    signed, extended = kind[0] == "s", kind[1] == "e"
    exponent_bits = width - precision + (not signed)
    return Format(
        f"binary{width}p{precision}{kind}",
        width=width,
        precision=precision,
        specials=Specials.ONE_NAN_AND_INFINITIES if extended else Specials.ONE_NAN,
        bias=1 << max(0, exponent_bits) >> 1,
        signed=signed,
    )


WITH_BOTH_ZEROS = (BINARY16, BFLOAT16, TF32, BINARY32, BINARY64, E5M2, E4M3, E4M3FN, E3M4, E3M2FN, E2M3FN, E2M1FN)
"""The named formats that round, add and multiply as IEEE 754 says, but for the specials that they lack."""
NAMED_FORMATS = (*WITH_BOTH_ZEROS, E4M3FNUZ, E5M2FNUZ, E4M3B11FNUZ, E8M0FNU)
