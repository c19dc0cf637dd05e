"""Differences in ulp: how many units in the last place of a format lie between two results."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..conversion import Array
from ..formats import Format, FormatLike
from ..neighbours import ulp
from ..wording import quoted
from .given import format_of, numbers_of


def ulp_difference(got: Any, expected: Any, fmt: FormatLike = "binary16") -> Any:
    """How far results are from what is expected, in ulp of the format at the expected number; exact where it is small.

    Parameters
    ----------
    got, expected : array_like
        Arrays that broadcast. `expected` need not consist of numbers of the format.
    fmt : Format, str or dtype
        Its ulp is the unit; float64 holds its numbers.

    Returns
    -------
    ndarray or scalar of float64
        0 for equal numbers, the two zeros and two NaNs; infinity if one of the two is NaN or infinite alone.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.testing.ulp_difference([1.0, 2050.0, np.nan], [1.0, 2048.5, 1.0], "binary16")
    array([0.  , 0.75,  inf])
    """
    fmt = format_of(fmt)
    return in_ulp(numbers_of(got, fmt, "got"), numbers_of(expected, fmt, "expected"), fmt)[()]


def in_ulp(got: Array, expected: Array, fmt: Format) -> Array:
    """`ulp_difference` of float64 arrays."""
    with np.errstate(all="ignore"):
        finite = np.isfinite(expected)
        away = np.abs(got - expected) / np.asarray(ulp(np.where(finite, expected, 0.0), fmt))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    return np.where(same, 0.0, np.where(finite & np.isfinite(got), away, np.inf))


def within_ulps(got: Any, expected: Any, ulps: float, fmt: FormatLike = "binary16") -> Any:
    """Whether results are at most so many ulp from what is expected: `ulp_difference(...) <= ulps`, element by element.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.testing.within_ulps([1.0, 2050.0], [1.0, 2048.5], 0.5, "binary16")
    array([ True, False])
    """
    if isinstance(ulps, bool) or not isinstance(ulps, (int, float, np.integer, np.floating)) or not ulps >= 0:
        raise ValueError(f"ulps={quoted(ulps)} is not a distance; give a number that is 0 or more, such as 0.5")
    return ulp_difference(got, expected, fmt) <= ulps
