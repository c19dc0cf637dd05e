"""What `fp16sim bench` prints: the rows in their groups, what they mean, and what changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby

from ..bench import GROUPS, Comparison, Measured
from ..bench.history import NOISE, Change, Run, changes, differences
from ..wording import aligned, count, joined, percent
from .layout import as_lists
from .output import console, print_lines, print_table, print_text

HEADINGS = ("row", "compared with", "time", "ratio", "quartiles", "goal", "")
LEGEND = (
    "time: of fp16sim, for one call. ratio: this time / that of the other, the median of pairs; below 1 fp16sim is "
    "faster. quartiles: half of the pairs are within this much of the ratio. fp16sim bench --explain ROW says what a "
    "row means."
)
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def print_run(run: Run) -> None:
    """The table, its legend, the machine, and what is missing."""
    print_text(_table(run.rows, console().width))
    print_text("")
    print_lines(LEGEND)
    if run.quick:
        print_lines("This was a quick run, with smaller arrays. The goals are meant for the usual ones.")
    machine = run.machine
    versions = {name: version or "not installed" for name, version in machine["versions"].items()}
    print_lines(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    )


def _table(rows: Sequence[Measured], room: int) -> str:
    """Rows under the titles of their groups, or as lists if there is not enough room."""
    cells = [HEADINGS, *map(_cells, rows)]
    head, *lines = aligned(cells, left=2).splitlines()
    if max(map(len, [head, *lines])) > room:
        return as_lists(HEADINGS[:-1], [[*row[:-2], " ".join(row[-2:])] for row in cells[1:]], room)
    drawn = [head]
    for group, members in groupby(zip(rows, lines, strict=True), lambda pair: pair[0].group):
        drawn += ["", GROUPS.get(group, group), *(_line(row, line, room) for row, line in members)]
    return "\n".join(drawn)


def _cells(row: Measured) -> Sequence[str]:
    goal = f"{row.goal:.3g}"
    if row.ratio is None or row.low is None or row.high is None or row.ours is None:
        return row.name, row.rival, "-", "-", "", goal, "-"
    spread = f"{100 * (row.low / row.ratio - 1):+.0f} {100 * (row.high / row.ratio - 1):+.0f}%"
    return row.name, row.rival, seconds(row.ours), f"{row.ratio:.3g}", spread, goal, "" if row.met else "missed"


def _line(row: Measured, line: str, room: int) -> str:
    """A line of the table; the reason takes the place of the numbers of a row that was not measured."""
    if row.ratio is not None:
        return line
    begin = line[: line.index(row.rival, len(row.name)) + len(row.rival)]
    return textwrap.fill(f"{begin}  not measured: {row.note}", room, subsequent_indent="    ", break_on_hyphens=False)


def seconds(x: float) -> str:
    """A time in the unit that suits it.

    >>> seconds(0.0031), seconds(4.2e-9), seconds(75.0)
    ('3.1 ms', '4.2 ns', '75 s')
    """
    scale, unit = next((pair for pair in UNITS if x >= pair[0]), UNITS[-1])
    return f"{x / scale:.2g} {unit}" if x / scale < 100 else f"{x / scale:.0f} {unit}"


def print_meanings(rows: Iterable[Comparison]) -> None:
    """What each row compares, and what follows from it."""
    for group, members in groupby(rows, lambda row: row.group):
        print_text(f"{GROUPS.get(group, group)} ({group})\n")
        for row in members:
            meaning = f"Compared with {row.rival}; goal {row.goal:.3g}. {row.meaning}"
            lines = textwrap.wrap(meaning, min(80, console().width) - 2, break_on_hyphens=False)
            print_text("\n  ".join([f"{row.name}: {row.work}", *lines]) + "\n")


# --- what changed ---------------------------------------------------------------------------------------------------

COLUMNS = (
    ("row", "left"),
    ("ratio\nbefore", "right"),
    ("ratio\nnow", "right"),
    ("change", "right"),
    ("time\nbefore", "right"),
    ("time\nnow", "right"),
)


def print_changes(before: Run, now: Run) -> None:
    """The rows that changed beyond noise, what counts as noise, and what else differs between the runs."""
    compared = changes(before.rows, now.rows)
    changed = [change for change in compared if change.beyond_noise]
    if changed:
        print_table(f"changed since {before.time}, beyond noise", COLUMNS, map(_change, changed))
        print_text("")
    else:
        print_text(f"nothing changed since {before.time}, beyond noise\n")
    within = len(compared) - len(changed)
    alone = sum(row.ratio is not None for row in (*before.rows, *now.rows)) - 2 * len(compared)
    print_lines(
        f"{count(within, 'row')} within noise, {alone} measured in one run only. A row has changed beyond noise if the "
        f"quartiles of the ratios do not overlap and the ratios differ by more than {percent(NOISE, 2)}."
    )
    if found := differences(before, now):
        print_lines(f"The runs also differ in this, which can change ratios: {joined(found)}.")


def _change(change: Change) -> Sequence[str]:
    ratios = (f"{row.ratio:.3g}" for row in (change.before, change.now))
    times = (seconds(row.ours or 0) for row in (change.before, change.now))
    return change.now.name, *ratios, f"{100 * change.share:+.0f}%", *times
