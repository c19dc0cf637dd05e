"""The counts of "How we know that it is right": `python tutorials/site/counts.py` runs the tests and writes them there.

python tutorials/site/counts.py             run the tests (some minutes), and write the page
python tutorials/site/counts.py LOG         take the tests from a log: pytest -n auto | tee LOG
python tutorials/site/counts.py --quick     count only what needs no run of the tests, and keep the rest
"""

from __future__ import annotations

import ast
import contextlib
import datetime
import doctest
import io
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this checkout, before an installed fp16sim

from fp16sim import faults
from fp16sim.cli import main as fp16sim_command

PAGE = ROOT / "tutorials" / "reference" / "testing.md"
COUNTS = ("<!-- counts: written by counts.py -->", "<!-- end of counts -->")
DECIDED = ("<!-- decided: written by counts.py -->", "<!-- end of decided -->")

JUDGES = {
    "by Berkeley SoftFloat": "SoftFloat",
    "by MPFR": "MPFR",
    "by NumPy and ml_dtypes": "NumPy|ml_dtypes",
    "fast paths, by the clear general one": "kernels|shortcuts|layouts|chunks|chains|partial sums|two arguments",
    "explanations and their words, by the exact layer": "explain",
    "all else, by the exact layer and by definitions written out": "",
}
"""Who is right in a group of compared cases, and what is in the name of such a group; the first that fits counts."""


def judged(summary: str) -> Counter[str]:
    """Compared cases by judge, from the last lines of a test run.

    >>> judged("fp16sim: 1,030 (input, mode, format) cases compared: MPFR: bfloat16 30, codes 1,000")["by MPFR"]
    30
    """
    found: Counter[str] = Counter()
    for part in filter(None, summary.strip().partition(" cases compared: ")[2].split(", ")):
        group, number = part.rsplit(" ", 1)
        judge = next(judge for judge, named in JUDGES.items() if re.search(named, group))
        found[judge] += int(number.replace(",", ""))
    return found


def examples() -> int:
    """Examples in docstrings and in the pages: inputs whose output is compared."""
    texts = [ROOT / "README.md", ROOT / "tutorials" / "glossary.md"]
    texts += [*(ROOT / "tutorials" / "reference").glob("*.md"), *(ROOT / "tutorials" / "site").rglob("howto/*.md")]
    parser = doctest.DocTestParser()
    found = sum(len(parser.get_examples(path.read_text(encoding="utf-8"))) for path in texts)
    for path in (ROOT / "fp16sim").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        documented = (node for node in nodes if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
        found += sum(len(parser.get_examples(ast.get_docstring(node) or "")) for node in documented)
    return found


def decided() -> str:
    """What `fp16sim certify` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        fp16sim_command(["certify"])
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def untested() -> dict[str, int]:
    """The counts that need no run of the tests."""
    inputs = sum(int(number.replace(",", "")) for number in re.findall(r"ulp +([\d,]+)", decided()))
    return {
        "deliberately wrong functions (`fs.faults`), on which grader and tests are tried": len(faults.FAULTS),
        "examples in docstrings and on these pages, all of them run": examples(),
        "results of elementary functions decided by an inequality (below)": inputs,
    }


def tested(log: str) -> dict[str, int]:
    """The counts of a run of the tests, from what it printed."""
    (passed,) = re.findall(r"(\d+) passed", log)[-1:] or [0]
    summaries = re.findall(r"^fp16sim: [\d,]+ \(.*cases compared: .*$", log, re.MULTILINE)
    if not passed or not summaries or re.search(r"^(FAILED|ERROR) ", log, re.MULTILINE):
        raise SystemExit(
            "the log is not that of a whole run of the tests in which all passed: pytest -n auto | tee LOG"
        )
    cases = judged(summaries[-1])
    return {
        "tests that pass in the default run": int(passed),
        "results compared in it, with no tolerance": cases.total(),
    } | {f"… {judge}": cases[judge] for judge in JUDGES}


def table(counts: dict[str, int]) -> str:
    """Counts as a table in Markdown."""
    return "| what | how many |\n|---|---:|\n" + "".join(f"| {what} | {n:,} |\n" for what, n in counts.items())


def kept(page: str) -> dict[str, int]:
    """The counts that a page has."""
    rows = re.findall(r"^\| (.+) \| ([\d,]+) \|$", page.partition(COUNTS[0])[2].partition(COUNTS[1])[0], re.MULTILINE)
    return {what: int(number.replace(",", "")) for what, number in rows}


def rewritten(page: str, counts: dict[str, int], day: str) -> str:
    """The page with these counts, and with what `fp16sim certify` prints now."""
    said = f"{table(counts)}\nThe tests were counted on {day} by `python tutorials/site/counts.py`.\n"
    for (begin, end), content in ((COUNTS, said), (DECIDED, f"```\n$ fp16sim certify\n{decided()}```\n")):
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n\n{content}\n{end}{rest.partition(end)[2]}"
    return page


def main(arguments: list[str]) -> int:
    """Count, and write the page."""
    page, day = PAGE.read_text(encoding="utf-8"), datetime.datetime.now(datetime.UTC).date().isoformat()
    if arguments == ["--quick"]:
        counts, (day,) = kept(page) | untested(), re.findall(r"counted on (\S+) by", page)
    else:
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto"]
        run = None if arguments else subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        counts = tested(run.stdout if run else Path(arguments[0]).read_text(encoding="utf-8")) | untested()
    PAGE.write_text(rewritten(page, counts, day), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
