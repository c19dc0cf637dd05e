"""explain.function and explain.comparison: the functions without integer steps, and the comparisons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, Literal, TypeAlias

import numpy as np

from .. import arithmetic, elementary, exact, neighbours
from ..conversion import Generator, Seed, as_generator, check_fits
from ..elementary.definitions import FUNCTIONS, FUNCTIONS_OF_TWO
from ..elementary.evaluation import CERTIFIED_PRECISION, HUGE, TINY, deciding_float64, nearest_boundary
from ..exact import REACH, Value, is_signaling
from ..exact.integers import integral, scaled
from ..exact.operations import EXTREMES, unrounded
from ..flags import FLAGS, record_flags
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding, quoted
from ..wording import did_you_mean
from .alternatives import ModeResult, Outcome
from .basic_operations import operand
from .decoding import Given, NumberLike, number_of, read, without_behaviour
from .records import Number, Operand, Record, RoundingStep, ordered_flags
from .rendering import Shown
from .rounding_step import next_draw, round_step

CHOOSING = EXTREMES
NEIGHBOURING = ("next_up", "next_down", "ulp", "spacing")
"""Functions of a number that need not be one of the format: it is not rounded first."""
EXACTLY = {"ieee_remainder": 2, "fmod": 2, "log_b": 1, "round_to_integral": 1, "scale_b": 2}
"""Functions that the exact layer computes."""
ARGUMENTS = {
    **dict.fromkeys(FUNCTIONS, 1),
    **dict.fromkeys(FUNCTIONS_OF_TWO, 2),
    **EXACTLY,
    **dict.fromkeys(CHOOSING, 2),
    **dict.fromkeys(NEIGHBOURING, 1),
}
"""The functions that `function` explains, and how many numbers each takes."""

Accuracy: TypeAlias = Literal["exact", "near", "above", "below", "huge", "tiny", "binary64"]


@dataclass(frozen=True, repr=False)
class FunctionExplanation(Shown, Record):
    """Why a function gives what it gives: its operands, its value, and the one rounding.

    Attributes
    ----------
    operation : str
        The name of the function, as in `fs.exp`.
    fmt : Format
    mode : Rounding
    texts : tuple of str
        The numbers as they were given.
    operands : tuple of Operand
        Empty for next_up, next_down, ulp and spacing, which take any number as it is. Without the n of scale_b, which
        is no number of the format.
    value : Value
        What is rounded. It rounds to the result that the exact value has.
    accuracy : str
        How near that is to the exact value: "exact"; "near" (a relative error below 2^-40); "above" or "below" (the
        exact value is that near to a number where the rounding changes, and on this side of it); "huge" or "tiny"
        (beyond 2^1000, or below 2^-1000); "binary64" (the format has more than 11 bits of precision: what float64
        gives is rounded once).
    rounding : RoundingStep or None
        None if there is nothing to round.
    result : Number
    flags : tuple of str
        Raised by any step, the rounding of operands included.
    """

    operation: str
    fmt: Format
    mode: Rounding
    texts: tuple[str, ...]
    operands: tuple[Operand, ...]
    value: Value
    accuracy: Accuracy
    rounding: RoundingStep | None
    result: Number
    flags: tuple[str, ...]

    @cached_property
    def modes(self) -> tuple[ModeResult, ...]:
        """What each mode but "stochastic" gives for the same numbers; empty where the mode has no effect."""
        given = [Given(x.text, x.exact, x.number.code if is_signaling(x.exact) else None) for x in self.operands]
        chosen = [mode for mode in Rounding if mode is not Rounding.STOCHASTIC] if given else []
        power = self.texts[1:] if self.operation == "scale_b" else ()
        found = [function(self.operation, (*given, *power), self.fmt, mode) for mode in chosen]
        return tuple(
            ModeResult(one.mode, (Outcome(one.result.code, one.result.value, Fraction(1)),), one.flags) for one in found
        )


def function(
    name: str,
    values: NumberLike | tuple[NumberLike, ...],
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
) -> FunctionExplanation:
    """Why a function such as `fs.exp` gives what it gives; the result and the flags are those of the function.

    Parameters
    ----------
    name : str
        An elementary function, "ieee_remainder", "fmod", "log_b", "round_to_integral", "scale_b", "minimum" and its
        sisters, "next_up", "next_down", "ulp" or "spacing". (Those with two results are for `parts`.)
    values : number or tuple of numbers
        Each as for `rounding`.
    fmt, mode, rng
        As for `round_to`; the format fits in binary64.

    Returns
    -------
    FunctionExplanation

    Raises
    ------
    ValueError
        For an unknown name, another number of arguments, or a format that binary64 does not hold.

    Examples
    --------
    >>> why = function("exp", 1, "binary16")
    >>> float(why.result.value), why.rounding.rule, why.accuracy
    (2.71875, 'nearer', 'near')
    >>> function("sin", "2^-24", "binary16").accuracy  # it is just below 2^-24
    'below'
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if name not in ARGUMENTS:
        known = f"{did_you_mean(name, ARGUMENTS)}use one of {', '.join(ARGUMENTS)}"
        raise ValueError(f"name={quoted(name)} is not a function that is explained here; {known}")
    given = values if isinstance(values, tuple) and not isinstance(values, Given) else (values,)
    if len(given) != ARGUMENTS[name]:
        raise ValueError(f"{name} takes {ARGUMENTS[name]} numbers, but {len(given)} are given")
    check_fits(fmt)
    if name in NEIGHBOURING:
        return _neighbour(name, read(given[0], fmt), fmt, mode)
    generator = as_generator(mode, rng)
    power = read_power(given[1], fmt) if name == "scale_b" else None
    labels = ("x",) if len(given) == 1 or power else ("a", "b")
    operands = tuple(operand(label, x, fmt, mode, generator) for label, x in zip(labels, given, strict=not power))
    held = [x.number.value for x in operands]
    step: RoundingStep | None = None
    accuracy: Accuracy = "exact"
    if name in CHOOSING:
        value, raised = _called(partial(getattr(arithmetic, name), fmt=fmt), held)
        result = number_of(value, fmt)
    else:
        if name in EXACTLY:
            value, raised, accuracy = _exactly(name, held, mode, generator, int(power.value) if power else 0)
        else:
            value, raised, accuracy = _value(name, held, fmt)
        step = round_step(value, fmt, mode, 0 if name == "round_to_integral" else next_draw(generator))
        result, raised = step.result, raised.union(step.flags)
    flags = ordered_flags(raised.union(*(x.rounding.flags for x in operands if x.rounding)))
    texts = (*(x.text for x in operands), *([power.text] if power else []))
    return FunctionExplanation(name, fmt, mode, texts, operands, value, accuracy, step, result, flags)


def function_on(name: str, x: Operand, fmt: Format, mode: Rounding, draw: int) -> FunctionExplanation:
    """The same for an elementary function of a number that is already rounded."""
    value, raised, accuracy = _value(name, [x.number.value], fmt)
    step = round_step(value, fmt, mode, draw)
    flags = ordered_flags(raised.union(step.flags))
    return FunctionExplanation(name, fmt, mode, (x.text,), (x,), value, accuracy, step, step.result, flags)


def _called(f: Callable[..., Any], values: list[Value]) -> tuple[Any, frozenset[str]]:
    """What a function of the library returns, and the flags that it raises."""
    with record_flags() as raised, np.errstate(all="ignore"):
        y = f(*values)
    value = bool(y) if isinstance(y, (bool, np.bool_)) else exact.as_exact(y)
    return value, frozenset(name for name in FLAGS if getattr(raised, name))


def _neighbour(name: str, x: Given, fmt: Format, mode: Rounding) -> FunctionExplanation:
    value, raised = _called(partial(getattr(neighbours, name), fmt=fmt), [x.value])
    if not exact.is_finite(value) and not (fmt.has_nan if exact.is_nan(value) else fmt.has_infinity):
        raise ValueError(f"{name}({x.text}) is {value}, which {fmt} has no code for")
    result = number_of(value, without_behaviour(fmt))
    return FunctionExplanation(name, fmt, mode, (x.text,), (), value, "exact", None, result, ordered_flags(raised))


def read_power(x: NumberLike, fmt: Format) -> Given:
    """The n of scale_b, which is an integer; ValueError for any other number."""
    power = read(x, fmt)
    if not exact.is_finite(power.value) or Fraction(power.value).denominator != 1:
        raise ValueError(f"n={power.text} is not an integer; give the power of two, such as -3")
    return power


def _exactly(
    name: str, values: list[Value], mode: Rounding, rng: Generator, power: int
) -> tuple[Value, frozenset[str], Accuracy]:
    """The exact result, and the flags of the function itself; `round_step` raises that of a signaling NaN too."""
    if name == "round_to_integral":
        return integral(values[0], mode, next_draw(rng)), frozenset(), "exact"
    if name == "scale_b":
        value = scaled(values[0], power)
        size = abs(exact.exponent_of(abs(value))) if isinstance(value, Fraction) and value else 0
        return value, frozenset(), "exact" if size < REACH else "huge" if power > 0 else "tiny"
    found = unrounded(name, tuple(values), mode)
    return found.value, found.flags, "exact"


def _value(name: str, values: list[Value], fmt: Format) -> tuple[Value, frozenset[str], Accuracy]:
    """A number that rounds as the exact value does, and the flags of the function itself."""
    _, raised = _called(partial(getattr(elementary, name), fmt=fmt), values)
    raised &= {"invalid", "divide_by_zero"}
    if any(map(is_signaling, values)):
        return exact.NAN, raised, "exact"
    y = deciding_float64(name, [np.array([float(x)]) for x in values], fmt)
    value: Value = exact.as_exact(float(y[0]))
    if fmt.precision > CERTIFIED_PRECISION:
        return value, raised, "binary64"
    return value, raised, _accuracy(y, fmt)


def _accuracy(y: np.ndarray[Any, Any], fmt: Format) -> Accuracy:
    size = abs(float(y[0]))
    if not np.isfinite(size) or size == 0:
        return "exact"
    if size in (HUGE, TINY):
        return "huge" if size == HUGE else "tiny"
    boundary = float(nearest_boundary(y, fmt)[0])
    if boundary == y[0]:
        return "exact"
    beside = abs(y[0]) in (np.nextafter(abs(boundary), np.inf), np.nextafter(abs(boundary), 0))
    return "near" if not beside else "above" if y[0] > boundary else "below"


# --- comparisons ------------------------------------------------------------------------------------------------------

COMPARISONS = (
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "unordered",
    "total_order",
)
Relation: TypeAlias = Literal["less", "equal", "greater", "unordered"]


@dataclass(frozen=True, repr=False)
class ComparisonExplanation(Shown, Record):
    """Why a comparison is true or false: what is compared, after which roundings, and the flags.

    Attributes
    ----------
    operation : str
        The name of the comparison, as in `fs.less`.
    fmt : Format
    mode : Rounding
    operands : tuple of Operand
    relation : str
        Of the operands as the format has them: "less", "equal", "greater", or "unordered" (one of them is NaN).
    given_relation : str
        Of the exact numbers, before any of them was rounded.
    truth : bool
        The result.
    signaling : bool
        Whether every NaN raises invalid; if not, a signaling NaN alone does.
    flags : tuple of str
        Raised by the comparison and by the rounding of its operands.
    """

    operation: str
    fmt: Format
    mode: Rounding
    operands: tuple[Operand, ...]
    relation: Relation
    given_relation: Relation
    truth: bool
    signaling: bool
    flags: tuple[str, ...]


def comparison(
    name: str,
    a: NumberLike,
    b: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    signaling: bool = False,
    rng: Seed = None,
) -> ComparisonExplanation:
    """Why a comparison such as `fs.less` is true or false: exact, with the same flags.

    Parameters
    ----------
    name : str
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "unordered" or "total_order".
    a, b : number
        Each as for `rounding`; a number that the format lacks is first rounded to it.
    fmt, mode, rng
        As for `round_to`; the format fits in binary64.
    signaling : bool
        As for `fs.equal`.

    Returns
    -------
    ComparisonExplanation

    Raises
    ------
    ValueError
        For an unknown name, or a format that binary64 does not hold.

    Examples
    --------
    >>> why = comparison("equal", "0.1", "0.09999", "binary16")
    >>> why.truth, why.relation, why.given_relation
    (True, 'equal', 'greater')
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if name not in COMPARISONS:
        known = f"{did_you_mean(name, COMPARISONS)}use one of {', '.join(COMPARISONS)}"
        raise ValueError(f"name={quoted(name)} is not a comparison; {known}")
    if signaling and name in ("unordered", "total_order"):
        raise ValueError(f"signaling=True is not for {name}, which has no signaling kind; leave it out")
    check_fits(fmt)
    generator = as_generator(mode, rng)
    operands = tuple(operand(label, x, fmt, mode, generator) for label, x in zip("ab", (a, b), strict=True))
    options = {"signaling": True} if signaling else {}
    held = [x.number.value for x in operands]
    # The library rounds the operands itself, but draws no random bits of this generator.
    compared = held if mode.random else [x.exact for x in operands]
    truth, raised = _called(partial(getattr(arithmetic, name), fmt=fmt, mode=mode, **options), compared)
    raised = raised.union(*(x.rounding.flags for x in operands if x.rounding))
    given = _relation(*(x.exact for x in operands))
    return ComparisonExplanation(
        name, fmt, mode, operands, _relation(*held), given, truth, signaling, ordered_flags(raised)
    )


def _relation(a: Value, b: Value) -> Relation:
    if exact.is_nan(a) or exact.is_nan(b):
        return "unordered"
    return "less" if a < b else "greater" if a > b else "equal"
