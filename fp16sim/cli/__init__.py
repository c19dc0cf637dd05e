"""The command line: parse, call, print. A module here is a command, or a family of them, and says `add(commands)`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..version import __version__
from . import bench, data, evaluate, explain, explore, inspect, plot, show, teaching, train
from .parsing import Parser

COMMANDS = (
    train,
    evaluate,
    inspect,
    show,
    explain,
    explore,
    plot,
    teaching,
    data,
    bench,
)
"""In the order of the help."""


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(prog="fp16sim", description="Low-precision arithmetic, emulated exactly.")
    parser.add_argument("--version", action="version", version=f"fp16sim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for module in COMMANDS:
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 for bad input (one line on stderr), 130 when interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        print(f"fp16sim {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"fp16sim {options.command}: interrupted; nothing was overwritten", file=sys.stderr)
        return 130
    return 0
