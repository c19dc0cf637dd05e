"""fp16sim audit: what the numerics that are installed here really do, or a function of yours."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from ..wording import quoted
from .output import check_writable, console, print_json, print_sentence, print_table, print_text, progress
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
    option("--function", metavar="MODULE:NAME", help="a function of yours, or FILE.py:NAME; it takes arrays or numbers")
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
        own = audit.Function(
            options.function, options.format, options.mode, options.task, options.source, options.codes
        )
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

        assert own is None or isinstance(own, audit.Function)
        names = options.subjects or None
        return audit.run(names, function=own, time_limit=options.time_limit, on_subject=on_subject)


MARKS = ("<!-- fp16sim audit -->", "<!-- end of fp16sim audit -->")
"""In a Markdown file that has both, only what stands between them is replaced."""
LEFT = ("subject", "version", "the most frequent cause")


def _in_page(path: Path, text: str) -> str:
    """The page with its part replaced, or the text alone if there is no page with a place for it."""
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    begin, end = MARKS
    before, found, rest = page.partition(begin)
    if not found or end not in rest:
        return text
    return f"{before}{begin}\n\n{text}\n{end}{rest.partition(end)[2]}"


def _folded(line: str) -> str:
    """A line in as many as a terminal needs, indented as it is; one line in a pipe."""
    if not sys.stdout.isatty():
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    width = console().width
    return textwrap.fill(line.strip(), width, initial_indent=indent, subsequent_indent=indent + "  ") if line else line


def _as_json(found: Audit) -> str:
    import json

    return json.dumps(found.to_dict(), indent=2) + "\n"


def _write(options: argparse.Namespace, found: Audit) -> None:
    from .. import audit
    from ..audit import report
    from ..files import write_text

    if options.out:
        made = {
            ".html": audit.to_html,
            ".md": lambda found: _in_page(options.out, audit.to_markdown(found, details=not options.brief)),
            ".txt": audit.to_text,
            ".json": _as_json,
        }
        write_text(options.out, made[options.out.suffix.lower()](found))
    if options.json:
        print_json(found.to_dict())
        return
    rows = report.scoreboard(found)
    columns = [(name, "left" if name in LEFT else "right") for name in report.HEADINGS]
    if rows:
        print_table("", columns, rows)
    for line in [*(() if options.brief or options.out else report.details_of(found)), *report.notes_of(found)]:
        print_text(_folded(line))
    if options.out:
        print_sentence(f"The report is in {options.out}.")
