"""Numbers that stand in the traced source: the format adopts a float where it takes part in arithmetic, and an integer
where dividing by it gives a float."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from .recorder import Recorder
from .traced import Traced, adopt

current: ContextVar[Recorder | None] = ContextVar("fp16sim_trace", default=None)
"""The recorder of the run that goes on in this context."""


class Literal(float):
    """A Python float; beside an operator, a number of the traced format."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Beside an array of integers, which NumPy computes itself, the float is traced."""
        recorder = current.get()
        if recorder is None or any(type(x) is Traced for x in inputs):
            return getattr(ufunc, method)(*map(_plain, inputs), **keywords)
        traced = (adopt(recorder, float(x)) if type(x) is Literal else _plain(x) for x in inputs)
        return getattr(ufunc, method)(*traced, **keywords)

    def __neg__(self) -> Literal:
        return Literal(-float(self))

    def __pos__(self) -> Literal:
        return self

    def __abs__(self) -> Literal:
        return Literal(abs(float(self)))


def _arithmetic(name: str, swapped: bool) -> Callable[[Any, Any], Any]:
    function = getattr(operator, name)
    plain = getattr(float, f"__{'r' if swapped else ''}{name}__")

    def method(self: Literal, other: Any) -> Any:
        if type(other) is Traced:  # it knows in which format the two meet
            return NotImplemented
        recorder = current.get()
        if recorder is None or not isinstance(other, (int, float, np.number)) or isinstance(other, np.complexfloating):
            return plain(self, other)
        # An integer beside it stays what it is, an exact number that is rounded to the format as well.
        a, b = adopt(recorder, float(self)), adopt(recorder, other)
        return function(b, a) if swapped else function(a, b)

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Literal, f"__{_name}__", _arithmetic(_name, swapped=False))
    setattr(Literal, f"__r{_name}__", _arithmetic(_name, swapped=True))


class Whole(int):
    """A Python integer; where a quotient or a power of integers is a float, a number of the traced format."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Beside an array of integers, a quotient is traced."""
        recorder = current.get()
        plain = [_plain(x) for x in inputs]
        if recorder is not None and ufunc is np.true_divide and all(map(_is_integer, plain)):
            plain = [adopt(recorder, x) for x in plain]
        return getattr(ufunc, method)(*plain, **keywords)


def _plain(x: Any) -> Any:
    """A number of the source as Python's."""
    return int(x) if type(x) is Whole else float(x) if type(x) is Literal else x


def _is_integer(x: Any) -> bool:
    return type(x) is not Traced and np.asarray(x).dtype.kind in "iu"


def _giving_a_float(name: str, swapped: bool) -> Callable[[Any, Any], Any]:
    function = getattr(operator, name)
    plain = getattr(int, f"__{'r' if swapped else ''}{name}__")

    def method(self: Whole, other: Any, *modulus: Any) -> Any:
        recorder = current.get()
        divisor, exponent = (self, self) if swapped else (other, other)
        gives_a_float = isinstance(other, int) and (divisor if name == "truediv" else exponent < 0 and not modulus)
        if recorder is None or not gives_a_float:  # 1 / 0 raises Python's error
            return plain(self, other, *modulus)
        a, b = adopt(recorder, int(self)), adopt(recorder, int(other))
        return function(b, a) if swapped else function(a, b)

    return method


for _name in ("truediv", "pow"):
    setattr(Whole, f"__{_name}__", _giving_a_float(_name, swapped=False))
    setattr(Whole, f"__r{_name}__", _giving_a_float(_name, swapped=True))
