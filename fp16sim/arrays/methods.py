"""The methods of NumPy's arrays, for FloatArray: those that move or pick elements, and those that round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ..accumulators import Accumulator
from ..arithmetic import operate
from ..codes import encode_held
from ..conversion import Array, Generator
from ..elementary import evaluation
from ..formats import Format, Rounding
from . import numpy_functions, ufuncs


def _moved(name: str) -> Callable[..., Any]:
    """A method that gives the same numbers in another place or shape."""

    def method(self: Methods, *args: Any, **keywords: Any) -> Any:
        return self._like(np.asarray(getattr(self.values, name)(*args, **keywords)))

    method.__doc__ = f"As `numpy.ndarray.{name}`: the same numbers, elsewhere."
    return method


class Methods:
    """What FloatArray can do beyond operators; a reduction takes NumPy's `axis` and, where it adds, an accumulator."""

    __slots__ = ("fmt", "mode", "rng", "values")

    values: Array
    fmt: Format
    mode: Rounding
    rng: Generator

    def _like(self, values: Array) -> Self:
        return type(self)(values, self.fmt, self.mode, self.rng)  # type: ignore[call-arg]

    def _operand(self, other: Any) -> Array:
        raise NotImplementedError

    @property
    def _setting(self) -> ufuncs.Setting:
        return ufuncs.Setting(self.fmt, self.mode, self.rng, self.values.dtype)

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
        """A Python number as a scalar of this format and mode: rounded, as it is beside an operator.

        >>> import fp16sim as fs
        >>> fs.array([1.0, 2.0], "bfloat16").constant(0.999)
        FloatArray(1, bfloat16)
        """
        return self._like(self._operand(x).copy())

    # --- moving and picking: exact ----------------------------------------------------------------------------------

    reshape = _moved("reshape")
    ravel = _moved("ravel")
    flatten = _moved("flatten")
    squeeze = _moved("squeeze")
    transpose = _moved("transpose")
    swapaxes = _moved("swapaxes")
    diagonal = _moved("diagonal")
    repeat = _moved("repeat")

    def take(self, indices: Any, axis: int | None = None) -> Self:
        """The elements at these indices."""
        return self._like(np.asarray(self.values.take(indices, axis)))

    def max(self, axis: Any = None, keepdims: bool = False) -> Self:
        """The largest elements; NaN where there is one."""
        return self._like(np.asarray(self.values.max(axis=axis, keepdims=keepdims)))

    def min(self, axis: Any = None, keepdims: bool = False) -> Self:
        """The smallest elements; NaN where there is one."""
        return self._like(np.asarray(self.values.min(axis=axis, keepdims=keepdims)))

    def argmax(self, axis: int | None = None) -> Any:
        """Where the largest elements are."""
        return self.values.argmax(axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Where the smallest elements are."""
        return self.values.argmin(axis)

    def argsort(self, axis: int | None = -1) -> Any:
        """The indices that sort the elements."""
        return self.values.argsort(axis, stable=True)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """The elements, but no less than `min` and no more than `max`."""
        low, high = (None if bound is None else self._operand(bound) for bound in (min, max))
        return self._like(np.asarray(np.clip(self.values, low, high)))

    def round(self) -> Self:
        """The nearest integers, ties to even; rounded only where that is beyond max_finite."""
        return self._like(ufuncs.UFUNCS["rint"](self._setting, self.values))

    # --- functions, rounded once ------------------------------------------------------------------------------------

    def sqrt(self) -> Self:
        """The square roots."""
        return self._operate("sqrt", self.values)

    def exp(self) -> Self:
        """e to these powers; see `fp16sim.exp` for how accurate."""
        return self._elementary("exp")

    def log(self) -> Self:
        """The natural logarithms; see `fp16sim.log` for how accurate."""
        return self._elementary("log")

    def tanh(self) -> Self:
        """The hyperbolic tangents; see `fp16sim.tanh` for how accurate."""
        return self._elementary("tanh")

    def sigmoid(self) -> Self:
        """1 / (1 + e^-x); see `fp16sim.sigmoid` for how accurate."""
        return self._elementary("sigmoid")

    def _operate(self, name: str, *operands: Array) -> Self:
        return self._like(operate(name, list(operands), self.fmt, self.mode, self.rng, self.values.dtype))

    def _elementary(self, name: str) -> Self:
        return self._like(evaluation.evaluate(name, [self.values], self.fmt, self.mode, self.rng, self.values.dtype))

    # --- sums and products, every step rounded ----------------------------------------------------------------------

    def _reduce(self, name: str, axis: Any, keepdims: bool, accumulator: Accumulator | None = None) -> Self:
        return self._like(ufuncs.reduce(self._setting, name, self.values, axis, keepdims, accumulator))

    def sum(self, axis: Any = None, keepdims: bool = False, *, accumulator: Accumulator | None = None) -> Self:
        """The sum over axes, or of all elements in C order; see `fp16sim.sum`.

        Examples
        --------
        >>> import fp16sim as fs
        >>> x = fs.array([2048.0, 1.0, 1.0], "binary16")
        >>> x.sum(), x.sum(accumulator=fs.accumulators.Exact())
        (FloatArray(2048, binary16), FloatArray(2050, binary16))
        """
        return self._reduce("sum", axis, keepdims, accumulator)

    def mean(self, axis: Any = None, keepdims: bool = False, *, accumulator: Accumulator | None = None) -> Self:
        """The sum divided by the number of elements; see `fp16sim.mean`."""
        return self._reduce("mean", axis, keepdims, accumulator)

    def norm(self, axis: Any = None, keepdims: bool = False, *, accumulator: Accumulator | None = None) -> Self:
        """The root of the sum of squares; see `fp16sim.norm`."""
        return self._reduce("norm", axis, keepdims, accumulator)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Self:
        """The product, one factor after the other."""
        return self._reduce("prod", axis, keepdims)

    def cumsum(self, axis: int | None = None, *, accumulator: Accumulator | None = None) -> Self:
        """The partial sums; see `fp16sim.cumsum`."""
        return self._like(ufuncs.cumsum(self._setting, self.values, axis, accumulator))

    def cumprod(self, axis: int | None = None) -> Self:
        """The partial products."""
        return self._like(ufuncs.cumprod(self._setting, self.values, axis))

    def dot(self, other: Any, *, accumulator: Accumulator | None = None) -> Self:
        """The product that `numpy.dot` is: of vectors, matrices, or over the last axis and the last but one."""
        return self._like(
            np.asarray(numpy_functions.dot(self._setting, self.values, self._operand(other), accumulator))
        )

    def matmul(self, other: Any, *, accumulator: Accumulator | None = None) -> Self:
        """The matrix product, which is `@` but for the accumulator; see `fp16sim.matmul`."""
        return self._like(np.asarray(ufuncs.matmul(self._setting, self.values, self._operand(other), accumulator)))
