"""NumPy's ufuncs, their methods and reductions, on values of a format: each result is exact, or rounded once.

Tables say which ufunc is computed in which way. A ufunc that they do not list is refused: none falls back to float64.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from .. import arithmetic, reductions
from ..accumulators import AccumulatorLike, resolve
from ..accumulators.base import Steps, axis_first
from ..arithmetic import compare, extremum, integers
from ..conversion import Array
from ..elementary.definitions import FUNCTIONS
from ..elementary.evaluation import evaluate
from ..formats import Rounding
from ..nans import quieted, report_signaling
from ..neighbours import above, spacing
from ..rounding import round_without_flags
from ..wording import quoted

Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all."""

Operation: TypeAlias = Callable[..., Any]
"""Takes the operations of a format and mode, and values of the format; returns such values, or booleans."""


class Unsupported(TypeError):
    """A function of NumPy, or the way it is called, is not supported for FloatArray."""


def unsupported(name: str, detail: str = "") -> Unsupported:
    """The error for a function that is not supported: it names the function and the way out."""
    return Unsupported(
        f"{name}{detail} is not supported for FloatArray, and nothing is computed in float64 unless you ask for it; "
        "write it with operators and supported functions, or give it np.asarray(x, np.float64) for plain float64 "
        "arithmetic"
    )


def round_exact(steps: Steps, name: str, y: Array, *operands: Array) -> Array:
    """An exact result, rounded if it is not a value of the format: ceil(7.5) in e2m3fn, or a flushed subnormal."""
    return arithmetic.round_exact(name, y, operands, steps.fmt, steps.mode, steps.rng, steps.carrier)


# --- elementwise ----------------------------------------------------------------------------------------------------


def _without_warnings(function: Callable[..., Any], *operands: Array) -> Array:
    with np.errstate(all="ignore"):  # these are NumPy's own; ours come from the flags
        return np.asarray(function(*operands))


def _correctly_rounded(name: str) -> Operation:
    return lambda steps, *x: steps.operate(name, *x)


def _exact_then_rounded(name: str) -> Operation:
    return lambda steps, *x: round_exact(steps, name, _without_warnings(getattr(np, name), *x), *x)


def _unrounded(name: str) -> Operation:
    return lambda steps, *x: getattr(np, name)(*x)


def _elementary(name: str) -> Operation:
    return lambda steps, *x: evaluate(name, list(x), steps.fmt, steps.mode, steps.rng, steps.carrier)


def _remainder(steps: Steps, a: Array, b: Array) -> Array:
    """a - floor(a / b) * b, rounded once: fmod is exact, and b is added to it where their signs differ."""
    r = _without_warnings(np.fmod, a, b)
    r = np.where(r == 0, np.copysign(r, b), r)
    other_side = (r != 0) & ~np.isnan(r) & (np.signbit(r) != np.signbit(b))
    moved = steps.operate("add", *(np.where(other_side, x, x.dtype.type(0)) for x in (r, b)))
    return np.where(other_side, moved, round_exact(steps, "remainder", np.where(other_side, b, r), a, b))


def _floor_divide(steps: Steps, a: Array, b: Array) -> Array:
    """The largest integer that is at most a / b, rounded once.

    Rounded down, the quotient has that floor, because the format holds all integers up to 2^precision. Larger floors
    may have more digits than it holds: they are found exactly.
    """
    q = np.array(steps._replace(mode=Rounding.TOWARD_NEGATIVE).operate("divide", a, b))
    y = _without_warnings(np.floor, q).astype(np.float64)
    numerator, denominator = np.broadcast_arrays(a, b)
    finite = np.isfinite(numerator) & np.isfinite(denominator) & (denominator != 0)
    large = finite & ~(np.abs(q) < 2.0**steps.fmt.precision)
    exact: Any = np.array(y, object)
    for k in zip(*np.nonzero(np.atleast_1d(large)), strict=True):
        k = k[: large.ndim]
        exact[k] = math.floor(Fraction(float(numerator[k])) / Fraction(float(denominator[k])))
    return steps.round(exact) if large.any() else round_exact(steps, "floor_divide", y, a, b)


def _next_after(steps: Steps, a: Array, b: Array) -> Array:
    report_signaling("nextafter", a, b)
    up, down = above(a.astype(np.float64), steps.fmt), -above(-a.astype(np.float64), steps.fmt)
    y = np.where(a < b, up, np.where(a > b, down, b))
    return quieted(np.where(np.isnan(a), a, y)).astype(steps.carrier)


def _vecdot(steps: Steps, a: Array, b: Array) -> Array:
    return matmul(steps, a[..., None, :], b[..., :, None])[..., 0, 0]


def matmul(steps: Steps, a: Array, b: Array, accumulator: AccumulatorLike | None = None) -> Array:
    """The matrix product, one term after the other or by an accumulator."""
    return np.asarray(reductions.matmul_values(a, b, steps.fmt, steps.mode, steps.rng, accumulator), steps.carrier)


def _comparison(name: str) -> Operation:
    return lambda steps, a, b: compare(name, a, b)


def _of_operand(function: Callable[..., Any]) -> Operation:
    """An operation of `arithmetic.integers` on values of the format."""
    return lambda steps, x, *more: function(integers.Operand(x, steps.fmt, steps.mode, steps.rng, steps.carrier), *more)


def _spacing(steps: Steps, x: Array) -> Array:
    report_signaling("spacing", x)
    # A format that flushes has no numbers as near to each other as its subnormals.
    y = round_without_flags(quieted(np.asarray(spacing(x, steps.fmt))), steps.fmt, Rounding.TOWARD_ZERO)
    return y.astype(steps.carrier)


_COMPARISONS = "equal not_equal less less_equal greater greater_equal"
_PREDICATES = "isnan isfinite isinf signbit logical_and logical_or logical_xor logical_not"

UFUNCS: dict[str, Operation] = {
    **{name: _correctly_rounded(name) for name in ("add", "subtract", "multiply", "divide", "sqrt")},
    "square": lambda steps, x: steps.operate("multiply", x, x),
    "reciprocal": lambda steps, x: steps.operate("divide", np.ones_like(x), x),
    "remainder": _remainder,
    "floor_divide": _floor_divide,
    "divmod": lambda steps, a, b: (_floor_divide(steps, a, b), _remainder(steps, a, b)),
    **{name: _elementary(name) for name in ("power", "hypot", "arctan2", "logaddexp")},
    # Exact, but perhaps not a value of the format: an integer beyond max_finite, or a flushed subnormal.
    **{name: _exact_then_rounded(name) for name in ("floor", "ceil", "trunc", "rint", "sign", "fmod")},
    # The results are the operands or their negatives: values of the format already.
    **{name: _unrounded(name) for name in ("negative", "positive", "absolute", "fabs", "conjugate", "copysign")},
    "maximum": lambda steps, a, b: extremum("maximum", a, b),
    "minimum": lambda steps, a, b: extremum("minimum", a, b),
    "fmax": lambda steps, a, b: extremum("maximum_number", a, b),
    "fmin": lambda steps, a, b: extremum("minimum_number", a, b),
    "nextafter": _next_after,
    "spacing": _spacing,
    "ldexp": _of_operand(integers.scaled),
    "frexp": _of_operand(integers.split_at_exponent),
    "modf": _of_operand(integers.split_at_point),
    **{name: _comparison(name) for name in _COMPARISONS.split()},
    **{name: _unrounded(name) for name in _PREDICATES.split()},
    "matmul": matmul,
    "vecdot": _vecdot,
}

INTEGERS = {"ldexp": 1}
"""The position of an operand that is an integer, and no number of the format."""

# --- along axes -----------------------------------------------------------------------------------------------------


def _sum(steps: Steps, x: Array, axis: int | None, accumulator: AccumulatorLike | None) -> Array:
    return reductions.sum_values(x, axis, steps.fmt, steps.mode, steps.rng, accumulator)


def _mean(steps: Steps, x: Array, axis: int | None, accumulator: AccumulatorLike | None) -> Array:
    return reductions.mean(x, steps.fmt, steps.mode, axis=axis, accumulator=accumulator, rng=steps.rng)


def _norm(steps: Steps, x: Array, axis: int | None, accumulator: AccumulatorLike | None) -> Array:
    return reductions.norm(x, steps.fmt, steps.mode, axis=axis, accumulator=accumulator, rng=steps.rng)


def _prod(steps: Steps, x: Array, axis: int | None, accumulator: None) -> Array:
    """One factor after the other, each product rounded; 1 if there are no factors."""
    factors = axis_first(x, axis)
    if not len(factors):
        return round_exact(steps, "multiply", np.ones(factors.shape[1:]))
    return np.array(functools.reduce(functools.partial(steps.operate, "multiply"), factors))


REDUCTIONS: dict[str, Operation] = {"sum": _sum, "mean": _mean, "norm": _norm, "prod": _prod}


def reduce(
    steps: Steps,
    name: str,
    x: Array,
    axis: Axes = None,
    keepdims: bool = False,
    accumulator: AccumulatorLike | None = None,
    initial: Array | None = None,
    where: Any = True,
) -> Array:
    """A reduction over one axis, several (in C order) or all.

    Of a sum or a product: `initial` is its first term, and elements where `where` is false change nothing.
    """
    terms, place = x, axis
    if where is not True:
        terms = _only_where(steps, name, x, where, accumulator)
    if initial is not None or not (axis is None or isinstance(axis, (int, np.integer))):
        terms, place = _axes_first(terms, axis), 0
    if initial is not None:
        terms = np.concatenate([np.broadcast_to(initial, (1, *terms.shape[1:])), terms])
    y = np.asarray(REDUCTIONS[name](steps, terms, place, accumulator), steps.carrier)
    y = y.reshape(kept_shape(x, axis)) if keepdims else y
    if where is True or initial is not None:
        return y
    nothing = ~_axes_first(np.broadcast_to(where, x.shape), axis).any(axis=0).reshape(y.shape)
    return np.where(nothing, steps.round(_NEUTRAL[name]), y)  # as of no elements


_NEUTRAL = {"sum": 0.0, "prod": 1.0}


def _only_where(steps: Steps, name: str, x: Array, where: Any, accumulator: AccumulatorLike | None) -> Array:
    """The elements, with those left out replaced by one that changes no sum, or no product."""
    mask = np.asarray(where)
    if mask.dtype != bool:
        raise TypeError(f"where={quoted(where)} is not a mask; give booleans that broadcast to the shape {x.shape}")
    # s + -0 is s, also where s is +0; but toward negative +0 + -0 is -0, and s + +0 is s.
    mode = resolve(accumulator, steps.fmt, steps.mode, steps.rng).mode
    neutral = -0.0 if name == "sum" and mode is not Rounding.TOWARD_NEGATIVE else _NEUTRAL[name]
    return np.where(np.broadcast_to(mask, x.shape), x, steps.round(neutral))


def _axes_first(x: Array, axis: Axes) -> Array:
    """The terms along the first axis, in C order where several axes, or all, are reduced."""
    if axis is None or isinstance(axis, (int, np.integer)):
        return axis_first(x, axis)
    for one in axis if isinstance(axis, (tuple, list)) else (axis,):
        axis_first(x, one)  # refuses what is not an axis of x
    axes = sorted(np.lib.array_utils.normalize_axis_tuple(axis, x.ndim))
    terms = np.moveaxis(x, axes, range(len(axes)))
    return terms.reshape(math.prod(terms.shape[: len(axes)]), *terms.shape[len(axes) :])


def kept_shape(x: Array, axis: Axes) -> tuple[int, ...]:
    """The shape of x with the reduced axes (all for None) of length 1."""
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    return tuple(1 if k in axes else n for k, n in enumerate(x.shape))


def cumsum(steps: Steps, x: Array, axis: int | None = None, accumulator: AccumulatorLike | None = None) -> Array:
    """The partial sums."""
    y = reductions.cumsum(x, steps.fmt, steps.mode, axis=axis, accumulator=accumulator, rng=steps.rng)
    return np.asarray(y, steps.carrier)


def cumprod(steps: Steps, x: Array, axis: int | None = None) -> Array:
    """The partial products, each rounded."""
    out = np.array(x.reshape(-1) if axis is None else x)
    factors = axis_first(out, 0 if axis is None else axis)
    for k in range(1, len(factors)):
        factors[k] = steps.operate("multiply", factors[k - 1], factors[k])
    return out


# --- the methods of ufuncs ------------------------------------------------------------------------------------------


def _reduce(name: str) -> Operation:
    def run(steps: Steps, x: Array, axis: Axes = 0, keepdims: bool = False, **how: Any) -> Array:
        return reduce(steps, name, x, axis, keepdims, **how)

    return run


def _method(ufunc: np.ufunc, method: str) -> Operation:
    return lambda steps, x, axis=0, **how: getattr(ufunc, method)(x, axis=axis, **how)


_EXTREMES = (np.maximum, np.minimum, np.fmax, np.fmin)

METHODS: dict[str, dict[str, Operation]] = {
    "reduce": {
        "add": _reduce("sum"),
        "multiply": _reduce("prod"),
        **{ufunc.__name__: _method(ufunc, "reduce") for ufunc in _EXTREMES},
    },
    "accumulate": {
        "add": lambda steps, x, axis=0: cumsum(steps, x, axis),
        "multiply": lambda steps, x, axis=0: cumprod(steps, x, axis),
        **{ufunc.__name__: _method(ufunc, "accumulate") for ufunc in _EXTREMES},
    },
}

STARTING = ("add", "multiply")
"""Ufuncs whose `reduce` takes `initial` and `where` too."""
KEYWORDS = {"__call__": (), "outer": (), "reduce": ("axis", "keepdims"), "accumulate": ("axis",)}


def _outer(operation: Operation, steps: Steps, a: Array, b: Any) -> Any:
    """An operation of two operands on all pairs of their elements."""
    b = np.asarray(b)
    return operation(steps, a.reshape(*a.shape, *(1,) * b.ndim), b)


def find(ufunc: np.ufunc, method: str, keywords: Iterable[str], outputs: int = 1) -> Operation:
    """The operation for a ufunc or its method; TypeError if it is not supported, or has to write several arrays."""
    name, call = ufunc.__name__, "" if method == "__call__" else f".{method}"
    operation = METHODS.get(method, UFUNCS).get(name)
    if operation is None and method == "__call__" and name in FUNCTIONS:
        operation = _elementary(name)
    if operation is None or method not in KEYWORDS or (method == "outer" and (ufunc.nin != 2 or ufunc.signature)):
        raise unsupported(f"numpy.{name}{call}")
    known = KEYWORDS[method] + (("initial", "where") if method == "reduce" and name in STARTING else ())
    for keyword in (*keywords, *(("out",) if outputs > 1 else ())):
        if keyword not in known:
            raise unsupported(f"numpy.{name}{call}", f" with {keyword}=")
    return functools.partial(_outer, operation) if method == "outer" else operation
