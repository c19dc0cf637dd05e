"""An operation on single numbers, in Python's own floats: the same intermediates as those of arrays, then one rounding.

Like the rounders of `rounding.scalars`, these return None where the clear path has to decide: for what may raise an
exception, for unusual formats, and for the zeros whose sign the mode chooses.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from .. import flags
from ..formats import Format, Rounding
from ..rounding.scalars import carrier_of, no_number, plain_number, rounder
from .intermediates import EXACT_IN_FLOAT64, float64_is_enough

ScalarOperation: TypeAlias = Callable[..., "float | None"]
"""Takes values of a format, finite ones, and returns the rounded result; None for the clear path."""


def add_to_odd(a: float, b: float) -> float:
    """a + b rounded to odd, as `intermediates.add_to_odd`."""
    s = a + b
    part = s - a
    error = (a - (s - part)) + (b - part)
    if abs(error) > 0 and not int(math.ldexp(math.frexp(s)[0], 53)) & 1:
        return math.nextafter(s, math.copysign(math.inf, error))
    return s


LIFTED: dict[str, Callable[..., float | None]] = {
    "add": add_to_odd,
    "subtract": lambda a, b: add_to_odd(a, -b),
    "multiply": operator.mul,
    "divide": lambda a, b: a / b if b else None,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else None,
    "fma": lambda a, b, c: add_to_odd(a * b, c),
    "ieee_remainder": lambda a, b: math.remainder(a, b) if b else None,
    "fmod": lambda a, b: math.fmod(a, b) if b else None,
    "log_b": lambda a: math.frexp(a)[1] - 1.0 if a else None,
}
"""As `intermediates.LIFTED`, for finite operands."""

EXACT = {"add": operator.add, "subtract": operator.sub}
"""Where float64 holds every sum: multiples of min_subnormal below 2^(emax + 2), if these have 53 bits at most."""


def scalar_operation(name: str, fmt: Format, mode: Rounding) -> ScalarOperation:
    """An operation on values of a format, which the format keeps."""
    found: ScalarOperation | None = fmt.plans.get((name, mode))
    if found is None:
        found = fmt.plans[name, mode] = _make(name, fmt, mode)
    return found


@lru_cache(maxsize=1024)
def _make(name: str, fmt: Format, mode: Rounding) -> ScalarOperation:
    enough = name in EXACT_IN_FLOAT64 or float64_is_enough(fmt, mode)
    if name not in LIFTED or not enough or rounder(fmt, mode) is no_number:
        return no_number
    exact = fmt.emax + 2 - fmt.quantum_exponent_min <= 53 and EXACT.get(name)
    lifted, round_number = exact or LIFTED[name], rounder(fmt, mode)
    mode_signs_zero = mode is Rounding.TOWARD_NEGATIVE

    def operation(*operands: float) -> float | None:
        y = lifted(*operands)
        if y is None or (mode_signs_zero and not y):
            return None
        return round_number(y)

    return operation


def operate_on_numbers(name: str, numbers: tuple[Any, ...], fmt: Format, mode: Rounding) -> np.floating[Any] | None:
    """An operation on numbers of any type, each rounded to the format first; None for the clear path."""
    if flags.recording():
        return None
    round_number, operands, float32 = rounder(fmt, mode), [], False
    for x in numbers:
        kind = type(x)
        if kind is not float:
            x, float32 = plain_number(x), float32 or kind is np.float32
        operand = None if x is None else round_number(x)
        if operand is None:
            return None
        operands.append(operand)
    y = scalar_operation(name, fmt, mode)(*operands)
    return None if y is None else carrier_of(fmt, float32)(y)
