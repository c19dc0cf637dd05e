"""Running code under the trace: functions, blocks and scripts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike, parse
from ..conversion import Seed, as_generator
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import quoted
from . import proxies
from .dispatch import call_function, call_ufunc
from .literals import current
from .ranking import Line, Result, outputs, rank, result_of
from .recorder import Escape, Recorder, Step
from .rewriting import swapped
from .sites import Site
from .traced import Traced, argument


@dataclass(frozen=True)
class Run:
    """A traced run.

    Attributes
    ----------
    fmt, mode
        Of the emulated computation.
    returned
        What the function returned; FloatArrays in place of traced numbers.
    results : tuple of Result
        The numbers of what it returned, each with its shadow and its error.
    lines : tuple of Line
        The source lines, the one to blame first.
    escapes : dict of Escape -> int
        Where numbers left the trace, and how often.
    steps : tuple of Step
        The last operations, in the order of time.
    operations : int
        How many there were in all.
    """

    fmt: Format
    mode: Rounding
    accumulator: str
    returned: Any
    results: tuple[Result, ...]
    lines: tuple[Line, ...]
    escapes: dict[Escape, int]
    steps: tuple[Step, ...]
    operations: int
    recorder: Recorder = field(repr=False)
    again: Callable[..., Run] | None = field(repr=False, default=None)
    """Runs the same once more with other `islands`, `line_accumulators`, `fmt` ...; None if that is not possible."""

    @property
    def error(self) -> float:
        """The worst relative error of the results; infinite where one is not finite although its shadow is."""
        return max((result.error for result in self.results), default=0.0)

    @property
    def norm_error(self) -> float:
        """The same by norms: the worst `norm_error` of the results."""
        return max((result.norm_error for result in self.results), default=0.0)

    @property
    def sites(self) -> list[Site]:
        """The places of all operations."""
        return self.recorder.sites


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
    fmt, mode = get_format(fmt), get_rounding(mode)
    if isinstance(accumulator, str):
        parse(accumulator, fmt, mode)

    @functools.wraps(function)
    def traced(*args: Any, **keywords: Any) -> Run:
        def again(**changes: Any) -> Run:
            how: dict[str, Any] = {"fmt": fmt, "mode": mode, "accumulator": accumulator, "rng": rng}
            recorder = new_recorder(**(how | changes))
            return _run(recorder, function, args, keywords, again)

        return again()

    return traced


def new_recorder(fmt: Format, mode: Rounding, rng: Seed = None, **how: Any) -> Recorder:
    """A recorder that computes with FloatArrays."""
    return Recorder(fmt, mode, call_ufunc, call_function, rng=as_generator(mode, rng), **how)


def _run(recorder: Recorder, function: Any, args: Any, keywords: Any, again: Callable[..., Run]) -> Run:
    token = current.set(recorder)
    try:
        given, named = entering(recorder, args), entering(recorder, keywords)
        with swapped(recorder.files, function), np.errstate(**_quiet()):
            returned = function(*given, **named)
        return finish(recorder, returned, outputs(returned), again)
    finally:
        current.reset(token)


def _quiet() -> Any:
    """NumPy's warnings are silent, because the report has them; what raises an error stays."""
    return {key: value if value == "raise" else "ignore" for key, value in np.geterr().items()}


def entering(recorder: Recorder, x: Any) -> Any:
    """Arguments with traced numbers in place of floats."""
    if isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
        return argument(recorder, np.array(x) if isinstance(x, np.ndarray) else x)
    if isinstance(x, dict):
        return {k: entering(recorder, part) for k, part in x.items()}
    if type(x) in (list, tuple):
        return type(x)(entering(recorder, part) for part in x)
    if isinstance(x, np.random.Generator):
        return proxies.Wrapped(x)
    return x


def leaving(x: Any) -> Any:
    """A result with FloatArrays in place of traced numbers."""
    if isinstance(x, Traced):
        return x.value
    if isinstance(x, dict):
        return {k: leaving(part) for k, part in x.items()}
    if type(x) in (list, tuple):
        return type(x)(leaving(part) for part in x)
    return x


def finish(recorder: Recorder, returned: Any, results: list[Traced], again: Callable[..., Run] | None) -> Run:
    """The record of a run that has ended."""
    return Run(
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
