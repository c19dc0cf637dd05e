"""The methods of NumPy's arrays, for FloatArray: those that move or pick elements, and those that round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from ..accumulators import AccumulatorLike
from ..accumulators.base import Steps
from ..arithmetic import operate
from ..codes import encode_held
from ..conversion import Array, Generator
from ..elementary.evaluation import evaluate
from ..formats import Format, Rounding
from . import numpy_functions, statistics, ufuncs


def _moved(name: str) -> Callable[..., Any]:
    """A method that moves elements: the results are the same numbers."""

    def method(self: Methods, *args: Any, **keywords: Any) -> Any:
        return self._like(np.asarray(getattr(self.values, name)(*args, **keywords)))

    method.__doc__ = f"As `numpy.ndarray.{name}`: the same numbers, in other places."
    return method


class Methods:
    """The methods of FloatArray; sums take NumPy's `axis`, and an `accumulator` or its name."""

    __slots__ = ("fmt", "mode", "rng", "values")

    values: Array
    fmt: Format
    mode: Rounding
    rng: Generator

    def _like(self, values: Array) -> Self:
        return type(self)(values, self.fmt, self.mode, self.rng)  # type: ignore[call-arg]

    def _values_of(self, other: Any) -> Array:
        raise NotImplementedError

    @property
    def _steps(self) -> Steps:
        return Steps(self.fmt, self.mode, self.rng, self.values.dtype)

    # --- what it is -------------------------------------------------------------------------------------------------

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    T = property(lambda self: self._like(self.values.T), doc="The transpose.")
    codes = property(lambda self: encode_held(self.values.astype(np.float64), self.fmt), doc="The codes of the values.")

    def item(self, *index: Any) -> float:
        """One element as a Python float, which holds it exactly."""
        return float(self.values.item(*index))

    def tolist(self) -> Any:
        """The elements as Python floats, in nested lists."""
        return self.values.tolist()

    def constant(self, x: float) -> Self:
        """A Python number as a scalar of this format and mode, rounded as it is beside an operator.

        >>> import fp16sim as fs
        >>> fs.array([1.0, 2.0], "bfloat16").constant(0.999)
        FloatArray(1, bfloat16)
        """
        return self._like(self._values_of(x).copy())

    # --- moving and picking: exact ----------------------------------------------------------------------------------

    reshape = _moved("reshape")
    ravel = _moved("ravel")
    flatten = _moved("flatten")
    squeeze = _moved("squeeze")
    transpose = _moved("transpose")
    swapaxes = _moved("swapaxes")
    diagonal = _moved("diagonal")
    repeat = _moved("repeat")

    def take(self, indices: Array | Sequence[int] | int, axis: int | None = None) -> Self:
        """The elements at these indices."""
        return self._like(np.asarray(self.values.take(indices, axis)))

    def max(self, axis: ufuncs.Axes = None, keepdims: bool = False) -> Self:
        """The largest elements; NaN if one is NaN."""
        return self._like(np.asarray(self.values.max(axis=axis, keepdims=keepdims)))

    def min(self, axis: ufuncs.Axes = None, keepdims: bool = False) -> Self:
        """The smallest elements; NaN if one is NaN."""
        return self._like(np.asarray(self.values.min(axis=axis, keepdims=keepdims)))

    def argmax(self, axis: int | None = None) -> Any:
        """The indices of the largest elements."""
        return self.values.argmax(axis)

    def argmin(self, axis: int | None = None) -> Any:
        """The indices of the smallest elements."""
        return self.values.argmin(axis)

    def argsort(self, axis: int | None = -1) -> Any:
        """The indices that sort the elements."""
        return self.values.argsort(axis, stable=True)

    def clip(self, min: Methods | float | None = None, max: Methods | float | None = None) -> Self:
        """The elements, none less than `min` and none more than `max`."""
        low, high = (None if bound is None else self._values_of(bound) for bound in (min, max))
        return self._like(np.asarray(np.clip(self.values, low, high)))

    def round(self) -> Self:
        """The nearest integers, ties to even; rounded only if they are not values of the format."""
        return self._like(ufuncs.UFUNCS["rint"](self._steps, self.values))

    # --- functions, rounded once ------------------------------------------------------------------------------------

    def sqrt(self) -> Self:
        """The square roots."""
        return self._operate("sqrt", self.values)

    def exp(self) -> Self:
        """e to these powers; see `fp16sim.exp` for the accuracy."""
        return self._elementary("exp")

    def log(self) -> Self:
        """The natural logarithms; see `fp16sim.log` for the accuracy."""
        return self._elementary("log")

    def tanh(self) -> Self:
        """The hyperbolic tangents; see `fp16sim.tanh` for the accuracy."""
        return self._elementary("tanh")

    def sigmoid(self) -> Self:
        """1 / (1 + e^-x); see `fp16sim.sigmoid` for the accuracy."""
        return self._elementary("sigmoid")

    def _operate(self, name: str, *operands: Array) -> Self:
        return self._like(operate(name, list(operands), self.fmt, self.mode, self.rng, self.values.dtype))

    def _elementary(self, name: str) -> Self:
        return self._like(evaluate(name, [self.values], self.fmt, self.mode, self.rng, self.values.dtype))

    # --- sums and products, every step rounded ----------------------------------------------------------------------

    def _reduce(
        self,
        name: str,
        axis: ufuncs.Axes,
        keepdims: bool,
        accumulator: AccumulatorLike | None = None,
        initial: Methods | float | None = None,
        where: Any = True,
    ) -> Self:
        first = None if initial is None else self._values_of(initial)
        return self._like(ufuncs.reduce(self._steps, name, self.values, axis, keepdims, accumulator, first, where))

    def sum(
        self,
        axis: ufuncs.Axes = None,
        keepdims: bool = False,
        *,
        accumulator: AccumulatorLike | None = None,
        initial: Methods | float | None = None,
        where: Any = True,
    ) -> Self:
        """The sum over axes, or of all elements in C order; see `fp16sim.sum`.

        `initial` is the first term. Elements where the mask `where` is false count as zeros, of the sign that changes
        no sum.

        Examples
        --------
        >>> import fp16sim as fs
        >>> x = fs.array([2048.0, 1.0, 1.0], "binary16")
        >>> x.sum(), x.sum(accumulator=fs.accumulators.Exact())
        (FloatArray(2048, binary16), FloatArray(2050, binary16))
        """
        return self._reduce("sum", axis, keepdims, accumulator, initial, where)

    def mean(
        self, axis: ufuncs.Axes = None, keepdims: bool = False, *, accumulator: AccumulatorLike | None = None
    ) -> Self:
        """The sum divided by the number of elements; see `fp16sim.mean`."""
        return self._reduce("mean", axis, keepdims, accumulator)

    def norm(
        self, axis: ufuncs.Axes = None, keepdims: bool = False, *, accumulator: AccumulatorLike | None = None
    ) -> Self:
        """The root of the sum of squares; see `fp16sim.norm`."""
        return self._reduce("norm", axis, keepdims, accumulator)

    def prod(
        self,
        axis: ufuncs.Axes = None,
        keepdims: bool = False,
        *,
        initial: Methods | float | None = None,
        where: Any = True,
    ) -> Self:
        """The product, one factor after the other; `initial` is the first, and those outside `where` count as 1."""
        return self._reduce("prod", axis, keepdims, None, initial, where)

    def var(
        self,
        axis: ufuncs.Axes = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        accumulator: AccumulatorLike | None = None,
    ) -> Self:
        """The variance, in two passes: mean, distances, their squares, the sum, the quotient by n - ddof, all rounded.

        Examples
        --------
        >>> import fp16sim as fs
        >>> x = fs.array([1.0, 2.0, 3.0, 4.0], "binary16")
        >>> x.var(), x.std(ddof=1)
        (FloatArray(1.25, binary16), FloatArray(1.291, binary16))
        """
        y = statistics.variance(self._steps, self.values, axis, ddof=ddof, keepdims=keepdims, accumulator=accumulator)
        return self._like(y)

    def std(
        self,
        axis: ufuncs.Axes = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        accumulator: AccumulatorLike | None = None,
    ) -> Self:
        """The standard deviation: the root of `var`, rounded."""
        return self.var(axis, ddof, keepdims, accumulator=accumulator).sqrt()

    def trace(
        self, offset: int = 0, axis1: int = 0, axis2: int = 1, *, accumulator: AccumulatorLike | None = None
    ) -> Self:
        """The sum along a diagonal, as `sum` adds."""
        return self._like(statistics.trace(self._steps, self.values, offset, axis1, axis2, accumulator))

    def cumsum(self, axis: int | None = None, *, accumulator: AccumulatorLike | None = None) -> Self:
        """The partial sums; see `fp16sim.cumsum`."""
        return self._like(ufuncs.cumsum(self._steps, self.values, axis, accumulator))

    def cumprod(self, axis: int | None = None) -> Self:
        """The partial products."""
        return self._like(ufuncs.cumprod(self._steps, self.values, axis))

    def dot(self, other: Methods | float, *, accumulator: AccumulatorLike | None = None) -> Self:
        """The product that `numpy.dot` gives: of vectors or matrices, or over the last axis and the last but one."""
        return self._like(
            np.asarray(numpy_functions.dot(self._steps, self.values, self._values_of(other), accumulator))
        )

    def matmul(self, other: Methods | float, *, accumulator: AccumulatorLike | None = None) -> Self:
        """The matrix product: `@`, with a choice of the accumulator; see `fp16sim.matmul`."""
        return self._like(np.asarray(ufuncs.matmul(self._steps, self.values, self._values_of(other), accumulator)))
