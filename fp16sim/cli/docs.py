"""fp16sim docs: the documentation site in a browser, where it has been built."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from .output import print_text
from .parsing import Parser

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = 'pip install -e ".[docs]" && sphinx-build tutorials/site build/site'


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Open the documentation site: the course with its results, how-to guides, the\n"
        "reference and a gallery. It is too large to be installed with the package, so\n"
        f"it is built once from the sources, in their folder:\n\n  {BUILD}"
    )
    parser.epilog = "examples:\n  fp16sim docs"


def run(options: argparse.Namespace) -> None:
    """Open the site that this checkout has, or say how to build it.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not (CHECKOUT / "tutorials" / "site").is_dir():
        raise ValueError(
            "the documentation site is not installed with the package, because of its size; get the sources, and "
            f"run there: {BUILD}; here you have fp16sim --help, fp16sim tutorials and Python's help()"
        )
    page = CHECKOUT / "build" / "site" / "index.html"
    if not page.is_file():
        raise ValueError(f"the documentation site is not built yet; run in {CHECKOUT}: {BUILD}")
    opened = webbrowser.open(page.as_uri())
    print_text(f"documentation: {page}{'' if opened else ' (no browser was found; open the file yourself)'}")
