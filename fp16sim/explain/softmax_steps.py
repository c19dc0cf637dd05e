"""explain.softmax: differences from the largest number, exponentials, their sum, and the quotients, step by step."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from fractions import Fraction
from typing import Any

from .. import exact
from ..accumulators import AccumulatorLike
from ..conversion import Seed, as_generator, check_fits
from ..exact import Value, is_finite
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding
from .basic_operations import converted, operate_on
from .decoding import read
from .dot_product import DotExplanation, Step, VectorLike, error_in_ulps, read_vectors, summed, worst_of
from .functions import function_on
from .records import Number, Operand, Record, ordered_flags
from .rendering import Shown
from .rounding_step import next_draw
from .value_text import short_text

DIGITS = 50
"""Decimal digits of the exact probabilities."""


@dataclass(frozen=True, repr=False)
class SoftmaxExplanation(Shown, Record):
    """Why the probabilities are what they are: each rounded step of each of them.

    Attributes
    ----------
    fmt, mode
        Of operands and results.
    shift : bool
        Whether the largest number is subtracted first.
    x : tuple of Operand
    largest : Number
        The largest number of x, which needs no rounding.
    differences : tuple of Step
        "d0" = x0 - max, ...; empty without a shift.
    exponentials : tuple of Step
        "e0" = exp(d0), ...
    sum : DotExplanation
        Of the exponentials, by the accumulator.
    quotients : tuple of Step
        "y0" = e0 / sum, ...
    results : tuple of Number
        The probabilities.
    flags : tuple of str
        Raised by any step, the rounding of operands included.
    exact : tuple of Value
        The softmax of the rounded operands to 50 digits; nan if it is undefined.
    ulps : tuple of (Fraction or None)
        The error of each result, in ulp of the exact one; None if one of them is not finite.
    """

    fmt: Format
    mode: Rounding
    shift: bool
    x: tuple[Operand, ...]
    largest: Number
    differences: tuple[Step, ...]
    exponentials: tuple[Step, ...]
    sum: DotExplanation
    quotients: tuple[Step, ...]
    results: tuple[Number, ...]
    flags: tuple[str, ...]
    exact: tuple[Value, ...]
    ulps: tuple[Fraction | None, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order in which arrays compute them."""
        return (*self.differences, *self.exponentials, *self.sum.steps, *self.quotients)

    @property
    def vanished(self) -> tuple[int, ...]:
        """The places whose probability is 0, though the exact one is not."""
        pairs = zip(self.results, self.exact, strict=True)
        return tuple(k for k, (y, truth) in enumerate(pairs) if y.value == 0 and truth != 0)

    @property
    def worst(self) -> Step | None:
        """The first step whose result is not finite, or else the one with the largest error; None if all are exact."""
        return worst_of(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The fields, the places that vanished, and the name of the worst step, ready for JSON."""
        return super().to_dict() | {"vanished": list(self.vanished), "worst": self.worst.name if self.worst else None}


def softmax(
    x: VectorLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    shift: bool = True,
    rng: Seed = None,
) -> SoftmaxExplanation:
    """Why e^x / sum(e^x) has the probabilities it has: every step rounded, as `fs.learn`'s softmax rounds it.

    Parameters
    ----------
    x : sequence of numbers
        The logits: one or more; each as for `rounding`.
    fmt, mode, rng
        As for `round_to`; the format fits in binary64.
    accumulator : Accumulator or str, optional
        How the exponentials are added: as for `dot`.
    shift : bool
        Whether the largest number is subtracted before exp, so that no exponential overflows. False explains the
        formula as it stands in books.

    Returns
    -------
    SoftmaxExplanation

    Raises
    ------
    ValueError, TypeError
        As `dot` does; ValueError for a format that binary64 does not hold.

    Examples
    --------
    >>> why = softmax([0, 18, 5], "binary16")
    >>> [float(y.value) for y in why.results], why.vanished
    ([0.0, 1.0, 2.2649765014648438e-06], (0,))
    >>> naive = softmax([12, 11], "binary16", shift=False)
    >>> naive.worst.formula, float(naive.results[0].value)
    ('exp(x0)', nan)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_fits(fmt)
    generator = as_generator(mode, rng)
    (given,) = read_vectors("x", (x,), fmt)
    operands = tuple(converted(f"x{k}", read(one, fmt), fmt, mode, generator) for k, one in enumerate(given))
    largest = _largest(operands)
    differences: tuple[Step, ...] = ()
    if shift:
        differences = tuple(
            Step(f"d{k}", f"x{k} - max", operate_on("subtract", (_of("a", one), _of("b", largest)), fmt, mode, draw))
            for k, (one, draw) in enumerate((one.number, next_draw(generator)) for one in operands)
        )
    inside = [step.why.result for step in differences] or [one.number for one in operands]
    letter = "d" if shift else "x"
    exponentials = tuple(
        Step(f"e{k}", f"exp({letter}{k})", function_on("exp", _of("x", one), fmt, mode, next_draw(generator)))
        for k, one in enumerate(inside)
    )
    terms = tuple(_of(step.name, step.why.result) for step in exponentials)
    total = _renamed(summed("sum", [terms], fmt, mode, accumulator, generator))
    quotients = tuple(
        Step(f"y{k}", f"e{k} / sum", operate_on("divide", (one, _of("b", total.result)), fmt, mode, draw))
        for k, (one, draw) in enumerate((_of("a", e.number), next_draw(generator)) for e in terms)
    )
    results = tuple(step.why.result for step in quotients)
    truth = _exactly([one.number.value for one in operands])
    raised = set(total.flags).union(*(step.why.flags for step in (*differences, *exponentials, *quotients)))
    return SoftmaxExplanation(
        fmt=fmt,
        mode=mode,
        shift=shift,
        x=operands,
        largest=largest,
        differences=differences,
        exponentials=exponentials,
        sum=total,
        quotients=quotients,
        results=results,
        flags=ordered_flags(raised.union(*(one.rounding.flags for one in operands if one.rounding))),
        exact=truth,
        ulps=tuple(error_in_ulps(y, t, fmt) for y, t in zip(results, truth, strict=True)),
    )


def _of(name: str, x: Number) -> Operand:
    return Operand(name, short_text(x.value), x.value, None, x)


def _largest(operands: Sequence[Operand]) -> Number:
    """The largest number as NumPy's max finds it: NaN if there is one."""
    for one in operands:
        if exact.is_nan(one.number.value):
            return one.number
    return max((one.number for one in operands), key=lambda one: one.value)


def _renamed(total: DotExplanation) -> DotExplanation:
    """The sum in the names of the softmax: its terms are e0, e1, ..."""
    steps = tuple(replaced(step, formula=step.formula.replace("x", "e")) for step in total.steps)
    return replaced(total, steps=steps)


def _exactly(x: Sequence[Value]) -> tuple[Value, ...]:
    """The softmax to `DIGITS` digits; each factor may err by a unit of the tenth digit after them."""
    infinite = sum(one == float("inf") for one in x)
    if any(map(exact.is_nan, x)) or infinite or not any(map(is_finite, x)):
        return (exact.NAN,) * len(x)
    largest = max(Fraction(one) for one in x if is_finite(one))
    with decimal.localcontext() as context:
        context.prec, context.Emin, context.Emax = DIGITS + 10, decimal.MIN_EMIN, decimal.MAX_EMAX
        powers = [_exp(Fraction(one) - largest) if is_finite(one) else decimal.Decimal(0) for one in x]
        total = sum(powers, decimal.Decimal(0))
        return tuple(Fraction(power / total) if power > LEAST else Fraction(0) for power in powers)


LEAST = decimal.Decimal("1e-6000")
"""Below it an exact probability counts as 0: no format of binary64's range tells them apart."""


def _exp(x: Fraction) -> decimal.Decimal:
    if x < -20000:
        return decimal.Decimal(0)
    return (decimal.Decimal(x.numerator) / decimal.Decimal(x.denominator)).exp()
