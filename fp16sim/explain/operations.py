"""explain.add and its sisters: an operation with one rounding, as a record of every step."""

from __future__ import annotations

from typing import Any

from ..conversion import Generator, Seed, as_generator
from ..exact import Value
from ..formats import Format, FormatLike, Rounding, Subnormals, get_format, get_rounding, with_behaviour
from .computing import compute
from .decoding import read
from .explanation import Explanation
from .records import ExactStep, Operand, RoundingStep
from .steps import next_draw, ordered, round_step

NAMES = {"sqrt": ("x",), "fma": ("a", "b", "c")}


def operand(name: str, x: Any, fmt: Format, mode: Rounding, rng: Generator, tininess: str = "after") -> Operand:
    """What was given, rounded to the format where it does not hold it."""
    given = read(x, fmt)
    step = round_step(given.value, fmt, mode, next_draw(rng), operand=True, tininess=tininess)
    return Operand(name, given.text, given.value, step if _changes(step, given.value) else None, step.result)


def _changes(step: RoundingStep, x: Value) -> bool:
    return bool(step.flags) or (step.case == "nan" and step.result.value == step.result.value)


def operate(
    operation: str, values: tuple[Any, ...], fmt: FormatLike, mode: Rounding | str, rng: Seed, tininess: str = "after"
) -> Explanation:
    """The explanation of an operation of `exact.OPERATIONS`."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    names = NAMES.get(operation, ("a", "b"))
    operands = tuple(operand(name, x, fmt, mode, generator, tininess) for name, x in zip(names, values, strict=True))
    return operate_on(operation, operands, fmt, mode, next_draw(generator), tininess)


def operate_on(
    operation: str, operands: tuple[Operand, ...], fmt: Format, mode: Rounding, draw: int, tininess: str = "after"
) -> Explanation:
    """The same, of operands that are already rounded."""
    step = compute(operation, tuple(x.number for x in operands), mode)
    rounding = round_step(step.value, fmt, mode, draw, tininess=tininess)
    return explained(operation, fmt, mode, operands, step, rounding, tininess)


def explained(
    operation: str,
    fmt: Format,
    mode: Rounding,
    operands: tuple[Operand, ...],
    step: ExactStep,
    rounding: RoundingStep,
    tininess: str,
) -> Explanation:
    """The steps of an operation put together."""
    flags = {*step.flags, *rounding.flags}.union(*(x.rounding.flags for x in operands if x.rounding))
    return Explanation(
        operation, fmt, mode, operands, step, rounding, rounding.result, ordered(flags), tininess=tininess
    )


def rounding(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    saturate: bool | None = None,
    subnormals: Subnormals | str | None = None,
    tininess: str = "after",
) -> Explanation:
    """Why `round_to` gives what it gives; exact, and always the same result and flags.

    Parameters
    ----------
    x : number
        One number, as `round_to` takes them, or the text of a code: "0x2E66", "0b0010111001100110",
        "0_01011_1001100110".
    fmt, mode, rng, saturate, subnormals
        As for `round_to`. Formats may be wider than binary64.
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
    fmt = with_behaviour(get_format(fmt), saturate, subnormals)
    return explain_rounding("round", read(x, fmt), fmt, get_rounding(mode), rng, tininess)


def explain_rounding(
    operation: str, given: Any, fmt: Format, mode: Rounding, rng: Seed, tininess: str = "after"
) -> Explanation:
    """The explanation of rounding what was given, and nothing else."""
    x = given.value
    step = round_step(x, fmt, mode, next_draw(as_generator(mode, rng)), operand=True, tininess=tininess)
    start = Operand("x", given.text, x, None, step.result)
    return explained(operation, fmt, mode, (start,), ExactStep("given", x, exponent=step.exponent), step, tininess)


def add(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a + b is what `fs.add` gives; exact, and always the same result and flags. Parameters as for `rounding`.

    >>> why = add(2048, 1, "binary16")
    >>> why.exact.shift, why.rounding.rule, why.rounding.rest, why.result.value
    (11, 'tie_to_even', Fraction(1, 2), Fraction(2048, 1))
    """
    return operate("add", (a, b), fmt, mode, rng, tininess)


def subtract(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a - b is what `fs.subtract` gives; exact, and always the same. Parameters as for `rounding`.

    >>> subtract(1, "0.9995", "binary16").exact.normalisation  # 11 leading bits cancel
    -11
    """
    return operate("subtract", (a, b), fmt, mode, rng, tininess)


def multiply(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a * b is what `fs.multiply` gives; exact, and always the same. Parameters as for `rounding`.

    >>> multiply(300, 300, "binary16").rounding.overflow_rule
    'infinity'
    """
    return operate("multiply", (a, b), fmt, mode, rng, tininess)


def divide(
    a: Any,
    b: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a / b is what `fs.divide` gives; exact, and always the same. Parameters as for `rounding`.

    >>> divide(1, 3, "binary16").rounding.rest
    Fraction(1, 3)
    """
    return operate("divide", (a, b), fmt, mode, rng, tininess)


def sqrt(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why the square root is what `fs.sqrt` gives; exact, and always the same. Parameters as for `rounding`.

    >>> sqrt(2, "binary16").exact.irrational
    True
    """
    return operate("sqrt", (x,), fmt, mode, rng, tininess)


def fma(
    a: Any,
    b: Any,
    c: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a * b + c, rounded once, is what `fs.fma` gives; exact, and always the same. Parameters as for `rounding`.

    >>> [(d.via, float(d.value)) for d in fma(3, 683, "2^-24", "binary16").detours if d.differs]
    [('binary32', 2048.0), ('two roundings', 2048.0)]
    """
    return operate("fma", (a, b, c), fmt, mode, rng, tininess)
