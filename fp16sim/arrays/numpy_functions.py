"""NumPy's functions for FloatArray: the table of those that are supported, and which of their arguments are numbers.

Most functions only move numbers, pick some or ask about them: they are NumPy's own, applied to the values. The others
compute, and are written here with operations that round. A function that the table does not list is refused.

One case cannot be refused, because NumPy does not ask: if a *list* of FloatArrays is given to a function that takes one
array (`np.median([x, y])`), NumPy converts it to an array of plain numbers, as `np.array([x, y])` does.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..accumulators.base import Steps
from ..conversion import Array
from ..wording import quoted
from . import ranges, statistics, ufuncs
from .printing import array_text
from .ufuncs import round_exact, unsupported


class Implementation(NamedTuple):
    """How a supported function is computed on values, and which of its arguments are numbers of the format."""

    run: Callable[..., Any]
    numbers: Container[int | str] = (0,)
    """Their positions and names: there a Python number is rounded to the format, and a plain array is refused."""
    takes_lists: bool = True
    """Whether a list of arrays or numbers may stand for an array."""


ALL_ARGUMENTS = range(64)

# --- functions that only move numbers, or ask about them ------------------------------------------------------------

MOVING: dict[str, Container[int | str]] = {
    # The first argument is an array or a sequence of arrays.
    "reshape ravel transpose permute_dims matrix_transpose swapaxes moveaxis rollaxis squeeze expand_dims": (0,),
    "concatenate concat stack vstack hstack dstack column_stack block": (0,),
    "split array_split hsplit vsplit dsplit unstack": (0,),
    "broadcast_to tile repeat resize copy flip fliplr flipud roll rot90 diag diagflat diagonal tril triu": (0,),
    "take take_along_axis delete trim_zeros unique sort partition argsort argpartition lexsort": (0,),
    "max min amax amin nanmax nanmin argmax argmin nanargmax nanargmin": (0,),
    "any all count_nonzero nonzero flatnonzero argwhere isposinf isneginf isreal iscomplex": (0,),
    "isrealobj iscomplexobj shape ndim size": (0,),
    "may_share_memory shares_memory": (),
    # Other arguments are numbers of the format.
    "broadcast_arrays atleast_1d atleast_2d atleast_3d meshgrid": ALL_ARGUMENTS,
    "where": (1, 2),
    "clip": (0, 1, 2, "a_min", "a_max", "min", "max"),
    "compress extract": (1, "a", "arr"),
    "select": (1, 2, "choicelist", "default"),
    "append": (0, 1, "values"),
    "insert": (0, 2, "values"),
    "searchsorted digitize": (0, 1, "v", "bins"),
    "array_equal array_equiv": (0, 1, "a2"),
    "isin intersect1d union1d setdiff1d setxor1d": (0, 1, "test_elements", "ar2"),
    # These write to their first argument.
    "copyto fill_diagonal": (0, 1, "src", "val"),
    "put place putmask put_along_axis": (0, 2, "v", "vals", "values"),
}


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda steps, *args, **keywords: function(*args, **keywords)


def _pad(steps: Steps, x: Array, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Array:
    if mode == "constant":
        return np.pad(x, pad_width, constant_values=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise unsupported("numpy.pad", f" with mode={quoted(mode)}")
    return np.pad(x, pad_width, mode=mode)  # type: ignore[call-overload]


def _filled(steps: Steps, x: Array, fill_value: Any, *, shape: Any = None) -> Array:
    return np.full_like(x, round_exact(steps, "full_like", np.asarray(fill_value, np.float64)), shape=shape)


def _is_close(steps: Steps, a: Array, b: Array, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    """As in NumPy: a question about the numbers, whose tolerances are none of the format; asked in float64."""
    return np.isclose(a.astype(np.float64), b.astype(np.float64), rtol, atol, equal_nan)


def _nan_to_num(
    steps: Steps, x: Array, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Array:
    """NaN becomes `nan`; infinities become these numbers, by default max_finite with their sign."""
    most = float(steps.fmt.max_finite)
    return np.nan_to_num(
        x, copy, nan=nan, posinf=most if posinf is None else posinf, neginf=-most if neginf is None else neginf
    )


# --- functions that compute -----------------------------------------------------------------------------------------


def _reduction(name: str) -> Callable[..., Any]:
    return lambda steps, x, axis=None, *, keepdims=False: ufuncs.reduce(steps, name, x, axis, keepdims)


def _total(name: str) -> Implementation:
    """A sum or a product, whose first term may be given, and of some of the elements alone."""

    def run(
        steps: Steps,
        x: Array,
        axis: ufuncs.Axes = None,
        *,
        keepdims: bool = False,
        initial: Array | None = None,
        where: Any = True,
    ) -> Array:
        return ufuncs.reduce(steps, name, x, axis, keepdims, initial=initial, where=where)

    return Implementation(run, (0, "initial"))


def dot(steps: Steps, a: Array, b: Array, accumulator: AccumulatorLike | None = None) -> Array:
    """numpy.dot: over the last axis of a and the last but one of b; scalars multiply."""
    if not a.ndim or not b.ndim:
        return steps.operate("multiply", a, b)
    if a.ndim <= 2 and b.ndim <= 2:
        return ufuncs.matmul(steps, a, b, accumulator)
    return tensordot(steps, a, b, (-1, max(-2, -b.ndim)), accumulator)


def tensordot(steps: Steps, a: Array, b: Array, axes: Any = 2, accumulator: AccumulatorLike | None = None) -> Array:
    """numpy.tensordot: the sum of products over some axes of a and as many axes of b, as one matrix product."""
    over = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    left, right = (np.lib.array_utils.normalize_axis_tuple(k, x.ndim) for k, x in zip(over, (a, b), strict=True))
    rows, columns = np.moveaxis(a, left, range(-len(left), 0)), np.moveaxis(b, right, range(len(right)))
    kept, terms = rows.shape[: a.ndim - len(left)], rows.shape[a.ndim - len(left) :]
    if terms != columns.shape[: len(right)]:
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape} differ along axes={axes}; make them equally long there"
        )
    spread = columns.shape[len(right) :]
    k = math.prod(terms)
    y = ufuncs.matmul(steps, rows.reshape(math.prod(kept), k), columns.reshape(k, math.prod(spread)), accumulator)
    return y.reshape((*kept, *spread))


def _inner(steps: Steps, a: Array, b: Array) -> Array:
    return tensordot(steps, a, b, (-1, -1)) if a.ndim and b.ndim else steps.operate("multiply", a, b)


def _outer(steps: Steps, a: Array, b: Array) -> Array:
    return steps.operate("multiply", a.reshape(-1, 1), b.reshape(1, -1))


def _diff(steps: Steps, a: Array, n: int = 1, axis: int = -1) -> Array:
    """n times: each element but the first minus the one before it, rounded."""
    y = np.moveaxis(a, axis, 0)
    for _ in range(n):
        y = steps.operate("subtract", y[1:], y[:-1])
    return np.moveaxis(y, 0, axis)


def _round(steps: Steps, a: Array, decimals: int = 0) -> Array:
    if decimals:
        raise unsupported("numpy.round", f" with decimals={decimals}")
    return ufuncs.UFUNCS["rint"](steps, a)


def _norm(steps: Steps, x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    one_axis = isinstance(axis, int) or (axis is None and x.ndim == 1)
    if not (ord is None or (ord == 2 and one_axis)):
        raise unsupported("numpy.linalg.norm", f" with ord={quoted(ord)}")
    return ufuncs.reduce(steps, "norm", x, axis, keepdims)


def _array2string(
    steps: Steps, x: Array, *, separator: str = " ", prefix: str = "", suffix: str = "", **options: Any
) -> str:
    with np.printoptions(**options):
        return array_text(x, steps.fmt, separator, prefix, suffix)


def _product(run: Callable[..., Any]) -> Implementation:
    return Implementation(run, (0, 1, "b"), takes_lists=False)


COMPUTING = {
    "sum": _total("sum"),
    "mean": Implementation(_reduction("mean")),
    "prod": _total("prod"),
    "var": Implementation(statistics.variance),
    "std": Implementation(statistics.deviation),
    "average": Implementation(statistics.average, (0, 2, "weights")),
    "trace": Implementation(statistics.trace),
    "arange": Implementation(ranges.arange, (0, 1, 2, "start", "stop", "step")),
    "linspace": Implementation(ranges.linspace, (0, 1, "start", "stop")),
    "isclose": Implementation(_is_close, (0, 1, "a", "b")),
    "allclose": Implementation(lambda *x, **how: bool(np.all(_is_close(*x, **how))), (0, 1, "a", "b")),
    "nan_to_num": Implementation(_nan_to_num, (0, 2, 3, 4, "nan", "posinf", "neginf")),
    "cumsum": Implementation(ufuncs.cumsum),
    "cumprod": Implementation(ufuncs.cumprod),
    "dot": _product(dot),
    "vdot": _product(lambda steps, a, b: dot(steps, a.reshape(-1), b.reshape(-1))),
    "inner": _product(_inner),
    "outer": _product(_outer),
    "tensordot": _product(tensordot),
    "diff": Implementation(_diff),
    "round": Implementation(_round),
    "around": Implementation(_round),
    "linalg.norm": Implementation(_norm),
    "pad": Implementation(_pad, (0, "constant_values")),
    "zeros_like": Implementation(lambda steps, x, *, shape=None: _filled(steps, x, 0, shape=shape)),
    "empty_like": Implementation(lambda steps, x, *, shape=None: _filled(steps, x, 0, shape=shape)),
    "ones_like": Implementation(lambda steps, x, *, shape=None: _filled(steps, x, 1, shape=shape)),
    "full_like": Implementation(_filled, (0, 1, "fill_value")),
    "array_repr": Implementation(lambda steps, x: representation(steps, x)),
    "array_str": Implementation(lambda steps, x: array_text(x, steps.fmt)),
    "array2string": Implementation(_array2string),
}


def representation(steps: Steps, x: Array) -> str:
    """The repr of a FloatArray: its elements, its shape if they do not show it, its format and mode."""
    shape = f", shape={x.shape}" if not x.size and x.ndim > 1 else ""
    mode = "" if steps.mode == "ties_to_even" else f", {steps.mode.value}"
    how = f"{shape}, {steps.fmt.name}{mode})"
    return f"FloatArray({array_text(x, steps.fmt, ', ', 'FloatArray(', how)}{how}"


# --- the table ------------------------------------------------------------------------------------------------------


def _numpy_function(name: str) -> Any:
    """NumPy's function of that name; None if this version of NumPy has none."""
    module = np
    for part in name.split("."):
        module = getattr(module, part, None)  # type: ignore[assignment]
    return module


FUNCTIONS: dict[Any, Implementation] = {
    **{
        _numpy_function(name): Implementation(_moving(_numpy_function(name)), numbers)
        for names, numbers in MOVING.items()
        for name in names.split()
    },
    **{_numpy_function(name): function for name, function in COMPUTING.items()},
}
FUNCTIONS.pop(None, None)

_UNSUPPORTED_KEYWORDS = ("dtype", "where", "initial", "like")


def _first_parameter(function: Any) -> str:
    try:
        return next(iter(inspect.signature(function).parameters))
    except ValueError:  # np.arange of NumPy 2.0 tells none
        return ""


def find(function: Any, args: Any, keywords: dict[str, Any]) -> tuple[Implementation, tuple[Any, ...], dict[str, Any]]:
    """The implementation of a function, and its arguments, the first by position; TypeError if it is not supported."""
    name = f"{function.__module__}.{function.__name__}"
    if function not in FUNCTIONS:
        raise unsupported(name)
    refused = [k for k in _UNSUPPORTED_KEYWORDS if k not in inspect.signature(FUNCTIONS[function].run).parameters]
    for keyword in refused:
        if keywords.get(keyword) is not None:
            raise unsupported(name, f" with {keyword}=")
    keywords = {k: x for k, x in keywords.items() if k not in refused}
    if not args and (first := _first_parameter(function)) in keywords:
        args = (keywords.pop(first),)
    try:
        inspect.signature(FUNCTIONS[function].run).bind(None, *args, **keywords)
    except TypeError as error:
        raise unsupported(name, f", called like this ({error}),") from None
    return FUNCTIONS[function], args, keywords
