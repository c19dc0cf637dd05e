"""Large arrays: the shadow as the emulated value plus a correction in float64, computed chunk by chunk.

value + correction is a double-double number, too: the emulated value has p bits, and the correction 53 bits of its own
size, which is below an ulp of the value or so while the value is any good. The correction of a result follows from
those of its operands and from what the operation rounded away, which float64 finds exactly for precisions up to 24:

    a + b        (a + b - y) + ca + cb              y is the emulated result, ca and cb are corrections
    a * b        (a b - y) + a cb + b ca + ca cb
    a / b        ((a - y b) + ca - y cb) / (b + cb)
    sqrt a       ((a - y^2) + ca) / (y + sqrt(a + ca))
    f(a)         f(a + ca) - y                      in float64, for p up to 16

The radius says how far a correction may be off. Each of these rounds a few times, by 2^-53 of the correction and of
what was rounded away: 2^-50 of their sum is more. f is right to 2^-49.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..conversion import Array
from ..elementary.definitions import DEFINITIONS
from ..formats import Format
from .pairs import two_sum

LEAST_SIZE = 4096
"""Smaller arrays have shadows of 106 bits: there, time is no matter."""
CHUNK = 16384
"""Elements at a time: what is computed of them stays in the cache."""
ROUNDED, OF_FUNCTIONS, TINY = 2.0**-50, 2.0**-49, 2.0**-1000
SICK, SAMPLE = 4, 64
"""Elements with errors of more than 4 u are looked at one by one; of the others, some 64 are a sample."""
LONGEST, LONGEST_OF_FUNCTIONS = 24, 16
"""Precisions for which a product is exact in float64, and for which float64's functions are accurate enough."""

SLOPES: dict[str, Callable[[Array, Array], Any]] = {
    "exp": lambda x, y: y,
    "expm1": lambda x, y: np.abs(y) + 1,
    "log": lambda x, y: 1 / np.abs(x),
    "log1p": lambda x, y: 1 / np.abs(1 + x),
    "sin": lambda x, y: 1.0,
    "cos": lambda x, y: 1.0,
    "tanh": lambda x, y: 1.0,
    "sigmoid": lambda x, y: 0.25,
    "arctan": lambda x, y: 1.0,
}
"""Bounds of |f'(x)|, where y = f(x)."""


@cache
def keep_memory() -> None:
    """Free one array of 31 MiB, once: from then on, glibc keeps the memory of smaller arrays that are freed.

    Otherwise it gives every page back to the system and gets it again, which takes longer than the arithmetic.
    """
    np.empty(31 << 20, np.uint8)


class Operand(NamedTuple):
    """Values, corrections and radii, of one shape; or of no dimensions."""

    values: Any
    correction: Any
    radius: Any

    def part(self, k: slice) -> Operand:
        """The elements of a chunk."""
        return Operand(*(x if type(x) is float else np.asarray(x[k], np.float64) for x in self))


class Corrected(NamedTuple):
    """What is known of a result: its corrections and radii, the elements that have lost bits, and its measures."""

    correction: Array
    radius: Array
    sick: Array
    relative: Array
    sample: Array
    worst: float
    made: float
    least: float
    largest: float
    doubtful: int
    absorbed: int


def _sum(y: Array, a: Operand, b: Operand, sign: float) -> tuple[Array, Array, Array]:
    t, e = two_sum(a.values, sign * b.values) if sign < 0 else two_sum(a.values, b.values)
    lost = (t - y) + e
    return t, lost, lost + (a.correction + sign * b.correction)


def _add(y: Array, a: Operand, b: Operand) -> tuple[Array, Array, Array, Any]:
    return *_sum(y, a, b, 1.0), a.radius + b.radius


def _subtract(y: Array, a: Operand, b: Operand) -> tuple[Array, Array, Array, Any]:
    return *_sum(y, a, b, -1.0), a.radius + b.radius


def _add_narrow(y: Array, a: Operand, b: Operand) -> tuple[Array, Array, Array, Any]:
    t = a.values + b.values
    lost = t - y
    return t, lost, lost + (a.correction + b.correction), a.radius + b.radius


def _subtract_narrow(y: Array, a: Operand, b: Operand) -> tuple[Array, Array, Array, Any]:
    t = a.values - b.values
    lost = t - y
    return t, lost, lost + (a.correction - b.correction), a.radius + b.radius


def _multiply(y: Array, a: Operand, b: Operand) -> tuple[Array, Array, Array, Any]:
    t = a.values * b.values
    lost = t - y
    whole = b.values + b.correction
    of_b, of_a = a.values * b.correction, whole * a.correction
    radius = np.abs(a.values + a.correction) * b.radius + np.abs(whole) * a.radius
    radius += (np.abs(of_a) + np.abs(of_b)) * ROUNDED  # they may cancel
    return t, lost, lost + (of_b + of_a), radius


def _divide(y: Array, a: Operand, b: Operand) -> tuple[Array, Array, Array, Any]:
    whole = b.values + b.correction
    rest = a.values - y * b.values
    t = y + rest / b.values
    of_b = y * b.correction
    correction = (rest + (a.correction - of_b)) / whole
    slip = (np.abs(of_b) + np.abs(a.correction)) * ROUNDED  # they may cancel
    radius = (a.radius + slip + np.abs(y + correction) * b.radius) / np.maximum(np.abs(whole) - b.radius, TINY)
    return t, rest / b.values, correction, radius


def _sqrt(y: Array, a: Operand) -> tuple[Array, Array, Array, Any]:
    rest = a.values - y * y
    root = np.sqrt(a.values + a.correction)
    correction = (rest + a.correction) / (y + root)
    lost = rest / (y + np.sqrt(a.values))
    return y + lost, lost, correction, a.radius / np.maximum(root, TINY)


def _negative(y: Array, a: Operand) -> tuple[Array, Array, Array, Any]:
    return y, np.zeros_like(y), -a.correction, a.radius


def _absolute(y: Array, a: Operand) -> tuple[Array, Array, Array, Any]:
    below = a.values + a.correction < 0
    correction = np.where(below, (-a.values - y) - a.correction, (a.values - y) + a.correction)
    return y, np.zeros_like(y), correction, a.radius


def _extreme(y: Array, a: Operand, b: Operand, larger: bool) -> tuple[Array, Array, Array, Any]:
    whole_a, whole_b = a.values + a.correction, b.values + b.correction
    first = whole_a >= whole_b if larger else whole_a <= whole_b
    correction = np.where(first, (a.values - y) + a.correction, (b.values - y) + b.correction)
    return y, np.zeros_like(y), correction, np.maximum(a.radius, b.radius)


def _function(name: str) -> Callable[..., Any]:
    function, slope = DEFINITIONS[name].approximate, SLOPES[name]

    def run(y: Array, a: Operand) -> tuple[Array, Array, Array, Any]:
        whole = a.values + a.correction
        t, truth = function(a.values), function(whole)
        slip = a.radius + 2.0**-52 * np.abs(whole)
        return t, t - y, truth - y, np.abs(truth) * OF_FUNCTIONS + slope(whole, truth) * slip

    return run


RULES: dict[str, Callable[..., Any]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "sqrt": _sqrt,
    "negative": _negative,
    "absolute": _absolute,
    "square": lambda y, a: _multiply(y, a, a),
    "maximum": lambda y, a, b: _extreme(y, a, b, larger=True),
    "minimum": lambda y, a, b: _extreme(y, a, b, larger=False),
}
IN_NARROW_FORMATS = {"add": _add_narrow, "subtract": _subtract_narrow}
"""Where float64 holds every sum: from the largest number to the smallest there are no more than 53 bits."""
OF_FUNCTION = {name: _function(name) for name in SLOPES}


def rule_for(name: str, fmt: Format) -> Callable[..., Any] | None:
    """How corrections of an operation are found; None if only general pairs know it."""
    if fmt.precision > LONGEST:
        return None
    if name in IN_NARROW_FORMATS and fmt.emax - fmt.emin + fmt.precision + 1 <= 53:
        return IN_NARROW_FORMATS[name]
    return RULES.get(name) or (OF_FUNCTION.get(name) if fmt.precision <= LONGEST_OF_FUNCTIONS else None)


def corrected(rule: Callable[..., Any], name: str, y: Array, operands: Sequence[Operand], fmt: Format) -> Corrected:
    """The corrections of a result and its measures; `y` has one dimension."""
    correction, radius, relative = np.empty(y.size), np.empty(y.size), np.empty(min(y.size, CHUNK))
    found: list[Any] = [0.0, 0.0, math.inf, 0.0, 0, 0]
    sick: list[Array] = []
    errors: list[Array] = []
    sample: list[Array] = []
    step = max(1, y.size // SAMPLE)
    u, adds = float(fmt.unit_roundoff), name in ("add", "subtract")
    for start in range(0, y.size, CHUNK):
        k = slice(start, start + CHUNK)
        parts, values = [one.part(k) for one in operands], np.asarray(y[k], np.float64)
        own = relative[: values.size]
        _chunk(rule, values, parts, u, adds, (correction[k], radius[k], own), found)
        lossy = np.flatnonzero(own > SICK * u)
        sick.append(lossy + start)
        errors.append(own[lossy])
        sample.append(own[::step].copy())
    chosen, theirs, some = (np.concatenate(parts) for parts in (sick, errors, sample))
    return Corrected(correction, radius, chosen, theirs, some, *found)


def _largest_quotient(own: Array, t: Array) -> float:
    """The largest relative error committed here."""
    quotient = np.divide(own, np.abs(t), out=own)
    worst = float(quotient.max())
    return worst if worst == worst else float(np.nanmax(quotient, initial=0.0))


def _chunk(
    rule: Any, y: Array, parts: list[Operand], u: float, adds: bool, out: tuple[Array, Array, Array], found: list[Any]
) -> None:
    """One chunk: the results go to `out`, the measures to `found`."""
    correction, radius, relative = out
    t, lost, correction[:], carried = rule(y, *parts)
    error, own = np.abs(correction), np.abs(lost)
    size = np.abs(y + correction)
    np.add(error, own, out=radius)
    radius *= ROUNDED
    radius += carried
    np.divide(error, size, out=relative)
    if not size.all():
        relative[error == 0] = 0.0
    found[0] = max(found[0], float(relative.max()))
    found[1] = max(found[1], _largest_quotient(own, t))
    values = np.abs(y)
    found[2], found[3] = min(found[2], float(values.min())), max(found[3], float(values.max()))
    if not float(radius.max()) <= float(size.min()) * (u / 8):
        np.multiply(size, u, out=size)
        found[4] += int(np.count_nonzero(~(radius <= np.maximum(size, error) / 8)))
    if adds:
        same = (y == parts[0].values) | (y == parts[1].values)
        found[5] += int(np.count_nonzero(same & (lost != 0)))
