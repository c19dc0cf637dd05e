"""The work of one cell: which function it is, its call, and what came of it."""

from __future__ import annotations

import inspect
import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ..wording import did_you_mean, joined, quoted, shortened
from .cells import plain

VALUE = "value"
"""The name of the result of a function that returns one number."""

DIED = "died"
"""The result that says how a computation broke down; None, or absent, if it did not."""

NOT_FINITE = ("NaN", "Infinity", "-Infinity")
"""Results that JSON has no numbers for, as its writers and `float` spell them."""


@dataclass(frozen=True)
class Failure:
    """An exception of a cell, which is no result: its type, its message, and where it was raised."""

    type: str
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" + (f" ({self.where})" if self.where else "")


class Outcome(NamedTuple):
    """What came of a cell: a result or a failure, and the seconds that it took."""

    result: dict[str, Any] | None
    failure: Failure | None
    seconds: float


def perform(call: Callable[..., Any], config: Mapping[str, Any]) -> Outcome:
    """Call the function with a configuration; an exception is an outcome, too."""
    start, process, given, result = time.perf_counter(), os.getpid(), None, None
    try:
        given = call(**config)
        failure = None
    except (Exception, SystemExit) as error:
        failure = _failure(error, _where(error))
    if os.getpid() != process:  # a child that the function forked: the sweep goes on in its parent alone
        os._exit(0)
    if failure is None:
        try:
            result = _as_result(given)
        except (TypeError, ValueError, RecursionError) as error:
            failure = _failure(error, "")
    return Outcome(result, failure, round(time.perf_counter() - start, 4))


def _failure(error: BaseException, where: str) -> Failure:
    return Failure(type(error).__name__, shortened(_line(error), 500), where)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is ours
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _as_result(given: Any) -> dict[str, Any]:
    """What a cell returned, as a dict of plain data."""
    if isinstance(given, Mapping):
        return {str(name): plain(value, f"the result {name}", spell=True) for name, value in given.items()}
    return {VALUE: plain(given, f"the result {VALUE}", spell=True)}


# --- which function -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """The function of all cells.

    Attributes
    ----------
    name : str
        "module:function".
    call : callable
    """

    name: str
    call: Callable[..., Any]

    @classmethod
    def of(cls, given: str | Callable[..., Any]) -> Function:
        """From "module:function", or the function itself.

        >>> Function.of("math:hypot").call(3, 4)
        5.0
        >>> Function.of("math:hypto")
        Traceback (most recent call last):
        ValueError: function='math:hypto': math has no function of this name; did you mean 'hypot'?
        """
        if not isinstance(given, str):
            if not callable(given):
                raise TypeError(f"function={quoted(given)} is not a function; give one, or 'module:function'")
            return cls(_name_of(given), given)
        module, colon, name = given.partition(":")
        if not colon or not module or not name:
            raise ValueError(f"function={quoted(given)} is not module:function, such as 'my_cells:error_of_a_sum'")
        try:
            call = getattr(home := import_module(module), name, None)
        except ImportError as error:
            raise ValueError(f"function={quoted(given)} cannot be imported: {_line(error)}") from None
        if not callable(call):
            similar = did_you_mean(name, [other for other in dir(home) if callable(getattr(home, other))])
            raise ValueError(f"function={quoted(given)}: {module} has no function of this name; {similar}".rstrip("; "))
        return cls(given, call)

    def refuse_what_processes_cannot_import(self) -> None:
        """TypeError for a function that other processes cannot find by its name: a lambda, or one within a function."""
        try:
            pickle.dumps(self.call)
            main = sys.modules["__main__"] if getattr(self.call, "__module__", "") == "__main__" else None
            known = main is None or hasattr(main, "__file__")
        except (pickle.PicklingError, AttributeError, TypeError):
            known = False
        if not known:
            raise TypeError(
                f"function={quoted(self.name)} cannot be imported by other processes; write it at the top of a module "
                "file, or use workers=0, which runs all cells in this process"
            )

    def expand(self, given: dict[str, Any]) -> dict[str, Any]:
        """The whole configuration: what is given, and the defaults of the other arguments.

        >>> Function.of("math:hypot").expand({"x": 1})
        {'x': 1}
        """
        try:
            signature = inspect.signature(self.call)
        except (TypeError, ValueError):  # some functions written in C have none
            return given
        parameters = signature.parameters.values()
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return given
        known = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
        for name in () if anything else given:
            if name not in known:
                similar = did_you_mean(name, known).rstrip() or f"it has {joined(known) if known else 'none'}"
                raise TypeError(f"{name}={quoted(given[name])} is not an argument of {self.name}; {similar}")
        for p in parameters:
            if p.name in known and p.default is p.empty and p.name not in given:
                raise TypeError(f"{p.name}, an argument of {self.name}, is missing; make it an axis, or an option")
        return {**{p.name: p.default for p in parameters if _is_plain(p.default)}, **given}


def _is_plain(default: Any) -> bool:
    try:
        return default is not inspect.Parameter.empty and bool(plain(default, "default") or True)
    except (TypeError, ValueError):
        return False


def _name_of(call: Callable[..., Any]) -> str:
    module, name = getattr(call, "__module__", "") or "", getattr(call, "__qualname__", type(call).__name__)
    if module == "__main__":
        module = Path(getattr(sys.modules["__main__"], "__file__", "__main__")).stem
    return f"{module}:{name}"
