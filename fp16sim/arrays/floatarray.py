"""FloatArray: values, format and rounding mode stay together, and every operator rounds once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from ..conversion import DEEPEST, Array, Seed, as_generator, carrier_for, lift, nested_too_deeply
from ..flags import PER_ELEMENT, current_listeners, recording
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding, with_behaviour
from ..rounding import plain_number, round_to, rounder
from ..wording import quoted
from . import numpy_functions, ufuncs
from .methods import Methods
from .operators import arithmetic_operator, comparison_operator, computes_itself, in_place_operator, ufunc_operator
from .printing import array_text


@lru_cache(maxsize=1024)
def _rounded_constant(value: float, sign: float, fmt: Format, mode: Rounding, carrier: Any) -> Array | None:
    """A Python number rounded to a format, and cached. `sign` distinguishes the two zeros, which are equal as keys.

    None for what must be rounded each time: an overflow and a NaN raise a flag, stochastic rounding draws a number.
    """
    if mode.random or not -fmt.max_finite <= value <= fmt.max_finite:
        return None
    y = np.asarray(round_to(value, fmt, mode), carrier)
    y.flags.writeable = False
    return y


class FloatArray(Methods):
    """An array of numbers of one format, with the mode in which its operators round.

    Made by `array`; this constructor does not check `values`. Operators and NumPy's functions round correctly, once for
    each operation; in a sum every partial sum is rounded, one term after the other or by an `accumulator`. Both
    operands have the same format and mode; a bare number, of Python or NumPy, is rounded to them. An operator or a
    function of NumPy that is not supported raises TypeError: it does not compute in float64 instead. A scalar is an
    array of no dimensions.

    Numbers leave the format where they are converted to plain ones, exactly: by `float(x)`, `int(x)`, `x.item()`,
    `x.tolist()`, `x.values` and `np.asarray(x)`, and by whatever calls one of these: all of `math`, `format(x, ".3f")`,
    `np.array([x, y])`. What they are then used for is float64 arithmetic.

    Attributes
    ----------
    values : ndarray
        float32 if the format fits in it, else float64. Read it freely; write through indexing, which rounds.
    fmt : Format
    mode : Rounding
    rng : numpy.random.Generator or None
        The random numbers of stochastic mode, shared with every array that is computed from this one.

    Examples
    --------
    >>> x = array([1.0, 0.1, 2048.0], "binary16")
    >>> x + 1
    FloatArray([2, 1.1, 2048], binary16)
    >>> np.concatenate([x[:1], np.sqrt(x)]).sum(), x.min()
    (FloatArray(47.56, binary16), FloatArray(0.1, binary16))
    >>> x[0] = 1 / 3
    >>> x[0], float(x[0])
    (FloatArray(0.3333, binary16), 0.333251953125)
    >>> np.sqrt(x[0]), math.sqrt(x[0])  # math calls float(x[0]): a plain number
    (FloatArray(0.577, binary16), 0.577279787559724)
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: Array, fmt: Format, mode: Rounding, rng: np.random.Generator | None = None) -> None:
        self.values = values
        self.fmt = fmt
        self.mode = mode
        self.rng = rng

    # --- what it is -------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return numpy_functions.representation(self._steps, self.values)

    def __str__(self) -> str:
        return array_text(self.values, self.fmt)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __int__(self) -> int:
        return int(self.values)

    def __float__(self) -> float:
        return float(self.values)

    # --- elements ---------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> FloatArray:
        return self._like(np.asarray(self.values[key]))

    def __setitem__(self, key: Any, value: Any) -> None:
        """Assign anything that `array` takes, rounding it to the format; a FloatArray must have that format."""
        like_operand = isinstance(value, (FloatArray, int, float))
        y = self._values_of(value) if like_operand else array(value, self.fmt, self.mode, rng=self.rng).values
        self.values[key] = y

    def __iter__(self) -> Iterator[FloatArray]:
        if not self.ndim:
            raise TypeError("a FloatArray of no dimensions has no elements to iterate over; use x.item()")
        return (self[k] for k in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    # --- conversions ------------------------------------------------------------------------------------------------

    def astype(self, fmt: FormatLike, mode: Rounding | str | None = None, *, overflow: str | None = None) -> FloatArray:
        """The same numbers in another format, rounded once, in this array's mode or in `mode`; the result keeps it.

        With `overflow`, as for `round_to`, the result's format keeps that convention, and its name says so.
        """
        fmt = with_behaviour(get_format(fmt), None, None, overflow)
        return array(self.values, fmt, self.mode if mode is None else mode, rng=self.rng)

    def copy(self) -> FloatArray:
        """A copy with values of its own."""
        return self._like(self.values.copy())

    __copy__ = copy

    def __reduce__(self) -> Any:
        return FloatArray, (self.values, self.fmt, self.mode, self.rng)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The plain values: a copy, or a read-only view, because writing to it would not round."""
        y = np.array(self.values, dtype=dtype, copy=copy)
        if y is self.values:
            y = y.view()
            y.flags.writeable = False
        return y

    # --- the array API standard -------------------------------------------------------------------------------------

    dtype = property(lambda self: self.fmt, doc="The format, under the standard's name.")
    device = property(lambda self: "cpu", doc="Where the values are.")
    mT = property(lambda self: self.swapaxes(-1, -2), doc="The transposes of a stack of matrices.")

    def to_device(self, device: Any, /, *, stream: Any = None) -> FloatArray:
        """The array itself: there is one device, "cpu"."""
        if device != "cpu" or stream is not None:
            raise ValueError(
                f"device={quoted(device)}, stream={quoted(stream)}: the only device is 'cpu', without streams"
            )
        return self

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        """The functions of the standard in this format, mode and random numbers: see `fp16sim.array_api`."""
        # By name, when it is first asked for: that room stands on this one.
        return import_module("fp16sim.namespaces").namespace_of(self, api_version)

    # --- NumPy's protocols ------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **keywords: Any) -> Any:
        if any(computes_itself(type(x)) for x in inputs):
            return NotImplemented
        operation = ufuncs.find(ufunc, method, keywords, outputs=ufunc.nout if out else 1)
        integers = ufuncs.INTEGERS.get(ufunc.__name__)
        values = (x if k == integers else self._values_of(x) for k, x in enumerate(inputs))
        if keywords.get("initial") is not None:
            keywords["initial"] = self._values_of(keywords["initial"])
        y = operation(self._steps, *values, **keywords)
        return self._wrap(y, out[0] if out else None)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        if any(map(computes_itself, types)):
            return NotImplemented
        out = keywords.pop("out", None)
        entry, args, keywords = numpy_functions.find(function, args, keywords)
        unwrap = self._unwrap if entry.takes_lists else self._unwrap_array
        given = (unwrap(x, k in entry.numbers) for k, x in enumerate(args))
        named = {name: unwrap(x, name in entry.numbers) for name, x in keywords.items()}
        return self._wrap(entry.run(self._steps, *given, **named), out)

    def _unwrap(self, x: Any, number: bool) -> Any:
        """An argument with values in place of FloatArrays, and in place of Python numbers where it is a number."""
        if isinstance(x, (list, tuple)):
            return type(x)(self._unwrap(part, number) for part in x)
        if isinstance(x, FloatArray):
            return self._values_of(x)
        return self._values_of(x).copy() if number and x is not None else x  # a copy, for functions that give views

    def _unwrap_array(self, x: Any, number: bool) -> Any:
        """The same for a function whose numbers come as arrays, never as lists."""
        return self._values_of(x) if number else self._unwrap(x, number)

    def _wrap(self, y: Any, out: Any = None) -> Any:
        """A result: floats become FloatArrays; booleans, integers and texts stay as they are."""
        if out is not None:
            self._values_of(out)[...] = y
            return out
        if isinstance(y, (list, tuple)):
            return type(y)(self._wrap(part) for part in y)
        return self._like(np.asarray(y)) if getattr(getattr(y, "dtype", None), "kind", "") == "f" else y

    # --- operators --------------------------------------------------------------------------------------------------

    def _values_of(self, other: Any) -> Array:
        """The values of the other operand of an operation, in this array's format."""
        if isinstance(other, FloatArray):
            if (other.fmt is not self.fmt and other.fmt != self.fmt) or other.mode is not self.mode:
                ours, theirs = (f"{x.fmt.name}, {x.mode.value}" for x in (self, other))
                raise TypeError(f"operands are ({ours}) and ({theirs}); convert one of them first with astype")
            return other.values
        if isinstance(other, np.ndarray) and not other.ndim:
            other = other[()]  # what NumPy makes of its own number on the left of a comparison
        if isinstance(other, (int, float, Fraction)):
            return self._round_number(other)
        if isinstance(other, np.integer):
            return self._round_number(int(other))
        if isinstance(other, np.floating):
            plain = other.dtype.itemsize <= 8 and other == other  # a signaling NaN stays as it is, to raise invalid
            return self._round_number(float(other) if plain else other)
        if isinstance(other, (complex, np.complexfloating)):
            raise TypeError(f"operand={quoted(other)} is complex, and {self.fmt.name} has real numbers alone")
        raise TypeError(
            f"operand of type {type(other).__name__} has no format; wrap it with fs.array(..., {self.fmt.name!r}) first"
        )

    def _number_of(self, other: Any) -> float | None:
        """The same for a single number, as a float; None where `_values_of` has to decide."""
        if recording():
            return None
        if type(other) is FloatArray:
            same = (other.fmt is self.fmt or other.fmt == self.fmt) and other.mode is self.mode
            return other.values.item() if same and not other.values.ndim else None
        plain = other if type(other) is float else plain_number(other)
        return None if plain is None else rounder(self.fmt, self.mode)(plain)

    def _round_number(self, x: Any) -> Array:
        carrier = self.values.dtype
        if current_listeners().names.isdisjoint(PER_ELEMENT):  # a cached result raises no flag again
            sign = math.copysign(1.0, x) if isinstance(x, (float, np.floating)) else 1.0  # only floats have two zeros
            y = _rounded_constant(x, sign, self.fmt, self.mode, carrier)
            if y is not None:
                return y
        return np.asarray(round_to(x, self.fmt, self.mode, rng=self.rng), carrier)

    __add__, __radd__ = arithmetic_operator("add"), arithmetic_operator("add", swapped=True)
    __sub__, __rsub__ = arithmetic_operator("subtract"), arithmetic_operator("subtract", swapped=True)
    __mul__, __rmul__ = arithmetic_operator("multiply"), arithmetic_operator("multiply", swapped=True)
    __truediv__, __rtruediv__ = arithmetic_operator("divide"), arithmetic_operator("divide", swapped=True)
    __mod__, __rmod__ = ufunc_operator(np.remainder), ufunc_operator(np.remainder, swapped=True)
    __matmul__, __rmatmul__ = ufunc_operator(np.matmul), ufunc_operator(np.matmul, swapped=True)
    __rpow__ = ufunc_operator(np.power, swapped=True)
    __floordiv__, __rfloordiv__ = ufunc_operator(np.floor_divide), ufunc_operator(np.floor_divide, swapped=True)
    __divmod__, __rdivmod__ = ufunc_operator(np.divmod), ufunc_operator(np.divmod, swapped=True)
    __lt__, __le__ = comparison_operator("less"), comparison_operator("less_equal")
    __gt__, __ge__ = comparison_operator("greater"), comparison_operator("greater_equal")
    __eq__, __ne__ = comparison_operator("equal"), comparison_operator("not_equal")

    def __pow__(self, exponent: Any) -> FloatArray:
        """A power; the square is the product, as in NumPy."""
        if isinstance(exponent, (int, float)) and exponent == 2:
            return self * self
        return self.__array_ufunc__(np.power, "__call__", self, exponent)

    __iadd__, __isub__, __imul__ = in_place_operator(__add__), in_place_operator(__sub__), in_place_operator(__mul__)
    __itruediv__, __imod__, __ipow__ = (
        in_place_operator(__truediv__),
        in_place_operator(__mod__),
        in_place_operator(__pow__),
    )
    __imatmul__ = in_place_operator(__matmul__)

    def __neg__(self) -> FloatArray:
        return self._like(-self.values)

    def __pos__(self) -> FloatArray:
        return self.copy()

    def __abs__(self) -> FloatArray:
        return self._like(np.abs(self.values))


def array(
    x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> FloatArray:
    """An array of numbers of one format: every element correctly rounded, once.

    Parameters
    ----------
    x : array_like
        Anything that `round_to` takes, and FloatArrays of any format: each number is rounded once.
    fmt, mode, rng
        As for `round_to`; the array's operators use them too.

    Returns
    -------
    FloatArray

    Raises
    ------
    ValueError, TypeError
        As `round_to` does.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.array([0.1, 2048.0], "binary16") + 1
    FloatArray([1.1, 2048], binary16)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    source = lift(_plain_values(x))
    # The carrier depends on the format alone, so that arrays of one format always fit together.
    carrier = carrier_for(fmt, np.empty(0, np.float32))
    return FloatArray(np.asarray(round_to(source, fmt, mode, rng=generator), carrier), fmt, mode, generator)


def _plain_values(x: Any, depth: int = 0) -> Any:
    """Plain values in place of FloatArrays."""
    if isinstance(x, FloatArray):
        return x.values if depth == 0 else x.tolist()
    if isinstance(x, (list, tuple)):
        if depth >= DEEPEST:
            raise nested_too_deeply(x)
        return [_plain_values(part, depth + 1) for part in x]
    return x
