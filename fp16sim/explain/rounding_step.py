"""One rounding, step by step: lift to an integer, round it, put it back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from .. import exact
from ..conversion import Generator
from ..exact import Value, exponent_of, is_finite, is_nan, is_negative, quantum_exponent, signed
from ..exact.codes import encode_held
from ..formats import Format, Rounding, Subnormals, quoted
from .decoding import number_of
from .records import Neighbour, OverflowRule, RoundingCase, RoundingRule, RoundingStep, ordered_flags

HALF = Fraction(1, 2)


def next_draw(rng: Generator) -> int:
    """The 32 random bits that an array of one element would take; 0 if the mode needs none."""
    return 0 if rng is None else int(rng.integers(0, 2**32, 1, dtype=np.uint32)[0])


def round_step(
    x: Value, fmt: Format, mode: Rounding, draw: int = 0, *, operand: bool = False, tininess: str = "after"
) -> RoundingStep:
    """The rounding of an operand, which the format may flush, or of the exact result of an operation."""
    if tininess not in ("after", "before"):
        raise ValueError(f"tininess={quoted(tininess)} is unknown; use 'after' or 'before' (rounding)")
    judge = exact.round_operand if operand else exact.round_result
    result = judge(x, fmt, mode, draw, tininess)
    common: dict[str, Any] = {
        "fmt": fmt,
        "mode": mode,
        "exact": x,
        "result": number_of(result.value, fmt),
        "flags": ordered_flags(result.flags),
    }
    if (not fmt.zero and x == 0) or (not fmt.signed and x == -exact.INF):
        return RoundingStep(case="no_number", rule="special", **common)
    if not is_finite(x) or x == 0:
        case: RoundingCase = "nan" if is_nan(x) else "zero" if x == 0 else "infinity"
        return RoundingStep(case=case, rule="special", overflow_rule=_special_overflow(result, fmt), **common)
    assert isinstance(x, Fraction)
    if not fmt.signed and (x < 0 or (abs(x) < fmt.min_normal and not fmt.zero)):
        return RoundingStep(case="no_number", rule="special", exponent=exponent_of(abs(x)), **common)
    if operand and fmt.subnormals is Subnormals.FLUSH_INPUTS and abs(x) < fmt.min_normal:
        return RoundingStep(case="flushed_input", rule="flushed_input", exponent=exponent_of(abs(x)), **common)
    return _digits(x, fmt, mode, draw, common)


def _special_overflow(result: exact.Result, fmt: Format) -> OverflowRule | None:
    """Why an infinity became something else: the format saturates, or has no infinity."""
    return None if "overflow" not in result.flags else "saturate" if fmt.saturate else "nan"


def _digits(x: Fraction, fmt: Format, mode: Rounding, draw: int, common: dict[str, Any]) -> RoundingStep:
    magnitude, negative = abs(x), x < 0
    e, q = exponent_of(magnitude), quantum_exponent(magnitude, fmt)
    scaled = magnitude / Fraction(2) ** q
    kept = scaled.numerator // scaled.denominator
    rest = scaled - kept
    rounded = exact.round_integer(scaled, mode, negative, draw, exact.is_odd(kept, q, fmt))
    overflow = rounded * Fraction(2) ** q > fmt.max_finite
    below, above = _neighbours(x, q, kept, rest, rounded, fmt, mode)
    return RoundingStep(
        case="overflow" if overflow else "subnormal" if e < fmt.emin else "normal",
        rule=_rule(rest, mode),
        exponent=e,
        quantum_exponent=q,
        scaled=scaled,
        kept=kept,
        guard=int(rest >= HALF),
        round=int(rest * 4) % 2,
        sticky=int((rest * 4).denominator != 1),
        rest=rest,
        rounded=rounded,
        carry=rounded == 1 << fmt.precision,
        flushed=fmt.subnormals is not Subnormals.GRADUAL and 0 < rounded * Fraction(2) ** q < fmt.min_normal,
        overflow_rule=_overflow_rule(negative, fmt, mode) if overflow else None,
        draw=draw if mode.random and rest else None,
        below=below,
        above=above,
        **common,
    )


_RULES: dict[Rounding, RoundingRule] = {
    Rounding.TOWARD_ZERO: "toward_zero",
    Rounding.TOWARD_POSITIVE: "toward_positive",
    Rounding.TOWARD_NEGATIVE: "toward_negative",
    Rounding.TO_ODD: "to_odd",
}


def _rule(rest: Fraction, mode: Rounding) -> RoundingRule:
    """What decides between kept and kept + 1."""
    if not rest:
        return "exact"
    if mode.random:
        return "stochastic"
    if mode in _RULES:
        return _RULES[mode]
    if rest != HALF:
        return "nearer"
    return "tie_to_even" if mode is Rounding.TIES_TO_EVEN else "tie_to_away"


def _overflow_rule(negative: bool, fmt: Format, mode: Rounding) -> OverflowRule:
    if fmt.saturate:
        return "saturate"
    away = Rounding.TOWARD_NEGATIVE if negative else Rounding.TOWARD_POSITIVE
    if not mode.nearest and mode is not away and not mode.random:
        return "max_finite"
    return "infinity" if fmt.has_infinity else "nan"


# --- neighbours -----------------------------------------------------------------------------------------------------


def _neighbours(
    x: Fraction, q: int, kept: int, rest: Fraction, rounded: int, fmt: Format, mode: Rounding
) -> tuple[Neighbour, Neighbour]:
    """The numbers next to x: the one below, the one above."""
    ulp, negative, up = Fraction(2) ** q, x < 0, exact.chance_of_up(rest, mode)
    if kept * ulp > fmt.max_finite:
        inner, outer = _around_overflow(x, ulp, fmt, mode)
    else:
        inner = _neighbour(negative, kept, rest, rounded == kept, ulp, fmt, _chance(1 - up, mode))
        if not rest:
            return inner, inner
        outer = _neighbour(negative, kept + 1, 1 - rest, rounded > kept, ulp, fmt, _chance(up, mode))
    return (outer, inner) if negative else (inner, outer)


def _chance(probability: Fraction, mode: Rounding) -> Fraction | None:
    return probability if mode.random else None


def _neighbour(
    negative: bool, n: int, distance: Fraction, chosen: bool, ulp: Fraction, fmt: Format, chance: Fraction | None
) -> Neighbour:
    value = signed(negative and (n > 0 or fmt.has_negative_zero), n * ulp)
    code = encode_held(value, fmt) if n * ulp <= fmt.max_finite else None
    return Neighbour(value, code, distance, chosen, chance)


def _around_overflow(x: Fraction, ulp: Fraction, fmt: Format, mode: Rounding) -> tuple[Neighbour, Neighbour]:
    """The neighbours of a number beyond the one after max_finite: max_finite and infinity."""
    negative = is_negative(x)
    largest, infinity = signed(negative, Fraction(fmt.max_finite)), signed(negative, exact.INF)
    inward = _overflow_rule(negative, fmt, mode) in ("max_finite", "saturate")
    distance = (abs(x) - Fraction(fmt.max_finite)) / Fraction(2) ** (fmt.emax - fmt.trailing_bits)
    code = encode_held(infinity, fmt) if fmt.has_infinity else None
    return (
        Neighbour(largest, encode_held(largest, fmt), distance, inward, _chance(Fraction(inward), mode)),
        Neighbour(infinity, code, None, not inward, _chance(Fraction(not inward), mode)),
    )
