"""The numbers of the page "Speed": `python tutorials/site/speed.py` measures all rows and writes them, in minutes.

`python tutorials/site/speed.py bench.json` takes a run that `fp16sim bench --save bench.json` kept. Each row of the
page's tables gets the ratio that was measured, and the day and the machine are replaced. What a row means to a user is
written on the page by hand, so that a row which is not there yet is an error.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from fp16sim import bench
from fp16sim.bench.history import Run, now, save

PAGE = Path(__file__).resolve().parents[1] / "reference" / "speed.md"
ROW = re.compile(r"^\| (?!work|to )([^|\n]+) \| ([^|\n]+) \|[^|\n]*\|[^|\n]*\|[^|\n]*\|$", re.MULTILINE)
MACHINE = re.compile(r"^.+; fp16sim .+$", re.MULTILINE)
DAY = re.compile(r"(?<=the machine, on )\d{4}-\d\d-\d\d")


def measured() -> dict[str, Any]:
    """All rows, measured now, and kept in the history."""
    rows = []
    for row in bench.measurements():
        rows.append(row)
        print(f"{len(rows)}/{len(bench.ROWS)} {row.name}", file=sys.stderr)
    run = Run(now(), False, bench.machine(), tuple(rows))
    print(f"kept in: {save(run)}", file=sys.stderr)
    return run.to_dict()


def rows(page: str) -> list[tuple[str, str]]:
    """The rows of the page: the work, and what it is compared with."""
    return [(work, rival) for work, rival in ROW.findall(page)]


def rewritten(page: str, run: dict[str, Any]) -> str:
    """The page with what was measured."""
    if run["quick"]:
        raise SystemExit("it was measured with --quick; the page has the ratios of the usual arrays")
    found = {(row["work"], row["rival"]): row for row in run["rows"]}
    if set(rows(page)) != set(found):
        raise SystemExit(f"rows that only the page or only the measurement has: {set(rows(page)) ^ set(found)}")
    page = ROW.sub(lambda match: _row(found[match[1], match[2]]), page)
    page = DAY.sub(run["time"][:10], page, count=1)
    return MACHINE.sub(lambda match: _machine(run["machine"]), page, count=1)


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
    run = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) if sys.argv[1:] else measured()
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), run), encoding="utf-8")
    for row in run["rows"]:
        if row["ratio"] is None:
            print(f"not measured: {row['name']} ({row['note']})", file=sys.stderr)
