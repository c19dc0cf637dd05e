"""What the demos share: arrays that nobody changes, and formats given as one or as several."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..conversion import Array
from ..formats import Format, FormatLike, get_format


def frozen(x: Any) -> Array:
    """A copy of `x` as an array that cannot be written to: pictures and tests read the same numbers."""
    y = np.array(x)
    y.flags.writeable = False
    return y


def several(fmt: FormatLike) -> tuple[Format, ...]:
    """One format, or a list or tuple of them, as a tuple.

    >>> [f.name for f in several(("fp16", "bf16"))], len(several("half"))
    (['binary16', 'bfloat16'], 1)
    """
    return tuple(get_format(f) for f in (fmt if isinstance(fmt, (list, tuple)) else (fmt,)))


def relative(y: Any, truth: Any) -> Array:
    """abs(y - truth) / abs(truth) in binary64: a measurement, not a rounded step."""
    with np.errstate(all="ignore"):
        return np.abs(np.asarray(y, np.float64) - truth) / np.abs(truth)


def number(x: float) -> str:
    """A number for a title: at most five significant digits, thousands parted.

    >>> number(10000), number(7.0859375), number(0.0009765625), number(256.0)
    ('10,000', '7.0859', '0.00097656', '256')
    """
    if abs(x) < 1e9 and x == int(x):
        return f"{int(x):,}"
    return f"{x:.5g}"
