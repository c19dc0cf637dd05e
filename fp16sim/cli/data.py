"""fp16sim data: which data sets are here, and getting those that are not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .output import print_table, print_text, progress


def add(commands: Any) -> None:
    """The command and its options."""
    data = commands.add_parser(
        "data",
        help="list the data sets, or fetch MNIST or Fashion-MNIST",
        description="Without a name: the data sets, and where each was found. With one: fetch its four files, once,\n"
        "verify their sha256, and keep them in the user's cache folder. Nothing else here downloads anything.",
        epilog="examples:\n  fp16sim data\n  fp16sim data mnist\n  fp16sim data mnist --from ~/Downloads\n"
        "  fp16sim data fashion-mnist --from /usr/share/datasets   (Debian's dataset-fashion-mnist)\n"
        "  fp16sim data mnist --url https://example.org/mnist/ --to data",
    )
    option = data.add_argument
    option("name", nargs="?", default=argparse.SUPPRESS, metavar="NAME", help="mnist or fashion-mnist: fetch it")
    option("--url", default=argparse.SUPPRESS, help="where its files are (default: a public mirror)")
    option("--from", dest="source", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="copy them from a folder")
    to_help = "keep them in a subfolder of this (default: the user's cache folder)"
    option("--to", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=to_help)
    option("--json", action="store_true", help="print JSON instead of a table")
    data.set_defaults(run=_data)


def _data(options: argparse.Namespace) -> None:
    given = vars(options)
    if "name" in given:
        return _fetch(options, given)
    for name in ("url", "source", "to"):
        if name in given:
            flag = "from" if name == "source" else name
            raise ValueError(
                f"--{flag} needs the name of a data set; write 'fp16sim data mnist --{flag} {given[name]}'"
            )
    return _list(options)


def _fetch(options: argparse.Namespace, given: dict[str, Any]) -> None:
    from ..learn.data import DATASETS
    from ..learn.data.fetch import fetch
    from ..learn.data.sources import SOURCES

    if options.name not in SOURCES:
        why = "needs no files" if options.name in DATASETS else "is unknown"
        raise ValueError(f"name={options.name!r} {why}; fetch {' or '.join(SOURCES)}")
    source = SOURCES[options.name]
    with progress(options.json, "KiB") as bar:
        files = fetch(
            source,
            url=given.get("url"),
            folder=given.get("source"),
            to=given.get("to"),
            on_bytes=lambda name: _in_kib(bar(name)),
        )
    if options.json:
        print(json.dumps([{"path": str(path), "new": new} for path, new in files], indent=2))
        return
    for path, new in files:
        print_text(f"{path}: {'new, verified' if new else 'was there, verified, left alone'}")
    print_text(_credit(source))


def _in_kib(update: Callable[[int, int], None] | None) -> Callable[[int, int], None] | None:
    return None if update is None else lambda done, total: update(done >> 10, total >> 10)


COLUMNS = (("name", "left"), ("what", "left"), ("where", "left"), ("licence", "left"))

OURS = (
    ("digits", "1,797 digits, 8x8", "bundled", "CC BY 4.0"),
    ("spirals", "points on spiral arms", "made from a seed", ""),
    ("sequences", "steps to remember", "made from a seed", ""),
)


def _credit(source: Any) -> str:
    return f"{source.attribution}: {source.licence}"


def _list(options: argparse.Namespace) -> None:
    from ..learn.data.sources import SOURCES, find, roots

    folders, rows = roots(), []
    for source in SOURCES.values():
        found = [find(source, folders, file) for file in source.files]
        rows.append((source, found))
    if options.json:
        print(json.dumps([*map(_ours_as_dict, OURS), *(_as_dict(*row) for row in rows)], indent=2))
        return
    theirs = [(s.name, s.title, _where(found), s.licence) for s, found in rows]
    print_table("data sets", COLUMNS, [*OURS, *theirs])
    for _, found in rows:
        for problem in dict.fromkeys(problem for one in found for problem in one.problems):
            print_text(problem)
    print_text(f"looked in {', '.join(map(str, folders))}")
    for source, found in rows:
        if any(one.path is None for one in found):
            print_text(f"to get {source.name}: fp16sim data {source.name}")
    print_text("Digits by E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, doi:10.24432/C50P49: CC BY 4.0")
    for source, _ in rows:
        print_text(_credit(source))


def _where(found: list[Any]) -> str:
    absent = [one.file.name for one in found if one.path is None]
    if not absent:
        return ", ".join(dict.fromkeys(str(one.path.parent) for one in found))
    return "not found" if len(absent) == len(found) else f"{len(found) - len(absent)} of {len(found)} files"


def _ours_as_dict(row: tuple[str, ...]) -> dict[str, Any]:
    return {**dict(zip(("name", "what", "where", "licence"), row, strict=True)), "complete": True}


def _as_dict(source: Any, found: list[Any]) -> dict[str, Any]:
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
