"""fp16sim hardware: the table of matrix units; a script that asks a GPU, and the model of its answers."""

from __future__ import annotations

import argparse
from pathlib import Path

from .output import check_writable, print_json, print_text
from .parsing import Parser, add_options, format_name, refuse_unused

FILE = "answers.json"


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Show how matrix units of GPUs add products: how many at once, with how many\n"
        "bits, and who found it out. With --script, write a Python program that asks a\n"
        "GPU 200 dot products; it needs PyTorch and Triton, and not fp16sim. With --fit,\n"
        "say which model explains the answers that it wrote; the exit code is 1 if none\n"
        "does."
    )
    parser.epilog = (
        "examples:\n  fp16sim hardware hopper\n"
        "  fp16sim hardware --script --format e4m3fn -o probe.py\n"
        f"  fp16sim hardware --fit {FILE}"
    )
    parser.add_argument("machine", nargs="?", help="volta ... blackwell, cdna1 ... cdna3 (default: all)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--script", action="store_true", help="write the program for a machine with a GPU")
    parser.add_argument("--fit", type=Path, metavar="FILE", help="the answers that the program wrote")
    add_options(parser, "format")
    parser.add_argument(
        "--sums", default="binary32", type=format_name, metavar="F", help="binary32 or binary16 (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", dest="out", type=Path, metavar="FILE", help="where the program is written")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> int:
    """Print the table, write the program, or fit."""
    from .. import hardware

    if not options.script:
        refuse_unused(options, "it is for --script", "format", "sums", "out")
    if options.fit:
        refuse_unused(options, "the file says it", "machine", "markdown", "script")
        found = hardware.fit(options.fit)
        print_json(found.to_dict()) if options.json else print_text(str(found))
        return 0 if found.model else 1
    if options.script:
        refuse_unused(options, "a program is written", "json", "markdown")
        return _write(hardware.script(options.format, options.sums), options.out)
    table = hardware.table(options.machine)
    if options.json:
        print_json(table.to_dict())
    else:
        print_text(table.markdown() if options.markdown else str(table))
    return 0


def _write(program: str, out: Path | None) -> int:
    if out is None:
        print_text(program)
        return 0
    from ..files import write_text

    check_writable(out, (".py",))
    write_text(out, program)
    print_text(f"wrote {out}; on the machine with the GPU: python {out.name} {FILE}")
    return 0
