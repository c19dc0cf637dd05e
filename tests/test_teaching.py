"""The teacher's pages: their commands exist, their lines of Python print what the page says, their views exist."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import build_parser
from fp16sim.page.assemble import source
from fp16sim.teach import course

REFERENCE = Path(__file__).parents[1] / "tutorials" / "reference"
PLAN, SHEETS = (
    (REFERENCE / f"{name}.md").read_text(encoding="utf-8") if REFERENCE.is_dir() else ""
    for name in ("teaching", "class_hours")
)
HOURS = re.split(r"^## ", SHEETS, flags=re.MULTILINE)[1:]

pytestmark = pytest.mark.skipif(not HOURS, reason="the pages are in the repository, not in the installed package")
each_hour = pytest.mark.parametrize("hour", HOURS, ids=[hour.partition("\n")[0] for hour in HOURS])


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@each_hour
def test_an_hour_has_a_lesson_three_views_and_about_ten_lines(hour):
    (lesson,) = re.findall(r"\]\(\.\./(\w+)\.ipynb\)", hour)
    assert lesson in course.NAMES
    assert len(re.findall(r"^fp16sim explore ", hour, re.MULTILINE)) == 3
    (code,) = blocks(hour, "python")
    assert 5 <= len([line for line in code.splitlines() if line]) <= 12


@each_hour
def test_the_lines_of_an_hour_print_what_the_page_says(hour):
    (code,), (said,) = blocks(hour, "python"), blocks(hour, "text")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
        exec(code, {"fs": fs})
    assert [line.rstrip() for line in printed.getvalue().rstrip().splitlines()] == said.splitlines()


def named_in(table, text):
    """The keys of a table in the page's own sources."""
    return set(re.findall(r"^  (\w+): ", re.search(rf"{table} = .*?{{\n(.*?)^}}", text, re.S | re.M)[1], re.M))


@pytest.mark.parametrize("view", re.findall(r'^fp16sim explore "(.*)"$', SHEETS, re.MULTILINE))
def test_a_view_of_an_hour_exists_and_holds_numbers_that_can_be_read(view):
    """The explorer shows its first view, and says nothing, where an address is wrong."""
    name, _, query = view.partition("?")
    assert f'"{name}"' in re.search(r"VIEWS = \[(.*?)\]", source("state.js"))[1]
    keys, operations = named_in("DEFAULTS", source("state.js").replace("Object.freeze(", "")), source("operations.js")
    for key, value in (part.split("=") for part in query.split("&")):
        assert key in keys, key
        if key in ("x", "a", "b", "c", "at"):
            fs.parse(value)
        elif key in ("format", "beside", "small"):
            fs.get_format(value)
        elif key == "mode":
            assert value in [mode.value for mode in fs.Rounding]
        else:
            assert key in ("op", "zoom")
            assert key != "op" or value in named_in("OPERATIONS", operations)


COMMANDS = [line for page in (PLAN, SHEETS) for block in blocks(page, "sh") for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_for_teachers_is_understood(command):
    program, *arguments = shlex.split(command)
    assert program == "fp16sim"
    build_parser().parse_args(arguments)


def test_the_plan_has_a_week_for_each_hour_and_every_file_that_is_collected():
    row = r"^\| (\d+|spare) \| \[.*?\]\(\.\./(\w+)\.ipynb\) \| (\w+) \| `exercises/(\w+)\.py`"
    weeks = [found[1:] for found in re.findall(row, PLAN, re.MULTILINE)]
    assert [lesson for lesson, _, _ in weeks] == [file for _, _, file in weeks]
    assert sorted(lesson for lesson, _, _ in weeks) == sorted(re.findall(r"\]\(\.\./(\w+)\.ipynb\)", SHEETS))
    for lesson, kind, _ in weeks:
        assert lesson in course.NAMES
        assert kind == "optional" or lesson in course.CORE
    numbers = re.findall(r"^\| (\d+) \|", PLAN, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert 12 <= len(numbers) <= 14
