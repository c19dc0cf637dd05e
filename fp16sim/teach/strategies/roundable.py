"""What to give a rounder: ties, numbers just beside them, both ends of the range."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from ... import exact
from ...formats import Format, FormatLike, get_format
from .floats import floats
from .from_bytes import below, numbered


def reals(fmt: FormatLike = "binary16") -> st.SearchStrategy[float]:
    """Floats for a rounder to the format; most of them are not numbers of the format.

    Ties and numbers of the format, floats one binary64 step or a few bits beside them, both ends of the range and
    floats beyond, infinities and NaN. For formats of at most 24 bits of precision. A failing tie shrinks to the
    smallest integer that is a tie.

    >>> from hypothesis import find
    >>> import fp16sim as fs
    >>> find(reals("binary16"), lambda x: fs.round_to(x) != fs.round_to(x, "binary16", "ties_to_away"))
    2049.0
    """
    fmt = get_format(fmt)
    if fmt.precision > 24 or fmt.exponent_bits > 10:
        raise InvalidArgument(
            f"fmt={fmt.name}: binary64 has too few numbers between those of the format; use a narrower format"
        )
    exponent_bits = max(fmt.exponent_bits + 1, 3)
    bias = fmt.bias + 2 ** (exponent_bits - 2)  # as far below the format as above
    wide = Format(f"around_{fmt.name}", exponent_bits + fmt.precision + 3, fmt.precision + 3, bias=bias)
    least, most = Fraction(fmt.min_subnormal) / 8, exact.round_to(4 * Fraction(fmt.max_finite), wide, "toward_zero")
    beyond = floats(wide, -most, most).filter(lambda x: x == 0 or abs(x) >= least)
    near = st.one_of(ties(fmt), floats(fmt, allow_nan=False, allow_infinity=False)).map(float)
    beside = st.builds(lambda x, to: math.nextafter(x, to), near, st.sampled_from([math.inf, -math.inf, 0.0]))
    return st.one_of(ties(fmt).map(float), floats(fmt), beyond, beside)


def ties(fmt: FormatLike = "binary16") -> st.SearchStrategy[Fraction]:
    """Exact midpoints of two neighbouring finite numbers, of both signs; also the midpoint where overflow begins.

    They shrink to few bits, and to the smallest integer that is a tie (2049 in binary16).

    >>> from hypothesis import find
    >>> find(ties("bfloat16"), lambda x: True)
    Fraction(257, 1)
    """
    fmt = get_format(fmt)
    p, q = fmt.precision, fmt.quantum_exponent_min
    limit = Fraction(fmt.max_finite) + Fraction(2) ** (fmt.emax - p)

    def tie(kind: int, k: int, index: int, sign: int) -> Fraction:
        if kind == 15:  # between two subnormals
            return sign * (2 * k + 1) * Fraction(2) ** (q - 1)
        # p + 1 bits, of which the last is 1.
        x = (2**p + 2 * k + 1) * Fraction(2) ** numbered(index, q - 1 if q < 0 else q, fmt.emax - p)
        return sign * (x if x <= limit else x / 2)

    exponents = fmt.emax - p - q + 2
    return st.builds(tie, below(16), below(2 ** (p - 1)), below(exponents), st.sampled_from([1, -1]))


def _steps(start: Fraction, quantum: Fraction) -> st.SearchStrategy[float]:
    """start + k/8 quantum with abs(k) <= 32, and the binary64 numbers next to those; both signs."""

    def build(k: int, to: int, sign: int) -> float:
        x = float(start + quantum * k / 8)
        return sign * (math.nextafter(x, math.inf * to) if to else x)

    return st.builds(build, st.integers(-32, 32), st.sampled_from([0, 1, -1]), st.sampled_from([1, -1]))


def near_overflow(fmt: FormatLike = "binary16") -> st.SearchStrategy[float]:
    """Floats within four ulps of max_finite: eighths of an ulp, and the floats next to those; both signs.

    >>> from hypothesis import find
    >>> find(near_overflow("binary16"), lambda x: x >= 65520)
    65520.0
    """
    fmt = _narrow(get_format(fmt))
    return _steps(Fraction(fmt.max_finite), Fraction(2) ** (fmt.emax - fmt.trailing_bits))


def near_underflow(fmt: FormatLike = "binary16") -> st.SearchStrategy[float]:
    """Floats within four quanta of 0 or of min_normal: eighths of a quantum, and the floats next to those; both signs.

    >>> from hypothesis import find
    >>> find(near_underflow("binary16"), lambda x: x == 2**-25)
    2.9802322387695312e-08
    """
    fmt = _narrow(get_format(fmt))
    quantum = Fraction(fmt.min_subnormal)
    return st.one_of(_steps(Fraction(0), quantum), _steps(Fraction(fmt.min_normal), quantum))


def _narrow(fmt: Format) -> Format:
    if fmt.precision > 48 or fmt.exponent_bits > 10:
        raise InvalidArgument(
            f"fmt={fmt.name}: binary64 has no numbers between those of the format; use a narrower format"
        )
    return fmt
