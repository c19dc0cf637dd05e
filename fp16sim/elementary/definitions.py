"""The elementary functions: a table of formulas, and of what float64 does not tell about them (sides, poles, zeros)."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np

from ..conversion import Array


def _nowhere(*operands: Array) -> Array:
    return np.zeros(np.broadcast_shapes(*(x.shape for x in operands)), bool)


def _at_zero(x: Array) -> Array:
    return x == 0


class Function(NamedTuple):
    """An elementary function f."""

    approximate: Callable[..., Array]
    """f in float64."""
    side: Callable[..., Array]
    """The sign of f(x) - t, for a t of a few bits that is within 2^-40 of f(x), or equal to it."""
    pole: Callable[..., Array] = _nowhere
    """The finite arguments where f is exactly infinite."""
    zero: Callable[..., Array] = _nowhere
    """The finite arguments where f is exactly zero."""


# --- sides ----------------------------------------------------------------------------------------------------------
# Each takes t and the arguments. "Inward" is toward zero, "outward" away from it, also for negative t. 0 means that
# f(x) is t.


def _inward(t: Array, x: Array) -> Array:
    return np.where(x == 0, 0.0, -np.sign(t))


def _outward(t: Array, x: Array) -> Array:
    return np.where(x == 0, 0.0, np.sign(t))


def _equal(t: Array, *operands: Array) -> Array:
    return np.zeros_like(t)


def _sign_of_x(t: Array, x: Array) -> Array:
    return np.sign(x)


def _exp2_side(t: Array, x: Array) -> Array:
    # 2^x is rational only for integers. For other x it is near no t but 1, on the side of x's sign.
    return np.where(x == np.rint(x), 0.0, np.sign(x))


def _rsqrt_side(t: Array, x: Array) -> Array:
    return np.sign(1 - t * t * x)  # exact: 24 bits times 11


def _cbrt_side(t: Array, x: Array) -> Array:
    return np.sign(x - t * t * t)  # exact: 36 bits


def _sigmoid_side(t: Array, x: Array) -> Array:
    # Near 1/2 it is above for x > 0; near 1 it is below.
    return np.where(t == 0.5, np.sign(x), -1.0)


def _gelu_side(t: Array, x: Array) -> Array:
    # gelu(x) - x/2 = x (Phi(x) - 1/2) > 0, which decides near t = x/2; and x - gelu(x) = x Phi(-x) > 0 near t = x.
    return np.where(x == 0, 0.0, np.where(t == x, -1.0, 1.0))


def _hypot_side(t: Array, x: Array, y: Array) -> Array:
    # x^2 + y^2 - t^2 exactly: TwoSum of the squares, of 22 bits each; s - t^2 is exact because they are close.
    a, b = x * x, y * y
    s = a + b
    part = s - a
    error = (a - (s - part)) + (b - part)
    return np.sign((s - t * t) + error)


_DIGITS = Context(prec=120, Emin=-(10**9), Emax=10**9)


def _power_side(t: Array, x: Array, y: Array) -> Array:
    """The sign of x^y - t by 120 decimal digits, except where float64's power is exact."""
    small = (y == np.rint(y)) & (y >= 0) & (y <= 4)  # x^4 has 44 bits: exact in float64, and near t means equal to t
    side = np.zeros_like(t)
    for i in np.flatnonzero(~small):
        base, goal = (Decimal(float(value[i])).copy_abs() for value in (x, t))  # abs() would round to 28 digits
        difference = _DIGITS.subtract(_DIGITS.power(base, Decimal(float(y[i]))), goal)
        if abs(difference) > goal * Decimal(10) ** -100:
            side[i] = math.copysign(1.0, difference) * np.sign(t[i])
    return side


def _arctan2_side(t: Array, y: Array, x: Array) -> Array:
    # |atan q| < |q|, which decides where y / x is t: t * x is exact. Elsewhere float64, right to 2^-50, decides.
    return np.where(t * x == y, np.where(y == 0, 0.0, -np.sign(t)), np.sign(np.arctan2(y, x) - t))


def _logaddexp_side(t: Array, x: Array, y: Array) -> Array:
    # The sum of two exponentials is more than the larger one, which decides where t is the larger argument.
    return np.where(t == np.maximum(x, y), 1.0, np.sign(_logaddexp(x, y) - t))


# --- formulas that NumPy lacks --------------------------------------------------------------------------------------


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1 + e)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


_erf: Callable[[Array], Any] = np.frompyfunc(math.erf, 1, 1)
_erfc: Callable[[Array], Any] = np.frompyfunc(math.erfc, 1, 1)


def _gelu(x: Array) -> Array:
    # x Phi(x) with Phi(x) = erfc(-x / sqrt 2) / 2, accurate in the lower tail; the limit at -infinity is -0.
    y = x * (0.5 * np.asarray(_erfc(-x / math.sqrt(2)), np.float64))
    return np.where(x == -np.inf, -0.0, y)


def _logaddexp(x: Array, y: Array) -> Array:
    """log(e^x + e^y); by decimal digits where the larger argument and the logarithm beside it nearly cancel."""
    total = np.asarray(np.logaddexp(x, y))
    for k in np.flatnonzero((np.abs(total) < 0.125 * np.abs(np.maximum(x, y))) & np.isfinite(np.minimum(x, y))):
        a, b = (_DIGITS.exp(Decimal(float(value.flat[k]))) for value in (x, y))
        total.flat[k] = float(_DIGITS.ln(_DIGITS.add(a, b)))
    return total


def _pole_of_power(x: Array, y: Array) -> Array:
    return (x == 0) & (y < 0)


def _zero_of_power(x: Array, y: Array) -> Array:
    return (x == 0) & (y > 0)


FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, _sign_of_x),
    "exp2": Function(np.exp2, _exp2_side),
    "expm1": Function(np.expm1, lambda t, x: np.where(x == 0, 0.0, 1.0), zero=_at_zero),  # e^x - 1 > x, and > -1
    "log": Function(np.log, _equal, pole=_at_zero, zero=lambda x: x == 1),
    "log2": Function(np.log2, _equal, pole=_at_zero, zero=lambda x: x == 1),
    "log10": Function(np.log10, _equal, pole=_at_zero, zero=lambda x: x == 1),
    "log1p": Function(np.log1p, lambda t, x: np.where(x == 0, 0.0, -1.0), pole=lambda x: x == -1, zero=_at_zero),
    "sin": Function(np.sin, _inward, zero=_at_zero),
    "cos": Function(np.cos, _inward),
    "tan": Function(np.tan, _outward, zero=_at_zero),
    "arcsin": Function(np.arcsin, _outward, zero=_at_zero),
    "arccos": Function(np.arccos, _equal, zero=lambda x: x == 1),
    "arctan": Function(np.arctan, _inward, zero=_at_zero),
    "sinh": Function(np.sinh, _outward, zero=_at_zero),
    "cosh": Function(np.cosh, _outward),
    "tanh": Function(np.tanh, _inward, zero=_at_zero),
    "arcsinh": Function(np.arcsinh, _inward, zero=_at_zero),
    "arccosh": Function(np.arccosh, _equal, zero=lambda x: x == 1),
    "arctanh": Function(np.arctanh, _outward, pole=lambda x: np.abs(x) == 1, zero=_at_zero),
    "cbrt": Function(np.cbrt, _cbrt_side, zero=_at_zero),
    "rsqrt": Function(lambda x: 1 / np.sqrt(x), _rsqrt_side, pole=_at_zero),
    "sigmoid": Function(_sigmoid, _sigmoid_side),
    "softplus": Function(_softplus, lambda t, x: np.ones_like(t)),  # log(1 + e^x) > x
    "gelu": Function(_gelu, _gelu_side, zero=_at_zero),
    "erf": Function(lambda x: np.asarray(_erf(x), np.float64), _inward, zero=_at_zero),
}

FUNCTIONS_OF_TWO: dict[str, Function] = {
    "power": Function(np.power, _power_side, pole=_pole_of_power, zero=_zero_of_power),
    "hypot": Function(np.hypot, _hypot_side, zero=lambda x, y: (x == 0) & (y == 0)),
    "arctan2": Function(np.arctan2, _arctan2_side, zero=lambda y, x: (y == 0) & ~np.signbit(x)),
    "logaddexp": Function(_logaddexp, _logaddexp_side),
}

DEFINITIONS = FUNCTIONS | FUNCTIONS_OF_TWO
