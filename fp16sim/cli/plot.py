"""fp16sim plot: the pictures that teach, to a file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import first_free
from ..wording import quoted
from .output import check_writable, print_json, print_text, progress
from .parsing import Parser, add_options, number, numbers, refuse_unused

PICTURE_OPTIONS = ("fmt", "mode", "operation", "scales")


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = "Compute a picture, with every step rounded, and write it to a file."
    parser.epilog = (
        "examples:\n  fp16sim plot --list\n  fp16sim plot ulp -o ulp.png\n"
        "  fp16sim plot ulp --format binary16,e5m2 -o ulp.svg\n"
        "  fp16sim plot staircase --mode toward_zero -o staircase.pdf\n"
        "  fp16sim plot pairs --format e5m2 --operation add\n"
        "  fp16sim plot ulp --size 10x5.6 --theme dark\n  fp16sim plot --sheet all.png"
    )
    option = parser.add_argument
    option("name", nargs="?", metavar="NAME", help="the picture to draw; --list shows the names")
    add_options(
        parser,
        "out",
        help="the file: .png, .svg or .pdf; replaced if it exists (default: fp16sim-NAME.png or the next free number)",
    )
    add_options(parser, "formats", dest="fmt")
    add_options(parser, "mode", default=None)
    option("--operation", metavar="NAME", help="of the picture pairs: add, subtract, multiply or divide")
    option("--scales", type=numbers, metavar="S,T", help="of the picture gradients: loss scales")
    option("--theme", choices=("light", "dark"), default="light", help="the colours (default: light)")
    option(
        "--size", type=size, metavar="WxH", help="inches, such as 10x5.6, or the width; text grows too (default: 7.5x5)"
    )
    option("--dpi", type=number, metavar="N", help="pixels for an inch in a .png (default: 200)")
    option("--sheet", type=Path, metavar="FILE", help="write all pictures, at a third of their size, to one .png")
    add_options(parser, "list", help="list the pictures, each with its lesson")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Draw one picture, or list all."""
    from .. import plots  # matplotlib is slow to load

    if options.list:
        if options.name:
            raise ValueError("--list lists the pictures and draws none; leave the name out")
        refuse_unused(options, "--list draws nothing", but=("list", "json"))
        _print_list(plots.PICTURES, options.json)
        return
    chosen = {name: value for name in PICTURE_OPTIONS if (value := getattr(options, name)) is not None}
    drawn = {name: value for name in ("size", "dpi") if (value := getattr(options, name)) is not None}
    if options.sheet:
        if options.name or options.out or chosen or drawn:
            raise ValueError("--sheet shows all pictures as they are; it takes --theme and --json only")
        check_writable(options.sheet)
        with progress(options.json) as bar:
            bar("pictures")  # they take different times
            plots.write_sheet(options.sheet, theme=options.theme)
        _report({"file": str(options.sheet), "pictures": list(plots.PICTURES)}, f"pictures: {options.sheet}", options)
        return
    if options.name is None:
        raise ValueError("the name of the picture is missing; fp16sim plot --list shows the names")
    picture = plots.find(options.name)
    name = options.name.strip().lower().replace("-", "_")
    out = options.out or first_free(Path(f"fp16sim-{name}.png"))
    check_writable(out)
    if out.suffix.lower() != ".png":
        refuse_unused(options, f"a {out.suffix} file has no pixels", "dpi")
    title = plots.write(name, out, theme=options.theme, **drawn, **chosen)
    told = {"name": name, "file": str(out), "title": title, "options": list(picture.options)}
    _report(told, f"picture: {out}", options)


def _report(told: Mapping[str, Any], text: str, options: argparse.Namespace) -> None:
    """What was written, as text or as JSON."""
    if options.json:
        print_json(told)
    else:
        print_text(text)


def size(text: str) -> tuple[float, float]:
    """Width and height, as "10x5.6", or the width alone, of a picture that is 3 to 2."""
    width, by, height = text.lower().partition("x")
    try:
        return float(width), float(height) if by else float(width) / 1.5
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a size; write 10x5.6 or 10, in inches") from None


def _print_list(pictures: Mapping[str, Any], as_json: bool) -> None:
    """The name and the lesson of each picture, in one line each."""
    if as_json:
        print_json([{"name": name, "lesson": p.lesson, "options": list(p.options)} for name, p in pictures.items()])
        return
    width = max(map(len, pictures))
    for name, picture in pictures.items():
        print_text(f"{name:{width}}  {picture.lesson}")
