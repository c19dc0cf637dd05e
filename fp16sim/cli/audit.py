"""fp16sim audit: what the numerics that are installed here really do, or a function of yours."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..wording import quoted
from .output import check_writable, print_json, print_sentence, print_text, progress
from .parsing import Parser, add_options, refuse_unused

if TYPE_CHECKING:
    from ..audit import Audit

ENDINGS = (".html", ".md", ".json", ".txt")


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Compare what installed libraries compute in 16 and 8 bits with what is right:\n"
        "every code and midpoint with its neighbours, arithmetic, functions, texts and\n"
        "blocks; and show in what order they add. Each runs in a process of its own. With\n"
        "--function, compare one of yours. The exit code is 1 if an answer is wrong;\n"
        "what a library documents, such as saturation, does not count as wrong."
    )
    parser.epilog = (
        "examples:\n  fp16sim audit\n  fp16sim audit numpy ml_dtypes -o audit.html\n"
        "  fp16sim audit --function mycasts:to_bf16 --format bf16\n"
        "  fp16sim audit --function my:to_fp8 --format e4m3fn,overflow=pytorch --codes"
    )
    option = parser.add_argument
    option("subjects", nargs="*", metavar="SUBJECT", help="libraries (default: all that are installed)")
    add_options(parser, "list", help="list the subjects that are known, and what is compared")
    option("--function", metavar="MODULE:NAME", help="a function of yours: it takes arrays or numbers")
    add_options(parser, "format", help="the format of its results, with the overflow that is intended")
    add_options(parser, "mode", help="the rounding mode that it should have")
    option(
        "--task",
        default="rounding",
        metavar="TASK",
        help="what it does: rounding, parse, add, exp ... (default: rounding)",
    )
    option(
        "--source",
        default="float64",
        metavar="F",
        help="what it rounds: float64, float32 or float16 (default: float64)",
    )
    option("--codes", action="store_true", help="it returns the codes of numbers, not numbers")
    option("--brief", action="store_true", help="print the scoreboard alone")
    option("--time-limit", type=float, default=120.0, metavar="S", help="seconds for one comparison (default: 120)")
    option("-o", "--output", dest="out", type=Path, metavar="FILE", help="write the report: .html, .md, .json or .txt")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> int:
    """Audit, and print; 1 if an answer is wrong or something could not be compared."""
    from .. import audit

    if options.list:
        print_text("\n".join(f"{name:<12} {library.about}" for name, library in audit.SUBJECTS.items()))
        return 0
    own = None
    if options.function:
        if options.subjects:
            raise ValueError("give names of libraries, or --function, not both")
        own = audit.Own(options.function, options.format, options.mode, options.task, options.source, options.codes)
    else:
        refuse_unused(
            options, "it is about a function of yours (--function)", "format", "mode", "task", "source", "codes"
        )
    if options.out:
        check_writable(options.out, ENDINGS)
    found = _audited(options, own)
    if own and not found.subjects[0].verdicts and found.subjects[0].failure:
        raise ValueError(f"function={quoted(options.function)}: {found.subjects[0].failure}")
    _write(options, found)
    return 0 if found.clean else 1


def _audited(options: argparse.Namespace, own: object) -> Audit:
    from .. import audit
    from ..audit.process import OnPart

    with progress(options.json, "parts") as bar:

        def on_subject(name: str) -> OnPart | None:
            update = bar(name)
            return (lambda part, done, total: update(done + 1, total)) if update else None

        assert own is None or isinstance(own, audit.Own)
        names = options.subjects or None
        return audit.run(names, function=own, time_limit=options.time_limit, on_subject=on_subject)


def _as_json(found: Audit) -> str:
    import json

    return json.dumps(found.to_dict(), indent=2) + "\n"


def _write(options: argparse.Namespace, found: Audit) -> None:
    from .. import audit
    from ..files import write_text

    if options.out:
        made = {
            ".html": audit.to_html,
            ".md": audit.to_markdown,
            ".txt": audit.to_text,
            ".json": _as_json,
        }
        write_text(options.out, made[options.out.suffix.lower()](found))
    if options.json:
        print_json(found.to_dict())
        return
    print_text(audit.to_text(found, details=not (options.brief or options.out)))
    if options.out:
        print_sentence(f"The report is in {options.out}.")
