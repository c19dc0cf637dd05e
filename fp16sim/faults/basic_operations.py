"""Wrong operations: each takes its operands, a format and a mode, and is wrong in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arithmetic.intermediates import LIFTED
from ..formats import Format, Rounding
from ..neighbours import ulp
from .roundings import Answer, Array, right


def _once(name: str, operands: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    """The right result of an operation."""
    return right(LIFTED[name](mode, *operands), fmt, mode)


def _where(find: Callable[..., Array], by: Callable[..., Any], name: str) -> Answer:
    """Right, except for operands that `find` finds: there `by` gives the answer."""
    return lambda ab, fmt, mode: np.where(find(*ab), by(*ab), _once(name, ab, fmt, mode))


def _exact_zero(a: Array, b: Array) -> Array:
    return (a + b == 0) & (a != 0)


def _no_guard_bits(ab: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    """The smaller operand loses all bits after the last bit of the larger one before they are added."""
    a, b = ab
    finite = np.isfinite(a) & np.isfinite(b)
    x, y = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    quantum = np.asarray(ulp(np.maximum(np.abs(x), np.abs(y)), fmt))
    total = np.trunc(x / quantum) * quantum + np.trunc(y / quantum) * quantum
    return np.where(finite & (x != 0) & (y != 0), right(total, fmt, mode), _once("add", ab, fmt, mode))


def _fma_in_two(abc: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    product = _once("multiply", abc[:2], fmt, mode)
    return _once("add", (product, abc[2]), fmt, mode)


def _by_reciprocal(ab: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    reciprocal = _once("divide", (np.ones_like(ab[1]), ab[1]), fmt, mode)
    return _once("multiply", (ab[0], reciprocal), fmt, mode)


def _in_float64(compute: Callable[..., Array]) -> Answer:
    """In float64, which rounds, and then rounded to the format."""
    return lambda operands, fmt, mode: right(compute(*operands), fmt, mode)


def _swapped(name: str) -> Answer:
    return lambda ab, fmt, mode: _once(name, (ab[1], ab[0]), fmt, mode)


def _flushes_operands(name: str) -> Answer:
    """The right operation on operands of which the subnormal ones are replaced by zeros."""

    def answer(operands: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
        flushed = (np.where(np.abs(x) < fmt.min_normal, np.copysign(0.0, x), x) for x in operands)
        return _once(name, tuple(flushed), fmt, mode)

    return answer


def _is_zero_times_infinity(a: Array, b: Array) -> Array:
    return ((a == 0) & np.isinf(b)) | (np.isinf(a) & (b == 0))


def _root_of_magnitude(x: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    return _once("sqrt", (np.abs(x[0]),), fmt, mode)


def _sum(ab: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    return _once("add", ab, fmt, mode)


def _opposite_infinities(a: Array, b: Array) -> Array:
    return np.isinf(a) & (a == -b)


def _pole(a: Array, b: Array) -> Array:
    return (b == 0) & np.isfinite(a) & (a != 0)


def _signed_infinity(a: Array, b: Array) -> Array:
    return np.copysign(np.inf, a)


def _zero_by_zero(a: Array, b: Array) -> Array:
    return (a == 0) & (b == 0)


def _minus_zero(a: Array) -> Array:
    return (a == 0) & np.signbit(a)


def _always(value: float) -> Callable[..., float]:
    return lambda *operands: value


OPERATIONS: tuple[tuple[str, str, str, Answer], ...] = (
    # name, operation, misconception, answer
    ("minus_zero_sum", "add", "gives -0 for x + (-x)", _where(_exact_zero, _always(-0.0), "add")),
    ("inf_minus_inf", "add", "gives 0 for inf - inf", _where(_opposite_infinities, _always(0.0), "add")),
    ("no_guard_bits", "add", "cuts off the smaller operand when it aligns: no guard or sticky bits", _no_guard_bits),
    ("float64_sum", "add", "rounds twice: adds in float64 first", _in_float64(np.add)),
    ("swapped", "subtract", "computes b - a", _swapped("subtract")),
    ("adds", "subtract", "adds", _sum),
    ("zero_times_inf", "multiply", "gives 0 for 0 * inf", _where(_is_zero_times_infinity, _always(0.0), "multiply")),
    ("swapped", "divide", "computes b / a", _swapped("divide")),
    ("by_reciprocal", "divide", "rounds twice: multiplies by the rounded reciprocal", _by_reciprocal),
    (
        "unsigned_pole",
        "divide",
        "divides by -0 as if it were +0",
        _where(_pole, lambda a, b: np.copysign(np.inf, a), "divide"),
    ),
    ("nan_for_pole", "divide", "gives NaN for x / 0", _where(lambda a, b: b == 0, _always(np.nan), "divide")),
    ("one_for_0_by_0", "divide", "gives 1 for 0 / 0", _where(_zero_by_zero, _always(1.0), "divide")),
    ("inf_for_0_by_0", "divide", "gives infinity for 0 / 0", _where(_zero_by_zero, _always(np.inf), "divide")),
    ("root_of_minus_zero", "sqrt", "gives NaN for the root of -0", _where(_minus_zero, _always(np.nan), "sqrt")),
    ("root_of_magnitude", "sqrt", "takes the root of the magnitude of a negative number", _root_of_magnitude),
    ("root_zero", "sqrt", "gives 0 for the root of a negative number", _where(lambda a: a < 0, _always(0.0), "sqrt")),
    ("two_roundings", "fma", "rounds twice: the product, and then the sum", _fma_in_two),
    ("float64_fma", "fma", "rounds twice: a * b + c in float64 first", _in_float64(lambda a, b, c: a * b + c)),
    *(
        ("flushes_operands", name, "treats subnormal operands as zero", _flushes_operands(name))
        for name in ("add", "subtract", "multiply", "divide", "sqrt", "fma")
    ),
)
