"""A block under the trace, for code that is no function: a notebook cell, a few lines in a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Seed
from ..formats import FormatLike, Rounding
from .literals import current
from .proxies import MATHEMATICS, NUMPY
from .ranking import outputs
from .recorder import Recorder
from .rewriting import swapped
from .running import Run, checked, entering, finish, new_recorder, quiet
from .sites import Caller, user_frame
from .traced import Traced


class Recording:
    """What `recording` gives: `t.array` makes traced numbers, `t.np` and `t.math` are the traced modules.

    After the block, `t.run` is the `Run`. Its results are those given to `t.result`, or else the values that are still
    there and that no operation used.
    """

    np, math = NUMPY, MATHEMATICS

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._results: list[Traced] = []
        self.run: Run | None = None

    def array(self, x: Any) -> Any:
        """A float, an array or a list as a traced number or array: what the format holds is its shadow."""
        return entering(self._recorder, np.array(x, np.float64) if isinstance(x, (list, tuple)) else x)

    def result(self, *values: Any) -> None:
        """Say which values are the results."""
        self._results += outputs(values)

    def _finish(self) -> None:
        unused = [ref() for ref in (self._recorder.unused or {}).values()]
        results = self._results or [x for x in unused if x is not None]
        self.run = finish(self._recorder, "block", None, results, None)

    def __str__(self) -> str:
        return "a recording that has not ended" if self.run is None else str(self.run)


@contextmanager
def recording(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    accumulator: AccumulatorLike | None = None,
    *,
    rng: Seed = None,
) -> Iterator[Recording]:
    """Trace what happens in a block.

    The numbers of `t.array` are traced wherever they go, and so are those of `np` and `math`, if the block's own module
    knows them by a global name. Floats that stand in the block itself are rounded where they meet a traced number;
    `0.1 * 3.0` is computed by Python, in float64. A block cannot be repeated, so cures are not measured: for that, put
    the code into a function and use `wrap`.

    Parameters
    ----------
    fmt, mode, accumulator, rng
        As for `wrap`.

    Examples
    --------
    >>> with recording("binary16") as t:
    ...     x = t.array([300.0, 400.0])
    ...     length = (x[0] * x[0] + x[1] * x[1]) ** 0.5
    >>> t.run.lines[0].events
    {'overflow': 2}
    """
    fmt, mode = checked(fmt, mode, accumulator)
    recorder = new_recorder(fmt, mode, rng, accumulator=accumulator)
    recorder.unused = {}
    frame = user_frame(set())
    if isinstance(frame, Caller):
        raise TypeError("recording() does not work inside a function that is traced by wrap(); use one of them")
    token = current.set(recorder)
    made = Recording(recorder)
    try:
        with swapped(recorder.files) as swap, np.errstate(**quiet()):
            recorder.files.add(frame.f_code.co_filename)
            swap.module(frame.f_globals)
            del frame
            yield made
        made._finish()
    finally:
        current.reset(token)
