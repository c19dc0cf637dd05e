"""What a result is an example of, where it is one: absorption, cancellation, double rounding, signs of zero, ..."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from .. import exact
from ..exact import is_finite, is_negative
from ..formats import Rounding
from .document import joined
from .numerals import power_text, short_text
from .words import overflow_bound

if TYPE_CHECKING:
    from .explanation import Explanation

SPECIALS = {
    "nan_operand": "An operand is NaN, and NaN goes through every operation, without an exception.",
    "invalid_difference": "Infinity minus infinity has no answer: NaN, and the exception invalid.",
    "invalid_zero_times_infinity": "Zero times infinity has no answer: NaN, and the exception invalid.",
    "invalid_zero_by_zero": "0/0 has no answer: NaN, and the exception invalid.",
    "invalid_infinity_by_infinity": "Infinity by infinity has no answer: NaN, and the exception invalid.",
    "invalid_root": "A negative number has no real root: NaN, and the exception invalid.",
    "divide_by_zero": "A finite number divided by zero is an exact infinity, with the sign of both together, and the "
    "exception divide_by_zero.",
    "infinity": "Infinity is exact here: no exception.",
    "cancelled": "The terms cancel, exactly. Such a zero is +0, but -0 toward negative.",
    "zeros_of_one_sign": "Zeros of one sign: their sum keeps the sign.",
    "zeros_of_unlike_signs": "Zeros of unlike signs: their sum is +0, but -0 toward negative.",
    "zero": "The result is a zero, exactly; its sign follows from those of the operands.",
    "by_infinity": "A finite number divided by infinity is an exact zero, with the sign of both together.",
}
"""The rules for what is not computed by digits."""


def lessons(why: Explanation) -> tuple[str, ...]:
    """The sentences that hold for this explanation; none for an ordinary one."""
    return tuple(sentence for rule in _RULES if (sentence := rule(why)))


def _signed_root(why: Explanation) -> str:
    if why.operation == "sqrt" and why.exact.rule == "zero" and why.operands[0].number.sign:
        return "The root of -0 is -0, by definition."
    return ""


def _absorbed(why: Explanation) -> str:
    if why.operation not in ("add", "subtract") or why.exact.rule != "digits" or "inexact" not in why.rounding.flags:
        return ""
    result = why.result.value
    a, b = why.operands
    kept, lost = (a, b) if abs(Fraction(a.number.value)) >= abs(Fraction(b.number.value)) else (b, a)
    if not is_finite(result) or abs(result) != abs(kept.number.value):
        return ""
    return (
        f"Absorption: {lost.name} = {short_text(lost.number.value)} is too small beside {kept.name} to change it; "
        f"one ulp of {kept.name} is {short_text(_ulp(why))}."
    )


def _ulp(why: Explanation) -> Fraction:
    return Fraction(2) ** (why.rounding.quantum_exponent or 0)


def _cancelled(why: Explanation) -> str:
    shift = why.exact.normalisation
    if why.operation not in ("add", "subtract", "fma") or shift is None or shift > -2:
        return ""
    tail = " No digit is lost here; what the operands had lost before now counts the more."
    return f"Cancellation: the {-shift} leading bits cancel." + ("" if why.rounding.flags else tail)


def _exact_small_sum(why: Explanation) -> str:
    step, fmt = why.rounding, why.fmt
    if why.operation not in ("add", "subtract") or step.case != "subnormal" or step.rest or step.flushed:
        return ""
    return (
        f"A sum below min_normal is always exact: both terms are multiples of min_subnormal = "
        f"2^{fmt.quantum_exponent_min}."
    )


def _edge_of_overflow(why: Explanation) -> str:
    step, fmt = why.rounding, why.fmt
    bound = overflow_bound(fmt, why.mode)
    top = Fraction(2) ** (fmt.emax + 1)
    if bound is None or fmt.saturate or step.exponent is None or not fmt.max_finite < abs(Fraction(step.exact)) <= top:
        return ""
    to_even = why.mode is Rounding.TIES_TO_EVEN and fmt.max_significand % 2 == 0
    return (
        f"The border is {short_text(bound)}, half an ulp beyond max_finite: "
        + ("beyond it" if to_even else "from there on")
        + f" everything overflows, {'up to' if to_even else 'below'} it everything becomes max_finite."
    )


def _half_of_the_smallest(why: Explanation) -> str:
    step = why.rounding
    if step.kept != 0 or not step.scaled or why.fmt.subnormals != "gradual":
        return ""
    smallest = power_text(Fraction(why.fmt.min_subnormal)).removeprefix("1 × ")
    if step.rule == "tie_to_even":
        return f"Half of min_subnormal = {smallest}: a tie between 0 and 1 ulp, and 0 is even."
    return f"The number lies between 0 and min_subnormal = {smallest}."


def _overflowing_infinity(why: Explanation) -> str:
    if why.exact.rule in SPECIALS and why.rounding.case == "infinity" and why.rounding.overflow_rule:
        return f"The exact result is infinite, and {why.fmt} does not keep infinities."
    return ""


def _another_answer(why: Explanation) -> str:
    wide = [detour for detour in why.detours if detour.differs and detour.via != "two roundings"]
    product = [detour for detour in why.detours if detour.differs and detour.via == "two roundings"]
    answers = {short_text(detour.value) for detour in wide}
    ways = [f"through {detour.via} ({short_text(detour.between)} in between)" for detour in wide]
    said = []
    if wide and why.result.value == 0 == wide[0].between:
        said.append(f"Computed to nearest, {joined(d.via for d in wide)} would give +0: the mode sets the sign.")
    elif wide:
        said.append(f"Double rounding: {joined(ways)} the answer would be {joined(sorted(answers))}.")
    said += [
        f"Were the product rounded first, to {short_text(d.between)}, the answer would be {short_text(d.value)}."
        for d in product
    ]
    return " ".join(said)


def _two_roundings_of_the_source(why: Explanation) -> str:
    if why.operation != "convert":
        return ""
    given, source = why.operands[0], why.operands[0].number
    if given.rounding is None:
        return ""
    once = exact.round_operand(given.exact, why.fmt, why.mode)
    if once.value == why.result.value or why.mode is Rounding.STOCHASTIC:
        return ""
    return (
        f"Double rounding: {given.text} rounded to {why.fmt} at once is {short_text(once.value)}; "
        f"through {source.fmt} it is not."
    )


def _minus_zero(why: Explanation) -> str:
    if why.rounding.case in ("normal", "subnormal") and why.result.value == 0 and is_negative(why.rounding.exact):
        return "A negative number that becomes zero becomes -0: the sign is kept."
    return ""


_RULES: tuple[Callable[[Explanation], str], ...] = (
    _signed_root,
    _absorbed,
    _cancelled,
    _exact_small_sum,
    _half_of_the_smallest,
    _minus_zero,
    _edge_of_overflow,
    _overflowing_infinity,
    _another_answer,
    _two_roundings_of_the_source,
)
