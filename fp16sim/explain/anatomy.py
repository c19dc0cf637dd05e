"""One number in one format, and in all formats side by side: what was typed, what is stored, what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..conversion import Generator, Seed, as_generator
from ..exact import Value, is_finite, is_nan
from ..formats import NAMED_FORMATS, Format, FormatLike, Rounding, Specials, get_format, get_rounding
from ..text import to_text
from .comparing import anatomy_document, comparison_document
from .decoding import Given, number, plain_format, read
from .document import Document
from .html import html_of
from .records import Number, Record, RoundingStep
from .rendering import text_of
from .steps import next_draw, round_step


@dataclass(frozen=True)
class Anatomy(Record):
    """A number as a format stores it.

    Attributes
    ----------
    text : str
        As it was typed.
    exact : Value
        What that means, exactly.
    is_code : bool
        Whether it was typed as a code.
    fmt : Format
    rounding : RoundingStep
        From exact to number.
    number : Number
        What is stored.
    error : Fraction or None
        Stored minus exact; None where one of them is not finite.
    ulps : Fraction or None
        The magnitude of the error in ulp of the exact number.
    relative : Fraction or None
        The magnitude of the error relative to the exact number.
    ulp : Fraction or None
        The quantum of the stored number: the distance to the next one away from zero.
    next_down, next_up : Number
        The stored number's neighbours, as `fs.next_down` and `fs.next_up` give them.
    shortest : str
        The shortest decimal text that is read as this number.
    hex_float : str
        The stored value in C99's hexadecimal.
    """

    text: str
    exact: Value
    is_code: bool
    fmt: Format
    rounding: RoundingStep
    number: Number
    error: Fraction | None
    ulps: Fraction | None
    relative: Fraction | None
    ulp: Fraction | None
    next_down: Number
    next_up: Number
    shortest: str
    hex_float: str

    @property
    def document(self) -> Document:
        """The layout that text, terminal and HTML share."""
        return anatomy_document(self)

    def __str__(self) -> str:
        return text_of(self.document)

    def _repr_html_(self) -> str:
        return html_of(self.document)


@dataclass(frozen=True)
class Comparison(Record):
    """One number in several formats: `rows`, an Anatomy for each."""

    text: str
    exact: Value
    mode: Rounding
    rows: tuple[Anatomy, ...]

    @property
    def document(self) -> Document:
        """The layout that text, terminal and HTML share."""
        return comparison_document(self)

    def __str__(self) -> str:
        return text_of(self.document)

    def _repr_html_(self) -> str:
        return html_of(self.document)


def anatomy(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Anatomy:
    """How a format stores a number: code, fields, formula, value, error, neighbours; exact.

    Parameters
    ----------
    x : number
        One number, as `round_to` takes them, or the text of a code of `fmt`; a code is taken as it is, whatever the
        format does with subnormals and infinities.
    fmt, mode, rng
        As for `round_to`.

    Returns
    -------
    Anatomy

    Raises
    ------
    ValueError, TypeError
        As `round_to` does.

    Examples
    --------
    >>> a = anatomy("0.1", "binary16")
    >>> a.number.bits, a.error, a.ulps
    ('0_01011_1001100110', Fraction(-1, 40960), Fraction(2, 5))
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    return _anatomy(read(x, fmt), fmt, mode, as_generator(mode, rng))


def compare(
    x: Any,
    formats: Sequence[FormatLike] | None = None,
    mode: Rounding | str = "ties_to_even",
    *,
    fmt: FormatLike = "binary16",
    rng: Seed = None,
) -> Comparison:
    """One number in all formats side by side: what was typed, what is stored, the error, the neighbours; exact.

    Parameters
    ----------
    x : number
        As for `anatomy`.
    formats : sequence of formats, optional
        The named ones by default.
    mode, rng
        As for `round_to`.
    fmt : Format, str or dtype
        Whose code x is, if it is the text of one.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        As `round_to` does; in a format without NaN, a NaN is an error only if `formats` names that format.

    Examples
    --------
    >>> [(a.fmt.name, a.number.hex) for a in compare(65520, ["binary16", "bfloat16"]).rows]
    [('binary16', '0x7C00'), ('bfloat16', '0x4780')]
    """
    mode, given = get_rounding(mode), read(x, get_format(fmt))
    chosen = NAMED_FORMATS if formats is None else tuple(map(get_format, formats))
    if formats is None and is_nan(given.value):
        chosen = tuple(one for one in chosen if one.has_nan)
    generator = as_generator(mode, rng)
    value = Given(given.text, given.value)
    return Comparison(given.text, given.value, mode, tuple(_anatomy(value, one, mode, generator) for one in chosen))


def _anatomy(given: Given, fmt: Format, mode: Rounding, rng: Generator) -> Anatomy:
    x = given.value
    if given.code is None:
        step = round_step(x, fmt, mode, next_draw(rng), operand=True)
        stored = step.result
    else:
        step = round_step(x, plain_format(fmt), mode)
        stored = number(given.code, fmt)
    error = Fraction(stored.value) - Fraction(x) if is_finite(x) and is_finite(stored.value) else None
    plain = plain_format(fmt)
    return Anatomy(
        text=given.text,
        exact=x,
        is_code=given.code is not None,
        fmt=fmt,
        rounding=step,
        number=stored,
        error=error,
        ulps=None if error is None or step.quantum_exponent is None else abs(error) / _power(step.quantum_exponent),
        relative=abs(error / Fraction(x)) if error is not None and x else None,
        ulp=None if stored.exponent is None else _power(stored.exponent - fmt.trailing_bits),
        next_down=next_down(stored),
        next_up=next_up(stored),
        shortest=to_text(stored.value, plain),
        hex_float=to_text(stored.value, plain, "hex"),
    )


def _power(q: int) -> Fraction:
    return Fraction(2) ** q


# --- neighbours by their codes --------------------------------------------------------------------------------------


def next_up(x: Number) -> Number:
    """The least number of the format that is greater; the greatest one stays, NaN stays."""
    sign = 1 << (x.fmt.width - 1)
    if is_nan(x.value):
        return x
    if x.value == 0:
        return number(1, x.fmt)
    if x.sign:
        return number(x.code - 1, x.fmt)
    return x if x.code == _greatest(x.fmt) else number(x.code + 1, x.fmt) if x.code < sign else x


def next_down(x: Number) -> Number:
    """The greatest number of the format that is less: next_up seen in a mirror."""
    sign = 1 << (x.fmt.width - 1)
    if is_nan(x.value):
        return x
    return number(next_up(number(x.code ^ sign, x.fmt)).code ^ sign, x.fmt)


def _greatest(fmt: Format) -> int:
    """The code of infinity, or of max_finite where there is none."""
    if fmt.has_infinity:
        return ((1 << fmt.exponent_bits) - 1) << fmt.trailing_bits
    return (1 << (fmt.width - 1)) - (2 if fmt.specials is Specials.NAN else 1)
