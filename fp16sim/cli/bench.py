"""fp16sim bench: how fast this installation is, compared with other libraries."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from .. import bench
from ..bench import Measured
from .output import check_writable, print_json, print_table, print_text, progress
from .parsing import Parser, add_options


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Measure the time of fp16sim and of other libraries for the same work, in turn.\n"
        "A ratio below 1 means that fp16sim is faster."
    )
    parser.epilog = (
        "examples:\n  fp16sim bench\n  fp16sim bench --quick --only matmul\n  fp16sim bench -o bench.png --json"
    )
    option = parser.add_argument
    option("--quick", action="store_true", help="use smaller arrays and fewer pairs: less accurate")
    option("--only", default="", metavar="TEXT", help="measure only the rows that contain this text")
    add_options(parser, "out", help="draw the cost against the size of the array: .png, .svg or .pdf")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Measure, draw, print."""
    if options.out:
        check_writable(options.out)
    with progress(options.json, "rows") as bar:
        measured = bench.run(quick=options.quick, only=options.only, progress=bar("bench"))
        if options.out:
            bar("curve")  # how long it takes is not known
        curves = bench.curve(quick=options.quick) if options.out else {}
    if options.out:
        from ..plots import cost_figure
        from ..plots.style import save

        save(cost_figure(curves), options.out)
    if options.json:
        rows = [row.to_dict() for row in measured]
        print_json({"machine": bench.machine(), "rows": rows, "curves": curves})
        return
    _print(measured, bench.machine())
    if options.out:
        print_text(f"picture: {options.out}")


COLUMNS = (
    ("work", "left"),
    ("compared with", "left"),
    ("goal", "right"),
    ("ratio", "right"),
    ("spread", "right"),
    ("", "left"),
)


def _row(row: Measured) -> Sequence[str]:
    if row.ratio is None:
        return row.work, row.rival, f"{row.goal:.3g}", "-", "", row.note
    spread = f"{row.low:.3g} .. {row.high:.3g}"
    return row.work, row.rival, f"{row.goal:.3g}", f"{row.ratio:.3g}", spread, "met" if row.met else "not met"


def _print(measured: Sequence[Measured], machine: dict[str, Any]) -> None:
    print_table("time of fp16sim / time of the other: median of the pairs, and quartiles", COLUMNS, map(_row, measured))
    versions = {name: version or "not installed" for name, version in machine["versions"].items()}
    print_text(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    )
    missing = [name for name, version in machine["versions"].items() if version is None]
    if missing:
        print_text(f"to measure against more libraries: pip install {' '.join(missing)}")
