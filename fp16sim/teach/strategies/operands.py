"""Operands of operations: codes, pairs and arrays; and formats and modes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.extra import numpy as extra

from ... import exact
from ...codes import encode
from ...formats import (
    BINARY64,
    NAMED_FORMATS,
    WITH_BOTH_ZEROS,
    Format,
    FormatLike,
    Rounding,
    Specials,
    get_format,
    p3109,
)
from .floats import floats
from .from_bytes import Number, below

Pair: TypeAlias = tuple[Number, Number]


def codes(fmt: FormatLike = "binary16") -> st.SearchStrategy[int]:
    """Codes of a format, among them NaNs with every payload; they shrink as `floats` do.

    For formats whose numbers binary64 holds.

    >>> from hypothesis import find
    >>> hex(find(codes("binary16"), lambda code: code > 0x7C00))
    '0x8000'
    """
    fmt = get_format(fmt)
    if not fmt.fits_in(BINARY64):
        raise InvalidArgument(f"fmt={fmt.name} does not fit in binary64; use floats, whose Fractions encode exactly")
    return floats(fmt).map(lambda x: int(encode(x, fmt)))


def cancelling_pairs(fmt: FormatLike = "binary16") -> st.SearchStrategy[Pair]:
    """Pairs of numbers that nearly cancel: b is at most 16 numbers away from -a; a + b is exact (Sterbenz).

    >>> from hypothesis import find
    >>> find(cancelling_pairs("binary16"), lambda pair: sum(pair) > 0)
    (1.0, -0.99951171875)
    """
    fmt = get_format(fmt)
    if not fmt.signed:
        raise InvalidArgument(f"fmt={fmt.name} has no negative numbers, so that nothing cancels; use a signed format")
    finite = floats(fmt, allow_nan=False, allow_infinity=False).map(lambda a: a or 1.0)
    top = exact.encode(fmt.max_finite, fmt)

    def pair(a: Number, steps: int) -> Pair:
        code = min(max(exact.encode(abs(a), fmt) + steps, 1), top)
        b = exact.decode(code, fmt)
        b = float(b) if fmt.fits_in(BINARY64) else b
        return a, -b if a > 0 else b

    return st.builds(pair, finite, st.integers(-16, 16))


def absorbing_pairs(fmt: FormatLike = "binary16") -> st.SearchStrategy[Pair]:
    """Pairs with b not 0 and a + b = a after rounding to nearest, ties to even.

    >>> from hypothesis import find
    >>> find(absorbing_pairs("binary16"), lambda pair: True)
    (2048.0, 1.0)
    """
    fmt = get_format(fmt)
    least = Fraction(2) ** fmt.precision
    largest = exact.round_to(Fraction(fmt.max_finite) / (4 * least), fmt, Rounding.TOWARD_ZERO)
    if exact.is_nan(largest) or largest < fmt.min_subnormal:
        raise InvalidArgument(
            f"fmt={fmt.name} has too small a range: its largest number is less than {4 * least} times its smallest; "
            "use a format with more exponents"
        )
    one = min(Fraction(1), Fraction(largest))
    signs = [1, -1] if fmt.signed else [1]
    small = floats(fmt, -largest if fmt.signed else None, largest, allow_nan=False, allow_infinity=False)
    small = small.map(lambda b: b or float(one))
    top = exact.encode(fmt.max_finite, fmt)

    def pair(b: Number, steps: int, sign: int) -> Pair:
        e = exact.exponent_of(abs(Fraction(b)))
        e += Fraction(2) ** e != abs(Fraction(b))  # half an ulp of a must be at least b
        magnitude = Fraction(2) ** e * least
        first = exact.encode(magnitude, fmt)
        code = first + steps % max(1, top - first - 2)
        # At a tie, an odd significand is not kept; below a power of two, the numbers are twice as dense. One of three
        # neighbouring codes has neither problem.
        for candidate in (code, code + 1, code + 2):
            a = sign * Fraction(exact.decode(candidate, fmt))
            if exact.add(a, b, fmt) == a:
                break
        return (float(a), b) if fmt.fits_in(BINARY64) else (a, b)

    return st.builds(pair, small, below(2 ** (fmt.width - 1)), st.sampled_from(signs))


def arrays(
    fmt: FormatLike, shape: int | tuple[int, ...] | st.SearchStrategy[tuple[int, ...]], **limits: Any
) -> st.SearchStrategy[np.ndarray[Any, np.dtype[np.float64]]]:
    """float64 arrays of numbers of a format; each element is drawn separately.

    Parameters
    ----------
    fmt : Format, str or dtype
    shape : int, tuple of int, or a strategy for such
        For example `hypothesis.extra.numpy.array_shapes()`.
    **limits
        The other arguments of `floats`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(arrays("binary16", 3, allow_nan=False), lambda x: x[1] > 0)
    array([0., 1., 0.])
    """
    return extra.arrays(np.float64, shape, elements=floats(fmt, **limits), fill=st.nothing())


def formats(max_width: int = 16, *, unusual: bool = False) -> st.SearchStrategy[Format]:
    """Formats of at most `max_width` bits: the named ones and others, some without infinities, some saturating.

    All have both signs, both zeros, and at least two bits of precision, which most code takes for granted.

    Parameters
    ----------
    max_width : int
        From 5 on.
    unusual : bool
        Whether to draw, beside these, formats that lack one of that: one zero (e4m3fnuz), no sign, no zero (e8m0fnu),
        one bit of precision, all formats of IEEE P3109, and biases of their own. Not by default, so that a test that
        was written for the usual ones keeps its meaning.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(formats(8), lambda fmt: True).name
    'e2m1fn'
    >>> find(formats(8, unusual=True), lambda fmt: not fmt.zero).name
    'e8m0fnu'
    """
    if max_width < 5:
        raise InvalidArgument(
            f"max_width={max_width} is too narrow: the narrowest format with a NaN has 5 bits; use 5 or more"
        )
    named = sorted((fmt for fmt in WITH_BOTH_ZEROS if fmt.width <= max_width), key=lambda fmt: (fmt.width, fmt.name))

    def build(exponent_bits: int, precision: int, specials: Specials, saturate: bool) -> Format:
        width = precision + exponent_bits
        return Format(f"e{exponent_bits}p{precision}_{specials.value}", width, precision, specials, saturate=saturate)

    specials = st.sampled_from([Specials.IEEE, Specials.NAN])
    any_other = st.integers(2, min(max_width - 3, 11)).flatmap(
        lambda e: st.builds(build, st.just(e), st.integers(3, min(max_width - e, 53)), specials, st.booleans())
    )
    usual = st.one_of(st.sampled_from(named), any_other) if named else any_other
    return st.one_of(usual, _unusual(max_width)) if unusual else usual


def _unusual(max_width: int) -> st.SearchStrategy[Format]:
    """Formats with one zero, without a sign or a zero, of one bit of precision, of P3109, with any bias."""
    named = [fmt for fmt in NAMED_FORMATS if fmt not in WITH_BOTH_ZEROS and fmt.width <= max_width]
    drafts = st.sampled_from(_drafts(min(max_width, 15)))

    def build(draft: Format, bias: int, saturate: bool) -> Format:
        changed = replace(draft, bias=draft.bias + bias, saturate=saturate)
        return replace(changed, name=f"{draft.name},bias={changed.bias},saturate={str(saturate).lower()}")

    own = st.builds(build, drafts, st.integers(-20, 20), st.booleans())
    choices = [drafts, own.filter(lambda fmt: fmt.fits_in(BINARY64))]
    return st.one_of(st.sampled_from(named), *choices) if named else st.one_of(*choices)


@lru_cache(maxsize=16)
def _drafts(max_width: int) -> tuple[Format, ...]:
    """The formats of P3109 that binary64 holds, the narrow ones first."""
    found = []
    for width, kind in product(range(3, max_width + 1), ("se", "sf", "ue", "uf")):
        for precision in range(1, width + (kind[0] == "u")):
            try:
                fmt = p3109(width, precision, kind)
            except ValueError:  # no code is left for a positive number
                continue
            if fmt.fits_in(BINARY64):
                found.append(fmt)
    return tuple(found)


def modes(stochastic: bool = False) -> st.SearchStrategy[Rounding]:
    """Rounding modes, ties to even first; stochastic rounding only if `stochastic` is true.

    >>> from hypothesis import find
    >>> find(modes(), lambda mode: not mode.nearest).value
    'toward_zero'
    """
    return st.sampled_from([mode for mode in Rounding if stochastic or mode is not Rounding.STOCHASTIC])
