"""NumPy's functions for FloatArray: the table of those that are supported, and which of their arguments are numbers.

Most only move numbers, pick some or ask about them: they are NumPy's own, applied to the values. The others compute,
and are written here with operations that round. What the table does not list is refused.

One thing cannot be refused, since NumPy does not ask: a *list* of FloatArrays, given to a function that takes one array
(`np.median([x, y])`), is for NumPy a list of numbers and converted like one, as by `np.array([x, y])`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import Accumulator
from ..conversion import Array
from . import ufuncs
from .printing import array_text
from .ufuncs import Setting, refusal


class Function(NamedTuple):
    """A supported function: what does its work, on values, and which arguments are numbers of the format."""

    run: Callable[..., Any]
    numbers: Container[int | str] = (0,)
    """Their positions and names; there a Python number is rounded to the format, and an array without one refused."""


EVERY = range(64)

# --- functions that only move numbers, or ask about them ----------------------------------------------------------

MOVING: dict[str, Container[int | str]] = {
    # of one array, or a sequence of them, that comes first
    "reshape ravel transpose permute_dims matrix_transpose swapaxes moveaxis rollaxis squeeze expand_dims": (0,),
    "concatenate concat stack vstack hstack dstack column_stack block": (0,),
    "split array_split hsplit vsplit dsplit unstack": (0,),
    "broadcast_to tile repeat resize copy flip fliplr flipud roll rot90 diag diagflat diagonal tril triu": (0,),
    "take take_along_axis delete trim_zeros unique sort partition argsort argpartition lexsort": (0,),
    "max min amax amin nanmax nanmin argmax argmin nanargmax nanargmin": (0,),
    "any all count_nonzero nonzero flatnonzero argwhere isposinf isneginf isreal iscomplex": (0,),
    "isrealobj iscomplexobj shape ndim size": (0,),
    "may_share_memory shares_memory": (),
    # with numbers elsewhere
    "broadcast_arrays atleast_1d atleast_2d atleast_3d meshgrid": EVERY,
    "where": (1, 2),
    "clip": (0, 1, 2, "a_min", "a_max", "min", "max"),
    "compress extract": (1, "a", "arr"),
    "select": (1, 2, "choicelist", "default"),
    "append": (0, 1, "values"),
    "insert": (0, 2, "values"),
    "searchsorted digitize": (0, 1, "v", "bins"),
    "array_equal array_equiv": (0, 1, "a2"),
    "isin intersect1d union1d setdiff1d setxor1d": (0, 1, "test_elements", "ar2"),
    # that write into their first argument
    "copyto fill_diagonal": (0, 1, "src", "val"),
    "put place putmask put_along_axis": (0, 2, "v", "vals", "values"),
}


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda s, *args, **keywords: function(*args, **keywords)


def _pad(s: Setting, x: Array, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Array:
    if mode == "constant":
        return np.pad(x, pad_width, constant_values=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise refusal("numpy.pad", f" with mode={mode!r}")
    return np.pad(x, pad_width, mode=mode)  # type: ignore[call-overload]


def _filled(s: Setting, x: Array, fill_value: Any, *, shape: Any = None) -> Array:
    return np.full_like(x, s.exactly("full_like", np.asarray(fill_value, np.float64)), shape=shape)


# --- functions that compute -----------------------------------------------------------------------------------------


def _reduction(name: str) -> Callable[..., Any]:
    return lambda s, x, axis=None, *, keepdims=False: ufuncs.reduce(s, name, x, axis, keepdims)


def dot(s: Setting, a: Array, b: Array, accumulator: Accumulator | None = None) -> Array:
    """numpy.dot: over the last axis of a and the last but one of b; scalars multiply."""
    if not a.ndim or not b.ndim:
        return s.operate("multiply", a, b)
    if a.ndim <= 2 and b.ndim <= 2:
        return ufuncs.matmul(s, a, b, accumulator)
    return tensordot(s, a, b, (-1, max(-2, -b.ndim)), accumulator)


def tensordot(s: Setting, a: Array, b: Array, axes: Any = 2, accumulator: Accumulator | None = None) -> Array:
    """numpy.tensordot: the sum of products over some axes of a and as many of b, as one matrix product."""
    over = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    left, right = (np.lib.array_utils.normalize_axis_tuple(k, x.ndim) for k, x in zip(over, (a, b), strict=True))
    rows, columns = np.moveaxis(a, left, range(-len(left), 0)), np.moveaxis(b, right, range(len(right)))
    kept, terms = rows.shape[: a.ndim - len(left)], rows.shape[a.ndim - len(left) :]
    if terms != columns.shape[: len(right)]:
        raise ValueError(f"a.shape={a.shape} and b.shape={b.shape} differ along axes={axes}; make those equally long")
    spread = columns.shape[len(right) :]
    k = math.prod(terms)
    y = ufuncs.matmul(s, rows.reshape(math.prod(kept), k), columns.reshape(k, math.prod(spread)), accumulator)
    return y.reshape((*kept, *spread))


def _inner(s: Setting, a: Array, b: Array) -> Array:
    return tensordot(s, a, b, (-1, -1)) if a.ndim and b.ndim else s.operate("multiply", a, b)


def _outer(s: Setting, a: Array, b: Array) -> Array:
    return s.operate("multiply", a.reshape(-1, 1), b.reshape(1, -1))


def _diff(s: Setting, a: Array, n: int = 1, axis: int = -1) -> Array:
    """n times: each element but the first minus the one before it, rounded."""
    y = np.moveaxis(a, axis, 0)
    for _ in range(n):
        y = s.operate("subtract", y[1:], y[:-1])
    return np.moveaxis(y, 0, axis)


def _round(s: Setting, a: Array, decimals: int = 0) -> Array:
    if decimals:
        raise refusal("numpy.round", f" with decimals={decimals}")
    return ufuncs.UFUNCS["rint"](s, a)


def _norm(s: Setting, x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    one_axis = isinstance(axis, int) or (axis is None and x.ndim == 1)
    if not (ord is None or (ord == 2 and one_axis)):
        raise refusal("numpy.linalg.norm", f" with ord={ord!r}")
    return ufuncs.reduce(s, "norm", x, axis, keepdims)


def _array2string(
    s: Setting, x: Array, *, separator: str = " ", prefix: str = "", suffix: str = "", **options: Any
) -> str:
    with np.printoptions(**options):
        return array_text(x, s.fmt, separator, prefix, suffix)


COMPUTING = {
    "sum": Function(_reduction("sum")),
    "mean": Function(_reduction("mean")),
    "prod": Function(_reduction("prod")),
    "cumsum": Function(ufuncs.cumsum),
    "cumprod": Function(ufuncs.cumprod),
    "dot": Function(dot, (0, 1, "b")),
    "vdot": Function(lambda s, a, b: dot(s, a.reshape(-1), b.reshape(-1)), (0, 1, "b")),
    "inner": Function(_inner, (0, 1, "b")),
    "outer": Function(_outer, (0, 1, "b")),
    "tensordot": Function(tensordot, (0, 1, "b")),
    "diff": Function(_diff),
    "round": Function(_round),
    "around": Function(_round),
    "linalg.norm": Function(_norm),
    "pad": Function(_pad, (0, "constant_values")),
    "zeros_like": Function(lambda s, x, *, shape=None: _filled(s, x, 0, shape=shape)),
    "empty_like": Function(lambda s, x, *, shape=None: _filled(s, x, 0, shape=shape)),
    "ones_like": Function(lambda s, x, *, shape=None: _filled(s, x, 1, shape=shape)),
    "full_like": Function(_filled, (0, 1, "fill_value")),
    "array_repr": Function(lambda s, x: representation(s, x)),
    "array_str": Function(lambda s, x: array_text(x, s.fmt)),
    "array2string": Function(_array2string),
}


def representation(s: Setting, x: Array) -> str:
    """The repr of a FloatArray: its elements, its shape where they do not show it, its format and mode."""
    shape = f", shape={x.shape}" if not x.size and x.ndim > 1 else ""
    mode = "" if s.mode == "ties_to_even" else f", {s.mode.value}"
    how = f"{shape}, {s.fmt.name}{mode})"
    return f"FloatArray({array_text(x, s.fmt, ', ', 'FloatArray(', how)}{how}"


# --- the table ------------------------------------------------------------------------------------------------------


def _numpys(name: str) -> Any:
    """NumPy's function of that name; None where this NumPy has none."""
    module = np
    for part in name.split("."):
        module = getattr(module, part, None)  # type: ignore[assignment]
    return module


FUNCTIONS: dict[Any, Function] = {
    **{
        _numpys(name): Function(_moving(_numpys(name)), numbers)
        for names, numbers in MOVING.items()
        for name in names.split()
    },
    **{_numpys(name): function for name, function in COMPUTING.items()},
}
FUNCTIONS.pop(None, None)

_UNSUPPORTED_KEYWORDS = ("dtype", "where", "initial", "like")


def find(function: Any, args: Any, keywords: dict[str, Any]) -> tuple[Function, tuple[Any, ...], dict[str, Any]]:
    """A function's entry and its arguments, the first of them by position; TypeError for what is not supported."""
    name = f"{function.__module__}.{function.__name__}"
    if function not in FUNCTIONS:
        raise refusal(name)
    for keyword in _UNSUPPORTED_KEYWORDS:
        if keywords.get(keyword) is not None:
            raise refusal(name, f" with {keyword}=")
    keywords = {k: x for k, x in keywords.items() if k not in _UNSUPPORTED_KEYWORDS}
    if not args:
        args = (keywords.pop(next(iter(inspect.signature(function).parameters))),)
    try:
        inspect.signature(FUNCTIONS[function].run).bind(None, *args, **keywords)
    except TypeError as error:
        raise refusal(name, f", called like this ({error}),") from None
    return FUNCTIONS[function], args, keywords
