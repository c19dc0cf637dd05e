"""fp16sim explore: the explorer as a file, opened in a browser."""

from __future__ import annotations

import argparse
import tempfile
import webbrowser
from pathlib import Path

from .. import page
from ..files import write_text
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


def run(options: argparse.Namespace) -> None:
    """Write the explorer to the file that was named, or to a temporary one that is opened."""
    text = page.build(options.state)
    if options.out:
        check_writable(options.out, SUFFIXES)
        write_text(options.out, text)
        print_text(f"explorer: {options.out}")
        return
    folder = Path(tempfile.mkdtemp(prefix="fp16sim-"))  # it stays: the browser reads it later
    path = folder / "explorer.html"
    write_text(path, text)
    opened = webbrowser.open(path.as_uri())
    print_text(f"explorer: {path}{'' if opened else ' (no browser was found; open the file yourself)'}")
