"""FloatArray: values, format and rounding mode travel together, and every operator rounds once."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from . import elementary, reductions
from .arithmetic import operate
from .codes import encode_held
from .formats import Format, FormatLike, Rounding, get_format, get_rounding
from .lifting import Array, Seed, as_generator, carrier_for, lift
from .rounding import round_to
from .text import to_text


def _operator(name: str, swapped: bool = False) -> Callable[[FloatArray, Any], FloatArray]:
    def method(self: FloatArray, other: Any) -> FloatArray:
        b = self._operand(other)
        return self._operate(name, b, self.values) if swapped else self._operate(name, self.values, b)

    return method


def _comparison(relation: Callable[[Any, Any], Any]) -> Callable[[FloatArray, Any], Any]:
    def method(self: FloatArray, other: Any) -> Any:
        return relation(self.values, self._operand(other))

    return method


@lru_cache(maxsize=1024)
def _constant(value: float, sign: float, fmt: Format, mode: Rounding) -> Array:
    """A finite Python number in a format; `sign` keeps the two zeros apart, which are equal as keys."""
    return np.asarray(round_to(value, fmt, mode), np.float64)


class FloatArray:
    """An array of numbers of one format, with the mode that its operators round by.

    Made by `array`. Operators are correctly rounded, once. Both operands have the same format and mode; a bare Python
    number adopts them by rounding. Reductions and `@` round every partial sum, one term after the other.

    Attributes
    ----------
    values : ndarray
        float32 where that holds the format, else float64; read it freely, write through indexing.
    fmt : Format
    mode : Rounding
    rng : numpy.random.Generator or None
        Drawn from in stochastic mode.

    Examples
    --------
    >>> x = array([1.0, 0.1, 2048.0], "binary16")
    >>> x + 1
    FloatArray([2, 1.1, 2048], binary16)
    """

    __slots__ = ("fmt", "mode", "rng", "values")
    __hash__ = None  # type: ignore[assignment]
    __array_ufunc__ = None  # NumPy's operators leave it to ours, which refuse to mix a plain array in silently

    def __init__(self, values: Array, fmt: Format, mode: Rounding, rng: np.random.Generator | None = None) -> None:
        self.values = values
        self.fmt = fmt
        self.mode = mode
        self.rng = rng

    # --- what it is -------------------------------------------------------------------------------------------------

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)

    @property
    def codes(self) -> Array:
        """The codes of the values."""
        return encode_held(self.values.astype(np.float64), self.fmt)

    @property
    def T(self) -> FloatArray:
        """The transpose."""
        return self._like(self.values.T)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        shortest = {"float_kind": lambda value: to_text(value, self.fmt)}
        text = np.array2string(self.values, separator=", ", prefix="FloatArray(", formatter=shortest)  # type: ignore[arg-type]
        how = "" if self.mode is Rounding.TIES_TO_EVEN else f", {self.mode.value}"
        return f"FloatArray({text}, {self.fmt.name}{how})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.values)

    def __getitem__(self, key: Any) -> FloatArray:
        return self._like(np.asarray(self.values[key]))

    def __setitem__(self, key: Any, value: Any) -> None:
        """Assign, rounding to the format."""
        self.values[key] = self._operand(value)

    # --- conversions ------------------------------------------------------------------------------------------------

    def _like(self, values: Array) -> FloatArray:
        return FloatArray(values, self.fmt, self.mode, self.rng)

    def astype(self, fmt: FormatLike, mode: Rounding | str | None = None) -> FloatArray:
        """The same numbers in another format, rounded once, by this array's mode or `mode` (which it then carries)."""
        return array(self.values, fmt, self.mode if mode is None else mode, rng=self.rng)

    def copy(self) -> FloatArray:
        """A copy with values of its own."""
        return self._like(self.values.copy())

    def reshape(self, *shape: Any) -> FloatArray:
        """The same values in another shape."""
        return self._like(self.values.reshape(*shape))

    # --- operators --------------------------------------------------------------------------------------------------

    def _operand(self, other: Any) -> Array:
        """The values of the other operand of an operation, in this array's format."""
        if isinstance(other, FloatArray):
            if other.fmt != self.fmt or other.mode is not self.mode:
                ours, theirs = (f"{x.fmt.name}, {x.mode.value}" for x in (self, other))
                raise TypeError(f"operands are ({ours}) and ({theirs}); convert one of them first with astype")
            return other.values
        if isinstance(other, (int, float)):
            return self._number(other)
        raise TypeError(
            f"operand of type {type(other).__name__} has no format; wrap it with fs.array(..., {self.fmt.name!r}) first"
        )

    def _number(self, x: float) -> Array:
        if self.mode is Rounding.STOCHASTIC or not -float(self.fmt.max_finite) <= x <= self.fmt.max_finite:
            y = np.asarray(round_to(x, self.fmt, self.mode, rng=self.rng))
        else:
            y = _constant(x, math.copysign(1.0, x), self.fmt, self.mode)
        return y.astype(self.values.dtype)

    def _operate(self, name: str, *operands: Array) -> FloatArray:
        carrier = self.values.dtype
        return self._like(operate(name, list(operands), self.fmt, self.mode, self.rng, carrier))

    __add__, __radd__ = _operator("add"), _operator("add", swapped=True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", swapped=True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", swapped=True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", swapped=True)
    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)
    __eq__, __ne__ = _comparison(operator.eq), _comparison(operator.ne)

    def __neg__(self) -> FloatArray:
        return self._like(-self.values)

    def __pos__(self) -> FloatArray:
        return self

    def __abs__(self) -> FloatArray:
        return self._like(np.abs(self.values))

    def __matmul__(self, other: Any) -> FloatArray:
        y = reductions.held_matmul(self.values, self._operand(other), self.fmt, self.mode, self.rng)
        return self._like(y)

    def sqrt(self) -> FloatArray:
        """The square roots."""
        return self._operate("sqrt", self.values)

    def exp(self) -> FloatArray:
        """e to these powers; see `fp16sim.exp` for how accurate."""
        return self._elementary("exp")

    def log(self) -> FloatArray:
        """The natural logarithms; see `fp16sim.log` for how accurate."""
        return self._elementary("log")

    def tanh(self) -> FloatArray:
        """The hyperbolic tangents; see `fp16sim.tanh` for how accurate."""
        return self._elementary("tanh")

    def _elementary(self, name: str) -> FloatArray:
        return self._like(elementary.apply(name, self.values, self.fmt, self.mode, self.rng, self.values.dtype))

    def sum(self, axis: int | None = None) -> FloatArray:
        """The sum over an axis, or of all elements in C order, one term after the other."""
        return self._like(reductions.held_sum(self.values, axis, self.fmt, self.mode, self.rng))

    def max(self, axis: int | None = None, keepdims: bool = False) -> FloatArray:
        """The largest elements: exact."""
        return self._like(np.asarray(self.values.max(axis=axis, keepdims=keepdims)))


def array(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> FloatArray:
    """An array of numbers of one format: every element correctly rounded, once.

    Parameters
    ----------
    x : array_like
        Anything that `round_to` takes, or a FloatArray of any format.
    fmt, mode, rng
        As for `round_to`; the array's operators use them too.

    Returns
    -------
    FloatArray

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.array([0.1, 2048.0], "binary16") + 1
    FloatArray([1.1, 2048], binary16)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    source = lift(x.values if isinstance(x, FloatArray) else x)
    # The carrier is the format's own, whatever the source was: arrays of one format always fit together.
    carrier = carrier_for(fmt, np.empty(0, np.float32))
    return FloatArray(np.asarray(round_to(source, fmt, mode, rng=generator), carrier), fmt, mode, generator)
