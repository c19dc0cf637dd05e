"""Run a sweep: find what is left, run it somewhere, append each outcome to the table, and sum up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..wording import quoted
from .cells import Cell, Options, make_cells, plain, shown
from .results import Results, Summary, names_of
from .runners import MOST_WORKERS, here, processes
from .table import Header, Record, read, writing
from .work import Function, Outcome


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Attributes
    ----------
    done, total : int
        Cells that are finished, those of earlier calls included; all cells.
    failed : int
        Those of them that failed.
    seconds_left : float or None
        How long the rest will take if it goes on as fast as in this call; None before its first cell has ended.
    """

    done: int
    total: int
    failed: int
    seconds_left: float | None


OnProgress: TypeAlias = Callable[[Progress], None]


def run(
    function: str | Callable[..., Any],
    axes: Options | None = None,
    *,
    cells: Sequence[Options] = (),
    base: Options | None = None,
    table: str | Path | None = None,
    workers: int = 0,
    scheduler: str | None = None,
    retry: bool = False,
    most: int | None = None,
    over: str | None = None,
    show: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> Results:
    """Call a function with every combination of options; what is in the table already is not computed again.

    The results have the same bits wherever and in whatever order the cells run, if the function's do.

    Parameters
    ----------
    function : callable or str
        Called as `function(**options)`; or "module:function". It returns a number, or a dict of plain data, in which
        "died" may say how the computation broke down. An exception is a failure of the cell, and no result.
    axes : mapping of str to list
        The values of each option. The cells are all combinations.
    cells : sequence of mappings, optional
        A list of cells instead; with axes, each is combined with all their values.
    base : mapping, optional
        Options of all cells.
    table : path, optional
        The file of finished cells, in JSON lines. It is made if it is not there, and only ever appended to. A sweep
        that was killed goes on from it. Without it, results are kept in memory only.
    workers : int
        How many processes of this machine; 0 for this process.
    scheduler : str, optional
        The address of a Dask scheduler, as "tcp://host:8786": its workers run the cells.
    retry : bool
        Run cells again that failed.
    most : int, optional
        How many cells to run in this call; 0 for none, to see what there is.
    over : str, optional
        The axis of the seeds, over which means are taken; by default "rng" or "seed", if that is an axis.
    show : sequence of str, optional
        The results in the table; by default the first few numbers.
    on_progress : callable, optional
        Called with a `Progress` at the start and after each cell.

    Returns
    -------
    Results

    Raises
    ------
    ValueError, TypeError
        For options that the function does not have, axes without values or with a value twice, a table of another
        sweep or version, and a scheduler that does not answer. Nothing is overwritten.

    Examples
    --------
    >>> import numpy as np
    >>> import fp16sim as fs
    >>> def error(fmt, n, rng):
    ...     x = np.random.default_rng(rng).random(n)
    ...     return abs(float(fs.sum(x, fmt)) / x.sum() - 1)
    >>> found = fs.sweeps.run(error, {"fmt": ["binary16", "bfloat16"], "rng": range(3)}, base={"n": 1000})
    >>> print(found)
    fmt       seeds            value
    binary16      3  0.0061 ± 0.0041
    bfloat16      3    0.495 ± 0.020
    Means over rng, ± half their 95 % intervals by Student's t.
    """
    work, base = Function.of(function), dict(base or {})
    made = make_cells(axes or {}, cells, base, work.expand)
    return compute(
        work,
        made,
        base,
        table=table,
        workers=workers,
        scheduler=scheduler,
        retry=retry,
        most=most,
        on_progress=on_progress,
        summary=Summary(over, names_of(show)),
    )


def compute(
    work: Function,
    cells: Sequence[Cell],
    base: Options,
    *,
    table: str | Path | None,
    workers: int,
    scheduler: str | None,
    retry: bool,
    most: int | None,
    on_progress: OnProgress | None,
    summary: Summary,
    check: Callable[[Sequence[Cell]], None] | None = None,
) -> Results:
    """The same for cells that are made already; `check` may refuse those that are left, before anything is written."""
    runner = _runner(workers, scheduler)
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
        raise ValueError(f"most={quoted(most)} is not a number of cells; use 0 or more")
    header = Header(work.name, {name: _plain_or_text(value) for name, value in base.items()})
    path = None if table is None else Path(table)
    records = {} if path is None else read(path, header)
    results = summary.of(cells, records)
    if left := _unfinished(cells, records, retry)[:most]:
        if check:
            check(left)
        with writing(path, header) as writer:
            left = _unfinished(cells, writer.records, retry)[:most]
            report = _Reporter(cells, writer.records, left, on_progress)
            for cell, outcome in runner(work, left):
                writer.append(Record.of(cell, outcome))
                report.after(cell)
            results = summary.of(cells, writer.records)
    return results


def _plain_or_text(value: Any) -> Any:
    try:
        return plain(value, "option")
    except (TypeError, ValueError):
        return shown(value)


def _unfinished(cells: Sequence[Cell], records: Mapping[str, Record], retry: bool) -> list[Cell]:
    return [cell for cell in cells if cell.key not in records or (retry and records[cell.key].failure)]


Runner: TypeAlias = Callable[[Function, Sequence[Cell]], Iterator[tuple[Cell, Outcome]]]


def _runner(workers: int, scheduler: str | None) -> Runner:
    """Where the cells run."""
    if isinstance(workers, bool) or not isinstance(workers, int) or not 0 <= workers <= MOST_WORKERS:
        raise ValueError(f"workers={quoted(workers)} is not a number of processes; use 0 (this one) to {MOST_WORKERS}")
    if scheduler is not None:
        if workers:
            raise ValueError(f"workers={workers} has no effect beside scheduler={quoted(scheduler)}; leave it out")
        from .cluster import on_cluster

        return lambda function, cells: on_cluster(function, cells, scheduler)
    if workers:
        return lambda function, cells: processes(function, cells, workers)
    return here


class _Reporter:
    """Says after each cell how far the sweep is."""

    def __init__(
        self,
        cells: Sequence[Cell],
        records: Mapping[str, Record],
        left: Sequence[Cell],
        on_progress: OnProgress | None,
    ) -> None:
        self.records, self.on_progress = records, on_progress
        self.left, self.computed, self.start = {cell.key for cell in left}, 0, time.monotonic()
        self.total = len(left) + sum(cell.key in records for cell in cells if cell.key not in self.left)
        self.failed = {cell.key for cell in cells if cell.key in records and records[cell.key].failure}
        self.say()

    def after(self, cell: Cell) -> None:
        """A cell has ended."""
        self.left.discard(cell.key)
        self.failed.discard(cell.key)
        if self.records[cell.key].failure:
            self.failed.add(cell.key)
        self.computed += 1
        self.say()

    def say(self) -> None:
        """Call `on_progress`."""
        if self.on_progress is None:
            return
        passed = time.monotonic() - self.start
        remaining = passed / self.computed * len(self.left) if self.computed else None
        self.on_progress(Progress(self.total - len(self.left), self.total, len(self.failed), remaining))
