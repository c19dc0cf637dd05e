"""fp16sim plot: the pictures that teach, to a file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .output import check_writable, print_json, print_text
from .parsing import Parser, add_options, numbers

PICTURE_OPTIONS = ("fmt", "mode", "operation", "scales")


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = "Compute a picture, with every step rounded, and write it to a file."
    parser.epilog = (
        "examples:\n  fp16sim plot --list\n  fp16sim plot ulp -o ulp.png\n"
        "  fp16sim plot ulp --format binary16,e5m2 -o ulp.svg\n"
        "  fp16sim plot staircase --mode toward_zero -o staircase.pdf\n"
        "  fp16sim plot pairs --format e5m2 --operation add"
    )
    option = parser.add_argument
    option("name", nargs="?", metavar="NAME", help="the picture to draw; --list shows the names")
    add_options(parser, "out", help="the file: .png, .svg or .pdf (default: fp16sim-NAME.png)")
    add_options(parser, "formats", dest="fmt")
    add_options(parser, "mode", default=None)
    option("--operation", metavar="NAME", help="of the picture pairs: add, subtract, multiply or divide")
    option("--scales", type=numbers, metavar="S,T", help="of the picture gradients: loss scales")
    add_options(parser, "list", help="list the pictures, each with its lesson")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Draw one picture, or list all."""
    from .. import plots  # matplotlib is slow to load

    if options.list:
        _print_list(plots.PICTURES, options.json)
        return
    if options.name is None:
        raise ValueError("the name of the picture is missing; fp16sim plot --list shows the names")
    picture = plots.find(options.name)
    chosen = {name: getattr(options, name) for name in PICTURE_OPTIONS if getattr(options, name) is not None}
    name = options.name.strip().lower().replace("-", "_")
    out = options.out or Path(f"fp16sim-{name}.png")
    check_writable(out)
    title = plots.write(name, out, **chosen)
    if options.json:
        print_json({"name": name, "file": str(out), "title": title, "options": list(picture.options)})
    else:
        print_text(f"picture: {out}")


def _print_list(pictures: Mapping[str, Any], as_json: bool) -> None:
    """The name and the lesson of each picture, in one line each."""
    if as_json:
        print_json([{"name": name, "lesson": p.lesson, "options": list(p.options)} for name, p in pictures.items()])
        return
    width = max(map(len, pictures))
    for name, picture in pictures.items():
        print_text(f"{name:{width}}  {picture.lesson}")
