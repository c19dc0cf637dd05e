"""How numbers are written in questions and answers: in decimal if that is short, else as n * 2^k; always exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from ... import exact
from ...exact import Value

DIGITS = 5
"""The most digits of a decimal number in a question, and the most after its point."""


def written(x: Value) -> str:
    """A number as a question shows it; exact.

    >>> import math
    >>> [written(x) for x in (0.0625, -11 / 64, 65504.0, 2.0**-14, 1021 * 2.0**118, -0.0, math.inf)]
    ['0.0625', '-11 * 2^-6', '65504', '2^-14', '1021 * 2^118', '-0', 'inf']
    """
    if not exact.is_finite(x) or x == 0:
        return str(x) if not exact.is_finite(x) else "-0" if exact.is_negative(x) else "0"
    text = _decimal(abs(Fraction(x)), DIGITS)
    digits = text.replace(".", "").lstrip("0")
    sign = "-" if x < 0 else ""
    return sign + (text if text and len(digits) <= DIGITS else _with_power(x))


def grouped(x: Value) -> str:
    """A number as an operand: in brackets if it has a sign or a power.

    >>> grouped(3.0), grouped(-0.5), grouped(2.0**-14)
    ('3', '(-0.5)', '(2^-14)')
    """
    text = written(x)
    return f"({text})" if set(text) & set("-^") else text


def odd_and_power(x: Value) -> tuple[int, int]:
    """The odd n and the k of abs(x) = n * 2^k.

    >>> odd_and_power(-0.75), odd_and_power(48.0)
    ((3, -2), (3, 4))
    """
    magnitude = abs(Fraction(x))
    twos = (magnitude.numerator & -magnitude.numerator).bit_length() - 1
    return magnitude.numerator >> twos, twos - (magnitude.denominator.bit_length() - 1)


def _with_power(x: Value) -> str:
    n, k = odd_and_power(x)
    return f"{n} * 2^{k}" if n > 1 else f"2^{k}"


def _decimal(x: Fraction, places: int) -> str:
    """All decimal digits of a number; "" if it has more than `places` after the point."""
    # n / 2^k = n 5^k / 10^k has as many decimal places as binary places.
    k = x.denominator.bit_length() - 1
    if k > places:
        return ""
    digits = str(x.numerator * 5**k).rjust(k + 1, "0")
    return f"{digits[:-k]}.{digits[-k:]}" if k else digits


# --- all spellings, for systems that compare texts -----------------------------------------------------------------


def number_spellings(x: Value) -> list[str]:
    """The ways to write a number that `LONGHAND` permits, each exact.

    >>> number_spellings(0.25)[:6]
    ['0.25', '.25', '2.5e-1', '2.5e-01', '1/4', '2^-2']
    """
    if exact.is_nan(x):
        return ["NaN"]
    if not exact.is_finite(x):
        found = ["inf", "infinity", "∞"]
    elif x == 0:
        found = ["0", "0.0"]
    else:
        found = [*_decimals(abs(Fraction(x))), *_powers(x)]
    signs = ("-", "\u2212") if exact.is_negative(x) else ("", "+")
    return list(dict.fromkeys(sign + text for sign in signs for text in found))


def _decimals(x: Fraction) -> list[str]:
    """Decimal numbers of at most 24 digits, with and without an exponent, and a fraction."""
    found = [text] if len(text := _decimal(x, 24)) <= 24 and text else []
    found += [text.removeprefix("0")] if text.startswith("0.") else []
    if found and x.denominator == 1:
        found += [f"{text}.0", f"{x.numerator:,}"]
    if found:
        digits = text.replace(".", "").strip("0")
        power = len(text.partition(".")[0]) - 1 if x >= 1 else -(len(text) - len(text[2:].lstrip("0")) - 1)
        start = digits[0] + ("." + digits[1:] if digits[1:] else "")
        found += [f"{start}e{power}", f"{start}e{power:+03d}"]
    if x.denominator > 1:
        found.append(f"{x.numerator}/{x.denominator}")
    return found


def _powers(x: Value) -> list[str]:
    n, k = odd_and_power(x)
    powers = [f"2^{k}", f"2**{k}", f"2^({k})", f"2**({k})"]
    times = ("*", " * ", "x", " x ", "×", " × ", "·")
    return powers if n == 1 else [f"{n}{sign}{power}" for power in powers for sign in times]


def flag_spellings(names: list[str]) -> list[str]:
    """The names of flags in every order, with the usual separators."""
    orders = [list(order) for order in permutations(names)]
    spaced = [[name.replace("_", " ") for name in order] for order in orders if "divide_by_zero" in order]
    found = [separator.join(order) for order in orders + spaced for separator in (", ", ",", " ", " and ")]
    return list(dict.fromkeys(found))


LONGHAND = {
    "number": "Write a decimal number such as 0.25, a fraction in lowest terms such as 1/4, a power of two such as "
    "2^-10, or an odd integer times one such as 3*2^-10; or inf, -inf or nan.",
    "code": "Write the code in hexadecimal, such as 0x3C, or its bits.",
    "flags": "Write the names with commas between them.",
}
"""What an answer may look like where the texts are compared: each of these has its spellings above."""
