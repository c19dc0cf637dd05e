"""The operators of FloatArray: functions that make its methods.

A class that sets `__array_ufunc__` to None computes with arrays itself, as NumPy has it, such as the tensors of the
lab: an operator with one of those leaves the work to the other operand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Method: TypeAlias = Callable[[Any, Any], Any]


def _computes_itself(other: Any) -> bool:
    return getattr(type(other), "__array_ufunc__", True) is None


def rounded(name: str, swapped: bool = False) -> Method:
    """An operation of `arithmetic`, rounded once."""

    def method(self: Any, other: Any) -> Any:
        if _computes_itself(other):
            return NotImplemented
        b = self._operand(other)
        return self._operate(name, b, self.values) if swapped else self._operate(name, self.values, b)

    return method


def by_ufunc(ufunc: np.ufunc, swapped: bool = False) -> Method:
    """An operator that is a ufunc of NumPy: supported if that is, else refused by its name."""

    def method(self: Any, other: Any) -> Any:
        if _computes_itself(other):
            return NotImplemented
        return self.__array_ufunc__(ufunc, "__call__", *((other, self) if swapped else (self, other)))

    return method


def in_place(function: Method) -> Method:
    """The same, written where the left operand is."""

    def method(self: Any, other: Any) -> Any:
        y = function(self, other)
        if y is NotImplemented:
            return y
        self.values[...] = y.values
        return self

    return method


def comparison(relation: Method) -> Method:
    """A comparison, which is exact."""

    def method(self: Any, other: Any) -> Any:
        return relation(self.values, self._operand(other))

    return method
