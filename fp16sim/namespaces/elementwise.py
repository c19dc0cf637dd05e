"""The elementwise functions: those of NumPy, which FloatArrays compute by themselves, each result rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import Namespace, PlainArray, RealArray
from .dtypes import no_complex
from .operands import operand, operands, raw

ONE: dict[str, tuple[str, np.ufunc]] = {
    "abs": ("numeric", np.absolute),
    "acos": ("floating", np.arccos),
    "acosh": ("floating", np.arccosh),
    "asin": ("floating", np.arcsin),
    "asinh": ("floating", np.arcsinh),
    "atan": ("floating", np.arctan),
    "atanh": ("floating", np.arctanh),
    "bitwise_invert": ("integer or boolean", np.invert),
    "cos": ("floating", np.cos),
    "cosh": ("floating", np.cosh),
    "exp": ("floating", np.exp),
    "expm1": ("floating", np.expm1),
    "isfinite": ("numeric", np.isfinite),
    "isinf": ("numeric", np.isinf),
    "isnan": ("numeric", np.isnan),
    "log": ("floating", np.log),
    "log1p": ("floating", np.log1p),
    "log2": ("floating", np.log2),
    "log10": ("floating", np.log10),
    "logical_not": ("boolean", np.logical_not),
    "negative": ("numeric", np.negative),
    "positive": ("numeric", np.positive),
    "reciprocal": ("floating", np.reciprocal),
    "sign": ("numeric", np.sign),
    "signbit": ("floating", np.signbit),
    "sin": ("floating", np.sin),
    "sinh": ("floating", np.sinh),
    "sqrt": ("floating", np.sqrt),
    "square": ("numeric", np.square),
    "tan": ("floating", np.tan),
    "tanh": ("floating", np.tanh),
}
TWO: dict[str, tuple[str, np.ufunc]] = {
    "add": ("numeric", np.add),
    "atan2": ("floating", np.arctan2),
    "bitwise_and": ("integer or boolean", np.bitwise_and),
    "bitwise_left_shift": ("integer", np.left_shift),
    "bitwise_or": ("integer or boolean", np.bitwise_or),
    "bitwise_right_shift": ("integer", np.right_shift),
    "bitwise_xor": ("integer or boolean", np.bitwise_xor),
    "copysign": ("floating", np.copysign),
    "divide": ("floating", np.divide),
    "equal": ("any", np.equal),
    "floor_divide": ("numeric", np.floor_divide),
    "greater": ("numeric", np.greater),
    "greater_equal": ("numeric", np.greater_equal),
    "hypot": ("floating", np.hypot),
    "less": ("numeric", np.less),
    "less_equal": ("numeric", np.less_equal),
    "logaddexp": ("floating", np.logaddexp),
    "logical_and": ("boolean", np.logical_and),
    "logical_or": ("boolean", np.logical_or),
    "logical_xor": ("boolean", np.logical_xor),
    "maximum": ("numeric", np.maximum),
    "minimum": ("numeric", np.minimum),
    "multiply": ("numeric", np.multiply),
    "nextafter": ("floating", np.nextafter),
    "not_equal": ("any", np.not_equal),
    "pow": ("numeric", np.power),
    "remainder": ("numeric", np.remainder),
    "subtract": ("numeric", np.subtract),
}
TO_INTEGERS = {"ceil": np.ceil, "floor": np.floor, "round": np.rint, "trunc": np.trunc}
"""Of integers, these are the integers."""


def _computed(xp: Namespace, ufunc: np.ufunc, *x: Any) -> Any:
    if isinstance(x[0], RealArray):
        return xp.wrap(ufunc(*x))
    with np.errstate(all="ignore"):  # NumPy's integers overflow and divide by zero as the standard allows
        return xp.wrap(ufunc(*map(raw, x)))


def _of_one(name: str, category: str, ufunc: np.ufunc) -> Callable[..., Any]:
    def function(xp: Namespace, x: Any, /) -> Any:
        return _computed(xp, ufunc, operand(xp, name, x, category))

    return _described(function, name, ufunc)


def _of_two(name: str, category: str, ufunc: np.ufunc) -> Callable[..., Any]:
    def function(xp: Namespace, x1: Any, x2: Any, /) -> Any:
        return _computed(xp, ufunc, *operands(xp, name, x1, x2, category=category))

    return _described(function, name, ufunc)


def _to_integers(name: str, ufunc: np.ufunc) -> Callable[..., Any]:
    def function(xp: Namespace, x: Any, /) -> Any:
        y = operand(xp, name, x, "numeric")
        return _computed(xp, ufunc, y) if isinstance(y, RealArray) else PlainArray(y.values.copy(), xp)

    return _described(function, name, ufunc)


def _described(function: Callable[..., Any], name: str, ufunc: np.ufunc) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"As `numpy.{ufunc.__name__}`, element by element; floats are rounded once to their format."
    return function


def clip(xp: Namespace, x: Any, /, min: Any = None, max: Any = None) -> Any:
    """The elements, none less than `min` and none more than `max`."""
    y = operand(xp, "clip", x, "numeric")
    if isinstance(y, PlainArray):
        limits = np.iinfo(y.dtype)
        low, high = (int(np.clip(v, limits.min, limits.max)) if type(v) is int else v for v in (min, max))
    else:
        low, high = min, max
    bounded, lower, upper = operands(xp, "clip", y, low, high, category="numeric")
    if lower is not None:
        bounded = xp.maximum(bounded, lower)
    return bounded if upper is None and lower is not None else xp.minimum(bounded, upper) if upper is not None else +y


def conj(xp: Namespace, x: Any, /) -> Any:
    """The elements, since all are real."""
    return +operand(xp, "conj", x, "numeric")


def real(xp: Namespace, x: Any, /) -> Any:
    """The elements, since all are real."""
    return +operand(xp, "real", x, "numeric")


def imag(xp: Namespace, x: Any, /) -> Any:
    """Not for real numbers, as in the standard."""
    raise no_complex("the argument of imag")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _of_one(name, *entry) for name, entry in ONE.items()},
    **{name: _of_two(name, *entry) for name, entry in TWO.items()},
    **{name: _to_integers(name, ufunc) for name, ufunc in TO_INTEGERS.items()},
    **{function.__name__: function for function in (clip, conj, real, imag)},
}
