"""The arguments of a namespace's functions: arrays of the namespace, checked, or Python numbers beside them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ..arrays import FloatArray
from ..formats import Format
from ..wording import quoted
from .arrays import Namespace, PlainArray, RealArray
from .dtypes import CATEGORIES, PLAIN, DType, kind_of, result_type

Operand: TypeAlias = "RealArray | PlainArray"


def is_array(x: Any) -> bool:
    """Whether functions of a namespace take it as an array: ours, and NumPy's of booleans or integers."""
    return isinstance(x, (FloatArray, PlainArray)) or (isinstance(x, np.ndarray) and x.dtype in PLAIN.values())


def operand(xp: Namespace, name: str, x: Any, category: str = "any") -> Any:
    """An argument that has to be an array, of a category of dtypes."""
    if isinstance(x, FloatArray):
        y: Any = x if type(x) is RealArray and x.xp is xp else adopted(xp, x)
    elif isinstance(x, PlainArray):
        y = x
    elif is_array(x):
        y = PlainArray(x, xp)
    else:
        raise TypeError(f"{name}: x={quoted(x)} of type {type(x).__name__} is not an array of {xp}; use xp.asarray(x)")
    check_category(name, y.dtype, category)
    return y


def adopted(xp: Namespace, x: FloatArray) -> RealArray:
    """A FloatArray as an array of the namespace, whose mode it must have."""
    if x.mode is not xp.mode:
        raise TypeError(f"x rounds {x.mode.value}, and {xp} rounds {xp.mode.value}; use xp.asarray(x) first")
    return RealArray(x.values, xp, x.fmt)


def check_category(name: str, dtype: DType, category: str) -> None:
    """TypeError if a function is not for arrays of a dtype."""
    if kind_of(dtype) not in CATEGORIES[category]:
        raise TypeError(f"{name} is for arrays of {category} dtype, and x is of {dtype}; use xp.astype first")


def operands(xp: Namespace, name: str, *given: Any, category: str = "any") -> list[Any]:
    """Arguments of one dtype: arrays, and Python numbers that adopt it. Integers are promoted."""
    arrays = [operand(xp, name, x, category) if is_array(x) else x for x in given]
    dtype = result_type(*(x for x in arrays if x is not None))
    return [None if x is None else of_dtype(xp, x, dtype) for x in arrays]


def of_dtype(xp: Namespace, x: Any, dtype: DType) -> Any:
    """An array, or a number that can stand beside it, as an array of the dtype."""
    if isinstance(dtype, Format):
        return x if isinstance(x, RealArray) else xp.asarray(x, dtype=dtype)  # integers, and numbers, are rounded
    if isinstance(x, PlainArray):
        return PlainArray(x.values.astype(dtype, copy=False), xp)
    return PlainArray(np.asarray(x, dtype), xp)


def raw(x: Any) -> Any:
    """What NumPy's functions get: FloatArrays as they are, so that they compute themselves; else NumPy's array."""
    return x.values if isinstance(x, PlainArray) else x
