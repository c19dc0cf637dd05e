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
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, Protocol, TypeAlias

from .modes import Rounding as Rounding
from .modes import Specials as Specials
from .modes import Subnormals as Subnormals
from .modes import get_rounding as get_rounding
from .modes import member
from .overflow import CONVENTIONS, Overflow, get_overflow
from .wording import did_you_mean, joined
from .wording import quoted as quoted

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
        return hash((self.width, self.precision, self.saturate, self.bias))  # enough to tell formats apart, and fast

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

    @property
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

        >>> get_format(replace(E5M2, saturate=True).to_dict()) == replace(E5M2, saturate=True)
        True
        """
        return {
            field.name: getattr(getattr(self, field.name), "value", getattr(self, field.name)) for field in fields(self)
        }

    def to_plain(self) -> str | dict[str, Any]:
        """The name of a named format, or all fields of another: the short form in files; `get_format` reads it back.

        >>> BINARY16.to_plain(), replace(BINARY16, saturate=True).to_plain()["saturate"]
        ('binary16', True)
        """
        named = _BY_NAME.get(self.name)
        return self.name if named == self and named.name == self.name else self.to_dict()


@lru_cache(maxsize=1024)  # because every call asks it
def _fits_in(fmt: Format, other: Format) -> bool:
    fits_below = fmt.precision <= other.precision and fmt.quantum_exponent_min >= other.quantum_exponent_min
    return fits_below and Fraction(fmt.max_finite) <= Fraction(other.max_finite)


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

# Other names: those of NumPy, C, ml_dtypes and hardware makers. "float" means what it means in Python and NumPy.
ALIASES = {
    "binary16": "fp16 float16 half f16",
    "bfloat16": "bf16",
    "tf32": "tensorfloat32",
    "binary32": "fp32 float32 single f32",
    "binary64": "fp64 float64 double f64 float",
    "e5m2": "float8_e5m2 fp8_e5m2",
    "e4m3_ieee": "float8_e4m3_ieee fp8_e4m3_ieee",
    "e4m3fn": "float8_e4m3fn fp8_e4m3fn",
    "e3m2fn": "float6_e3m2fn float6_e3m2 fp6_e3m2fn fp6_e3m2 e3m2",
    "e2m3fn": "float6_e2m3fn float6_e2m3 fp6_e2m3fn fp6_e2m3 e2m3",
    "e3m4": "float8_e3m4 fp8_e3m4",
    "e4m3fnuz": "float8_e4m3fnuz fp8_e4m3fnuz",
    "e5m2fnuz": "float8_e5m2fnuz fp8_e5m2fnuz",
    "e4m3b11fnuz": "float8_e4m3b11fnuz fp8_e4m3b11fnuz",
    "e8m0fnu": "float8_e8m0fnu fp8_e8m0fnu e8m0",
    "e2m1fn": "float4_e2m1fn float4_e2m1 fp4_e2m1fn fp4_e2m1 e2m1 fp4 float4",
}
_BY_NAME = {fmt.name: fmt for fmt in NAMED_FORMATS}
_BY_NAME |= {alias: _BY_NAME[name] for name, aliases in ALIASES.items() for alias in aliases.split()}
_BY_KEY = {name.replace("_", ""): fmt for name, fmt in _BY_NAME.items()}
AMBIGUOUS = "e4m3"
"""The layout that is OCP's format to most people and IEEE 754's to others: as text it stands for neither."""
DTYPES = {"float8_e4m3": "e4m3_ieee"}
"""A dtype is of one library, so its name says which format it is."""
SEVERAL = {"8": ("e4m3fn", "e5m2", "e4m3_ieee"), "6": ("e3m2fn", "e2m3fn")}
"""Widths that do not tell which format is meant."""


def _true_or_false(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


FIELDS: dict[str, Callable[[str], Any]] = {
    "width": int,
    "precision": int,
    "specials": str,
    "subnormals": str,
    "saturate": _true_or_false,
    "nan_code": lambda text: int(text, 0),
    "bias": int,
    "signed": _true_or_false,
    "zero": _true_or_false,
}
"""What a format in text may state, and how its value is read."""
IN_TEXT = (*FIELDS, "overflow")
"""The same, and the convention that decides saturate and nan_code."""
NO_FIELD = rf"(?!\s*(?:{'|'.join(name for name in IN_TEXT if name != 'width')})\s*=)"
"""What follows a separator in a list of formats (a regular expression); there the width is the first field."""


class Named(Protocol):
    """An object with a name, such as a dtype."""

    @property
    def name(self) -> str: ...


FormatLike: TypeAlias = Format | str | type[Any] | Named | dict[str, Any]
"""A Format, a name or other text that `get_format` reads, a dtype or scalar type, or a dict from `Format.to_dict`."""


def get_format(fmt: FormatLike) -> Format:
    """The format that a Format, a name, a dtype or a dict stands for.

    Parameters
    ----------
    fmt : Format, str, dtype or dict
        A name such as "binary16", "half" or "fp4", in which case, "-", "_" and blanks do not matter; a layout such as
        "e5m4", of 5 exponent bits and 4 stored significand bits, as IEEE 754 would have it; or fields, as in
        "width=8,precision=4" or "binary16,saturate=true,subnormals=flush_to_zero", or "e4m3fn,overflow=pytorch", of a
        convention in `fp16sim.overflow`. `np.float16`, `ml_dtypes.bfloat16` and the like are recognised by their names;
        a dict has the fields that `Format.to_dict` gives.

    Raises
    ------
    ValueError
        For an unknown name, and for fields that contradict each other.
    TypeError
        For anything else, and for a dict with other fields.

    Notes
    -----
    "e3m2", "e2m3" and "e2m1" are the formats of OCP's MX, which have no infinity and no NaN. "e4m3" is refused: it
    means OCP's format, "e4m3fn", to most people, and "e4m3_ieee", which has infinities, to others. The dtype
    `ml_dtypes.float8_e4m3` is the second. "binary8p3" is a format of IEEE P3109, in full "binary8p3se": signed and
    extended by infinities; the other kinds are "sf", "ue" and "uf".

    Examples
    --------
    >>> get_format("bf16") is BFLOAT16, get_format("half") is BINARY16, get_format("fp4") is E2M1FN
    (True, True, True)
    >>> get_format("e5m4").max_finite, str(get_format("width=10, precision=5"))
    (63488.0, 'e5m4')
    """
    if isinstance(fmt, Format):
        return fmt
    if isinstance(fmt, str) and fmt in _BY_NAME:
        return _BY_NAME[fmt]
    if isinstance(fmt, dict):
        return Format(**fmt)
    # np.dtype has .name, a scalar type has __name__, and torch's dtypes are known by their str.
    name = fmt if isinstance(fmt, str) else getattr(fmt, "name", None) or getattr(fmt, "__name__", None)
    if name is None and not isinstance(fmt, (int, float, type(None))) and not hasattr(fmt, "__len__"):
        name = str(fmt)
    if not isinstance(name, str):
        raise TypeError(f"fmt={quoted(fmt)} is not a format; give a Format, a name such as 'binary16', or a dtype")
    name = name if isinstance(fmt, str) else DTYPES.get(name, name)
    return _from_text(name) if len(name) <= 2 * MAX_NAME else _from_name(name, name)


@lru_cache(maxsize=1000)
def _from_text(text: str) -> Format:
    """The format of a name, of a layout, or of fields such as "width=8,precision=4"; last, an overflow convention."""
    named = {part.partition("=")[0].strip(): part for part in text.split(",")}
    if "overflow" in named:
        return _with_overflow_text(text, named)
    base, *rest = text.split(",")
    if "=" not in base:
        start = _from_name(base, text)
        if not rest:
            return start
        changes = _fields(rest, text)
        derived = {"bias": None} if {"width", "precision", "signed"} & changes.keys() else {}
        return _named(_made(text, **start.to_dict() | derived | changes))
    changes = _fields([base, *rest], text)
    if not {"width", "precision"} <= changes.keys():
        raise ValueError(f"fmt={quoted(text)} must state both; write width=8,precision=4, or a name before the fields")
    return _named(_made(text, name="", **changes))


def _with_overflow_text(text: str, named: dict[str, str]) -> Format:
    """The format of a text in which an overflow convention is one of the fields."""
    convention = named.pop("overflow").partition("=")[2].strip()
    if twice := [named[name] for name in ("saturate", "nan_code") if name in named]:
        raise ValueError(
            f"fmt={quoted(text)}: overflow={convention} and {twice[0].strip()} both say what overflow or NaN gives; "
            "leave one out"
        )
    rest = [part for part in text.split(",") if part.partition("=")[0].strip() != "overflow"]
    if len(rest) != text.count(","):
        raise ValueError(f"fmt={quoted(text)}: overflow is given twice; leave one out")
    if not rest:
        raise ValueError(f"fmt={quoted(text)} must state a format; write e4m3fn,overflow={convention}")
    with _errors_that_quote(text):
        return with_behaviour(_from_text(",".join(rest)), None, None, convention)


def _fields(parts: list[str], text: str) -> dict[str, Any]:
    """Fields from texts such as "width=8"."""
    found: dict[str, Any] = {}
    for part in parts:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name not in FIELDS or name in found:
            why = "is given twice" if name in found else "is not FIELD=VALUE"
            similar = did_you_mean(name, IN_TEXT) if name not in FIELDS else ""
            raise ValueError(f"fmt={quoted(text)}: {quoted(part)} {why}; {similar}FIELD is one of {', '.join(IN_TEXT)}")
        try:
            found[name] = FIELDS[name](value)
        except (ValueError, KeyError):
            kind = "true or false" if FIELDS[name] is _true_or_false else "an integer"
            raise ValueError(f"fmt={quoted(text)}: {name}={quoted(value)} is not {kind}") from None
    return found


def _from_name(name: str, text: str) -> Format:
    """The format of a known name in any spelling, or of a layout such as e5m4 or float8_e3m4."""
    key = re.sub(r"[-_\s]", "", name[: 2 * MAX_NAME].lower()).removeprefix("torch.")
    if key in _BY_KEY:
        return _BY_KEY[key]
    if layout := re.fullmatch(r"(?:(?:fp|float)(\d{1,3}))?e(\d{1,3})m(\d{1,3})", key, re.ASCII):
        exponent, trailing = int(layout[2]), int(layout[3])
        width = 1 + exponent + trailing
        if f"e{exponent}m{trailing}" == AMBIGUOUS:
            raise ValueError(
                f"fmt={quoted(text)} is more than one format; write e4m3fn: OCP's, up to 448; or e4m3_ieee: IEEE's, up "
                "to 240 (which e4m3 is in a file that fp16sim wrote)"
            )
        if layout[1] in (None, str(width)):
            return _made(text, name=f"e{exponent}m{trailing}", width=width, precision=trailing + 1)
        raise ValueError(f"fmt={quoted(text)}: e{exponent}m{trailing} has {width} bits with its sign, not {layout[1]}")
    if draft := re.fullmatch(r"binary(\d{1,3})p(\d{1,3})([su][ef])?", key, re.ASCII):
        return _p3109(text, int(draft[1]), int(draft[2]), draft[3] or "se")
    width_alone = re.fullmatch(r"(?:fp|float|f)([68])", key)
    if width_alone:
        raise ValueError(f"fmt={quoted(text)} is more than one format; use {joined(SEVERAL[width_alone[1]], 'or')}")
    raise ValueError(
        f"fmt={quoted(text)} is not a known format; {did_you_mean(key, _BY_NAME)}"
        f"known: {', '.join(f.name for f in NAMED_FORMATS)}; "
        "make your own: e5m4 (exponent bits and stored bits) or width=8,precision=4"
    )


def _p3109(text: str, width: int, precision: int, kind: str) -> Format:
    """A format of P3109 in a text; an error quotes the text."""
    if not (2 <= width <= 15 and 1 <= precision <= width):
        raise ValueError(f"fmt={quoted(text)}: P3109 has widths of 2 to 15 bits and precisions of 1 to the width")
    with _errors_that_quote(text):
        return p3109(width, precision, kind)


def _made(text: str, **given: Any) -> Format:
    """A format of these fields; an error quotes the text."""
    with _errors_that_quote(text):
        return Format(**given)


@contextmanager
def _errors_that_quote(text: str) -> Iterator[None]:
    """A ValueError says in which text of a format the fault is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"fmt={quoted(text)}: {error}") from None


def _named(fmt: Format) -> Format:
    """The format under the shortest name that `get_format` reads; a known format is itself."""
    known = next((one for one in (*NAMED_FORMATS, *_p3109_like(fmt)) if one.layout == fmt.layout), None)
    mine, theirs = fmt.to_dict(), known.to_dict() if known else _usual(fmt)
    own = [f"{name}={str(mine[name]).lower()}" for name in FIELDS if mine[name] != theirs[name]]
    if known:
        return replace(fmt, name=",".join([known.name, *own])) if own else known
    name = f"e{fmt.exponent_bits}m{fmt.trailing_bits}"
    is_read = fmt.signed and fmt.width - fmt.precision >= 2 <= fmt.precision and name not in (*_BY_KEY, AMBIGUOUS)
    return replace(fmt, name=",".join([name if is_read else f"width={fmt.width},precision={fmt.precision}", *own]))


def _p3109_like(fmt: Format) -> list[Format]:
    """The format of P3109 with these widths and specials, if there is one."""
    if fmt.specials not in ONE_ZERO or not fmt.zero or not 2 <= fmt.width <= 15:
        return []
    extended = fmt.specials is Specials.ONE_NAN_AND_INFINITIES
    return [p3109(fmt.width, fmt.precision, ("s" if fmt.signed else "u") + ("e" if extended else "f"))]


def _usual(fmt: Format) -> dict[str, Any]:
    """What a format has if a text states its width and precision, and whether it has a sign."""
    defaults = {field.name: getattr(field.default, "value", field.default) for field in fields(Format)}
    return defaults | {"width": fmt.width, "precision": fmt.precision, "bias": fmt.usual_bias}


def with_behaviour(
    fmt: Format, saturate: bool | None, subnormals: Subnormals | str | None, overflow: str | None = None
) -> Format:
    """`fmt` with another treatment of overflow or subnormals; None keeps its own."""
    if saturate is None and subnormals is None and overflow is None:
        return fmt
    if overflow is not None:
        if saturate is not None:
            raise ValueError(
                f"saturate={saturate} and overflow={quoted(overflow)} both say what overflow gives; leave one out"
            )
        return _by_convention(with_behaviour(fmt, None, subnormals), get_overflow(overflow))
    if saturate is False and fmt.specials is Specials.NONE:
        raise ValueError(f"saturate=False: {fmt.name} has no infinity and no NaN to overflow to; leave saturate out")
    kind = fmt.subnormals if subnormals is None else member(Subnormals, "subnormals", subnormals)
    changed = replace(fmt, saturate=fmt.saturate if saturate is None else saturate, subnormals=kind)
    return _named(changed) if fmt.overflow and saturate is not None else changed


def _by_convention(fmt: Format, convention: Overflow) -> Format:
    """`fmt` with the overflow of a convention, which its name then states."""
    known = next((name for name in convention.formats if _BY_NAME[name].layout == fmt.layout), None)
    if known is None:
        raise ValueError(
            f"overflow={quoted(convention.name)} says nothing about {fmt.name}, only about "
            f"{joined(convention.formats)}; use saturate=True or saturate=False"
        )
    chosen = {"negative_zero": fmt.sign_bit, "max_finite": fmt.largest_code}.get(convention.nan, fmt.nan_code)
    plain = _named(replace(fmt, saturate=False, nan_code=None))
    return replace(
        fmt,
        name=f"{plain.name},overflow={convention.name}",
        saturate=known in convention.saturates,
        nan_code=None if fmt.has_nan else chosen,
    )
