"""fp16sim bench: how fast this installation is, beside others."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .output import check_writable, print_table, print_text, progress


def add(commands: Any) -> None:
    """The command and its options."""
    bench = commands.add_parser(
        "bench",
        help="measure the speed of this installation against others",
        description="Measure each row of the table against its rival, in pairs; below 1 we are faster.",
        epilog="examples:\n  fp16sim bench\n  fp16sim bench --quick --only matmul\n  fp16sim bench -o bench.png --json",
    )
    option = bench.add_argument
    option("--quick", action="store_true", help="smaller arrays and fewer pairs: rougher")
    option("--only", default="", metavar="TEXT", help="rows that contain this text")
    option("-o", "--out", type=Path, default=argparse.SUPPRESS, help="picture of cost against size: .png, .svg or .pdf")
    option("--json", action="store_true", help="print JSON instead of a table")
    bench.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> None:
    from .. import bench

    out = getattr(options, "out", None)
    if out is not None:
        check_writable(out)
    with progress(options.json) as bar:
        measured = bench.run(quick=options.quick, only=options.only, progress=bar("rows"))
    curves = bench.curve(quick=options.quick) if out is not None else {}
    if out is not None:
        from ..plots import cost_figure
        from ..plots.style import save

        save(cost_figure(curves), out)
    if options.json:
        rows = [row.to_dict() for row in measured]
        print(json.dumps({"machine": bench.machine(), "rows": rows, "curves": curves}, indent=2))
        return
    _print_bench(measured, bench.machine())
    if out is not None:
        print(f"picture: {out}")


COLUMNS = (
    ("work", "left"),
    ("rival", "left"),
    ("goal", "right"),
    ("ratio", "right"),
    ("spread", "right"),
    ("", "left"),
)


def _row(row: Any) -> Sequence[str]:
    if row.ratio is None:
        return row.work, row.rival, f"{row.goal:.3g}", "-", "", row.note
    spread = f"{row.low:.3g} .. {row.high:.3g}"
    return row.work, row.rival, f"{row.goal:.3g}", f"{row.ratio:.3g}", spread, "met" if row.met else "not met"


def _print_bench(measured: Sequence[Any], machine: dict[str, Any]) -> None:
    print_table("our time / the rival's: median of pairs, and quartiles", COLUMNS, map(_row, measured))
    versions = {name: version or "not installed" for name, version in machine["versions"].items()}
    print_text(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    )
    missing = [name for name, version in machine["versions"].items() if version is None]
    if missing:
        print_text(f"rivals that are not installed: pip install {' '.join(missing)}")
