"""Functions of each element, and their vjps: powers, sine and cosine, smooth activations, the larger of two numbers."""

from __future__ import annotations

import math

import numpy as np

from ...arithmetic import extremum
from ...arrays import FloatArray
from ...conversion import Array
from .operation import Operation, elementary
from .windows import kept, like


def _power(x: FloatArray, exponent: FloatArray) -> FloatArray:
    return x**exponent


def _power_vjp(g: FloatArray, y: FloatArray, x: FloatArray, exponent: FloatArray) -> FloatArray:
    return g * (exponent * x ** (exponent - 1))


def _exponent_vjp(g: FloatArray, y: FloatArray, x: FloatArray, exponent: FloatArray) -> FloatArray:
    # Of 0^p, which is 0 for all p > 0, the slope is 0; the formula alone would give 0 * -infinity.
    slope = y * x.log()
    flat = (x.values == 0) & (exponent.values > 0)
    return g * like(np.where(flat, slope.values.dtype.type(0), slope.values), slope)


def _rsqrt_vjp(g: FloatArray, y: FloatArray, x: FloatArray) -> FloatArray:
    return -(g * y) / (x + x)


def _erf_vjp(g: FloatArray, y: FloatArray, x: FloatArray) -> FloatArray:
    return g * ((-(x * x)).exp() * (2 / math.sqrt(math.pi)))


def _gelu_vjp(g: FloatArray, y: FloatArray, x: FloatArray) -> FloatArray:
    """Phi(x) + x phi(x), with Phi(x) = (1 + erf(x / sqrt 2)) / 2 and the density phi(x) = e^(-x^2/2) / sqrt(2 pi)."""
    below = (1 + elementary("erf", x * math.sqrt(0.5))) * 0.5
    density = (-(x * x) * 0.5).exp() * (1 / math.sqrt(2 * math.pi))
    return g * (below + x * density)


def _clip(x: FloatArray, low: float | None, high: float | None) -> FloatArray:
    return x.clip(low, high)


def _clip_vjp(g: FloatArray, y: FloatArray, x: FloatArray, low: float | None, high: float | None) -> FloatArray:
    return like(kept(g.values, inside(x.values, low, high)), g)


def inside(x: Array, low: float | None, high: float | None) -> Array:
    """Which elements are neither less than `low` nor more than `high`."""
    chosen = np.ones(x.shape, bool)
    chosen &= True if low is None else x >= low
    chosen &= True if high is None else x <= high
    return chosen


def _extremum(name: str) -> Operation:
    """The larger or the smaller number. The first argument gets the cotangent where both are equal."""

    def forward(a: FloatArray, b: FloatArray) -> FloatArray:
        return like(np.asarray(extremum(name, a.values, b.values)), a)

    def of_first(g: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
        return like(kept(g.values, _is(y, a)), g)

    def of_second(g: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
        return like(kept(g.values, ~_is(y, a)), g)

    return Operation(forward, (of_first, of_second))


def _is(y: FloatArray, x: FloatArray) -> Array:
    return np.asarray((y.values == x.values) | (np.isnan(y.values) & np.isnan(x.values)))


ELEMENTWISE: dict[str, Operation] = {
    "power": Operation(_power, (_power_vjp, _exponent_vjp)),
    "rsqrt": Operation(lambda x: elementary("rsqrt", x), (_rsqrt_vjp,)),
    "sin": Operation(lambda x: elementary("sin", x), (lambda g, y, x: g * elementary("cos", x),)),
    "cos": Operation(lambda x: elementary("cos", x), (lambda g, y, x: -(g * elementary("sin", x)),)),
    "erf": Operation(lambda x: elementary("erf", x), (_erf_vjp,)),
    "gelu": Operation(lambda x: elementary("gelu", x), (_gelu_vjp,)),
    "softplus": Operation(lambda x: elementary("softplus", x), (lambda g, y, x: g * x.sigmoid(),)),
    "clip": Operation(_clip, (_clip_vjp,)),
    "maximum": _extremum("maximum"),
    "minimum": _extremum("minimum"),
}
"""Each is rounded once, and its vjp is written with the operators of FloatArray."""
