"""The kinds of questions: each draws operands and works out the exact answer and its solution.

The numbers are chosen so that a pencil is enough: about one minute a question at level 1, three at levels 2 and 3. A
number is n * 2^k with few bits in n. It is written in decimal if that takes at most five digits, else as n * 2^k. The
exponents stay near 0, except where a question is about the ends of a format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ... import cases, exact, faults
from ...exact import FLAGS, Value
from ...faults.roundings import differs, right
from ...formats import BFLOAT16, BINARY16, E4M3, E5M2, Format, Rounding
from ...wording import joined
from ..grading.why import decoding, why
from .reading import YES_NO
from .written import grouped, odd_and_power, written

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
    """A question before its solution is worked out, which takes longer than all the rest."""

    prompt: str
    answer: str
    solve: Callable[[], Any]
    form: str = "number"
    choices: tuple[str, ...] = ()
    bits: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of question: how it is drawn, what it asks, and how to begin."""

    ask: Callable[[Setting], Asked]
    summary: str
    hint: str


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


# --- numbers --------------------------------------------------------------------------------------------------------


def _pick(rng: Rng, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _between(rng: Rng, low: int, high: int) -> int:
    """A random integer from low to high, both included."""
    return int(rng.integers(low, high + 1))


def _value(s: Setting, bits: int = 24, ends: float = 0.0) -> Fraction:
    """A number of the format other than 0 with at most `bits` bits; with the probability `ends` at an end of its range.

    The exponent of the others is from -3 to 4 in formats of at most 8 bits, else from -6 to 9.
    """
    fmt, rng = s.fmt, s.rng
    low, high = (3, 4) if fmt.width <= 8 else (6, 9)
    n = 2 * _between(rng, 0, 2 ** (_between(rng, 1, min(bits, fmt.precision)) - 1) - 1) + 1
    e = _between(rng, max(fmt.emin, -low), min(fmt.emax, high))
    if rng.random() < ends:
        e = _pick(rng, (fmt.emax - 1, fmt.emin, fmt.emin, fmt.quantum_exponent_min))
    k = max(e - n.bit_length() + 1, fmt.quantum_exponent_min)
    return n * Fraction(2) ** k * _pick(rng, (1, 1, -1))


def _quantum(x: Fraction, fmt: Format) -> Fraction:
    return Fraction(2) ** exact.quantum_exponent(abs(x), fmt)


def _to_round(s: Setting) -> Fraction:
    """Something to round: half of the time a tie, else a quarter or three quarters of an ulp beyond a number."""
    x = _value(s)
    quarters = _pick(s.rng, (2, 2, 1, 3))
    return x + _quantum(x, s.fmt) * Fraction(quarters, 4) * (1 if x > 0 else -1)


# --- words ----------------------------------------------------------------------------------------------------------


def _told(prompt: str, fmt: Format) -> str:
    """A prompt with the fields of its format, so that it can be answered without a table."""
    fields = f"1 sign bit, {fmt.exponent_bits} exponent bits with bias {fmt.bias}, {fmt.trailing_bits} trailing bits"
    return f"{prompt} ({fmt.name}: {fields})"


def _rounded(s: Setting) -> str:
    """The format and the mode, as explanations write them."""
    return f"in {s.fmt.name}, {s.mode.value}"


def _why(task: str, operands: tuple[Value | str, ...], fmt: Format, mode: Rounding) -> Callable[[], Any]:
    """The explanation, worked out when it is needed; it quotes the operands as the question writes them."""
    return lambda: why(task, tuple(x if isinstance(x, str) else written(x) for x in operands), fmt, mode)


def _decoded(code: int, fmt: Format) -> str:
    """How a code is decoded, with the number as a question writes it: of 2^-133, all decimals would be 93 digits."""
    steps, equals, _ = decoding(code, fmt).rpartition(" = ")
    value = exact.decode(code, fmt)
    return f"{steps}{equals}{written(value)}" if exact.is_finite(value) else decoding(code, fmt)


# --- the kinds ------------------------------------------------------------------------------------------------------


def _bits(s: Setting) -> Asked:
    x = _value(s, ends=0.3)
    code = exact.encode(x, s.fmt)
    bits = s.fmt.bits_text(code)
    prompt = f"What is the code, in hexadecimal, of {written(x)} in {s.fmt.name}?"
    return Asked(_told(prompt, s.fmt), s.fmt.hex_code(code), lambda: _decoded(code, s.fmt), "code", bits=bits)


def _decode(s: Setting) -> Asked:
    x = _value(s, ends=0.3)
    code = exact.encode(x, s.fmt)
    bits = s.fmt.bits_text(code)
    prompt = f"Which number has the bits {bits} (code {s.fmt.hex_code(code)}) in {s.fmt.name}?"
    return Asked(_told(prompt, s.fmt), written(x), lambda: _decoded(code, s.fmt))


def _round(s: Setting) -> Asked:
    x = _to_round(s)
    answer = written(exact.round_to(x, s.fmt, s.mode))
    prompt = f"What is {written(x)} {_rounded(s)}?"
    return Asked(_told(prompt, s.fmt), answer, _why("rounding", (x,), s.fmt, s.mode))


def _overflow(s: Setting) -> Asked:
    top, quantum = Fraction(s.fmt.max_finite), Fraction(2) ** (s.fmt.emax - s.fmt.trailing_bits)
    x = (top + quantum * Fraction(_pick(s.rng, (1, 2, 3, 4, 8)), 4)) * _pick(s.rng, (1, -1))
    largest = f"The largest finite number of {s.fmt.name} is {written(top)}."
    answer = written(exact.round_to(x, s.fmt, s.mode))
    prompt = f"{largest} What is {written(x)} {_rounded(s)}?"
    return Asked(_told(prompt, s.fmt), answer, _why("rounding", (x,), s.fmt, s.mode))


SIGNS = {"add": "+", "multiply": "*", "divide": "/"}


def _operation_text(a: Value, name: str, b: Value) -> str:
    return f"{grouped(a) if '^' in written(a) else written(a)} {SIGNS[name]} {grouped(b)}"


def _operands(s: Setting, name: str) -> tuple[Fraction, Fraction]:
    """Operands that a pencil can manage: the second one has few bits, and in a division it is odd and not 1."""
    a = _value(s)
    if name == "add":
        near = exact.exponent_of(abs(a)) - _between(s.rng, 0, s.fmt.precision)
        k = max(near - 2, s.fmt.quantum_exponent_min)
        return a, _pick(s.rng, (1, 3, 5, 7)) * Fraction(2) ** k * _pick(s.rng, (1, -1))
    if name == "multiply":
        return a, _value(s, bits=3 if s.level == 1 else 5)
    return a, _pick(s.rng, (3, 5, 7) if s.level == 1 else (3, 5, 7, 9, 11, 13, 15)) * Fraction(_pick(s.rng, (1, -1)))


def _operation(name: str) -> Callable[[Setting], Asked]:
    def ask(s: Setting) -> Asked:
        for _ in range(4):  # most of the time an exact result would teach nothing
            a, b = _operands(s, name)
            result = exact.compute(name, (a, b), s.fmt, s.mode)
            if result.flags:
                break
        prompt = f"What is {_operation_text(a, name, b)} {_rounded(s)}?"
        return Asked(_told(prompt, s.fmt), written(result.value), _why(name, (a, b), s.fmt, s.mode))

    return ask


def _flags(s: Setting) -> Asked:
    name = _pick(s.rng, ("add", "multiply", "divide"))
    special: list[Value] = [Fraction(0), float("inf")] if s.fmt.has_infinity else [Fraction(0)]
    operands: list[Value] = list(_operands(s, name))
    case = s.rng.random()
    if case < 0.4:
        operands[_between(s.rng, 0, 1)] = _pick(s.rng, special)
    elif case < 0.8:  # near an end of the range, where there is overflow and underflow
        operands[0] = _value(s, ends=1.0)
    if operands[0] != 0 and s.rng.random() < 0.2:
        operands[1] = _pick(s.rng, special)
    a, b = operands
    raised = exact.compute(name, (a, b), s.fmt, s.mode).flags
    answer = ", ".join(flag for flag in FLAGS if flag in raised) or "none"
    which = f"Which of the flags {', '.join(FLAGS)}"
    prompt = f"{which} does {_operation_text(a, name, b)} raise {_rounded(s)}? Write none if it raises none."
    return Asked(_told(prompt, s.fmt), answer, _why(name, (a, b), s.fmt, s.mode), "flags")


def _ulp(s: Setting) -> Asked:
    x = _value(s, ends=0.2)
    prompt = f"What is the ulp of {written(x)} in {s.fmt.name}?"
    return Asked(_told(prompt, s.fmt), written(_quantum(x, s.fmt)), lambda: why("ulp", (x,), s.fmt, s.mode))


def _next(s: Setting) -> Asked:
    x = _value(s, ends=0.2)
    beside = (
        abs(x) - Fraction(2) ** s.fmt.quantum_exponent_min
    )  # in the binade from which x is left when it is negative
    up = x + (_quantum(x, s.fmt) if x > 0 or beside == 0 else _quantum(beside, s.fmt))
    prompt = f"What is the next number above {written(x)} in {s.fmt.name}?"
    answer = exact.round_to(up, s.fmt)  # above max_finite it is infinity
    return Asked(
        _told(prompt, s.fmt), written(answer if up or x > 0 else -0.0), lambda: why("next_up", (x,), s.fmt, s.mode)
    )


_CLASSES = ("zero", "subnormal", "normal", "infinity", "nan")


def _classify(s: Setting) -> Asked:
    code = int(s.rng.integers(2**s.fmt.width))
    if s.rng.random() < 0.6:  # the rare classes
        top = (2**s.fmt.exponent_bits - 1) << s.fmt.trailing_bits
        trailing = int(s.rng.integers(2**s.fmt.trailing_bits))
        code = _pick(s.rng, (top, top | trailing, trailing, 1 << (s.fmt.width - 1)))
    value = exact.decode(code, s.fmt)
    if exact.is_finite(value):
        answer = "zero" if value == 0 else "subnormal" if abs(Fraction(value)) < s.fmt.min_normal else "normal"
    else:
        answer = "nan" if exact.is_nan(value) else "infinity"
    prompt = f"What kind of value has the bits {''.join(s.fmt.bit_fields(code))} in {s.fmt.name}?"
    return Asked(_told(prompt, s.fmt), answer, lambda: _decoded(code, s.fmt), "choice", _CLASSES)


def _absorbed(s: Setting) -> Asked:
    a = abs(_value(s))
    b = max(_quantum(a, s.fmt) / 2 ** _between(s.rng, 0, 2), Fraction(s.fmt.min_subnormal))
    same = exact.add(a, b, s.fmt, s.mode) == a
    prompt = f"Is {_operation_text(a, 'add', b)} = {written(a)} {_rounded(s)}?"
    return Asked(_told(prompt, s.fmt), YES_NO[not same], _why("add", (a, b), s.fmt, s.mode), "choice", YES_NO)


_TEXTS = (
    *("0.1", "0.2", "0.25", "0.375", "0.7", "1.125", "3.3", "5", "17", "100.5"),
    *("0.0625", "257", "2049", "4098", "0.3", "6.5", "33", "1000", "0.001", "0.5"),
)


def _representable(s: Setting) -> Asked:
    n = 2 * _between(s.rng, 0, 2**s.fmt.precision - 1) + 1
    x = Fraction(n, 2 ** _between(s.rng, 0, 4))
    text = _pick(s.rng, (_pick(s.rng, _TEXTS), written(x), written(x)))
    same = exact.round_to(text, s.fmt) == exact.parse(text)
    prompt = f"Is {text} exactly a number of {s.fmt.name}?"
    return Asked(
        _told(prompt, s.fmt), YES_NO[not same], _why("parse", (text,), s.fmt, Rounding.TIES_TO_EVEN), "choice", YES_NO
    )


@lru_cache(maxsize=256)
def _stops_at(term: Fraction, fmt: Format) -> Value:
    """Where s = s + term stands still: found by adding, after fewer terms than there are significands, twice."""
    total: Value = Fraction(0)
    while (following := exact.add(total, term, fmt)) != total:
        total = following
    return total


def _stagnation(s: Setting) -> Asked:
    term = Fraction(2) ** _between(s.rng, -3, 3)
    total = _stops_at(term, s.fmt)
    start = f"In {s.fmt.name}, ties_to_even, s starts at 0, and s = s + {written(term)} is repeated."
    prompt = f"{start} At which value does s stop growing? It may be inf."
    if not exact.is_finite(total):
        return Asked(_told(prompt, s.fmt), "inf", lambda: "s reaches infinity before a term is too small to change it")
    return Asked(_told(prompt, s.fmt), written(total), _why("add", (total, term), s.fmt, Rounding.TIES_TO_EVEN))


def _twice(s: Setting) -> Asked:
    fmt = BINARY16 if s.level < 3 else s.fmt
    a = abs(_value(Setting(fmt, s.mode, 2, s.rng)))
    tie, power = a + _quantum(a, fmt) / 2, _pick(s.rng, (12, 18, 30, 40))
    x = tie * (1 + Fraction(1, 2**power))
    through = exact.round_to(x, "binary32")
    once, twice = exact.round_to(x, fmt), exact.round_to(through, fmt)
    prompt = (
        f"x = {grouped(tie)} * (1 + 2^-{power}). With ties_to_even, does rounding x to binary32 (24 significand "
        f"bits) and then to {fmt.name} give the same number as rounding x to {fmt.name} at once?"
    )
    kept = "keeps" if through == x else "loses"
    intro = f"at once: {written(once)}; through binary32, which {kept} the last bit of x: {written(twice)}\n"

    def solve() -> str:
        return intro + str(why("rounding", (float(x),), fmt, Rounding.TIES_TO_EVEN))

    return Asked(_told(prompt, fmt), YES_NO[once != twice], solve, "choice", YES_NO)


# --- misconceptions -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _wrong_answers(fmt: Format) -> tuple[Any, Any, dict[str, Any]]:
    """Numbers that are short enough to be shown, rounded right, and rounded by each wrong rounder."""
    mode = Rounding.TIES_TO_EVEN
    x = np.array([value for value in cases.roundable(fmt).tolist() if _is_short(value, fmt)])
    wrong = {fault.misconception: fault for fault in faults.wrong_rounders(fmt, mode) if fault.rounder}
    answers = {words: np.asarray(fault.answer("rounding", (x,), fmt, mode)) for words, fault in wrong.items()}
    return x, right(x, fmt, mode), answers


def _is_short(x: float, fmt: Format) -> bool:
    if not np.isfinite(x) or x == 0:
        return True
    n, k = odd_and_power(x)
    return n.bit_length() <= min(fmt.precision + 3, 13) and abs(k) <= max(40, fmt.emax)


def _misconception(s: Setting) -> Asked:
    """Answers of a wrong rounder that tell it from the right one and from the other three choices."""
    x, truth, answers = _wrong_answers(s.fmt)
    shown: list[int] = []
    while not shown:
        options = [list(answers)[i] for i in s.rng.permutation(len(answers))[:4]]
        chosen = _pick(s.rng, options)
        others = [truth, *(answers[option] for option in options if option != chosen)]
        found = [np.flatnonzero(differs(answers[chosen], other))[:6] for other in others]
        if all(rows.size for rows in found):
            shown = [int(_pick(s.rng, rows.tolist())) for rows in found]
    rows = joined(f"{written(x[i])} to {written(answers[chosen][i])}" for i in dict.fromkeys(shown))
    first = shown[0]

    def solve() -> str:
        said = f"right is: {written(x[first])} to {written(truth[first])}\n"
        return said + str(why("rounding", (written(x[first]),), s.fmt, Rounding.TIES_TO_EVEN))

    prompt = f"A function should round to {s.fmt.name}, ties_to_even. It rounds {rows}. What does it do?"
    return Asked(_told(prompt, s.fmt), chosen, solve, "choice", tuple(options))


# --- the table ------------------------------------------------------------------------------------------------------

_SCIENTIFIC = "Write the number in binary as 1.... times 2^e."
_PLACES = "The significand has one bit more than the trailing bits: the bit before the point, which is not stored."
_EXACT_FIRST = "Work out the exact result first. Then round it once: keep as many bits as the format has."

KINDS: dict[str, Kind] = {
    "predict-the-bits": Kind(
        _bits,
        "a number -> its code",
        f"{_SCIENTIFIC} The exponent field is e plus the bias, and the bits after the point follow it. If that field "
        "would be 0 or less, the number is subnormal: the field is 0, and the bits count multiples of 2^(1 - bias).",
    ),
    "decode-the-bits": Kind(
        _decode,
        "bits -> the number",
        "Exponent field E and trailing bits T: (1 + T/2^t) * 2^(E - bias), where t is the number of trailing bits. If "
        "E is 0, the number is (T/2^t) * 2^(1 - bias).",
    ),
    "round-it": Kind(
        _round,
        "a number between two others -> the one that is chosen",
        f"{_SCIENTIFIC} Keep as many bits as the format has. {_PLACES} What was cut off decides: less than half, "
        "half (a tie), or more.",
    ),
    "add": Kind(_operation("add"), "a sum, rounded", f"{_EXACT_FIRST} To add, write both with the same power of two."),
    "multiply": Kind(
        _operation("multiply"), "a product, rounded", f"{_EXACT_FIRST} Multiply the integers, add the exponents."
    ),
    "divide": Kind(
        _operation("divide"),
        "a quotient, rounded",
        f"{_EXACT_FIRST} Divide integers until you have one bit more than you keep; whether there is a remainder "
        "decides ties.",
    ),
    "flags": Kind(
        _flags,
        "an operation -> the flags that it raises",
        "inexact: the result had to be rounded. overflow: it is beyond the largest finite number. underflow: it is "
        "below the smallest normal number, and inexact. divide_by_zero: a finite number other than 0, divided by 0. "
        "invalid: there is no sensible result, as in 0 / 0.",
    ),
    "overflow": Kind(
        _overflow,
        "a number beyond the largest -> what it becomes",
        "Suppose that the format had one more exponent: to which number would this one be rounded? If that is beyond "
        "the largest, there is an overflow. The mode says whether it becomes infinity or the largest.",
    ),
    "ulp": Kind(
        _ulp,
        "a number -> the step to the next one",
        f"{_SCIENTIFIC} One unit in the last place is 2^(e - t), where t is the number of trailing bits. Below the "
        "smallest normal number, e stays at 1 - bias.",
    ),
    "next-number": Kind(
        _next,
        "a number -> the one above it",
        "The next number is one ulp away. Two cases differ: at a power of two the step changes, and above a negative "
        "number lies one that is nearer to zero.",
    ),
    "classify": Kind(
        _classify,
        "bits -> zero, subnormal, normal, infinity or NaN",
        "Look at the exponent field. All zeros: zero or subnormal. All ones: infinity or NaN. The trailing bits tell "
        "which of the two.",
    ),
    "absorbed": Kind(
        _absorbed,
        "does a small term change a sum?",
        "Compare the term with half an ulp of the other number. If it is exactly half, look at the last bit.",
    ),
    "representable": Kind(
        _representable,
        "is a number one of the format?",
        f"Is it an odd integer times a power of two? Then count the bits of the integer. {_PLACES}",
    ),
    "stagnation": Kind(
        _stagnation,
        "where a running sum stands still",
        "The sum stops where the term is half an ulp of it, and ties go back to the even number. But does the format "
        "reach so far?",
    ),
    "rounding-twice": Kind(
        _twice,
        "does a stop at binary32 change the result?",
        "x is a little beyond a tie. Does binary32 keep that little? Count the bits that x needs. If not, the "
        "second rounding sees an exact tie.",
    ),
    "misconception": Kind(
        _misconception,
        "wrong answers -> what the function does",
        "Round the shown numbers yourself, then look for the one that the function gets wrong, and at how it differs.",
    ),
}
"""Every kind of question by name."""
