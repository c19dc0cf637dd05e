"""fp16sim inspect: what a format would do to tensors from elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..formats import Format
from ..learn.advise.inspect import Inspected, inspect
from ..learn.observe.histogram import bar_chart
from ..wording import percent, share
from .output import print_json, print_table, print_text
from .parsing import Parser, add_options

FEW = 4
"""Each of up to this many tensors is shown with its histogram."""


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "For every tensor of a .npz or .npy file, show what would become 0, become\n"
        "subnormal or overflow in a format, the errors of the other numbers, the\n"
        "exponents beside the range of the format, and the loss scale (a power of two)\n"
        "that loses the fewest numbers."
    )
    parser.epilog = (
        "examples:\n  fp16sim inspect grads.npz --format binary16\n"
        "  fp16sim inspect weights.npy --format e4m3fn --json\nto save gradients from PyTorch:\n"
        "  grads = {n: p.grad.float().cpu().numpy() for n, p in model.named_parameters()}\n"
        '  numpy.savez("grads.npz", **grads)'
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a .npz or .npy file")
    add_options(parser, "format")
    each_help = f"show the histogram of each tensor, even if there are more than {FEW}"
    parser.add_argument("--each", action="store_true", help=each_help)
    add_options(parser, "max_bytes", "json")


COLUMNS = (
    ("tensor", "left"),
    ("numbers", "right"),
    ("zero", "right"),
    ("become\n0", "right"),
    ("sub-\nnormal", "right"),
    ("over-\nflow", "right"),
    ("NaN,\ninf", "right"),
    ("best\nscale", "right"),
)


def run(options: argparse.Namespace) -> None:
    """Inspect a file, and print tables and histograms."""
    found = inspect(options.file, options.format, max_bytes=options.max_bytes)
    if options.json:
        print_json(found.to_dict())
        return
    several = len(found.tensors) > 1
    listed = [*found.tensors, found.together] if several else list(found.tensors)
    title = f"in {found.fmt}; zero, NaN and inf: part of all numbers; the others: part of the finite numbers"
    print_table(title, COLUMNS, map(_row, listed))
    for one in listed if options.each or len(found.tensors) <= FEW else listed[-1:]:
        print_text(f"{one.name}, exponents in {found.fmt}")
        print_text(bar_chart(one.survey) or "no finite nonzero number")
        print_text(_errors(one, found.fmt) + "\n")
    for reason in found.skipped:
        print_text(reason)
    print_text(found.recommendation)


def _errors(one: Inspected, fmt: Format) -> str:
    errors = one.errors
    return (
        f"relative error of the {errors.kept:,} numbers that are not lost: mean {errors.mean:.1e}, "
        f"largest {errors.largest:.1e}; {errors.exact:,} are exact (unit roundoff {float(fmt.unit_roundoff):.1e})"
    )


def _row(one: Inspected) -> Sequence[str]:
    seen, fate = one.survey, one.fate
    fates = (percent(share(n, seen.finite)) for n in (fate.underflowed, fate.subnormal, fate.overflowed))
    zeros, special = (percent(share(n, seen.total)) for n in (seen.zeros, seen.nans + seen.infinities))
    return one.name, f"{seen.total:,}", zeros, *fates, special, f"2^{one.best_shift}"
