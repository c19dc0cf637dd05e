"""sum, dot, matmul, mean, norm, cumsum: every step rounded, by the accumulator of your choice.

Operands are of the format; the accumulator adds them up in its own, which may be wider; the result is rounded to the
format once more where the two differ. The default is `Sequential(fmt, mode)`: one term after the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import exact
from .accumulators import Accumulator, Exact, Sequential
from .accumulators.base import Steps, along, finish, resolve
from .arithmetic import operate
from .conversion import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from .formats import BINARY32, Format, FormatLike, Rounding, Subnormals, get_format, get_rounding
from .rounding import round_if_needed


class Call:
    """One call of a reduction: its format, mode and random numbers, and the accumulator bound to them."""

    def __init__(
        self, label: str, fmt: FormatLike, mode: Rounding | str, rng: Seed | Generator, accumulator: Accumulator | None
    ) -> None:
        check_hardware()
        self.label, self.fmt, self.mode = label, get_format(fmt), get_rounding(mode)
        self.rng = as_generator(self.mode, rng)
        if accumulator is None:
            accumulator = Sequential(self.fmt, self.mode, self.rng)
        resolve(accumulator, self.fmt.name)
        self.accumulator = accumulator.bound(self.fmt, self.mode, self.rng)

    def operands(self, *values: Any) -> list[Array]:
        """The values, rounded to the format where it does not hold them; in the carrier of the accumulator's steps."""
        sources = [lift(same_format(x, self.fmt)) for x in values]
        self.carrier = carrier_for(self.fmt, *sources)
        rounded = [round_if_needed(s, self.fmt, self.mode, self.rng) for s in sources]
        return self.held(*(np.asarray(x, self.carrier) for x in rounded))

    def held(self, *values: Array) -> list[Array]:
        """Values that the format holds, in the carrier of the accumulator's steps."""
        self.carrier = np.result_type(*values)
        steps, own = self.steps(), self.accumulator.fmt
        if own == self.fmt or (own.subnormals is Subnormals.GRADUAL and not own.saturate):
            return [x.astype(steps.carrier, copy=False) for x in values]
        # No further rounding, but whatever else the accumulator's format does to operands: it may flush subnormals.
        return [self.accumulator.operand(x, steps) for x in values]

    def steps(self) -> Steps:
        """The operations of the accumulator, whose format may need a wider carrier."""
        fits = self.accumulator.fmt.fits_in(BINARY32)
        carrier = self.carrier if fits else np.float64
        return self.accumulator.steps(self.label, carrier)

    def finish(self, y: Array) -> Array:
        """A sum of the accumulator, in the format."""
        return finish(y, self.fmt, self.mode, self.rng, self.accumulator.fmt, self.carrier, self.label)


def sum(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: Accumulator | None = None,
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
    accumulator : Accumulator, optional
        `Sequential(fmt, mode)` by default: one after the other, starting from the first.

    Returns
    -------
    ndarray or scalar
        +0 for a sum of nothing.

    Raises
    ------
    ValueError
        For an axis that x does not have, or an accumulator that does not hold the format.

    Examples
    --------
    >>> import fp16sim as fs
    >>> ones = [1.0] * 3000
    >>> fs.sum(ones, "binary16")  # 2048 + 1 is 2048
    np.float64(2048.0)
    >>> fs.sum(ones, "binary16", accumulator=fs.accumulators.Pairwise("binary16"))
    np.float64(3000.0)
    """
    call = Call("sum", fmt, mode, rng, accumulator)
    (values,) = call.operands(x)
    return call.finish(call.accumulator.reduce_held(along(values, axis), call.steps()))[()]


def cumsum(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: Accumulator | None = None,
    rng: Seed = None,
) -> Any:
    """The partial sums: element k is `sum` of the first k + 1 elements by the same accumulator.

    Parameters and errors as for `sum`; without an axis the result is flat. Accumulators whose partial sums are not
    steps on the way to the next (all but Sequential, Fused and Kahan) compute each anew.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.cumsum([2046.0, 1.0, 1.0, 1.0, 1.0], "binary16")
    array([2046., 2047., 2048., 2048., 2048.])
    """
    call = Call("cumsum", fmt, mode, rng, accumulator)
    (values,) = call.operands(x)
    terms = along(values, axis)
    y = call.finish(call.accumulator.prefixes(terms, call.steps()))
    return y if axis is None else np.moveaxis(y, 0, axis)


def mean(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: Accumulator | None = None,
    rng: Seed = None,
) -> Any:
    """The sum divided by the number of elements: sum, count and quotient rounded in the accumulator's format.

    With `Exact()` the exact mean, rounded once. Parameters and errors as for `sum`; the mean of nothing is NaN (0/0).

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.mean([1.0] * 3000, "binary16")  # 2048 / 3000
    np.float64(0.6826171875)
    """
    call = Call("mean", fmt, mode, rng, accumulator)
    (values,) = call.operands(x)
    terms, steps = along(values, axis), call.steps()
    if isinstance(call.accumulator, Exact) and len(terms):
        y = call.accumulator.reduce_exactly(terms, None, None, steps, lambda total: total / len(terms))
        return call.finish(y)[()]
    total, count = call.accumulator.reduce_held(terms, steps), steps.held(len(terms))
    quotient = operate("divide", [total, count], steps.fmt, steps.mode, steps.rng, steps.carrier, "mean")
    return call.finish(quotient)[()]


def norm(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    axis: int | None = None,
    accumulator: Accumulator | None = None,
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
    call = Call("norm", fmt, mode, rng, accumulator)
    (values,) = call.operands(x)
    terms, steps = along(values, axis), call.steps()
    if isinstance(call.accumulator, Exact) and len(terms):
        return call.finish(call.accumulator.reduce_exactly(terms, terms, None, steps, exact.sqrt_to_odd))[()]
    squares = call.accumulator.reduce_products(terms, terms, None, steps)
    root = operate("sqrt", [np.asarray(squares)], steps.fmt, steps.mode, steps.rng, steps.carrier, "norm")
    return call.finish(root)[()]


def dot(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: Accumulator | None = None,
    rng: Seed = None,
) -> Any:
    """The dot product along the last axis of `a` and the last but one of `b`: `matmul`, but scalars multiply.

    >>> import fp16sim as fs
    >>> fs.dot([1.0, 1.0], [2048.0, 1.0], "binary16")
    np.float64(2048.0)
    >>> fs.dot([1.0, 1.0], [2048.0, 1.5], "binary16", accumulator=fs.accumulators.Sequential("binary32"))
    np.float64(2050.0)
    """
    call = Call("dot", fmt, mode, rng, accumulator)
    left, right = call.operands(a, b)
    if not left.ndim or not right.ndim:
        return operate("multiply", [left, right], call.fmt, call.mode, call.rng, call.carrier, "dot")[()]
    return _matmul(call, left, right)[()]


def matmul(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: Accumulator | None = None,
    rng: Seed = None,
) -> Any:
    """The matrix product: every product and every partial sum correctly rounded, in the accumulator's order.

    Parameters
    ----------
    a, b : array_like
        Of shapes (..., m, k) and (..., k, n), or one-dimensional as in `numpy.matmul`.
    fmt, mode, rng
        As for `round_to`.
    accumulator : Accumulator, optional
        `Sequential(fmt, mode)` by default. `Sequential("binary32")` is the usual mixed product, `Blas()` the same in
        an order that is fast and not defined.

    Returns
    -------
    ndarray or scalar

    Raises
    ------
    ValueError
        For shapes that do not fit, or an accumulator that does not hold the format.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.matmul([[1.0, 2.0]], [[0.1], [1000.0]], "binary16")
    array([[2000.]])
    """
    call = Call("matmul", fmt, mode, rng, accumulator)
    return _matmul(call, *call.operands(a, b))[()]


def _matmul(call: Call, a: Array, b: Array) -> Array:
    """matmul of values that the format holds, with NumPy's rules for shapes."""
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
    y = call.finish(call.accumulator.matrix_product(left, right, call.steps()))
    y = y[..., 0, :] if a.ndim == 1 else y
    return y[..., 0] if b.ndim == 1 else y


def _batch(a: Array, b: Array, left: Array, right: Array) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape}: the leading axes do not broadcast; make them equal or 1"
        ) from None


def held_sum(
    x: Array, axis: int | None, fmt: Format, mode: Rounding, rng: Generator, accumulator: Accumulator | None = None
) -> Array:
    """sum of values that `fmt` holds: for FloatArray."""
    call = Call("sum", fmt, mode, rng, accumulator)
    (terms,) = call.held(x)
    return call.finish(call.accumulator.reduce_held(along(terms, axis), call.steps()))


def held_matmul(
    a: Array, b: Array, fmt: Format, mode: Rounding, rng: Generator, accumulator: Accumulator | None = None
) -> Array:
    """matmul of values that `fmt` holds: for FloatArray."""
    call = Call("matmul", fmt, mode, rng, accumulator)
    return _matmul(call, *call.held(a, b))
