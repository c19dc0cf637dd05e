"""explain.anatomy and explain.compare: how one format stores a number, and how all formats store it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..conversion import Generator, Seed, as_generator
from ..exact import Value, is_finite, is_nan
from ..formats import NAMED_FORMATS, Format, FormatLike, Rounding, get_format, get_rounding
from ..text import to_text
from .decoding import Given, NumberLike, next_down, next_up, number, read, without_behaviour
from .records import Number, Record, RoundingStep
from .rendering import Shown
from .rounding_step import next_draw, round_step


@dataclass(frozen=True, repr=False)
class Anatomy(Shown, Record):
    """A number as a format stores it.

    Attributes
    ----------
    text : str
        As it was typed.
    exact : Value
        The exact value of the text.
    is_code : bool
        Whether the text is a code.
    fmt : Format
    rounding : RoundingStep
        From exact to number.
    number : Number
        What is stored.
    error : Fraction or None
        Stored minus exact; None if one of them is not finite.
    ulps : Fraction or None
        The magnitude of the error in ulp of the exact number.
    relative : Fraction or None
        The magnitude of the error relative to the exact number.
    ulp : Fraction or None
        The quantum of the stored number: the distance to the next one away from zero.
    next_down, next_up : Number
        The neighbours of the stored number, as from `fs.next_down` and `fs.next_up`.
    shortest : str
        The shortest decimal text that is read back as this number.
    hex_float : str
        The stored value in C99's hexadecimal notation.
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


@dataclass(frozen=True, repr=False)
class Comparison(Shown, Record):
    """One number in several formats: `rows` has an Anatomy for each."""

    text: str
    exact: Value
    mode: Rounding
    rows: tuple[Anatomy, ...]


def anatomy(
    x: NumberLike, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Anatomy:
    """How a format stores a number: code, fields, formula, value, error, neighbours; exact.

    Parameters
    ----------
    x : number
        One number, as for `round_to`, or the text of a code of `fmt`; a code is not rounded, even if the format flushes
        or saturates.
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
    x: NumberLike,
    formats: Sequence[FormatLike] | None = None,
    mode: Rounding | str = "ties_to_even",
    *,
    fmt: FormatLike = "binary16",
    rng: Seed = None,
) -> Comparison:
    """One number in all formats side by side: the stored value, the error, the neighbours; exact.

    Parameters
    ----------
    x : number
        As for `anatomy`.
    formats : sequence of formats, optional
        The named ones by default.
    mode, rng
        As for `round_to`.
    fmt : Format, str or dtype
        The format of x if x is the text of a code.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        As `round_to` does. A NaN is an error only if `formats` names a format without NaN.

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
    x, as_stored = given.value, without_behaviour(fmt)
    if given.code is None:
        step = round_step(x, fmt, mode, next_draw(rng), operand=True)
        stored = step.result
    else:
        step = round_step(x, as_stored, mode)
        stored = number(given.code, fmt)
    error = Fraction(stored.value) - Fraction(x) if is_finite(x) and is_finite(stored.value) else None
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
        shortest=to_text(stored.value, as_stored),
        hex_float=to_text(stored.value, as_stored, "hex"),
    )


def _power(q: int) -> Fraction:
    return Fraction(2) ** q
