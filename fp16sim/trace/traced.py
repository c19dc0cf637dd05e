"""Traced: a value of the format together with its shadow, under Python's operators and NumPy's functions.

The emulated value is a FloatArray and is computed by FloatArray alone, so tracing changes no result. A traced scalar
has no dimensions and cannot be changed in place, as a Python float.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import FloatArray
from ..arrays import array as float_array
from ..conversion import Array
from ..formats import BINARY16, BINARY32, Format
from . import marks, shadows, wide
from .marks import CLEAN, Marks
from .pairs import Pair, two_sum
from .recorder import Measured, Recorder
from .shadows import Shadow
from .sites import user_frame

KEPT = {np.dtype(np.float16): BINARY16, np.dtype(np.float32): BINARY32}
"""Formats that code can ask for by a dtype. Any other float dtype, such as float64, stands for the traced format."""


PLAIN = (int, float, complex, Fraction, np.number, np.bool_, np.ndarray, FloatArray)
"""Operands that an operator adopts."""


def _operator(ufunc: Any, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (Traced, *PLAIN)):
            return NotImplemented
        return ufunc(other, self) if swapped else ufunc(self, other)

    return method


def _in_place(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Over the elements of an array; a scalar stays what it was, and the name gets the new one, as for a float."""

    def method(self: Traced, other: Any) -> Any:
        y = function(self, other)
        if not self.ndim:
            return y
        self[...] = y
        return self

    return method


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **keywords: Any) -> Any:
        return self.recorder.function(self.recorder, getattr(np, name), (self, *args), keywords)

    method.__doc__ = f"As `numpy.{name}`."
    return method


class Traced:
    """A number or an array that is traced.

    Attributes
    ----------
    value : FloatArray
        The emulated value.
    shadow : Wide or Pair
        What the same computation gives without rounding, as far as it is known.
    """

    __slots__ = (
        "__weakref__",
        "_correction",
        "_few",
        "_marks",
        "_plain",
        "_shadow",
        "carry",
        "island",
        "made_of",
        "origin",
        "recorder",
        "value",
        "vanished",
    )
    __array_priority__ = 1000.0
    computes_with_float_arrays = True

    def __init__(
        self,
        recorder: Recorder,
        value: FloatArray,
        shadow: Shadow | None,
        marks_: Marks = CLEAN,
        origin: int = -1,
        island: bool = False,
    ) -> None:
        self.recorder = recorder
        self.value = value
        self._shadow = shadow
        self._correction: tuple[Any, Any] | None = None
        self._marks = marks_
        self._few: tuple[Array, Marks] | None = None
        self.origin = origin
        self.island = island
        self.vanished = False
        self.made_of: tuple[str, tuple[Any, ...]] | None = None
        self.carry: Any = None
        self._plain: Array | None = None

    @property
    def plain(self) -> Array:
        """The emulated values as float64."""
        if self._plain is None:
            self._plain = np.asarray(self.value.values, np.float64)
        return self._plain

    @property
    def shadow(self) -> Shadow:
        """What the same computation gives without rounding, as far as it is known."""
        if self._shadow is None:
            assert self._correction is not None
            correction, radius = self._correction
            self._shadow = Pair(*two_sum(self.plain, correction), radius + np.abs(correction) * 2.0**-53)
        return self._shadow

    @shadow.setter
    def shadow(self, shadow: Shadow) -> None:
        self._shadow, self._correction = shadow, None

    @property
    def marks(self) -> Marks:
        """The bits that the elements have lost, and where."""
        if self._few is not None:
            elements, found = self._few
            self._marks, self._few = found.spread(elements, self.shape), None
        return self._marks

    @marks.setter
    def marks(self, found: Marks) -> None:
        self._marks, self._few = found, None

    def marks_of_few(self, elements: Array, found: Marks) -> None:
        """Set the marks of some elements; the others have lost nothing."""
        self._marks, self._few = CLEAN, (elements, found)

    def marks_at(self, elements: Array, error: Array) -> Marks:
        """The marks of some elements, by their flat numbers, with errors that are known."""
        if self._few is None:
            return self._marks.at(elements, error)
        mine, found = self._few
        k = np.minimum(np.searchsorted(mine, elements), max(mine.size - 1, 0))
        there = mine[k] == elements
        return Marks(
            error,
            np.where(there, found.lost[k], 0.0),
            np.where(there, found.site[k], marks.NOWHERE),
            np.where(there, found.bits[k], 0.0),
        )

    @property
    def correction(self) -> Any:
        """The shadow minus the value, and how far it may be off."""
        if self._correction is None:
            if self.is_exact:
                return 0.0, 0.0
            pair = shadows.as_array(self.shadow)
            error = (pair.hi - self.plain) + pair.lo
            radius = pair.radius + np.abs(error) * 2.0**-52
            self._correction = (error, radius) if self.ndim else (float(error), float(radius))
        return self._correction

    @property
    def is_exact(self) -> bool:
        """Whether the value is its own shadow, as that of an argument is."""
        return isinstance(self._shadow, Pair) and self._shadow.hi is self.plain

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What isinstance sees: code that asks whether a number is a float, or an array, goes the same way."""
        return np.ndarray if self.value.ndim else float

    # --- what it is -------------------------------------------------------------------------------------------------

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.fmt)
    nbytes = property(lambda self: self.value.size * self.value.fmt.width // 8)
    real = property(lambda self: self)
    imag = property(lambda self: 0.0 if not self.ndim else np.zeros(self.shape))

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        self.recorder.shown.append(self)
        return repr(self.value).replace("FloatArray", "Traced")

    def __str__(self) -> str:
        self.recorder.shown.append(self)
        return str(self.value)

    def __format__(self, spec: str) -> str:
        self.recorder.shown.append(self)
        return format(self.value, spec)

    # --- escapes ----------------------------------------------------------------------------------------------------

    def _escape(self, how: str) -> FloatArray:
        self.recorder.escape(how)
        self.recorder.shown.append(self)
        return self.value

    def __float__(self) -> float:
        return float(self._escape("float(x)"))

    def __int__(self) -> int:
        return int(self._escape("int(x)"))

    __trunc__ = __int__

    def __round__(self, digits: int | None = None) -> Any:
        return round(float(self._escape("round(x)")), digits)

    def __floor__(self) -> int:
        return int(np.floor(self._escape("math.floor(x)").values))

    def __ceil__(self) -> int:
        return int(np.ceil(self._escape("math.ceil(x)").values))

    def item(self, *index: Any) -> Any:
        """An element as a plain number: it leaves the trace."""
        return self._escape("x.item()").item(*index)

    def tolist(self) -> Any:
        """The elements as plain numbers: they leave the trace."""
        return self._escape("x.tolist()").tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._escape("np.asarray(x)").values, dtype=dtype or np.float64)

    def __bool__(self) -> bool:
        answer = bool(self.value)
        truth = shadows.compared("not_equal", self.shadow, shadows.exactly(np.zeros(())))
        self.recorder.branch("bool", int(bool(truth) != answer))
        return answer

    def __hash__(self) -> int:
        if self.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(float(self.plain))

    def __complex__(self) -> complex:
        return complex(self._escape("complex(x)").item())

    def is_integer(self) -> bool:
        """As `float.is_integer`."""
        return float(self.plain).is_integer()

    def as_integer_ratio(self) -> tuple[int, int]:
        """As `float.as_integer_ratio`."""
        return float(self._escape("x.as_integer_ratio()")).as_integer_ratio()

    def hex(self) -> str:
        """As `float.hex`."""
        return float(self._escape("x.hex()")).hex()

    def __iter__(self) -> Iterator[Traced]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    # --- elements ---------------------------------------------------------------------------------------------------

    def _solid(self) -> None:
        """Make all parts arrays that can be written to, so that views of them stay views."""
        self.marks = self.marks.solid(self.shape)
        pair = shadows.as_array(self.shadow)
        self.shadow = (pair.moved(np.copy) if pair.hi is self._plain else pair).solid()
        self._plain = None

    def _view(self, move: Callable[[Array], Array]) -> Traced:
        """The same numbers in other places; a view where NumPy gives one."""
        if self.ndim:
            self._solid()
        value = self.value._like(np.asarray(move(self.value.values)))
        shadow = shadows.settled(shadows.as_array(self.shadow).moved(lambda part: np.asarray(move(part))))
        moved = self.marks.moved(lambda part: np.asarray(move(part)))
        return Traced(self.recorder, value, shadow, moved, self.origin, self.island)

    def __getitem__(self, key: Any) -> Traced:
        key = _plain_key(key)
        if not self.ndim:
            return self._view(lambda part: part[key])
        return self._view(lambda part: part[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        key = _plain_key(key)
        given = cast(adopt(self.recorder, value, self.value.fmt), self.value.fmt)
        self._solid()
        self.value[key] = given.value
        shadow = shadows.as_array(given.shadow)
        mine = shadows.as_array(self.shadow)
        mine.hi[key], mine.lo[key], mine.radius[key] = shadow.hi, shadow.lo, shadow.radius
        for part, new in zip(self.marks.parts(), given.marks.parts(), strict=True):
            part[key] = new
        self.origin = given.origin
        self._plain = self._correction = None

    # --- NumPy's protocols ------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **keywords: Any) -> Any:
        return self.recorder.ufunc(self.recorder, ufunc, method, inputs, out, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return self.recorder.function(self.recorder, function, args, keywords)

    __add__, __radd__ = _operator(np.add), _operator(np.add, swapped=True)
    __sub__, __rsub__ = _operator(np.subtract), _operator(np.subtract, swapped=True)
    __mul__, __rmul__ = _operator(np.multiply), _operator(np.multiply, swapped=True)
    __truediv__, __rtruediv__ = _operator(np.divide), _operator(np.divide, swapped=True)
    __mod__, __rmod__ = _operator(np.remainder), _operator(np.remainder, swapped=True)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide), _operator(np.floor_divide, swapped=True)
    __matmul__, __rmatmul__ = _operator(np.matmul), _operator(np.matmul, swapped=True)
    __rpow__ = _operator(np.power, swapped=True)
    __lt__, __le__ = _operator(np.less), _operator(np.less_equal)
    __gt__, __ge__ = _operator(np.greater), _operator(np.greater_equal)
    __eq__, __ne__ = _operator(np.equal), _operator(np.not_equal)
    __iadd__, __isub__, __imul__ = _in_place(operator.add), _in_place(operator.sub), _in_place(operator.mul)
    __itruediv__, __imod__ = _in_place(operator.truediv), _in_place(operator.mod)
    __ifloordiv__, __imatmul__ = _in_place(operator.floordiv), _in_place(operator.matmul)
    __ipow__ = _in_place(operator.pow)

    def __pow__(self, exponent: Any) -> Any:
        if type(exponent) is not Traced and isinstance(exponent, (int, float)) and exponent == 2:
            return np.multiply(self, self)
        return np.power(self, exponent)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return self.copy()

    def __abs__(self) -> Any:
        return np.absolute(self)

    def copy(self, order: str = "C") -> Traced:
        """A copy with parts of its own."""
        copied = Traced(self.recorder, self.value.copy(), self.shadow, self.marks, self.origin, self.island)
        if self.ndim:
            pair = shadows.as_array(self.shadow)
            copied.shadow = pair.moved(np.copy)
            copied.marks = self.marks.moved(np.copy)
        return copied

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Traced:
        return self.copy()

    def astype(self, dtype: Any, copy: bool = True, **keywords: Any) -> Any:
        """In another format: np.float32 and np.float16 are kept, float64 stands for the traced format."""
        fmt = format_of(self.recorder, dtype)
        if fmt is None:
            return self._escape(f"x.astype({np.dtype(dtype).name})").values.astype(dtype)
        y = cast(self, fmt)
        y.island = False
        return y if y is not self else self.copy()

    T = property(lambda self: self._view(np.transpose))
    mT = property(lambda self: self._view(lambda part: np.swapaxes(part, -1, -2)))
    flat = property(lambda self: iter(self._view(np.ravel)))

    sum, mean, prod, var, std = map(_method, ("sum", "mean", "prod", "var", "std"))
    max, min, argmax, argmin, argsort = map(_method, ("max", "min", "argmax", "argmin", "argsort"))
    cumsum, cumprod, dot, trace = map(_method, ("cumsum", "cumprod", "dot", "trace"))
    clip, round, repeat, take, compress = map(_method, ("clip", "round", "repeat", "take", "compress"))
    any, all, nonzero, searchsorted = map(_method, ("any", "all", "nonzero", "searchsorted"))
    diagonal, squeeze, swapaxes = map(_method, ("diagonal", "squeeze", "swapaxes"))
    conj = conjugate = _method("conjugate")

    def fill(self, value: Any) -> None:
        """Write one number to all elements."""
        self[...] = value

    def reshape(self, *shape: Any, **keywords: Any) -> Traced:
        """As `numpy.reshape`."""
        shape = shape[0] if len(shape) == 1 else shape
        return self._view(lambda part: part.reshape(shape))

    def transpose(self, *axes: Any) -> Traced:
        """As `numpy.transpose`."""
        return self._view(lambda part: part.transpose(*axes))

    def ravel(self, order: str = "C") -> Traced:
        """As `numpy.ravel`."""
        return self._view(np.ravel)

    def flatten(self, order: str = "C") -> Traced:
        """As `numpy.ndarray.flatten`."""
        return self._view(np.ravel).copy()

    def view(self, *args: Any) -> Traced:
        """The same elements."""
        return self._view(lambda part: part)

    def sort(self, axis: int = -1, **keywords: Any) -> None:
        """Sort in place."""
        self[...] = np.sort(self, axis=axis)


def _plain_key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(map(_plain_key, key))
    return np.asarray(key).astype(np.int64) if isinstance(key, Traced) else key


# --- coming in ------------------------------------------------------------------------------------------------------


def format_of(recorder: Recorder, dtype: Any) -> Format | None:
    """The format that a dtype stands for; None for integers, booleans and the like."""
    if dtype is None:
        return recorder.fmt
    if isinstance(dtype, Format):
        return dtype
    dtype = np.dtype(_numpy_type(dtype))
    return KEPT.get(dtype, recorder.fmt) if dtype.kind == "f" else None


def _numpy_type(dtype: Any) -> Any:
    """NumPy's type for one of ours, which has it as its attribute `dtype`; also for an array's."""
    own = getattr(dtype, "dtype", dtype)
    return own if isinstance(own, np.dtype) else dtype


def adopt(recorder: Recorder, x: Any, fmt: Format | None = None) -> Traced:
    """An operand as a traced value: a plain number or array is rounded to the format here."""
    if isinstance(x, Traced):
        return x
    fmt = fmt or recorder.format_here() or recorder.fmt
    if isinstance(x, FloatArray):
        return _as_it_is(recorder, x)
    if isinstance(x, (list, tuple)):
        return _stacked(recorder, x, fmt)
    if isinstance(x, np.ndarray) and x.ndim:
        return entered(recorder, x, fmt, "constant")
    return _number(recorder, x.item() if isinstance(x, (np.ndarray, np.generic)) else x, fmt)


def _stacked(recorder: Recorder, x: Any, fmt: Format) -> Traced:
    """A list of numbers as an array."""
    parts = [cast(adopt(recorder, part, fmt), fmt) for part in x]
    return recorder.function(recorder, np.stack, (parts,), {}) if parts else entered(recorder, np.zeros(0), fmt)


def _number(recorder: Recorder, x: Any, fmt: Format) -> Traced:
    """A plain number. What its rounding changes is an error of the line where it is used; there it is kept."""
    if not isinstance(x, float) or recorder.mode.random:
        return _rounded(recorder, x, fmt)
    frame = user_frame(recorder.files)
    key = (x, math.copysign(1.0, x), fmt, frame.f_code, frame.f_lasti)
    found = recorder.constants.get(key)
    if found is None:
        found = recorder.constants[key] = _rounded(recorder, x, fmt)
    return found


def _rounded(recorder: Recorder, x: Any, fmt: Format) -> Traced:
    value = float_array(x, fmt, recorder.mode, rng=recorder.rng)
    if recorder.held_constants and x and math.isfinite(x) and not 0 < abs(value.item()) < math.inf:
        nearest = float(fmt.max_finite if value.item() else fmt.min_normal)
        value = float_array(math.copysign(nearest, x), fmt, recorder.mode)
    traced = Traced(recorder, value, wide.wide(x))
    settle(recorder, "constant", traced, shadows.exactly(traced.plain))
    traced.vanished = bool(x) and not traced.plain
    return traced


def settle(recorder: Recorder, name: str, traced: Traced, exact: Shadow) -> None:
    """Measure a number that was rounded on its way in, if that changed it."""
    error = marks.difference(traced.plain, traced.shadow)
    if not np.any(error):
        return
    step = Measured(name, traced.plain, traced.shadow, traced.shadow, (), CLEAN)
    traced.marks, traced.origin = recorder.measure(step, traced.value.fmt)


def entered(recorder: Recorder, x: Any, fmt: Format | None = None, name: str = "constant") -> Traced:
    """A plain array that comes in, rounded to the format."""
    fmt = recorder.fmt if fmt is None else fmt
    x = np.asarray(x)
    value = float_array(x, fmt, recorder.mode, rng=recorder.rng)
    shadow = shadows.settled(_pair_of(x)) if x.ndim else wide.wide(x.item())
    traced = Traced(recorder, value, shadow)
    settle(recorder, name, traced, shadows.exactly(traced.plain))
    return traced


def _pair_of(x: Array) -> Pair:
    hi = x.astype(np.float64)
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        lo = (x - hi.astype(x.dtype)).astype(np.float64) if np.abs(hi).max(initial=0) < 2.0**62 else np.zeros(hi.shape)
        return Pair(hi, lo if lo.any() else 0.0)
    return Pair(hi)


def argument(recorder: Recorder, x: Any) -> Traced:
    """An argument of a traced function: the value that the format holds is its own shadow."""
    return _as_it_is(recorder, float_array(x, recorder.fmt, recorder.mode, rng=recorder.rng))


def _as_it_is(recorder: Recorder, value: FloatArray) -> Traced:
    """A value that is its own shadow."""
    traced = Traced(recorder, value, None)
    traced.shadow = shadows.exactly(traced.plain)
    return traced


def cast(x: Traced, fmt: Format) -> Traced:
    """The same numbers in another format, rounded if it does not hold them."""
    if x.value.fmt == fmt:
        return x
    y = Traced(x.recorder, x.value.astype(fmt), x.shadow, x.marks, x.origin)
    exact = shadows.exactly(x.plain)
    y.marks, y.origin = x.recorder.measure(Measured("astype", y.plain, exact, x.shadow, (x,), x.marks), fmt)
    return y


def leaves(x: Any) -> list[Any]:
    """What is in nested lists and tuples; a value alone is the only one."""
    return [leaf for part in x for leaf in leaves(part)] if isinstance(x, (list, tuple)) else [x]


def common_format(recorder: Recorder, operands: Sequence[Any]) -> Format:
    """The format of an operation: that of the island here, else the widest of the traced operands."""
    here = recorder.format_here()
    if here is not None:
        return here
    own = [x.value.fmt for x in operands if isinstance(x, Traced) and not x.island]
    own += [x.fmt for x in operands if isinstance(x, FloatArray)]
    return max(own, key=lambda fmt: (fmt.precision, fmt.width), default=recorder.fmt)
