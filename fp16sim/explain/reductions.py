"""explain.sum, explain.mean and explain.norm: what `explain.total` tells of each, under the names of `fs`."""

from __future__ import annotations

from ..accumulators import AccumulatorLike
from ..conversion import Seed
from ..formats import FormatLike, Rounding
from .dot_product import DotExplanation, VectorLike, total


def sum(
    x: VectorLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> DotExplanation:
    """Why the sum is what `fs.sum` gives, step by step: exact, with the same result and flags.

    A long sum is shown by its first steps, its worst and its last; its attribute ``steps`` has all of them. A term
    takes about 0.3 ms.

    Parameters
    ----------
    x : sequence of numbers
        One or more; each as for `rounding`.
    fmt, mode, accumulator, rng
        As for `dot`.

    Returns
    -------
    DotExplanation
        ``absorbed`` are the additions that left the sum as it was, ``worst`` is the step with the largest error.

    Raises
    ------
    ValueError, TypeError
        As `dot` does.

    Examples
    --------
    >>> why = sum([2048, 1, 1], "binary16")
    >>> float(why.result.value), float(why.exact), [step.formula for step in why.absorbed]
    (2048.0, 2050.0, ['x0 + x1', 's1 + x2'])
    """
    return total(x, fmt, mode, accumulator=accumulator, rng=rng)


def mean(
    x: VectorLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> DotExplanation:
    """Why the mean is what `fs.mean` gives, step by step: exact, with the same result and flags. As for `sum`.

    >>> why = mean([60000, 60000], "binary16")
    >>> float(why.result.value), why.worst.formula, why.worst.why.rounding.overflow_rule
    (inf, 'x0 + x1', 'infinity')
    """
    return total(x, fmt, mode, operation="mean", accumulator=accumulator, rng=rng)


def norm(
    x: VectorLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> DotExplanation:
    """Why the norm is what `fs.norm` gives, step by step: exact, with the same result and flags. As for `sum`.

    >>> why = norm([300, 400], "binary16")
    >>> float(why.result.value), float(why.exact), why.worst.formula
    (inf, 500.0, 'x0 × x0')
    """
    return total(x, fmt, mode, operation="norm", accumulator=accumulator, rng=rng)
