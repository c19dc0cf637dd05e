"""The known cures as a table: how the trouble looks among the operations, and the computation that takes its place.

A pattern looks at one operation and at what its operands are made of. If it knows better, it computes the same quantity
in another way, with traced operations of the same format; else it gives None.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .traced import Traced

Rewrite = Callable[[str, list[Traced], dict[str, Any]], Any]


@dataclass(frozen=True)
class Pattern:
    """A cure that is a better formula.

    Attributes
    ----------
    name : str
    advice : str
        What to write.
    needs : frozenset of str
        Operations without which the pattern is not there.
    rewrite : callable
        Takes the name of an operation, its operands and its keywords; gives the result by the better formula, or None.
    """

    name: str
    advice: str
    needs: frozenset[str]
    rewrite: Rewrite


# --- looking --------------------------------------------------------------------------------------------------------


def _parts(x: Any, name: str) -> tuple[Any, ...] | None:
    """The operands of the operation that made a value, if it is of this name."""
    return x.made_of[1] if isinstance(x, Traced) and x.made_of is not None and x.made_of[0] == name else None


def _is(x: Any, number: float) -> bool:
    return isinstance(x, Traced) and not x.ndim and float(x.plain) == number


def _same(x: Any, y: Any) -> bool:
    return x is y or (
        isinstance(x, Traced)
        and isinstance(y, Traced)
        and x.shape == y.shape
        and bool(np.array_equal(x.plain, y.plain))
    )


def _square(x: Any) -> Any:
    """Of what a value is the square; None if it is none."""
    if (found := _parts(x, "square")) is not None:
        return found[0]
    product = _parts(x, "multiply") or _parts(x, "power")
    if product is None:
        return None
    a, b = product
    return a if (_same(a, b) and _parts(x, "multiply")) or (_parts(x, "power") and _is(b, 2)) else None


def _beside(operands: list[Traced], number: float) -> Any:
    """The other of two operands, if one is this number."""
    a, b = operands
    return b if _is(a, number) else a if _is(b, number) else None


# --- better formulas ------------------------------------------------------------------------------------------------


def _log1p(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    terms = _parts(x[0], "add") if name == "log" else None
    rest = _beside(list(terms), 1) if terms else None
    return None if rest is None else np.log1p(rest)


def _expm1(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    power = _parts(x[0], "exp") if name == "subtract" and _is(x[1], 1) else None
    return np.expm1(power[0]) if power else None


def _half_angle(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    angle = _parts(x[1], "cos") if name == "subtract" and _is(x[0], 1) else None
    if not angle:
        return None
    sine: Any = np.sin(angle[0] * 0.5)
    return 2 * sine * sine


def _hypot(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    terms = _parts(x[0], "add") if name == "sqrt" else None
    if terms is None or (a := _square(terms[0])) is None or (b := _square(terms[1])) is None:
        return None
    return np.hypot(a, b)


def _largest(x: Any) -> Any:
    """The largest magnitude as a power of two: scaling by it is exact."""
    most = float(np.max(np.abs(x.plain)))
    return 2.0 ** np.frexp(most)[1] if most and np.isfinite(most) else 1.0


def _scaled_root(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    """sqrt(f(x^2) + eps) where f is a sum or a mean, and norms."""
    if name == "norm":
        s = _largest(x[0])
        return s * np.sqrt(np.sum((x[0] / s) ** 2, **how))
    if name != "sqrt":
        return None
    total, guard = x[0], 0.0
    if (terms := _parts(total, "add")) is not None:
        total, guard = terms[0], terms[1]
    for reduction in ("mean", "sum", "dot"):
        inside = _parts(total, reduction)
        if inside is None:
            continue
        base = inside[0] if reduction == "dot" and _same(*inside) else _square(inside[0])
        if base is None:
            return None
        s = _largest(base)
        y = base / s
        squares = np.dot(y, y) if reduction == "dot" else getattr(np, reduction)(y * y, **_shape_of(total, base))
        return s * np.sqrt(squares + guard / s / s)
    return None


def _shape_of(total: Traced, base: Traced) -> dict[str, Any]:
    """The axis of a reduction, from the shapes before and after."""
    if not total.ndim:
        return {}
    axes = [k for k in range(base.ndim) if total.ndim == base.ndim and total.shape[k] != base.shape[k]]
    return {"axis": tuple(axes), "keepdims": True} if axes else {"axis": -1}


def _addends(total: Any) -> list[Any]:
    """What a loop has added up, one after the other; a total that began with 0 included."""
    found = []
    while (terms := _parts(total, "add")) is not None:
        total, addend = terms
        found.append(addend)
    return [*(() if _is(total, 0) else (total,)), *reversed(found)]


def _logsumexp_in_a_loop(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    powers = [_parts(one, "exp") for one in _addends(x[0])] if name == "log" else []
    if len(powers) < 2 or not all(powers):
        return None
    given: list[Any] = [power[0] for power in powers if power]
    most = max(given, key=lambda one: float(one.plain)) if not x[0].ndim else None
    if most is None:
        return None
    total: Any = np.exp(given[0] - most)
    for one in given[1:]:
        total = total + np.exp(one - most)
    return most + np.log(total)


def _logsumexp(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    inside = _parts(x[0], "sum") if name == "log" else None
    power = _parts(inside[0], "exp") if inside else None
    if not power:
        return None
    y: Any = power[0]
    most: Any = np.max(y)
    return most + np.log(np.sum(np.exp(y - most)))


def _softmax(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    if name != "divide":
        return None
    power, inside = _parts(x[0], "exp"), _parts(x[1], "sum")
    if not power or not inside or not _same(inside[0], x[0]):
        return None
    keep = x[1].ndim == x[0].ndim
    most: Any = np.max(power[0], axis=-1, keepdims=True) if keep else np.max(power[0])
    weights: Any = np.exp(power[0] - most)
    return weights / (np.sum(weights, axis=-1, keepdims=True) if keep else np.sum(weights))


def _log_softmax(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    quotient = _parts(x[0], "divide") if name == "log" else None
    if not quotient:
        return None
    power, inside = _parts(quotient[0], "exp"), _parts(quotient[1], "sum")
    if not power or not inside or not _same(inside[0], quotient[0]):
        return None
    shifted: Any = power[0] - np.max(power[0])
    return shifted - np.log(np.sum(np.exp(shifted)))


def _two_passes(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    squares = _parts(x[0], "mean") if name == "subtract" else None
    mean = _square(x[1]) if squares else None
    data = _square(squares[0]) if squares and mean is not None else None
    if data is None:
        return None
    where: dict[str, Any] = {} if not x[0].ndim else {"axis": -1}
    mean_of: Any = np.mean
    distance: Any = data - (mean_of(data, keepdims=True, **where) if where else mean_of(data))
    return mean_of(distance * distance, **where)


def _sum_of_squares(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    """sum(x^2) - sum(x)^2 / n: the sum of the squares of x less its mean."""
    squares = _parts(x[0], "sum") if name == "subtract" and not x[0].ndim else None
    data = _square(squares[0]) if squares else None
    quotient = _parts(x[1], "divide") if squares else None
    total = _square(quotient[0]) if quotient and data is not None and _is(quotient[1], data.size) else None
    added = _parts(total, "sum")
    if data is None or added is None or not _same(added[0], data):
        return None
    distance: Any = data - np.mean(data)
    return np.sum(distance * distance)


def _quadratic(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    """(-b + sqrt(b^2 - 4 a c)) / (2 a): where the sum cancels, 2 c / (-b - sqrt(...))."""
    top = (_parts(x[0], "add") or _parts(x[0], "subtract")) if name == "divide" else None
    if not top:
        return None
    minus_b, root = top
    if _parts(root, "sqrt") is None:
        minus_b, root = root, minus_b
    inside = _parts(root, "sqrt")
    terms = _parts(inside[0], "subtract") if inside else None
    b, product = (_square(terms[0]), _parts(terms[1], "multiply")) if terms else (None, None)
    if b is None or product is None:
        return None
    sign = 1 if _parts(x[0], "add") else -1
    if float(minus_b.plain) * sign > 0:
        return None
    return product[1] * 2 / (minus_b - sign * root) if _parts(product[0], "multiply") else None


def _conjugate(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    a, b = (_parts(one, "sqrt") for one in x) if name == "subtract" else (None, None)
    return (a[0] - b[0]) / (x[0] + x[1]) if a and b else None


def _squares(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    a, b = (_square(one) for one in x) if name == "subtract" else (None, None)
    return (a - b) * (a + b) if a is not None and b is not None else None


def _roots(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    """x / sqrt(a b) -> x / sqrt(a) / sqrt(b)."""
    root = _parts(x[1], "sqrt") if name == "divide" else None
    product = _parts(root[0], "multiply") if root else None
    return x[0] / np.sqrt(product[0]) / np.sqrt(product[1]) if product else None


def _projection(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    """rest - (q . v) q -> rest - (q . rest) q, where rest is what is left of v."""
    product = _parts(x[1], "multiply") if name == "subtract" else None
    for length, q in (product, product[::-1]) if product else ():
        inside = _parts(length, "dot") or _parts(length, "matmul")
        if inside and q.shape == x[0].shape and any(_same(q, one) for one in inside):
            return x[0] - np.dot(q, x[0]) * q
    return None


def _moving_average(name: str, x: list[Traced], how: dict[str, Any]) -> Any:
    """c m + (1 - c) x -> m + (1 - c) (x - m), with what that loses added to the next step."""
    products = [_parts(one, "multiply") for one in x] if name == "add" else []
    if len(products) != 2 or not all(products):
        return None
    ways = itertools.product(*((product, product[::-1]) for product in products if product))
    for (keep, mean), (share, number) in ways:
        if keep.ndim or share.ndim or not float(keep.plain) > 0.5 or abs(float(keep.plain + share.plain) - 1) > 0.01:
            continue
        step: Any = share * (number - mean)
        step = step if mean.carry is None else step + mean.carry
        y: Any = mean + step
        y.carry = step - (y - mean)
        return y
    return None


def _pattern(name: str, needs: str, rewrite: Rewrite, advice: str) -> Pattern:
    return Pattern(name, advice, frozenset(needs.split()), rewrite)


SCALE = "divide by the largest magnitude before squaring, and multiply the root by it"

PATTERNS = (
    _pattern("log1p", "log add", _log1p, "write log1p(x) for log(1 + x)"),
    _pattern("expm1", "exp subtract", _expm1, "write expm1(x) for exp(x) - 1"),
    _pattern("half angle", "cos subtract", _half_angle, "write 2 sin(x/2)^2 for 1 - cos x"),
    _pattern("hypot", "sqrt add", _hypot, "write hypot(x, y) for sqrt(x^2 + y^2)"),
    _pattern("scaling before squaring", "sqrt", _scaled_root, SCALE),
    _pattern("norm, scaled", "norm", _scaled_root, "divide by the largest magnitude before taking the norm"),
    _pattern("logsumexp", "log sum exp", _logsumexp, "take the largest number out: m + log(sum(exp(x - m)))"),
    _pattern("logsumexp, loop", "log exp add", _logsumexp_in_a_loop, "take the largest number out before exp"),
    _pattern("softmax, shifted", "exp sum divide", _softmax, "subtract the largest number before exp"),
    _pattern("log_softmax", "log divide exp", _log_softmax, "write x - m - log(sum(exp(x - m))) for log(softmax(x))"),
    _pattern("two passes", "mean subtract", _two_passes, "subtract the mean before squaring"),
    _pattern("two passes, sums", "sum subtract divide", _sum_of_squares, "subtract the mean before squaring"),
    _pattern("stable quadratic formula", "sqrt divide", _quadratic, "take the other root from the product of both"),
    _pattern("conjugate", "sqrt subtract", _conjugate, "write (a - b) / (sqrt a + sqrt b) for sqrt a - sqrt b"),
    _pattern("difference of squares", "multiply subtract", _squares, "write (a - b)(a + b) for a^2 - b^2"),
    _pattern(
        "modified Gram-Schmidt", "subtract multiply", _projection, "project what is left of the vector: (q . rest) q"
    ),
    _pattern("moving average", "add multiply", _moving_average, "write m + (1 - c)(x - m), and keep what that loses"),
    _pattern("one root at a time", "sqrt divide", _roots, "write x / sqrt(a) / sqrt(b) for x / sqrt(a b)"),
)
"""In the order in which they are tried."""
