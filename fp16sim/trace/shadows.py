"""What operations do to shadows: one table for scalars (`Wide`) and arrays (`Pair`).

An operation is applied twice: to the shadows of its operands, which gives the shadow of its result, and to the emulated
operands as exact numbers, which gives the result that one correct operation would have. Their difference is what the
operation inherited; the difference of the emulated result and the second is what it made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ..conversion import Array
from ..elementary.definitions import DEFINITIONS
from . import pair_functions, pairs, wide
from .pairs import Pair
from .wide import Wide

Shadow: TypeAlias = Wide | Pair


def as_array(x: Shadow) -> Pair:
    """A shadow as a pair."""
    return wide.as_pair(x) if isinstance(x, Wide) else x


def settled(x: Shadow) -> Shadow:
    """A pair of no dimensions as a scalar; other shadows as they are."""
    return wide.of_pair(x) if isinstance(x, Pair) and not x.hi.ndim else x


def exactly(values: Array) -> Shadow:
    """Numbers as their own shadows."""
    return wide.wide(float(values)) if not values.ndim else Pair(values)


def _basic(name: str) -> Callable[..., Shadow]:
    scalars, arrays = getattr(wide, name), getattr(pairs, name)

    def run(*x: Shadow) -> Shadow:
        if all(isinstance(one, Wide) for one in x):
            return scalars(*x)
        return arrays(*map(as_array, x))

    return run


def _function(name: str) -> Callable[..., Shadow]:
    def run(*x: Shadow) -> Shadow:
        if all(isinstance(one, Wide) for one in x):
            return wide.evaluate(name, *x)  # type: ignore[arg-type]
        return pair_functions.evaluate(name, *map(as_array, x))

    return run


add, subtract, multiply, divide = map(_basic, ("add", "subtract", "multiply", "divide"))
negative, absolute, sqrt, maximum, minimum = map(_basic, ("negative", "absolute", "sqrt", "maximum", "minimum"))


def _number(n: float | Fraction) -> Wide:
    return wide.wide(n)


# --- steps: floor and the like --------------------------------------------------------------------------------------


def floor(x: Shadow) -> Shadow:
    """The largest integer that is not above."""
    if isinstance(x, Wide):
        return Wide(Fraction(math.floor(x.mid)), _on_one_step(x)) if isinstance(x.mid, Fraction) else x
    y = np.floor(x.hi)
    y = np.where((y == x.hi) & (np.asarray(x.lo) < 0), y - 1, y)
    near = np.minimum((x.hi - y) + x.lo, (y + 1 - x.hi) - x.lo)
    return Pair(y, 0.0, x.radius if type(x.radius) is float else np.where(x.radius > near, np.inf, 0.0))


def _on_one_step(x: Wide) -> Fraction | None:
    if x.radius is None or not x.radius or not isinstance(x.mid, Fraction):
        return x.radius
    return Fraction(0) if math.floor(x.mid - x.radius) == math.floor(x.mid + x.radius) else None


def _ceil(x: Shadow) -> Shadow:
    return negative(floor(negative(x)))


def _signed(x: Shadow, of_size: Callable[[Shadow], Shadow]) -> Shadow:
    """An odd function from its values for positive numbers."""
    y = of_size(absolute(x))
    return _copied_sign(y, x)


def _copied_sign(x: Shadow, sign: Shadow) -> Shadow:
    size = absolute(x)
    if isinstance(size, Wide) and isinstance(sign, Wide):
        return negative(size) if sign.mid < 0 else size
    size, sign = as_array(size), as_array(sign)
    return pairs.where(np.signbit(sign.hi), pairs.negative(size), size)


def _rint(x: Shadow) -> Shadow:
    """The nearest integer, ties to even."""
    down = floor(x)
    rest = subtract(x, down)
    half = subtract(rest, _number(0.5))
    if isinstance(down, Wide) and isinstance(half, Wide):
        if not isinstance(down.mid, Fraction):
            return down
        up = half.mid > 0 or (half.mid == 0 and down.mid % 2 == 1)
        return add(down, _number(int(up)))
    down, half = as_array(down), as_array(half)
    side = np.sign(half.hi)
    up = (side > 0) | ((side == 0) & (np.mod(down.hi, 2) == 1))
    return Pair(down.hi + up, 0.0, down.radius)


def _sign(x: Shadow) -> Shadow:
    if isinstance(x, Wide):
        return _number(float(np.sign(wide.as_float(x))))
    return Pair(np.sign(x.hi))


def _remainder(a: Shadow, b: Shadow) -> Shadow:
    return subtract(a, multiply(floor(divide(a, b)), b))


def _fmod(a: Shadow, b: Shadow) -> Shadow:
    whole = _signed(divide(a, b), floor)
    return subtract(a, multiply(whole, b))


# --- along axes -----------------------------------------------------------------------------------------------------


def _axes(ndim: int, axis: Any) -> tuple[int, ...]:
    return tuple(range(ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, ndim)


def _reduced(run: Callable[[Pair], Pair], x: Shadow, axis: Any = None, keepdims: bool = False) -> Shadow:
    """A reduction along the first axis, applied over one axis, several or all."""
    x = as_array(x)
    axes = _axes(x.hi.ndim, axis)
    kept = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    count = math.prod(x.shape[k] for k in axes)
    y = run(x.moved(lambda part: np.moveaxis(part, axes, range(len(axes))).reshape(count, *kept)))
    if keepdims:
        y = y.moved(lambda part: part.reshape(tuple(1 if k in axes else n for k, n in enumerate(x.shape))))
    return y


def total(x: Shadow, axis: Any = None, keepdims: bool = False) -> Shadow:
    """The sum."""
    return _reduced(pairs.total, x, axis, keepdims)


def _count(x: Shadow, axis: Any) -> int:
    shape = as_array(x).shape
    return math.prod(shape[k] for k in _axes(len(shape), axis))


def mean(x: Shadow, axis: Any = None, keepdims: bool = False) -> Shadow:
    """The sum by the number of elements."""
    return divide(total(x, axis, keepdims), _number(_count(x, axis)))


def variance(x: Shadow, axis: Any = None, keepdims: bool = False, ddof: float = 0, correction: Any = None) -> Shadow:
    """The mean square distance from the mean."""
    distance = subtract(x, mean(x, axis, True))
    freedom = _count(x, axis) - (ddof if correction is None else correction)
    return divide(total(multiply(distance, distance), axis, keepdims), _number(max(freedom, 0)))


def deviation(x: Shadow, axis: Any = None, keepdims: bool = False, ddof: float = 0, correction: Any = None) -> Shadow:
    """The root of the variance."""
    return sqrt(variance(x, axis, keepdims, ddof, correction))


def norm(x: Shadow, axis: Any = None, keepdims: bool = False, ord: Any = None) -> Shadow:
    """The root of the sum of squares."""
    return sqrt(total(multiply(x, x), axis, keepdims))


def _product_of(x: Pair) -> Pair:
    count = x.shape[0]
    if not count:
        return Pair(np.ones(x.shape[1:]))
    y = x.moved(lambda part: part[0])
    for k in range(1, count):
        y = pairs.multiply(y, x.moved(lambda part, k=k: part[k]))
    return y


def product(x: Shadow, axis: Any = None, keepdims: bool = False) -> Shadow:
    """The product of the elements."""
    return _reduced(_product_of, x, axis, keepdims)


def _largest(x: Pair) -> Pair:
    top = x.hi.max(0)
    lo = np.where(x.hi == top, x.solid().lo, -np.inf).max(0)
    radius = 0.0 if type(x.radius) is float else x.radius.max(0)
    return Pair(top, np.where(np.isfinite(lo), lo, 0.0), radius)


def largest(x: Shadow, axis: Any = None, keepdims: bool = False) -> Shadow:
    """The largest element."""
    return _reduced(_largest, x, axis, keepdims)


def smallest(x: Shadow, axis: Any = None, keepdims: bool = False) -> Shadow:
    """The smallest element."""
    return negative(largest(negative(x), axis, keepdims))


def _scanned(run: Callable[[Pair, Pair], Pair], x: Shadow, axis: int | None) -> Shadow:
    """Partial sums or products, by doubling."""
    x = as_array(x)
    y = x.moved(np.ravel if axis is None else lambda part: np.moveaxis(part, axis, 0)).solid()
    n, step = y.shape[0], 1
    while step < n:
        later = run(y.moved(lambda part, s=step: part[s:]), y.moved(lambda part, s=step: part[:-s])).solid()
        y = Pair(*(np.concatenate([old[:step], new]) for old, new in zip(_parts(y), _parts(later), strict=True)))
        step *= 2
    return y if axis is None else y.moved(lambda part: np.moveaxis(part, 0, axis))


def _parts(x: Pair) -> tuple[Any, Any, Any]:
    return x.hi, x.lo, x.radius


def cumsum(x: Shadow, axis: int | None = None) -> Shadow:
    """The partial sums."""
    return _scanned(pairs.add, x, axis)


def cumprod(x: Shadow, axis: int | None = None) -> Shadow:
    """The partial products."""
    return _scanned(pairs.multiply, x, axis)


def diff(x: Shadow, n: int = 1, axis: int = -1) -> Shadow:
    """Each element minus the one before it, n times."""
    y = as_array(x).moved(lambda part: np.moveaxis(part, axis, 0))
    for _ in range(n):
        y = pairs.subtract(y.moved(lambda part: part[1:]), y.moved(lambda part: part[:-1]))
    return y.moved(lambda part: np.moveaxis(part, 0, axis))


# --- products of matrices -------------------------------------------------------------------------------------------


def matmul(a: Shadow, b: Shadow) -> Shadow:
    """The matrix product, with NumPy's rules for vectors."""
    a, b = as_array(a), as_array(b)
    left, right = a.hi.ndim == 1, b.hi.ndim == 1
    y = pairs.matmul(
        a.moved(lambda part: part[None, :]) if left else a, b.moved(lambda part: part[:, None]) if right else b
    )
    if left and right:
        return y.moved(lambda part: part[..., 0, 0])
    if left:
        return y.moved(lambda part: part[..., 0, :])
    return y.moved(lambda part: part[..., :, 0]) if right else y


def dot(a: Shadow, b: Shadow) -> Shadow:
    """numpy.dot."""
    x, y = as_array(a), as_array(b)
    if not x.hi.ndim or not y.hi.ndim:
        return multiply(a, b)
    return matmul(x, y) if y.hi.ndim <= 2 else tensordot(x, y, (-1, -2))


def tensordot(a: Shadow, b: Shadow, axes: Any = 2) -> Shadow:
    """numpy.tensordot, as one matrix product."""
    a, b = as_array(a), as_array(b)
    over = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    left, right = (_axes(x.hi.ndim, k) for k, x in zip(over, (a, b), strict=True))
    kept = tuple(n for k, n in enumerate(a.shape) if k not in left)
    spread = tuple(n for k, n in enumerate(b.shape) if k not in right)
    k = math.prod(a.shape[i] for i in left)
    rows = a.moved(lambda part: np.moveaxis(part, left, range(-len(left), 0)).reshape(math.prod(kept), k))
    columns = b.moved(lambda part: np.moveaxis(part, right, range(len(right))).reshape(k, math.prod(spread)))
    return pairs.matmul(rows, columns).moved(lambda part: part.reshape(kept + spread))


def inner(a: Shadow, b: Shadow) -> Shadow:
    """numpy.inner."""
    both = as_array(a).hi.ndim and as_array(b).hi.ndim
    return tensordot(a, b, (-1, -1)) if both else multiply(a, b)


def outer(a: Shadow, b: Shadow) -> Shadow:
    """All products of two elements."""
    x, y = as_array(a), as_array(b)
    return pairs.multiply(x.moved(lambda part: part.reshape(-1, 1)), y.moved(lambda part: part.reshape(1, -1)))


def _vecdot(a: Shadow, b: Shadow) -> Shadow:
    x, y = as_array(a), as_array(b)
    y = pairs.matmul(x.moved(lambda part: part[..., None, :]), y.moved(lambda part: part[..., :, None]))
    return y.moved(lambda part: part[..., 0, 0])


# --- tables ---------------------------------------------------------------------------------------------------------

ELEMENTWISE: dict[str, Callable[..., Shadow]] = {
    **{name: _function(name) for name in DEFINITIONS},
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "sqrt": sqrt,
    "negative": negative,
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "absolute": absolute,
    "fabs": absolute,
    "maximum": maximum,
    "minimum": minimum,
    "fmax": maximum,
    "fmin": minimum,
    "square": lambda x: multiply(x, x),
    "reciprocal": lambda x: divide(_number(1), x),
    "floor": floor,
    "ceil": _ceil,
    "trunc": lambda x: _signed(x, floor),
    "rint": _rint,
    "sign": _sign,
    "copysign": _copied_sign,
    "remainder": _remainder,
    "fmod": _fmod,
    "floor_divide": lambda a, b: floor(divide(a, b)),
    "ldexp": lambda x, n: multiply(x, _power_of_two(n)),
    "matmul": matmul,
    "vecdot": _vecdot,
}
"""By the names of NumPy's ufuncs."""


def _power_of_two(n: Any) -> Shadow:
    n = np.asarray(n)
    return _number(Fraction(2) ** int(n)) if not n.ndim else Pair(np.ldexp(1.0, n))


FUNCTIONS: dict[str, Callable[..., Shadow]] = {
    "sum": total,
    "mean": mean,
    "prod": product,
    "var": variance,
    "std": deviation,
    "norm": norm,
    "max": largest,
    "amax": largest,
    "min": smallest,
    "amin": smallest,
    "cumsum": cumsum,
    "cumprod": cumprod,
    "diff": diff,
    "dot": dot,
    "vdot": lambda a, b: dot(*(as_array(x).moved(np.ravel) for x in (a, b))),
    "inner": inner,
    "outer": outer,
    "tensordot": tensordot,
}
"""By the names of NumPy's functions."""


def compared(name: str, a: Shadow, b: Shadow) -> Array:
    """A comparison of shadows."""
    d = subtract(a, b)
    d_ = np.asarray(wide.as_float(d)) if isinstance(d, Wide) else d.hi
    if isinstance(a, Wide) and isinstance(b, Wide) and not (a.finite and b.finite):
        return np.asarray(getattr(np, name)(wide.as_float(a), wide.as_float(b)))
    x, y = as_array(a), as_array(b)
    special = ~(np.isfinite(x.hi) & np.isfinite(y.hi))
    return np.where(special, getattr(np, name)(x.hi, y.hi), getattr(np, name)(d_, 0.0))
