"""The explanation of an operation with one rounding, and the remarks about it: absorption, double rounding, ..."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from .. import exact
from ..exact import OPERATIONS, is_finite, is_negative
from ..formats import Format, Rounding, Subnormals
from ..overflow import get_overflow
from ..wording import count, joined
from .alternatives import Detour, ModeResult, detours, mode_results
from .records import ExactStep, Number, Operand, Record, RoundingStep, Term, json_data
from .rendering import Shown
from .value_text import short_text, two_to_the, ulps_text

SUMS = ("add", "subtract", "fma")


@dataclass(frozen=True, repr=False)
class Explanation(Shown, Record):
    """Why an operation gives what it gives: every step, from exact integers.

    `str` gives text of at most 80 columns, a notebook shows HTML, `to_dict` gives data for JSON.

    Attributes
    ----------
    operation : str
        "add", "subtract", "multiply", "divide", "sqrt" or "fma"; or "round", "convert" or "parse", which only round.
    fmt : Format
    mode : Rounding
    operands : tuple of Operand
    exact : ExactStep
    rounding : RoundingStep
        The rounding of the exact result.
    result : Number
    flags : tuple of str
        Raised by any step, the rounding of operands included, as `record_flags` reports them.
    tininess : str
        The definition of underflow, "after" or "before" rounding.
    """

    operation: str
    fmt: Format
    mode: Rounding
    operands: tuple[Operand, ...]
    exact: ExactStep
    rounding: RoundingStep
    result: Number
    flags: tuple[str, ...]
    tininess: str = "after"

    @cached_property
    def modes(self) -> tuple[ModeResult, ...]:
        """What each mode gives for the same input, this mode included; computed when first asked for."""
        given = [self.rounding.exact] if self._only_rounds else [x.exact for x in self.operands]
        return mode_results(self._computed, given, self.fmt, self.tininess, self.mode)

    @cached_property
    def detours(self) -> tuple[Detour, ...]:
        """What wider intermediates would give, and an fma with two roundings; computed when first asked for."""
        values = [self.rounding.exact] if self._only_rounds else [x.number.value for x in self.operands]
        return detours(self._computed, values, self.fmt, self.mode, self.result.value, self.operands)

    @property
    def absorbed(self) -> Term | None:
        """The term that does not change a sum though it is not 0, as `record_flags` counts it; None if none does."""
        step, result = self.rounding, self.result.value
        if self.operation not in SUMS or self.exact.rule != "digits" or not step.rest or step.overflow_rule:
            return None
        lost, kept = sorted(self.exact.terms, key=lambda term: abs(term.value))
        return lost if is_finite(result) and abs(result) == abs(kept.value) else None

    @property
    def _only_rounds(self) -> bool:
        return self.operation not in OPERATIONS

    @property
    def _computed(self) -> str:
        return "round" if self._only_rounds else self.operation

    @property
    def remarks(self) -> tuple[str, ...]:
        """What this is an example of, in sentences: absorption, cancellation, double rounding, ..."""
        return tuple(sentence for remark in _REMARKS if (sentence := remark(self)))

    def to_dict(self) -> dict[str, Any]:
        """The fields, modes, detours and remarks, ready for JSON."""
        more = {"modes": json_data(self.modes), "detours": json_data(self.detours), "remarks": list(self.remarks)}
        return super().to_dict() | more


# --- remarks: each function gives a sentence, or "" if it does not apply --------------------------------------------


def _root_of_minus_zero(why: Explanation) -> str:
    if why.operation == "sqrt" and why.exact.rule == "zero" and why.operands[0].number.sign:
        return "The square root of -0 is -0, by definition."
    return ""


def _absorption(why: Explanation) -> str:
    lost = why.absorbed
    if lost is None:
        return ""
    kept = next(term for term in why.exact.terms if term is not lost)
    ulp = Fraction(2) ** (why.rounding.quantum_exponent or 0)
    value = -lost.value if why.operation == "subtract" and lost.name == "b" else lost.value  # b is subtracted
    return (
        f"Absorption: {lost.name} = {short_text(value)} is too small to change {kept.name}; "
        f"one ulp of the exact result is {short_text(ulp)}."
    )


def _cancellation(why: Explanation) -> str:
    shift = why.exact.normalisation
    if why.operation not in ("add", "subtract", "fma") or shift is None or shift > -2:
        return ""
    exact_here = " No digit is lost here, but any error that the operands already had is now relatively larger."
    return f"Cancellation: the {-shift} leading bits cancel." + ("" if why.rounding.flags else exact_here)


def _exact_small_sum(why: Explanation) -> str:
    step, fmt = why.rounding, why.fmt
    if why.operation not in ("add", "subtract") or step.case != "subnormal" or step.rest or step.flushed:
        return ""
    return (
        "A sum below min_normal is always exact: both terms are multiples of min_subnormal = "
        f"2^{fmt.quantum_exponent_min}."
    )


def _half_of_the_smallest(why: Explanation) -> str:
    step = why.rounding
    if step.kept != 0 or not step.scaled or why.fmt.subnormals is not Subnormals.GRADUAL:
        return ""
    smallest = f"min_subnormal = {two_to_the(why.fmt.quantum_exponent_min)}"
    if step.rule == "tie_to_even":
        return f"The number is half of {smallest}: a tie between 0 and 1 ulp, and 0 is even."
    return f"The number lies between 0 and {smallest}."


def _minus_zero(why: Explanation) -> str:
    if why.rounding.case in ("normal", "subnormal") and why.result.value == 0 and is_negative(why.rounding.exact):
        return "A negative number that is rounded to zero becomes -0: it keeps its sign."
    return ""


def _limit_of_overflow(why: Explanation) -> str:
    step, fmt = why.rounding, why.fmt
    top = Fraction(2) ** (fmt.emax + 1)
    if not why.mode.nearest or fmt.saturate or step.exponent is None:
        return ""
    if not fmt.max_finite < abs(Fraction(step.exact)) <= top:
        return ""
    limit = Fraction(fmt.max_finite) + Fraction(2) ** (fmt.emax - fmt.trailing_bits - 1)
    to_max_finite = why.mode is Rounding.TIES_TO_EVEN and fmt.max_significand % 2 == 0
    which = "beyond it overflow, and those up to it" if to_max_finite else "from there on overflow, and those below it"
    return f"The limit is {short_text(limit)}, half an ulp beyond max_finite: numbers {which} become max_finite."


def _infinity_refused(why: Explanation) -> str:
    if why.exact.is_special and why.rounding.case == "infinity" and why.rounding.overflow_rule:
        return f"The exact result is infinite, but {why.fmt} never gives an infinity."
    return ""


def _bias(why: Explanation) -> str:
    step, mode = why.rounding, why.mode
    if mode.random_bits is None or not step.rest or step.overflow_rule or step.flushed:
        return ""
    bias = exact.chance_of_up(step.rest, mode) - step.rest
    bits = count(mode.random_bits, "random bit")
    if not bias:
        return f"With {bits}, the mean of this rounding's results is the number itself: no bias here."
    side = "more" if (bias > 0) != is_negative(step.exact) else "less"
    return (
        f"Bias: with {bits}, the mean of this rounding's results is {ulps_text(abs(bias))} ulp {side} than the number."
    )


def _overflow_convention(why: Explanation) -> str:
    step, name = why.rounding, why.fmt.overflow
    if not name or not (step.overflow_rule or (step.case == "nan" and not why.fmt.has_nan)):
        return ""
    return f"The overflow convention is {name}: {get_overflow(name).source}."


_FIRST = {"parse": "read first as", "round": "rounded first to", "convert": "rounded first to"}


def _other_results(why: Explanation) -> str:
    return " ".join(sentence for sentence in (_double_rounding(why), _rounded_product(why)) if sentence)


def _double_rounding(why: Explanation) -> str:
    wide = [detour for detour in why.detours if detour.differs and detour.via != "two roundings"]
    if not wide:
        return ""
    if why.result.value == 0 == wide[0].between:
        return f"Computed to nearest in {joined(d.via for d in wide)}, the result would be +0: the mode sets the sign."
    ways = joined((f"{detour.via} ({short_text(detour.between)})" for detour in wide), "or")
    results = joined(sorted({short_text(detour.value) for detour in wide}), "or")
    first = _FIRST.get(why.operation, "computed first in")
    return f"Double rounding: {first} {ways}, the result would be {results}."


def _rounded_product(why: Explanation) -> str:
    for detour in why.detours:
        if detour.differs and detour.via == "two roundings":
            between, value = short_text(detour.between), short_text(detour.value)
            return f"If the product were rounded first, to {between}, the result would be {value}."
    return ""


def _two_roundings_of_the_source(why: Explanation) -> str:
    given, source = why.operands[0], why.operands[0].number
    if why.operation != "convert" or given.rounding is None or why.mode.random:
        return ""
    directly = exact.round_operand(given.exact, why.fmt, why.mode).value
    if directly == why.result.value:
        return ""
    return (
        f"Double rounding: {given.text} rounded directly to {why.fmt} is {short_text(directly)}; "
        f"rounded first to {source.fmt}, it becomes {short_text(why.result.value)}."
    )


_REMARKS: tuple[Callable[[Explanation], str], ...] = (
    _root_of_minus_zero,
    _absorption,
    _cancellation,
    _exact_small_sum,
    _half_of_the_smallest,
    _minus_zero,
    _limit_of_overflow,
    _infinity_refused,
    _overflow_convention,
    _bias,
    _other_results,
    _two_roundings_of_the_source,
)
