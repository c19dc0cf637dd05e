"""The command line: parse, call, print.

Each command is a module here with its name. `configure(parser)` states its options, and `run(options)` runs it and may
return an exit code. The module is loaded when its command is used, so that each command starts quickly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from ..version import __version__
from .parsing import CommandParser, Parser

COMMANDS = {
    "train": "train a network with every operation rounded",
    "evaluate": "test a trained model in other formats",
    "inspect": "find out what a format would lose of saved tensors",
    "show": "show how a format stores a number",
    "compare": "show how all formats store a number, side by side",
    "explain": "explain the result of an operation, step by step",
    "explore": "open the explorer: bits, number line and arithmetic",
    "plot": "draw one of the pictures that teach",
    "grade": "grade a function that you wrote",
    "quiz": "answer questions, or write a sheet of them",
    "tutorials": "copy the lessons and exercises to a folder",
    "data": "list the data sets, or fetch MNIST or Fashion-MNIST",
    "bench": "measure the speed of fp16sim on this machine",
    "certify": "check the elementary functions on this machine",
}
"""What each command does, in the order of the help."""


def module_of(command: str) -> ModuleType:
    """The module of a command, loaded when it is asked for."""
    return import_module(f".{command}", __package__)


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="fp16sim",
        description="Low-precision arithmetic, emulated exactly.",
        epilog='Each command has its own help with examples, such as "fp16sim show --help".',
    )
    parser.add_argument("-V", "--version", action="version", version=f"fp16sim {__version__}", help="show the version")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True, parser_class=CommandParser
    )
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, configure=lambda own, name=name: module_of(name).configure(own))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, or 1 where it found a fault.

    Bad input gives 2 and one line on stderr; an interruption gives 130.
    """
    options = build_parser().parse_args(arguments)
    try:
        return module_of(options.command).run(options) or 0
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        print(f"fp16sim {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"fp16sim {options.command}: interrupted; no file was left half-written", file=sys.stderr)
        return 130
