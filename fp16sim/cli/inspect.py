"""fp16sim inspect: what a format would do to tensors from elsewhere."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..formats import NAMED_FORMATS
from ..wording import percent, share
from .output import print_table, print_text

FEW = 4
"""So many tensors are shown with a histogram each."""


def add(commands: Any) -> None:
    """The command and its options."""
    inspect = commands.add_parser(
        "inspect",
        help="what a format would lose of saved tensors, and the loss scale that loses least",
        description="Look at every tensor of a .npz or .npy file: what would become 0, subnormal, or overflow in a\n"
        "format, the errors of the rest, the exponents against the window of the format, and the loss scale\n"
        "(a power of two) that loses least.",
        epilog="examples:\n  fp16sim inspect grads.npz --format binary16\n"
        "  fp16sim inspect weights.npy --format e4m3fn --json\nto save tensors from PyTorch:\n"
        '  numpy.savez("grads.npz", **{n: p.grad.float().cpu().numpy() for n, p in model.named_parameters()})',
    )
    option = inspect.add_argument
    option("file", type=Path, metavar="FILE", help="a .npz or .npy file")
    option("--format", default="binary16", metavar="F", help=f"one of {', '.join(fmt.name for fmt in NAMED_FORMATS)}")
    option("--each", action="store_true", help=f"a histogram of each tensor, even of more than {FEW}")
    option("--json", action="store_true", help="print JSON instead of tables")
    inspect.set_defaults(run=_inspect)


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


def _inspect(options: argparse.Namespace) -> None:
    from ..learn.advise.inspect import inspect
    from ..learn.observe.histogram import bar_chart

    found = inspect(options.file, options.format)
    if options.json:
        print(json.dumps(found.to_dict(), indent=2))
        return
    several = len(found.tensors) > 1
    listed = [*found.tensors, found.together] if several else list(found.tensors)
    print_table(
        f"in {found.fmt}; zero, NaN, inf: shares of all; the others: of what is finite", COLUMNS, map(_row, listed)
    )
    for one in listed if options.each or len(found.tensors) <= FEW else listed[-1:]:
        print_text(f"{one.name}, exponents in {found.fmt}")
        print_text(bar_chart(one.survey) or "no finite nonzero number")
        print_text(_errors(one, found.fmt) + "\n")
    for reason in found.skipped:
        print_text(reason)
    print_text(found.recommendation)


def _errors(one: Any, fmt: Any) -> str:
    errors = one.errors
    return (
        f"relative error of the {errors.kept:,} that are not lost: mean {errors.mean:.1e}, "
        f"largest {errors.largest:.1e}, none in {errors.exact:,} (unit roundoff {float(fmt.unit_roundoff):.1e})"
    )


def _row(one: Any) -> Sequence[str]:
    seen, fate = one.survey, one.fate
    fates = (percent(share(n, seen.finite)) for n in (fate.underflowed, fate.subnormal, fate.overflowed))
    zeros, special = (percent(share(n, seen.total)) for n in (seen.zeros, seen.nans + seen.infinities))
    return one.name, f"{seen.total:,}", zeros, *fates, special, f"2^{one.best_shift}"
