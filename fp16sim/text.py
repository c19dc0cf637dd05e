"""Numbers as text: a text -> its exact value; a value -> its shortest or exact decimal, fraction, hex or bits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from . import exact
from .codes import encode
from .formats import Format, FormatLike, Rounding, get_format, get_rounding, quoted
from .wording import did_you_mean

__all__ = ["parse", "to_text"]


def parse(
    text: str, fmt: FormatLike | None = None, mode: Rounding | str = "ties_to_even", *, rng: Any = None
) -> exact.Value:
    """The exact value of a number as people write it; with a format, that value correctly rounded, once.

    Understood: `0.1`, `-1.5e-8`, `1/3`, `0x1.8p3` (C99), `1p-24` and `3*2^-24` (times a power of two), `2^-24`, `inf`,
    `nan`, as `fs.exact.parse` says in full.

    Parameters
    ----------
    text : str
    fmt : Format, str or dtype, optional
        Without it nothing is rounded.
    mode, rng
        As for `fs.exact.round_to`; they need a format.

    Returns
    -------
    Fraction or float
        A float for -0.0, the infinities and nan only.

    Raises
    ------
    ValueError
        If the text is not a number, or is ambiguous (`0x2E66` may be a code or a number).
    TypeError
        If it is not a text.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.parse("1/3"), fs.parse("0.1", "binary16"), fs.parse("70000", "binary16")
    (Fraction(1, 3), Fraction(819, 8192), inf)
    """
    if fmt is not None:
        if not isinstance(text, str):
            raise TypeError(f"text={quoted(text)} is not text; use round_to(x, fmt) for a number")
        return exact.round_to(text, fmt, mode, rng=rng)
    if get_rounding(mode) is not Rounding.TIES_TO_EVEN or rng is not None:
        raise ValueError(f"mode={quoted(mode)} needs a format to round to: parse(text, fmt, mode)")
    return exact.parse(text)


def to_text(x: Any, fmt: FormatLike = "binary16", style: str = "shortest") -> str:
    """A value of a format as text; exact in every style but "shortest", which reads back to the same code.

    Parameters
    ----------
    x : number
        Anything that `round_to` takes as a scalar; if `fmt` does not hold it, it is first rounded, ties to even.
    fmt : Format, str or dtype
        A format that binary64 holds.
    style : {"shortest", "exact", "fraction", "hex", "bits"}
        The fewest decimal digits that round to the same code (if several do, the nearest); all decimal digits; an
        integer ratio; C99's hexadecimal; the code in binary, with "_" between fields (`int(text, 2)` is the code).

    Returns
    -------
    str

    Raises
    ------
    ValueError
        For an unknown style.

    Notes
    -----
    The shortest string is the specification of Steele and White, "How to print floating-point numbers accurately"
    (1990), by direct search.

    Examples
    --------
    >>> import fp16sim as fs
    >>> [fs.to_text(0.1, "binary16", style) for style in ("shortest", "exact", "fraction", "hex")]
    ['0.1', '0.0999755859375', '819/8192', '0x1.998p-4']
    >>> fs.to_text(0.1, "binary16", "bits")
    '0_01011_1001100110'
    """
    fmt = get_format(fmt)
    if not isinstance(style, str) or style not in STYLES:
        known = f"{did_you_mean(style, STYLES)}use one of {', '.join(map(repr, STYLES))}"
        raise ValueError(f"style={quoted(style)} is unknown; {known}")
    if style == "bits":
        return _bits(x, fmt)
    value = exact.round_to(x, fmt)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    sign = "-" if exact.is_negative(value) else ""
    return sign + STYLES[style](abs(Fraction(value)), fmt)


def _bits(x: Any, fmt: Format) -> str:
    return fmt.bits_text(int(encode(x, fmt)))


def _exact(x: Fraction, fmt: Format) -> str:
    # n / 2^k = n 5^k / 10^k has as many decimal places as binary places.
    places = x.denominator.bit_length() - 1
    digits = str(x.numerator * 5**places).rjust(places + 1, "0")
    return digits if not places else f"{digits[:-places]}.{digits[-places:]}"


def _fraction(x: Fraction, fmt: Format) -> str:
    return str(x)


def _hex(x: Fraction, fmt: Format) -> str:
    if x == 0:
        return "0x0p+0"
    e = exact.exponent_of(x)
    places = -(-fmt.trailing_bits // 4)
    digits = int((x / Fraction(2) ** e - 1) * 16**places)
    trailing = f"{digits:0{places}x}".rstrip("0")
    return f"0x1{'.' if trailing else ''}{trailing}p{e:+d}"


def _shortest(x: Fraction, fmt: Format) -> str:
    if x == 0:
        return "0"
    top = _decimal_exponent(x)
    count = 1
    while True:
        unit = Fraction(10) ** (top + 1 - count)
        low = math.floor(x / unit)
        # Both neighbours with that many digits, the nearer first. At a power of two the nearer may round to another
        # value, and the other one not.
        for digits in sorted((low, low + 1), key=lambda d: (abs(d * unit - x), d % 2)):
            if digits and exact.round_to(digits * unit, fmt) == x:
                return _positional(digits, top + 1 - count)
        count += 1


def _decimal_exponent(x: Fraction) -> int:
    """floor(log10(x)): first estimated from the binary exponent, then corrected."""
    guess = math.floor(exact.exponent_of(x) * math.log10(2))
    while Fraction(10) ** (guess + 1) <= x:
        guess += 1
    while Fraction(10) ** guess > x:
        guess -= 1
    return guess


def _positional(digits: int, exponent: int) -> str:
    """digits * 10^exponent as Python's repr writes floats, but without a final ".0"."""
    text = str(digits).rstrip("0")
    exponent += len(str(digits)) - len(text)
    point = len(text) + exponent  # digits before the decimal point
    if not -4 < point <= 16:
        tail = f".{text[1:]}" if text[1:] else ""
        return f"{text[0]}{tail}e{point - 1:+03d}"
    if exponent >= 0:
        return text + "0" * exponent
    return f"{text[:point]}.{text[point:]}" if point > 0 else f"0.{'0' * -point}{text}"


STYLES = {"shortest": _shortest, "exact": _exact, "fraction": _fraction, "hex": _hex, "bits": _bits}
