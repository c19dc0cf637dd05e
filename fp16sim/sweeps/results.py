"""What a sweep found: its cells in their order, groups of cells that differ in the seed alone, deaths and failures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

from ..wording import aligned, count, did_you_mean, joined, quoted
from .cells import Cell, plain, said, shown
from .student import Spread
from .table import Record
from .work import DIED, NOT_FINITE

SEEDS = ("rng", "seed")
"""Names of the axis over which means are taken, unless another is named."""

MOST_SHOWN = 4
"""Results in a table, unless they are named."""


@dataclass(frozen=True)
class Row:
    """A cell of a sweep, with its record if it was computed.

    Attributes
    ----------
    place : dict
        Its values of the axes.
    record : Record or None
    """

    place: dict[str, Any]
    record: Record | None

    @property
    def result(self) -> dict[str, Any]:
        """What its function returned; empty if it has not been computed, or failed."""
        return {} if self.record is None else self.record.result or {}

    @property
    def died(self) -> str | None:
        """How the computation broke down; None if it did not."""
        return self.result.get(DIED) or None

    def number(self, name: str) -> float | None:
        """A result as a number, which may be infinite or NaN; None if there is none."""
        value = self.result.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:  # an integer beyond all numbers of binary64
                return math.inf if value > 0 else -math.inf
        return float(value) if isinstance(value, str) and value in NOT_FINITE else None


@dataclass(frozen=True)
class Group:
    """The cells that differ in the seed alone.

    Attributes
    ----------
    place : dict
        The values of the other axes.
    rows : tuple of Row
    """

    place: dict[str, Any]
    rows: tuple[Row, ...]

    @property
    def done(self) -> int:
        """How many have a result."""
        return sum(bool(row.result) for row in self.rows)

    @property
    def died(self) -> tuple[Row, ...]:
        """Those that broke down."""
        return tuple(row for row in self.rows if row.died)

    def spread(self, name: str) -> Spread | None:
        """The mean of a result and its interval, over the cells that did not die; None if none has the result."""
        numbers = [row.number(name) for row in self.rows if not row.died]
        return Spread.of([x for x in numbers if x is not None])

    def __str__(self) -> str:
        return ", ".join(f"{name}={shown(value)}" for name, value in self.place.items()) or "all cells"


@dataclass(frozen=True, repr=False)
class Results:
    """The results of a sweep, in the order of its axes, whatever the order in which they were computed.

    Attributes
    ----------
    rows : tuple of Row
        All cells.
    axes : tuple of str
        The names of the options in which cells differ.
    over : str or None
        The axis of the seeds, over which means are taken.
    shown : tuple of str
        The results in the table; the first is drawn.
    """

    rows: tuple[Row, ...]
    axes: tuple[str, ...]
    over: str | None
    shown: tuple[str, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, **place: Any) -> tuple[Row, ...]:
        """The cells with these values of the axes.

        Raises
        ------
        ValueError
            For a name that is no axis.
        """
        for name in place:
            if name not in self.axes:
                known = joined(self.axes)
                raise ValueError(f"{name}={quoted(place[name])} is none of the axes {known}; use one of them")
        return tuple(row for row in self.rows if all(row.place.get(name) == value for name, value in place.items()))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The cells that differ in the seed alone, in the order of the axes."""
        found: dict[str, tuple[dict[str, Any], list[Row]]] = {}
        for row in self.rows:
            place = {name: value for name, value in row.place.items() if name != self.over}
            found.setdefault(repr(place), (place, []))[1].append(row)
        return tuple(Group(place, tuple(rows)) for place, rows in found.values())

    @cached_property
    def failures(self) -> tuple[Row, ...]:
        """The cells whose function raised an exception; they have no result."""
        return tuple(row for row in self.rows if row.record and row.record.failure)

    @cached_property
    def deaths(self) -> tuple[Row, ...]:
        """The cells whose computation broke down; that is a result."""
        return tuple(row for row in self.rows if row.died)

    @property
    def left(self) -> int:
        """How many cells have not been computed."""
        return sum(row.record is None for row in self.rows)

    # --- as text ----------------------------------------------------------------------------------------------------

    def headings(self) -> tuple[str, ...]:
        """The headings of the table: the axes, the number of cells, deaths if there are any, and the results."""
        axes = [name for name in self.axes if name != self.over]
        runs = ["seeds" if self.over in SEEDS else "cells"]
        return (*axes, *runs, *(["died"] if self.deaths else []), *(name.replace("_", " ") for name in self.shown))

    def cells(self) -> list[tuple[str, ...]]:
        """The rows of the table, under `headings`: means, and the 95 % intervals of the means."""
        return [tuple(self._line(group)) for group in self.groups]

    def _line(self, group: Group) -> Iterator[str]:
        for name in self.axes:
            if name != self.over:
                yield shown(group.place[name]) if name in group.place else "-"
        yield str(group.done) if group.done == len(group.rows) else f"{group.done} of {len(group.rows)}"
        if self.deaths:
            yield str(len(group.died))
        for name in self.shown:
            yield spread_text(group.spread(name))

    def notes(self) -> list[str]:
        """Sentences under the table: what intervals are, how cells died, which failed, and what is left."""
        return [*self._how_means_are_taken(), *self._causes(), *self._failed(), *self._left()]

    def _how_means_are_taken(self) -> Iterator[str]:
        spreads = [group.spread(name) for group in self.groups for name in self.shown]
        if any(spread and spread.half is not None for spread in spreads):
            alive = ", without the cells that died" if self.deaths else ""
            yield f"Means over {self.over}{alive}, ± half their 95 % intervals by Student's t."

    def _causes(self) -> Iterator[str]:
        """How cells died: a sentence for each cause, with the first group that has it."""
        groups: dict[str, list[Group]] = {}
        for group in self.groups:
            if group.died:
                groups.setdefault(str(group.died[0].died).removeprefix("died "), []).append(group)
        for cause, (group, *more) in groups.items():
            others = f" (and {count(len(more), 'other group')})" if more else ""
            died, rows = group.died, group.rows
            often = f"{len(died)} of {count(len(rows), 'cell')} died; " if len(rows) > 1 else "died "
            which = f"{said({self.over: died[0].place[self.over]})} " if len(rows) > 1 and self.over else ""
            yield f"{group}{others}: {often}{which}{cause}"

    def _failed(self) -> Iterator[str]:
        failed = self.failures
        for row in failed[:MOST_FAILURES]:
            yield f"failed: {said(row.place)}: {row.record and row.record.failure}"
        if len(failed) > MOST_FAILURES:
            yield f"... and {len(failed) - MOST_FAILURES:,} more failed"

    def _left(self) -> Iterator[str]:
        if self.left:
            yield f"{count(self.left, 'cell')} of {len(self):,} not computed yet."

    def __str__(self) -> str:
        """The table and the sentences under it."""
        texts = takewhile(lambda name: any(isinstance(row.place.get(name), str) for row in self.rows), self.axes)
        table = aligned([self.headings(), *self.cells()], len([name for name in texts if name != self.over]))
        return "\n".join([table, *self.notes()])

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: every cell with its result or failure, and every group with its means."""
        return {
            "over": self.over,
            "cells": [
                {
                    "place": _texts(row.place),
                    "key": row.record and row.record.key,
                    "result": row.record and row.record.result,
                    "failure": str(row.record.failure) if row.record and row.record.failure else None,
                }
                for row in self.rows
            ],
            "groups": [
                {
                    "place": _texts(group.place),
                    "cells": len(group.rows),
                    "done": group.done,
                    "died": len(group.died),
                    "results": {name: _plain_spread(group.spread(name)) for name in self.shown},
                }
                for group in self.groups
            ],
        }


@dataclass(frozen=True)
class Summary:
    """How results are summed up.

    Attributes
    ----------
    over : str or None
        The axis of the seeds; by default one of `SEEDS`.
    show : tuple of str
        The results to show.
    usual : tuple of str
        Those to show if none are named, as far as they have been found; else the first few.
    """

    over: str | None = None
    show: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()

    def of(self, cells: Sequence[Cell], records: Mapping[str, Record]) -> Results:
        """The results of these cells, from the records of a table.

        Raises
        ------
        ValueError
            If `over` is none of the axes, or a result to show is not among those found.
        """
        axes = tuple(dict.fromkeys(name for cell in cells for name in cell.place))
        if self.over is not None and self.over not in axes:
            similar = did_you_mean(self.over, axes).rstrip() or f"use {joined(axes, 'or')}"
            raise ValueError(f"over={quoted(self.over)} is none of the axes; {similar}")
        rows = tuple(Row(cell.place, records.get(cell.key)) for cell in cells)
        found = _numbers(rows)
        for name in self.show if found else ():
            if name not in found:
                raise ValueError(f"show={quoted(name)} is no numeric result; use {joined(found, 'or')}")
        over = self.over or next((name for name in SEEDS if name in axes), None)
        usual = tuple(name for name in self.usual if name in found)
        return Results(rows, axes, over, self.show or usual or tuple(found[:MOST_SHOWN]))


def names_of(show: Sequence[str]) -> tuple[str, ...]:
    """The names of results to show; TypeError for a text, whose letters are no names."""
    if isinstance(show, str):
        raise TypeError(f"show={quoted(show)} is not a list of names of results; write [{quoted(show)}]")
    return tuple(show)


MOST_FAILURES = 5
"""Failures that the table names; the file has them all."""


def _numbers(rows: Sequence[Row]) -> list[str]:
    """The names of numeric results."""
    names = sorted({name for row in rows for name in row.result})
    return [name for name in names if any(row.number(name) is not None for row in rows)]


def spread_text(spread: Spread | None) -> str:
    """A mean and half its interval, to the digits that mean something; "-" if there is none.

    >>> spread_text(Spread(0.98123, 0.0042, (0.98,))), spread_text(Spread(0.98123, None, (0.98,))), spread_text(None)
    ('0.9812 ± 0.0042', '0.98123', '-')
    >>> spread_text(Spread(1.25e-9, 3e-10, (1e-9,)))
    '1.25e-09 ± 3e-10'
    """
    if spread is None:
        return "-"
    if not math.isfinite(spread.mean):
        return "not finite"
    if not spread.half:
        return f"{spread.mean:.5g}" + ("" if spread.half is None else " ± 0")
    places = 1 - math.floor(math.log10(spread.half))
    if not -4 <= places <= 7:
        return f"{spread.mean:.3g} ± {spread.half:.2g}"
    places = max(0, places)
    return f"{spread.mean:.{places}f} ± {spread.half:.{places}f}"


def _texts(place: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, (int, float)) else shown(value) for name, value in place.items()}


def _plain_spread(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {"mean": plain(spread.mean, "mean", spell=True), "half": spread.half, "n": len(spread.values)}
