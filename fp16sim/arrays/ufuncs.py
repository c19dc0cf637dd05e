"""NumPy's ufuncs, their methods and reductions, on values that a format holds: each result exact, or rounded once.

A table for each way to be right. What no table lists is refused, so nothing falls back to float64.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import reductions
from ..accumulators import Accumulator
from ..arithmetic import extremum, operate
from ..conversion import Array, Generator
from ..elementary import definitions, evaluation
from ..flags import Tally, current_listeners
from ..formats import Format, Rounding
from ..neighbours import next_down, next_up
from ..rounding import round_array

Operation: TypeAlias = Callable[..., Any]
"""Takes a Setting and values that its format holds; gives such values, or booleans."""


class Setting(NamedTuple):
    """What an array's results share with it, beside its values."""

    fmt: Format
    mode: Rounding
    rng: Generator
    carrier: Any

    def operate(self, name: str, *operands: Array) -> Array:
        """A correctly rounded operation of `arithmetic`."""
        return operate(name, list(operands), self.fmt, self.mode, self.rng, self.carrier)

    def exactly(self, name: str, y: Array, *operands: Array) -> Array:
        """An exact result, rounded where the format does not hold it: ceil(7.5) in e2m3fn, a flushed subnormal."""
        tally = Tally(current_listeners())
        tally.note("invalid", functools.reduce(lambda born, x: born & ~np.isnan(x), operands, np.isnan(y)).reshape(-1))
        out = np.empty(np.shape(y), self.carrier)
        return round_array(np.asarray(y), self.fmt, self.mode, self.rng, out=out, operation=name, tally=tally)


def refusal(name: str, detail: str = "") -> TypeError:
    """The error for what is not supported: it names the function and the way out."""
    return TypeError(
        f"{name}{detail} is not supported for FloatArray, and nothing is computed in float64 unasked; write it with "
        "operators and supported functions, or give it np.asarray(x, np.float64) for plain float64 arithmetic"
    )


# --- elementwise ----------------------------------------------------------------------------------------------------


def _quietly(function: Callable[..., Any], *operands: Array) -> Array:
    with np.errstate(all="ignore"):  # NumPy's own warnings; ours come from the flags
        return np.asarray(function(*operands))


def _rounded(name: str) -> Operation:
    return lambda s, *x: s.operate(name, *x)


def _exact(name: str) -> Operation:
    return lambda s, *x: s.exactly(name, _quietly(getattr(np, name), *x), *x)


def _held(name: str) -> Operation:
    return lambda s, *x: getattr(np, name)(*x)


def _certified(name: str) -> Operation:
    return lambda s, x: evaluation.evaluate(name, [x], s.fmt, s.mode, s.rng, s.carrier)


def _certified_of_two(name: str) -> Operation:
    def operation(s: Setting, x: Array, y: Array) -> Array:
        a, b = np.broadcast_arrays(x, y)
        return evaluation.evaluate(name, [a, b], s.fmt, s.mode, s.rng, s.carrier)

    return operation


def _remainder(s: Setting, a: Array, b: Array) -> Array:
    """a - floor(a / b) * b, rounded once. fmod is exact; where its sign is not that of b, b is added to it."""
    r = _quietly(np.fmod, a, b)
    r = np.where(r == 0, np.copysign(r, b), r)
    other_side = (r != 0) & ~np.isnan(r) & (np.signbit(r) != np.signbit(b))
    moved = s.operate("add", np.where(other_side, r, r.dtype.type(0)), b)
    return np.where(other_side, moved, s.exactly("remainder", np.where(other_side, b, r), a, b))


def _next_after(s: Setting, a: Array, b: Array) -> Array:
    y = np.where(a < b, next_up(a, s.fmt), np.where(a > b, next_down(a, s.fmt), b))
    return np.where(np.isnan(a), a, y).astype(s.carrier)


def _vecdot(s: Setting, a: Array, b: Array) -> Array:
    return matmul(s, a[..., None, :], b[..., :, None])[..., 0, 0]


def matmul(s: Setting, a: Array, b: Array, accumulator: Accumulator | None = None) -> Array:
    """The matrix product, one term after the other or by an accumulator."""
    return np.asarray(reductions.matmul_values(a, b, s.fmt, s.mode, s.rng, accumulator), s.carrier)


_QUESTIONS = (
    "equal not_equal less less_equal greater greater_equal isnan isfinite isinf signbit "
    "logical_and logical_or logical_xor logical_not"
)

UFUNCS: dict[str, Operation] = {
    **{name: _rounded(name) for name in ("add", "subtract", "multiply", "divide", "sqrt")},
    "square": lambda s, x: s.operate("multiply", x, x),
    "reciprocal": lambda s, x: s.operate("divide", np.ones_like(x), x),
    "remainder": _remainder,
    **{name: _certified_of_two(name) for name in ("power", "hypot")},
    # Exact, but beyond max_finite of a format that has no integers up to it, or flushed.
    **{name: _exact(name) for name in ("floor", "ceil", "trunc", "rint", "sign", "fmod")},
    # Numbers of the format go in, and the same numbers or their negatives come out.
    **{name: _held(name) for name in ("negative", "positive", "absolute", "fabs", "conjugate", "copysign")},
    "maximum": lambda s, a, b: extremum("maximum", a, b, -1),
    "minimum": lambda s, a, b: extremum("minimum", a, b, 1),
    "fmax": lambda s, a, b: extremum("maximum_number", a, b, -1),
    "fmin": lambda s, a, b: extremum("minimum_number", a, b, 1),
    "nextafter": _next_after,
    **{name: _held(name) for name in _QUESTIONS.split()},
    "matmul": matmul,
    "vecdot": _vecdot,
}

# --- along axes -----------------------------------------------------------------------------------------------------


def _sum(s: Setting, x: Array, axis: int | None, accumulator: Accumulator | None) -> Array:
    return reductions.sum_values(x, axis, s.fmt, s.mode, s.rng, accumulator)


def _mean(s: Setting, x: Array, axis: int | None, accumulator: Accumulator | None) -> Array:
    return reductions.mean(x, s.fmt, s.mode, axis=axis, accumulator=accumulator, rng=s.rng)


def _norm(s: Setting, x: Array, axis: int | None, accumulator: Accumulator | None) -> Array:
    return reductions.norm(x, s.fmt, s.mode, axis=axis, accumulator=accumulator, rng=s.rng)


def _prod(s: Setting, x: Array, axis: int | None, accumulator: None) -> Array:
    """One factor after the other, each product rounded; 1 for none."""
    factors = x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0)
    if not len(factors):
        return s.exactly("multiply", np.ones(factors.shape[1:]))
    return np.array(functools.reduce(functools.partial(s.operate, "multiply"), factors))


REDUCTIONS: dict[str, Operation] = {"sum": _sum, "mean": _mean, "norm": _norm, "prod": _prod}


def reduce(
    s: Setting, name: str, x: Array, axis: Any = None, keepdims: bool = False, accumulator: Accumulator | None = None
) -> Array:
    """A reduction over one axis, several (in C order) or all."""
    if axis is None or isinstance(axis, (int, np.integer)):
        y = REDUCTIONS[name](s, x, axis, accumulator)
    else:
        axes = sorted(np.lib.array_utils.normalize_axis_tuple(axis, x.ndim))
        terms = np.moveaxis(x, axes, range(len(axes)))
        shape = (math.prod(terms.shape[: len(axes)]), *terms.shape[len(axes) :])
        y = REDUCTIONS[name](s, terms.reshape(shape), 0, accumulator)
    y = np.asarray(y, s.carrier)
    return y.reshape(kept_shape(x, axis)) if keepdims else y


def kept_shape(x: Array, axis: Any) -> tuple[int, ...]:
    """The shape of x with the reduced axes (all for None) of length 1."""
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    return tuple(1 if k in axes else n for k, n in enumerate(x.shape))


def cumsum(s: Setting, x: Array, axis: int | None = None, accumulator: Accumulator | None = None) -> Array:
    """The partial sums."""
    y = reductions.cumsum(x, s.fmt, s.mode, axis=axis, accumulator=accumulator, rng=s.rng)
    return np.asarray(y, s.carrier)


def cumprod(s: Setting, x: Array, axis: int | None = None) -> Array:
    """The partial products, each rounded."""
    out = np.array(x.reshape(-1) if axis is None else x)
    factors = np.moveaxis(out, 0 if axis is None else axis, 0)
    for k in range(1, len(factors)):
        factors[k] = s.operate("multiply", factors[k - 1], factors[k])
    return out


# --- the methods of ufuncs ------------------------------------------------------------------------------------------


def _reduce(name: str) -> Operation:
    return lambda s, x, axis=0, keepdims=False: reduce(s, name, x, axis, keepdims)


def _method(ufunc: Any, method: str) -> Operation:
    return lambda s, x, axis=0, **how: getattr(ufunc, method)(x, axis=axis, **how)


_EXTREMES = (np.maximum, np.minimum, np.fmax, np.fmin)

METHODS: dict[str, dict[str, Operation]] = {
    "reduce": {
        "add": _reduce("sum"),
        "multiply": _reduce("prod"),
        **{ufunc.__name__: _method(ufunc, "reduce") for ufunc in _EXTREMES},
    },
    "accumulate": {
        "add": lambda s, x, axis=0: cumsum(s, x, axis),
        "multiply": lambda s, x, axis=0: cumprod(s, x, axis),
        **{ufunc.__name__: _method(ufunc, "accumulate") for ufunc in _EXTREMES},
    },
}

KEYWORDS = {"__call__": (), "outer": (), "reduce": ("axis", "keepdims"), "accumulate": ("axis",)}


def _outer(operation: Operation, s: Setting, a: Array, b: Array) -> Any:
    """An operation of two operands on all pairs of their elements."""
    return operation(s, a.reshape(*a.shape, *(1,) * b.ndim), b)


def find(ufunc: Any, method: str, keywords: Any) -> Operation:
    """What does the work of a ufunc, or of its method; TypeError where nothing here does."""
    name, call = ufunc.__name__, "" if method == "__call__" else f".{method}"
    operation = METHODS.get(method, UFUNCS).get(name)
    if operation is None and method == "__call__" and name in definitions.FUNCTIONS:
        operation = _certified(name)
    if operation is None or method not in KEYWORDS or (method == "outer" and (ufunc.nin != 2 or ufunc.signature)):
        raise refusal(f"numpy.{name}{call}")
    for keyword in keywords:
        if keyword not in KEYWORDS[method]:
            raise refusal(f"numpy.{name}{call}", f" with {keyword}=")
    return functools.partial(_outer, operation) if method == "outer" else operation
