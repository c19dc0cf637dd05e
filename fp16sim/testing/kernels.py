"""The kernels: what each computes exactly, how its error is bounded, and what it gives bit for bit.

Each has an `exact` value, with the largest error that its algorithm can make (`derive`), and `compute`, which gives the
results of one accumulator and one order bit for bit. All steps are rounded to the accumulator's format, and the result
to the format of the call. The algorithms:

- sum, mean: terms are added; the sum is divided by n, or multiplied by the rounded reciprocal of n.
- dot, matmul: products are rounded, unless the accumulator fuses them or the format holds them, and added.
- softmax: d = x - max(x), e = exp(d), t = the sum of e; e / t, or e times the rounded reciprocal of t.
- layer_norm: m = mean(x), d = x - m, q = d * d, w = mean(q) + eps; d times 1 / sqrt(w), times weight, plus bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import arithmetic, elementary, reductions
from ..accumulators import Accumulator, Exact
from ..accumulators.alignment import stored_exponents
from ..conversion import Array
from ..formats import BINARY32, BINARY64, Format, Rounding
from ..rounding import round_to
from ..wording import quoted
from .balls import FLOAT64, Ball, Steps, final
from .sums import rounding_error, unit

UP = Rounding.TOWARD_POSITIVE


@dataclass(frozen=True)
class Call:
    """A call of a kernel: its operands as values of the format, with the axis that is reduced at the end."""

    operands: tuple[Array, ...]
    fmt: Format
    mode: Rounding
    n: int
    """Terms of each sum."""
    eps: float = 0.0


@dataclass(frozen=True)
class Kernel:
    """A kernel: how its error is bounded, and how it is computed.

    Parameters
    ----------
    operands : tuple of int
        The numbers of operands that it takes.
    derive : callable
        call, steps -> Ball before the last rounding.
    compute : callable
        call, accumulator, order of terms -> results; several, if its algorithm has variants.
    reduces : bool
        Whether an overflow can only give an infinity or a NaN: sums, but not what divides by them.
    matrix_units : bool
        Whether its sums may be those of matrix units.
    """

    operands: tuple[int, ...]
    derive: Callable[[Call, Steps], Ball]
    compute: Callable[[Call, Accumulator, Array], Iterator[Array]]
    reduces: bool = True
    matrix_units: bool = True


# --- sums of products ------------------------------------------------------------------------------------------------


def _columns(a: Array, b: Array) -> tuple[Array, Array]:
    """Operands of matmul as stacks of matrices."""
    return (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)


def _reference(a: Array, b: Array, call: Call, steps: Steps) -> tuple[Ball, Array]:
    """The products of matrices with the error of this value, and the sums of the magnitudes of their terms, rounded up.

    float64 has every product of two numbers of up to 26 bits, and its sums err by at most n u S in every order, as
    `sums` derives. That is enough beside sums in binary32. Else the sums are exact, and rounded once to float64.
    """
    if steps.how.exact or steps.fmt.precision > BINARY32.precision or call.fmt.precision > BINARY32.precision:
        value, total = _exactly(a, b, Rounding.TIES_TO_EVEN), _exactly(np.abs(a), np.abs(b), UP)
        return Ball(value, FLOAT64 * np.abs(value)), total
    value, total = np.asarray(a @ b), np.asarray(np.abs(a) @ np.abs(b)) * (1 + 2 * call.n * FLOAT64)
    return Ball(value, call.n * FLOAT64 * total), total


def _exactly(a: Array, b: Array, mode: Rounding) -> Array:
    return np.asarray(reductions.matmul(a, b, BINARY64, mode, accumulator="exact"), np.float64)


def _products_are_held(fmt: Format, how: Format) -> bool:
    """Whether the format of the sums holds every product of two numbers of `fmt`."""
    small = float(fmt.min_subnormal) ** 2 >= float(how.min_subnormal)
    return how.precision >= 2 * fmt.precision and small and float(fmt.max_finite) ** 2 <= float(how.max_finite)


def _matmul(call: Call, steps: Steps) -> Ball:
    (a, b), how = call.operands, steps.how
    exact, total = _reference(a, b, call, steps)
    radius = exact.radius
    if not (how.exact or how.path or _products_are_held(call.fmt, how.fmt)):
        lost = unit(how.fmt, how.mode) * total + call.n * rounding_error(np.zeros(()), how.fmt, how.mode)
        radius, total = radius + lost, total + lost
    top = _largest_exponents(a, b, call.fmt) if how.path else None
    return steps.summed(Ball(exact.value, radius), call.n, total, top)


def _largest_exponents(a: Array, b: Array, fmt: Format) -> Array:
    """A power of two that no product of the machine has a larger exponent than, for each result."""
    left, right = _columns(a, b)
    rows = stored_exponents(np.ascontiguousarray(left), fmt, None).max(axis=-1, initial=-4000)[..., :, None]
    columns = stored_exponents(np.ascontiguousarray(right), fmt, None).max(axis=-2, initial=-4000)[..., None, :]
    found = np.ldexp(1.0, np.clip(rows.astype(np.int64) + columns, -1000, 1000))
    found = found[..., 0, :] if a.ndim == 1 else found
    return found[..., 0] if b.ndim == 1 else found


def _compute_matmul(call: Call, how: Accumulator, order: Array) -> Iterator[Array]:
    a, b = call.operands
    left, right = a[..., order], b[order] if b.ndim == 1 else b[..., order, :]
    yield np.asarray(reductions.matmul(left, right, call.fmt, call.mode, accumulator=how))


# --- sums and means --------------------------------------------------------------------------------------------------


def _sum(call: Call, steps: Steps) -> Ball:
    (x,) = call.operands
    ones = np.ones(x.shape[-1])
    exact, total = _reference(x, ones, call, steps)
    top = _largest_exponents(x, ones, call.fmt) if steps.how.path else None
    return steps.summed(exact, call.n, total, top)


def _mean(call: Call, steps: Steps) -> Ball:
    total = _sum(call, steps)
    if steps.how.exact:  # rounded once, at the end
        return Ball(total.value / call.n, total.radius / call.n + FLOAT64 * np.abs(total.value / call.n))
    return steps.divide(total, _number(float(call.n), steps))


def _number(x: float, steps: Steps) -> Ball:
    """A number of the program, rounded to the format of the steps."""
    held = float(round_to(x, steps.fmt)) == x
    return Ball(np.array(x), np.array(0.0) if held else rounding_error(np.array(abs(x)), steps.fmt, steps.mode))


def _compute_sum(call: Call, how: Accumulator, order: Array) -> Iterator[Array]:
    yield np.asarray(reductions.sum(call.operands[0][..., order], call.fmt, call.mode, axis=-1, accumulator=how))


def _compute_mean(call: Call, how: Accumulator, order: Array) -> Iterator[Array]:
    (x,) = call.operands
    yield np.asarray(reductions.mean(x[..., order], call.fmt, call.mode, axis=-1, accumulator=how))
    if not isinstance(how, Exact):
        total = reductions.sum(x[..., order], how.fmt, how.mode, axis=-1, accumulator=how)
        reciprocal = arithmetic.divide(1.0, call.n, how.fmt, how.mode)
        product = arithmetic.multiply(total, reciprocal, how.fmt, how.mode)
        yield np.asarray(round_to(product, call.fmt, call.mode))


# --- softmax ---------------------------------------------------------------------------------------------------------


def _softmax(call: Call, steps: Steps) -> Ball:
    (x,) = call.operands
    exactly = _held(x)
    largest = _held(x.max(axis=-1, keepdims=True))
    e = steps.exponential(steps.subtract(exactly, largest))
    total = steps.total(e, call.n)
    return replace(steps.divide(e, total), up=total.up, down=False)


def _held(x: Array) -> Ball:
    return Ball(x, np.zeros_like(x))


def _compute_softmax(call: Call, how: Accumulator, order: Array) -> Iterator[Array]:
    (x,), (fmt, mode) = call.operands, (how.fmt, how.mode)
    e = elementary.exp(arithmetic.subtract(x, x.max(axis=-1, keepdims=True), fmt, mode), fmt, mode)
    total = np.expand_dims(reductions.sum(e[..., order], fmt, mode, axis=-1, accumulator=how), -1)
    yield np.asarray(round_to(arithmetic.divide(e, total, fmt, mode), call.fmt, call.mode))
    reciprocal = arithmetic.divide(1.0, total, fmt, mode)
    yield np.asarray(round_to(arithmetic.multiply(e, reciprocal, fmt, mode), call.fmt, call.mode))


# --- layer normalisation ----------------------------------------------------------------------------------------------


def _layer_norm(call: Call, steps: Steps) -> Ball:
    x, *affine = call.operands
    count = _number(float(call.n), steps)
    mean = steps.divide(steps.total(_held(x), call.n), count)
    d = steps.subtract(_held(x), mean)
    variance = steps.divide(steps.total(_squares(d, mean.radius, steps), call.n), count)
    y = steps.multiply(d, steps.reciprocal_root(steps.add(variance, _number(call.eps, steps))))
    if affine:
        y = steps.multiply(y, _held(affine[0]))
    return steps.add(y, _held(affine[1])) if len(affine) > 1 else y


def _squares(d: Ball, shift: Array, steps: Steps) -> Ball:
    """The squares of the deviations, whose radii are those of their sum.

    Of the error of d, `shift` is common to all: the error c of the mean. The deviations sum to 0, so the sum of
    (d - c)^2 differs from that of d^2 by n c^2 only: the share of a term is c^2, not 2 d c.
    """
    own = d.radius - shift
    propagated = shift**2 + 2 * (np.abs(d.value) + shift) * own + own**2
    squared = steps.rounded((np.abs(d.value) + d.radius) ** 2, np.zeros_like(d.value), (d,))
    return Ball(d.value**2, propagated + squared.radius, squared.up, False)


def _compute_layer_norm(call: Call, how: Accumulator, order: Array) -> Iterator[Array]:
    (x, *affine), (fmt, mode) = call.operands, (how.fmt, how.mode)

    def mean(terms: Array) -> Array:
        return np.expand_dims(reductions.mean(terms[..., order], fmt, mode, axis=-1, accumulator=how), -1)

    d = np.asarray(arithmetic.subtract(x, mean(x), fmt, mode))
    squares = np.asarray(arithmetic.multiply(d, d, fmt, mode))
    w = arithmetic.add(mean(squares), round_to(call.eps, fmt, mode), fmt, mode)
    root = arithmetic.sqrt(w, fmt, mode)
    yield _affine(arithmetic.divide(d, root, fmt, mode), affine, call, how)
    reciprocals = (elementary.rsqrt(w, fmt, mode), arithmetic.divide(1.0, root, fmt, mode))
    yield from (_affine(arithmetic.multiply(d, r, fmt, mode), affine, call, how) for r in reciprocals)


def _affine(y: Any, affine: list[Array], call: Call, how: Accumulator) -> Array:
    if affine:
        y = arithmetic.multiply(y, affine[0], how.fmt, how.mode)
    if len(affine) > 1:
        y = arithmetic.add(y, affine[1], how.fmt, how.mode)
    return np.asarray(round_to(y, call.fmt, call.mode))


KERNELS: dict[str, Kernel] = {
    "matmul": Kernel((2,), _matmul, _compute_matmul),
    "dot": Kernel((2,), _matmul, _compute_matmul),
    "sum": Kernel((1,), _sum, _compute_sum),
    "mean": Kernel((1,), _mean, _compute_mean, matrix_units=False),
    "softmax": Kernel((1,), _softmax, _compute_softmax, reduces=False, matrix_units=False),
    "layer_norm": Kernel((1, 2, 3), _layer_norm, _compute_layer_norm, reduces=False, matrix_units=False),
}
"""The kernels by name."""


def derived(kernel: Kernel, call: Call, steps: Steps) -> Ball:
    """The exact results, and how far those of a kernel with these additions may be from them."""
    with np.errstate(all="ignore"):
        before = kernel.derive(call, steps)
        rounds_again = steps.fmt != call.fmt or (steps.how.exact and kernel.reduces)
        return final(before, call.fmt, call.mode) if rounds_again else before


def checked_eps(eps: float) -> float:
    """eps of layer_norm."""
    if isinstance(eps, bool) or not isinstance(eps, (int, float, np.floating)) or not 0 <= eps < np.inf:
        raise ValueError(f"eps={quoted(eps)} is not a small positive number; use one such as 1e-5")
    return float(eps)
