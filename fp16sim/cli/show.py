"""fp16sim show and compare: what is stored of a number, in one format and in all of them."""

from __future__ import annotations

import argparse
from typing import Any

from ..formats import NAMED_FORMATS, Rounding, get_format
from .documents import print_document, print_json
from .explain import add_rounding_options
from .expressions import ExpressionError, Literal, Negation, Operation, parse_expression
from .parsing import formats

WAYS = "write it like 0.1, 1e-8, 1/3, 2^-24, 0x1.8p3 or inf, or as a code like 0x2E66"
NUMBERS = """numbers: 0.1  1/3  1e-8  2^-24  1p-24  0x1.8p3  inf  nan
codes:   0x2E66  0b0010111001100110  0_01011_1001100110"""


def add(commands: Any) -> None:
    """The two commands and their options."""
    show = commands.add_parser(
        "show",
        help="a number as a format stores it: bits, formula, value, error, neighbours",
        description="Show a number, or a code, as a format stores it.",
        epilog=f"examples:\n  fp16sim show 0.1\n  fp16sim show 0x2E66 --format bf16\n"
        f"  fp16sim show 0_00000_0000000001\n{NUMBERS}",
    )
    show.add_argument("number", help="a number or a code")
    add_rounding_options(show)
    show.set_defaults(run=_show)

    compare = commands.add_parser(
        "compare",
        help="one number in all formats, side by side",
        description="Show what each format stores of a number: value, error, neighbours, bits.",
        epilog="examples:\n  fp16sim compare 65520\n  fp16sim compare 1/3 --format fp16,bf16 --mode toward_zero\n"
        f"{NUMBERS}",
    )
    compare.add_argument("number", help="a number, or a code of the first format (of binary16 by default)")
    known = ", ".join(fmt.name for fmt in NAMED_FORMATS)
    modes = [mode.value for mode in Rounding]
    option = compare.add_argument
    option("--format", type=formats, default=argparse.SUPPRESS, metavar="A,B", help=f"some of {known} (default: all)")
    option("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    option("--rng", type=int, default=argparse.SUPPRESS, metavar="SEED", help="seed of stochastic rounding")
    option("--json", action="store_true", help="print JSON instead of tables")
    compare.set_defaults(run=_compare)


def _print(found: Any, as_json: bool) -> None:
    if as_json:
        print_json(found.to_dict())
    else:
        print_document(found.document)


def _show(options: argparse.Namespace) -> None:
    from .. import explain

    fmt, rng = get_format(options.format), getattr(options, "rng", None)
    given = read_number(options.number, fmt)
    _print(explain.anatomy(given, fmt, options.mode, rng=rng), options.json)


def _compare(options: argparse.Namespace) -> None:
    from .. import explain

    chosen, rng = getattr(options, "format", None), getattr(options, "rng", None)
    own = get_format(chosen[0] if chosen else "binary16")
    given = read_number(options.number, own)
    _print(explain.compare(given, chosen, options.mode, fmt=own, rng=rng), options.json)


def read_number(text: str, fmt: Any) -> Any:
    """A number or a code; where it is neither, an error with a caret under the place."""
    from ..explain.decoding import read

    try:
        return read(text, fmt)
    except ValueError as error:
        problem = error
    try:
        node = parse_expression(text)
    except ExpressionError as wrong:
        raise ExpressionError(f"this is no number here; {WAYS}", text, wrong.position, wrong.length) from None
    while isinstance(node, Negation):
        node = node.of
    if isinstance(node, Operation):
        raise ExpressionError(
            f'this is an operation, and here a number is wanted; use fp16sim explain "{text}"',
            text,
            node.position,
        )
    assert isinstance(node, Literal)
    raise ExpressionError(str(problem), text, node.position, len(node.text))
