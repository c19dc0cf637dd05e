"""exp, log, tanh: correctly rounded for formats of up to 11 bits of precision, in every mode, without tables.

float64 gives y within 2^-40 of the truth (any libm does better). Let t be the nearest number of precision + 1 bits:
the numbers where a rounding decision changes are of that kind. If y is further than 2^-40 |t| from t, y is on the true
side of it and decides every mode. If not, the truth may be t or on either side of it, and the function says which:
`side(x)` is the sign of f(x) - t, by an inequality that holds for all x (e^x - 1 > x, |tanh x| < |x|). Then y becomes t
moved one float64 ulp to that side. Overflow and underflow of float64 itself become a huge and a tiny number, so that
the directed modes see something finite and nonzero. Last comes the one rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .flags import Tally, listening
from .formats import Format, FormatLike, Rounding, get_format, get_rounding
from .lifting import Array, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from .rounding import exponent, round_array, round_to

HUGE, SMALL = 2.0**1000, 2.0**-1000


class Function(NamedTuple):
    """An elementary function: float64's version, and what float64 cannot say."""

    evaluate: Callable[[Array], Array]
    side: Callable[[Array], Array]
    """The sign of f(x) - t where t, of a few bits, is within 2^-40 of f(x); 0 where f(x) is t."""
    pole: float | None = None
    """Where a finite x gives an exact infinity."""


FUNCTIONS: dict[str, Function] = {
    # Only 0 has an e^x of a few bits (Lindemann); near 1 it is above 1 for x > 0. e^x is never 0.
    "exp": Function(np.exp, side=np.sign),
    # Only 1 has a logarithm of a few bits. Elsewhere log x of a p-bit x is not within 2^-40 of a number of p + 1 bits.
    "log": Function(np.log, side=np.zeros_like, pole=0.0),
    # |tanh x| < |x|, so below t = x where x is tiny, and |tanh x| < 1: always on the side of zero.
    "tanh": Function(np.tanh, side=lambda x: -np.sign(x)),
}


def _decide(function: Function, x: Array, fmt: Format) -> Array:
    """float64 numbers that round to `fmt`, in every mode, as f(x) does."""
    with np.errstate(all="ignore"):
        y = np.asarray(function.evaluate(x))
        if fmt.precision > 11:
            return y
        unreal = np.isfinite(x) & ~np.isfinite(y) & ~np.isnan(y) & (x != function.pole)
        y = np.where(unreal, np.copysign(HUGE, y), y)
        side = function.side(x)
        y = np.where((y == 0) & (side != 0) & np.isfinite(x), np.copysign(SMALL, y), y)
        scale = fmt.trailing_bits + 1 - exponent(y)
        t = np.ldexp(np.rint(np.ldexp(y, scale)), -scale)
        near = (
            np.isfinite(x) & np.isfinite(y) & (np.abs(y - t) <= 2.0**-40 * np.abs(t)) & (y != 0) & (np.abs(y) > SMALL)
        )
        moved = np.where(side > 0, np.nextafter(t, np.inf), np.where(side < 0, np.nextafter(t, -np.inf), t))
        return np.where(near, moved, y)


def apply(name: str, x: Array, fmt: Format, mode: Rounding, rng: np.random.Generator | None, carrier: Any) -> Array:
    """An elementary function of an array whose values `fmt` holds; the result in `carrier`, flags reported."""
    function = FUNCTIONS[name]
    wide = x.astype(np.float64, copy=False)
    lifted = _decide(function, wide, fmt)
    tally = Tally(listening())
    tally.note("invalid", (np.isnan(lifted) & ~np.isnan(wide)).reshape(-1))
    if function.pole is not None:
        tally.note("divide_by_zero", (wide == function.pole).reshape(-1))
    return round_array(lifted, fmt, mode, rng, out=np.empty(x.shape, carrier), operation=name, tally=tally)


def _function(name: str, x: Any, fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Any:
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    source = lift(same_format(x, fmt))
    generator = as_generator(mode, rng)
    held = np.asarray(round_to(source, fmt, mode, rng=generator))
    return apply(name, held, fmt, mode, generator, carrier_for(fmt, source))[()]


def exp(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """e^x, correctly rounded in every mode for formats of up to 11 bits of precision; wider: float64's, rounded once.

    >>> import fp16sim as fs
    >>> fs.exp([0.0, 1.0, 11.0859375], "binary16")  # the next number's exponential overflows
    array([1.00000e+00, 2.71875e+00, 6.52480e+04])
    """
    return _function("exp", x, fmt, mode, rng)


def log(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The natural logarithm, correctly rounded in every mode for up to 11 bits; wider: float64's, rounded once.

    log(0) is -infinity (divide_by_zero), log of a negative number NaN (invalid).

    >>> import fp16sim as fs
    >>> fs.log([1.0, 10.0], "bfloat16")
    array([0.      , 2.296875])
    """
    return _function("log", x, fmt, mode, rng)


def tanh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The hyperbolic tangent, correctly rounded in every mode for up to 11 bits; wider: float64's, rounded once.

    >>> import fp16sim as fs
    >>> fs.tanh([0.5, 9.0], "binary16"), fs.tanh(9.0, "binary16", "toward_zero")
    (array([0.4621582, 1.       ]), np.float64(0.99951171875))
    """
    return _function("tanh", x, fmt, mode, rng)
