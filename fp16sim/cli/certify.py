"""fp16sim certify: how safely the elementary functions are rounded, and whether they are right on this machine."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..elementary import certificates
from ..elementary.certificates import FORMATS, Approach
from ..elementary.definitions import FUNCTIONS
from .output import print_json, print_table, print_text, progress
from .parsing import Parser, add_options


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "For each elementary function, show how near its values come to a number where\n"
        "the rounding changes, over all inputs of binary16 and bfloat16; nearer inputs\n"
        "are decided by an inequality, and counted. With --check, compare all results of\n"
        "this machine with the certified ones. The exit code is 1 if any differ, else 0."
    )
    parser.epilog = "examples:\n  fp16sim certify\n  fp16sim certify --check"
    parser.add_argument("--check", action="store_true", help="check the results of this machine (it takes seconds)")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> int:
    """Print the table, or check; 1 if a result differs."""
    if options.check:
        return _check(options.json)
    found: dict[str, list[Approach]] = {}
    with progress(options.json, "functions") as bar:
        update = bar("certify")
        for name in FUNCTIONS:
            found[name] = [certificates.closest_approach(name, fmt) for fmt in FORMATS]
            if update:
                update(len(found), len(FUNCTIONS))
    if options.json:
        print_json({name: _to_dict(approaches) for name, approaches in found.items()})
        return 0
    headings = [text for fmt in FORMATS for text in (f"{fmt.name}\nclosest", "inputs\ndecided")]
    rows = [(name, *(text for one in approaches for text in _cells(one))) for name, approaches in found.items()]
    print_table(
        "how near values come to where the rounding changes",
        [("function", "left"), *((heading, "right") for heading in headings)],
        rows,
    )
    return 0


def _check(as_json: bool) -> int:
    with progress(as_json) as bar:
        bar("check")  # how long it takes is not known
        differences = certificates.check()
    if as_json:
        print_json({"differences": differences})
    else:
        print_text("\n".join(differences) or "All results on this machine are the certified ones.")
    return 1 if differences else 0


def _to_dict(approaches: list[Approach]) -> dict[str, object]:
    return {fmt.name: asdict(one) for fmt, one in zip(FORMATS, approaches, strict=True)}


def _cells(approach: Approach) -> tuple[str, str]:
    return f"2^{approach.log2_distance:.1f} ulp", f"{approach.decided:,}"
