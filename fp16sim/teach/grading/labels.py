"""What a case is about, in words: the groups of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...codes import decode
from ...faults.roundings import right
from ...formats import Format, Rounding


def result_labels(x: Any, fmt: Format, of: str = "numbers") -> Sequence[str]:
    """What there is to decide when float64 values (exact, or to odd) are rounded to a format."""
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        magnitude = np.abs(x)
        low = right(magnitude, fmt, Rounding.TOWARD_ZERO)
        held = low == magnitude
        e = np.maximum(np.frexp(np.where(np.isfinite(magnitude), magnitude, 1.0))[1] - 1, fmt.emin)
        rest = np.ldexp(magnitude - np.where(np.isfinite(low), low, 0.0), fmt.trailing_bits - e)
        beside = ~held & (np.abs(rest - 0.5) < 2.0**-8) & (rest != 0.5)
    small = magnitude < fmt.min_normal
    names = np.select(
        [
            ~np.isfinite(x),
            x == 0,
            magnitude > fmt.max_finite,
            small & held,
            small,
            held,
            rest == 0.5,
            beside,
        ],
        [
            "infinities and NaN",
            "zeros",
            "beyond max_finite",
            "subnormal numbers",
            "between subnormals",
            f"{of} of the format" if of == "numbers" else "exact results",
            "ties",
            "just beside a tie",
        ],
        "between two numbers",
    )
    return [str(name) for name in names]


def code_labels(codes: Any, fmt: Format) -> Sequence[str]:
    """The classes of codes."""
    x = np.asarray(decode(codes, fmt))
    small = np.abs(x) < fmt.min_normal
    names = np.select(
        [np.isnan(x), np.isinf(x), x == 0, small], ["NaN", "infinities", "zeros", "subnormal numbers"], "normal numbers"
    )
    return [str(name) for name in names]
