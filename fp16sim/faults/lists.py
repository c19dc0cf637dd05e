"""Wrong sums, dot products and softmaxes: each takes columns of lists, a format and a mode; one thing is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import accumulators, arithmetic, elementary, reductions
from ..formats import Format, Rounding
from .roundings import Answer, right

Row = Callable[..., Any]


def _each(row: Row) -> Answer:
    """A function of one row of lists, applied to each row."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> list[Any]:
        with np.errstate(all="ignore"):
            return [row(*lists, fmt, mode) for lists in zip(*operands, strict=True)]

    return answer


def _wide(total: Callable[..., Any]) -> Row:
    """Computed by NumPy in float64, rounded at the end."""
    return lambda *given: float(right(np.asarray(total(*map(np.array, given[:-2]))), *given[-2:]))


def _raw(total: Callable[..., Any]) -> Row:
    """Computed by NumPy in float64 and never rounded."""
    return lambda *given: np.asarray(total(*map(np.array, given[:-2]))).tolist()


def _naive(x: Any) -> Any:
    e = np.exp(x)
    return e / e.sum()


def _sum_by(make: Callable[[Format, Rounding], accumulators.Accumulator]) -> Row:
    return lambda x, fmt, mode: float(reductions.sum(x, fmt, mode, accumulator=make(fmt, mode)))


def _dot_by(make: Callable[[Format, Rounding], accumulators.Accumulator]) -> Row:
    return lambda a, b, fmt, mode: float(reductions.dot(a, b, fmt, mode, accumulator=make(fmt, mode)))


def _sequential(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Sequential(fmt, mode)


def _pairwise(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Pairwise(fmt, mode)


def _binary32(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Sequential("binary32")


def _sum_backwards(x: Any, fmt: Format, mode: Rounding) -> float:
    return float(reductions.sum(x[::-1], fmt, mode))


def _sum_from_zero(x: Any, fmt: Format, mode: Rounding) -> float:
    return float(reductions.sum([0.0, *x], fmt, mode))


def _dot_from_zero(a: Any, b: Any, fmt: Format, mode: Rounding) -> float:
    products = np.asarray(arithmetic.multiply(a, b, fmt, mode), np.float64)
    return _sum_from_zero(products.tolist(), fmt, mode)


def _kahan_without_memory(x: Any, fmt: Format, mode: Rounding) -> float:
    """Kahan's loop with the compensation added where it should be subtracted."""
    total, lost = 0.0, 0.0
    for term in x:
        y = float(arithmetic.add(term, lost, fmt, mode))
        t = float(arithmetic.add(total, y, fmt, mode))
        lost = float(arithmetic.subtract(arithmetic.subtract(t, total, fmt, mode), y, fmt, mode))
        total = t
    return total


def _softmax(shift: bool, accumulator: str = "Sequential") -> Row:
    def row(x: Any, fmt: Format, mode: Rounding) -> list[float]:
        values = arithmetic.subtract(x, max(x), fmt, mode) if shift else x
        e = elementary.exp(values, fmt, mode)
        total = reductions.sum(e, fmt, mode, accumulator=getattr(accumulators, accumulator)(fmt, mode))
        return np.asarray(arithmetic.divide(e, total, fmt, mode)).tolist()

    return row


def softmax(x: Any, fmt: Format, mode: Rounding) -> list[float]:
    """The right softmax: the maximum is subtracted, each step is rounded, the sum goes from left to right."""
    return _softmax(True)(x, fmt, mode)


def _softmax_by_reciprocal(x: Any, fmt: Format, mode: Rounding) -> list[float]:
    e = elementary.exp(arithmetic.subtract(x, max(x), fmt, mode), fmt, mode)
    reciprocal = arithmetic.divide(1.0, reductions.sum(e, fmt, mode), fmt, mode)
    return np.asarray(arithmetic.multiply(e, reciprocal, fmt, mode)).tolist()


def _softmax_wide(x: Any, fmt: Format, mode: Rounding) -> list[float]:
    return right(_naive(np.array(x) - max(x)), fmt, mode).tolist()


LISTS: tuple[tuple[str, str, str, Answer], ...] = (
    ("pairwise", "sum", "adds the two halves, not one term after the other", _each(_sum_by(_pairwise))),
    ("float64", "sum", "adds in float64 and rounds once, at the end", _each(_wide(np.sum))),
    ("binary32", "sum", "adds in float32 and rounds once, at the end", _each(_sum_by(_binary32))),
    ("unrounded", "sum", "does not round at all", _each(_raw(np.sum))),
    ("backwards", "sum", "adds from the last term to the first", _each(_sum_backwards)),
    ("from_zero", "sum", "starts from +0: the sum of -0 alone is +0", _each(_sum_from_zero)),
    ("sequential", "pairwise_sum", "adds one term after the other", _each(_sum_by(_sequential))),
    ("float64", "pairwise_sum", "adds in float64 and rounds once, at the end", _each(_wide(np.sum))),
    ("sequential", "kahan_sum", "adds one term after the other: nothing is compensated", _each(_sum_by(_sequential))),
    ("wrong_sign", "kahan_sum", "adds the compensation with the wrong sign", _each(_kahan_without_memory)),
    ("float64", "kahan_sum", "adds in float64 and rounds once, at the end", _each(_wide(np.sum))),
    ("fused", "dot", "adds products that were not rounded, as fma does", _each(_dot_by(accumulators.Fused))),
    ("pairwise", "dot", "adds the two halves, not one term after the other", _each(_dot_by(_pairwise))),
    ("float64", "dot", "computes in float64 and rounds once, at the end", _each(_wide(np.dot))),
    ("binary32", "dot", "computes in float32 and rounds once, at the end", _each(_dot_by(_binary32))),
    ("unrounded", "dot", "does not round at all", _each(_raw(np.dot))),
    ("from_zero", "dot", "starts from +0: a sum of -0 alone is +0", _each(_dot_from_zero)),
    ("narrow", "mixed_dot", "accumulates in the narrow format", _each(_dot_by(_sequential))),
    ("float64", "mixed_dot", "computes in float64", _each(_wide(np.dot))),
    ("unshifted", "softmax", "does not subtract the maximum: exponentials overflow", _each(_softmax(False))),
    ("float64", "softmax", "computes in float64 and rounds once, at the end", _each(_softmax_wide)),
    ("unrounded", "softmax", "does not round at all", _each(_raw(lambda x: _naive(x - x.max())))),
    ("naive", "softmax", "neither rounds nor subtracts the maximum", _each(_raw(_naive))),
    ("reciprocal", "softmax", "rounds twice: multiplies by the rounded reciprocal", _each(_softmax_by_reciprocal)),
    ("pairwise", "softmax", "adds the exponentials pairwise", _each(_softmax(True, "Pairwise"))),
)
