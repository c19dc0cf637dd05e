"""A function that the user names: pkg.module:function, called with arrays if it takes them, else number by number."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ... import cases
from ...elementary.definitions import FUNCTIONS
from ...formats import Format, get_format, get_rounding
from ...wording import did_you_mean, quoted
from ..inputs import COUNTS
from ..subject import Check, Subject
from .common import SHORT, values_of

TASKS = ("rounding", "parse", "integer", "decode", *COUNTS, *FUNCTIONS)
"""What a function can be asked to do; the elementary functions are those of fp16sim."""
DTYPES: dict[str, Any] = {"binary64": np.float64, "binary32": np.float32, "binary16": np.float16}
MOST_PRECISION = 50
"""float64 must have numbers beside the midpoints of a format."""
TRIED = 4


class Function(NamedTuple):
    """A function of the user, as plain data.

    `spec` is "package.module:function", or "file.py:function"; `codes` says that it returns codes, and not numbers.
    """

    spec: str
    fmt: str = "binary16"
    mode: str = "ties_to_even"
    task: str = "rounding"
    source: str = "binary64"
    codes: bool = False


def checked(own: Function) -> Function:
    """The same with full names.

    Raises
    ------
    ValueError
        For an unknown task, format, mode or source.

    >>> checked(Function("mycasts:to_bf16", "bf16")).fmt
    'bfloat16'
    """
    if not isinstance(own.spec, str) or not all(own.spec.rpartition(":")):
        raise ValueError(
            f"function={quoted(own.spec)} is not a function; write module:function, such as mycasts:to_bf16"
        )
    if own.task not in TASKS:
        raise ValueError(
            f"task={quoted(own.task)} is unknown; {did_you_mean(own.task, TASKS)}use one of {', '.join(TASKS)}"
        )
    source = get_format(own.source).name
    if source not in DTYPES:
        raise ValueError(f"source={quoted(own.source)} is not the format of an array; use one of {', '.join(DTYPES)}")
    if get_rounding(own.mode).random:
        raise ValueError(f"mode={quoted(own.mode)} is random, so no single answer is right; use another mode")
    return own._replace(fmt=get_format(own.fmt).name, mode=get_rounding(own.mode).value, source=source)


def found(spec: str) -> Callable[..., Any]:
    """The function that a text names, by a module or a file; modules of the current folder are found too."""
    module, _, name = spec.rpartition(":")
    if module.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(module)))
        module = os.path.basename(module).removesuffix(".py")
    elif "" not in sys.path:
        sys.path.insert(0, "")
    target: Any = import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    if not callable(target):
        raise TypeError(f"{spec} is a {type(target).__name__}, not a function")
    return target


def subject(own: Function) -> Subject:
    """One check of that function."""
    return Subject(own.spec, "", (check_of(found(own.spec), own, get_format(own.fmt)),))


def check_of(function: Callable[..., Any], own: Function, fmt: Format) -> Check:
    """The check of a function.

    Raises
    ------
    ValueError
        For a format that is too wide for the task.
    """
    most, what = (cases.WIDEST_TABLE, "width") if own.task == "decode" else (MOST_PRECISION, "precision")
    if (size := getattr(fmt, what)) > most:
        raise ValueError(f"fmt={fmt.name}: its {what} is {size}; {own.task} is probed up to {what}={most}")
    dtype = DTYPES[own.source]

    def call(*columns: Any) -> Any:
        given = columns
        if own.task not in ("parse", "integer", "decode"):
            given = tuple(np.asarray(column, dtype if own.task == "rounding" else np.float64) for column in columns)
        answers = _called(function, given)
        return values_of(np.asarray(answers).astype(np.int64), fmt) if own.codes else answers

    name = f"{fmt.name} from {SHORT[own.source]}" if own.task == "rounding" else f"{fmt.name} {own.task}"
    return Check(name, own.task, fmt, call, own.source, get_rounding(own.mode))


def _called(function: Callable[..., Any], columns: tuple[Any, ...]) -> Any:
    """The answers for whole columns, if some rows show that the function takes arrays; else row by row."""
    if isinstance(columns[0], np.ndarray) and _takes_arrays(function, columns):
        return plain(function(*columns))
    lists = (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)
    return np.array([float(plain(function(*row))) for row in zip(*lists, strict=True)])


def _takes_arrays(function: Callable[..., Any], columns: tuple[Any, ...]) -> bool:
    try:
        return bool(
            np.shape(plain(function(*(column[:TRIED] for column in columns)))) == (min(TRIED, len(columns[0])),)
        )
    except Exception:  # whatever it is, it will be raised again by the call for one row, or does not matter
        return False


def plain(answers: Any) -> Any:
    """An array of NumPy, also of a tensor of bfloat16, which NumPy cannot take as it is."""
    if hasattr(answers, "detach"):
        answers = answers.detach().double().cpu().numpy()
    return np.asarray(answers)
