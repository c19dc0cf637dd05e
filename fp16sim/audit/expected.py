"""What is right, by fp16sim's fast paths; and the line of Python that says so for one input."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .. import arithmetic, elementary
from ..codes import decode
from ..formats import Format, Rounding, get_format
from ..rounding import round_to
from .inputs import COUNTS
from .subject import Array, Check


def right_answers(check: Check, columns: tuple[Any, ...]) -> Array:
    """The right values for columns of operands, as float64."""
    with np.errstate(all="ignore"):
        return np.asarray(_answer(check.task)(columns, check.fmt, check.mode), np.float64)


@lru_cache(maxsize=8)
def _of_function(name: str, fmt: Format, mode: Rounding) -> Callable[[Array], Array]:
    function: Callable[..., Array] = getattr(elementary, name)
    return lambda x: function(x, fmt, mode)


def _answer(task: str) -> Callable[[tuple[Any, ...], Format, Rounding], Any]:
    if task in COUNTS:
        return lambda columns, fmt, mode: getattr(arithmetic, task)(*columns, fmt, mode)
    if task in ("rounding", "parse", "integer", "longdouble"):
        return lambda columns, fmt, mode: round_to(_as_given(columns[0]), fmt, mode)
    if task == "decode":
        return lambda columns, fmt, mode: decode(columns[0], fmt)
    if task == "print":
        return lambda columns, fmt, mode: columns[0]
    return lambda columns, fmt, mode: _of_function(task, fmt, mode)(columns[0])


def _as_given(column: Any) -> Any:
    """Texts and integers as lists, which `round_to` reads one by one."""
    return list(column) if isinstance(column, tuple) else column


# --- one input ------------------------------------------------------------------------------------------------------


def written(x: Any) -> str:
    """A number as Python reads it; infinities and NaN as texts that every function here takes.

    >>> written(0.1), written(-0.0), written(float("inf")), written("0.1"), written(2**70)
    ('0.1', '-0.0', "'inf'", "'0.1'", '1180591620717411303424')
    """
    if isinstance(x, (str, int)):
        return repr(x)
    if isinstance(x, np.longdouble):
        return repr("/".join(map(str, x.as_integer_ratio())))
    x = float(x)
    return repr(x) if math.isfinite(x) else repr(str(x))


def line_of(check: Check, operands: tuple[Any, ...]) -> str:
    """One line of fp16sim that gives the right answer for one input."""
    mode = "" if check.mode is Rounding.TIES_TO_EVEN else f", {check.mode.value!r}"
    fmt = _format_written(check.fmt)
    if check.task == "decode":
        return f"fs.decode({check.fmt.hex_code(int(operands[0]))}, {fmt})"
    name = {
        "rounding": "round_to",
        "parse": "round_to",
        "integer": "round_to",
        "print": "round_to",
        "longdouble": "round_to",
    }
    given = ", ".join(map(written, operands))
    return f"fs.{name.get(check.task, check.task)}({given}, {fmt}{mode})"


def _format_written(fmt: Format) -> str:
    """Its name, if that says all about it."""
    try:
        if get_format(fmt.name) == fmt:
            return repr(fmt.name)
    except ValueError:
        pass
    return f"fs.Format(**{fmt.to_dict()!r})"
