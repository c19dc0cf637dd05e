"""explain.dot: a sum of products, step by step, in the order of an accumulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .. import accumulators, exact
from ..accumulators import Accumulator, AccumulatorLike
from ..conversion import Generator, Seed, as_generator, same_format
from ..exact import Value, is_finite, is_negative
from ..formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding
from .document import Document
from .html import html_of
from .loops import LOOPS, Log, Step
from .operations import operand
from .records import Number, Operand, Record, RoundingStep
from .rendering import text_of
from .steps import next_draw, ordered, round_step
from .summing import dot_document


@dataclass(frozen=True)
class DotExplanation(Record):
    """Why a dot product is what it is: its steps, each with an explanation of its own.

    Attributes
    ----------
    fmt, mode
        Of operands and result.
    accumulator : str
        How it was summed, such as "Sequential(binary16)".
    a, b : tuple of Operand
    steps : tuple of Step
        In the order of the loop; none for "Exact".
    total : Value
        What the accumulator ends with.
    final : RoundingStep
        Its rounding to `fmt`: "exact" where the accumulator's format is the same.
    result : Number
    flags : tuple of str
        Of all steps, those of operands included.
    exact : Value
        The exact dot product of the rounded operands; nan where there is none.
    best : Number
        That, rounded once: what the `Exact` accumulator gives (to nearest, if the mode is stochastic).
    ulps : Fraction or None
        How far the result is from the exact one, in ulp of `best`; None where one is not finite.
    """

    fmt: Format
    mode: Rounding
    accumulator: str
    a: tuple[Operand, ...]
    b: tuple[Operand, ...]
    steps: tuple[Step, ...]
    total: Value
    final: RoundingStep
    result: Number
    flags: tuple[str, ...]
    exact: Value
    best: Number
    ulps: Fraction | None

    @property
    def document(self) -> Document:
        """The layout that text, terminal and HTML share."""
        return dot_document(self)

    def __str__(self) -> str:
        return text_of(self.document)

    def _repr_html_(self) -> str:
        return html_of(self.document)


# --- the public function --------------------------------------------------------------------------------------------


def dot(
    a: Sequence[Any],
    b: Sequence[Any],
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> DotExplanation:
    """Why the dot product is what `fs.dot` gives, step by step; exact, and always the same result and flags.

    Parameters
    ----------
    a, b : sequence of numbers
        Of one length, at least one term each; each element as for `rounding`.
    fmt, mode, rng
        As for `round_to`. With "stochastic" draws are taken as `fs.dot` takes them by the sequential accumulator.
    accumulator : Accumulator or str, optional
        `Sequential(fmt, mode)` by default; also Fused, Pairwise, Blocked, Kahan and Exact.

    Returns
    -------
    DotExplanation

    Raises
    ------
    ValueError
        For vectors of unequal length or without elements, or an accumulator that does not hold the format.
    TypeError
        For an accumulator whose steps are not defined operation by operation (Blas, TensorCore).

    Examples
    --------
    >>> why = dot([1, 1, 1], [2048, 1, 1], "binary16")
    >>> [(s.name, s.formula, s.why.rounding.rule) for s in why.steps if s.why.operation == "add"]
    [('s1', 's0 + p1', 'tie_to_even'), ('s2', 's1 + p2', 'tie_to_even')]
    >>> float(why.result.value), float(why.exact), why.ulps
    (2048.0, 2050.0, Fraction(1, 1))
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    left, right = _vectors(a, b, fmt)
    operands = [
        tuple(operand(f"{name}{k}", x, fmt, mode, generator) for k, x in enumerate(vector))
        for name, vector in (("a", left), ("b", right))
    ]
    held = [[x.number.value for x in vector] for vector in operands]
    truth = exact_dot(held[0], held[1], mode)
    how = _resolve(accumulator, fmt, mode, generator)
    log = Log(how.fmt, how.mode, generator if accumulator is None else as_generator(how.mode, how.rng))
    total, raised = _summed(how, held[0], held[1], truth, fmt, log)
    rounds_again = how.fmt != fmt or isinstance(how, accumulators.Exact)
    final = round_step(total, fmt, mode, next_draw(generator) if rounds_again else 0)
    best = round_step(truth.value, fmt, Rounding.TIES_TO_EVEN if mode is Rounding.STOCHASTIC else mode).result
    raised = raised.union(final.flags, *(x.rounding.flags for v in operands for x in v if x.rounding))
    return DotExplanation(
        fmt=fmt,
        mode=mode,
        accumulator=_label(how),
        a=operands[0],
        b=operands[1],
        steps=tuple(log.steps),
        total=total,
        final=final,
        result=final.result,
        flags=ordered(raised),
        exact=truth.value,
        best=best,
        ulps=_ulps(final.result, truth.value, fmt),
    )


def _vectors(a: Sequence[Any], b: Sequence[Any], fmt: Format) -> tuple[list[Any], list[Any]]:
    vectors = []
    for name, x in (("a", a), ("b", b)):
        x = getattr(same_format(x, fmt), "values", x)
        if isinstance(x, str) or not hasattr(x, "__len__") or getattr(x, "ndim", 1) != 1:
            raise TypeError(f"{name}={x!r} is no vector; give a list of numbers")
        vectors.append(list(x))
    if len(vectors[0]) != len(vectors[1]) or not vectors[0]:
        raise ValueError(
            f"a has {len(vectors[0])} elements and b has {len(vectors[1])}; give vectors of one length, 1 or more"
        )
    return vectors[0], vectors[1]


def _resolve(accumulator: AccumulatorLike | None, fmt: Format, mode: Rounding, rng: Generator) -> Accumulator:
    how = accumulators.resolve(accumulator, fmt, mode, rng)
    if type(how) not in LOOPS and not isinstance(how, accumulators.Exact):
        known = ", ".join(sorted([one.__name__ for one in LOOPS] + ["Exact"]))
        raise TypeError(f"accumulator={type(how).__name__} is not a loop of rounded operations; use one of {known}")
    return how


def _label(how: Accumulator) -> str:
    block = f", block={how.block}" if isinstance(how, accumulators.Blocked) else ""
    return f"{type(how).__name__}({how.fmt}{block})"


def _summed(
    how: Accumulator, a: list[Value], b: list[Value], truth: exact.Result, fmt: Format, log: Log
) -> tuple[Value, frozenset[str]]:
    """What the accumulator ends with, and the flags of its steps, which are put into the log."""
    if isinstance(how, accumulators.Exact):
        return truth.value, truth.flags
    total = LOOPS[type(how)](log, *_as_operands(a, b, fmt, log), how)
    return total, frozenset[str]().union(*(step.why.flags for step in log.steps))


def _as_operands(a: list[Value], b: list[Value], fmt: Format, log: Log) -> tuple[list[Value], list[Value]]:
    """The operands as the accumulator's format takes them: it may flush subnormals that `fmt` has."""
    own = log.fmt
    if own == fmt or (own.subnormals is Subnormals.GRADUAL and not own.saturate):
        return a, b

    def taken(vector: list[Value]) -> list[Value]:
        return [exact.round_operand(x, own, log.mode, next_draw(log.rng)).value for x in vector]

    return taken(a), taken(b)


def exact_dot(a: Sequence[Value], b: Sequence[Value], mode: Rounding) -> exact.Result:
    """The sum of the products without any rounding; an exact zero has the sign that IEEE 754 gives a sum."""
    operands = [*a, *b]
    if any(map(exact.is_nan, operands)):
        return exact.Result(exact.NAN)
    terms = [exact.OPERATIONS["multiply"](mode, x, y).value for x, y in zip(a, b, strict=True)]
    infinities = {x for x in terms if not is_finite(x) and not exact.is_nan(x)}
    if any(map(exact.is_nan, terms)) or len(infinities) > 1:
        return exact.Result(exact.NAN, frozenset({"invalid"}))
    if infinities:
        return exact.Result(infinities.pop())
    total = sum((Fraction(x) for x in terms), Fraction(0))
    if total:
        return exact.Result(total)
    signs = [is_negative(x) for x in terms]
    return exact.Result(-0.0 if (any(signs) if mode is Rounding.TOWARD_NEGATIVE else all(signs)) else Fraction(0))


def _ulps(result: Number, truth: Value, fmt: Format) -> Fraction | None:
    if not (is_finite(result.value) and is_finite(truth)):
        return None
    if truth == 0:
        return Fraction(0) if result.value == 0 else None
    q = exact.quantum_exponent(abs(Fraction(truth)), fmt)
    return abs(Fraction(result.value) - Fraction(truth)) / Fraction(2) ** q
