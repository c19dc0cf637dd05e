"""The page "Papers, computed again": `python tutorials/site/papers.py` runs all claims in full, and writes it.

It takes about ten minutes on two cores. Finished cells are kept in a folder, `--tables FOLDER`, so that an interrupted
run goes on. The pictures are written beside the page.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this checkout, before an installed fp16sim

from fp16sim.files import write_text
from fp16sim.papers import PAPERS, Reproduction, reproduce
from fp16sim.plots import paper_figure, save

PAGE = ROOT / "tutorials" / "reference" / "papers.md"
PICTURES = PAGE.with_suffix("")
MARKS = ("<!-- claims: written by papers.py -->", "<!-- end of claims -->")


def section(found: Reproduction, seconds: float) -> str:
    """What is written of one claim."""
    paper = found.paper
    rows = "".join(f"| {one.what} | {one.published} | {one.measured} | {one.verdict} |\n" for one in found.quantities)
    took = f"{len(found.results):,} cells" + (f", {seconds:.0f} s" if seconds > 1 else "")
    return (
        f"## {paper.name}\n\n[{paper.reference}]({paper.url})\n\n{paper.claim}\n\n"
        f"**{found.verdict.capitalize()}.** {paper.limits} ({took}.)\n\n"
        f"| quantity | published | ours (95 % interval) | verdict |\n|---|---|---|---|\n{rows}\n"
        f"![{paper.claim}](papers/{paper.name}.png)\n"
    )


def main() -> None:
    """Run, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path("papers"), help="the folder of finished cells")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.tables.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    sections = []
    for name in PAPERS:
        started = time.perf_counter()
        found = reproduce(name, table=options.tables / f"{name}.jsonl", workers=options.workers)
        sections.append(section(found, time.perf_counter() - started))
        save(paper_figure(found), PICTURES / f"{name}.png", dpi=90)
        print(found, end="\n\n", file=sys.stderr)
    head, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    about = f"Computed on {datetime.datetime.now(tz=datetime.UTC).date()}, {options.workers} processes, {platform.machine()}.\n\n"
    text = f"{head}{MARKS[0]}\n\n{about}{chr(10).join(sections)}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"
    write_text(PAGE, text)


if __name__ == "__main__":
    main()
