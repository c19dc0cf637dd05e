"""The kinds of questions: each draws operands and works out the exact answer and its solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ... import cases, exact, faults
from ...exact import FLAGS
from ...faults.roundings import differs, right
from ...formats import BFLOAT16, BINARY16, E4M3, E5M2, Format, Rounding
from ...neighbours import next_up, ulp
from ...reductions import cumsum
from ...text import to_text
from ...wording import joined
from ..grading.why import decoding, why
from .question import YES_NO

Rng: TypeAlias = np.random.Generator
T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """The format and mode of a question, its level, and the source of its random choices."""

    fmt: Format
    mode: Rounding
    level: int
    rng: Rng


@dataclass(frozen=True)
class Asked:
    """A question without its kind and level: the fields of `Question`."""

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
    """A format and a mode for a level: 1 has formats whose numbers fit on a page, 2 has 16 bits, 3 has every mode."""
    return Setting(_pick(rng, FORMATS[level]), _pick(rng, MODES[level]), level, rng)


def _pick(rng: Rng, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _value(s: Setting) -> float:
    """A finite number of the format: at level 1 one of few bits, at others an interesting one or any."""
    if s.level > 1 and s.rng.random() < 0.5:
        numbers = cases.values(s.fmt, every=True)
        numbers = numbers[np.isfinite(numbers)]
    else:
        numbers = cases.values(s.fmt)
        numbers = numbers[np.isfinite(numbers) & (numbers != 0)][: 40 * s.level]
    return float(_pick(s.rng, numbers.tolist()))


def _between(s: Setting) -> float:
    """Something to round: half of the time a tie, else a number a quarter or three quarters of an ulp above another."""
    low = abs(_value(s))
    tie = float(cases.midpoints([low], s.fmt)[0])
    half_ulps = _pick(s.rng, (1.0, 1.0, 0.5, 1.5))
    return (low + (tie - low) * half_ulps) * _pick(s.rng, (1.0, -1.0))


def _text(x: Any, fmt: Format) -> str:
    return to_text(x, fmt, "exact")


def _decimal(x: float) -> str:
    return to_text(x, "binary64", "exact") if np.isfinite(x) else str(x)


def _name(fmt: Format) -> str:
    """The name of a format, with the layout if it is our own."""
    layout = f" (1 sign bit, {fmt.exponent_bits} exponent bits, {fmt.trailing_bits} trailing bits)"
    return fmt.name + layout * (fmt == TOY)


def _in(s: Setting) -> str:
    return f"in {_name(s.fmt)} ({s.mode.value})"


def _bits(s: Setting) -> Asked:
    x = _value(s)
    code = exact.encode(x, s.fmt)
    prompt = f"What is the code, in hexadecimal, of {_decimal(x)} in {_name(s.fmt)}?"
    return Asked(prompt, s.fmt.hex_code(code), decoding(code, s.fmt), "code")


def _decode(s: Setting) -> Asked:
    code = exact.encode(_value(s), s.fmt)
    bits = "_".join(s.fmt.bit_fields(code))
    prompt = f"Which number has the bits {bits} (code {s.fmt.hex_code(code)}) in {_name(s.fmt)}?"
    return Asked(prompt, _text(exact.decode(code, s.fmt), s.fmt), decoding(code, s.fmt))


def _round(s: Setting) -> Asked:
    x = _between(s)
    answer = _text(exact.round_to(x, s.fmt, s.mode), s.fmt)
    prompt = f"What is {_decimal(x)} rounded to {_name(s.fmt)} ({s.mode.value})?"
    return Asked(prompt, answer, str(why("rounding", (x,), s.fmt, s.mode)))


def _overflow(s: Setting) -> Asked:
    top, quantum = Fraction(s.fmt.max_finite), Fraction(2) ** (s.fmt.emax - s.fmt.trailing_bits)
    x = float(top + quantum * _pick(s.rng, [Fraction(n, 4) for n in (1, 2, 3, 4, 8)]))
    x *= _pick(s.rng, (1.0, -1.0))
    largest = f"The largest finite number of {_name(s.fmt)} is {_decimal(float(top))}."
    prompt = f"{largest} What is {_decimal(x)} rounded to {s.fmt.name} ({s.mode.value})?"
    answer = _text(exact.round_to(x, s.fmt, s.mode), s.fmt)
    return Asked(prompt, answer, str(why("rounding", (x,), s.fmt, s.mode)))


def _operation_text(a: float, sign: str, b: float) -> str:
    second = _decimal(b)
    return f"{_decimal(a)} {sign} " + (f"({second})" if second.startswith("-") else second)


def _operation(name: str, sign: str) -> Callable[[Setting], Asked]:
    def ask(s: Setting) -> Asked:
        a, b = _value(s), _value(s)
        answer = _text(exact.compute(name, (a, b), s.fmt, s.mode).value, s.fmt)
        prompt = f"What is {_operation_text(a, sign, b)} {_in(s)}?"
        return Asked(prompt, answer, str(why(name, (a, b), s.fmt, s.mode)))

    return ask


def _flags(s: Setting) -> Asked:
    name, sign = _pick(s.rng, (("add", "+"), ("multiply", "*"), ("divide", "/")))
    special = [0.0, float("inf")] if s.fmt.has_infinity else [0.0]
    a, b = (_pick(s.rng, special) if s.rng.random() < 0.2 else _value(s) for _ in range(2))
    raised = exact.compute(name, (a, b), s.fmt, s.mode).flags
    answer = ", ".join(flag for flag in FLAGS if flag in raised) or "none"
    which = f"Which of the flags {', '.join(FLAGS)}"
    prompt = f"{which} does {_operation_text(a, sign, b)} raise {_in(s)}? Write none if it raises none."
    return Asked(prompt, answer, str(why(name, (a, b), s.fmt, s.mode)), "flags")


def _ulp(s: Setting) -> Asked:
    x = _value(s)
    prompt = f"What is the ulp of {_decimal(x)} in {_name(s.fmt)}? You may write a power of two, such as 2^-10."
    return Asked(prompt, _decimal(float(ulp(x, s.fmt))), str(why("ulp", (x,), s.fmt, s.mode)))


def _next(s: Setting) -> Asked:
    x = _value(s)
    answer = _decimal(float(next_up(x, s.fmt)))
    prompt = f"What is the next number of {_name(s.fmt)} above {_decimal(x)}?"
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
    prompt = f"What kind of value has the bits {''.join(s.fmt.bit_fields(code))} in {_name(s.fmt)}?"
    return Asked(prompt, answer, decoding(code, s.fmt), "choice", _CLASSES)


def _absorbed(s: Setting) -> Asked:
    a = abs(_value(s)) or 1.0
    e = int(np.floor(np.log2(float(ulp(a, s.fmt)))))
    b = float(exact.round_to(Fraction(2) ** (e - int(s.rng.integers(0, 4))), s.fmt)) or float(s.fmt.min_subnormal)
    same = exact.add(a, b, s.fmt, s.mode) == a
    prompt = f"Is {_decimal(a)} + {_decimal(b)} = {_decimal(a)} {_in(s)}?"
    return Asked(prompt, YES_NO[not same], str(why("add", (a, b), s.fmt, s.mode)), "choice", YES_NO)


_TEXTS = (
    *("0.1", "0.2", "0.25", "0.375", "0.7", "1.125", "3.3", "5", "17", "100.5"),
    *("0.0625", "257", "2049", "4098", "0.3", "6.5", "33", "1000", "0.001", "0.5"),
)


def _representable(s: Setting) -> Asked:
    text = _pick(s.rng, _TEXTS)
    same = exact.round_to(text, s.fmt) == exact.parse(text)
    solution = str(why("parse", (text,), s.fmt, Rounding.TIES_TO_EVEN))
    return Asked(f"Is {text} exactly a number of {_name(s.fmt)}?", YES_NO[not same], solution, "choice", YES_NO)


def _stagnation(s: Setting) -> Asked:
    term = _pick(s.rng, (1.0, 0.5, 2.0, 0.25))
    sums = np.asarray(cumsum([term] * (2**s.fmt.precision + 2), s.fmt))
    total = float(sums[-1])  # after more terms than there are significands, the sum has stopped or is infinite
    start = f"In {_name(s.fmt)}, with ties to even, s starts at 0, and s = s + {_decimal(term)} is repeated."
    prompt = f"{start} At which value does s stop growing?"
    if not np.isfinite(total):
        return Asked(f"{prompt} It may be inf.", "inf", "s reaches infinity before a term is absorbed")
    return Asked(prompt, _text(total, s.fmt), str(why("add", (total, term), s.fmt, Rounding.TIES_TO_EVEN)))


def _twice(s: Setting) -> Asked:
    fmt = BINARY16 if s.level < 3 else s.fmt
    low = abs(_value(Setting(fmt, s.mode, 2, s.rng)))
    tie = Fraction(float(cases.midpoints([low], fmt)[0]))
    x = tie * (1 + Fraction(1, 2 ** int(_pick(s.rng, (12, 18, 30, 40)))))
    once = exact.round_to(x, fmt)
    twice = exact.round_to(exact.round_to(x, "binary32"), fmt)
    text = f"{_decimal(float(tie))} * (1 + 2^-{(x / tie - 1).denominator.bit_length() - 1})"
    twice_rounded = f"rounding x to binary32 and then to {fmt.name}"
    prompt = f"x = {text}. With ties to even, does {twice_rounded} give the same number as rounding x once?"
    intro = f"once: {float(once)}; through binary32: {float(twice)}\n"
    solution = intro + str(why("rounding", (x,), fmt, Rounding.TIES_TO_EVEN))
    return Asked(prompt, YES_NO[once != twice], solution, "choice", YES_NO)


def _misconception(s: Setting) -> Asked:
    """Answers of a wrong rounder that tell it from the right one and from the other three choices."""
    fmt, mode = s.fmt, Rounding.TIES_TO_EVEN
    x = cases.roundable(fmt)
    wrong = [fault for fault in faults.wrong_rounders(fmt, mode) if fault.rounder]
    order = s.rng.permutation(len(wrong))
    chosen, others = wrong[order[0]], [wrong[i] for i in order[1:4]]
    answers = [np.asarray(fault.answer("rounding", (x,), fmt, mode)) for fault in (chosen, *others)]
    truth = right(x, fmt, mode)
    shown: list[int] = []
    for other in (truth, *answers[1:]):
        found = np.flatnonzero(differs(answers[0], other))
        if not found.size:
            return _misconception(s)
        shown.append(int(found[min(int(s.rng.integers(6)), found.size - 1)]))
    rows = joined(f"{_decimal(float(x[i]))} to {_decimal(float(answers[0][i]))}" for i in dict.fromkeys(shown))
    options = [fault.misconception for fault in (chosen, *others)]
    options = [options[i] for i in s.rng.permutation(4)]
    first = shown[0]
    intro = f"right is: {_decimal(float(x[first]))} to {_decimal(float(truth[first]))}\n"
    solution = intro + str(why("rounding", (float(x[first]),), fmt, mode))
    prompt = f"A function should round to {_name(fmt)}, ties to even. It rounds {rows}. What does it do?"
    return Asked(prompt, chosen.misconception, solution, "choice", tuple(options))


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
    "representable": _representable,
    "stagnation": _stagnation,
    "rounding-twice": _twice,
    "misconception": _misconception,
}
"""Every kind of question by name."""
