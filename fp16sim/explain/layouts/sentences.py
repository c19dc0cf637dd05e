"""The sentences of all layouts: what a code stands for, what a special case gives, why a rounding went as it did."""

from __future__ import annotations

from fractions import Fraction

from ...codes import FloatClass
from ...exact import DRAW_BITS, Value, chance_of_up, is_negative, is_odd
from ...formats import Format, Rounding, Specials, Subnormals
from ...text import to_text
from ...wording import count
from ..decoding import without_behaviour
from ..records import ExactRule, Number, OverflowRule, RoundingStep
from ..value_text import binary_text, short_text, two_to_the, ulps_text

# --- formats, values and codes --------------------------------------------------------------------------------------


def format_name(fmt: Format) -> str:
    """The name, and in brackets how the format differs from the format of that name, unless the name says so.

    >>> from dataclasses import replace
    >>> from fp16sim import BINARY16
    >>> format_name(replace(BINARY16, saturate=True, subnormals="flush_to_zero"))
    'binary16 (saturating, flush_to_zero)'
    """
    if "=" in fmt.name:  # "binary16,saturate=true"
        return fmt.name
    behaviour = ["saturating"] if fmt.saturate and fmt.specials is not Specials.NONE else []
    if fmt.subnormals is not Subnormals.GRADUAL:
        behaviour.append(fmt.subnormals)
    return f"{fmt} ({', '.join(behaviour)})" if behaviour else str(fmt)


def stored_text(value: Value, fmt: Format, width: int = 26) -> str:
    """A value of a format: exact if that fits in `width` characters, else the shortest text that is read back as it."""
    text = short_text(value, width)
    return text if "..." not in text else to_text(value, without_behaviour(fmt))


def formula(number: Number) -> str:
    """How the value follows from the fields of the code."""
    fmt, kind = number.fmt, number.kind
    minus = "-" if number.sign else ""
    if number.exponent is None:
        return _special_formula(number)
    if kind in (FloatClass.POSITIVE_ZERO, FloatClass.NEGATIVE_ZERO):
        return f"exponent field 0 and significand 0: {minus or '+'}0"
    fraction = f"{number.trailing_significand}/{2**fmt.trailing_bits}"
    digits = binary_text(number.significand or 0, fmt.trailing_bits)
    if number.biased_exponent == 0 and fmt.zero:
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
        return "all bits except the sign are 1: the only NaN of this format"
    if not number.fmt.has_payloads and number.kind is FloatClass.QUIET_NAN:
        return f"{'the code of -0' if number.fmt.signed else 'the last code'}: the only NaN of this format"
    if not number.fmt.has_payloads:
        return f"the code after max_finite: {'-' if number.sign else '+'}infinity"
    if number.trailing_significand == 0:
        return f"exponent field all ones and significand 0: {'-' if number.sign else '+'}infinity"
    kind = "quiet" if number.kind is FloatClass.QUIET_NAN else "signaling"
    return f"exponent field all ones and significand not 0: NaN; the significand's first bit makes it {kind}"


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

# --- special cases and flags ----------------------------------------------------------------------------------------

SPECIAL_CASES: dict[ExactRule, str] = {
    "nan_operand": "An operand is NaN, so the result is NaN: this raises no flag.",
    "signaling_operand": "An operand is a signaling NaN: the result is a quiet NaN, and the flag invalid is raised.",
    "invalid_difference": "Infinity minus infinity is undefined: the result is NaN, and the flag invalid is raised.",
    "invalid_zero_times_infinity": "Zero times infinity is undefined: the result is NaN, and the flag invalid is "
    "raised.",
    "invalid_zero_by_zero": "0/0 is undefined: the result is NaN, and the flag invalid is raised.",
    "invalid_infinity_by_infinity": "Infinity divided by infinity is undefined: the result is NaN, and the flag "
    "invalid is raised.",
    "invalid_root": "A negative number has no real square root: the result is NaN, and the flag invalid is raised.",
    "divide_by_zero": "A finite number divided by zero gives an exact infinity, negative if the signs of the two "
    "differ; the flag divide_by_zero is raised.",
    "infinity": "The result is infinite and exact: this raises no flag.",
    "cancelled": "The terms cancel exactly. The result is +0, or -0 in the mode toward_negative.",
    "zeros_of_one_sign": "Both terms are zeros of the same sign, and their sum keeps it.",
    "zeros_of_unlike_signs": "The terms are zeros of different signs: their sum is +0, or -0 in the mode "
    "toward_negative.",
    "by_infinity": "A finite number divided by infinity is exactly zero, negative if the signs of the two differ.",
    "zero": "The result is exactly zero; its sign follows from the signs of the operands.",
}

FLAGS = {
    "invalid": "no number is the right result, so it is NaN",
    "divide_by_zero": "finite operands give an exact infinity",
    "overflow": "the rounded result is beyond max_finite",
    "underflow": "the result is tiny (below min_normal) and inexact",
    "inexact": "the result is not the exact number",
}

# --- the decision ---------------------------------------------------------------------------------------------------


def decision(step: RoundingStep, part: str = "") -> str:
    """Which rule decided, and how it applies here; `part` says how much is cut off, if that is not known exactly."""
    if step.rule in ("special", "flushed_input"):
        return _nothing_cut_off(step)
    if _beyond(step) or (step.rule == "exact" and step.changes):
        return _end_of_range(step)
    return " ".join(said for said in (_decision(step, part), _carry(step), _end_of_range(step)) if said)


def _beyond(step: RoundingStep) -> bool:
    """Whether even the kept digits are beyond max_finite, so that the rest decides nothing."""
    return (step.kept or 0) * Fraction(2) ** (step.quantum_exponent or 0) > step.fmt.max_finite


def _parity(step: RoundingStep) -> str:
    """Whether the kept digits count as odd; with precision 1, the exponent field says so."""
    kept, fmt = step.kept or 0, step.fmt
    odd = is_odd(kept, step.quantum_exponent or 0, fmt)
    if fmt.precision == 1 and fmt.zero and kept:
        return f"have an exponent field that ends in {'1, which is odd' if odd else '0, which is even'}"
    return "end in 1, which is odd" if odd else "end in 0, which is even"


def _decision(step: RoundingStep, part: str) -> str:
    cut_off = f"{part or ulps_text(step.rest or Fraction(0)) + ' ulp'} is cut off"
    sign = "negative" if is_negative(step.exact) else "positive"
    grows = "grows" if step.up else "shrinks"
    happens = "one is added to the last place" if step.up else "the kept digits stay"
    parity = _parity(step)
    briefly = "one is added" if step.up else "they stay"
    tie = "Exactly half an ulp is cut off: a tie."
    return {
        "exact": f"Nothing is cut off: {step.fmt} represents the number exactly, and no mode changes it.",
        "nearer": f"{cut_off}, {'more' if step.up else 'less'} than half, so {happens}.",
        "tie_to_even": f"{tie} The kept digits {parity}, so {briefly}: ties go to even.",
        "tie_to_away": f"{tie} Ties go away from zero, so {happens}.",
        "toward_zero": f"{cut_off}. Rounding toward zero ignores it: {happens}.",
        "toward_positive": f"{cut_off}. Toward positive, a {sign} number {grows} in magnitude: {happens}.",
        "toward_negative": f"{cut_off}. Toward negative, a {sign} number {grows} in magnitude: {happens}.",
        "to_odd": f"{cut_off}. The kept digits {parity}, so {briefly}: an odd last digit shows that some were cut off.",
        "stochastic": f"{cut_off}{_chance(step)}the probability of adding one. {_drawn(step)}: {happens}.",
    }[step.rule]


def _chance(step: RoundingStep) -> str:
    """How the part that is cut off counts: wholly, or by as many bits as there are random ones."""
    if step.mode.random_bits is None:
        return ", which is "
    counted, done = chance_of_up(step.rest or Fraction(0), step.mode), "Rounded" if step.mode.adds_half else "Cut"
    return f". {done} to {count(step.mode.random_bits, 'bit')} that is {ulps_text(counted)}, "


def _drawn(step: RoundingStep) -> str:
    if step.mode.random_bits is not None:
        drawn = short_text(Fraction((step.draw or 0) >> (DRAW_BITS - step.mode.random_bits), 2**step.mode.random_bits))
        return f"The random number is {drawn}, {'less' if step.up else 'not less'} than that"
    drawn = short_text(Fraction(2 * (step.draw or 0) + 1, 2 ** (DRAW_BITS + 1)), 14)
    return f"The random number is {drawn}, {'less' if step.up else 'not less'} than that"


def _carry(step: RoundingStep) -> str:
    if step.carry:
        return f"The carry runs through all {step.fmt.precision} digits, and the exponent grows by 1."
    if step.case == "subnormal" and step.up and step.rounded == 1 << step.fmt.trailing_bits and not step.flushed:
        return "That is min_normal: the carry makes the number normal."
    return ""


def _end_of_range(step: RoundingStep) -> str:
    fmt = step.fmt
    if step.flushed:
        return f"The result would be subnormal; this format makes it a zero of the same sign ({fmt.subnormals})."
    if step.overflow_rule is None:
        return ""
    what = "That" if step.up else "The number"
    sign = "-" if is_negative(step.exact) else "+"
    overflow = OVERFLOWS[step.overflow_rule].format(fmt=fmt, mode=step.mode, sign=sign)
    even = step.mode is Rounding.TO_ODD and fmt.max_significand % 2 == 0 and step.overflow_rule != "nan"
    only = " Its last bit is 0, so only the flags show that something was lost." if even else ""
    return f"{what} is beyond max_finite = {short_text(Fraction(fmt.max_finite))}: overflow. {overflow}{only}"


OVERFLOWS: dict[OverflowRule, str] = {
    "infinity": "In {mode} the result is {sign}infinity.",
    "nan": "{fmt} has no infinity, so the result is NaN.",
    "max_finite": "In {mode} the result stays at {sign}max_finite.",
    "saturate": "{fmt} saturates: the result is {sign}max_finite.",
}


def _nothing_cut_off(step: RoundingStep) -> str:
    if step.rule == "flushed_input":
        return (
            f"The operand is below min_normal = {two_to_the(step.fmt.emin)}; this format makes such inputs a zero of "
            f"the same sign ({step.fmt.subnormals})."
        )
    if step.case == "no_number":
        kind = "negative numbers" if step.exact < 0 else "zero" if step.exact == 0 else "smaller numbers"
        return f"{step.fmt} has no {kind}: this becomes {short_text(step.result.value)}."
    if step.case == "infinity" and step.overflow_rule:
        why = "saturates" if step.overflow_rule == "saturate" else "has no infinity"
        return f"{step.fmt} {why}: infinity becomes {short_text(step.result.value)}, which is an overflow."
    if step.case == "nan" and not step.fmt.has_nan:
        return f"{step.fmt} has no NaN: its nan_code is used instead."
    if step.case == "nan" and "invalid" in step.flags:
        return "A signaling NaN becomes quiet, and raises the flag invalid."
    return {"zero": "A zero is exact in every format.", "infinity": "An infinity is exact.", "nan": "NaN stays NaN."}[
        step.case
    ]


def place(step: RoundingStep) -> str:
    """Where in the range the number lies, and how large an ulp is there."""
    if step.quantum_exponent is None:
        return ""
    fmt, ulp = step.fmt, f"one ulp is {two_to_the(step.quantum_exponent)}"
    if step.case == "subnormal" or (step.exponent is not None and step.exponent < fmt.emin):
        if fmt.subnormals is Subnormals.FLUSH_TO_NEAREST:
            return f"Below min_normal = 2^{fmt.emin} this format has only 0 and min_normal."
        return f"Below min_normal = 2^{fmt.emin} the exponent stays at {fmt.emin}, so {ulp} everywhere down to 0."
    e = step.exponent or 0
    return f"Between {two_to_the(e)} and {two_to_the(e + 1)} {ulp if e <= fmt.emax else ulp.replace('is', 'would be')}."
