"""What traced code sees as `numpy` and `math`: the same modules, whose floats are traced.

A function of NumPy that is called with plain numbers alone, such as `np.zeros` or `np.linspace`, gives floats: they
come in as traced numbers, rounded once. With traced numbers it goes through NumPy's own protocols. Everything else,
such as types, exceptions and integers, is NumPy's.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..elementary.definitions import DEFINITIONS
from ..formats import Format
from . import shadows
from .dispatch import call_function, escaped, finished, returned
from .literals import Literal, current
from .marks import CLEAN
from .recorder import Recorder
from .traced import Traced, adopt, cast, common_format, entered, format_of, leaves


def _plain_number(x: Any) -> bool:
    if isinstance(x, Traced):
        return False
    return isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype.kind == "f")


def _contains_traced(x: Any) -> bool:
    return any(isinstance(leaf, Traced) for leaf in leaves(x))


def recorder_now() -> Recorder:
    """The recorder of this context; traced code runs in one."""
    recorder = current.get()
    assert recorder is not None
    return recorder


# --- types ----------------------------------------------------------------------------------------------------------


class _FloatType(type):
    """A float type of NumPy in traced code: a call casts, and traced numbers are its instances."""

    real: Any

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, cls.real) or (isinstance(x, Traced) and not x.ndim)

    def __call__(cls, x: Any = 0.0) -> Any:
        recorder = current.get()
        if recorder is None:
            return cls.real(x)
        fmt = format_of(recorder, cls.real)
        assert fmt is not None
        y = cast(adopt(recorder, np.array(x) if isinstance(x, (list, tuple)) else x, fmt), fmt)
        y.island = False
        return y

    def __eq__(cls, other: Any) -> bool:
        if isinstance(other, Format) and (recorder := current.get()) is not None:
            return format_of(recorder, cls.real) == other
        return other is cls or other is cls.real or bool(np.dtype(cls.real) == other)

    def __hash__(cls) -> int:
        return hash(cls.real)


def _float_type(real: Any) -> Any:
    return _FloatType(real.__name__, (), {"real": real, "dtype": np.dtype(real), "__doc__": real.__doc__})


FLOAT_TYPES = {name: _float_type(getattr(np, name)) for name in ("float16", "float32", "float64")}


class _Arrays(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, np.ndarray) or (isinstance(x, Traced) and bool(x.ndim))


class _Array(metaclass=_Arrays):
    """numpy.ndarray in traced code: traced arrays are its instances."""


class FloatInfo:
    """np.finfo of a format."""

    def __init__(self, fmt: Format) -> None:
        self.bits, self.eps, self.resolution = fmt.width, Literal(fmt.machine_epsilon), Literal(fmt.machine_epsilon)
        self.max, self.min = Literal(fmt.max_finite), Literal(-fmt.max_finite)
        self.tiny = self.smallest_normal = Literal(fmt.min_normal)
        self.smallest_subnormal = Literal(fmt.min_subnormal)


# --- functions ------------------------------------------------------------------------------------------------------


def _real(x: Any) -> Any:
    """A type of ours as NumPy's."""
    return x.real if isinstance(x, _FloatType) else np.float64 if isinstance(x, Format) else x


def _asked(recorder: Recorder, keywords: dict[str, Any]) -> Any:
    """The format of a float dtype that was asked for by name."""
    return format_of(recorder, keywords["dtype"]) if keywords.get("dtype") is not None else recorder.fmt


class Function:
    """A function or ufunc of NumPy."""

    def __init__(self, function: Any, name: str) -> None:
        self._function, self.__name__, self.__doc__ = function, name, function.__doc__

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        recorder = current.get()
        if recorder is None:
            return self._function(*args, **keywords)
        if isinstance(self._function, np.ufunc):
            return _ufunc(recorder, self._function, args, keywords)
        if self.__name__ in CREATING:
            return CREATING[self.__name__](recorder, *args, **keywords)
        if any(map(_contains_traced, (*args, *keywords.values()))):
            keywords = {k: _real(x) if k != "dtype" else x for k, x in keywords.items()}
            return call_function(recorder, self._function, args, keywords)
        fmt = _asked(recorder, keywords)
        return returned(recorder, self._function(*map(_real, args), **{k: _real(x) for k, x in keywords.items()}), fmt)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._function, name)
        return Method(method) if callable(method) else method


def _ufunc(recorder: Recorder, ufunc: np.ufunc, args: Any, keywords: dict[str, Any]) -> Any:
    """A ufunc of plain floats is traced, too; one of integers that gives floats is computed in float64 first."""
    if not any(isinstance(x, Traced) for x in args):
        floats = [k for k, x in enumerate(args) if _plain_number(np.asarray(x) if isinstance(x, (list, tuple)) else x)]
        if not floats:
            keywords = {k: _real(x) for k, x in keywords.items()}
            return returned(recorder, ufunc(*args, **keywords))
        args = tuple(adopt(recorder, x) if k == floats[0] else x for k, x in enumerate(args))
    args = tuple(adopt(recorder, x) if isinstance(x, (list, tuple)) else x for x in args)
    return ufunc(*args, **keywords)


class Method:
    """A method of a ufunc."""

    def __init__(self, method: Any) -> None:
        self._method = method

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        recorder = current.get()
        if recorder is None:
            return self._method(*args, **keywords)
        args = tuple(adopt(recorder, x) if _plain_number(x) else x for x in args)
        return returned(recorder, self._method(*args, **keywords))


class Wrapped:
    """A module or object of NumPy's whose functions give floats, such as np.random and its generators."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if isinstance(found, types.ModuleType):
            return Wrapped(found)
        return (
            Function(found, name)
            if callable(found) and not isinstance(found, type)
            else _Maker(found)
            if callable(found)
            else found
        )

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._thing(*args, **keywords)


class _Maker:
    """A class such as np.random.Generator: what it makes is wrapped."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return Wrapped(self._kind(*args, **keywords))


def _generator(recorder: Recorder, *args: Any, **keywords: Any) -> Wrapped:
    return Wrapped(np.random.default_rng(*args, **keywords))


# --- creation -------------------------------------------------------------------------------------------------------


def _array(recorder: Recorder, x: Any, dtype: Any = None, **keywords: Any) -> Any:
    """np.array: of traced numbers, or of plain ones."""
    fmt = None if dtype is None else format_of(recorder, dtype)
    if dtype is not None and fmt is None:
        return np.array(_untraced(recorder, x), _real(dtype))
    if isinstance(x, Traced):
        y = x if fmt is None else cast(x, fmt)
        return y.copy() if y is x and keywords.get("copy", True) else y
    if _contains_traced(x):
        return _stacked(recorder, x, fmt or common_format(recorder, leaves(x)))
    plain = np.array(x)
    return entered(recorder, plain, fmt or recorder.fmt) if plain.dtype.kind == "f" or fmt is not None else plain


def _stacked(recorder: Recorder, x: Any, fmt: Format) -> Traced:
    """Nested lists of numbers as one traced array."""
    parts = [_stacked(recorder, part, fmt) if isinstance(part, (list, tuple)) else cast(adopt(recorder, part, fmt), fmt)
             for part in x]  # fmt: skip
    return call_function(recorder, np.stack, (parts,), {})


def _untraced(recorder: Recorder, x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [_untraced(recorder, part) for part in x]
    return x._escape("np.array(x, dtype)").values if isinstance(x, Traced) else x


def _asarray(recorder: Recorder, x: Any, dtype: Any = None, **keywords: Any) -> Any:
    return _array(recorder, x, dtype, copy=False)


def _arange(recorder: Recorder, *args: Any, dtype: Any = None, **keywords: Any) -> Any:
    """np.arange: of plain numbers NumPy's, of traced ones start + k * step, each rounded once."""
    if not any(isinstance(x, Traced) for x in args):
        return returned(recorder, np.arange(*args, dtype=_real(dtype)), _asked(recorder, {"dtype": dtype}))
    start, stop, step = (0, *args, 1) if len(args) == 1 else (*args, 1) if len(args) == 2 else args[:3]
    fmt = common_format(recorder, args)
    first, by, last = (adopt(recorder, x, fmt) for x in (start, step, stop))
    computed = np.arange(first.value, last.value, by.value, like=first.value)  # type: ignore[call-overload]
    return _spaced(recorder, "arange", computed, first, by.shadow, by)


def _linspace(recorder: Recorder, start: Any, stop: Any, num: int = 50, endpoint: bool = True, **keywords: Any) -> Any:
    if not any(isinstance(x, Traced) for x in (start, stop)):
        y = np.linspace(start, stop, num, endpoint, **{k: _real(x) for k, x in keywords.items()})
        return returned(recorder, y, _asked(recorder, keywords))
    fmt = common_format(recorder, (start, stop))
    first, last = (adopt(recorder, x, fmt) for x in (start, stop))
    computed = np.linspace(first.value, last.value, num, endpoint)
    by = shadows.divide(
        shadows.subtract(last.shadow, first.shadow), shadows.exactly(np.asarray(max(num - endpoint, 1)))
    )
    return _spaced(recorder, "linspace", computed, first, by, last)


def _spaced(recorder: Recorder, name: str, computed: Any, first: Traced, by: Any, other: Traced) -> Traced:
    k = shadows.exactly(np.arange(float(computed.size)))
    shadow = shadows.add(first.shadow, shadows.multiply(k, by))
    return finished(recorder, name, computed, shadow, shadow, (first, other), CLEAN)


def _empty(recorder: Recorder, *args: Any, **keywords: Any) -> Any:
    """np.empty: zeros, because what happens to be in the memory is no number of the program."""
    plain = np.zeros(*args, **{k: _real(x) for k, x in keywords.items()})
    return returned(recorder, plain, _asked(recorder, keywords))


CREATING: dict[str, Callable[..., Any]] = {
    "empty": _empty,
    "array": _array,
    "asarray": _asarray,
    "asanyarray": _asarray,
    "ascontiguousarray": _asarray,
    "arange": _arange,
    "linspace": _linspace,
    "finfo": lambda recorder, dtype: FloatInfo(format_of(recorder, getattr(dtype, "dtype", dtype)) or recorder.fmt),
    "default_rng": _generator,
    "dtype": lambda recorder, x, *more: x if isinstance(x, Format) else np.dtype(_real(x), *more),
    "isscalar": lambda recorder, x: np.isscalar(x) or (isinstance(x, Traced) and not x.ndim),
    "ndim": lambda recorder, x: x.ndim if isinstance(x, Traced) else np.ndim(x),
}


# --- modules --------------------------------------------------------------------------------------------------------


class NumPy(types.ModuleType):
    """`numpy` in traced code."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        y = self._made(name, found)
        setattr(self, name, y)
        return y

    def _made(self, name: str, found: Any) -> Any:
        if name in FLOAT_TYPES:
            return FLOAT_TYPES[name]
        if name == "ndarray":
            return _Array
        if name in CREATING:
            return Function(found, name)
        if isinstance(found, types.ModuleType):
            return Wrapped(found)
        if isinstance(found, float):
            return Literal(found)
        return Function(found, name) if callable(found) and not isinstance(found, type) else found


IN_NUMPY = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power", "fabs": "absolute",
}  # fmt: skip
SAME = frozenset(DEFINITIONS) | {"sqrt", "copysign", "fmod"}
ANSWERS = ["isnan", "isinf", "isfinite"]


class Mathematics(types.ModuleType):
    """`math` in traced code: functions of floats are traced; infinities and NaN are results, no errors."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(math, name)
        y = Literal(found) if isinstance(found, float) else _math_function(name, found) if callable(found) else found
        setattr(self, name, y)
        return y


def _math_function(name: str, plain: Any) -> Any:
    special = MATH.get(name)
    ufunc = getattr(np, IN_NUMPY.get(name, name), None) if name in {*IN_NUMPY, *SAME, *ANSWERS} else None

    def function(*args: Any, **keywords: Any) -> Any:
        recorder = current.get()
        if recorder is None or not any(isinstance(x, (float, np.floating)) or _contains_traced(x) for x in args):
            y = plain(*args, **keywords)
            return Literal(y) if isinstance(y, float) and recorder is not None else y
        if special is not None:
            return special(recorder, *args, **keywords)
        if ufunc is None:
            return escaped(recorder, plain, args, keywords)
        return ufunc(*(adopt(recorder, x) for x in args))

    function.__name__, function.__doc__ = name, plain.__doc__
    return function


def _hypot(recorder: Recorder, *x: Any) -> Any:
    hypot: Any = np.hypot
    return hypot(*(adopt(recorder, one) for one in x)) if len(x) == 2 else np.linalg.norm(_array(recorder, list(x)))


def _logarithm(recorder: Recorder, x: Any, base: Any = None) -> Any:
    y = np.log(adopt(recorder, x))
    return y if base is None else y / np.log(adopt(recorder, base))


def _total(recorder: Recorder, terms: Any) -> Any:
    """math.fsum: exact, then rounded once."""
    x = adopt(recorder, list(terms))
    computed = x.value.sum(accumulator="exact")
    shadow, exact = (shadows.settled(shadows.total(one)) for one in (x.shadow, shadows.exactly(x.plain)))
    return finished(recorder, "fsum", computed, exact, shadow, (x,), CLEAN)


MATH: dict[str, Callable[..., Any]] = {
    "hypot": _hypot,
    "log": _logarithm,
    "fsum": _total,
    "prod": lambda recorder, x, start=1: np.multiply.reduce(adopt(recorder, list(x))) * start,
    "dist": lambda recorder, p, q: np.linalg.norm(adopt(recorder, list(p)) - adopt(recorder, list(q))),
    "sumprod": lambda recorder, p, q: np.dot(adopt(recorder, list(p)), adopt(recorder, list(q))),
    "floor": lambda recorder, x: math.floor(x),
    "ceil": lambda recorder, x: math.ceil(x),
    "trunc": lambda recorder, x: math.trunc(x),
    "degrees": lambda recorder, x: adopt(recorder, x) * (180 / math.pi),
    "radians": lambda recorder, x: adopt(recorder, x) * (math.pi / 180),
}

NUMPY = NumPy("numpy", np.__doc__)
MATHEMATICS = Mathematics("math", math.__doc__)
MODULES: dict[Any, Any] = {np: NUMPY, math: MATHEMATICS}
"""The modules that traced code sees others of."""
OBJECTS = {id(x): FLOAT_TYPES[x.__name__] for x in (np.float16, np.float32, np.float64)} | {
    id(np.random): Wrapped(np.random),
    id(np.linalg): Wrapped(np.linalg),
}
