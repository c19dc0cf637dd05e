"""fp16sim sweep: every combination of options, in a table that a killed run goes on from."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from ..wording import quoted
from .output import (
    OnProgress,
    check_writable,
    command_line,
    print_error,
    print_json,
    print_sentence,
    print_table,
    print_text,
    progress,
)
from .parsing import CommandParser, add_options, integer

EXAMPLE = """\
examples:
  fp16sim sweep sweep.toml --workers 2
  fp16sim sweep sweep.toml                (again: goes on, or shows what it has)
  fp16sim sweep sweep.toml --scheduler tcp://host:8786

a sweep.toml, of 2 x 3 x 5 runs:
  [base]                                   # options of all runs
  epochs = 5
  [axes]                                   # every combination is a run
  policy = ["binary16", "bfloat16"]
  lr = [0.001, 0.003, 0.01]
  rng = [0, 1, 2, 3, 4]

The axes are the options of training (fields of fp16sim.learn.Config), recipe
and accumulator. With function = "module:name" they are arguments of your own
function, which returns a number or a dict. See the reference, "sweeps"."""


def configure(parser: CommandParser) -> None:
    """What the command does, and its options."""
    parser.usage = "fp16sim sweep FILE.toml [--workers N | --scheduler ADDR] [OPTION ...]"
    parser.description = (
        "Train with every combination of options, or call a function of yours with them.\n"
        "Each finished cell is a line of a table, which is only ever appended to: a sweep\n"
        "that was killed goes on with the same command, and computes nothing twice. At\n"
        "the end come means over the seeds with their 95 % intervals, how runs died, and\n"
        "a picture."
    )
    parser.epilog = EXAMPLE
    option = parser.add_argument
    option("file", type=Path, metavar="FILE.toml", help="what to run")
    option("--table", type=Path, metavar="FILE", help="the finished cells, in JSON lines (default: FILE.jsonl)")
    add_options(parser, "out", help="the picture: .png, .svg or .pdf (default: named after the table)")
    add_places(parser)
    option("--retry", action="store_true", help="run cells again that failed")
    option("--most", type=integer, metavar="N", help="run N cells at most; 0: show what there is")
    add_options(parser, "json")


def add_places(parser: CommandParser) -> None:
    """The options that say where cells run."""
    workers = f"processes; 0 for this one (default: {cores()}, the number of cores)"
    parser.add_argument("--workers", type=integer, metavar="N", help=workers)
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run the cells on a Dask cluster, as tcp://host:8786")


def cores() -> int:
    """How many processes run at once on this machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def run(options: argparse.Namespace) -> int:
    """Run what is left, print the table, draw the picture; 3 if a cell failed."""
    from ..sweeps import read_plan

    if not options.file.is_file():
        raise ValueError(
            f"file={quoted(str(options.file))} is not a file; give a TOML file, as in fp16sim sweep --help"
        )
    plan = read_plan(options.file)
    table = options.table or options.file.with_suffix(".jsonl")
    picture = options.out or table.with_suffix(".png")
    _check_files(table, picture, options)
    sys.path.insert(0, str(options.file.resolve().parent))  # where functions of the user's own are
    results = _results(plan, table, options)
    if options.json:
        print_json(results.to_dict())
    else:
        _print(results, f"{len(results):,} cells of {plan.function}")
    drawn = _draw(results, picture)  # last: a picture that cannot be drawn does not hide the results
    if not options.json:
        print_sentence(f"table: {table}" + (f"   picture: {picture}" if drawn else "   nothing to draw yet"))
    return 3 if results.failures else 0


def _check_files(table: Path, picture: Path, options: argparse.Namespace) -> None:
    if table.suffix.lower() == ".toml":
        raise ValueError(f"table={str(table)!r} is a TOML file; give a file that ends in .jsonl")
    check_picture(picture, table, options)


def check_picture(picture: Path, table: Path, options: argparse.Namespace) -> None:
    """Refuse a picture that cannot be written, and one that is there before its sweep."""
    check_writable(picture)
    if options.out is None and picture.exists() and not table.exists():
        raise ValueError(f"out={str(picture)!r} is there, and is not of this sweep; name another picture with -o")


@contextmanager
def computing(what: str, table: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Give the settings that say where cells run. Ctrl-C says how to go on; what cells print goes to stderr."""
    workers = options.workers if options.workers is not None else 0 if options.scheduler is not None else cores()
    where: dict[str, Any] = {"table": table, "workers": workers, "scheduler": options.scheduler}
    try:
        with progress(options.json, "cells") as bar, redirect_stdout(sys.stderr):
            yield {**where, "on_progress": Bar(bar(what))}
    except KeyboardInterrupt as stop:
        kept = f"finished cells are in {str(table)!r}" if table.exists() else "no cell was finished"
        raise type(stop)(f"{kept}; go on with: {command_line(options.words)}") from None


def _results(plan: Any, table: Path, options: argparse.Namespace) -> Any:
    from .. import learn, sweeps
    from ..sweeps.plans import TRAIN

    with computing(plan.function, table, options) as where:
        retry, most = options.retry, options.most
        settings = {**where, "cells": plan.cells, "retry": retry, "most": most, "over": plan.over, "show": plan.show}
        if plan.function != TRAIN:
            return sweeps.run(plan.function, plan.axes, base=plan.base, **settings)
        notes: list[str] = []
        found = learn.sweep(plan.axes, **settings, on_note=notes.append, **(plan.base or {}))
    for note in notes:
        print_error(f"fp16sim sweep: {note}")
    return found


class Bar:
    """The progress of a sweep on a bar, with the time that is left."""

    def __init__(self, update: OnProgress | None) -> None:
        self.update = update

    def __call__(self, now: Any) -> None:
        if self.update:
            failed = f", {now.failed:,} failed" if now.failed else ""
            left = "" if not now.seconds_left else f", about {duration(now.seconds_left)} left"
            self.update(now.done, now.total, failed + left)


def duration(seconds: float) -> str:
    """A time to wait, in the unit that fits.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _draw(results: Any, picture: Path) -> bool:
    """Write the picture, if there is anything to draw."""
    if not results.shown:
        return False
    from ..plots import save, sweep_figure  # matplotlib is slow to load

    save(sweep_figure(results), picture)
    return True


def _print(results: Any, title: str) -> None:
    texts = {name for row in results for name, value in row.place.items() if isinstance(value, str)}
    headings = results.headings()
    print_table(title, [(name, "left" if name in texts else "right") for name in headings], results.cells())
    print_text("")
    for sentence in results.notes():
        print_sentence(sentence)
