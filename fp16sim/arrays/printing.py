"""Arrays as text: NumPy's layout and print options; each element is the shortest text that is read as its value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..conversion import Array
from ..formats import Format
from ..text import to_text

NUMPY_PRECISION = 8
"""NumPy's default `precision`: while it is unchanged, elements are printed with all digits that they need."""


def array_text(values: Array, fmt: Format, separator: str = " ", prefix: str = "", suffix: str = "") -> str:
    """The elements of an array of a format, in brackets; columns are aligned if there are rows.

    NumPy's print options threshold, edgeitems, linewidth, nanstr, infstr and formatter have their usual meaning. With
    the default `precision` of 8 every text reads back as its element. Another `precision` leaves at most that many
    digits after the point (of the exact value, rounded), unless floatmode is "unique".

    Examples
    --------
    >>> from fp16sim import BINARY16
    >>> x = np.array([[0.0999755859375, 65504.0], [1.0, np.inf]])
    >>> print(array_text(x, BINARY16))
    [[  0.1 65500]
     [    1   inf]]
    >>> with np.printoptions(precision=1):
    ...     print(array_text(np.array([3.140625, 2.0**-24]), BINARY16))
    [3.1 6e-08]
    """
    options = dict(np.get_printoptions())
    layout: Any = {"separator": separator, "prefix": prefix, "suffix": suffix}
    if options["formatter"]:
        return np.array2string(values, **layout)
    element = _element(fmt, options)
    widest = 0

    def aligned(x: Any) -> str:
        nonlocal widest
        text = element(x).rjust(widest)
        widest = max(widest, len(text)) if values.ndim > 1 else 0
        return text

    # The first pass finds the width of the columns, for those elements that NumPy shows.
    for _ in range(min(2, values.ndim)):
        text = np.array2string(values, formatter={"float_kind": aligned}, **layout)
    return text if values.ndim else element(values[()])


def _element(fmt: Format, options: dict[str, Any]) -> Callable[[Any], str]:
    digits = options["precision"]
    every_digit = digits in (None, NUMPY_PRECISION) or options["floatmode"] == "unique"

    def text(x: Any) -> str:
        if math.isnan(x):
            return str(options["nanstr"])
        if math.isinf(x):
            return ("-" if x < 0 else "") + str(options["infstr"])
        shortest = to_text(float(x), fmt)
        return shortest if every_digit else _shortened(digits, shortest, float(x))

    return text


def _shortened(digits: int, shortest: str, x: float) -> str:
    """The shortest text; x rounded, if that text has more than `digits` digits after the point."""
    significand, e, _ = shortest.partition("e")
    if len(significand.partition(".")[2]) <= digits:
        return shortest
    significand, e, tail = f"{x:.{digits}{e or 'f'}}".partition("e")
    return (significand.rstrip("0").rstrip(".") if "." in significand else significand) + e + tail
