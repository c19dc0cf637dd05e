"""Helpers of the demos: arrays that cannot change, relative errors, and formats in which one can compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..conversion import Array
from ..formats import Format, FormatLike, get_format


def frozen(x: npt.ArrayLike) -> Array:
    """A copy of `x` as an array that cannot be written to: pictures and tests read the same numbers."""
    y: Any = np.array(x)
    y.flags.writeable = False
    return y


def error_text(error: float, digits: int = 2) -> str:
    """A relative error in percent. It is not a share of 1, so `wording.percent` is not for it.

    >>> error_text(0.086), error_text(2.0**-24), error_text(2.0**-11, digits=3), error_text(0.997), error_text(12.0)
    ('8.6%', '6e-06%', '0.0488%', '100%', '1,200%')
    """
    rounded = float(f"{100 * error:.{digits}g}")
    return f"{rounded:,.0f}%" if rounded >= 100 else f"{rounded:.{digits}g}%"


def relative(y: npt.ArrayLike, truth: Array | float) -> Array:
    """abs(y - truth) / abs(truth) in binary64: a measurement, not a rounded step."""
    with np.errstate(all="ignore"):
        return np.abs(np.asarray(y, np.float64) - truth) / np.abs(truth)


def format_reaching(largest: float, fmt: FormatLike) -> Format:
    """The format, if one can compute with numbers up to `largest` in it; else ValueError."""
    fmt = get_format(fmt)
    if not fmt.signed or fmt.precision < 2:
        raise ValueError(
            f"fmt={fmt.name} has {'one digit only' if fmt.signed else 'no negative numbers'}, and this picture "
            "computes with differences; use a signed format of two digits or more"
        )
    if not fmt.saturate and fmt.max_finite < largest:
        raise ValueError(
            f"fmt={fmt.name} ends at {float(fmt.max_finite):g}, and this picture needs numbers up to {largest:g}; "
            "use a format with more exponent bits, or saturate=true"
        )
    return fmt
