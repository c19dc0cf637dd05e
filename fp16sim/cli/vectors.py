"""fp16sim vectors: operands and right answers for other implementations, and a judge of what they computed."""

from __future__ import annotations

import argparse
from pathlib import Path

from .output import check_writable, print_json, print_text
from .parsing import Parser, add_options, refuse_unused


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Write conformance vectors of a format and a mode as JSON: every code, numbers to\n"
        "round (midpoints and neighbours, specials, where overflow begins), operations,\n"
        "blocks. Add what you computed to each section, as a list named computed; then\n"
        "--check compares it with the right answers and names the faults by a table of\n"
        "known ones. The exit code is 1 if an answer is wrong."
    )
    parser.epilog = (
        "examples:\n  fp16sim vectors --format e4m3fn -o e4m3fn.json\n"
        "  fp16sim vectors --format bf16 --mode toward_zero -o bf16.json\n"
        "  fp16sim vectors --check results.json"
    )
    add_options(parser, "format", "mode")
    parser.add_argument("--every", action="store_true", help="every number and midpoint of 16 bits, all pairs of 8")
    parser.add_argument("-o", "--output", dest="out", type=Path, metavar="FILE", help="where they are written")
    parser.add_argument("--check", type=Path, metavar="FILE", help="vectors with what you computed")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> int:
    """Write vectors, or judge."""
    from .. import vectors

    if options.check:
        refuse_unused(options, "the file says it", "format", "mode", "every", "out")
        judgement = vectors.check(options.check)
        print_json(judgement.to_dict()) if options.json else print_text(str(judgement))
        return 1 if judgement.wrong else 0
    if options.out is None:
        print_json(vectors.make(options.format, options.mode, every=options.every))
        return 0
    refuse_unused(options, "the file is JSON", "json")
    check_writable(options.out, (".json",))
    import json

    from ..files import write_text

    made = vectors.make(options.format, options.mode, every=options.every)
    write_text(options.out, json.dumps(made))
    answers = sum(len(section["expected"]) for section in made["sections"])
    print_text(f"wrote {options.out}: {answers:,} answers in {len(made['sections'])} sections")
    return 0
