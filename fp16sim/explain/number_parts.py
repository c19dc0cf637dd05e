"""explain.parts: the functions with two results, and the one whose result is an integer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..conversion import Seed, as_generator, check_fits
from ..exact import Result, Value
from ..exact.integers import frexp_result, integer_result, integer_type, modf_result
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding, quoted
from ..wording import did_you_mean
from .basic_operations import operand
from .decoding import NumberLike, number_of
from .records import Number, Operand, Record, ordered_flags
from .rendering import Shown
from .rounding_step import next_draw


@dataclass(frozen=True)
class Part(Record):
    """One of the results: a number of the format, or an integer.

    Attributes
    ----------
    name : str
        "fraction", "exponent" or "integer".
    number : Number or None
    integer : int or None
    flags : tuple of str
        Raised by this result.
    """

    name: str
    number: Number | None
    integer: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class PartsExplanation(Shown, Record):
    """Why `fs.frexp`, `fs.modf` or `fs.to_integer` gives what it gives.

    Attributes
    ----------
    operation : str
        "frexp", "modf" or "to_integer".
    fmt : Format
    mode : Rounding
    operands : tuple of Operand
        The number, after the rounding that made it one of the format.
    integer_type : str or None
        Of to_integer: "int32", "uint8", ...
    bounds : tuple of int
        Of to_integer: the smallest and the largest integer of that type; else empty.
    invalid : str or None
        Of to_integer: the name of the rule for what invalid gives.
    parts : tuple of Part
    flags : tuple of str
        Raised by any step, the rounding of the operand included.
    """

    operation: str
    fmt: Format
    mode: Rounding
    operands: tuple[Operand, ...]
    integer_type: str | None
    bounds: tuple[int, ...]
    invalid: str | None
    parts: tuple[Part, ...]
    flags: tuple[str, ...]


Found: TypeAlias = tuple[tuple[str, Result | int], ...]

SPLITS: dict[str, Callable[[Value, Format, Rounding, int], Found]] = {
    "frexp": lambda *how: tuple(zip(("fraction", "exponent"), frexp_result(*how), strict=True)),
    "modf": lambda *how: tuple(zip(("fraction", "integer"), modf_result(*how), strict=True)),
}
PARTS = {"frexp": 1, "modf": 1, "to_integer": 1}
"""The functions that `parts` explains, and how many numbers each takes."""


def parts(
    name: str,
    x: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    width: int = 32,
    signed: bool = True,
    exact: bool = False,
    invalid: str = "arm",
    rng: Seed = None,
) -> PartsExplanation:
    """Why `fs.frexp`, `fs.modf` or `fs.to_integer` gives what it gives: exact, with the same results and flags.

    Parameters
    ----------
    name : str
        "frexp", "modf" or "to_integer".
    x : number
        As for `rounding`; a number that the format lacks is first rounded to it.
    fmt, mode, rng
        As for `round_to`; the format fits in binary64.
    width, signed, exact, invalid
        Of `fs.to_integer`.

    Returns
    -------
    PartsExplanation

    Raises
    ------
    ValueError
        For an unknown name, or a format that binary64 does not hold.

    Examples
    --------
    >>> why = parts("frexp", 12, "binary16")
    >>> [(part.name, float(part.number.value) if part.number else part.integer) for part in why.parts]
    [('fraction', 0.75), ('exponent', 4)]
    >>> parts("to_integer", -3, "binary16", signed=False).flags
    ('invalid',)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if name not in PARTS:
        known = f"{did_you_mean(name, PARTS)}use one of {', '.join(PARTS)}"
        raise ValueError(f"name={quoted(name)} is not a function that is explained here; {known}")
    check_fits(fmt)
    generator = as_generator(mode, rng)
    start = operand("x", x, fmt, mode, generator)
    value, draw = start.number.value, next_draw(generator)
    raised = set(start.rounding.flags if start.rounding else ())
    type_name: str | None = None
    rule: str | None = None
    bounds: tuple[int, ...] = ()
    if name == "to_integer":
        kind = integer_type(width, signed, invalid, 64)
        type_name, bounds, rule = str(kind), (kind.least, kind.greatest), kind.invalid
        found: Found = (("integer", integer_result(value, kind, mode, draw, exact)),)
    else:
        found = SPLITS[name](value, fmt, mode, draw)
    results = tuple(_part(label, result, None if name == "to_integer" else fmt) for label, result in found)
    flags = ordered_flags(raised.union(*(part.flags for part in results)))
    return PartsExplanation(name, fmt, mode, (start,), type_name, bounds, rule, results, flags)


def _part(label: str, result: Result | int, fmt: Format | None) -> Part:
    """A result; without a format, it is an integer."""
    if isinstance(result, int):
        return Part(label, None, result, ())
    number = number_of(result.value, fmt) if fmt else None
    return Part(label, number, None if number else int(result.value), ordered_flags(result.flags))
