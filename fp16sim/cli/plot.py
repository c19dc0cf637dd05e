"""fp16sim plot: the pictures that teach, to a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..formats import Rounding
from .output import check_writable
from .parsing import formats, number


def add(commands: Any) -> None:
    """The command and its options."""
    plot = commands.add_parser(
        "plot",
        help="draw one of the pictures that teach",
        description="Draw a picture, computed with every step rounded, and write it to a file.",
        epilog="examples:\n  fp16sim plot --list\n  fp16sim plot ulp -o ulp.png\n"
        "  fp16sim plot ulp --format binary16,e5m2 -o ulp.svg\n"
        "  fp16sim plot staircase --mode toward_zero -o staircase.pdf\n"
        "  fp16sim plot pairs --format e5m2 --operation add",
    )
    modes = ", ".join(mode.value for mode in Rounding)
    option = plot.add_argument
    option("name", nargs="?", default=argparse.SUPPRESS, help="which picture; --list names them")
    option("-o", "--out", type=Path, default=argparse.SUPPRESS, help="a .png, .svg or .pdf (default: fp16sim-NAME.png)")
    option("--format", dest="fmt", type=formats, default=argparse.SUPPRESS, metavar="A,B", help="other formats")
    option("--mode", default=argparse.SUPPRESS, help=f"another rounding mode: {modes}")
    option("--operation", default=argparse.SUPPRESS, help="of pairs: add, subtract, multiply or divide")
    option("--scales", type=_scales, default=argparse.SUPPRESS, metavar="S,T", help="of gradients: loss scales")
    option("--list", action="store_true", help="name the pictures, each with its lesson")
    option("--json", action="store_true", help="print JSON")
    plot.set_defaults(run=_plot)


def _scales(text: str) -> tuple[float, ...]:
    return tuple(number(part) for part in text.split(","))


def _plot(options: argparse.Namespace) -> None:
    from .. import plots

    if options.list:
        _print_list(plots.PICTURES, options.json)
        return
    if "name" not in options:
        raise ValueError("name is missing; say which picture, or --list to see their names")
    picture = plots.find(options.name)
    chosen = {name: value for name, value in vars(options).items() if name in ("fmt", "mode", "operation", "scales")}
    name = options.name.strip().lower().replace("-", "_")
    out = getattr(options, "out", Path(f"fp16sim-{name}.png"))
    check_writable(out)
    title = plots.write(name, out, **chosen)
    if options.json:
        print(json.dumps({"name": name, "file": str(out), "title": title, "options": list(picture.options)}, indent=2))
    else:
        print(f"picture: {out}")


def _print_list(pictures: Any, as_json: bool) -> None:
    """A line a picture: its name and its lesson."""
    if as_json:
        rows = [{"name": name, "lesson": p.lesson, "options": list(p.options)} for name, p in pictures.items()]
        print(json.dumps(rows, indent=2))
        return
    width = max(map(len, pictures))
    for name, picture in pictures.items():
        print(f"{name:{width}}  {picture.lesson}")
