"""How the report writes numbers."""

from __future__ import annotations

import math

SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(share: float, digits: int = 3) -> str:
    """A share of 1, with about so many digits; never 0 for what is not, nor 100 for what is not all.

    >>> percent(0.12345), percent(0.09996), percent(0.00004), percent(0), percent(1), percent(0.99999)
    ('12.3\\xa0%', '10.0\\xa0%', '<\\xa00.01\\xa0%', '0\\xa0%', '100\\xa0%', '>\\xa099.9\\xa0%')
    """
    if math.isnan(share):
        return "none"
    if 0 < share < 1e-4:
        return f"<{SPACE}0.01{SPACE}%"
    if 0.9995 <= share < 1:
        return f">{SPACE}99.9{SPACE}%"
    rounded = float(f"{100 * share:.{digits - 1}e}")
    places = 0 if share in (0, 1) else max(0, min(2, digits - 1 - math.floor(math.log10(rounded))))
    return f"{rounded:.{places}f}{SPACE}%"


def power(exponent: int) -> str:
    """A power of two.

    >>> power(-14)
    '2⁻¹⁴'
    """
    return f"2{str(exponent).translate(_RAISED)}"


def scale(x: float) -> str:
    """A loss scale: as a power of two where it is one.

    >>> scale(1024.0), scale(1.0), scale(1000.0)
    ('2¹⁰', '1', '1000')
    """
    significand, exponent = math.frexp(x)
    return power(exponent - 1) if significand == 0.5 and x != 1 else f"{x:g}"


def count(n: int, one: str, many: str = "") -> str:
    """A number of things.

    >>> count(1, "step"), count(12345, "step")
    ('1\\xa0step', '12,345\\xa0steps')
    """
    return f"{n:,}{SPACE}{one if n == 1 else many or one + 's'}"


def size(bytes_: int) -> str:
    """Bytes, in the unit that suits.

    >>> size(512), size(373288), size(5 * 2**20)
    ('512\\xa0B', '365\\xa0KiB', '5.00\\xa0MiB')
    """
    value, unit = float(bytes_), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f}{SPACE}{unit}" if unit == "B" else f"{_three(value)}{SPACE}{unit}"


def amount(n: float) -> str:
    """A large count, in the unit that suits.

    >>> amount(999), amount(1234567), amount(2.5e9)
    ('999', '1.23\\xa0million', '2.50\\xa0billion')
    """
    for factor, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if n >= factor:
            return f"{_three(n / factor)}{SPACE}{name}"
    return f"{n:,.0f}"


def _three(x: float) -> str:
    """About three digits."""
    return f"{x:.{max(0, 2 - math.floor(math.log10(max(x, 1))))}f}"


def listed(items: list[str]) -> str:
    """Names in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
