"""Running code under the trace: functions, blocks and scripts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from types import GeneratorType
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike, parse
from ..conversion import Seed, as_generator
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import quoted
from . import proxies
from .corrections import keep_memory
from .cures import Cure, best, tried
from .dispatch import call_function, call_ufunc
from .literals import Literal, Whole, current
from .page import body, to_html
from .ranking import outputs, rank, result_of
from .recorder import Escape, Recorder
from .records import Record
from .report import text_of, to_dict
from .rewriting import swapped
from .sites import Place, called, calling
from .traced import Traced, argument


class Run(Record):
    """A traced run, which can be printed; see `Record` for its attributes.

    `str(run)` is the report, `run.to_html()` the report as a page with the source beside the numbers, `run.to_dict()`
    the same as data for JSON. `run.cures` are the changes that reduce the error of the results, each measured.
    """

    @cached_property
    def tried(self) -> tuple[Cure, ...]:
        """The cures that were tried for the line to blame, each with the errors before and after it."""
        return tried(self)

    @property
    def cures(self) -> tuple[Cure, ...]:
        """Those that at least halve the error, the best first."""
        return best(self.tried)

    def without_cures(self) -> Run:
        """The same record, for which no cure is tried: the run is not repeated."""
        return replace(self, again=None)

    def __str__(self) -> str:
        return text_of(self, self.tried)

    def __repr__(self) -> str:
        return f"<Run of {self.name} in {self.fmt.name}: {self.operations} operations; print it for the report>"

    def to_dict(self) -> dict[str, Any]:
        """The report as data for JSON."""
        return to_dict(self, self.tried)

    def to_html(self) -> str:
        """The report as one HTML file that loads nothing."""
        return to_html(self, self.tried)

    def _repr_html_(self) -> str:
        return str(body(self, self.tried))


def wrap(
    function: Callable[..., Any],
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    accumulator: AccumulatorLike | None = None,
    *,
    rng: Seed = None,
) -> Callable[..., Run]:
    """A function that runs `function`, unchanged, in a format and beside a shadow, and returns the `Run`.

    Parameters
    ----------
    function : callable
        Plain Python and NumPy. Float arguments (also in arrays, lists, tuples and dicts) become traced numbers, rounded
        to the format; so do the floats in its source, and those that numpy and math give it. So do the functions that
        it calls, if they are of the same project and not of a library.
    fmt, mode, rng
        As for `round_to`.
    accumulator : Accumulator or str, optional
        How sums and products of matrices are added; by default one term after the other.

    Returns
    -------
    callable
        Takes the arguments of `function`. Errors that `function` raises surface as they are.

    Examples
    --------
    >>> import math
    >>> def naive(x):
    ...     return (1 - math.cos(x)) / x**2
    >>> run = wrap(naive, "binary16")(0.03)
    >>> run.returned, round(float(run.results[0].shadow), 6), round(run.results[0].lost, 1)
    (FloatArray(0.5425, binary16), 0.499963, 7.4)
    """
    if not callable(function):
        raise TypeError(
            f"function={quoted(function)} of type {type(function).__name__} cannot be called; give a function"
        )
    fmt, mode = checked(fmt, mode, accumulator)

    @functools.wraps(function)
    def traced(*args: Any, **keywords: Any) -> Run:
        caller = calling(1)

        def again(**changes: Any) -> Run:
            how: dict[str, Any] = {"fmt": fmt, "mode": mode, "accumulator": accumulator, "rng": rng}
            recorder = new_recorder(**(how | changes))
            place = called.set(caller)
            try:
                return _run(recorder, function, args, keywords, again)
            finally:
                called.reset(place)

        return again()

    return traced


def checked(
    fmt: FormatLike, mode: Rounding | str, accumulator: AccumulatorLike | None = None
) -> tuple[Format, Rounding]:
    """A format and a mode; ValueError for one of the three that does not exist."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    if isinstance(accumulator, str):
        parse(accumulator, fmt, mode)
    return fmt, mode


def new_recorder(fmt: Format, mode: Rounding, rng: Seed = None, prepare: Any = None, **how: Any) -> Recorder:
    """A recorder that computes with FloatArrays."""
    keep_memory()
    recorder = Recorder(fmt, mode, call_ufunc, call_function, rng=as_generator(mode, rng), **how)
    if prepare is not None:
        prepare(recorder)
    return recorder


def _run(recorder: Recorder, function: Any, args: Any, keywords: Any, again: Callable[..., Run]) -> Run:
    token = current.set(recorder)
    try:
        given, named = entering(recorder, args), entering(recorder, keywords)
        with swapped(recorder.files, function), np.errstate(**quiet()):
            returned = function(*given, **named)
            returned = list(returned) if isinstance(returned, GeneratorType) else returned
        if not recorder.escapes and (plain := _not_traced(returned)):
            recorder.escapes[Escape(_place(function), "returned a float that was not traced")] = len(plain)
        return finish(recorder, name_of(function), returned, outputs(returned), again)
    finally:
        current.reset(token)


def _not_traced(x: Any) -> list[Any]:
    """Floats in a result that no traced operation made, such as a quotient of two integers."""
    return [y for y in (x if type(x) in (list, tuple) else (x,)) if type(y) is float or _is_plain(y)]


def _is_plain(x: Any) -> bool:
    return isinstance(x, np.floating) or (type(x) is np.ndarray and x.dtype.kind == "f")


def _place(function: Any) -> Place:
    """Where a function begins; where it was called, if it is none of Python's."""
    caller = called.get()
    if not hasattr(function, "__code__") and caller is not None:
        return Place(caller.f_code.co_filename, caller.f_lineno, caller.f_code.co_name, "")
    code = function.__code__
    return Place(code.co_filename, code.co_firstlineno, code.co_name, "")


def quiet() -> Any:
    """NumPy's warnings are silent, because the report has them; what raises an error stays."""
    return {key: value if value == "raise" else "ignore" for key, value in np.geterr().items()}


def entering(recorder: Recorder, x: Any) -> Any:
    """Arguments with traced numbers in place of floats."""
    if isinstance(x, Traced):
        return x
    if isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
        return argument(recorder, np.array(x) if isinstance(x, np.ndarray) else x)
    if isinstance(x, dict):
        return {k: entering(recorder, part) for k, part in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(entering(recorder, part) for part in x))
    if type(x) in (list, tuple):
        return type(x)(entering(recorder, part) for part in x)
    if isinstance(x, np.random.Generator):
        return proxies.Wrapped(x)
    return x


def leaving(x: Any) -> Any:
    """A result with FloatArrays in place of traced numbers."""
    if isinstance(x, Traced):
        return x.value
    if type(x) in (Literal, Whole):
        return float(x) if type(x) is Literal else int(x)
    if isinstance(x, dict):
        return {leaving(k): leaving(part) for k, part in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(leaving, x))
    if type(x) in (list, tuple):
        return type(x)(leaving(part) for part in x)
    return x


def name_of(function: Any) -> str:
    """What to call a function in a report."""
    return str(getattr(function, "__name__", type(function).__name__))


def finish(
    recorder: Recorder, name: str, returned: Any, results: list[Traced], again: Callable[..., Run] | None
) -> Run:
    """The record of a run that has ended; it keeps no values but its results."""
    recorder.shown.clear()
    recorder.constants.clear()
    return Run(
        name,
        recorder.fmt,
        recorder.mode,
        "" if recorder.accumulator is None else str(recorder.accumulator),
        leaving(returned),
        tuple(map(result_of, results)),
        rank(recorder, results),
        dict(recorder.escapes),
        tuple(recorder.recent),
        recorder.operations,
        recorder,
        again,
    )
