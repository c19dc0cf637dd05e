"""fp16sim reproduce: a published claim, computed again, with our number, a verdict and the figure."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .output import print_json, print_sentence, print_table, print_text
from .parsing import CommandParser, add_options, refuse_unused
from .sweep import add_places, check_picture, computing


def configure(parser: CommandParser) -> None:
    """What the command does, and its options."""
    parser.usage = "fp16sim reproduce NAME [--size minute] [--workers N] [OPTION ...]"
    parser.description = (
        "Compute a published claim again: our number beside theirs, with its 95 %\n"
        "interval over seeds, whether it holds, and the figure. Finished cells are\n"
        "kept, so that an interrupted run goes on with the same command."
    )
    parser.epilog = (
        "examples:\n  fp16sim reproduce --list\n  fp16sim reproduce chunked-sums\n"
        "  fp16sim reproduce bfloat16-updates --size minute -o updates.png"
    )
    option = parser.add_argument
    option("name", nargs="?", metavar="NAME", help="which claim; --list shows the names")
    option(
        "--size",
        default="full",
        metavar="SIZE",
        help="full: minutes, on all cores; minute: a first look (default: full)",
    )
    option("--table", type=Path, metavar="FILE", help="finished cells, in JSON lines (default: named after the claim)")
    add_options(parser, "out", help="the picture: .png, .svg or .pdf (default: named after the table)")
    add_places(parser)
    add_options(parser, "list", help="list the claims")
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Compute, print and draw one claim, or list all."""
    from ..papers import PAPERS, find, reproduce

    if options.list:
        if options.name:
            raise ValueError("--list lists the claims and computes none; leave the name out")
        refuse_unused(options, "--list computes nothing", but=("list", "json", "size"))
        _print_list(PAPERS, options.json)
        return
    if options.name is None:
        raise ValueError("the name of the claim is missing; fp16sim reproduce --list shows the names")
    paper = find(options.name)
    table = options.table or Path(f"fp16sim-{paper.name}{'' if options.size == 'full' else f'-{options.size}'}.jsonl")
    picture = options.out or table.with_suffix(".png")
    check_picture(picture, table, options)
    with computing(paper.name, table, options) as where:
        found = reproduce(paper.name, size=options.size, **where)
    if options.json:
        print_json({**found.to_dict(), "table": str(table), "picture": str(picture)})
    else:
        _print(found)
    _draw(found, picture)
    if not options.json:
        print_sentence(f"table: {table}   picture: {picture}")


def _draw(found: Any, picture: Path) -> None:
    from ..plots import paper_figure, save  # matplotlib is slow to load

    save(paper_figure(found), picture)


def _print(found: Any) -> None:
    paper = found.paper
    print_sentence(f"{paper.reference}. {paper.url}")
    print_sentence(f"Claim: {paper.claim}")
    print_text("")
    columns = [("quantity", "left"), ("verdict", "left"), ("published", "right"), ("ours (95 % interval)", "right")]
    rows = [[one.what, one.verdict, one.published, one.measured] for one in found.quantities]
    print_table(f"{paper.name}, {len(found.results):,} cells, size {found.size}", columns, rows)
    print_text("")
    print_sentence(f"{found.verdict.capitalize()}. {paper.limits}")


def _print_list(papers: Any, as_json: bool) -> None:
    if as_json:
        names = ("name", "reference", "url", "claim", "limits")
        print_json([{name: getattr(paper, name) for name in names} for paper in papers.values()])
        return
    width = max(map(len, papers))
    for name, paper in papers.items():
        print_text(f"{name:{width}}  {paper.reference}")
