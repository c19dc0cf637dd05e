"""explain.dot and explain.total: a sum of products or of numbers, step by step, in the order of an accumulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from .. import accumulators, exact
from ..accumulators import Accumulator, AccumulatorLike
from ..arrays.floatarray import FloatArray
from ..conversion import Array, Generator, Seed, as_generator, same_format
from ..exact import Value, is_finite, is_negative
from ..formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding, quoted
from .alignment import Alignment, align
from .basic_operations import converted, explain_rounding, operate_on
from .decoding import Given, NumberLike, read
from .explanation import Explanation
from .functions import FunctionExplanation
from .records import Number, Operand, Record, RoundingStep, ordered_flags
from .rendering import Shown
from .rounding_step import next_draw, round_step
from .value_text import short_text

VectorLike: TypeAlias = Sequence[NumberLike] | Array | FloatArray
"""A vector, as a user gives it."""


@dataclass(frozen=True)
class Step(Record):
    """One rounded operation of a loop.

    Attributes
    ----------
    name : str
        The loop's name for its result: "p0" (a product), "s1" (a partial sum), ...; "a0" for an operand that the
        accumulator's format changes.
    formula : str
        In the loop's own names, such as "s0 + p1".
    why : Explanation or FunctionExplanation
    """

    name: str
    formula: str
    why: Explanation | FunctionExplanation

    @property
    def absorbs(self) -> bool:
        """Whether this is an addition that leaves the sum as it was, though the addend is not 0."""
        return (
            isinstance(self.why, Explanation) and self.why.operation in ("add", "fma") and self.why.absorbed is not None
        )

    @property
    def error(self) -> Fraction | None:
        """What the rounding of this step adds to its exact result; None if one of them is not finite."""
        exactly = self.why.value if isinstance(self.why, FunctionExplanation) else self.why.exact.value
        result = self.why.result.value
        if not (is_finite(exactly) and is_finite(result)):
            return None
        return Fraction(result) - Fraction(exactly)


Reduction: TypeAlias = Literal["dot", "sum", "mean", "norm"]


@dataclass(frozen=True, repr=False)
class DotExplanation(Shown, Record):
    """Why a dot product, sum, mean or norm is what it is: its steps, each with an explanation of its own.

    Attributes
    ----------
    fmt, mode
        Of operands and result.
    accumulator : str
        How it was summed, such as "Sequential(binary16)".
    a, b : tuple of Operand
        b is empty but for "dot".
    steps : tuple of Step
        In the order of the loop; empty for "Exact".
    total : Value
        The accumulator's last value.
    final : RoundingStep
        Its rounding to `fmt`; the rule is "exact" if the accumulator's format is the same.
    result : Number
    flags : tuple of str
        Raised by any step, the rounding of operands included.
    exact : Value
        The exact result for the rounded operands; nan if it is undefined. (An irrational norm: 320 bits of it.)
    best : Number
        That, rounded once: what the `Exact` accumulator gives (to nearest, if the mode is stochastic).
    ulps : Fraction or None
        The error of the result, in ulp of the exact one; None if one of them is not finite.
    operation : str
        "dot", "sum", "mean" or "norm".
    alignment : Alignment or None
        What a matrix unit did, in place of steps; None for other accumulators.
    c : Operand or None
        What a matrix unit's sum started from, if that was given.
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
    operation: Reduction = "dot"
    alignment: Alignment | None = None
    c: Operand | None = None

    @property
    def absorbed(self) -> tuple[Step, ...]:
        """The additions that leave the sum as it was, though the addend is not 0, in the order of the loop."""
        return tuple(step for step in self.steps if step.absorbs)

    @property
    def worst(self) -> Step | None:
        """The first step whose result is not finite, or else the one with the largest error; None if all are exact."""
        return worst_of(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The fields, the names of the steps that absorb an addend, and that of the worst step, ready for JSON."""
        more = {"absorbed": [step.name for step in self.absorbed], "worst": self.worst.name if self.worst else None}
        return super().to_dict() | more


def worst_of(steps: Sequence[Step]) -> Step | None:
    """The first step whose result is not finite, or else the one with the largest error; None if all are exact."""
    for step in steps:
        if not is_finite(step.why.result.value):
            return step
    rounded = [step for step in steps if step.error]
    return max(rounded, key=lambda step: abs(step.error or Fraction(0)), default=None)


def dot(
    a: VectorLike,
    b: VectorLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    c: NumberLike | None = None,
    rng: Seed = None,
) -> DotExplanation:
    """Why the dot product is what `fs.dot` gives, step by step: exact, with the same result and flags.

    Parameters
    ----------
    a, b : sequence of numbers
        Of the same length, with one element or more; each element as for `rounding`.
    fmt, mode, rng
        As for `round_to`. With "stochastic", random bits are drawn in the order of `fs.dot`'s sequential accumulator.
    accumulator : Accumulator or str, optional
        `Sequential(fmt, mode)` by default; Fused, Pairwise, Blocked, Kahan and Exact are explained too, and NVIDIA's
        matrix units ("hopper"): how terms are aligned, what is cut off, and which order would change the result.
    c : number, optional
        What the sum of a matrix unit starts from, rounded to the format of its sums.

    Returns
    -------
    DotExplanation

    Raises
    ------
    ValueError
        For vectors of different lengths or without elements, an accumulator whose format is narrower than `fmt`, and
        `c` with an accumulator that is no matrix unit.
    TypeError
        For an accumulator whose steps are not defined operation by operation (Blas), and matrix units of AMD.

    Examples
    --------
    >>> why = dot([1, 1, 1], [2048, 1, 1], "binary16")
    >>> [(s.name, s.formula, s.why.rounding.rule) for s in why.steps if s.why.operation == "add"]
    [('s1', 's0 + p1', 'tie_to_even'), ('s2', 's1 + p2', 'tie_to_even')]
    >>> float(why.result.value), float(why.exact), why.ulps
    (2048.0, 2050.0, Fraction(1, 1))
    """
    return _explained("dot", (a, b), fmt, mode, accumulator, rng, c)


def total(
    x: VectorLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    operation: Reduction = "sum",
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> DotExplanation:
    """Why a sum, mean or norm is what `fs.sum`, `fs.mean` or `fs.norm` gives, step by step: exact, with the same flags.

    Parameters
    ----------
    x : sequence of numbers
        One or more; each as for `rounding`.
    operation : {"sum", "mean", "norm"}
    fmt, mode, accumulator, rng
        As for `dot`.

    Returns
    -------
    DotExplanation

    Raises
    ------
    ValueError, TypeError
        As `dot` does.

    Examples
    --------
    >>> why = total([2048, 1, 1], "binary16")
    >>> [(s.name, s.formula, float(s.why.result.value)) for s in why.steps]
    [('s1', 'x0 + x1', 2048.0), ('s2', 's1 + x2', 2048.0)]
    """
    if operation not in ("sum", "mean", "norm"):
        raise ValueError(f"operation={quoted(operation)} is unknown; use 'sum', 'mean' or 'norm'")
    return _explained(operation, (x,), fmt, mode, accumulator, rng)


def _explained(
    operation: Reduction,
    vectors: tuple[VectorLike, ...],
    fmt: FormatLike,
    mode: Rounding | str,
    accumulator: AccumulatorLike | None,
    rng: Seed,
    c: NumberLike | None = None,
) -> DotExplanation:
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    names = "ab" if operation == "dot" else "x"
    operands = [
        tuple(converted(f"{name}{k}", read(x, fmt), fmt, mode, generator) for k, x in enumerate(vector))
        for name, vector in zip(names, read_vectors(names, vectors, fmt), strict=True)
    ]
    return summed(operation, operands, fmt, mode, accumulator, generator, c)


def summed(
    operation: Reduction,
    operands: Sequence[tuple[Operand, ...]],
    fmt: Format,
    mode: Rounding,
    accumulator: AccumulatorLike | None,
    generator: Generator,
    c: NumberLike | None = None,
) -> DotExplanation:
    """The explanation for operands that are already rounded."""
    left, right = _factors(operation, [[x.number.value for x in vector] for vector in operands])
    how = _resolve(accumulator, fmt, mode, generator)
    start = None if c is None else _start(c, how)
    first = [] if start is None else [start.number.value]
    truth = _exact_dot([*first, *left], [*(Fraction(1) for _ in first), *right], mode)
    truth = _finish_exactly(operation, truth, len(left))
    log = Log(how.fmt, how.mode, generator if accumulator is None else as_generator(how.mode, how.rng), operation)
    alignment, total, raised = _summed(how, left, right, first, truth, fmt, log)
    rounds_again = how.fmt != fmt or isinstance(how, accumulators.Exact)
    final = round_step(total, fmt, mode, next_draw(generator) if rounds_again else 0)
    best = round_step(truth.value, fmt, Rounding.TIES_TO_EVEN if mode.random else mode).result
    given = [x for vector in (*operands, [start] if start else []) for x in vector]
    raised = raised.union(final.flags, *(x.rounding.flags for x in given if x.rounding))
    return DotExplanation(
        fmt=fmt,
        mode=mode,
        accumulator=_label(how),
        a=operands[0],
        b=operands[1] if operation == "dot" else (),
        steps=tuple(log.steps),
        total=total,
        final=final,
        result=final.result,
        flags=ordered_flags(raised),
        exact=truth.value,
        best=best,
        ulps=error_in_ulps(final.result, truth.value, fmt),
        operation=operation,
        alignment=alignment,
        c=start,
    )


def _factors(operation: Reduction, vectors: list[list[Value]]) -> tuple[list[Value], list[Value]]:
    """Both vectors of a dot product; a norm multiplies a vector by itself, and a sum by ones, which changes nothing."""
    x = vectors[0]
    return x, vectors[1] if operation == "dot" else x if operation == "norm" else [Fraction(1)] * len(x)


def _finish_exactly(operation: Reduction, found: exact.Result, count: int) -> exact.Result:
    """The exact mean or norm from the exact sum."""
    if exact.is_nan(found.value):
        return found
    if operation == "mean":
        return exact.OPERATIONS["divide"](Rounding.TIES_TO_EVEN, found.value, Fraction(count))
    return exact.OPERATIONS["sqrt"](Rounding.TIES_TO_EVEN, found.value) if operation == "norm" else found


def read_vectors(names: str, given: Sequence[VectorLike], fmt: Format) -> list[list[NumberLike]]:
    """The elements of each vector; ValueError or TypeError where one is no vector, or they differ in length."""
    vectors = []
    for name, x in zip(names, given, strict=True):
        x = getattr(same_format(x, fmt), "values", x)
        if isinstance(x, str) or not hasattr(x, "__len__") or getattr(x, "ndim", 1) != 1:
            raise TypeError(f"{name}={quoted(x)} is not a vector; give a list of numbers")
        vectors.append(list(x))
    if len(names) == 1 and not vectors[0]:
        raise ValueError("x has 0 elements; give one or more")
    if len(vectors[0]) != len(vectors[-1]) or not vectors[0]:
        raise ValueError(
            f"a has {len(vectors[0])} elements and b has {len(vectors[1])}; "
            "give vectors of the same length, with one element or more"
        )
    return vectors


def _resolve(accumulator: AccumulatorLike | None, fmt: Format, mode: Rounding, rng: Generator) -> Accumulator:
    how = accumulators.resolve(accumulator, fmt, mode, rng)
    if type(how) not in LOOPS and not isinstance(how, (accumulators.Exact, accumulators.TensorCore)):
        known = ", ".join(sorted([one.__name__ for one in LOOPS] + ["Exact", "TensorCore"]))
        raise TypeError(f"accumulator={type(how).__name__} is not a loop of rounded operations; use one of {known}")
    return how


def _start(c: NumberLike, how: Accumulator) -> Operand:
    """What a matrix unit starts from, in the format of its sums."""
    if not isinstance(how, accumulators.TensorCore):
        raise ValueError(f"c={quoted(c)}: only a matrix unit has a sum to start from; use accumulator='hopper'")
    nearest = Rounding.TIES_TO_EVEN
    return converted("c", read(c, how.fmt), how.fmt, nearest, as_generator(nearest, None))


def _label(how: Accumulator) -> str:
    if isinstance(how, accumulators.TensorCore):
        return f"TensorCore({how.generation}, {how.fmt})"
    block = f", block={how.block}" if isinstance(how, accumulators.Blocked) else ""
    return f"{type(how).__name__}({how.fmt}{block})"


def _exact_dot(a: Sequence[Value], b: Sequence[Value], mode: Rounding) -> exact.Result:
    """The sum of the products without any rounding; an exact zero has the sign that IEEE 754 gives a sum."""
    if any(map(exact.is_nan, [*a, *b])):
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


def error_in_ulps(result: Number, truth: Value, fmt: Format) -> Fraction | None:
    """The distance between the two in ulp of the exact one; None if one of them is not finite."""
    if not (is_finite(result.value) and is_finite(truth)):
        return None
    if truth == 0:
        return Fraction(0) if result.value == 0 else None
    q = exact.quantum_exponent(abs(Fraction(truth)), fmt)
    return abs(Fraction(result.value) - Fraction(truth)) / Fraction(2) ** q


# --- the loops of the accumulators ------------------------------------------------------------------------------------


@dataclass
class Log:
    """The steps so far, and what the next one needs."""

    fmt: Format
    mode: Rounding
    rng: Generator
    reduction: Reduction = "dot"
    steps: list[Step] = field(default_factory=list)

    def do(self, operation: str, name: str, formula: str, *values: Value) -> Value:
        """Take a step, record it, and return its result; a sum has no products."""
        if self.reduction in ("sum", "mean"):
            if operation == "multiply":
                return values[0]
            if operation == "fma":
                operation, values = "add", (values[0], values[2])
            formula = re.sub(r"a(\d+) × b\1|p(\d+)|s(0)(?![.\d])", lambda m: f"x{m[1] or m[2] or m[3]}", formula)
        elif self.reduction == "norm":
            formula = re.sub(r"\b[ab](\d+)", r"x\1", formula)
        operands = tuple(self._operand(label, x) for label, x in zip("abc", values, strict=False))
        why = operate_on(operation, operands, self.fmt, self.mode, next_draw(self.rng))
        self.steps.append(Step(name, formula, why))
        return why.result.value

    def take(self, name: str, x: Value) -> Value:
        """An operand as the loop's format takes it: a step of its own, if that changes it."""
        why = explain_rounding("round", Given(short_text(x), x), self.fmt, self.mode, self.rng)
        if why.rounding.changes:
            self.steps.append(Step(name, f"{name} in {self.fmt}", why))
        return why.result.value

    def _operand(self, label: str, x: Value) -> Operand:
        return Operand(label, short_text(x), x, None, round_step(x, self.fmt, self.mode).result)

    def products(self, a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
        """All products, before any sum."""
        return [self.do("multiply", f"p{k}", f"a{k} × b{k}", x, y) for k, (x, y) in enumerate(zip(a, b, strict=True))]

    def chain(self, named: Sequence[tuple[str, Value]], prefix: str) -> tuple[str, Value]:
        """The sum of named terms, one after the other, and its name."""
        name, total = named[0]
        for k, (other, x) in enumerate(named[1:], 1):
            total = self.do("add", f"{prefix}{k}", f"{name} + {other}", total, x)
            name = f"{prefix}{k}"
        return name, total


def _summed(
    how: Accumulator, a: list[Value], b: list[Value], c: list[Value], truth: exact.Result, fmt: Format, log: Log
) -> tuple[Alignment | None, Value, frozenset[str]]:
    """A matrix unit's alignment, the last value, and the flags of the steps; the steps are put into the log."""
    if isinstance(how, accumulators.TensorCore):
        alignment, total, raised = align(how, a, b, *(c or [Fraction(0)]))
        return alignment, _finished(log, total, len(a)), raised
    if isinstance(how, accumulators.Exact):
        return None, truth.value, truth.flags
    total = _finished(log, LOOPS[type(how)](log, *_as_operands(a, b, fmt, log), how), len(a))
    return None, total, frozenset[str]().union(*(step.why.flags for step in log.steps))


def _as_operands(a: list[Value], b: list[Value], fmt: Format, log: Log) -> tuple[list[Value], list[Value]]:
    """The operands as the accumulator's format takes them: it may flush subnormals of `fmt`."""
    own = log.fmt
    if own == fmt or (own.subnormals is Subnormals.GRADUAL and not own.saturate):
        return a, b

    left = [log.take(f"{'a' if log.reduction == 'dot' else 'x'}{k}", x) for k, x in enumerate(a)]
    if log.reduction != "dot":
        return left, left if log.reduction == "norm" else b
    return left, [log.take(f"b{k}", x) for k, x in enumerate(b)]


def _finished(log: Log, total: Value, count: int) -> Value:
    """The quotient of a mean, or the root of a norm, in the accumulator's format."""
    if log.reduction == "mean":
        return log.do("divide", "mean", f"sum / {count}", total, log.take("n", Fraction(count)))
    return log.do("sqrt", "norm", "sqrt(sum)", total) if log.reduction == "norm" else total


def _sequential(log: Log, a: Sequence[Value], b: Sequence[Value], how: Accumulator) -> Value:
    total = log.do("multiply", "s0", "a0 × b0", a[0], b[0])
    for k in range(1, len(a)):
        p = log.do("multiply", f"p{k}", f"a{k} × b{k}", a[k], b[k])
        total = log.do("add", f"s{k}", f"s{k - 1} + p{k}", total, p)
    return total


def _fused(log: Log, a: Sequence[Value], b: Sequence[Value], how: Accumulator) -> Value:
    total = log.do("multiply", "s0", "a0 × b0", a[0], b[0])
    for k in range(1, len(a)):
        total = log.do("fma", f"s{k}", f"a{k} × b{k} + s{k - 1}", a[k], b[k], total)
    return total


def _pairwise(log: Log, a: Sequence[Value], b: Sequence[Value], how: Accumulator) -> Value:
    terms = log.products(a, b)

    def half(low: int, high: int) -> tuple[str, Value]:
        if high - low == 1:
            return f"p{low}", terms[low]
        middle = low + (high - low) // 2
        (left, x), (right, y) = half(low, middle), half(middle, high)
        name = f"s{low}..{high - 1}"
        return name, log.do("add", name, f"{left} + {right}", x, y)

    return half(0, len(terms))[1]


def _blocked(log: Log, a: Sequence[Value], b: Sequence[Value], how: accumulators.Blocked) -> Value:
    named = [(f"p{k}", p) for k, p in enumerate(log.products(a, b))]
    blocks = [named[k : k + how.block] for k in range(0, len(named), how.block)]
    return log.chain([log.chain(block, f"b{k}.") for k, block in enumerate(blocks)], "s")[1]


def _kahan(log: Log, a: Sequence[Value], b: Sequence[Value], how: Accumulator) -> Value:
    terms = log.products(a, b)
    s: Value = terms[0]
    lost: Value = Fraction(0)
    name = "p0"
    for k in range(1, len(terms)):
        y = log.do("subtract", f"y{k}", f"p{k} - lost{k - 1}", terms[k], lost)
        t = log.do("add", f"s{k}", f"{name} + y{k}", s, y)
        u = log.do("subtract", f"u{k}", f"s{k} - {name}", t, s)
        lost = log.do("subtract", f"lost{k}", f"u{k} - y{k}", u, y)
        s, name = t, f"s{k}"
    return s


LOOPS: dict[type[Accumulator], Callable[[Log, Sequence[Value], Sequence[Value], Any], Value]] = {
    accumulators.Sequential: _sequential,
    accumulators.Fused: _fused,
    accumulators.Pairwise: _pairwise,
    accumulators.Blocked: _blocked,
    accumulators.Kahan: _kahan,
}
