"""Wrong sums, dot products and softmaxes: each takes columns of lists, a format and a mode, and errs in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import accumulators, arithmetic, elementary, reductions
from ..formats import Format, Rounding
from .roundings import right

Row = Callable[..., Any]


def _each(row: Row) -> Callable[[tuple[Any, ...], Format, Rounding], list[Any]]:
    """An answer for columns of lists from one for a row."""

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
    """The softmax that the others err about: shifted by the maximum, each step rounded, one term after the other."""
    return _softmax(True)(x, fmt, mode)


def _softmax_by_reciprocal(x: Any, fmt: Format, mode: Rounding) -> list[float]:
    e = elementary.exp(arithmetic.subtract(x, max(x), fmt, mode), fmt, mode)
    reciprocal = arithmetic.divide(1.0, reductions.sum(e, fmt, mode), fmt, mode)
    return np.asarray(arithmetic.multiply(e, reciprocal, fmt, mode)).tolist()


def _softmax_wide(x: Any, fmt: Format, mode: Rounding) -> list[float]:
    return right(_naive(np.array(x) - max(x)), fmt, mode).tolist()


_STOCHASTIC = "goes up where u is less than one minus the fraction: the two probabilities are swapped"


def _stochastically(up: Callable[[Any, Any, Any], Any]) -> Callable[[tuple[Any, ...], Format, Rounding], Any]:
    """Either neighbour of x, as up(fraction of the way from zero, u, negative) decides."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Any:
        x, u = (np.asarray(column, np.float64) for column in operands)
        near, far = right(x, fmt, Rounding.TOWARD_ZERO), np.copysign(right(np.abs(x), fmt, Rounding.TOWARD_POSITIVE), x)
        with np.errstate(all="ignore"):
            gap = np.where(np.isinf(far), np.ldexp(1.0, fmt.emax - fmt.trailing_bits), np.abs(far - near))
            fraction = np.where(gap > 0, np.abs(x - near) / np.where(gap > 0, gap, 1.0), 0.0)
        inexact = np.isfinite(x) & (fraction > 0)
        return np.where(inexact & up(fraction, u, np.signbit(x)), far, np.where(inexact, near, right(x, fmt, mode)))

    return answer


LISTS: tuple[tuple[str, str, str, Any], ...] = (
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
    ("swapped", "stochastic", _STOCHASTIC, _stochastically(lambda f, u, negative: u < 1 - f)),
    ("nearest", "stochastic", "ignores u", _stochastically(lambda f, u, negative: f > 0.5)),
    (
        "coin",
        "stochastic",
        "tosses a coin, whatever the distance",
        _stochastically(lambda f, u, negative: u < 0.5),
    ),
    (
        "upward",
        "stochastic",
        "measures the fraction from the number below: wrong for negative numbers",
        _stochastically(lambda f, u, negative: np.where(negative, u >= 1 - f, u < f)),
    ),
)
