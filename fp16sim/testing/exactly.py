"""Assertions without any tolerance: a rounding, and an operation that is rounded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import arithmetic, elementary, explain
from ..conversion import Array
from ..faults.matching import explained as faults_of
from ..faults.roundings import differs
from ..flags import without_flags
from ..formats import Format, FormatLike, Rounding, get_rounding
from ..rounding import round_to
from ..wording import did_you_mean, joined, quoted
from . import messages
from .differences import in_ulp
from .given import array_of, format_of, numbers_of, same_shape

Function = Callable[..., Any]

FUNCTIONS: dict[str, Function] = {
    name: getattr(arithmetic, name)
    for name in ("add", "subtract", "multiply", "divide", "sqrt", "fma", "ieee_remainder", "fmod", "round_to_integral")
} | {name: getattr(elementary, name) for name in elementary.__all__}
"""The operations that `assert_operation` knows: each is rounded once."""

OF_TWO = ("add", "subtract", "multiply", "divide", "ieee_remainder", "fmod", "power", "hypot")
NUMBER_OF_OPERANDS = {"fma": 3} | dict.fromkeys(OF_TWO, 2)
WITH_STEPS = ("add", "subtract", "multiply", "divide", "sqrt", "fma")
"""Operations that `explain` takes apart into steps of their own."""


def assert_rounded(got: Any, x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even") -> None:
    """Raise AssertionError unless `got` is `x` correctly rounded: bit for bit, signs of zero included, all NaNs alike.

    Parameters
    ----------
    got : array_like
        What a conversion gave, in any dtype that holds it: float16, ml_dtypes.bfloat16, float32, a torch tensor, ...
    x : array_like
        What was converted, as for `round_to`.
    fmt, mode
        As for `round_to`. "stochastic" accepts both numbers of the format that enclose x.

    Raises
    ------
    AssertionError
        With the number of differing results, the worst in ulp, the simplest example explained, and the known mistake
        (`fp16sim.faults`) that gives the same results, if there is one.
    TypeError
        For an array of another format, and for what is not made of real numbers.

    Examples
    --------
    >>> import fp16sim as fs
    >>> x = np.array([1.0, 257.0, 261.0])
    >>> fs.testing.assert_rounded(fs.round_to(x, "bfloat16"), x, "bfloat16")
    >>> try:
    ...     fs.testing.assert_rounded([1.0, 258.0, 262.0], x, "bfloat16")
    ... except AssertionError as error:
    ...     print(*str(error).splitlines()[:5], sep="\\n")
    got is not round_to(x, bfloat16, ties_to_even)
    <BLANKLINE>
    Mismatched elements: 2 / 3 (66.7%)
    Largest difference: 1 ulp, at [1]: got 258.0 (0x4381), expected 256.0
    Simplest example: x = 257.0, at [1]
    """
    fmt, mode = format_of(fmt), get_rounding(mode)
    source = array_of(x, fmt)
    _compare("round_to", [source], lambda mode: round_to(source, fmt, mode), numbers_of(got, fmt, "got"), fmt, mode)


def assert_operation(
    got: Any, operation: str, *operands: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even"
) -> None:
    """Raise AssertionError unless `got` is the operation's result, rounded once: bit for bit, as `assert_rounded`.

    Parameters
    ----------
    got : array_like
    operation : str
        A name of `fp16sim`: "add", "subtract", "multiply", "divide", "sqrt", "fma", "exp", "tanh", ...
    *operands : array_like
        They broadcast. What is not a number of the format is first rounded to it, in the same mode.
    fmt, mode
        As for `round_to`. Functions such as "exp" are correctly rounded if the format has at most 11 bits of precision.

    Raises
    ------
    AssertionError
        As for `assert_rounded`.
    ValueError
        For an unknown operation, or another number of operands.

    Examples
    --------
    >>> import fp16sim as fs
    >>> a, b = np.float16([1.0, 3.0]), np.float16([3.0, 7.0])
    >>> fs.testing.assert_operation(a / b, "divide", a, b, fmt="binary16")
    """
    fmt, mode = format_of(fmt), get_rounding(mode)
    if not isinstance(operation, str) or operation not in FUNCTIONS:
        known = f"{did_you_mean(operation, FUNCTIONS)}use one of {', '.join(FUNCTIONS)}"
        raise ValueError(f"operation={quoted(operation)} is not an operation that is rounded once; {known}")
    wanted = NUMBER_OF_OPERANDS.get(operation, 1)
    if len(operands) != wanted:
        raise ValueError(f"operation={quoted(operation)} takes {wanted} operands, but {len(operands)} are given")
    columns = [array_of(x, fmt, f"operand {k}") for k, x in enumerate(operands, 1)]
    function = FUNCTIONS[operation]
    _compare(operation, columns, lambda mode: function(*columns, fmt, mode), numbers_of(got, fmt, "got"), fmt, mode)


def _compare(name: str, columns: Sequence[Array], compute: Function, got: Array, fmt: Format, mode: Rounding) -> None:
    """Raise what is to be said, unless the results are those of `compute`."""
    with without_flags(), np.errstate(all="ignore"):
        choices = _choices(compute, mode)
        same_shape(got, choices[0])
        wrong = np.logical_and.reduce([differs(got, choice) for choice in choices])
        if wrong.any():
            raise AssertionError(_message(name, columns, choices, got, wrong, fmt, mode))


def _choices(compute: Function, mode: Rounding) -> list[Array]:
    """The right results: one, or the two neighbours that a random mode chooses from."""
    modes = (Rounding.TOWARD_NEGATIVE, Rounding.TOWARD_POSITIVE) if mode.random else (mode,)
    return [np.asarray(compute(mode), np.float64) for mode in modes]


def _message(
    name: str,
    columns: Sequence[Array],
    choices: Sequence[Array],
    got: Array,
    wrong: Array,
    fmt: Format,
    mode: Rounding,
) -> str:
    operands = [np.broadcast_to(column, wrong.shape) for column in columns]
    at = messages.simplest(wrong, [_as_float64(column) for column in operands])
    labels = "abc" if len(operands) > 1 else "x"
    example = [column.reshape(-1)[at] for column in operands]
    given = ", ".join(f"{label} = {_plain(value)!r}" for label, value in zip(labels, example, strict=False))
    right = joined([messages.shown(choice.reshape(-1)[at], fmt) for choice in choices], "or")
    lines = [
        f"got is not {name}({', '.join(labels[: len(operands)])}, {fmt.name}, {mode})",
        "",
        messages.mismatches(wrong),
        messages.largest(in_ulp(got, choices[0], fmt), wrong, got, choices[0], fmt),
        f"Simplest example: {given}, at {messages.place(wrong.shape, at)}",
        f"  got       {messages.shown(got.reshape(-1)[at], fmt)}",
        f"  expected  {right}",
        *_cause(name, operands, choices[0], got, fmt, mode),
        "",
        messages.indented(_why(name, [_plain(value) for value in example], fmt, mode)),
    ]
    return "\n".join(lines)


def _cause(name: str, operands: Sequence[Array], expected: Array, got: Array, fmt: Format, mode: Rounding) -> list[str]:
    """The known mistakes that together give all wrong results, in a sentence; nothing if some stay unexplained."""
    if mode.random or any(column.dtype == object for column in operands):
        return []
    columns = [np.asarray(column, np.float64).reshape(-1) for column in operands]
    if name != "round_to":  # the faults take values of the format, as the operation does once it has rounded them
        columns = [np.asarray(round_to(column, fmt, mode), np.float64) for column in columns]
    task = "rounding" if name == "round_to" else name
    causes = faults_of(task, columns, expected.reshape(-1), got.reshape(-1), fmt, mode)
    if not causes or any(cause.fault is None for cause in causes):
        return []
    words = joined([cause.fault.misconception for cause in causes if cause.fault])
    return ["", messages.said(f"In every case that was compared, it answers like a function that {words}.")]


def _why(name: str, operands: Sequence[Any], fmt: Format, mode: Rounding) -> str:
    """Why the right answer is right."""
    if name == "round_to":
        return str(explain.rounding(operands[0], fmt, mode))
    if name in WITH_STEPS:
        return str(getattr(explain, name)(*operands, fmt, mode))
    return str(explain.function(name, tuple(operands), fmt, mode)) if name in _explained_functions() else ""


def _explained_functions() -> Any:
    from ..explain.functions import ARGUMENTS  # needed for mistakes only

    return ARGUMENTS


def _as_float64(column: Array) -> Array:
    """For the order of examples; what float64 does not hold is rounded there."""
    return (
        np.asarray([float(x) if not isinstance(x, str) else 0.0 for x in column.flat], np.float64).reshape(column.shape)
        if column.dtype == object
        else np.asarray(column, np.float64)
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) or not hasattr(value, "item") else value.item()
