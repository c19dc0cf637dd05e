"""The kinds of questions: each draws operands, and knows the exact answer and why it is that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ... import cases, exact, faults
from ...exact import FLAGS
from ...faults.roundings import right
from ...formats import BFLOAT16, BINARY16, E4M3, E5M2, Format, Rounding
from ...neighbours import next_up, ulp
from ...reductions import cumsum
from ...text import to_text
from ..grading.why import decoding, why

Rng = np.random.Generator


@dataclass(frozen=True)
class Setting:
    """What a question is asked in."""

    fmt: Format
    mode: Rounding
    level: int
    rng: Rng


@dataclass(frozen=True)
class Asked:
    """A question before it is numbered: see `exercises.Question`."""

    prompt: str
    answer: str
    solution: str
    form: str = "number"
    choices: tuple[str, ...] = ()


TOY = Format("toy6", width=6, precision=3)
FORMATS = {1: (TOY, E4M3), 2: (BINARY16, BFLOAT16), 3: (BINARY16, BFLOAT16, E5M2)}
MODES = {
    1: (Rounding.TIES_TO_EVEN,),
    2: (Rounding.TIES_TO_EVEN, Rounding.TIES_TO_EVEN, Rounding.TOWARD_ZERO),
    3: tuple(mode for mode in Rounding if mode is not Rounding.STOCHASTIC),
}


def setting(rng: Rng, level: int) -> Setting:
    """A format and a mode for a level: 1 for formats that fit on a page, 2 for 16 bits, 3 for every mode."""
    return Setting(_pick(rng, FORMATS[level]), _pick(rng, MODES[level]), level, rng)


def _pick(rng: Rng, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _value(s: Setting) -> float:
    """A finite number of the format: of few bits at level 1, of the interesting ones or any above it."""
    if s.level > 1 and s.rng.random() < 0.5:
        numbers = cases.values(s.fmt, every=True)
        numbers = numbers[np.isfinite(numbers)]
    else:
        numbers = cases.values(s.fmt)
        numbers = numbers[np.isfinite(numbers) & (numbers != 0)][: 40 * s.level]
    return float(_pick(s.rng, numbers))


def _between(s: Setting) -> float:
    """Something to round: a tie half of the time, else a quarter beside a number."""
    low = abs(_value(s))
    tie = float(cases.midpoints([low], s.fmt)[0])
    share = _pick(s.rng, (1.0, 1.0, 0.5, 1.5))
    return float((low + (tie - low) * share) * _pick(s.rng, (1.0, -1.0)))


def _text(x: Any, fmt: Format) -> str:
    return to_text(x, fmt, "exact")


def _decimal(x: float) -> str:
    return to_text(x, "binary64", "exact")


def _hex(code: int, fmt: Format) -> str:
    return f"0x{code:0{-(-fmt.width // 4)}x}"


def _name(fmt: Format) -> str:
    """The name, with the layout of a format that nobody knows."""
    layout = f" (1 sign, {fmt.exponent_bits} exponent, {fmt.trailing_bits} trailing bits)"
    return fmt.name + layout * (fmt == TOY)


def _in(s: Setting) -> str:
    return f"in {_name(s.fmt)}, {s.mode.value}"


def _bits(s: Setting) -> Asked:
    x = _value(s)
    code = exact.encode(x, s.fmt)
    prompt = f"Which code, in hexadecimal, has {_decimal(x)} in {_name(s.fmt)}?"
    return Asked(prompt, _hex(code, s.fmt), decoding(code, s.fmt), "code")


def _decode(s: Setting) -> Asked:
    code = exact.encode(_value(s), s.fmt)
    bits = to_text(exact.decode(code, s.fmt), s.fmt, "bits")
    prompt = f"Which number has the bits {bits} (code {_hex(code, s.fmt)}) in {_name(s.fmt)}?"
    return Asked(prompt, _text(exact.decode(code, s.fmt), s.fmt), decoding(code, s.fmt))


def _round(s: Setting) -> Asked:
    x = _between(s)
    answer = _text(exact.round_to(x, s.fmt, s.mode), s.fmt)
    return Asked(f"What does {_decimal(x)} become {_in(s)}?", answer, str(why("rounding", (x,), s.fmt, s.mode)))


def _overflow(s: Setting) -> Asked:
    top, quantum = Fraction(s.fmt.max_finite), Fraction(2) ** (s.fmt.emax - s.fmt.trailing_bits)
    x = float(top + quantum * _pick(s.rng, (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), 1, 2)))
    x *= _pick(s.rng, (1.0, -1.0))
    prompt = f"{_name(s.fmt)} ends at {_decimal(float(top))}. What does {_decimal(x)} become, {s.mode.value}?"
    answer = _text(exact.round_to(x, s.fmt, s.mode), s.fmt)
    return Asked(prompt, answer, str(why("rounding", (x,), s.fmt, s.mode)))


def _operation(name: str, sign: str) -> Callable[[Setting], Asked]:
    def ask(s: Setting) -> Asked:
        a, b = _value(s), _value(s)
        answer = _text(exact.compute(name, (a, b), s.fmt, s.mode).value, s.fmt)
        prompt = f"What is {_decimal(a)} {sign} ({_decimal(b)}) {_in(s)}?"
        return Asked(prompt, answer, str(why(name, (a, b), s.fmt, s.mode)))

    return ask


def _flags(s: Setting) -> Asked:
    name, sign = _pick(s.rng, (("add", "+"), ("multiply", "*"), ("divide", "/")))
    special = [0.0, float("inf")] if s.fmt.has_infinity else [0.0]
    a, b = (_pick(s.rng, special) if s.rng.random() < 0.2 else _value(s) for _ in range(2))
    raised = exact.compute(name, (a, b), s.fmt, s.mode).flags
    answer = ", ".join(flag for flag in FLAGS if flag in raised) or "none"
    listed = ", ".join(FLAGS)
    prompt = f"Which of the flags {listed} does {_shown(a)} {sign} ({_shown(b)}) raise {_in(s)}? (Or none.)"
    return Asked(prompt, answer, str(why(name, (a, b), s.fmt, s.mode)), "flags")


def _shown(x: float) -> str:
    return _decimal(x) if np.isfinite(x) else str(x)


def _ulp(s: Setting) -> Asked:
    x = _value(s)
    prompt = f"What is the ulp of {_name(s.fmt)} at {_decimal(x)}? (A power of two may be written as 2^-10.)"
    return Asked(prompt, _decimal(float(ulp(x, s.fmt))), str(why("ulp", (x,), s.fmt, s.mode)))


def _next(s: Setting) -> Asked:
    x = _value(s)
    answer = _shown(float(next_up(x, s.fmt)))
    prompt = f"What is the least number of {_name(s.fmt)} above {_decimal(x)}?"
    return Asked(prompt, answer, str(why("next_up", (x,), s.fmt, s.mode)))


_CLASSES = ("zero", "subnormal", "normal", "infinity", "nan")


def _classify(s: Setting) -> Asked:
    code = int(s.rng.integers(2**s.fmt.width))
    if s.rng.random() < 0.6:  # the rare classes
        top = (2**s.fmt.exponent_bits - 1) << s.fmt.trailing_bits
        trailing = int(s.rng.integers(2**s.fmt.trailing_bits))
        code = _pick(s.rng, (top, top | trailing, trailing, 1 << (s.fmt.width - 1)))
    value = exact.decode(code, s.fmt)
    if isinstance(value, float) and not exact.is_finite(value):
        answer = "nan" if exact.is_nan(value) else "infinity"
    else:
        answer = "zero" if value == 0 else "subnormal" if abs(float(value)) < s.fmt.min_normal else "normal"
    prompt = f"What is {code:0{s.fmt.width}b} in {_name(s.fmt)}?"
    return Asked(prompt, answer, decoding(code, s.fmt), "choice", _CLASSES)


_YES_NO = ("yes", "no")


def _absorbed(s: Setting) -> Asked:
    a = abs(_value(s)) or 1.0
    e = int(np.floor(np.log2(float(ulp(a, s.fmt)))))
    b = float(exact.round_to(Fraction(2) ** (e - int(s.rng.integers(0, 4))), s.fmt)) or float(s.fmt.min_subnormal)
    same = exact.add(a, b, s.fmt, s.mode) == a
    prompt = f"Is {_decimal(a)} + {_decimal(b)} = {_decimal(a)} {_in(s)}?"
    return Asked(prompt, _YES_NO[not same], str(why("add", (a, b), s.fmt, s.mode)), "choice", _YES_NO)


_TEXTS = (
    *("0.1", "0.2", "0.25", "0.375", "0.7", "1.125", "3.3", "5", "17", "100.5"),
    *("0.0625", "257", "2049", "4098", "0.3", "6.5", "33", "1000", "0.001", "0.5"),
)


def _held(s: Setting) -> Asked:
    text = _pick(s.rng, _TEXTS)
    held = exact.round_to(text, s.fmt) == exact.parse(text)
    solution = str(why("parse", (text,), s.fmt, Rounding.TIES_TO_EVEN))
    return Asked(f"Is {text} a number of {_name(s.fmt)}, exactly?", _YES_NO[not held], solution, "choice", _YES_NO)


def _stall(s: Setting) -> Asked:
    term = _pick(s.rng, (1.0, 0.5, 2.0, 0.25))
    sums = np.asarray(cumsum([term] * (2**s.fmt.precision + 2), s.fmt))
    total = float(sums[-1])  # more terms than the significand has numbers: it has stopped, or is infinite
    step = f"s = s + {_decimal(term)}"
    prompt = f"In {_name(s.fmt)}, ties to even, s = 0 and then {step} again and again: at which s does it stop growing?"
    if not np.isfinite(total):
        return Asked(prompt + " (inf is an answer.)", "inf", "it reaches infinity before a term is absorbed")
    return Asked(prompt, _text(total, s.fmt), str(why("add", (total, term), s.fmt, Rounding.TIES_TO_EVEN)))


def _twice(s: Setting) -> Asked:
    fmt = BINARY16 if s.level < 3 else s.fmt
    low = abs(_value(Setting(fmt, s.mode, 2, s.rng)))
    tie = Fraction(float(cases.midpoints([low], fmt)[0]))
    x = tie * (1 + Fraction(1, 2 ** int(_pick(s.rng, (12, 18, 30, 40)))))
    once = exact.round_to(x, fmt)
    twice = exact.round_to(exact.round_to(x, "binary32"), fmt)
    text = f"{_decimal(float(tie))} * (1 + 2^-{(x / tie - 1).denominator.bit_length() - 1})"
    prompt = f"x = {text}. Is rounding x to binary32 and then to {fmt.name} the same as rounding it once, ties to even?"
    told = f"once: {float(once)}; through binary32: {float(twice)}\n"
    solution = told + str(why("rounding", (x,), fmt, Rounding.TIES_TO_EVEN))
    return Asked(prompt, _YES_NO[once != twice], solution, "choice", _YES_NO)


def _misconception(s: Setting) -> Asked:
    """Three answers of a wrong rounder, which no other rounder on offer would give."""
    fmt, mode = s.fmt, Rounding.TIES_TO_EVEN
    x = cases.roundable(fmt)
    wrong = [fault for fault in faults.wrong_rounders(fmt, mode) if fault.rounder]
    order = s.rng.permutation(len(wrong))
    chosen, others = wrong[order[0]], [wrong[i] for i in order[1:4]]
    answers = [np.asarray(fault.answer("rounding", (x,), fmt, mode)) for fault in (chosen, *others)]
    truth = right(x, fmt, mode)
    shown: list[int] = []
    for other in (truth, *answers[1:]):
        differs = np.flatnonzero(_codes_differ(answers[0], other))
        if not differs.size:
            return _misconception(s)
        shown.append(int(differs[min(int(s.rng.integers(6)), differs.size - 1)]))
    rows = "; ".join(f"{_shown(float(x[i]))} becomes {_shown(float(answers[0][i]))}" for i in dict.fromkeys(shown))
    options = [fault.misconception for fault in (chosen, *others)]
    options = [options[i] for i in s.rng.permutation(4)]
    first = shown[0]
    told = f"right would be: {_shown(float(x[first]))} becomes {_shown(float(truth[first]))}\n"
    solution = told + str(why("rounding", (float(x[first]),), fmt, mode))
    prompt = f"A rounder to {_name(fmt)} (meant: ties to even) answers: {rows}. What does it do?"
    return Asked(prompt, chosen.misconception, solution, "choice", tuple(options))


def _codes_differ(one: Any, other: Any) -> Any:
    alike = ((one == other) & (np.signbit(one) == np.signbit(other))) | (np.isnan(one) & np.isnan(other))
    return ~alike


KINDS: dict[str, Callable[[Setting], Asked]] = {
    "predict-the-bits": _bits,
    "decode-the-bits": _decode,
    "round-it": _round,
    "add": _operation("add", "+"),
    "multiply": _operation("multiply", "*"),
    "divide": _operation("divide", "/"),
    "flags": _flags,
    "overflow": _overflow,
    "ulp": _ulp,
    "next-number": _next,
    "classify": _classify,
    "absorbed": _absorbed,
    "is-it-held": _held,
    "where-it-stalls": _stall,
    "rounding-twice": _twice,
    "misconception": _misconception,
}
"""Every kind of question by name."""
