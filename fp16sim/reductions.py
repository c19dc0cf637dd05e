"""sum, dot, matmul, mean, norm, cumsum: every step rounded, by the accumulator of your choice.

Operands are of the format; the accumulator adds them in its own, which may be wider; the result is rounded to the
format once more where the two differ. The default is `Sequential(fmt, mode)`: one term after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import exact
from .accumulators import Accumulator, AccumulatorLike, Exact, resolve, unit_for_blocks
from .accumulators.base import Steps, axis_first
from .arithmetic import multiply
from .blocks import BlockArray
from .conversion import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from .flags import Indices
from .formats import BINARY32, Format, FormatLike, Rounding, Subnormals, get_format, get_rounding
from .rounding import round_array, round_if_needed, round_to


class Reduction(NamedTuple):
    """One call of a reduction: what its result is rounded to, and the accumulator with its operations."""

    label: str
    fmt: Format
    mode: Rounding
    rng: Generator
    accumulator: Accumulator
    carrier: Any
    """The dtype of the result."""
    steps: Steps
    """The operations of the accumulator, whose format may need a wider carrier."""

    def result(self, y: Array) -> Array:
        """The reduction's result from that of the accumulator, with its exceptions reported."""
        return self.steps.done(self.rounded(y))

    def rounded(self, y: Array) -> Array:
        """A sum of the accumulator, rounded to the format of the call where that is another."""
        if self.accumulator.fmt == self.fmt:
            y = np.asarray(y, self.carrier)
            return y if self.fmt.has_negative_zero else y + y.dtype.type(0)  # -0 + 0 is 0
        y = np.asarray(y)
        ours = y.dtype == self.carrier and y.flags.owndata and y.flags.c_contiguous  # not a view of an operand
        out = y if ours else np.empty(y.shape, self.carrier)
        return round_array(y, self.fmt, self.mode, self.rng, out=out, operation=self.label, tally=self.steps.tally)


def start_reduction(
    label: str,
    values: Sequence[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    accumulator: AccumulatorLike | None,
) -> tuple[Reduction, list[Array]]:
    """A call for arrays of values of the format, and these arrays as the accumulator takes them."""
    check_hardware()
    accumulator = resolve(accumulator, fmt, mode, rng)
    own, carrier = accumulator.fmt, np.result_type(*values)
    steps = accumulator.steps(label, carrier if own.fits_in(BINARY32) else np.float64)
    if own == fmt or (own.subnormals is Subnormals.GRADUAL and not own.saturate):
        operands = [x.astype(steps.carrier, copy=False) for x in values]
    else:  # A wider format may still change its operands: it may flush subnormals.
        operands = [accumulator.operand(x, steps) for x in values]
    return Reduction(label, fmt, mode, rng, accumulator, carrier, steps), operands


def _start(
    label: str,
    operands: Sequence[Any],
    fmt: FormatLike,
    mode: Rounding | str,
    rng: Seed,
    accumulator: AccumulatorLike | None,
) -> tuple[Reduction, list[Array]]:
    """The same for anything that can be rounded."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    sources = [lift(same_format(x, fmt)) for x in operands]
    carrier = carrier_for(fmt, *sources)
    values = [np.asarray(round_if_needed(x, fmt, mode, generator), carrier) for x in sources]
    return start_reduction(label, values, fmt, mode, generator, accumulator)


def sum(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The sum of the elements: every partial sum correctly rounded, in the accumulator's order.

    Parameters
    ----------
    x : array_like
    fmt, mode, rng
        As for `round_to`.
    axis : int, optional
        The axis to sum over; by default all elements, in C order.
    accumulator : Accumulator or str, optional
        Of `fp16sim.accumulators`, or its name, such as "kahan" or "sequential:binary32" (see `accumulators.parse`). By
        default `Sequential(fmt, mode)`: one term after the other, starting from the first.

    Returns
    -------
    ndarray or scalar
        +0 if there are no elements.

    Raises
    ------
    ValueError
        For an axis that x does not have, an unknown name, or an accumulator that is narrower than the format.

    Notes
    -----
    Fast paths add a few long sums (or dot products) term by term: a term takes some 10 ns in binary16, binary32 and
    binary64 to nearest, 60 ns in other formats to nearest, and about 1 us in the other modes. While `record_flags`
    listens for inexact or underflow, it takes a few times as much, and in stochastic modes 10 to 100 us, as where there
    is no fast path: formats of more than 24 bits of precision (20 in stochastic modes) but binary64 to nearest, of one
    bit, and without a sign or zero. Of many sums at once, each term takes less. If x is a float32 array of values of
    the format, a sequential sum needs less than 2 MiB besides it.

    Examples
    --------
    >>> import fp16sim as fs
    >>> ones = [1.0] * 3000
    >>> fs.sum(ones, "binary16")  # 2048 + 1 is 2048
    np.float64(2048.0)
    >>> fs.sum(ones, "binary16", accumulator="pairwise"), fs.sum(ones, "binary16", accumulator=fs.accumulators.Exact())
    (np.float64(3000.0), np.float64(3000.0))
    """
    call, (values,) = _start("sum", [x], fmt, mode, rng, accumulator)
    return call.result(call.accumulator.sum_terms(axis_first(values, axis), call.steps))[()]


def cumsum(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The partial sums: element k is `sum` of the first k + 1 elements by the same accumulator.

    Parameters and errors as for `sum`; without an axis the result is flat. Blas adds one term after the other.

    Notes
    -----
    n partial sums take a number of steps proportional to n, and n^1.5 in pairs. But Pairwise, Blocked and TensorCore
    take each sum from its start, n^2 steps in all, in "stochastic" mode, and while `record_flags` counts exceptions:
    the recorded ones are those of all steps of each sum.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.cumsum([2046.0, 1.0, 1.0, 1.0, 1.0], "binary16")
    array([2046., 2047., 2048., 2048., 2048.])
    """
    call, (values,) = _start("cumsum", [x], fmt, mode, rng, accumulator)
    terms = axis_first(values, axis)
    # The sums have the axis in front; the index of an exception is that in the result, where it is back in its place.
    call = call._replace(steps=call.steps.placed(partial(_moved_back, terms.shape, axis or 0)))
    y = call.rounded(call.accumulator.partial_sums(terms, call.steps))
    return call.steps.done(y if axis is None else np.moveaxis(y, 0, axis))


def _moved_back(shape: tuple[int, ...], axis: int, indices: Indices) -> Indices:
    """Flat indices in an array of this shape, after its first axis was moved to `axis`."""
    first, *rest = np.unravel_index(indices, shape)
    lengths = list(shape[1:])
    rest.insert(axis if axis >= 0 else axis + len(shape), first)
    lengths.insert(axis if axis >= 0 else axis + len(shape), shape[0])
    return np.ravel_multi_index(rest, lengths)


def mean(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The sum divided by the number of elements: sum, count and quotient rounded in the accumulator's format.

    `Exact()` gives the exact mean, rounded once. Parameters and errors as for `sum`; the mean of nothing is NaN (0/0).

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.mean([1.0] * 3000, "binary16")  # 2048 / 3000
    np.float64(0.6826171875)
    """
    call, (values,) = _start("mean", [x], fmt, mode, rng, accumulator)
    terms, steps = axis_first(values, axis), call.steps
    if isinstance(call.accumulator, Exact) and len(terms):
        y = call.accumulator.reduce_exactly(terms, None, None, steps, lambda total: total / len(terms))
        return call.result(y)[()]
    total, count = call.accumulator.sum_terms(terms, steps), steps.round(len(terms))
    return call.result(steps.operate("divide", total, count))[()]


def norm(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The Euclidean norm: the root of the sum of squares, every square, sum and the root rounded; no scaling.

    Squares overflow and underflow where they do in a naive program; `Exact()` gives the exact norm, rounded once.
    Parameters and errors as for `sum`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.norm([3.0, 4.0], "binary16"), fs.norm([2.0**-14, 2.0**-14], "binary16")
    (np.float64(5.0), np.float64(0.0))
    """
    call, (values,) = _start("norm", [x], fmt, mode, rng, accumulator)
    terms, steps = axis_first(values, axis), call.steps
    if isinstance(call.accumulator, Exact) and len(terms):
        return call.result(call.accumulator.reduce_exactly(terms, terms, None, steps, exact.sqrt_to_odd))[()]
    squares = call.accumulator.reduce_products(terms, terms, None, steps)
    return call.result(steps.operate("sqrt", np.asarray(squares)))[()]


def dot(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The dot product along the last axis of `a` and the last but one of `b`: as `matmul`, but scalars multiply.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.dot([1.0, 1.0], [2048.0, 1.0], "binary16")
    np.float64(2048.0)
    >>> fs.dot([1.0, 1.0], [2048.0, 1.5], "binary16", accumulator="sequential:binary32")
    np.float64(2050.0)
    """
    call, (left, right) = _start("dot", [a, b], fmt, mode, rng, accumulator)
    if not left.ndim or not right.ndim:
        return Steps(call.fmt, call.mode, call.rng, call.carrier, "dot").multiply(left, right)[()]
    return _matmul(call, left, right)[()]


def matmul(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Any:
    """The matrix product: every product and every partial sum correctly rounded, in the accumulator's order.

    Parameters
    ----------
    a, b : array_like
        Of shapes (..., m, k) and (..., k, n), or one-dimensional as in `numpy.matmul`. Of a BlockArray, each element
        times its block's scale is a factor, and the tensor scales multiply the sum: one more rounding, as in hardware.
        Two BlockArrays of one kind are multiplied by a machine that knows such blocks ("blackwell") as it does it.
    fmt, mode, rng
        As for `round_to`.
    accumulator : Accumulator or str, optional
        As for `sum`. "sequential:binary32" is the usual mixed product, "blas" the same, fast, in an order that is not
        defined, and "volta" that of a tensor core.

    Returns
    -------
    ndarray or scalar

    Raises
    ------
    ValueError
        For shapes that do not match, an unknown name, or an accumulator that is narrower than the format.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.matmul([[1.0, 2.0]], [[0.1], [1000.0]], "binary16")
    array([[2000.]])
    """
    tensor, unit = tensor_factor(a, b), unit_for_blocks(accumulator, a, b)
    if tensor is not None or unit is not None:
        generator = as_generator(get_rounding(mode), rng)
        if unit is not None:
            sums = round_to(unit.product_of_blocks(a, b), fmt, mode, rng=generator)
        else:
            left, right = (x.without_tensor_scale if isinstance(x, BlockArray) else x for x in (a, b))
            sums = matmul(left, right, fmt, mode, accumulator=accumulator, rng=generator)
        return sums if tensor is None else multiply(sums, tensor, fmt, mode, rng=generator)
    call, (left, right) = _start("matmul", [a, b], fmt, mode, rng, accumulator)
    return _matmul(call, left, right)[()]


def tensor_factor(a: Any, b: Any) -> np.float64 | None:
    """The product of the tensor scales of two operands, exact; None if neither has one."""
    scales = [x.tensor_scale for x in (a, b) if isinstance(x, BlockArray) and x.tensor_scale is not None]
    return np.prod(scales, dtype=np.float64) if scales else None


def _matmul(call: Reduction, a: Array, b: Array) -> Array:
    """The matrix product of values of the format, with NumPy's rules for shapes."""
    if not a.ndim or not b.ndim:
        raise ValueError(f"a.shape={a.shape} and b.shape={b.shape}: a scalar has no rows; use multiply")
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape}: {left.shape[-1]} columns do not meet {right.shape[-2]} rows; "
            "make the last axis of a as long as the last but one of b"
        )
    if left.ndim > 2 or right.ndim > 2:
        batch = _batch(a, b, left, right)
        left, right = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (left, right))
    y = call.rounded(call.accumulator.matrix_product(left, right, call.steps))
    y = y[..., 0, :] if a.ndim == 1 else y
    return call.steps.done(y[..., 0] if b.ndim == 1 else y)


def _batch(a: Array, b: Array, left: Array, right: Array) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape}: the leading axes do not broadcast; make them equal or 1"
        ) from None


def sum_values(
    x: Array,
    axis: int | None,
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    accumulator: AccumulatorLike | None = None,
) -> Array:
    """`sum` of values of the format: for FloatArray."""
    call, (terms,) = start_reduction("sum", [x], fmt, mode, rng, accumulator)
    return call.result(call.accumulator.sum_terms(axis_first(terms, axis), call.steps))


def matmul_values(
    a: Array, b: Array, fmt: Format, mode: Rounding, rng: Generator, accumulator: AccumulatorLike | None = None
) -> Array:
    """`matmul` of values of the format: for FloatArray."""
    call, (left, right) = start_reduction("matmul", [a, b], fmt, mode, rng, accumulator)
    return _matmul(call, left, right)
