"""The report of a run as HTML: the source beside the numbers, in one file that loads nothing."""

from __future__ import annotations

import linecache
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..report.markup import Markup, join, tag
from ..wording import count
from .cures import Cure
from .ranking import Line
from .records import Record
from .report import ABOUT, HEADINGS, LEAST, row
from .sentences import blame, cured, happened, outcome, place, title, turned

STYLE = """
:root { color-scheme: light dark; --line: #d0d5dd; --soft: #5d6675; --code: #f5f6f8; --heat: 180, 35, 24 }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a414d; --soft: #a3adbd; --code: #1f242f; --heat: 249, 112, 102 }
}
.trace { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 76rem }
.trace h1 { margin: 0; font-size: 1.5rem } .trace h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
.trace p { margin: .3rem 0 } .trace .soft { color: var(--soft) }
.trace .wide { overflow-x: auto } .trace table { border-collapse: collapse; width: 100% }
.trace th, .trace td { text-align: right; padding: .3rem .6rem; white-space: nowrap }
.trace th, .trace td { border-bottom: 1px solid var(--line) }
.trace th:first-child, .trace td:first-child { text-align: left; padding-left: 0 }
.trace th { font-weight: 600; color: var(--soft); font-size: .85rem }
.trace code, .trace .source { font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
.trace code { background: var(--code); padding: .1rem .3rem; border-radius: 4px; overflow-wrap: anywhere }
.trace .source td { padding: 0 .6rem; border: 0 } .trace .source td:last-child { text-align: left; white-space: pre }
.trace .source th:last-child { text-align: left; width: 100% }
.trace .source td:first-child, .trace .number { color: var(--soft) }
.trace .source tr { background: rgba(var(--heat), var(--share, 0)) }
.trace li { margin: .25rem 0 } .trace ul { padding-left: 1.2rem; margin: .25rem 0 }
.trace svg { width: 100%; height: 12rem; background: var(--code); border-radius: 6px; display: block }
.trace circle { fill: currentColor; fill-opacity: .55 } .trace .worst { fill: rgb(var(--heat)); fill-opacity: 1 }
"""


def to_html(run: Record, tried: tuple[Cure, ...]) -> str:
    """One file that loads nothing."""
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"fp16sim trace: {run.name}"),
    )
    page = tag("html", tag("head", head), tag("body", body(run, tried)), lang="en")
    return f"<!doctype html>\n{page}\n".replace("</meta>", "")


def body(run: Record, tried: tuple[Cure, ...]) -> Markup:
    """The report, to be put into a page or a notebook."""
    parts = join(
        tag("style", Markup(STYLE)),
        tag("h1", title(run)),
        [tag("p", outcome(result, run.fmt)) for result in run.results[:16]],
        [tag("p", sentence) for sentence in turned(run)],
        [_told(run, line, tried) for line in run.lines[:3] if line.blamed >= LEAST],
        tag("h2", "The source, with what was lost at each line"),
        [_source(run, file) for file in dict.fromkeys(line.file for line in run.lines)],
        tag("h2", "All lines"),
        tag("p", f"{ABOUT}.", class_="soft"),
        _table(run),
        _steps(run),
        _escapes(run),
    )
    return tag("div", parts, class_="trace")


def _told(run: Record, line: Line, tried: tuple[Cure, ...]) -> Markup:
    cures = [tag("li", sentence) for sentence in cured(tried, run)] if line.rank == 1 else []
    return join(
        tag("h2", f"{line.rank}. {place(line)}: {blame(line, run.fmt)}"),
        tag("p", tag("code", line.source)),
        tag("ul", [tag("li", sentence) for sentence in happened(line, run)], cures),
    )


AROUND = 3


def _source(run: Record, file: str) -> Markup:
    """The traced lines of a file and a few around them, each with the bits lost there."""
    lines = {line.line: line for line in run.lines if line.file == file}
    shown = sorted({k + d for k in lines for d in range(-AROUND, AROUND + 1) if k + d > 0})
    rows = [_source_row(run, file, k, lines.get(k)) for k in shown if linecache.getline(file, k)]
    head = tag("tr", [tag("th", text) for text in ("line", "blamed bits", "gained", "source")])
    return tag(
        "div", tag("p", Path(file).name, class_="soft"), tag("table", head, rows, class_="source"), class_="wide"
    )


def _source_row(run: Record, file: str, number: int, line: Line | None) -> Markup:
    share = 0.0 if line is None else min(1.0, line.blamed / run.fmt.precision) * 0.45
    numbers = ("", "") if line is None else (f"{line.blamed:.1f}", f"{line.gained:.1f}")
    cells = [tag("td", text) for text in (str(number), *numbers, linecache.getline(file, number).rstrip("\n"))]
    return tag("tr", cells, style=f"--share:{share:.3f}", id=f"L{number}" if line else None)


def _table(run: Record) -> Markup:
    head = tag("thead", tag("tr", [tag("th", text) for text in HEADINGS]))
    rows = [tag("tr", [tag("td", text) for text in row(line)]) for line in run.lines]
    return tag("div", tag("table", head, tag("tbody", rows)), class_="wide")


POINTS = 2000


def _steps(run: Record) -> Markup:
    """The error of each operation in the order of time, on a logarithmic scale."""
    points = list(_points(run))
    if not points:
        return Markup("")
    last = max(1, run.operations)
    circles = [
        tag(
            "circle",
            tag("title", text),
            cx=f"{1 + 98 * n / last:.2f}%",
            cy=f"{y:.1f}%",
            r=4 if kind else 2.5,
            class_=kind,
        )
        for n, y, kind, text in points
    ]
    about = f"Relative error of the last {count(len(run.steps), 'operation')} in the order of time: from {LOW} at the "
    about += "bottom to 1 (no digit is right) at the top; large points belong to the first line above; exact results "
    about += "are not shown"
    heading = tag("h2", "Error against operation")
    return join(
        heading,
        tag("svg", circles, role="img", aria_label=about),
        tag("p", about, class_="soft"),
    )


LOW = "2^-40"


def _points(run: Record) -> Iterable[tuple[int, float, Any, str]]:
    worst = set(run.lines[0].sites) if run.lines else set()
    steps = [step for step in run.steps if step.error > 0]
    for step in steps[:: max(1, len(steps) // POINTS)]:
        error = min(1.0, step.error) if math.isfinite(step.error) else 1.0
        y = 96 - 92 * (math.log2(max(error, 2.0**-40)) + 40) / 40
        site = run.sites[step.site]
        yield step.number, y, "worst" if step.site in worst else None, f"{site.place}: {site.place.expression}"


def _escapes(run: Record) -> Markup:
    if not run.escapes:
        return Markup("")
    items = [
        tag("li", f"{e.place}: {e.how}, {count(times, 'time')}: ", tag("code", e.place.source))
        for e, times in run.escapes.items()
    ]
    return join(
        tag("h2", "Where numbers left the trace"),
        tag("p", "What they are used for is float64 arithmetic, and is not measured."),
        tag("ul", items),
    )
