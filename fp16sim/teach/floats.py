"""The strategy that the others are made from: numbers of a format."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..formats import BINARY64, FormatLike, get_format
from . import bounds
from .drawing import numbers, width


def floats(
    fmt: FormatLike = "binary16",
    min_value: Any = None,
    max_value: Any = None,
    *,
    allow_nan: bool | None = None,
    allow_infinity: bool | None = None,
    allow_subnormal: bool | None = None,
    exclude_min: bool = False,
    exclude_max: bool = False,
) -> st.SearchStrategy[Any]:
    """Numbers of a format, exactly.

    Parameters
    ----------
    fmt : Format, str or dtype
        Any format; of one that binary64 does not hold, Fractions are drawn.
    min_value, max_value : number or text, optional
        Bounds, included; they must be numbers of the format. A bound of 0.0 excludes -0.0, as in Hypothesis.
    allow_nan, allow_infinity, allow_subnormal : bool, optional
        By default whatever the format has and the bounds do not rule out. NaN comes with all payloads and signs.
    exclude_min, exclude_max : bool
        Leave the bounds themselves out.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        For arguments that contradict each other or the format.

    Notes
    -----
    Shrinks to 0, then to 1, and to n * 2^q with small odd n and q near 0; finite before infinity, and infinity before
    NaN.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(floats("binary16"), lambda x: x > 2048)
    4096.0
    """
    fmt = get_format(fmt)
    what = bounds.allowed(
        fmt, min_value, max_value, allow_nan, allow_infinity, allow_subnormal, exclude_min, exclude_max
    )
    return numbers(what).map(float if fmt.fits_in(BINARY64) else _same)


def _same(value: Any) -> Any:
    return value


def below(count: int) -> st.SearchStrategy[int]:
    """Integers of [0, count), drawn evenly."""
    size = width(count)
    return st.binary(min_size=size, max_size=size).map(lambda data: int.from_bytes(data, "big") % count)
