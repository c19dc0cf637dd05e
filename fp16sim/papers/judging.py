"""From the results of a sweep to the numbers of a claim, each with its interval over the seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from ..sweeps import Results, Spread
from ..wording import number
from .claims import Quantity

Measured: TypeAlias = tuple[float | None, float | None, float | None]
"""A mean, and the ends of its interval; None for what was not measured."""


def quantity(results: Results, name: str, **place: Any) -> Measured:
    """The mean of a result over the cells with these values of the axes.

    >>> import fp16sim as fs
    >>> found = fs.sweeps.run(lambda n, rng: n + rng, {"n": [1, 5], "rng": [0, 2]})
    >>> [round(x, 1) for x in quantity(found, "value", n=1)]
    [2.0, -10.7, 14.7]
    """
    return _spread([x for row in results.where(**place) if (x := row.number(name)) is not None])


def _spread(values: list[float]) -> Measured:
    spread = Spread.of(values)
    return (None, None, None) if spread is None else (spread.mean, spread.low, spread.high)


def extreme(results: Results, name: str, **place: Any) -> float | None:
    """The largest value of a result over the cells with these values of the axes."""
    values = [x for row in results.where(**place) if (x := row.number(name)) is not None]
    return max(values, default=None)


def ratio(results: Results, name: str, one: Mapping[str, Any], other: Mapping[str, Any], **place: Any) -> Measured:
    """The quotient of two results, seed by seed: its geometric mean and the interval of that.

    A result of 0 has no logarithm; where one is 0, the arithmetic mean of the quotients is taken.
    """
    quotients = [a / b for a, b in _pairs(results, name, one, other, place) if b]
    if 0 in quotients:
        return _spread(quotients)
    mean, low, high = _spread([math.log(x) for x in quotients])
    return _exp(mean), _exp(low), _exp(high)


def difference(results: Results, name: str, one: Mapping[str, Any], other: Mapping[str, Any], **place: Any) -> Measured:
    """The difference of two results, seed by seed: its mean and the interval of that."""
    return _spread([a - b for a, b in _pairs(results, name, one, other, place)])


def _pairs(
    results: Results, name: str, one: Mapping[str, Any], other: Mapping[str, Any], place: Mapping[str, Any]
) -> list[tuple[float, float]]:
    """The results of two cells that differ in some options only, for all others that both have."""
    found: list[dict[str, float]] = []
    for chosen in (one, other):
        rows = results.where(**place, **chosen)
        found.append({_rest(row.place, chosen): x for row in rows if (x := row.number(name)) is not None})
    return [(x, found[1][rest]) for rest, x in found[0].items() if rest in found[1]]


def _rest(place: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    return repr({name: value for name, value in place.items() if name not in chosen})


def _exp(x: float | None) -> float | None:
    return None if x is None else math.exp(min(x, 700.0))


def bounded(
    what: str,
    ours: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    claim: str = "",
    published: str = "",
) -> Quantity:
    """A quantity that should lie between two bounds, with all of its interval.

    `claim` is what the paper says in words, which the bounds make precise; `published` is a number or text of the paper
    that needs no bounds.

    >>> found = bounded("error", 0.2, 0.1, 0.3, below=0.25, claim="small")
    >>> found.published, found.verdict
    ('small (below 0.25)', 'does not hold')
    """
    ends = [x for x in (ours, low, high) if x is not None]
    holds = bool(ends) and all(above < x < below for x in ends)
    bounds = _bounds(above, below)
    return Quantity(what, published or (f"{claim} ({bounds})" if claim else bounds), ours, low, high, holds)


def _bounds(above: float, below: float) -> str:
    if above > -math.inf and below < math.inf:
        return f"{number(above)} to {number(below)}"
    return f"above {number(above)}" if above > -math.inf else f"below {number(below)}"
