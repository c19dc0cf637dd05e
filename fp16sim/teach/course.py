"""The lessons: which there are, in which order, and what the table at the head of each says.

A lesson is a file of percent cells, `NAME.py`, with its notebook `NAME.ipynb` and its exercises `exercises/NAME.py`,
which only the first one lacks.
To add one, write it and enter its name below. Everything else is read from the lesson.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from ..wording import quoted

FIRST = "float16_in_ten_minutes"
"""It stands alone, without exercises: enough for who has ten minutes."""

CORE = (
    "sixteen_bits",
    "rounding",
    "edges",
    "arithmetic",
    "sums",
    "mlp_in_16_bits",
    "property_tests",
)
"""The core path, in order: enough for who wants to work with 16-bit floats."""

OPTIONAL = (
    "everyday_numbers",
    "rounding_twice",
    "how_wrong",
    "where_did_my_digits_go",
    "dot_products",
    "linear_systems",
    "formats",
    "blocks",
    "backpropagation",
    "gradients_in_16_bits",
    "why_the_run_died",
    "loss_scaling",
    "mixed_precision",
    "attention",
    "the_article",
    "testing",
    "quiz",
)
"""The other lessons, in the order in which they were meant; each says what it needs."""

NAMES = (FIRST, *CORE, *OPTIONAL)

HEADER = {"question": "Question", "time": "Time", "needs": "Needs", "afterwards": "You will be able to"}
"""The rows of the table at the head of a lesson."""


@dataclass(frozen=True)
class Lesson:
    """What the head of a lesson says; `needs` has links to other lessons."""

    name: str
    title: str
    question: str
    time: str
    needs: str
    afterwards: str


def source() -> Path:
    """The folder of the lessons: inside an installed package, or beside it in a checkout.

    Raises
    ------
    ValueError
        If this installation has no lessons.
    """
    here = Path(__file__).resolve()
    for folder in (here.parent / "lessons", here.parents[2] / "tutorials"):
        if folder.is_dir():
            return folder
    raise ValueError("this installation has no lessons; install the package again")


def lesson(name: str) -> Lesson:
    """A lesson by its name, from the head of its file.

    Raises
    ------
    ValueError
        If the head has no title, or lacks a row of the table.

    Examples
    --------
    >>> lesson("rounding").title, lesson("rounding").question
    ('Rounding', 'Which number is stored when the one that you want does not exist?')
    """
    text = (source() / f"{name}.py").read_text(encoding="utf-8")
    title = re.search(r"^# # (.+)$", text, re.M)
    if title is None:
        raise ValueError(f"lesson={name!r} has no title; begin its first cell with '# # Title'")
    return Lesson(name, title[1], **{field: _row(name, text, label) for field, label in HEADER.items()})


def _row(name: str, text: str, label: str) -> str:
    found = re.search(rf"^# \| \*\*{label}\*\* \| (.+?) \|$", text, re.M)
    if found is None:
        raise ValueError(f"lesson={name!r} lacks the row {quoted(label)} in its head; add '| **{label}** | ... |'")
    return found[1]


def cells(text: str) -> tuple[tuple[str, str, int], ...]:
    """The cells of a lesson: ("markdown" or "code", text, number of its first line); Markdown without its "# ".

    >>> cells("# %% [markdown]\\n# Half of 3?\\n\\n# %%\\nprint(3 / 2)\\n")
    (('markdown', 'Half of 3?', 2), ('code', 'print(3 / 2)', 5))
    """
    heads = list(re.finditer(r"^# %%.*\n", text, re.M))
    ends = [head.start() for head in heads[1:]] + [len(text)] * bool(heads)
    found = []
    for head, end in zip(heads, ends, strict=True):
        body = text[head.end() : end].rstrip("\n")
        is_markdown = "[markdown]" in head[0]
        plain = re.sub(r"^# ?", "", body, flags=re.M) if is_markdown else body
        found.append(("markdown" if is_markdown else "code", plain, text.count("\n", 0, head.end()) + 1))
    return tuple(found)


def questions(name: str) -> tuple[str, ...]:
    """What a lesson lets its reader guess, in order."""
    tree = ast.parse((source() / f"{name}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "guess"]
    texts = [node.args[0].value for node in calls if node.args and isinstance(node.args[0], ast.Constant)]
    return tuple(text for text in texts if isinstance(text, str))


def linked(text: str) -> tuple[str, ...]:
    """The names of the lessons that a text has links to.

    >>> linked("[Sums](sums.ipynb), and derivatives from school")
    ('sums',)
    """
    return tuple(re.findall(r"\]\((\w+)\.ipynb\)", text))


def table(names: tuple[str, ...], folder: str = "") -> str:
    """Lessons as a table in Markdown; `folder` is where the lessons are, seen from the page.

    >>> table(("sixteen_bits",)).splitlines()[0]
    '| lesson | question | time | needs |'
    """
    rows = ["| lesson | question | time | needs |", "|---|---|---|---|"]
    for one in map(lesson, names):
        needs = re.sub(r"\]\((\w+\.ipynb)\)", rf"]({folder}\1)", one.needs)
        rows.append(f"| [{one.title}]({folder}{one.name}.ipynb) | {one.question} | {one.time} | {needs} |")
    return "\n".join(rows)


def tables(folder: str = "") -> str:
    """All lessons in Markdown: the one that stands alone, the core path, then the others."""
    return (
        f"**In a hurry?** This one stands alone:\n\n{table((FIRST,), folder)}\n\n"
        "**The core path**, in this order. It needs nothing else:\n\n"
        f"{table(CORE, folder)}\n\n"
        f"**Optional**: choose what you like. Each says what it needs.\n\n{table(OPTIONAL, folder)}"
    )
