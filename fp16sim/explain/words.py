"""The sentences: why a rounding went the way it went, what a special case means, and what a code stands for."""

from __future__ import annotations

from fractions import Fraction

from ..codes import FloatClass
from ..exact import DRAW_BITS, is_negative
from ..formats import Format, Rounding, Specials, Subnormals
from .numerals import binary_text, power_of_two, short_text, ulps_text
from .records import Number, RoundingStep

# --- codes ----------------------------------------------------------------------------------------------------------


def formula(number: Number) -> str:
    """How the value follows from the fields: what the formula is depends on the case."""
    fmt, kind = number.fmt, number.kind
    minus = "-" if number.sign else ""
    if number.exponent is None:
        return _special_formula(number)
    if kind in (FloatClass.POSITIVE_ZERO, FloatClass.NEGATIVE_ZERO):
        return f"exponent field 0 and significand 0: {minus or '+'}0"
    fraction = f"{number.trailing_significand}/{2**fmt.trailing_bits}"
    digits = binary_text(number.significand or 0, fmt.trailing_bits)
    if number.biased_exponent == 0:
        return (
            f"{minus}2^(1 - {fmt.bias}) × (0 + {fraction}) = {minus}2^{number.exponent} × {digits} in binary "
            "(subnormal: no implicit 1)"
        )
    return (
        f"{minus}2^({number.biased_exponent} - {fmt.bias}) × (1 + {fraction}) = "
        f"{minus}2^{number.exponent} × {digits} in binary"
    )


def _special_formula(number: Number) -> str:
    if number.fmt.specials is Specials.NAN:
        return "all bits but the sign are 1: the one NaN of this format"
    if number.trailing_significand == 0:
        return f"exponent field all ones and significand 0: {'-' if number.sign else '+'}infinity"
    kind = "quiet" if number.kind is FloatClass.QUIET_NAN else "signaling"
    return f"exponent field all ones and significand not 0: NaN; its leading bit makes it {kind}"


def format_name(fmt: Format) -> str:
    """The name, and what the format does otherwise than its name says.

    >>> from dataclasses import replace
    >>> from fp16sim import BINARY16
    >>> format_name(replace(BINARY16, saturate=True, subnormals="flush_to_zero"))
    'binary16 (saturating, flush_to_zero)'
    """
    behaviour = ["saturating"] if fmt.saturate and fmt.specials is not Specials.NONE else []
    if fmt.subnormals is not Subnormals.GRADUAL:
        behaviour.append(fmt.subnormals)
    return f"{fmt} ({', '.join(behaviour)})" if behaviour else str(fmt)


CLASSES = {
    FloatClass.SIGNALING_NAN: "signaling NaN",
    FloatClass.QUIET_NAN: "quiet NaN",
    FloatClass.NEGATIVE_INFINITY: "negative infinity",
    FloatClass.NEGATIVE_NORMAL: "negative normal number",
    FloatClass.NEGATIVE_SUBNORMAL: "negative subnormal number",
    FloatClass.NEGATIVE_ZERO: "negative zero",
    FloatClass.POSITIVE_ZERO: "positive zero",
    FloatClass.POSITIVE_SUBNORMAL: "positive subnormal number",
    FloatClass.POSITIVE_NORMAL: "positive normal number",
    FloatClass.POSITIVE_INFINITY: "positive infinity",
}

# --- the decision ---------------------------------------------------------------------------------------------------


def decision(step: RoundingStep) -> str:
    """Which rule chose, and how it applied here."""
    if step.rule in ("special", "flushed_input"):
        return _uncut(step)
    if (
        step.kept is not None
        and step.quantum_exponent is not None
        and step.kept * Fraction(2) ** step.quantum_exponent > (step.fmt.max_finite)
    ):
        return _end_of_range(step)
    return " ".join(part for part in (_decision(step), _carry(step), _end_of_range(step)) if part)


def _decision(step: RoundingStep) -> str:
    lost = ulps_text(step.rest or Fraction(0))
    sign = "negative" if is_negative(step.exact) else "positive"
    moves = "one is added to the last place" if step.up else "the kept digits stay"
    they = "one is added" if step.up else "they stay"
    odd = "end in 1, which is odd" if (step.kept or 0) % 2 else "end in 0, which is even"
    return {
        "exact": f"Nothing is cut off: {step.fmt} holds the number, and no mode changes it.",
        "nearer": f"{lost} ulp is cut off, {'more' if step.up else 'less'} than half: to the nearer one, {moves}.",
        "tie_to_even": f"Exactly half an ulp is cut off: a tie. The kept digits {odd}, so {they}: ties go to even.",
        "tie_to_away": "Exactly half an ulp is cut off: a tie, and ties go away from zero: " + moves + ".",
        "toward_zero": f"{lost} ulp is cut off, and whatever that is, {moves}: toward zero.",
        "toward_positive": f"{lost} ulp is cut off; toward positive the magnitude of a {sign} number "
        f"{'grows' if step.up else 'shrinks'}: {moves}.",
        "toward_negative": f"{lost} ulp is cut off; toward negative the magnitude of a {sign} number "
        f"{'grows' if step.up else 'shrinks'}: {moves}.",
        "to_odd": f"{lost} ulp is cut off. The kept digits {odd}, so {they}: the result is odd, which "
        "remembers that something was lost.",
        "stochastic": _lottery(step),
    }[step.rule]


def _lottery(step: RoundingStep) -> str:
    lost = ulps_text(step.rest or Fraction(0))
    drawn = short_text(Fraction(2 * (step.draw or 0) + 1, 2 ** (DRAW_BITS + 1)), 14)
    return (
        f"{lost} ulp is cut off, which is the probability of going up. Drawn: {drawn}, "
        f"{'less' if step.up else 'not less'} than that: " + ("up." if step.up else "the kept digits stay.")
    )


def _carry(step: RoundingStep) -> str:
    if step.carry:
        return f"The carry runs through all {step.fmt.precision} digits, and the exponent grows by 1."
    if step.case == "subnormal" and step.up and step.rounded == 1 << step.fmt.trailing_bits and not step.flushed:
        return "That is min_normal: the carry makes the number normal."
    return ""


def _end_of_range(step: RoundingStep) -> str:
    fmt = step.fmt
    if step.flushed:
        return f"The result is subnormal, and this format flushes those ({fmt.subnormals}): a zero of its sign."
    if step.case != "overflow":
        return ""
    largest = f"max_finite = {short_text(Fraction(fmt.max_finite))}"
    return f"{'That' if step.up else 'The number'} is beyond {largest}: overflow. " + OVERFLOWS[
        step.overflow_rule or ""
    ].format(fmt=fmt, mode=step.mode, sign="-" if is_negative(step.exact) else "+")


OVERFLOWS = {
    "infinity": "In {mode} that is {sign}infinity.",
    "nan": "{fmt} has no infinity, so that is NaN.",
    "max_finite": "{mode} never goes beyond it here: max_finite with its sign.",
    "saturate": "{fmt} saturates: max_finite with its sign.",
}


def _uncut(step: RoundingStep) -> str:
    if step.rule == "flushed_input":
        return (
            f"The operand is below min_normal = {power_of_two(step.fmt.emin)}, and this format flushes its inputs: "
            "a zero of its sign."
        )
    if step.case == "infinity" and step.overflow_rule:
        why = "saturates" if step.overflow_rule == "saturate" else "has no infinity"
        return f"{step.fmt} {why}: infinity becomes {short_text(step.result.value)}, which is an overflow."
    if step.case == "nan" and not step.fmt.has_nan:
        return f"{step.fmt} has no NaN; its nan_code says what stands for it."
    return {"zero": "A zero is exact in every format.", "infinity": "An infinity is exact.", "nan": "NaN stays NaN."}[
        step.case
    ]


# --- where a number lies --------------------------------------------------------------------------------------------


def place(step: RoundingStep) -> str:
    """In which part of the range, and what the ulp is there."""
    if step.quantum_exponent is None:
        return ""
    fmt, ulp = step.fmt, f"one ulp is {power_of_two(step.quantum_exponent)}"
    if step.case == "subnormal" or (step.exponent is not None and step.exponent < fmt.emin):
        if fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
            return f"Below min_normal = 2^{fmt.emin} this format has 0 and min_normal only."
        return f"Below min_normal = 2^{fmt.emin} the exponent stays at {fmt.emin}, and {ulp} all the way to 0."
    e = step.exponent or 0
    return f"Between {power_of_two(e)} and {power_of_two(e + 1)} {ulp}."


def overflow_bound(fmt: Format, mode: Rounding) -> Fraction | None:
    """From where on a magnitude overflows in the modes that round to nearest; None for the others."""
    if not mode.nearest:
        return None
    return Fraction(fmt.max_finite) + Fraction(2) ** (fmt.emax - fmt.trailing_bits - 1)


FLAGS = {
    "invalid": "no number is the answer: NaN",
    "divide_by_zero": "an exact infinity from finite operands",
    "overflow": "beyond max_finite once rounded",
    "underflow": "tiny (below min_normal) and inexact",
    "inexact": "digits were lost",
}
