"""Elementary functions: correctly rounded in every mode for formats of up to 11 bits of precision.

These are binary16, bfloat16, TF32 and everything smaller; certified over all inputs of the 16-bit formats. For more
precision (binary32, binary64) the result is float64's, rounded once. `x`, `fmt`, `mode` and `rng`, the type of the
result and the errors are those of `round_to`; operands that are not values of the format are rounded to it first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic.operations import broadcast_shape, divide
from ..conversion import Seed, as_generator, carrier_for, check_hardware, lift, same_format
from ..formats import FormatLike, Rounding, get_format, get_rounding
from ..rounding import round_operand
from .evaluation import evaluate, evaluate_by_table


def _function(name: str, x: Any, fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Any:
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    source = lift(same_format(x, fmt))
    carrier, generator = carrier_for(fmt, source), as_generator(mode, rng)
    y = evaluate_by_table(name, source, fmt, mode, carrier)
    if y is not None:
        return y[()]
    value = round_operand(source, fmt, mode, generator)
    return evaluate(name, [value], fmt, mode, generator, carrier)[()]


def _function_of_two(name: str, x: Any, y: Any, fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Any:
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    sources = [lift(same_format(value, fmt)) for value in (x, y)]
    carrier, generator = carrier_for(fmt, *sources), as_generator(mode, rng)
    operands = [round_operand(source, fmt, mode, generator) for source in sources]
    broadcast_shape(name, operands)
    return evaluate(name, operands, fmt, mode, generator, carrier)[()]


def exp(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """e^x. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.exp([0.0, 1.0, 11.0859375], "binary16")  # for the next larger x it overflows
    array([1.00000e+00, 2.71875e+00, 6.52480e+04])
    """
    return _function("exp", x, fmt, mode, rng)


def exp2(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """2^x; exact for integers within range. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.exp2([-1.0, 0.5, 10.0], "binary16")
    array([5.0000000e-01, 1.4140625e+00, 1.0240000e+03])
    """
    return _function("exp2", x, fmt, mode, rng)


def expm1(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """e^x - 1, without cancellation near 0. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.expm1([1e-3, -9.0], "binary16")
    array([ 0.00100136, -1.        ])
    """
    return _function("expm1", x, fmt, mode, rng)


def log(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The natural logarithm. Correctly rounded if fmt.precision <= 11.

    log(0) is -infinity (divide_by_zero); the logarithm of a negative number is NaN (invalid).

    >>> import fp16sim as fs
    >>> fs.log([1.0, 10.0], "bfloat16")
    array([0.      , 2.296875])
    """
    return _function("log", x, fmt, mode, rng)


def log2(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The logarithm to base 2; exact for powers of two. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.log2([8.0, 10.0], "binary16")
    array([3.        , 3.32226562])
    """
    return _function("log2", x, fmt, mode, rng)


def log10(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The logarithm to base 10; exact for powers of ten. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.log10([1000.0, 2.0], "binary16")
    array([3.        , 0.30102539])
    """
    return _function("log10", x, fmt, mode, rng)


def log1p(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """log(1 + x), without cancellation near 0; log1p(-1) is -infinity. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.log1p([1e-3, 1.0], "binary16")
    array([0.00099945, 0.69335938])
    """
    return _function("log1p", x, fmt, mode, rng)


def sin(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The sine of an angle in radians, however large. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.sin([0.5, 10000.0], "binary16")
    array([ 0.47949219, -0.30566406])
    """
    return _function("sin", x, fmt, mode, rng)


def cos(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The cosine of an angle in radians, however large. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.cos([0.5, 10000.0], "binary16")
    array([ 0.87744141, -0.95214844])
    """
    return _function("cos", x, fmt, mode, rng)


def tan(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The tangent of an angle in radians, however large. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.tan([0.5, 1.5703125], "binary16")
    array([5.46386719e-01, 2.06600000e+03])
    """
    return _function("tan", x, fmt, mode, rng)


def arcsin(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The inverse sine, in radians; NaN (invalid) beyond -1 and 1. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.arcsin([0.5, 1.0], "binary16")
    array([0.5234375, 1.5703125])
    """
    return _function("arcsin", x, fmt, mode, rng)


def arccos(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The inverse cosine, in radians; NaN (invalid) beyond -1 and 1. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.arccos([0.5, 1.0], "binary16")
    array([1.046875, 0.      ])
    """
    return _function("arccos", x, fmt, mode, rng)


def arctan(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The inverse tangent, in radians. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.arctan([1.0, float("inf")], "binary16")
    array([0.78515625, 1.5703125 ])
    """
    return _function("arctan", x, fmt, mode, rng)


def sinh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The hyperbolic sine. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.sinh([0.5, -10.0], "binary16")
    array([ 5.20996094e-01, -1.10160000e+04])
    """
    return _function("sinh", x, fmt, mode, rng)


def cosh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The hyperbolic cosine. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.cosh([0.0, 10.0], "binary16")
    array([1.0000e+00, 1.1016e+04])
    """
    return _function("cosh", x, fmt, mode, rng)


def tanh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The hyperbolic tangent. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.tanh(9.0, "binary16"), fs.tanh(9.0, "binary16", "toward_zero")
    (np.float64(1.0), np.float64(0.99951171875))
    """
    return _function("tanh", x, fmt, mode, rng)


def arcsinh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The number of which `sinh` is x. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.arcsinh([0.5, 10.0], "binary16")
    array([0.48120117, 2.99804688])
    """
    return _function("arcsinh", x, fmt, mode, rng)


def arccosh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The number >= 0 of which `cosh` is x; NaN (invalid) for x < 1. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.arccosh([1.0, 10.0], "binary16")
    array([0.        , 2.99414062])
    """
    return _function("arccosh", x, fmt, mode, rng)


def arctanh(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The number of which `tanh` is x; an infinity (divide_by_zero) for 1 and -1. Correctly rounded up to 11 bits.

    >>> import fp16sim as fs
    >>> fs.arctanh([0.5, -0.875], "binary16")
    array([ 0.54931641, -1.35449219])
    """
    return _function("arctanh", x, fmt, mode, rng)


def arctan2(
    y: Any, x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The angle of the point (x, y), from -pi to pi. For fmt.precision <= 11 it is right to 2^-50 before it is rounded.

    >>> import fp16sim as fs
    >>> fs.arctan2([1.0, 1.0], [1.0, -1.0], "binary16")
    array([0.78515625, 2.35546875])
    """
    return _function_of_two("arctan2", y, x, fmt, mode, rng)


def logaddexp(
    x: Any, y: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """log(e^x + e^y), rounded once, also where e^x overflows. For fmt.precision <= 11 right to 2^-50 before rounding.

    >>> import fp16sim as fs
    >>> fs.logaddexp([0.0, 1000.0], [0.0, 1000.0], "binary16")
    array([6.93359375e-01, 1.00050000e+03])
    """
    return _function_of_two("logaddexp", x, y, fmt, mode, rng)


def cbrt(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The cube root; exact for cubes. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.cbrt([-27.0, 2.0], "binary16")
    array([-3.        ,  1.25976562])
    """
    return _function("cbrt", x, fmt, mode, rng)


def rsqrt(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """1 / sqrt(x). Correctly rounded if fmt.precision <= 11.

    rsqrt of a zero is infinity with the sign of the zero (divide_by_zero), as IEEE 754 recommends.

    >>> import fp16sim as fs
    >>> fs.rsqrt([4.0, 2.0], "binary16")
    array([0.5       , 0.70703125])
    """
    return _function("rsqrt", x, fmt, mode, rng)


def sigmoid(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """1 / (1 + e^-x). Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.sigmoid([0.0, 9.0, -20.0], "binary16")
    array([0.5, 1. , 0. ])
    """
    return _function("sigmoid", x, fmt, mode, rng)


def softplus(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """log(1 + e^x). Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.softplus([0.0, 20.0], "binary16")
    array([ 0.69335938, 20.        ])
    """
    return _function("softplus", x, fmt, mode, rng)


def gelu(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """x Phi(x), with the normal distribution's exact Phi. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.gelu([1.0, -3.0], "bfloat16")
    array([ 0.83984375, -0.00405884])
    """
    return _function("gelu", x, fmt, mode, rng)


def erf(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The error function. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.erf([0.5, 3.0], "binary16")
    array([0.52050781, 1.        ])
    """
    return _function("erf", x, fmt, mode, rng)


def reciprocal(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """1 / x, correctly rounded in every mode and every format: `divide(1, x)`.

    >>> import fp16sim as fs
    >>> fs.reciprocal([3.0, -8.0], "binary16")
    array([ 0.33325195, -0.125     ])
    """
    return divide(np.float32(1), x, fmt, mode, rng=rng)


def power(
    x: Any, y: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """x^y, with the special cases of IEEE 754 (and `numpy.power`). Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.power([2.0, 9.0, 10.0], [0.5, -0.5, 4.0], "binary16")
    array([1.41406250e+00, 3.33251953e-01, 1.00000000e+04])
    """
    return _function_of_two("power", x, y, fmt, mode, rng)


def hypot(
    x: Any, y: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """sqrt(x^2 + y^2), without overflow or underflow on the way. Correctly rounded if fmt.precision <= 11.

    >>> import fp16sim as fs
    >>> fs.hypot([3.0, 40000.0], [4.0, 30000.0], "binary16")
    array([5.0000e+00, 4.9984e+04])
    """
    return _function_of_two("hypot", x, y, fmt, mode, rng)
