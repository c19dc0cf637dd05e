"""fp16sim data: which data sets this machine has, and how to get the others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..learn.data import DATASETS
from ..learn.data.fetch import fetch
from ..learn.data.sources import SOURCES, Found, Source, find, roots
from ..wording import did_you_mean, joined, quoted
from .output import OnProgress, print_json, print_table, print_text, progress
from .parsing import Parser, add_options


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Without a name: list the data sets, and where each was found. With a name: fetch\n"
        "its four files, verify their sha256, and keep them in the user's cache folder.\n"
        "No other command downloads anything."
    )
    parser.epilog = (
        "examples:\n  fp16sim data\n  fp16sim data mnist\n  fp16sim data mnist --from ~/Downloads\n"
        "  fp16sim data mnist --url https://example.org/mnist/ --to data\n"
        "  fp16sim data fashion-mnist --from /usr/share/datasets   (on Debian, after\n"
        "                                apt install dataset-fashion-mnist)"
    )
    option = parser.add_argument
    option("name", nargs="?", metavar="NAME", help=f"the data set to fetch: {joined(SOURCES, 'or')}")
    option("--url", help="fetch the files from this address (default: a public mirror)")
    option("--from", dest="source", type=Path, metavar="DIR", help="copy the files from this folder")
    to_help = "keep the files in a subfolder of this folder (default: the user's cache folder)"
    option("--to", type=Path, metavar="DIR", help=to_help)
    add_options(parser, "json")


def run(options: argparse.Namespace) -> None:
    """Fetch a data set, or list all."""
    if options.name is not None:
        return _fetch(options)
    for flag, value in (("url", options.url), ("from", options.source), ("to", options.to)):
        if value is not None:
            raise ValueError(f"--{flag} needs the name of a data set; write 'fp16sim data mnist --{flag} {value}'")
    return _list(options.json)


def _fetch(options: argparse.Namespace) -> None:
    if options.name not in SOURCES:
        why = "needs no files" if options.name in DATASETS else "is unknown"
        similar = did_you_mean(options.name, SOURCES)
        raise ValueError(f"name={quoted(options.name)} {why}; {similar}fetch {joined(SOURCES, 'or')}")
    source = SOURCES[options.name]
    with progress(options.json, "KiB") as bar:
        files = fetch(
            source,
            url=options.url,
            folder=options.source,
            to=options.to,
            on_bytes=lambda name: _in_kib(bar(name)),
        )
    if options.json:
        print_json([{"path": str(path), "new": new} for path, new in files])
        return
    for path, new in files:
        print_text(f"{path}: {'new' if new else 'already there'}, verified")
    print_text(_credit(source))


def _in_kib(update: OnProgress | None) -> OnProgress | None:
    return None if update is None else lambda done, total: update(done >> 10, total >> 10)


COLUMNS = (("name", "left"), ("content", "left"), ("where", "left"), ("licence", "left"))

OURS = (
    ("digits", "1,797 digits, 8x8", "bundled", "CC BY 4.0"),
    ("spirals", "points on spiral arms", "made from a seed", ""),
    ("sequences", "steps to remember", "made from a seed", ""),
    ("alice", "a text for a language model", "bundled", "public domain"),
    ("authors", "passages of two texts", "bundled", "public domain"),
)


def _credit(source: Source) -> str:
    return f"{source.attribution}: {source.licence}"


def _list(as_json: bool) -> None:
    folders = roots()
    rows = [(source, [find(source, folders, file) for file in source.files]) for source in SOURCES.values()]
    if as_json:
        print_json([*map(_ours_as_dict, OURS), *(_as_dict(*row) for row in rows)])
        return
    fetched = [(source.name, source.title, _where(found), source.licence) for source, found in rows]
    print_table("data sets", COLUMNS, [*OURS, *fetched])
    for problem in dict.fromkeys(problem for _, found in rows for one in found for problem in one.problems):
        print_text(problem)
    print_text(f"folders searched: {', '.join(map(str, folders))}")
    for source, found in rows:
        if any(one.path is None for one in found):
            print_text(f"to get {source.name}: fp16sim data {source.name}")
    print_text("Digits by E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, doi:10.24432/C50P49: CC BY 4.0")
    print_text("Alice in Wonderland by Lewis Carroll (1865), Paradise Lost by John Milton (1667): public domain")
    for source, _ in rows:
        print_text(_credit(source))


def _where(found: Sequence[Found]) -> str:
    folders = dict.fromkeys(str(one.path.parent) for one in found if one.path)
    missing = sum(one.path is None for one in found)
    if not missing:
        return ", ".join(folders)
    return f"{len(found) - missing} of {len(found)} files" if folders else "not found"


def _ours_as_dict(row: Sequence[str]) -> dict[str, Any]:
    return {**dict(zip(("name", "what", "where", "licence"), row, strict=True)), "complete": True}


def _as_dict(source: Source, found: Sequence[Found]) -> dict[str, Any]:
    return {
        "name": source.name,
        "what": source.title,
        "complete": all(one.path is not None for one in found),
        "files": {one.file.name: None if one.path is None else str(one.path) for one in found},
        "problems": [problem for one in found for problem in one.problems],
        "licence": source.licence,
        "attribution": source.attribution,
        "url": source.url,
    }
