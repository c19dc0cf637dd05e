"""fp16sim show: what a format stores of a number."""

from __future__ import annotations

import argparse

from .. import explain
from ..explain.decoding import Given, read
from ..formats import Format, get_format
from .documents import print_records
from .errors import ExpressionError
from .parsing import NUMBERS, Parser, add_options, refuse_unused_seed


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Show how a format stores a number: bits, formula, value, error and neighbours.\n"
        "The number may also be given as a code, which is its bits."
    )
    parser.epilog = (
        "examples:\n  fp16sim show 0.1\n  fp16sim show 0x2E66 --format bf16\n"
        f"  fp16sim show 0_00000_0000000001\n{NUMBERS}"
    )
    parser.add_argument("number", metavar="NUMBER", help="a number or a code")
    add_options(parser, "format", "mode", "rng", "json")


def run(options: argparse.Namespace) -> None:
    """Take the number apart, and print."""
    refuse_unused_seed(options)
    fmt = get_format(options.format)
    found = explain.anatomy(read_number(options.number, fmt), fmt, options.mode, rng=options.rng)
    print_records([found], options.json)


WAYS = "write it like 0.1, 1e-8, 1/3, 2^-24, 0x1.8p3 or inf, or as a code like 0x2E66"


def read_number(text: str, fmt: Format) -> Given:
    """A number or a code; if the text is neither, an error with a caret under the place."""
    try:
        return read(text, fmt)
    except ValueError as error:
        problem = error
    from .expressions import LONGEST, Literal, Negation, Operation, parse_expression  # needed for mistakes only

    if len(text) > LONGEST:
        raise problem
    try:
        node = parse_expression(text)
    except ExpressionError as wrong:
        raise ExpressionError(f"this is not a number; {WAYS}", text, wrong.position, wrong.length) from None
    while isinstance(node, Negation):
        node = node.of
    if isinstance(node, Operation):
        raise ExpressionError(f'this is an operation, not a number; use fp16sim explain "{text}"', text, node.position)
    assert isinstance(node, Literal)
    raise ExpressionError(str(problem), text, node.position, len(node.text))
