"""The public functions for operations with one rounding: rounding, convert, parse, add, subtract, ..., fma."""

from __future__ import annotations

from ..conversion import Generator, Seed, as_generator
from ..exact import is_signaling
from ..formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding, quoted, with_behaviour
from .decoding import Given, NumberLike, code_in, number, number_of, read
from .exact_step import exact_step
from .explanation import Explanation
from .records import ExactStep, Operand, RoundingStep, ordered_flags
from .rounding_step import next_draw, round_step

NAMES = {"sqrt": ("x",), "fma": ("a", "b", "c")}
"""What operands are called; a and b in all other operations."""


def operand(name: str, x: NumberLike, fmt: Format, mode: Rounding, rng: Generator, tininess: str = "after") -> Operand:
    """What was given, rounded to the format if it is not a number of it; a signaling NaN stays for the operation."""
    given = read(x, fmt)
    if is_signaling(given.value) and fmt.has_payloads:
        held = number_of(given.value, fmt) if given.code is None else number(given.code, fmt)
        return Operand(name, given.text, given.value, None, held)
    return converted(name, given, fmt, mode, rng, tininess)


def converted(name: str, given: Given, fmt: Format, mode: Rounding, rng: Generator, tininess: str = "after") -> Operand:
    """What was given, rounded to the format; a signaling NaN becomes quiet."""
    step = round_step(given.value, fmt, mode, next_draw(rng), operand=True, tininess=tininess)
    return Operand(name, given.text, given.value, step if step.changes else None, step.result)


def operate(
    operation: str,
    values: tuple[NumberLike, ...],
    fmt: FormatLike,
    mode: Rounding | str,
    rng: Seed,
    tininess: str = "after",
) -> Explanation:
    """The explanation of an operation in `exact.OPERATIONS`."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    names = NAMES.get(operation, ("a", "b"))
    operands = tuple(operand(name, x, fmt, mode, generator, tininess) for name, x in zip(names, values, strict=True))
    return operate_on(operation, operands, fmt, mode, next_draw(generator), tininess)


def operate_on(
    operation: str, operands: tuple[Operand, ...], fmt: Format, mode: Rounding, draw: int, tininess: str = "after"
) -> Explanation:
    """The same, for operands that are already rounded."""
    step = exact_step(operation, tuple(x.number for x in operands), mode)
    rounding = round_step(step.value, fmt, mode, draw, tininess=tininess)
    return _explanation(operation, fmt, mode, operands, step, rounding, tininess)


def _explanation(
    operation: str,
    fmt: Format,
    mode: Rounding,
    operands: tuple[Operand, ...],
    step: ExactStep,
    rounding: RoundingStep,
    tininess: str,
) -> Explanation:
    """The steps of an operation put together, with the flags of all."""
    flags = {*step.flags, *rounding.flags}.union(*(x.rounding.flags for x in operands if x.rounding))
    return Explanation(operation, fmt, mode, operands, step, rounding, rounding.result, ordered_flags(flags), tininess)


# --- one number -------------------------------------------------------------------------------------------------------


def rounding(
    x: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    saturate: bool | None = None,
    subnormals: Subnormals | str | None = None,
    overflow: str | None = None,
    tininess: str = "after",
) -> Explanation:
    """Why `round_to` gives what it gives: exact, with the same result and flags.

    Parameters
    ----------
    x : number
        One number, as for `round_to`, or the text of a code: "0x2E66", "0b0010111001100110",
        "0_01011_1001100110".
    fmt, mode, rng, saturate, subnormals, overflow
        As for `round_to`. The format may be wider than binary64.
    tininess : {"after", "before"}
        The definition of underflow, as for `record_flags`.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        As `round_to` does.

    Examples
    --------
    >>> why = rounding("0.1", "binary16")
    >>> why.rounding.rule, why.rounding.kept, why.rounding.guard, why.rounding.round, why.rounding.sticky
    ('nearer', 1638, 0, 1, 1)
    >>> why.result.bits, why.flags
    ('0_01011_1001100110', ('inexact',))
    """
    fmt = with_behaviour(get_format(fmt), saturate, subnormals, overflow)
    return explain_rounding("round", read(x, fmt), fmt, get_rounding(mode), rng, tininess)


def explain_rounding(
    operation: str, given: Given, fmt: Format, mode: Rounding, rng: Seed, tininess: str = "after"
) -> Explanation:
    """The explanation of rounding and nothing else."""
    x = given.value
    step = round_step(x, fmt, mode, next_draw(as_generator(mode, rng)), operand=True, tininess=tininess)
    start = Operand("x", given.text, x, None, step.result)
    return _explanation(operation, fmt, mode, (start,), ExactStep("given", x, exponent=step.exponent), step, tininess)


def convert(
    x: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    source: FormatLike = "binary32",
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a number of one format becomes what it becomes in another: exact, as `fs.round_to` of the stored number.

    Parameters
    ----------
    x : number
        One number, or the text of a code of `source`. A number that `source` lacks is first rounded to it in the same
        mode, and the explanation says so if that changes the result (double rounding).
    fmt, mode, rng
        As for `round_to`.
    source : Format, str or dtype
        The format of x; binary32 by default.
    tininess : {"after", "before"}
        As for `rounding`.

    Returns
    -------
    Explanation

    Examples
    --------
    >>> why = convert(1 + 2**-11 + 2**-40, "binary16", source="binary32")
    >>> float(why.operands[0].number.value), float(why.result.value)
    (1.00048828125, 1.0)
    """
    fmt, mode, source = get_format(fmt), get_rounding(mode), get_format(source)
    generator = as_generator(mode, rng)
    start = operand("x", x, source, mode, generator, tininess)
    value = start.number.value
    step = round_step(value, fmt, mode, next_draw(generator), operand=True, tininess=tininess)
    return _explanation(
        "convert", fmt, mode, (start,), ExactStep("given", value, exponent=step.exponent), step, tininess
    )


def parse(
    text: str,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a text is read as the number it is: its exact value is rounded once, as by `fs.round_to(text)`.

    Most programs read text as binary64 or binary32 first; `detours` says where that gives another number.

    Parameters
    ----------
    text : str
        Any number that `fs.parse` reads.
    fmt, mode, rng, tininess
        As for `rounding`.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError
        If it is not text.
    ValueError
        If the text is not a number, or is a code.

    Examples
    --------
    >>> why = parse("1.00048828125000000000001", "binary16")
    >>> float(why.result.value), [(d.via, float(d.value)) for d in why.detours if d.differs]
    (1.0009765625, [('binary32', 1.0), ('binary64', 1.0)])
    """
    if not isinstance(text, str):
        raise TypeError(f"text={quoted(text)} is not text; use rounding(x, fmt) for a number")
    fmt = get_format(fmt)
    if code_in(text, fmt) is not None:
        raise ValueError(
            f"text={quoted(text)} is a code of {fmt}, not a number; use rounding({quoted(text)}, {fmt.name!r})"
        )
    return explain_rounding("parse", read(text, fmt), fmt, get_rounding(mode), rng, tininess)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def add(
    a: NumberLike,
    b: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a + b is what `fs.add` gives; exact, with the same result and flags. Parameters as for `rounding`.

    >>> why = add(2048, 1, "binary16")
    >>> why.exact.shift, why.rounding.rule, why.rounding.rest, why.result.value
    (11, 'tie_to_even', Fraction(1, 2), Fraction(2048, 1))
    """
    return operate("add", (a, b), fmt, mode, rng, tininess)


def subtract(
    a: NumberLike,
    b: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a - b is what `fs.subtract` gives; exact, with the same flags. Parameters as for `rounding`.

    >>> subtract(1, "0.9995", "binary16").exact.normalisation  # 11 leading bits cancel
    -11
    """
    return operate("subtract", (a, b), fmt, mode, rng, tininess)


def multiply(
    a: NumberLike,
    b: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a * b is what `fs.multiply` gives; exact, with the same flags. Parameters as for `rounding`.

    >>> multiply(300, 300, "binary16").rounding.overflow_rule
    'infinity'
    """
    return operate("multiply", (a, b), fmt, mode, rng, tininess)


def divide(
    a: NumberLike,
    b: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a / b is what `fs.divide` gives; exact, with the same flags. Parameters as for `rounding`.

    >>> divide(1, 3, "binary16").rounding.rest
    Fraction(1, 3)
    """
    return operate("divide", (a, b), fmt, mode, rng, tininess)


def sqrt(
    x: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why the square root is what `fs.sqrt` gives; exact, with the same flags. Parameters as for `rounding`.

    >>> sqrt(2, "binary16").exact.irrational
    True
    """
    return operate("sqrt", (x,), fmt, mode, rng, tininess)


def fma(
    a: NumberLike,
    b: NumberLike,
    c: NumberLike,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a * b + c, rounded once, is what `fs.fma` gives; exact, with the same flags. Parameters as for `rounding`.

    >>> [(d.via, float(d.value)) for d in fma(3, 683, "2^-24", "binary16").detours if d.differs]
    [('binary32', 2048.0), ('two roundings', 2048.0)]
    """
    return operate("fma", (a, b, c), fmt, mode, rng, tininess)
