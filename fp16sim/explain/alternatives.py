"""What the other modes would have given, and what a wider intermediate format would have given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from .. import exact
from ..exact import Value
from ..exact.codes import encode_held
from ..formats import BINARY32, BINARY64, Format, Rounding
from .records import Operand, Record, ordered_flags


@dataclass(frozen=True)
class Outcome(Record):
    """One result that a mode may give, and its probability (1 except in stochastic rounding)."""

    code: int
    value: Value
    probability: Fraction


@dataclass(frozen=True)
class ModeResult(Record):
    """What the operation gives in a mode, with its operands rounded in that mode too; flags are None for stochastic."""

    mode: Rounding
    outcomes: tuple[Outcome, ...]
    flags: tuple[str, ...] | None

    @property
    def mean(self) -> Fraction | None:
        """The mean of the results, exactly; None if one is infinite or NaN."""
        if not all(exact.is_finite(outcome.value) for outcome in self.outcomes):
            return None
        return sum((outcome.probability * Fraction(outcome.value) for outcome in self.outcomes), Fraction(0))


@dataclass(frozen=True)
class Detour(Record):
    """The same operation, rounded twice: computed to nearest in a wider format, as hardware does, and rounded again.

    Attributes
    ----------
    via : str
        "binary32" or "binary64"; or "two roundings" for an fma whose product is rounded.
    between : Value
        The intermediate result.
    code, value
        What it is rounded to.
    differs : bool
        Whether that code differs from the code of the result.
    """

    via: str
    between: Value
    code: int
    value: Value
    differs: bool


# Not 32-bit draws: with them (draw + 1/2) / 2^32 is below, or above, every fraction in (0, 1).
ALWAYS_UP, ALWAYS_DOWN = -1, 1 << 32


def _compute(
    operation: str, values: Sequence[Value], fmt: Format, mode: Rounding, draw: int = 0, tininess: str = "after"
) -> exact.Result:
    """The result of an operation, or of rounding alone ("round"), on values of the format."""
    if operation == "round":
        return exact.round_operand(values[0], fmt, mode, draw, tininess)
    return exact.operate(operation, tuple(values), fmt, mode, draw, tininess)


def mode_results(
    operation: str, given: Sequence[Value], fmt: Format, tininess: str = "after", chosen: Rounding | None = None
) -> tuple[ModeResult, ...]:
    """What every mode gives, in the order of `Rounding`; then the `chosen` one, if it has few random bits."""
    more = () if chosen is None or chosen.random_bits is None else (chosen,)
    return tuple(
        ModeResult(mode, *_outcomes(operation, given, fmt, mode))
        if mode.random
        else _single(operation, given, fmt, mode, tininess)
        for mode in (*Rounding, *more)
    )


def _single(operation: str, given: Sequence[Value], fmt: Format, mode: Rounding, tininess: str) -> ModeResult:
    if operation == "round":
        result = _compute(operation, given, fmt, mode, 0, tininess)
        flags = result.flags
    else:
        parts = [exact.round_operand(x, fmt, mode, 0, tininess) for x in given]
        result = _compute(operation, [part.value for part in parts], fmt, mode, 0, tininess)
        flags = result.flags.union(*(part.flags for part in parts))
    outcome = Outcome(encode_held(result.value, fmt), result.value, Fraction(1))
    return ModeResult(mode, (outcome,), ordered_flags(flags))


def _outcomes(operation: str, given: Sequence[Value], fmt: Format, mode: Rounding) -> tuple[tuple[Outcome, ...], None]:
    """All results that a stochastic mode may give, with exact probabilities: each rounding is drawn on its own."""
    chances: dict[int, Fraction] = {}
    operands = [((x, Fraction(1)),) if operation == "round" else tuple(_draws("round", (x,), fmt, mode)) for x in given]
    for combination in product(*operands):
        before = Fraction(1)
        for _, chance in combination:
            before *= chance
        for value, chance in _draws(operation, [x for x, _ in combination], fmt, mode):
            code = encode_held(value, fmt)
            chances[code] = chances.get(code, Fraction(0)) + before * chance
    found = (Outcome(code, exact.decode(code, fmt), chance) for code, chance in chances.items())
    return tuple(sorted(found, key=lambda outcome: (-outcome.probability, outcome.code))), None


def _draws(operation: str, values: Sequence[Value], fmt: Format, mode: Rounding) -> Iterator[tuple[Value, Fraction]]:
    """The two results of a stochastic rounding and their probabilities; one result if nothing is cut off."""
    low, high = (_compute(operation, values, fmt, mode, draw).value for draw in (ALWAYS_DOWN, ALWAYS_UP))
    if encode_held(low, fmt) == encode_held(high, fmt):
        yield low, Fraction(1)
        return
    x = values[0] if operation == "round" else exact.OPERATIONS[operation](mode, *values).value
    magnitude = abs(Fraction(x))
    scaled = magnitude / Fraction(2) ** exact.quantum_exponent(magnitude, fmt)
    up = exact.chance_of_up(scaled - scaled.numerator // scaled.denominator, mode)
    yield from ((value, chance) for value, chance in ((low, 1 - up), (high, up)) if chance)


def detours(
    operation: str,
    values: Sequence[Value],
    fmt: Format,
    mode: Rounding,
    result: Value,
    operands: Sequence[Operand] = (),
) -> tuple[Detour, ...]:
    """The same operation computed to nearest in binary32 and in binary64, as hardware does, then rounded to the format.

    Empty for stochastic rounding, where two results may differ though neither is wrong. A format is left out if it
    already contains the source of a conversion.
    """
    if mode.random:
        return ()
    sources = [x.number.fmt for x in operands if x.number.fmt != fmt]
    found = []
    for via in (BINARY32, BINARY64):
        if fmt.fits_in(via) and fmt.precision < via.precision and not any(s.fits_in(via) for s in sources):
            between = _compute(operation, values, via, Rounding.TIES_TO_EVEN).value
            found.append(_detour(via.name, between, operation, fmt, mode, result))
    if operation == "fma":
        rounded = _compute("multiply", values[:2], fmt, mode).value
        total = _compute("add", (rounded, values[2]), fmt, mode).value
        found.append(Detour("two roundings", rounded, *_coded(total, fmt, result)))
    return tuple(found)


def _detour(via: str, between: Value, operation: str, fmt: Format, mode: Rounding, result: Value) -> Detour:
    judge = exact.round_operand if operation == "round" else exact.round_result
    value = judge(between, fmt, mode).value
    return Detour(via, between, *_coded(value, fmt, result))


def _coded(value: Value, fmt: Format, result: Value) -> tuple[int, Value, bool]:
    code = encode_held(value, fmt)
    return code, value, code != encode_held(result, fmt)
