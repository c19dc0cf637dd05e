"""explain.convert and explain.parse: a number that comes from another format, or from text."""

from __future__ import annotations

from typing import Any

from ..conversion import Seed, as_generator
from ..formats import FormatLike, Rounding, get_format, get_rounding
from .decoding import Given, code_in, read
from .explanation import Explanation
from .operations import explain_rounding, explained, operand
from .records import ExactStep
from .steps import next_draw, round_step


def convert(
    x: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    source: FormatLike = "binary32",
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a number of one format becomes what it becomes in another; exact, as `fs.round_to` of the stored number.

    Parameters
    ----------
    x : number
        One number, or the text of a code of `source`. Where `source` does not hold it, it is first rounded to it in
        the same mode, and the explanation says so if that changes the result: double rounding.
    fmt, mode, rng
        As for `round_to`.
    source : Format, str or dtype
        What x comes from; binary32 by default.
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
    return explained("convert", fmt, mode, (start,), ExactStep("given", value, exponent=step.exponent), step, tininess)


def parse(
    text: str,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    rng: Seed = None,
    tininess: str = "after",
) -> Explanation:
    """Why a text is read as the number it is: its exact value, rounded once, as `fs.round_to(text)` does.

    Where reading it as a binary64 or binary32 first, as most programs do, gives another number, `detours` says so.

    Parameters
    ----------
    text : str
        Any number that `fs.parse` knows.
    fmt, mode, rng, tininess
        As for `rounding`.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError
        For what is no text.
    ValueError
        For text that is no number, codes included.

    Examples
    --------
    >>> why = parse("1.00048828125000000000001", "binary16")
    >>> float(why.result.value), [(d.via, float(d.value)) for d in why.detours if d.differs]
    (1.0009765625, [('binary32', 1.0), ('binary64', 1.0)])
    """
    if not isinstance(text, str):
        raise TypeError(f"text={text!r} is no text; use rounding({text!r}, fmt) for a number")
    fmt = get_format(fmt)
    if code_in(text, fmt) is not None:
        raise ValueError(f"text={text!r} is a code of {fmt}, not a number; use rounding({text!r}, {fmt.name!r})")
    given: Given = read(text, fmt)
    return explain_rounding("parse", given, fmt, get_rounding(mode), rng, tininess)
