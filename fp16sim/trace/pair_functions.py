"""Elementary functions of double-double arrays, with a bound for what they may have got wrong.

exp, sine and cosine are reduced with tables: e^(k/64), and the sine and cosine of k/64, as pairs that were computed
from exact fractions. What is left of the argument is at most 1/128, and its series in float64 starts with a term that
is 2^-21 of the result or less, so the result is right to 2^-67: 43 bits more than binary32 has. The others are found by
one step of Newton's method from float64's own function, or are formulas of these. Functions without either (erf, gelu)
are float64's, right to 2^-41.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ..conversion import Array
from ..elementary.definitions import DEFINITIONS
from . import pairs
from .pairs import Pair, add, divide, fast_two_sum, multiply, negative, sqrt, subtract, where

ACCURACY = 2.0**-67
IN_FLOAT64 = 2.0**-41
BITS = 220
"""Of the fractions from which tables and constants are rounded."""


def constant(value: Fraction | int) -> Pair:
    """A rational number, right to 2^-106 of its size."""
    hi = float(value)
    lo = float(Fraction(value) - Fraction(hi))
    return Pair(np.asarray(hi), np.asarray(lo), np.asarray(abs(hi) * 2.0**-106))


def _exact(x: Array) -> Pair:
    return Pair(np.asarray(x, np.float64))


# --- tables from fractions ------------------------------------------------------------------------------------------


def _series(x: Fraction, first: Fraction, ratio: Callable[[int], Fraction]) -> Fraction:
    """first + first * ratio(1) + ...: until the terms do not matter."""
    total, term, n = Fraction(0), first, 0
    while abs(term) > Fraction(1, 1 << BITS):
        total, n = total + term, n + 1
        term = Fraction(round(term * ratio(n) * (1 << BITS)), 1 << BITS)
    return total


def _exp_fraction(x: Fraction) -> Fraction:
    return _series(x, Fraction(1), lambda n: x / n)


def _sine_fraction(x: Fraction) -> Fraction:
    return _series(x, x, lambda n: -x * x / (2 * n * (2 * n + 1)))


def _cosine_fraction(x: Fraction) -> Fraction:
    return _series(x, Fraction(1), lambda n: -x * x / (2 * n * (2 * n - 1)))


def _arctan_of_inverse(k: int) -> Fraction:
    return sum((Fraction((-1) ** n, (2 * n + 1) * k ** (2 * n + 1)) for n in range(BITS)), Fraction(0))


@cache
def _log2() -> Fraction:
    """log 2 = 2 artanh(1/3)."""
    return 2 * sum((Fraction(1, (2 * n + 1) * 3 ** (2 * n + 1)) for n in range(BITS)), Fraction(0))


@cache
def _pi() -> Fraction:
    """Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)."""
    return 16 * _arctan_of_inverse(5) - 4 * _arctan_of_inverse(239)


@cache
def _table(name: str) -> Pair:
    """A function at k/64 for k = -64 ... 64."""
    function = {"exp": _exp_fraction, "sin": _sine_fraction, "cos": _cosine_fraction}[name]
    values = [function(Fraction(k, 64)) for k in range(-64, 65)]
    hi = np.array([float(v) for v in values])
    return Pair(hi, np.array([float(v - Fraction(h)) for v, h in zip(values, hi.tolist(), strict=True)]))


def _at(table: Pair, k: Array) -> Pair:
    index = np.where(np.isnan(k), 0.0, k).astype(np.int64) + 64
    return Pair(table.hi[index], table.lo[index])


def _thirds(value: Fraction) -> list[float]:
    """A number as three floats of 33, 53 and 53 bits: products of the first with integers below 2^20 are exact."""
    first = float(Fraction(round(value * 2**32), 2**32))
    second = float(value - Fraction(first))
    return [first, second, float(value - Fraction(first) - Fraction(second))]


# --- exp, sine, cosine ----------------------------------------------------------------------------------------------


def _reduced(x: Pair, unit: Fraction) -> tuple[Array, Pair]:
    """k and x - k * unit, for the nearest k below 2^20; the radius says what larger ones lose."""
    k = np.rint(x.hi / float(unit))
    k = np.where(np.abs(k) < 2.0**20, k, 0.0)
    first, second, third = _thirds(unit)
    p, e = pairs.two_product(k, np.asarray(second))
    rest = add(Pair(x.hi - k * first, x.lo), Pair(-p, -e - k * third))
    return k, Pair(rest.hi, rest.lo, np.abs(k) * 2.0**-120 + rest.radius)


def _in_table(r: Pair) -> tuple[Array, Pair]:
    """k and r - k/64, for |r| <= 1."""
    k = np.rint(np.clip(r.hi, -1.0, 1.0) * 64)
    return k, add(r, _exact(-k / 64))


def _with_radius(y: Pair, argument: Any, derivative: Array, accuracy: float = ACCURACY) -> Pair:
    """The result, with what the function commits and what the argument's radius may change."""
    size = np.abs(y.hi) * accuracy + pairs.TINY
    return Pair(y.hi, y.lo, size + argument * derivative * (1 + 2.0**-20))


def exp(x: Pair) -> Pair:
    """e^x."""
    k, r = _reduced(Pair(np.clip(x.hi, -800.0, 800.0), x.lo), _log2())
    i, f = _in_table(r)
    h = f.hi
    tail = h * h * h * (1 / 6 + h * (1 / 24 + h * (1 / 120 + h * (1 / 720 + h * (1 / 5040 + h / 40320)))))
    square = multiply(Pair(f.hi, f.lo), Pair(f.hi / 2, f.lo / 2))
    series = add(add(_exact(np.ones_like(h)), Pair(f.hi, f.lo)), add(square, _exact(tail)))
    y = multiply(series, _at(_table("exp"), i))
    e = np.where(np.isnan(k), 0.0, k).astype(np.int64)
    # In two steps: 2^k alone may be beyond float64 where the result is not.
    hi, lo = (np.ldexp(np.ldexp(part, e // 2), e - e // 2) for part in (y.hi, y.lo))
    return _with_radius(Pair(hi, lo), _ball(x), np.abs(hi) + 0.0)


def _ball(x: Pair) -> Any:
    """The radius of an argument; where it is no small number, nothing is known about the function."""
    return 0.0 if type(x.radius) is float else np.where(x.radius < 2.0**-20, x.radius, np.inf)


def _sine_and_cosine(x: Pair) -> tuple[Pair, Pair]:
    large = np.abs(x.hi) >= 2.0**20
    quarter, r = _reduced(Pair(np.where(large, 0.0, x.hi), x.lo), _pi() / 2)
    i, f = _in_table(r)
    h, s = f.hi, f.hi * f.hi
    sine_tail = h * s * (-1 / 6 + s * (1 / 120 + s * (-1 / 5040 + s / 362880)))
    cosine_tail = s * s * (1 / 24 + s * (-1 / 720 + s / 40320))
    half_square = multiply(Pair(f.hi, f.lo), Pair(-f.hi / 2, -f.lo / 2))
    sine = add(Pair(f.hi, f.lo), _exact(sine_tail))
    cosine = add(add(_exact(np.ones_like(h)), half_square), _exact(cosine_tail))
    at_sine, at_cosine = _at(_table("sin"), i), _at(_table("cos"), i)
    a = add(multiply(at_sine, cosine), multiply(at_cosine, sine))
    b = subtract(multiply(at_cosine, cosine), multiply(at_sine, sine))
    turn = np.where(np.isnan(quarter), 0.0, quarter).astype(np.int64) % 4
    s_, c_ = where(turn % 2 == 1, b, a), where(turn % 2 == 1, a, b)
    s_, c_ = where(turn >= 2, negative(s_), s_), where((turn == 1) | (turn == 2), negative(c_), c_)
    slip = np.where(large, np.inf, 2.0**-72 * (np.abs(r.hi) > 0) * np.abs(i) / 64 + r.radius) + _ball(x)
    return _with_radius(s_, slip, np.ones_like(h)), _with_radius(c_, slip, np.ones_like(h))


def sin(x: Pair) -> Pair:
    """The sine."""
    return _sine_and_cosine(x)[0]


def cos(x: Pair) -> Pair:
    """The cosine."""
    return _sine_and_cosine(x)[1]


# --- by Newton's method ---------------------------------------------------------------------------------------------


def log(x: Pair) -> Pair:
    """The natural logarithm: y0 + log(x e^-y0), where the second is tiny."""
    y0 = np.asarray(np.log(x.hi))
    normal = np.isfinite(y0)
    y0 = np.where(normal, y0, 0.0)
    rest = subtract(multiply(Pair(x.hi, x.lo), exp(_exact(-y0))), _exact(np.ones_like(y0)))
    hi, lo = fast_two_sum(y0, rest.hi - rest.hi * rest.hi / 2 + rest.lo)
    slip = 2.0**-69 * np.ones_like(y0)
    y = Pair(np.where(normal, hi, np.log(x.hi)), np.where(normal, lo, 0.0))
    return Pair(y.hi, y.lo, np.where(normal, slip, 0.0) + _relative(x))


def _relative(x: Pair) -> Any:
    """The relative radius of a positive number."""
    if type(x.radius) is float:
        return 0.0
    room = np.abs(x.hi) - x.radius
    return np.where(x.radius == 0, 0.0, np.where(room > 0, x.radius / np.where(room > 0, room, 1.0), np.inf))


def arctan2(y: Pair, x: Pair) -> Pair:
    """The angle of (x, y): a0 + (y cos a0 - x sin a0) / (x cos a0 + y sin a0)."""
    a0 = np.asarray(np.arctan2(y.hi, x.hi))
    s, c = _sine_and_cosine(_exact(a0))
    length = add(multiply(x, c), multiply(y, s))
    step = divide(subtract(multiply(y, c), multiply(x, s)), length)
    usable = np.isfinite(step.hi)
    step = where(usable, step, _exact(np.zeros_like(a0)))
    out = add(_exact(a0), step)
    return Pair(out.hi, out.lo, out.radius + np.abs(a0) * ACCURACY)


def arctan(x: Pair) -> Pair:
    """The inverse tangent."""
    return arctan2(x, _exact(np.ones_like(x.hi)))


def _beside(x: Pair) -> Pair:
    """sqrt((1 - x) (1 + x))."""
    one = _exact(np.ones_like(x.hi))
    return sqrt(multiply(subtract(one, x), add(one, x)))


def arcsin(x: Pair) -> Pair:
    """The inverse sine."""
    return arctan2(x, _beside(x))


def arccos(x: Pair) -> Pair:
    """The inverse cosine."""
    return arctan2(_beside(x), x)


def cbrt(x: Pair) -> Pair:
    """The cube root: y0 + (x - y0^3) / (3 y0^2)."""
    y0 = np.asarray(np.cbrt(x.hi))
    square = multiply(_exact(y0), _exact(y0))
    step = divide(subtract(x, multiply(square, _exact(y0))), multiply(square, _exact(np.full_like(y0, 3.0))))
    return add(_exact(y0), where((y0 != 0) & np.isfinite(y0), step, _exact(np.zeros_like(y0))))


# --- by formulas ----------------------------------------------------------------------------------------------------


def _one(x: Pair) -> Pair:
    return _exact(np.ones_like(x.hi))


def _scaled(x: Pair, factor: float) -> Pair:
    """x times a power of two."""
    return Pair(x.hi * factor, x.lo * factor, x.radius * abs(factor))


SMALL = 2.0**-16


def _near_zero(x: Pair, y: Pair, square: float, cube: float) -> Pair:
    """y, or x + square x^2 + cube x^3 where |x| is so small that the next term is below 2^-48 of x."""
    small = np.abs(x.hi) < SMALL
    if not small.any():
        return y
    t = Pair(np.where(small, x.hi, 0.0), x.lo if type(x.lo) is float else np.where(small, x.lo, 0.0), x.radius)
    series = add(t, multiply(multiply(t, t), add(_exact(np.full_like(t.hi, square)), _scaled_by(t, cube))))
    size = np.abs(t.hi)
    return where(small, Pair(series.hi, series.lo, series.radius + size**4), y)


def _scaled_by(x: Pair, factor: float) -> Pair:
    return multiply(x, _exact(np.full_like(x.hi, factor)))


def expm1(x: Pair) -> Pair:
    """e^x - 1."""
    return _near_zero(x, subtract(exp(x), _one(x)), 0.5, 1 / 6)


def log1p(x: Pair) -> Pair:
    """log(1 + x)."""
    return _near_zero(x, log(add(_one(x), x)), -0.5, 1 / 3)


def tanh(x: Pair) -> Pair:
    """(e^2x - 1) / (e^2x + 1), where |x| is at most 40; beyond that 1 with its sign."""
    limited = where(np.abs(x.hi) < 40, x, _exact(np.clip(x.hi, -40.0, 40.0)))
    e = exp(_scaled(limited, 2.0))
    return _near_zero(x, divide(subtract(e, _one(x)), add(e, _one(x))), 0.0, -1 / 3)


def sinh(x: Pair) -> Pair:
    """(e^x - e^-x) / 2."""
    return _near_zero(x, _scaled(subtract(exp(x), exp(negative(x))), 0.5), 0.0, 1 / 6)


def cosh(x: Pair) -> Pair:
    """(e^x + e^-x) / 2."""
    return _scaled(add(exp(x), exp(negative(x))), 0.5)


def tan(x: Pair) -> Pair:
    """The tangent."""
    s, c = _sine_and_cosine(x)
    return divide(s, c)


def exp2(x: Pair) -> Pair:
    """2^x."""
    return exp(multiply(x, constant(_log2())))


def log2(x: Pair) -> Pair:
    """The binary logarithm."""
    return divide(log(x), constant(_log2()))


def log10(x: Pair) -> Pair:
    """The decimal logarithm."""
    return divide(log(x), log(_exact(np.asarray(10.0))))


def sigmoid(x: Pair) -> Pair:
    """1 / (1 + e^-x)."""
    return divide(_one(x), add(_one(x), exp(negative(x))))


def softplus(x: Pair) -> Pair:
    """max(x, 0) + log(1 + e^-|x|)."""
    return add(pairs.maximum(x, _exact(np.zeros_like(x.hi))), log1p(exp(negative(pairs.absolute(x)))))


def arcsinh(x: Pair) -> Pair:
    """log(|x| + sqrt(x^2 + 1)), with the sign of x."""
    size = pairs.absolute(x)
    y = log(add(size, sqrt(add(multiply(size, size), _one(x)))))
    return _near_zero(x, where(x.hi < 0, negative(y), y), 0.0, -1 / 6)


def arccosh(x: Pair) -> Pair:
    """log(x + sqrt((x - 1) (x + 1)))."""
    return log(add(x, sqrt(multiply(subtract(x, _one(x)), add(x, _one(x))))))


def arctanh(x: Pair) -> Pair:
    """log((1 + x) / (1 - x)) / 2."""
    y = _scaled(log(divide(add(_one(x), x), subtract(_one(x), x))), 0.5)
    return _near_zero(x, y, 0.0, 1 / 3)


def hypot(x: Pair, y: Pair) -> Pair:
    """sqrt(x^2 + y^2)."""
    return sqrt(add(multiply(x, x), multiply(y, y)))


def logaddexp(x: Pair, y: Pair) -> Pair:
    """log(e^x + e^y)."""
    larger, smaller = pairs.maximum(x, y), pairs.minimum(x, y)
    return add(larger, log1p(exp(subtract(smaller, larger))))


def rsqrt(x: Pair) -> Pair:
    """1 / sqrt(x)."""
    return divide(_one(x), sqrt(x))


MOST = 64
"""The largest integer exponent for which a power is a product."""


def power(x: Pair, y: Pair) -> Pair:
    """x^y: a product for one small integer y, else e^(y log x); of negative x, float64's."""
    n = float(y.hi.flat[0]) if y.hi.size == 1 and type(y.lo) is float else 0.5
    if n == int(n) and abs(n) <= MOST:
        return _integer_power(x, int(n), np.broadcast_shapes(x.hi.shape, y.hi.shape))
    if (x.hi > 0).all():
        return exp(multiply(y, log(x)))
    return _of_float64("power", x, y)


def _integer_power(x: Pair, n: int, shape: tuple[int, ...]) -> Pair:
    y = _exact(np.ones(shape))
    factor = x
    for bit in reversed(f"{abs(n):b}"):
        y = multiply(y, factor) if bit == "1" else y
        factor = multiply(factor, factor)
    return divide(_one(y), y) if n < 0 else y


def _of_float64(name: str, *x: Pair) -> Pair:
    """float64's function: right to 2^-41 where the arguments are, and its change over their radii."""
    function = DEFINITIONS[name].approximate
    y = np.asarray(function(*(one.hi for one in x)))
    radius = np.abs(y) * IN_FLOAT64
    for k, one in enumerate(x):
        change = np.abs(np.asarray(one.lo)) + one.radius
        if np.any(change):
            moved = [x[j].hi + (2 * change + np.abs(x[j].hi) * 2.0**-40 if j == k else 0.0) for j in range(len(x))]
            radius = radius + 2 * np.abs(np.asarray(function(*moved)) - y)
    return Pair(y, 0.0, np.where(np.isnan(radius) & ~np.isnan(y), np.inf, radius))


FUNCTIONS: dict[str, Callable[..., Pair]] = {
    function.__name__: function
    for function in (exp, exp2, expm1, log, log2, log10, log1p, sin, cos, tan, arcsin, arccos, arctan, arctan2, sinh)
} | {
    function.__name__: function
    for function in (cosh, tanh, arcsinh, arccosh, arctanh, cbrt, rsqrt, sigmoid, softplus, hypot, logaddexp, power)
}


def evaluate(name: str, *x: Pair) -> Pair:
    """A function by its name. Where the result is an infinity or NaN of float64's own function, it is exact."""
    with np.errstate(all="ignore"):
        y = FUNCTIONS[name](*x) if name in FUNCTIONS else _of_float64(name, *x)
        plain = np.asarray(DEFINITIONS[name].approximate(*(one.hi for one in x)))
        special = ~np.isfinite(plain) | (plain == 0)
        if not special.any():
            return y
        # A shadow is lost at a pole or beyond float64 unless its argument is exact there.
        blurred = sum((np.asarray(one.radius) > 0 for one in x), np.zeros((), bool)) & np.isfinite(plain) & (plain != 0)
        return where(special & ~blurred, Pair(plain, 0.0, 0.0), y)
