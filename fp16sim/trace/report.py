"""The report of a run, as text and as data."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..wording import aligned, count, shortened
from .cures import Cure
from .ranking import Line
from .recorder import Escape
from .records import Record
from .sentences import blame, blameless, cured, happened, outcome, percentage, place, title, turned

WIDTH = 80
LEAST = 0.05
"""Bits lost that are worth a word: what is less is shown as 0.0."""
LINES, TOLD = 12, 3
"""Lines in the table, and lines that are told about in sentences."""


def text_of(run: Record, tried: tuple[Cure, ...]) -> str:
    """The report as text."""
    return "\n".join(line.rstrip() for line in _text(run, tried))


def _text(run: Record, tried: tuple[Cure, ...]) -> Iterator[str]:
    yield title(run)
    for result in run.results[:8]:
        yield from _wrapped("  ", outcome(result, run.fmt))
    for sentence in turned(run):
        yield from _wrapped("  ", sentence)
    if not run.results:
        yield "  no result: nothing that was traced was returned or printed"
    blamed = [line for line in run.lines if line.blamed >= LEAST]
    if not blamed and run.results:
        yield f"  {blameless(run)}"
    for line in blamed[:TOLD]:
        yield ""
        yield f"{line.rank}. {place(line)}: {blame(line, run.fmt)}"
        yield f"       {shortened(line.source, WIDTH - 7)}"
        for sentence in happened(line, run):
            yield from _wrapped("   ", sentence)
        for sentence in cured(tried, run) if line.rank == 1 else ():
            yield from _wrapped("   ", sentence)
    if run.lines:
        yield ""
        yield ABOUT
        yield aligned([HEADINGS, *map(row, run.lines[:LINES])], left=1)
        if len(run.lines) > LINES:
            yield f"and {count(len(run.lines) - LINES, 'line')} more"
    yield from _escaped(run)


def _wrapped(label: str, sentence: str) -> Iterator[str]:
    yield from textwrap.wrap(sentence, WIDTH, initial_indent=label, subsequent_indent="   ", break_on_hyphens=False)


HEADINGS = ("line", "blamed", "gained", "made", "inherited", "worst", "typical", "ulp", "runs")
ABOUT = "blamed, gained: bits; made here, inherited, worst, typical, ulp: errors"


def row(line: Line) -> tuple[str, ...]:
    """A line of the table."""
    ulp = f"{line.worst_ulp:.2g}" if line.worst_ulp < 100 else f"{line.worst_ulp:,.0f}"
    errors = (line.made, line.inherited, line.worst, line.typical)
    return (
        f"{Path(line.file).name}:{line.line}",
        f"{line.blamed:.1f}",
        f"{line.gained:.1f}",
        *("inf" if math.isinf(error) else percentage(error) for error in errors),
        ulp if math.isfinite(line.worst_ulp) else "-",
        f"{line.runs:,}",
    )


def _escaped(run: Record) -> Iterator[str]:
    if run.escapes:
        yield ""
        yield "Numbers left the trace here. What they are used for is float64 arithmetic and is"
        yield "not measured:"
        for escape, times in list(run.escapes.items())[:20]:
            yield f"  {escape.place}: {escape.how}, {count(times, 'time')}: {shortened(escape.place.expression, 40)}"
        if len(run.escapes) > 20:
            yield f"  and at {count(len(run.escapes) - 20, 'place')} more"


# --- data -----------------------------------------------------------------------------------------------------------


def to_dict(run: Record, tried: tuple[Cure, ...]) -> dict[str, Any]:
    """The report as data for JSON; what is not a finite number there is None or a text."""
    return {
        "name": run.name,
        "format": run.fmt.name,
        "mode": run.mode.value,
        "accumulator": run.accumulator,
        "operations": run.operations,
        "error": _plain(run.error),
        "norm_error": _plain(run.norm_error),
        "results": [_result(result) for result in run.results],
        "lines": [_line(line) for line in run.lines],
        "cures": [_cure(cure) for cure in tried],
        "escapes": [
            {"file": e.place.file, "line": e.place.line, "how": e.how, "times": times}
            for e, times in run.escapes.items()
        ],
        "steps": [[step.number, step.site, _plain(step.error), step.lost] for step in run.steps],
    }


def _escape(escape: Escape, times: int) -> dict[str, Any]:
    return {"file": escape.place.file, "line": escape.place.line, "how": escape.how, "times": times}


def _plain(x: Any) -> Any:
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)
    if isinstance(x, (list, tuple)):
        return [_plain(part) for part in x]
    return {k: _plain(part) for k, part in x.items()} if isinstance(x, dict) else x


MOST = 64


def _result(result: Any) -> dict[str, Any]:
    values, shadow = (np.asarray(x, np.float64).reshape(-1) for x in (result.values.values, result.shadow))
    return {
        "shape": list(result.values.shape),
        "values": _plain(values[:MOST].tolist()),
        "shadow": _plain(shadow[:MOST].tolist()),
        "error": _plain(result.error),
        "norm_error": _plain(result.norm_error),
        "ulp": _plain(result.ulp),
        "lost": result.lost,
        "known": result.known,
    }


SEPARATE = ("witness", "passed_on", "passed_to", "sites")


def _line(line: Line) -> dict[str, Any]:
    found: dict[str, Any] = _plain({k: x for k, x in vars(line).items() if k not in SEPARATE})
    for name in ("witness", "passed_on"):
        one = getattr(line, name)
        found[name] = None if one is None else _plain(asdict(one))
    return found


def _cure(cure: Cure) -> dict[str, Any]:
    found = {k: x for k, x in vars(cure).items() if k != "line"}
    plain: dict[str, Any] = _plain(found | {"line": cure.line.line, "helps": cure.helps})
    return plain
