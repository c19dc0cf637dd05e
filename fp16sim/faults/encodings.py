"""Wrong decode, encode, ulp, next_up and next_down: each is wrong in one fact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..codes import decode, encode_held
from ..formats import BFLOAT16, BINARY16, Format, Rounding
from ..neighbours import next_down, next_up, ulp
from .roundings import Answer, Array, right


def _fields(codes: Array, fmt: Format) -> tuple[Array, Array, Array]:
    c = codes.astype(np.int64)
    t = fmt.trailing_bits
    return c >> (fmt.width - 1), (c >> t) & (2**fmt.exponent_bits - 1), c & (2**t - 1)


def _decoded(bias: int = 0, implicit: bool = True, subnormal: int = 1, specials: bool = True) -> Answer:
    """decode with one fact changed: the bias, the implicit bit of subnormals, their exponent, the topmost field."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
        codes = np.asarray(operands[0])
        sign, e, t = _fields(codes, fmt)
        significand = t + np.where(implicit & (e == 0), 0, 2**fmt.trailing_bits)
        exponent = np.where(e == 0, subnormal, e) - fmt.bias - bias - fmt.trailing_bits
        y = np.copysign(np.ldexp(significand.astype(np.float64), exponent), np.where(sign == 1, -1.0, 1.0))
        truth = np.asarray(decode(codes, fmt))
        return np.where(np.isfinite(truth), y, truth) if specials else y

    return answer


def _decoded_zero_kept(answer: Answer) -> Answer:
    def kept(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
        truth = np.asarray(decode(operands[0], fmt))
        return np.where(truth == 0, truth, answer(operands, fmt, mode))

    return kept


def _truth(operands: tuple[Any, ...], fmt: Format) -> Array:
    return np.asarray(decode(operands[0], fmt))


def _misread(find: Callable[[Array, Format], Any], by: Callable[[Array], Any]) -> Answer:
    """decode, except for the values that `find` finds."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
        truth = _truth(operands, fmt)
        return np.where(find(truth, fmt), by(truth), truth)

    return answer


def _zero(y: Array) -> Array:
    return np.copysign(0.0, y)


def _other_layout(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
    """binary16 read as bfloat16, or bfloat16 as binary16."""
    other = BINARY16 if fmt == BFLOAT16 else BFLOAT16
    return np.asarray(decode(operands[0], other)) if fmt.width == 16 else _truth(operands, fmt)


def _twos_complement(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
    c = np.asarray(operands[0]).astype(np.int64)
    negative = c >= 2 ** (fmt.width - 1)
    mirrored = np.where(negative, (2**fmt.width - c) & (2 ** (fmt.width - 1) - 1), c)
    magnitude = np.asarray(decode(mirrored, fmt))
    return np.where(negative, -magnitude, magnitude)


_FULL = _decoded(implicit=False, subnormal=0)

DECODINGS: tuple[tuple[str, str, Answer], ...] = (
    ("bias_low", "uses a bias that is one too small", _decoded(bias=-1)),
    ("bias_high", "uses a bias that is one too large: 2^(w - 1)", _decoded(bias=1)),
    ("implicit_one_always", "gives subnormals an implicit 1", _FULL),
    ("implicit_one_but_zero", "gives subnormals an implicit 1, but not zero", _decoded_zero_kept(_FULL)),
    ("subnormal_exponent", "uses 0 - bias as the exponent of subnormals; it is 1 - bias", _decoded(subnormal=0)),
    ("no_specials", "reads infinities and NaN as ordinary numbers", _decoded(specials=False)),
    ("drops_sign", "drops the sign", _misread(lambda y, fmt: True, np.abs)),
    ("drops_sign_of_zero", "drops the sign of zero", _misread(lambda y, fmt: y == 0, np.abs)),
    ("flushes", "reads subnormals as zero", _misread(lambda y, fmt: np.abs(y) < fmt.min_normal, _zero)),
    ("nan_to_inf", "reads NaN as infinity", _misread(lambda y, fmt: np.isnan(y), lambda y: np.copysign(np.inf, y))),
    ("inf_to_nan", "reads infinity as NaN", _misread(lambda y, fmt: np.isinf(y), lambda y: np.nan)),
    ("other_layout", "reads the other 16-bit layout (1-8-7 is bfloat16, 1-5-10 binary16)", _other_layout),
    ("twos_complement", "reads negative codes as two's complement", _twos_complement),
)


def _encoded(change: Callable[[Array, Array, Format], Array]) -> Answer:
    """encode, and then a change of the code."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
        y = right(operands[0], fmt, mode)
        codes = np.asarray(encode_held(y, fmt)).astype(np.int64)
        return np.asarray(change(codes, y, fmt)).astype(np.int64) & (2**fmt.width - 1)

    return answer


def _encode_other(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Array:
    other = BINARY16 if fmt == BFLOAT16 else BFLOAT16
    return np.asarray(encode_held(right(operands[0], other, mode), other)).astype(np.int64)


def _rebiased(by: int) -> Answer:
    def change(codes: Array, y: Array, fmt: Format) -> Array:
        normal = np.isfinite(y) & (np.abs(y) >= fmt.min_normal)
        return np.where(normal, codes + by * 2**fmt.trailing_bits, codes)

    return _encoded(change)


def _without_sign(codes: Array, y: Array, fmt: Format) -> Array:
    return codes & (2 ** (fmt.width - 1) - 1)


def _complemented(codes: Array, y: Array, fmt: Format) -> Array:
    return np.where(np.signbit(y), -_without_sign(codes, y, fmt), codes)


ENCODINGS: tuple[tuple[str, str, Answer], ...] = (
    ("bias_low", "uses a bias that is one too small", _rebiased(-1)),
    ("bias_high", "uses a bias that is one too large: 2^(w - 1)", _rebiased(1)),
    ("no_sign", "drops the sign bit", _encoded(_without_sign)),
    ("twos_complement", "writes negative numbers in two's complement", _encoded(_complemented)),
    ("other_layout", "writes the other 16-bit layout (1-8-7 is bfloat16, 1-5-10 binary16)", _encode_other),
)

# --- neighbours -----------------------------------------------------------------------------------------------------


def _relative_ulp(x: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    return np.abs(x[0]) * float(fmt.machine_epsilon)


def _free_ulp(x: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    e = np.frexp(np.where(np.isfinite(x[0]) & (x[0] != 0), np.abs(x[0]), 1.0))[1] - 1
    y = np.ldexp(1.0, np.minimum(e, fmt.emax) - fmt.trailing_bits)
    return np.where(np.isfinite(x[0]) & (x[0] != 0), y, ulp(x[0], fmt))


def _code_plus_one(x: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    away = np.where(np.signbit(x[0]), next_down(x[0], fmt), next_up(x[0], fmt))
    return np.where((x[0] == 0) & np.signbit(x[0]), -float(fmt.min_subnormal), away)


def _code_minus_one(x: tuple[Array, ...], fmt: Format, mode: Rounding) -> Array:
    return np.where(np.signbit(x[0]), next_up(x[0], fmt), next_down(x[0], fmt))


def _at(find: Callable[[Array, Format], Any], by: Callable[[Array, Format], Any], truth: Callable[..., Any]) -> Answer:
    """Right, except where `find` finds."""
    return lambda x, fmt, mode: np.where(find(x[0], fmt), by(x[0], fmt), truth(x[0], fmt))


def _minus_zero(x: Array, fmt: Format) -> Array:
    return (x == 0) & np.signbit(x)


def _epsilon(x: Array, fmt: Format) -> float:
    return float(fmt.machine_epsilon)


def _same(x: Array, fmt: Format) -> Array:
    return x


NEIGHBOURS: tuple[tuple[str, str, str, Answer], ...] = (
    ("relative", "ulp", "computes machine_epsilon * abs(x): right at powers of two only", _relative_ulp),
    ("no_emin", "ulp", "forgets that subnormals have one quantum, min_subnormal", _free_ulp),
    ("zero_at_zero", "ulp", "gives 0 at 0", _at(lambda x, f: x == 0, lambda x, f: 0.0, ulp)),
    ("signed", "ulp", "gives a negative ulp for negative numbers", lambda x, f, m: np.copysign(ulp(x[0], f), x[0])),
    ("machine_epsilon", "ulp", "gives the ulp of 1 everywhere", _at(lambda x, f: np.isfinite(x), _epsilon, ulp)),
    ("away", "next_up", "adds 1 to the code: goes away from zero for negative numbers", _code_plus_one),
    ("minus_zero_first", "next_up", "counts -0 and +0 as two steps", _at(_minus_zero, lambda x, f: 0.0, next_up)),
    ("stops_at_max", "next_up", "stops at max_finite", _at(lambda x, f: x == f.max_finite, _same, next_up)),
    ("adds_epsilon", "next_up", "adds the ulp of 1", lambda x, f, m: right(x[0] + float(f.machine_epsilon), f, m)),
    ("toward_zero", "next_down", "subtracts 1 from the code: goes toward zero for negative numbers", _code_minus_one),
    ("stops_at_max", "next_down", "stops at -max_finite", _at(lambda x, f: x == -f.max_finite, _same, next_down)),
)
