"""Rebuild the notebooks from the lessons: `python tutorials/build.py`; with --check, fail where one is stale.

A lesson is `NAME.py` in percent cells, and its name is in `fp16sim.teach.course`. Its notebook is the same cells, executed here, with their outputs. A notebook
is stale if a cell's source or a text that it prints is not what the lesson gives now. Pictures are not compared: the
same drawing may differ in its bytes between versions of matplotlib.

    python tutorials/build.py                   all lessons
    python tutorials/build.py rounding sums     those
    python tutorials/build.py --check           compare, and change nothing

The table of lessons in `reference/course.md` is written too, from the heads of the lessons.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout, before an installed fp16sim

from fp16sim.teach import course

PAGE, BEGIN, END = HERE / "reference" / "course.md", "<!-- lessons: written by build.py -->", "<!-- end of lessons -->"
TIME_LIMIT = 300
"""Seconds for a cell."""


def lessons(chosen: list[str]) -> list[Path]:
    """The chosen lessons, in the order of the course; all if none is chosen."""
    for name in set(chosen) - set(course.NAMES):
        raise SystemExit(f"lesson={name!r} is unknown; use {', '.join(course.NAMES)}")
    return [HERE / f"{name}.py" for name in course.NAMES if not chosen or name in chosen]


def executed(lesson: Path) -> nbformat.NotebookNode:
    """The lesson as a notebook, with the outputs of its cells, and nothing in it that differs between two runs."""
    notebook = jupytext.read(lesson, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "jupytext": {"formats": "ipynb,py:percent"},
        }
    )
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    os.environ.setdefault("PYTHONPATH", str(HERE.parent))
    os.environ.pop("MPLBACKEND", None)  # a backend chosen outside would leave the notebooks without their pictures
    with TemporaryDirectory() as folder:  # without guesses, and nothing that a lesson writes stays
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=TIME_LIMIT, kernel_name="python3", resources=resources).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
        if "outputs" in cell:  # warnings name a file of this process, which is another one each time
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if "<iframe" in output.get("data", {}).get("text/html", ""):  # the whole explorer, in each such cell
                    del output.data["text/html"]
    return notebook


def essence(notebook: nbformat.NotebookNode) -> list[tuple[str, str, list[str]]]:
    """What must not be stale: each cell's kind, source and printed texts."""
    return [(cell.cell_type, cell.source, _texts(cell)) for cell in notebook.cells]


def _texts(cell: nbformat.NotebookNode) -> list[str]:
    texts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            texts.append(output.text)
        elif "text/plain" in output.get("data", {}) and "image/png" not in output.data:
            texts.append(output.data["text/plain"])
    return ["".join(texts)] if texts else []


def stale(lesson: Path) -> str:
    """Where the committed notebook differs from what the lesson gives now; "" if nowhere."""
    path = lesson.with_suffix(".ipynb")
    if not path.exists():
        return f"{path.name} is missing"
    now, kept = essence(executed(lesson)), essence(nbformat.read(path, as_version=4))
    if len(now) != len(kept):
        return f"{path.name} has {len(kept)} cells, the lesson {len(now)}"
    for number, (ours, theirs) in enumerate(zip(now, kept, strict=True)):
        if ours != theirs:
            return f"{path.name}, cell {number}: the lesson gives {ours!r}, the notebook has {theirs!r}"
    return ""


def page() -> str:
    """The page of the course with the table of lessons as it is now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n\n{course.tables('../')}\n\n{END}{rest.partition(END)[2]}"


def rebuild(lesson: Path) -> None:
    """Write the notebook of a lesson, beside its name first."""
    path = lesson.with_suffix(".ipynb")
    beside = path.with_suffix(".ipynb.new")
    nbformat.write(executed(lesson), beside)
    beside.replace(path)


def main() -> int:
    """Rebuild or check; the exit code is the number of stale files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", help="names of lessons; all if none is given")
    parser.add_argument("--check", action="store_true", help="compare, and change nothing")
    options = parser.parse_args()
    chosen, failures = lessons(options.lessons), 0
    if options.check:
        failures += page() != PAGE.read_text(encoding="utf-8")
        print(f"{PAGE.name}: {'its table differs from the heads of the lessons' if failures else 'ok'}")
    else:
        PAGE.write_text(page(), encoding="utf-8")
    for lesson in chosen:
        problem = stale(lesson) if options.check else rebuild(lesson)
        print(f"{lesson.name}: {problem or 'ok'}", flush=True)
        failures += bool(problem)
    print(f"{len(chosen) + options.check - failures} passed, {failures} failed")
    return failures


if __name__ == "__main__":
    sys.exit(main())
