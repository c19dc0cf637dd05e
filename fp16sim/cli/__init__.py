"""The command line: parse, call, print.

Each command is a module here with its name. `configure(parser)` states its options, and `run(options)` runs it and may
return an exit code. The module is loaded when its command is used, so that each command starts quickly.
"""

from __future__ import annotations

import io
import os
import sys
from argparse import SUPPRESS
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from .. import interruption
from ..version import __version__
from ..wording import did_you_mean, quoted
from .errors import ExpressionError
from .output import print_error, print_text
from .parsing import CommandParser, Parser

GROUPS = {
    "learn": {
        "tutorials": "list the lessons, copy them to a folder, or read one here",
        "grade": "grade a function that you wrote",
        "quiz": "answer questions, or write a sheet of them",
        "plot": "draw one of the pictures that teach",
        "docs": "open the documentation, if it has been built here",
    },
    "look": {
        "show": "show how a format stores a number",
        "compare": "show how all formats store a number, side by side",
        "explain": "explain the result of an expression, step by step",
        "explore": "open the explorer: bits, number line and arithmetic",
    },
    "train": {
        "train": "train a network with every operation rounded",
        "evaluate": "test a trained model in other formats",
        "inspect": "find out what a format would lose of saved tensors",
        "sweep": "run every combination of options, on any number of processes",
        "diagnose": "say why a run died, here or elsewhere, and what it lost",
        "reproduce": "compute a published claim again, with a verdict",
        "data": "list the data sets, or fetch MNIST or Fashion-MNIST",
    },
    "measure": {
        "trace": "say which line of a Python script lost the digits",
        "bench": "measure the speed of fp16sim on this machine",
        "certify": "check the elementary functions on this machine",
        "audit": "find out what the numerics installed here really do",
        "vectors": "write operands and right answers, or judge what you computed",
        "hardware": "show what matrix units of GPUs do, or find out what yours does",
    },
}
"""What each command does, in the groups and in the order of the help."""
COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}

EXIT_CODES = {
    0: "done",
    1: "a fault was found: by grade, certify, audit, hardware or vectors",
    2: "wrong input; one line on stderr says what, and the way out",
    3: "train, evaluate: a run died unexpectedly; sweep: a cell failed",
    130: "interrupted by Ctrl-C",
    141: "the reader of the output stopped, as in fp16sim ... | head",
    143: "terminated by a signal",
}

HELP = """fp16sim: low-precision arithmetic, emulated exactly. Try:

  fp16sim show 0.1                 how binary16 stores a number
  fp16sim explain "0.1 + 0.2"      why a result is what it is, step by step
  fp16sim explore                  every bit and every step, in the browser
  fp16sim train                    a network in three formats, side by side
  fp16sim tutorials my-folder      the course, in a folder of yours

fp16sim --help lists all commands; each has its own help, such as fp16sim show --help."""
"""What `fp16sim` alone prints."""


def module_of(command: str) -> ModuleType:
    """The module of a command, loaded when it is asked for."""
    return import_module(f".{command}", __package__)


def _rows(texts: Mapping[Any, str]) -> str:
    """Names and what they mean, below each other."""
    return "\n".join(f"    {name:<10} {text}" for name, text in texts.items())


def build_parser() -> Parser:
    """The parser of all commands."""
    groups = (f"{title}:\n{_rows(commands)}" for title, commands in GROUPS.items())
    parser = Parser(
        prog="fp16sim",
        usage="fp16sim [-h] [-V] COMMAND ...",
        description="Low-precision arithmetic, emulated exactly.\n\n" + "\n\n".join(groups),
        epilog=f'Each command has its own help with examples, such as "fp16sim show --help".\n\nexit codes:\n'
        f"{_rows(EXIT_CODES)}",
    )
    parser.add_argument("-V", "--version", action="version", version=f"fp16sim {__version__}", help="show the version")
    commands = parser.add_subparsers(
        prog="fp16sim", metavar="COMMAND", dest="command", required=True, parser_class=CommandParser, help=SUPPRESS
    )
    for name in COMMANDS:
        commands.add_parser(name, configure=lambda own, name=name: module_of(name).configure(own))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, or 1 where it found a fault, or 3 for a run that died unexpectedly.

    Bad input gives 2 and one line on stderr (for an expression also its text, with a caret under the place). An
    interruption gives 130, SIGTERM 143, a closed pipe 141 and no line. Python's development mode (PYTHONDEVMODE=1)
    shows the traceback of an error that is a fault of fp16sim.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = " ".join(["fp16sim", *(word for word in given[:1] if word in COMMANDS)])
    if sys.stdout is None:  # it was closed before the start
        sys.stdout = io.StringIO()
    try:
        interruption.raise_again()
        try:
            if not given:
                print_text(HELP)
                return 0
            if given[0] not in COMMANDS and not given[0].startswith("-"):
                similar = did_you_mean(given[0], COMMANDS)
                raise ValueError(f"{quoted(given[0])} is not a command; {similar}fp16sim --help lists them")
            options = build_parser().parse_args(given)
            options.words = given
            return module_of(options.command).run(options) or 0
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # as in fp16sim ... | head
        _discard_output()
        return 141
    except KeyboardInterrupt as stop:
        ended, code = ("terminated", 143) if isinstance(stop, interruption.Terminated) else ("interrupted", 130)
        print_error(f"{name}: {ended}; {stop}" if str(stop) else f"{name}: {ended}; no file was left half-written")
        return code
    except Exception as error:
        _discard_output()
        if sys.flags.dev_mode and not isinstance(error, EXPECTED):
            raise
        print_error(f"{name}: {_said(error)}", keep="\n" if isinstance(error, ExpressionError) else "")
        return 2


EXPECTED = (ValueError, TypeError, RuntimeError, OSError, MemoryError, ImportError)
"""Errors whose texts are for the user; any other is a fault of fp16sim."""


def _said(error: Exception) -> str:
    """What to tell the user about an error."""
    match error:
        case MemoryError():
            return f"there is not enough memory{f' ({error})' if str(error) else ''}; use less data"
        case RecursionError():
            return f"the input is nested too deeply ({error})"
        case ModuleNotFoundError(name=str(module)) if (package := module.partition(".")[0]) != "fp16sim":
            return f"the package {package} is missing; install it: pip install {package}"
        case OSError(strerror=str(reason)):
            return f"{reason}: {error.filename or 'standard output'}"
        case _ if isinstance(error, EXPECTED):
            return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error} (a fault of fp16sim; please report it)"


def _discard_output() -> None:
    """Lead stdout to nowhere, if it cannot be written to, so that Python does not try again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
