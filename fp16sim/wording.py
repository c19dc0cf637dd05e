"""How numbers, lists and quotations stand in sentences, tables and pictures: the one place for all of them."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(share: float | None, digits: int = 3) -> str:
    """A share of 1 in percent, with about `digits` digits: "0%" for none only, "100%" for all only.

    None and NaN, for what was not measured, are "-".

    >>> percent(0.12345), percent(0.09996), percent(0.3134, digits=2), percent(1 / 3, digits=4)
    ('12.3%', '10.0%', '31%', '33.33%')
    >>> percent(0), percent(0.00004), percent(0.99999), percent(1), percent(None)
    ('0%', '<0.01%', '>99.9%', '100%', '-')
    """
    if share is None or math.isnan(share):
        return "-"
    if share in (0, 1):
        return f"{share:.0%}"
    if share < 1e-4:
        return "<0.01%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    rounded = float(f"{100 * share:.{digits - 1}e}")
    places = max(0, min(2, digits - 1 - math.floor(math.log10(rounded))))
    return f"{rounded:.{places}f}%"


def decimal(x: float | None, places: int = 4) -> str:
    """A measured number with a fixed number of digits after the point; "-" for None, which was not measured.

    >>> decimal(0.02925), decimal(math.nan), decimal(math.inf), decimal(None)
    ('0.0293', 'not finite', 'not finite', '-')
    """
    if x is None:
        return "-"
    return f"{x:.{places}f}" if math.isfinite(x) else "not finite"


def share(count: int, total: int) -> float:
    """count / total as a share of 1, for `percent`; NaN, which `percent` writes as "-", if there is nothing.

    >>> percent(share(1, 8)), percent(share(0, 0))
    ('12.5%', '-')
    """
    return count / total if total else math.nan


def power_of_two(x: float) -> str:
    """A number as a power of two if it is one, else in decimal.

    >>> power_of_two(1024.0), power_of_two(2.0**-14), power_of_two(1.0), power_of_two(3.0)
    ('2^10', '2^-14', '1', '3')
    """
    significand, exponent = math.frexp(x)
    return f"2^{exponent - 1}" if significand == 0.5 and x != 1 else f"{x:g}"


def with_superscripts(text: str) -> str:
    """Every power of two or ten in a text with a raised exponent.

    >>> with_superscripts("from 2^-14 to 2^15, or 10^4")
    'from 2⁻¹⁴ to 2¹⁵, or 10⁴'
    """
    return re.sub(r"(2|10)\^(-?\d+)", lambda found: found[1] + found[2].translate(SUPERSCRIPTS), text)


def joined(items: Iterable[str], last: str = "and") -> str:
    """A list in a sentence.

    >>> joined(["a", "b", "c"]), joined(["png", "svg"], "or"), joined(["a"])
    ('a, b and c', 'png or svg', 'a')
    """
    *most, end = items
    return f"{', '.join(most)} {last} {end}" if most else end


def number(x: float) -> str:
    """A number in a sentence: at most five significant digits, and commas between thousands.

    >>> number(10000), number(7.0859375), number(0.0009765625), number(256.0)
    ('10,000', '7.0859', '0.00097656', '256')
    """
    if abs(x) < 1e9 and x == int(x):
        return f"{int(x):,}"
    return f"{x:.5g}"


def count(n: int, one: str, many: str = "") -> str:
    """A number of things.

    >>> count(1, "step"), count(12345, "step")
    ('1 step', '12,345 steps')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def shortened(text: str, most: int = 200) -> str:
    """A text, or its beginning if it has more than `most` characters.

    >>> shortened("abc"), shortened("abcdefgh", 6)
    ('abc', 'abc...')
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def printable(text: str, keep: str = "") -> str:
    """A text for a terminal: control characters and other invisible ones are shown, as `repr` shows them.

    A name from a file can have escape sequences, which would move the cursor or change colours; or characters that
    reverse the direction of writing. Those in `keep`, such as a line break, stay.

    >>> print(printable("w\\x1b[31m\\n\\u202e"), printable("two\\nlines", keep="\\n"))
    w\\x1b[31m\\n\\u202e two
    lines
    """
    shown = (c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)
    return text if text.isprintable() else "".join(shown)


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Rows of a table as text: columns two blanks apart, the first `left` of them aligned to the left.

    >>> print(aligned([("tensor", "zero"), ("w", "12.5%")]))
    tensor   zero
    w       12.5%
    """
    padded = []
    for i, column in enumerate(zip(*rows, strict=True)):
        width = max(map(len, column))
        padded.append([text.ljust(width) if i < left else text.rjust(width) for text in column])
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def yes_or_no(value: object) -> str:
    """A setting as text: yes or no for a truth value.

    >>> yes_or_no(True), yes_or_no(16)
    ('yes', '16')
    """
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A question to put before the list of what is known; "" if nothing is similar, or if the name is not text.

    >>> did_you_mean("bfloat61", ["binary16", "bfloat16"]), did_you_mean("x", ["binary16"])
    ("did you mean 'bfloat16'? ", '')
    """
    from difflib import get_close_matches  # needed for mistakes only

    text = name[:40].lower() if isinstance(name, str) else ""  # a long text would take seconds
    similar = get_close_matches(text, list(known), 1)
    return f"did you mean {similar[0]!r}? " if similar else ""


# --- quotations -----------------------------------------------------------------------------------------------------

LONGEST_QUOTE = 200
"""Characters of what was given that an error shows."""


class _Quotation(reprlib.Repr):
    """repr of the first few elements alone, so that a huge or recursive argument takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 4, LONGEST_QUOTE, LONGEST_QUOTE
        self.maxlist = self.maxtuple = 20

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 3 * LONGEST_QUOTE else f"<an integer of {x.bit_length()} bits>"

    def repr_Fraction(self, x: Fraction, level: int) -> str:
        return f"Fraction({self.repr_int(x.numerator, level)}, {self.repr_int(x.denominator, level)})"

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x[:LONGEST_QUOTE])

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        return super().repr_dict(dict(islice(x.items(), 10)), level)

    def repr_set(self, x: set[Any], level: int) -> str:
        return super().repr_set(set(islice(x, 10)), level)


_quotation = _Quotation()


def quoted(x: object) -> str:
    """What was given, for an error: its repr, in at most 200 characters.

    >>> quoted("0.1"), len(quoted("1" * 10**6)), quoted(10**300)
    ("'0.1'", 200, '<an integer of 997 bits>')
    """
    text = _quotation.repr(x)
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 30]}...{text[-27:]}"
