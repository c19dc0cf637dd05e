"""The operators of FloatArray: functions that make its methods.

A class that sets `__array_ufunc__` to None computes with arrays by itself; this is NumPy's convention. So does one that
sets `computes_with_float_arrays` to True, as the tensors of `learn` do: an operator or a function of NumPy leaves the
work to it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..arithmetic import compare, operate, scalar_operation

Method: TypeAlias = Callable[[Any, Any], Any]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
"""Of single numbers that are not NaN."""


def computes_itself(kind: type) -> bool:
    """Whether a class computes with FloatArrays by itself, so that FloatArray steps back."""
    return getattr(kind, "__array_ufunc__", True) is None or getattr(kind, "computes_with_float_arrays", False)


def arithmetic_operator(name: str, swapped: bool = False) -> Method:
    """An operation of `arithmetic`, rounded once."""

    def method(self: Any, other: Any) -> Any:
        number = None if self.values.ndim else self._number_of(other)
        if number is not None:
            operation, own = scalar_operation(name, self.fmt, self.mode), self.values.item()
            y = operation(number, own) if swapped else operation(own, number)
            if y is not None:
                return self._like(np.array(y, self.values.dtype))
        if type(other) is not type(self) and computes_itself(type(other)):
            return NotImplemented
        a, b = self.values, self._values_of(other)
        operands = [b, a] if swapped else [a, b]
        return self._like(operate(name, operands, self.fmt, self.mode, self.rng, a.dtype))

    return method


def ufunc_operator(ufunc: np.ufunc, swapped: bool = False) -> Method:
    """An operator that is a ufunc of NumPy: supported if the ufunc is, else refused by the name of the ufunc."""

    def method(self: Any, other: Any) -> Any:
        if computes_itself(type(other)):
            return NotImplemented
        return self.__array_ufunc__(ufunc, "__call__", *((other, self) if swapped else (self, other)))

    return method


def in_place_operator(function: Method) -> Method:
    """The same, written over the left operand."""

    def method(self: Any, other: Any) -> Any:
        y = function(self, other)
        if y is NotImplemented:
            return y
        self.values[...] = y.values
        return self

    return method


def comparison_operator(name: str) -> Method:
    """A comparison, which is exact, by the name of NumPy's."""
    of_numbers = COMPARISONS[name]

    def method(self: Any, other: Any) -> Any:
        number = None if self.values.ndim else self._number_of(other)
        if number is not None and number == number and (own := self.values.item()) == own:
            return np.bool_(of_numbers(own, number))
        return compare(name, self.values, self._values_of(other))

    return method
