"""fp16sim explore: the explorer as a file, opened in a browser."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ..files import write_text
from .output import check_writable, print_text

SUFFIXES = (".html", ".htm")


def add(commands: Any) -> None:
    """The command and its options."""
    explore = commands.add_parser(
        "explore",
        help="open the explorer: bits, number line and arithmetic, step by step",
        description="Write the explorer, one HTML file that needs no network, and open it in a browser.",
        epilog="examples:\n  fp16sim explore\n  fp16sim explore -o explorer.html\n"
        '  fp16sim explore "arithmetic?op=add&a=2048&b=1"',
    )
    option = explore.add_argument
    option("state", nargs="?", default="", help="where it opens: what stands behind # in its address")
    option("-o", "--out", type=Path, default=argparse.SUPPRESS, help="only write this file: .html")
    explore.set_defaults(run=_explore)


def _explore(options: argparse.Namespace) -> None:
    from .. import page

    out = getattr(options, "out", None)
    if out is not None:
        check_writable(out, SUFFIXES)
        write_text(out, page.build(options.state))
        print_text(f"explorer: {out}")
        return
    folder = Path(tempfile.mkdtemp(prefix="fp16sim-"))  # it stays: the browser reads it after we have left
    path = folder / "explorer.html"
    write_text(path, page.build(options.state))
    print_text(f"explorer: {path}{'' if _opened(path) else ' (no browser was found; open it yourself)'}")


def _opened(path: Path) -> bool:
    import webbrowser

    return webbrowser.open(path.as_uri())
