"""The arrays of a namespace: FloatArrays that know it, and booleans and integers beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeAlias

import numpy as np

from ..arrays import FloatArray
from ..conversion import Array
from ..formats import BINARY16, BINARY32, BINARY64, Format
from ..wording import quoted

Namespace: TypeAlias = Any
"""A `namespace.Namespace`, which is made of functions on these arrays."""

CPU = "cpu"
INTERCHANGED: dict[Format, Any] = {BINARY16: np.float16, BINARY32: np.float32, BINARY64: np.float64}
"""The formats that DLPack and NumPy both have."""


def unwrapped_key(key: Any) -> Any:
    """An index with NumPy's arrays in place of ours."""
    if isinstance(key, tuple):
        return tuple(unwrapped_key(part) for part in key)
    return key.values if isinstance(key, PlainArray) else key


def check_device(device: Any) -> None:
    """ValueError for any device but the one that there is."""
    if device not in (None, CPU):
        raise ValueError(f"device={quoted(device)} does not exist; the only device is 'cpu': leave device out")


def check_stream(stream: Any) -> None:
    """ValueError for a stream, which a CPU has none of."""
    if stream is not None:
        raise ValueError(f"stream={quoted(stream)}: arrays on 'cpu' have no streams; leave stream out")


def stated(**keywords: Any) -> dict[str, Any]:
    """The keywords that are not None: NumPy 2.0 knows none of them."""
    return {name: value for name, value in keywords.items() if value is not None}


class RealArray(FloatArray):
    """A FloatArray of a namespace: comparisons give arrays of the namespace, and products use its accumulator."""

    __slots__ = ("xp",)
    __hash__ = None

    def __init__(self, values: Array, xp: Namespace, fmt: Format) -> None:
        super().__init__(values, fmt, xp.mode, xp.rng)
        self.xp = xp

    def _like(self, values: Array) -> RealArray:
        return RealArray(values, self.xp, self.fmt)

    def __reduce__(self) -> Any:
        return RealArray, (self.values, self.xp, self.fmt)

    def __array_namespace__(self, api_version: str | None = None) -> Namespace:
        """The namespace."""
        return self.xp.of_version(api_version)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The plain values, the one way out of the format; closed in a strict namespace."""
        if self.xp.strict:
            raise TypeError(
                f"something asks for the plain values of an array of {self.fmt.name}, and strict=True forbids it: what "
                "follows would be computed outside the format; use strict=False, or take x.values yourself"
            )
        return super().__array__(dtype, copy)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """The values for another library, where it has the format: binary16, binary32, binary64."""
        check_stream(stream)
        dtype = INTERCHANGED.get(self.fmt)
        if dtype is None:
            raise BufferError(f"NumPy cannot hand {self.fmt.name} over by DLPack; use np.asarray(x), or x.codes")
        y = np.asarray(self.__array__(), dtype)
        if copy is False and y.dtype != self.values.dtype:
            raise BufferError(f"copy=False: {self.fmt.name} is stored as {self.values.dtype}; leave copy out")
        return y.copy().__dlpack__(**stated(max_version=max_version, dl_device=dl_device))

    def __dlpack_device__(self) -> tuple[int, int]:
        """The device, by DLPack's numbers."""
        return (1, 0)

    def __complex__(self) -> complex:
        return complex(float(self))

    def __index__(self) -> int:
        raise TypeError(f"an array of {self.fmt.name} is not an index; use int(x), or xp.astype(x, xp.int64)")

    def __getitem__(self, key: Any) -> FloatArray:
        return super().__getitem__(unwrapped_key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, PlainArray):
            value = self.xp.astype(value, self.fmt)
        super().__setitem__(unwrapped_key(key), value)

    def __matmul__(self, other: Any) -> Any:
        return self.xp.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self.xp.matmul(other, self)


def _comparison(name: str) -> Callable[..., Any]:
    """FloatArray's comparison, whose booleans are NumPy's, as one that gives an array of the namespace."""
    compare = getattr(FloatArray, f"__{name}__")

    def method(self: RealArray, other: Any) -> Any:
        if isinstance(other, PlainArray):
            return getattr(self.xp, COMPARISONS[name])(self, other)
        y = compare(self, other)
        return y if y is NotImplemented else self.xp.wrap(y)

    return method


def _by_accumulator(name: str) -> Callable[..., Any]:
    """A method that adds, by the accumulator of the namespace unless it is given another."""
    add_up = getattr(FloatArray, name)

    @wraps(add_up)
    def method(self: RealArray, *args: Any, accumulator: Any = None, **keywords: Any) -> Any:
        how = self.xp.accumulator if accumulator is None else accumulator
        return add_up(self, *args, accumulator=how, **keywords)

    return method


ADDING = ("sum", "mean", "norm", "var", "std", "trace", "cumsum", "dot", "matmul")

# --- booleans and integers ------------------------------------------------------------------------------------------

OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
BITWISE = ("and", "or", "xor", "lshift", "rshift")
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return getattr(self.xp, name)(other, self) if swapped else getattr(self.xp, name)(self, other)

    return method


def _in_place(name: str) -> Callable[..., Any]:
    def method(self: PlainArray, other: Any) -> Any:
        y = getattr(self.xp, name)(self, other)
        if y.dtype != self.dtype:
            raise TypeError(
                f"the result is of {y.dtype}, and the array of {self.dtype}; write x = x + y, or use astype"
            )
        self.values[...] = y.values
        return self

    return method


def _unary(name: str) -> Callable[..., Any]:
    return lambda self: getattr(self.xp, name)(self)


class PlainArray:
    """Booleans or integers of a namespace: masks, indices, counts. NumPy computes with them.

    Attributes
    ----------
    values : ndarray
    """

    __slots__ = ("values", "xp")
    __hash__ = None  # type: ignore[assignment]
    __array_ufunc__ = None
    """FloatArray and NumPy leave operators to this class."""

    def __init__(self, values: Array, xp: Namespace) -> None:
        self.values = values
        self.xp = xp

    def _like(self, values: Array) -> PlainArray:
        return PlainArray(values, self.xp)

    def __reduce__(self) -> Any:
        return PlainArray, (self.values, self.xp)

    # --- what it is -------------------------------------------------------------------------------------------------

    dtype = property(lambda self: self.values.dtype, doc="A dtype of NumPy.")
    device = property(lambda self: CPU)
    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    T = property(lambda self: self.xp.permute_dims(self, (1, 0)), doc="The transpose of a matrix.")
    mT = property(lambda self: self.xp.matrix_transpose(self), doc="The transposes of a stack of matrices.")

    def __array_namespace__(self, api_version: str | None = None) -> Namespace:
        """The namespace."""
        return self.xp.of_version(api_version)

    def to_device(self, device: Any, /, *, stream: Any = None) -> PlainArray:
        """The array itself: there is one device."""
        check_device(device)
        check_stream(stream)
        return self

    def __repr__(self) -> str:
        text = np.array2string(self.values, separator=", ", prefix="PlainArray(")
        return f"PlainArray({text}, {self.dtype})"

    def __str__(self) -> str:
        return str(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __int__(self) -> int:
        return int(self.values)

    def __float__(self) -> float:
        return float(self.values)

    def __complex__(self) -> complex:
        return complex(self.values)

    def __index__(self) -> int:
        return self.values.__index__()

    def item(self) -> Any:
        """The one element, as a Python number."""
        return self.values.item()

    def tolist(self) -> Any:
        """The elements, in nested lists."""
        return self.values.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """The values for another library."""
        check_stream(stream)
        return self.values.__dlpack__(**stated(max_version=max_version, dl_device=dl_device, copy=copy))

    def __dlpack_device__(self) -> Any:
        """The device, by DLPack's numbers."""
        return self.values.__dlpack_device__()

    # --- elements and operators -------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> PlainArray:
        return self._like(np.asarray(self.values[unwrapped_key(key)]))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.values[unwrapped_key(key)] = self.xp.plain_operand(value, self.dtype)

    def __iter__(self) -> Iterator[PlainArray]:
        if not self.ndim:
            raise TypeError("an array of no dimensions has no elements to iterate over; use int(x) or bool(x)")
        return (self[k] for k in range(len(self)))


for _name, _function in OPERATORS.items():
    setattr(PlainArray, f"__{_name}__", _operator(_function))
    setattr(PlainArray, f"__r{_name}__", _operator(_function, swapped=True))
    setattr(PlainArray, f"__i{_name}__", _in_place(_function))
for _name in ADDING:
    setattr(RealArray, _name, _by_accumulator(_name))
for _name in ("invert",):
    setattr(RealArray, f"__{_name}__", _unary(UNARY[_name]))
for _name in BITWISE:  # they say that floats have none
    setattr(RealArray, f"__{_name}__", _operator(OPERATORS[_name]))
    setattr(RealArray, f"__r{_name}__", _operator(OPERATORS[_name], swapped=True))
for _name, _function in COMPARISONS.items():
    setattr(PlainArray, f"__{_name}__", _operator(_function))
    setattr(RealArray, f"__{_name}__", _comparison(_name))
for _name, _function in UNARY.items():
    setattr(PlainArray, f"__{_name}__", _unary(_function))
