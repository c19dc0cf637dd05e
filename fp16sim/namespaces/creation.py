"""Arrays from nothing, from numbers and from other arrays: each number is rounded once, to the dtype asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import FloatArray, array
from ..arrays.ranges import arange as format_arange
from ..arrays.ranges import linspace as format_linspace
from ..conversion import Array, check_nesting, plain_array
from ..formats import Format
from ..wording import quoted
from .arrays import Namespace, PlainArray, RealArray, check_device
from .dtypes import DEFAULT_INTEGER, DType, kind_of, no_complex, promoted
from .operands import operand, operands


def converted(xp: Namespace, values: Any, dtype: DType) -> Any:
    """Plain numbers as an array of a dtype that is theirs alone: floats are rounded, integers cut their fractions."""
    if isinstance(dtype, Format):
        return RealArray(array(values, dtype, xp.mode, rng=xp.rng).values, xp, dtype)
    plain = np.asarray(values)
    with np.errstate(invalid="ignore"):  # NaN and numbers out of range have no integer: the standard leaves it open
        return PlainArray(plain.astype(dtype), xp)


def inferred(xp: Namespace, values: Array) -> DType:
    """The dtype of numbers that say nothing of a format: NumPy's and Python's floats adopt that of the namespace."""
    kind = values.dtype.kind
    if kind == "c":
        raise no_complex(f"obj={quoted(values)}")
    if kind in "biu":
        return values.dtype
    if kind in "fOV":
        fmt: Format = xp.fmt
        return fmt
    raise TypeError(f"obj={quoted(values)} has dtype {values.dtype}, not numbers; give floats, integers or booleans")


def _arrays_inside(obj: Any) -> list[Any]:
    """The arrays of a namespace in nested lists."""
    if isinstance(obj, (list, tuple)):
        return [x for part in obj for x in _arrays_inside(part)]
    return [obj] if isinstance(obj, (FloatArray, PlainArray)) else []


def _plain_inside(obj: Any) -> Any:
    """Nested lists with plain numbers in place of arrays."""
    if isinstance(obj, (list, tuple)):
        return [_plain_inside(part) for part in obj]
    return obj.values.tolist() if isinstance(obj, (FloatArray, PlainArray)) else obj


def asarray(xp: Namespace, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """An array of the namespace: from arrays, NumPy's too, from nested lists, or from a number.

    Floats of Python and NumPy are rounded to the format of the namespace, unless `dtype` names another.
    """
    check_device(device)
    goal = None if dtype is None else xp.checked(dtype)
    if isinstance(obj, (FloatArray, PlainArray)):
        return _of_array(xp, obj, goal, copy)
    check_nesting(obj)
    inside = _arrays_inside(obj)
    source = obj if isinstance(obj, np.ndarray) else plain_array(_plain_inside(obj), "obj")
    if goal is None:
        goal = promoted(x.dtype for x in inside) if inside and source.size else inferred(xp, source)
    if not isinstance(goal, Format) and source.dtype == goal and isinstance(obj, (np.ndarray, np.generic)):
        return PlainArray(source.copy() if copy else source, xp)
    if copy is False:
        raise ValueError(f"copy=False: obj={quoted(obj)} is not an array of {goal}; leave copy out")
    exactly = isinstance(goal, Format) and isinstance(obj, (int, float, list, tuple)) and not inside
    if source.dtype.kind == "c":
        raise no_complex(f"obj={quoted(obj)}")
    if not isinstance(goal, Format) and source.dtype.kind in "iu" and kind_of(goal) != "bool":
        return PlainArray(np.asarray(_plain_inside(obj), goal), xp)  # raises OverflowError where NumPy does
    return converted(xp, obj if exactly else source, goal)


def _of_array(xp: Namespace, x: Any, dtype: DType | None, copy: bool | None) -> Any:
    """An array of this namespace from one of any namespace."""
    if dtype is not None and dtype != x.dtype:
        if copy is False:
            raise ValueError(f"copy=False: x is of {x.dtype}, not of {dtype}; leave copy out")
        return converted(xp, x.values, dtype)
    values = x.values.copy() if copy else x.values
    return RealArray(values, xp, x.fmt) if isinstance(x, FloatArray) else PlainArray(values, xp)


def from_dlpack(xp: Namespace, x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array of any library that speaks DLPack; its float16, float32 and float64 are formats of the same names."""
    check_device(device)
    if isinstance(x, (FloatArray, PlainArray)):
        return asarray(xp, x, copy=copy)
    source = x if isinstance(x, np.ndarray) else np.from_dlpack(x)  # NumPy 2.0 exports no array that is read-only
    if source.dtype.kind != "f":
        return asarray(xp, source, copy=copy)
    return asarray(xp, source, dtype=xp.binary(source.dtype), copy=None if copy is None else copy)


def astype(xp: Namespace, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The numbers as an array of another dtype: rounded once to a format; cut to integers; true where not zero."""
    check_device(device)
    y, goal = operand(xp, "astype", x), xp.checked(dtype)
    if y.dtype == goal:
        return y._like(y.values.copy()) if copy else y
    return converted(xp, y.values, goal)


# --- from nothing ---------------------------------------------------------------------------------------------------


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)


def full(xp: Namespace, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of one number."""
    y = asarray(xp, fill_value, dtype=dtype, device=device)
    if y.ndim:
        raise ValueError(f"fill_value has shape {y.shape}; give one number")
    return y._like(np.full(_shape(shape), y.values))


def _filled(name: str, value: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def of_shape(xp: Namespace, shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
        return full(xp, shape, value, dtype=xp.fmt if dtype is None else dtype, device=device)

    def like(xp: Namespace, x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
        return full_like(xp, x, value, dtype=dtype, device=device)

    of_shape.__name__, like.__name__ = name, f"{name}_like"
    of_shape.__doc__ = like.__doc__ = f"An array of {value:g}s."
    return of_shape, like


def full_like(xp: Namespace, x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of one number, with the shape and dtype of x."""
    y = operand(xp, "full_like", x)
    return full(xp, y.shape, fill_value, dtype=y.dtype if dtype is None else dtype, device=device)


def arange(
    xp: Namespace,
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Any:
    """start + k * step for k = 0, 1, ... while that is before stop; integers if all three are."""
    check_device(device)
    first, last = (0, start) if stop is None else (start, stop)
    goal = xp.checked(dtype) if dtype is not None else None
    if goal is None:
        goal = DEFAULT_INTEGER if all(isinstance(x, (int, np.integer)) for x in (first, last, step)) else xp.fmt
    if not isinstance(goal, Format):
        return PlainArray(_integers(first, last, step, goal), xp)
    numbers = [converted(xp, x, goal) for x in (first, last, step)]
    y = format_arange(xp.steps(goal), *(x.values for x in numbers))
    return RealArray(np.asarray(y, numbers[0].values.dtype), xp, goal)


_integers: Callable[..., Array] = np.arange


def linspace(
    xp: Namespace, start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    """`num` numbers from start to stop in equal steps: exact, then rounded once."""
    check_device(device)
    goal = xp.fmt if dtype is None else xp.checked(dtype)
    if not isinstance(goal, Format):
        raise TypeError(f"dtype={goal}: linspace gives floats; use xp.arange for integers")
    first, last = (converted(xp, x, goal) for x in (start, stop))
    y = format_linspace(xp.steps(goal), first.values, last.values, num, endpoint)
    return RealArray(np.asarray(y, first.values.dtype), xp, goal)


def eye(
    xp: Namespace, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Any:
    """Ones on a diagonal, zeros beside it."""
    check_device(device)
    return converted(xp, np.eye(n_rows, n_cols, k), xp.fmt if dtype is None else xp.checked(dtype))


def tril(xp: Namespace, x: Any, /, *, k: int = 0) -> Any:
    """The lower triangle of matrices, with zeros above it."""
    y = operand(xp, "tril", x)
    return y._like(np.tril(y.values, k))


def triu(xp: Namespace, x: Any, /, *, k: int = 0) -> Any:
    """The upper triangle of matrices, with zeros below it."""
    y = operand(xp, "triu", x)
    return y._like(np.triu(y.values, k))


def meshgrid(xp: Namespace, *arrays: Any, indexing: str = "xy") -> Any:
    """The coordinates of a grid, an array for each axis."""
    given = operands(xp, "meshgrid", *arrays) if arrays else []
    grids = np.meshgrid(*(x.values for x in given), indexing=indexing)  # type: ignore[call-overload]
    return tuple(x._like(grid) for x, grid in zip(given, grids, strict=True))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *_filled("empty", 0.0),
        *_filled("ones", 1.0),
        *_filled("zeros", 0.0),
        *(asarray, from_dlpack, astype, full, full_like, arange, linspace, eye, tril, triu, meshgrid),
    )
}
