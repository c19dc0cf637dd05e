"""fp16sim bench: how fast this installation is, compared with other libraries and with earlier runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import bench
from ..bench import Comparison, Measured, history
from ..bench.history import Run
from ..wording import count
from .bench_tables import print_changes, print_meanings, print_run
from .output import check_writable, print_error, print_json, print_text, progress
from .parsing import Parser, add_options, refuse_unused


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Measure the time of fp16sim and of other libraries for the same work, in turn.\n"
        "A ratio below 1 means that fp16sim is faster. Each run is kept in the folder\n"
        "bench of the user's cache folder, unless --save names a file."
    )
    parser.epilog = (
        "examples:\n  fp16sim bench --quick\n  fp16sim bench --only sums import\n  fp16sim bench --explain kahan\n"
        "  fp16sim bench --compare                  with the run before\n"
        "  fp16sim bench --compare old.json new.json\n  fp16sim bench -o bench.png --json"
    )
    option = parser.add_argument
    option("--quick", action="store_true", help="use smaller arrays and fewer pairs: less accurate")
    option("--only", nargs="+", default=(), metavar="ROW", help="measure only these: groups, names, or parts of them")
    option("--explain", nargs="*", metavar="ROW", help="say what rows compare, and what for; measure nothing")
    option("--save", type=Path, metavar="FILE", help="keep the run in this file: .json")
    option(
        "--compare",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="print what changed since the run in this file, or since the last one; with two files measure nothing",
    )
    add_options(parser, "out", help="draw the cost against the size of the array: .png, .svg or .pdf")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Explain, compare two files, or measure."""
    if options.explain is not None:
        _explain(options)
    elif options.compare is not None and len(options.compare) > 1:
        _compare_files(options)
    else:
        _measure(options)


def _explain(options: argparse.Namespace) -> None:
    refuse_unused(options, "--explain measures nothing", "quick", "save", "compare", "out")
    rows = bench.select(options.explain or options.only)
    if options.json:
        print_json([dict(zip(Comparison._fields[:-1], row, strict=False)) for row in rows])
    else:
        print_meanings(rows)


def _compare_files(options: argparse.Namespace) -> None:
    if len(options.compare) > 2:
        raise ValueError(f"compare: {len(options.compare)} files are too many; give an old one and a new one")
    refuse_unused(options, "two files are compared, and nothing is measured", "quick", "only", "save", "out")
    before, now = map(history.load, options.compare)
    _check_comparable(before, quick=now.quick)
    if options.json:
        print_json(_changes(before, now))
    else:
        print_changes(before, now)


def _check_comparable(before: Run, *, quick: bool) -> None:
    if before.quick != quick:
        raise ValueError(
            "compare: one run is with --quick and the other without, and the ratios of smaller arrays differ; "
            f"measure {'without' if quick else 'with'} --quick"
        )


def _changes(before: Run, now: Run) -> dict[str, Any]:
    changes = [change.to_dict() for change in history.changes(before.rows, now.rows)]
    return {"since": before.time, "changes": changes, "machine": list(history.differences(before, now))}


# --- measuring ------------------------------------------------------------------------------------------------------


def _measure(options: argparse.Namespace) -> None:
    """Measure, draw, keep, print. What was measured before an interruption is kept and printed, too."""
    if options.out:
        check_writable(options.out)
    if options.save:
        check_writable(options.save, (".json",), "save")
    before = _before(options)
    rows = bench.select(options.only)
    measured: list[Measured] = []
    curves: dict[str, Any] = {}
    stop = _try_all(options, rows, measured, curves)
    if stop and not measured:
        raise stop
    now = Run(history.now(), options.quick, bench.machine(), tuple(measured))
    saved = _saved(now, options.save)
    if options.json:
        print_json(now.to_dict() | {"curves": curves} | (_changes(before, now) if before else {}))
    else:
        _print(options, before, now, saved)
    if stop:
        raise type(stop)(f"{len(measured)} of {count(len(rows), 'row')} were measured; they are printed")


def _before(options: argparse.Namespace) -> Run | None:
    """The run to compare with, read before anything is measured."""
    if options.compare is None:
        return None
    path = options.compare[0] if options.compare else history.latest(quick=options.quick)
    before = history.load(path)
    _check_comparable(before, quick=options.quick)
    return before


def _try_all(
    options: argparse.Namespace, rows: list[Comparison], measured: list[Measured], curves: dict[str, Any]
) -> KeyboardInterrupt | None:
    """Add to `measured` and `curves`, until all is done or somebody interrupts; the interruption."""
    try:
        with progress(options.json, "rows") as bar:
            update = bar("bench")
            for row in bench.measurements(rows, quick=options.quick):
                measured.append(row)
                if update:
                    update(len(measured), len(rows))
            if options.out:
                bar("curve")  # how long it takes is not known
                curves |= bench.curve(quick=options.quick)
    except KeyboardInterrupt as stop:
        return stop
    if options.out:
        from ..plots import cost_figure
        from ..plots.style import save

        save(cost_figure(curves), options.out)
    return None


def _saved(run: Run, path: Path | None) -> Path | None:
    """Keep a run. That it cannot be kept is an error only where a file was named."""
    try:
        return history.save(run, path)
    except OSError as error:
        if path:
            raise
        print_error(f"fp16sim bench: this run is not kept in the history ({error.strerror}: {error.filename})")
        return None


def _print(options: argparse.Namespace, before: Run | None, now: Run, saved: Path | None) -> None:
    print_run(now)
    if before:
        print_text("")
        print_changes(before, now)
    if options.out:
        print_text(f"picture: {options.out}")
    if saved:
        print_text(f"kept in: {saved}")
