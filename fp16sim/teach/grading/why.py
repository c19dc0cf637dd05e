"""Why the right answer is right: an explanation of `fs.explain` where it has the operation, else a few lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ... import cases, exact, explain
from ...codes import decode
from ...faults.roundings import differs, right
from ...formats import Format, Rounding, Specials
from ...text import to_text
from .list_inputs import partial_sums
from .results import show

Arguments: TypeAlias = tuple[Any, ...]
_EXPLAINED = ("add", "subtract", "multiply", "divide", "sqrt", "fma")
_ROUNDED = ("rounding", "encode", "parse")


def why(task: str, arguments: Arguments, fmt: Format, mode: Rounding) -> Any:
    """An explanation of fp16sim.explain, or a text; exact.

    >>> from fp16sim.formats import BINARY16
    >>> print(why("decode", (0x3555,), BINARY16, Rounding.TIES_TO_EVEN))
    code 0x3555 is 0_01101_0101010101 in bits: sign 0, biased exponent 13, trailing significand 341
    normal: +(1 + 341/2^10) * 2^(13 - 15) = 0.333251953125
    """
    if task in _EXPLAINED:
        return getattr(explain, task)(*arguments, fmt, mode)
    if task in _ROUNDED:
        return explain.rounding(arguments[0], fmt, mode)
    return _TEXTS[task](arguments, fmt, mode) if task in _TEXTS else ""


_ONE_NAN = (Specials.ONE_NAN, Specials.ONE_NAN_AND_INFINITIES)
_NAN = {
    (Specials.IEEE, True): "its codes have the topmost biased exponent and a trailing significand other than 0",
    (Specials.NAN, True): "all bits after the sign are 1",
    (Specials.NONE, True): "the format has none of its own, and this code was chosen for it",
    **{(kind, True): "its code is the one that -0 would have" for kind in _ONE_NAN},
    **{(kind, False): "all bits are 1" for kind in _ONE_NAN},
}
"""Which codes are NaN, by the specials of a format, and whether it is signed."""


def decoding(code: int, fmt: Format) -> str:
    """How a code is decoded: its fields, its class, and the formula of that class."""
    bits = fmt.bit_fields(code)
    sign, biased, trailing = (int(field or "0", 2) for field in bits)
    head = (
        f"code {fmt.hex_code(code)} is {fmt.bits_text(code)} in bits: "
        f"{f'sign {sign}, ' if fmt.signed else ''}biased exponent {biased}, trailing significand {trailing}\n"
    )
    value = decode(code, fmt)
    if math.isnan(value):
        return f"{head}NaN: {_NAN[fmt.specials, fmt.signed]}"
    if math.isinf(value):
        where = "the topmost biased exponent with trailing significand 0"
        one_nan = "the largest code of its sign" if fmt.signed else "the code before that of NaN"
        return f"{head}infinity: {where if fmt.has_payloads else one_nan}"
    shown, mark, t = to_text(value, fmt, "exact"), "-" if sign else "+", fmt.trailing_bits
    if biased or not fmt.zero:
        return f"{head}normal: {mark}(1 + {trailing}/2^{t}) * 2^({biased} - {fmt.bias}) = {shown}"
    kind = "subnormal" if trailing else "zero"
    formula = f"{mark}({trailing}/2^{t}) * 2^(1 - {fmt.bias}) = {shown}"
    return f"{head}{kind}: biased exponent 0 means that there is no implicit 1: {formula}"


def _decoding(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    return decoding(int(arguments[0]), fmt)


def _ulp(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    (x,) = arguments
    if not math.isfinite(x):
        return "infinities and NaN have no quantum: the ulp of infinity is infinity, and that of NaN is NaN"
    if x == 0:
        return f"zero has the quantum of the subnormals, min_subnormal = 2^{fmt.quantum_exponent_min}"
    e = exact.exponent_of(abs(Fraction(x)))
    rule = f"max({e}, emin = {fmt.emin}) - {fmt.trailing_bits} = {max(e, fmt.emin) - fmt.trailing_bits}"
    return f"abs(x) lies in [2^{e}, 2^{e + 1}); the ulp is 2 to the power {rule}"


def _neighbour(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    code = fmt.hex_code(exact.encode(arguments[0], fmt))
    return (
        f"the code of x is {code}. Codes grow with the magnitude: the next code is that of the next number up if x is "
        "positive, and down if x is negative. The two zeros count as one number, and infinity follows max_finite."
    )


def _sum(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    steps = [str(float(x)) for x in partial_sums(list(arguments[0]), fmt, mode)]
    if len(steps) > 12:
        steps = [*steps[:8], "...", *steps[-3:]]
    return f"the partial sums: {', '.join(steps)}" if steps else "the sum of an empty list is +0"


def _dot(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    pairs = zip(*arguments, strict=True)
    products = [float(exact.operate("multiply", pair, fmt, mode).value) for pair in pairs]
    if not products:
        return _sum((products,), fmt, mode)
    shown = ", ".join(map(str, products[:12])) + (", ..." if len(products) > 12 else "")
    return f"the products, rounded: {shown}\n{_sum((products,), fmt, mode)}"


def _stochastic(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    x, u = arguments
    if not math.isfinite(x):
        return ""
    magnitude = abs(Fraction(x))
    if magnitude == 0:
        return "a zero is a number of the format: nothing is rounded"
    q = exact.quantum_exponent(magnitude, fmt)
    n = magnitude / Fraction(2) ** q
    fraction = n - int(n)
    compared = "less" if u < fraction else "not less"
    return f"abs(x) is {int(n)} + {float(fraction)} quanta of 2^{q}; u = {u} is {compared} than {float(fraction)}"


def _accepted(arguments: Arguments, fmt: Format, mode: Rounding) -> str:
    """The simplest number that a wrong rounder, which a test accepts, rounds wrongly."""
    (rounder,) = arguments
    x = cases.roundable(fmt)
    found, truth = rounder(x), right(x, fmt, mode)
    wrong = np.flatnonzero(differs(found, truth))
    if not wrong.size:
        return ""
    shown = (show(float(column[wrong[0]])) for column in (x, found, truth))
    return "it rounds {} to {}; {} is right. Try that number, and others like it.".format(*shown)


_TEXTS: dict[str, Callable[[Arguments, Format, Rounding], str]] = {
    "decode": _decoding,
    "fields": _decoding,
    "classify": _decoding,
    "ulp": _ulp,
    "next_up": _neighbour,
    "next_down": _neighbour,
    "sum": _sum,
    "dot": _dot,
    "stochastic": _stochastic,
    "tests": _accepted,
}
