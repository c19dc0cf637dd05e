"""fp16sim trace: run a script in a format, beside a shadow, and say which line lost the digits."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from .output import check_writable, print_error, print_json, print_text
from .parsing import Parser, add_options, refuse_unused_seed

OWN = ("--format", "--mode", "--accumulator", "--rng", "--no-cures", "--html", "--plot", "--json")
"""Options of the command; after the script they are the script's."""


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Run a Python script, unchanged, with every operation of its floats rounded to a\n"
        "format, and beside it the same without rounding. Say which lines lost the\n"
        "digits of the numbers that it prints, and which cures help, measured. Numbers\n"
        "that leave the trace, such as by float(x), are listed with their lines."
    )
    parser.epilog = (
        "examples:\n  fp16sim trace script.py\n  fp16sim trace --format bfloat16 script.py 10 --fast\n"
        "  fp16sim trace --html trace.html --plot trace.png script.py\n  fp16sim trace --json script.py > trace.json\n"
        "options of fp16sim stand before the script, those of the script after it"
    )
    add_options(parser, "format", "mode", "accumulator", "rng")
    parser.add_argument("--no-cures", action="store_true", help="run the script once only: try no cures")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report with the source: .html")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw error against operation: .png, .svg or .pdf")
    add_options(parser, "json")
    parser.add_argument("script", type=Path, metavar="SCRIPT", help="a Python program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the script finds in sys.argv")


def run(options: argparse.Namespace) -> None:
    """Trace, then print and write the report."""
    refuse_unused_seed(options)
    if options.html:
        check_writable(options.html, (".html", ".htm"), "html")
    if options.plot:
        check_writable(options.plot, name="plot")
    if not options.script.is_file():
        raise ValueError(f"script={str(options.script)!r} is not a file; give the path of a Python program")
    if strays := [word for word in options.arguments if word.partition("=")[0] in OWN]:
        print_error(f"fp16sim trace: {', '.join(strays)} stands after the script, so the script gets it")
    found = _traced(options)
    if options.no_cures:
        found = found.without_cures()
    _write(options, found)
    if options.json:
        print_json(found.to_dict())
    else:
        print_text(str(found))


def _traced(options: argparse.Namespace) -> Any:
    from .. import trace
    from ..trace.running import checked
    from ..trace.scripts import where

    checked(options.format, options.mode, options.accumulator)
    how = {"fmt": options.format, "mode": options.mode, "accumulator": options.accumulator, "rng": options.rng}
    # What the script prints does not mix with JSON.
    output = contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext()
    try:
        with output:
            return trace.script(options.script, options.arguments, **how)
    except SystemExit as end:
        raise RuntimeError(f"the script ended with exit code {end.code}, so there is no report") from None
    except Exception as error:
        place = where(error, options.script)
        raise RuntimeError(f"the script raised {type(error).__name__} at {place}: {error}") from error


def _write(options: argparse.Namespace, found: Any) -> None:
    if options.html:
        from ..files import write_text

        write_text(options.html, found.to_html())
    if options.plot:
        from ..plots import trace_figure
        from ..plots.style import save

        save(trace_figure(found), options.plot)
