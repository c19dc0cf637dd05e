"""Why the right answer of a task is what it is: `fs.explain` where it has the operation, else a few lines."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ... import exact, explain
from ...codes import decode
from ...formats import Format, Rounding
from ...text import to_text
from .list_inputs import partial_sums

EXPLAINED = ("add", "subtract", "multiply", "divide", "sqrt", "fma")
_AS_ROUNDING = ("rounding", "encode", "parse")


def why(task: str, arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> Any:
    """An explanation of fp16sim.explain, or a text; what it says is exact.

    >>> from fp16sim.formats import BINARY16
    >>> print(why("decode", (0x3555,), BINARY16, Rounding.TIES_TO_EVEN))
    code 0x3555 is 0_01101_0101010101 in bits: sign 0, biased exponent 13, trailing significand 341
    normal: +(1 + 341/2^10) * 2^(13 - 15) = 0.333251953125
    """
    if task in EXPLAINED:
        return getattr(explain, task)(*arguments, fmt, mode)
    if task in _AS_ROUNDING:
        return explain.rounding(arguments[0], fmt, mode)
    told = _TOLD.get(task)
    return told(arguments, fmt, mode) if told else ""


def decoding(code: int, fmt: Format) -> str:
    """How a code is read: its fields, its case, and the formula of that case."""
    value = decode(code, fmt)
    sign, biased, trailing = _split(code, fmt)
    digits = f"{code:0{fmt.width}b}"
    cut = 1 + fmt.exponent_bits
    head = (
        f"code 0x{code:0{-(-fmt.width // 4)}x} is {digits[0]}_{digits[1:cut]}_{digits[cut:]} in bits: "
        f"sign {sign}, biased exponent {biased}, trailing significand {trailing}\n"
    )
    mark, t = "-" if sign else "+", fmt.trailing_bits
    if value != value:
        return f"{head}the codes of NaN have the topmost biased exponent and a trailing significand that is not 0"
    if value in (float("inf"), float("-inf")):
        return f"{head}the topmost biased exponent with trailing significand 0 is infinity"
    shown = to_text(value, fmt, "exact")
    if biased:
        return f"{head}normal: {mark}(1 + {trailing}/2^{t}) * 2^({biased} - {fmt.bias}) = {shown}"
    kind = "subnormal" if trailing else "zero"
    formula = f"{mark}({trailing}/2^{t}) * 2^(1 - {fmt.bias}) = {shown}"
    return f"{head}{kind}: biased exponent 0 means no implicit 1: {formula}"


def _split(code: int, fmt: Format) -> tuple[int, int, int]:
    t = fmt.trailing_bits
    return code >> (fmt.width - 1), (code >> t) & (2**fmt.exponent_bits - 1), code & (2**t - 1)


def _ulp(arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> str:
    x = arguments[0]
    if x != x or abs(x) == float("inf"):
        return "there is no quantum at infinities and NaN: the answer is inf or NaN itself"
    magnitude = abs(exact.as_exact(x))
    e = exact.exponent_of(magnitude) if magnitude else fmt.emin  # type: ignore[arg-type]
    q = max(e, fmt.emin) - fmt.trailing_bits
    rule = f"max({e}, emin = {fmt.emin}) - {fmt.trailing_bits} = {q}"
    return f"abs(x) lies in [2^{e}, 2^{e + 1}); the exponent of the quantum is {rule}: 2^{q}"


def _neighbour(arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> str:
    x = arguments[0]
    code = exact.encode(x, fmt)
    return (
        f"the code of x is 0x{code:0{-(-fmt.width // 4)}x}. Codes grow with the magnitude: one up is a code more for a "
        "positive number and one less for a negative one; both zeros are one number, and infinity follows max_finite"
    )


def _sum(arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> str:
    terms = list(arguments[0])
    steps = [str(float(x)) for x in partial_sums(terms, fmt, mode)]
    if len(steps) > 12:
        steps = [*steps[:8], "...", *steps[-3:]]
    return f"the sums on the way: {', '.join(steps)}" if steps else "a sum of nothing is +0"


def _dot(arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> str:
    pairs = zip(*arguments, strict=True)
    products = [float(exact.operate("multiply", pair, fmt, mode).value) for pair in pairs]
    shown = ", ".join(map(str, products[:12])) + (", ..." if len(products) > 12 else "")
    return f"the products, rounded: {shown}\n{_sum((products,), fmt, mode)}" if products else "a sum of nothing is +0"


def _coded(arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> str:
    return decoding(int(arguments[0]), fmt)


def _drawn(arguments: tuple[Any, ...], fmt: Format, mode: Rounding) -> str:
    x, u = arguments
    if x != x or abs(x) == float("inf"):
        return ""
    magnitude = abs(Fraction(x))
    if magnitude == 0:
        return "a zero is a number of the format: nothing is rounded"
    q = exact.quantum_exponent(magnitude, fmt)
    n = magnitude / Fraction(2) ** q
    rest = n - int(n)
    compared = "less" if u < rest else "not less"
    return f"abs(x) is {int(n)} + {float(rest)} quanta of 2^{q}; u = {u} is {compared} than {float(rest)}"


_TOLD: dict[str, Callable[[tuple[Any, ...], Format, Rounding], str]] = {
    "decode": _coded,
    "fields": _coded,
    "classify": _coded,
    "ulp": _ulp,
    "next_up": _neighbour,
    "next_down": _neighbour,
    "sum": _sum,
    "dot": _dot,
    "stochastic": _drawn,
}
