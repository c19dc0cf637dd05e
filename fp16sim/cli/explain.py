"""fp16sim explain: why an operation gives what it gives."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from ..accumulators.parse import IN_ANY_FORMAT, parse
from ..conversion import as_generator
from ..explain import DotExplanation, SoftmaxExplanation
from ..files import write_text
from ..formats import Subnormals, get_format, get_rounding, with_behaviour
from ..wording import joined, quoted
from .block_explainer import add_block_options, explain_block, refuse_block_options
from .documents import ShownRecord, page_of, print_records
from .expression_explainer import Explainer
from .expressions import FUNCTIONS, RELATIONS, VECTORS
from .parsing import NUMBERS, Parser, add_options, refuse_unused, refuse_unused_seed

SUBNORMALS = tuple(kind.value for kind in Subnormals)


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Explain arithmetic, a function, a sum, a comparison or the rounding of a number:\n"
        "alignment, exact result, guard, round and sticky bits, the neighbours and the\n"
        "rule that chose one, the flags, and the result in every other mode."
    )
    parser.epilog = (
        'examples:\n  fp16sim explain "0.1 + 0.2" --mode toward_positive\n'
        '  fp16sim explain "fma(3, 683, 2^-24)"\n  fp16sim explain "sqrt(2)" --format bf16\n'
        '  fp16sim explain "dot([1, 1], [2048, 1])" --accumulator kahan\n'
        '  fp16sim explain "0.1 + 0.2 == 0.3"\n  fp16sim explain "exp(1) / 3"\n'
        '  fp16sim explain "sum([2048, 1, 1])"\n  fp16sim explain "softmax([0, 18, 5])"\n'
        '  fp16sim explain "7, 0.5, -3, 0.1" --block mxfp4\n'
        "  fp16sim explain weights.npy --block nvfp4 --which 3 -o block.html\n"
        f"  fp16sim explain 65520\n{NUMBERS}\n{_named()}"
    )
    option = parser.add_argument
    option("expression", metavar="EXPRESSION", help='such as "0.1 + 0.2"; each operation in it is explained')
    add_options(parser, "format", "mode", "rng")
    option("--saturate", action="store_true", help="overflow becomes max_finite")
    subnormals_help = "one of %(choices)s (default: %(default)s)"
    option("--subnormals", default="gradual", choices=SUBNORMALS, metavar="HOW", help=subnormals_help)
    accumulator_help = f"how a sum or dot is added: {joined([*IN_ANY_FORMAT, 'exact'], 'or')}; also kahan:binary32"
    add_options(parser, "accumulator", default="sequential", help=accumulator_help)
    add_options(parser, "out", help="write an HTML page: .html")
    add_options(parser, "json")
    add_block_options(parser)


def _named() -> str:
    """The operators and functions, in lines of a help text."""
    names = textwrap.fill(" ".join(FUNCTIONS), 79, initial_indent="functions: ", subsequent_indent="  ")
    return f"operators: + - * / {' '.join(RELATIONS)}\n{names}"


def run(options: argparse.Namespace) -> None:
    """Explain each operation, or a block, and print."""
    refuse_unused_seed(options)
    if options.out and options.out.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"output={quoted(str(options.out))} is not a page; end its name in .html")
    found = [explain_block(options)] if options.block is not None else _operations(options)
    if options.out:
        write_text(options.out, page_of(found))
    if options.json or not options.out:
        print_records(found, options.json)


def _operations(options: argparse.Namespace) -> Sequence[ShownRecord]:
    """The explanations of an expression."""
    refuse_block_options(options)
    subnormals = None if options.subnormals == "gradual" else options.subnormals
    fmt = with_behaviour(get_format(options.format), options.saturate or None, subnormals)
    rng = as_generator(get_rounding(options.mode), options.rng)
    accumulator = parse(options.accumulator, fmt, options.mode, rng)
    explainer = Explainer(options.expression, fmt, options.mode, rng, accumulator)
    found = explainer.run()
    if not any(isinstance(one, DotExplanation | SoftmaxExplanation) for one in found):
        refuse_unused(options, f"the expression has no {joined(VECTORS, 'or')}", "accumulator")
    return found
