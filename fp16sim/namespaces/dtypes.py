"""The dtypes of a namespace: formats are its real floating ones, NumPy's integers and booleans the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..arrays import FloatArray
from ..formats import Format
from ..wording import joined, quoted

DType: TypeAlias = "Format | np.dtype[Any]"

BOOL, DEFAULT_INTEGER = np.dtype(bool), np.dtype(np.int64)
SIGNED = {name: np.dtype(name) for name in ("int8", "int16", "int32", "int64")}
UNSIGNED = {f"u{name}": np.dtype(f"u{name}") for name in SIGNED}
COMPLEX = {name: np.dtype(name) for name in ("complex64", "complex128")}
"""They have names, so that code may ask whether an array is complex. No array is."""
PLAIN = {"bool": BOOL, **SIGNED, **UNSIGNED}
PYTHON_NAMES: dict[type, np.dtype[Any]] = {
    **{dtype.type: dtype for dtype in PLAIN.values()},
    bool: BOOL,
    int: DEFAULT_INTEGER,
}

KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("signed integer",),
    "unsigned integer": ("unsigned integer",),
    "integral": ("signed integer", "unsigned integer"),
    "real floating": ("real floating",),
    "complex floating": ("complex floating",),
    "numeric": ("signed integer", "unsigned integer", "real floating", "complex floating"),
}
_BY_LETTER = {"b": "bool", "i": "signed integer", "u": "unsigned integer", "c": "complex floating"}

CATEGORIES: dict[str, tuple[str, ...]] = {
    "any": ("bool", *KINDS["numeric"]),
    "numeric": KINDS["numeric"],
    "floating": ("real floating",),
    "integer": KINDS["integral"],
    "integer or boolean": ("bool", *KINDS["integral"]),
    "boolean": ("bool",),
}
"""What the standard says of the arguments of a function, and the kinds of dtypes that it means."""


def no_complex(what: str) -> TypeError:
    """The error for a complex number, or a function that gives one."""
    return TypeError(
        f"{what} is complex, and a format has real numbers alone; keep real and imaginary parts in two arrays"
    )


def kind_of(dtype: DType) -> str:
    """The kind of a dtype, in the standard's words."""
    return "real floating" if isinstance(dtype, Format) else _BY_LETTER[dtype.kind]


def is_dtype(x: Any) -> bool:
    """Whether it is a dtype of a namespace, complex ones included."""
    return isinstance(x, Format) or (isinstance(x, np.dtype) and x in (*PLAIN.values(), *COMPLEX.values()))


def checked(dtype: Any) -> DType:
    """A dtype that arrays can have, also by Python's name, `bool` or `int`; TypeError for all else."""
    if isinstance(dtype, type) and dtype in PYTHON_NAMES:
        return PYTHON_NAMES[dtype]
    if not is_dtype(dtype):
        raise TypeError(
            f"dtype={quoted(dtype)} is not a dtype of this namespace; use a format, such as fs.BFLOAT16, or one of "
            f"{joined([f'xp.{name}' for name in PLAIN], 'or')}"
        )
    if not isinstance(dtype, Format) and dtype.kind == "c":
        raise no_complex(f"dtype={dtype}")
    return dtype


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind, or is a given dtype, or one of several."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"kind={quoted(kind)} is not a kind of dtypes; use one of {joined(KINDS, 'or')}")
        return is_dtype(dtype) and kind_of(dtype) in KINDS[kind]
    if not is_dtype(kind):
        raise TypeError(f"kind={quoted(kind)} is neither a kind nor a dtype; use a name such as 'real floating'")
    return bool(dtype == kind)


# --- promotion ------------------------------------------------------------------------------------------------------


def dtype_of(x: Any) -> DType | None:
    """The dtype of an array, or a dtype itself; None for a Python number."""
    if isinstance(x, FloatArray):
        return x.fmt
    if is_dtype(x):
        return checked(x)
    if isinstance(x, np.ndarray) and x.dtype in PLAIN.values():
        return x.dtype
    found = getattr(x, "dtype", None) if hasattr(x, "__array_namespace__") else None
    return checked(found) if found is not None else None


def promoted(dtypes: Iterable[DType]) -> DType:
    """The dtype of a result of arrays of these dtypes. Integers adopt the format of floats; formats do not mix."""
    found, *others = dict.fromkeys(dtypes)
    for other in others:
        found = _promoted_pair(found, other)
    return found


def _promoted_pair(a: DType, b: DType) -> DType:
    if isinstance(a, Format) and isinstance(b, Format):
        raise TypeError(f"{a.name} and {b.name} do not mix; convert one of them first: xp.astype(x, {_named(b)})")
    for fmt, other in ((a, b), (b, a)):
        if isinstance(fmt, Format) and kind_of(other) in KINDS["integral"]:
            return fmt  # as Python's integers do
    if isinstance(a, Format) or isinstance(b, Format) or "b" in (a.kind, b.kind):
        first, second = (str(dtype) for dtype in (a, b))
        raise TypeError(f"{first} and {second} are dtypes of different kinds, which do not mix; use xp.astype first")
    y = np.promote_types(a, b)
    if y.kind == "f":
        raise TypeError(f"{a} and {b} have no integer dtype that holds both; use xp.astype first")
    return y


def _named(dtype: DType) -> str:
    return f"xp.{dtype.name}"


ACCEPTS = {
    bool: ("bool",),
    int: CATEGORIES["numeric"],
    float: ("real floating",),
}
"""Python's numbers, and the kinds of the arrays that they may stand beside."""


def check_scalar(x: Any, dtype: DType) -> None:
    """TypeError for a Python number that cannot stand beside an array of this dtype."""
    if isinstance(x, (complex, np.complexfloating)):
        raise no_complex(f"x={quoted(x)}")
    number = bool if isinstance(x, (bool, np.bool_)) else int if isinstance(x, (int, np.integer)) else float
    if not isinstance(x, (bool, int, float, np.generic)):
        raise TypeError(f"x={quoted(x)} of type {type(x).__name__} is neither an array nor a number; use xp.asarray")
    if kind_of(dtype) not in ACCEPTS[number]:
        raise TypeError(f"x={quoted(x)} is {_a(number)}, which cannot stand beside an array of {dtype}; use xp.astype")


def _a(number: type) -> str:
    return {bool: "a boolean", int: "an integer", float: "a float"}[number]


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype of a result of these arrays, dtypes and Python numbers."""
    found = {k: dtype_of(x) for k, x in enumerate(arrays_and_dtypes)}
    dtypes = [dtype for dtype in found.values() if dtype is not None]
    if not dtypes:
        raise TypeError("no argument has a dtype; give at least one array or dtype beside Python's numbers")
    y = promoted(dtypes)
    for k, x in enumerate(arrays_and_dtypes):
        if found[k] is None:
            check_scalar(x, y)
    return y


def can_cast(from_: Any, to: Any) -> bool:
    """Whether every number of one dtype is one of the other, by the standard's rules of promotion."""
    source, goal = dtype_of(from_), checked(to)
    if source is None:
        raise TypeError(f"from_={quoted(from_)} is neither an array nor a dtype; use xp.asarray")
    if isinstance(source, Format) or isinstance(goal, Format):
        return isinstance(source, Format) and isinstance(goal, Format) and (source == goal or source.fits_in(goal))
    return bool(np.can_cast(source, goal) and (source.kind == "b") == (goal.kind == "b"))


# --- limits ---------------------------------------------------------------------------------------------------------


class FloatInfo(NamedTuple):
    """What `finfo` tells of a format."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Format


class IntegerInfo(NamedTuple):
    """What `iinfo` tells of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def finfo(type: Any, /) -> FloatInfo:
    """Limits of a format, by the names of the standard; `xp.finfo(x).dtype` is the format, which has more."""
    fmt = dtype_of(type)
    if not isinstance(fmt, Format):
        raise TypeError(f"type={quoted(type)} is not of a real floating dtype; give a format or an array of one")
    largest = float(fmt.max_finite)
    least = -largest if fmt.signed else float(fmt.min_subnormal)
    return FloatInfo(fmt.width, float(fmt.machine_epsilon), largest, least, float(fmt.min_normal), fmt)


def iinfo(type: Any, /) -> IntegerInfo:
    """Limits of an integer dtype."""
    dtype = dtype_of(type)
    if dtype is None or kind_of(dtype) not in KINDS["integral"]:
        raise TypeError(f"type={quoted(type)} is not of an integer dtype; give one such as xp.int64, or an array")
    info = np.iinfo(dtype)
    return IntegerInfo(int(info.bits), int(info.max), int(info.min), info.dtype)
