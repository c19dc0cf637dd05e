"""fp16sim explore: the explorer as a file, opened in a browser."""

from __future__ import annotations

import argparse
import re
import tempfile
import webbrowser
from pathlib import Path

from .. import page
from ..files import write_text
from ..page.assemble import source
from ..wording import did_you_mean, joined, quoted
from .output import check_writable, print_text
from .parsing import Parser, add_options

SUFFIXES = (".html", ".htm")


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = "Write the explorer, one HTML file that needs no network, and open it."
    parser.epilog = (
        "examples:\n  fp16sim explore\n  fp16sim explore -o explorer.html\n"
        '  fp16sim explore "arithmetic?op=add&a=2048&b=1"'
    )
    state_help = "the view to open: the part after # in its address"
    parser.add_argument("state", nargs="?", default="", metavar="VIEW", help=state_help)
    add_options(parser, "out", help="write this .html file, and do not open a browser")


def _check(state: str) -> None:
    """ValueError for a view, or a name in it, that the page does not have and would ignore."""
    text = source("state.js")
    views = re.findall(r"\w+", text.partition("VIEWS = [")[2].partition("]")[0])
    names = re.findall(r"^  (?!view)(\w+):", text.partition("DEFAULTS = ")[2].partition("});")[0], re.MULTILINE)
    view, _, query = state.removeprefix("#").partition("?")
    if view not in ("", *views):
        raise ValueError(f"{quoted(view)} is not a view; {did_you_mean(view, views)}use {joined(views, 'or')}")
    for name in (part.partition("=")[0] for part in query.split("&") if part):
        if name not in names:
            known = f"{did_you_mean(name, names)}use {joined(names, 'or')}"
            raise ValueError(f"{quoted(name)} is not part of a view's address; {known}")


def run(options: argparse.Namespace) -> None:
    """Write the explorer to the file that was named, or to a temporary one that is opened."""
    _check(options.state)
    if options.out:
        check_writable(options.out, SUFFIXES)
        write_text(options.out, page.build(options.state))
        print_text(f"explorer: {options.out}")
        return
    folder = Path(tempfile.mkdtemp(prefix="fp16sim-"))  # it stays: the browser reads it later
    path = folder / "explorer.html"
    write_text(path, page.build(options.state))
    opened = webbrowser.open(path.as_uri())
    print_text(f"explorer: {path}{'' if opened else ' (no browser was found; open the file yourself)'}")
