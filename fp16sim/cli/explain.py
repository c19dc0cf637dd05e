"""fp16sim explain: why an operation gives what it gives."""

from __future__ import annotations

import argparse
from typing import Any

from ..formats import NAMED_FORMATS, Rounding, Subnormals, get_format, get_rounding, with_behaviour
from .documents import print_document, print_json


def add_rounding_options(command: Any) -> None:
    """The options of every command that rounds."""
    known = ", ".join(fmt.name for fmt in NAMED_FORMATS)
    modes = [mode.value for mode in Rounding]
    option = command.add_argument
    option("--format", default="binary16", metavar="F", help=f"one of {known}, or another name of one")
    option("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    option("--rng", type=int, default=argparse.SUPPRESS, metavar="SEED", help="seed of stochastic rounding")
    option("--json", action="store_true", help="print JSON instead of text")


def add(commands: Any) -> None:
    """The command and its options."""
    explain = commands.add_parser(
        "explain",
        help="why an operation gives what it gives, step by step",
        description="Explain + - * / sqrt fma dot, or the rounding of a number: alignment, exact\n"
        "result, guard, round and sticky bits, the neighbours and the rule that chose,\n"
        "flags, and what every other mode gives.",
        epilog='examples:\n  fp16sim explain "0.1 + 0.2" --mode toward_positive\n'
        '  fp16sim explain "fma(3, 683, 2^-24)"\n  fp16sim explain "sqrt(2)" --format bf16\n'
        '  fp16sim explain "dot([1, 1], [2048, 1])" --accumulator kahan\n  fp16sim explain 65520\n'
        "numbers: 0.1  1e-8  2^-24  1p-24  0x1.8p3  inf  nan\n"
        "codes:   0x2E66  0b0010111001100110  0_01011_1001100110",
    )
    explain.add_argument("expression", help='such as "0.1 + 0.2"; each operation in it is explained')
    add_rounding_options(explain)
    option = explain.add_argument
    option("--saturate", action="store_true", help="overflow becomes max_finite")
    kinds = [kind.value for kind in Subnormals]
    kinds_help = f"one of {', '.join(kinds)}"
    option("--subnormals", default="gradual", choices=kinds, metavar="S", help=kinds_help)
    option(
        "--accumulator",
        default="sequential",
        metavar="A",
        help="of dot: sequential, fused, pairwise, blocked, kahan or exact; in a wider format as in kahan:binary32",
    )
    explain.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> None:
    from ..conversion import as_generator
    from .expression_explainer import Explainer, accumulator_named

    subnormals = None if options.subnormals == "gradual" else options.subnormals
    fmt = with_behaviour(get_format(options.format), options.saturate or None, subnormals)
    rng = as_generator(get_rounding(options.mode), getattr(options, "rng", None))
    plain = options.accumulator == "sequential"
    accumulator = None if plain else accumulator_named(options.accumulator, fmt, options.mode, rng)
    found = Explainer(options.expression, fmt, options.mode, rng, accumulator).run()
    if options.json:
        steps = [why.to_dict() for why in found]
        print_json(steps[0] if len(steps) == 1 else steps)
        return
    for k, why in enumerate(found):
        if k:
            print("\n")
        print_document(why.document)
