"""The numbers of the page "Speed": `fp16sim bench --json > bench.json`, then `python tutorials/site/speed.py bench.json`.

Each row of its tables gets the ratio that was measured, and the line about the machine is replaced. What a row means to
a user is written on the page by hand, so that a row which is not there yet is an error.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "reference" / "speed.md"
ROW = re.compile(r"^\| (?!work)([^|\n]+) \| ([^|\n]+) \|[^\n]*$", re.MULTILINE)
MACHINE = re.compile(r"^.+; fp16sim .+$", re.MULTILINE)


def rows(page: str) -> list[tuple[str, str]]:
    """The rows of the page: the work, and what it is compared with."""
    return [(work, rival) for work, rival in ROW.findall(page)]


def rewritten(page: str, measured: dict[str, Any]) -> str:
    """The page with what `fp16sim bench --json` measured."""
    found = {(row["work"], row["rival"]): row for row in measured["rows"]}
    if set(rows(page)) != set(found):
        raise SystemExit(f"rows that only the page or only the measurement has: {set(rows(page)) ^ set(found)}")
    page = ROW.sub(lambda match: _row(found[match[1], match[2]]), page)
    return MACHINE.sub(lambda match: _machine(measured["machine"]), page, count=1)


def _row(row: dict[str, Any]) -> str:
    head = f"| {row['work']} | {row['rival']} |"
    if row["ratio"] is None:
        return f"{head} not measured | | {row['goal']:.3g} |"
    missed = "" if row["met"] else ", missed"
    return f"{head} {row['ratio']:.3g} | {row['low']:.3g} .. {row['high']:.3g} | {row['goal']:.3g}{missed} |"


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    return f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; {versions}."


if __name__ == "__main__":
    measured = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
