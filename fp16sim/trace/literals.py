"""A float that stands in the traced source: the format adopts it where it takes part in arithmetic."""

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
