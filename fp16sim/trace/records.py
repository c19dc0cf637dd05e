"""The record of a traced run: plain data, which knows nothing of its reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..formats import Format, Rounding
from .ranking import Line, Result
from .recorder import Escape, Recorder, Step
from .sites import Site


@dataclass(frozen=True)
class Record:
    """A traced run.

    Attributes
    ----------
    name : str
        Of the function or script.
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

    name: str
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
    again: Callable[..., Record] | None = field(repr=False, default=None)
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
