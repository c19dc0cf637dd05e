"""fp16sim compare: what each format stores of a number, side by side."""

from __future__ import annotations

import argparse

from .. import explain
from ..formats import get_format
from .documents import print_records
from .parsing import NUMBERS, Parser, add_options, refuse_unused_seed
from .show import read_number


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = "Show how each format stores a number: value, error, neighbours and bits."
    parser.epilog = (
        f"examples:\n  fp16sim compare 65520\n  fp16sim compare 1/3 --format fp16,bf16 --mode toward_zero\n{NUMBERS}"
    )
    number_help = "a number, or a code of the first format (binary16 if no format is given)"
    parser.add_argument("number", metavar="NUMBER", help=number_help)
    add_options(parser, "formats", help="the formats to compare (default: all)")
    add_options(parser, "mode", "rng", "json")


def run(options: argparse.Namespace) -> None:
    """Compare the formats, and print."""
    refuse_unused_seed(options)
    own = get_format(options.format[0] if options.format else "binary16")
    number = read_number(options.number, own)
    found = explain.compare(number, options.format, options.mode, fmt=own, rng=options.rng)
    print_records([found], options.json)
