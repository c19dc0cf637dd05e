"""What the site shows that is kept elsewhere: `python tutorials/site/assemble.py` writes it beside the pages written here.

`conf.py` calls it before each build, so nobody needs to. Git ignores what it writes (`.gitignore`). A page is taken
over with its links changed: what was beside it in the repository is another page, or a file of the site.
"""

from __future__ import annotations

import ast
import functools
import html
import importlib
import inspect
import json
import posixpath
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

SITE = Path(__file__).resolve().parent
ROOT = SITE.parents[1]
sys.path.insert(0, str(ROOT))  # this checkout, before an installed fp16sim

import fp16sim
from fp16sim import plots
from fp16sim.formats import NAMED_FORMATS
from fp16sim.teach import course
from fp16sim.wording import power_of_two, with_superscripts

# --- pages that are taken over ------------------------------------------------------------------------------------

REFERENCE = ROOT / "tutorials" / "reference"
ELSEWHERE = {"course": "course/index.md", "testing": "project/testing.md", "speed": "project/performance.md"}
"""Pages of the repository's reference that are not shown in the manual, and where they are shown."""

INSTRUMENTS = ("instruments", "trace", "classics", "field_cases", "explorer")
LAB = ("lab", "precision_policies", "fp8_training", "transformer", "failures", "recorder", "recipes_compared")
FIRST = ("functions", *INSTRUMENTS, *LAB, "sweeps", "papers")
LAST = ("data", "teaching", "class_hours", "writing_lessons")
"""Pages of the manual that come first and last, each after the page that leads to it; others stand between them."""


def manual() -> list[str]:
    """The pages of the manual, in order."""
    found = sorted({path.stem for path in REFERENCE.glob("*.md")} - {*ELSEWHERE, *FIRST, *LAST})
    return [*FIRST, *found, *LAST]


def taken() -> dict[str, str]:
    """Pages of the site, and where their text is."""
    return {
        "start.md": "README.md",
        "glossary.md": "tutorials/glossary.md",
        **{place: f"tutorials/reference/{name}.md" for name, place in ELSEWHERE.items()},
        **{f"manual/{name}.md": f"tutorials/reference/{name}.md" for name in manual()},
        "project/changelog.md": "CHANGELOG.md",
        "project/contributing.md": ".github/CONTRIBUTING.md",
        "project/security.md": ".github/SECURITY.md",
    }


EXTRA = "extra"
"""The folder of files that are copied into the site as they are; the explorer is a page by itself."""


def pages() -> dict[str, str]:
    """Every page and file that is taken over: its place among the sources of the site, and its place in the repository."""
    notebooks = {f"course/{name}.ipynb": f"tutorials/{name}.ipynb" for name in course.NAMES}
    found = [*(ROOT / "tutorials").glob("*.png"), *(ROOT / "tutorials" / "reference" / "papers").glob("*.png")]
    pictures = {f"pictures/{path.name}": path.relative_to(ROOT).as_posix() for path in found}
    return taken() | notebooks | pictures


def extras() -> dict[str, str]:
    """The same for files that are copied as they are: the explorer, and what a student downloads."""
    lessons = {f"course/{name}.{kind}": f"tutorials/{name}.{kind}" for name in course.NAMES for kind in ("ipynb", "py")}
    exercises = {f"course/exercises/{name}.py": f"tutorials/exercises/{name}.py" for name in course.NAMES[1:]}
    return {"explorer.html": "tutorials/explorer.html"} | lessons | exercises


def taken_over() -> dict[str, bytes]:
    """Those pages and files, with links that lead to their new places."""
    moved = {source: place for places in (extras(), pages()) for place, source in places.items()}
    made = {place: (ROOT / source).read_bytes() for place, source in pages().items()}
    for place, source in pages().items():
        if source.endswith(".md"):
            made[place] = relinked(made[place].decode("utf-8"), source, place, moved).encode()
        elif source.endswith(".ipynb"):
            made[place] = _notebook(json.loads(made[place]), source, place, moved)
    return made | {f"{EXTRA}/{place}": (ROOT / source).read_bytes() for place, source in extras().items()}


def _notebook(notebook: dict[str, Any], source: str, place: str, moved: dict[str, str]) -> bytes:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = relinked("".join(cell["source"]), source, place, moved)
    files = DO_IT_YOURSELF.format(files=_files_of(posixpath.basename(place).removesuffix(".ipynb")))
    head, *rest = notebook["cells"]
    notebook["cells"] = [head, _text_cell("files", files), *(cell for old in rest for cell in (old, *_views(old)))]
    return json.dumps(notebook, ensure_ascii=False).encode()


def _text_cell(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _views(cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A link to each view of the explorer that a cell shows: the notebook keeps no frame."""
    shown = re.findall(r'page\.show\("([^"]+)"', "".join(cell["source"])) if cell["cell_type"] == "code" else []
    for k, view in enumerate(shown):
        link = f"<a href='../explorer.html#{html.escape(view)}'>Open this view of the explorer</a>"
        yield _text_cell(f"{cell['id']}-view-{k}", link)


DO_IT_YOURSELF = """Here the results stand below the code already. To guess first, as it is meant, copy the lesson to
a folder of yours: `fp16sim tutorials my-folder`. Or take its files: {files}."""

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def relinked(text: str, source: str, place: str, moved: dict[str, str]) -> str:
    """A page with its links changed, from where it is kept to where it is shown; others stay as they are.

    >>> relinked("[sums](../sums.ipynb#why)", "a/b/c.md", "d/e.md", {"a/sums.ipynb": "course/sums.ipynb"})
    '[sums](../course/sums.ipynb#why)'
    """

    def changed(match: re.Match[str]) -> str:
        image, words, target, anchor = match[1], match[2], match[3], match[4] or ""
        there = moved.get(posixpath.normpath(posixpath.join(posixpath.dirname(source), target)))
        if there is None:
            return match[0]
        path = posixpath.relpath(there, posixpath.dirname(place) or ".")
        if there not in pages():  # a file, not a page of Sphinx
            return f"<a href='{path}{anchor}'>{words.replace('**', '')}</a>"
        return f"{image}[{words}]({path}{anchor})"

    return LINK.sub(changed, text)


def course_index(text: str) -> str:
    """The page of the course, with the order of the lessons for the navigation, and their files."""
    parts = {
        "In a hurry": (course.FIRST,),
        "The core path": course.CORE,
        "Optional": course.OPTIONAL,
        "Words": ("../glossary",),
    }
    trees = "\n\n".join(_toctree(names, caption=caption) for caption, names in parts.items())
    rows = "\n".join(f"| {course.lesson(name).title} | {_files_of(name)} |" for name in course.NAMES)
    return f"{text}\n\n{FILES_OF_THE_COURSE}\n\n| lesson | files |\n|---|---|\n{rows}\n\n{trees}\n"


FILES_OF_THE_COURSE = """## The files

`fp16sim tutorials my-folder` copies all of them. Here they are one by one; a notebook shows its results already."""


def _files_of(name: str) -> str:
    files = {"notebook": f"{name}.ipynb", "Python": f"{name}.py", "exercises": f"exercises/{name}.py"}
    found = {words: path for words, path in files.items() if f"course/{path}" in extras()}
    return " · ".join(f"<a href='{path}' download>{words}</a>" for words, path in found.items())


def _toctree(names: tuple[str, ...], caption: str = "") -> str:
    """The order of pages for the navigation; "words <page>" says what a page is called there."""
    options = ":hidden:\n" + (f":caption: {caption}\n" if caption else "")
    return "```{toctree}\n" + options + "\n" + "\n".join(names) + "\n```"


def manual_index() -> str:
    """The list of the longer pages."""
    pages = _toctree(tuple(manual())).replace(":hidden:", ":maxdepth: 2")
    return f"# Manual\n\nThe longer pages: everything there is, subject by subject.\n\n{pages}"


# --- the house ----------------------------------------------------------------------------------------------------


def house() -> dict[str, str]:
    """The table HOUSE of the architecture test: lines of rooms from the ground up, and what is in them."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    (value,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "HOUSE"
    )
    return ast.literal_eval(value)


def house_drawn(width: int) -> str:
    """The house as an SVG, for screens of this width: its floors from the roof down, their rooms, what is in them."""
    floors, y = [], ROOF
    for names, sentence in reversed(house().items()):
        drawn, height = _floor(names.split(), sentence, width, y)
        floors.append(drawn)
        y += height
    roof = (
        f'<polygon points="0,{ROOF} {width / 2},6 {width},{ROOF}"/><text x="{width / 2}" y="{ROOF - 12}">fp16sim</text>'
    )
    head = f'<svg class="house" viewBox="-1 0 {width + 2} {y + 2}" width="{width}" role="img" aria-label="The rooms">'
    return f'{head}<g class="roof">{roof}</g>{"".join(floors)}</svg>'


ROOF, LINE, LETTER, GAP = 46, 19, 7.9, 8
"""The height of the roof and of a line of text, and about the width of a letter, in pixels."""


def _floor(names: list[str], sentence: str, width: int, y: int) -> tuple[str, int]:
    """A floor at a height y: its rooms in lines, and the sentence beside them, or below on a narrow screen."""
    narrow = width < 500
    rooms_end = width if narrow else width * 0.45
    x, line, parts = GAP, 0, []
    for name in names:
        long = len(name) * LETTER + 12
        if x + long > rooms_end and x > GAP:
            x, line = GAP, line + 1
        parts.append(_box(name, x, y + 6 + line * (LINE + 6), long))
        x += long + 6
    words = textwrap.wrap(sentence.replace("`", ""), int((width - (0 if narrow else rooms_end) - 2 * GAP) / 7))
    top = y + 20 + (line + 1) * (LINE + 6) if narrow else y + 20
    left = GAP if narrow else rooms_end + GAP
    parts += [f'<text x="{left:g}" y="{top + k * LINE}">{html.escape(text)}</text>' for k, text in enumerate(words)]
    below = top + (len(words) - 1) * LINE + 10
    bottom = max(below, y + 12 + (line + 1) * (LINE + 6))
    return f'<rect class="floor" x="0" y="{y}" width="{width}" height="{bottom - y}"/>{"".join(parts)}', bottom - y


def _box(name: str, x: float, y: float, width: float) -> str:
    known = name in rooms()
    box = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{LINE + 1}" rx="3"/>'
    drawn = f'<g class="{"known" if known else "room"}">{box}<text x="{x + 6:g}" y="{y + 14:g}">{name}</text></g>'
    return f'<a href="../reference/{name}.html">{drawn}</a>' if known else drawn


def house_page() -> str:
    """The picture for wide and for narrow screens; the style sheet shows one of them."""
    return f'<div class="wide">{house_drawn(760)}</div>\n<div class="narrow">{house_drawn(340)}</div>\n'


# --- the reference ------------------------------------------------------------------------------------------------

DOCUMENTED_PARTS = {
    "teach": ("grade", "strategies", "exercises"),
    "elementary": ("certificates",),
    "testing": ("fixtures",),
}
"""Modules of a room that have names of their own to import."""


@functools.cache
def rooms() -> dict[str, tuple[str, list[str], list[str]]]:
    """Each room that people import from: what is in it, its names in `fp16sim`, and its modules."""
    found: dict[str, tuple[str, list[str], list[str]]] = {}
    public = {name: getattr(fp16sim, name) for name in fp16sim.__all__ if name != "__version__"}
    on_demand = {module: name for name, module in fp16sim.ON_DEMAND.items()}
    for line, sentence in house().items():
        for room in line.split():
            names = sorted((name for name, value in public.items() if room_of(value) == room), key=_order)
            whole = room in on_demand or isinstance(public.get(room), ModuleType)
            modules = [f"fp16sim.{room}"] * whole
            modules += [f"fp16sim.{room}.{part}" for part in DOCUMENTED_PARTS.get(room, ())]
            if names or modules:
                what = sentence if line == room else _first_line(room)
                found[room] = what, names, modules
    return found


def _order(name: str) -> tuple[int, str]:
    """Classes and functions, then named formats as the library lists them."""
    value = getattr(fp16sim, name)
    return (1 + NAMED_FORMATS.index(value) if value in NAMED_FORMATS else 0), ""


def room_of(value: object) -> str:
    """The room of a public function, class or format; "" for a module, which has a page itself."""
    return "" if isinstance(value, ModuleType) else str(getattr(value, "__module__", "")).split(".")[1]


def _first_line(room: str) -> str:
    text = inspect.getdoc(importlib.import_module(f"fp16sim.{room}")) or ""
    return re.split(r"\.(?:\s|$)", text, maxsplit=1)[0].replace("\n", " ")


def reference() -> dict[str, bytes]:
    """A page for each room, and the table of them."""
    table = "\n".join(f"| [{room}]({room}.rst) | {_brief(*facts)} |" for room, facts in rooms().items())
    index = ROOMS_PAGE.format(rows=table, tree=_toctree(tuple(rooms())))
    made = {f"reference/{room}.rst": _room(room, *facts) for room, facts in rooms().items()}
    return {"reference/index.md": index.encode()} | {place: text.encode() for place, text in made.items()}


ROOMS_PAGE = """# Reference

What people import, room by room, from the ground up. A room uses only rooms above it in this table. The texts are those
of the docstrings, so `help(fs.round_to)` shows the same; the tests run every example.

| room | what is in it |
|---|---|
{rows}

{tree}
"""


def _brief(what: str, names: list[str], modules: list[str]) -> str:
    first = ", ".join(f"`fs.{name}`" for name in names[:4]) + (", ..." if len(names) > 4 else "")
    return f"{_sentence(what)}<br>{first or f'`{modules[0]}`'}"


def _room(room: str, what: str, names: list[str], modules: list[str]) -> str:
    parts = [f"{room}\n{'=' * len(room)}\n\n{_sentence(what)}\n"]
    if names:
        parts.append(".. currentmodule:: fp16sim\n")
        parts += [_entry(name, getattr(fp16sim, name)) for name in names]
    for module in modules:
        if module != f"fp16sim.{room}":
            parts.append(f"{module}\n{'-' * len(module)}\n")
        own = getattr(importlib.import_module(module), "__all__", None)
        parts.append(f".. automodule:: {module}\n" + ("" if own else "   :no-imported-members:\n"))
    return "\n".join(parts)


def _sentence(text: str) -> str:
    """A sentence from the words of a table; the name of a function stays as it is."""
    first = text.partition(" ")[0]
    return (text if "_" in first else text[:1].upper() + text[1:]).rstrip(".") + "."


def _entry(name: str, value: object) -> str:
    if name.upper() == name and value in NAMED_FORMATS:
        return f".. py:data:: {name}\n\n   {_facts(value)}\n"
    return f".. auto{'class' if inspect.isclass(value) else 'function'}:: {name}\n"


def _facts(fmt: fp16sim.Format) -> str:
    return with_superscripts(
        f"``{fmt.name}``: {fmt.width} bits, precision {fmt.precision}; the largest value is {float(fmt.max_finite):.6g}, "
        f"the smallest normal one {power_of_two(fmt.min_normal)}, the smallest of all {power_of_two(fmt.min_subnormal)}."
    )


# --- the gallery --------------------------------------------------------------------------------------------------


def gallery() -> dict[str, bytes]:
    """A page for each picture, and one that shows them all."""
    made = {f"gallery/{name}.md": _picture(name).encode() for name in plots.PICTURES}
    tiles = "\n".join(_tile(name, picture.lesson) for name, picture in plots.PICTURES.items())
    tree = _toctree(tuple(f"{name.replace('_', ' ')} <{name}>" for name in plots.PICTURES))
    index = GALLERY.format(count=len(plots.PICTURES), tiles=tiles, tree=tree)
    return {"gallery/index.md": index.encode()} | made


GALLERY = """# Gallery

{count} pictures that teach. Each shows one thing, and its title says which. Behind each are numbers that fp16sim computed, with
every step rounded. Choose a picture to see its code.

<div class="tiles">
{tiles}
</div>

{tree}
"""

PICTURE = """# {lesson}

```{{image}} {name}.png
:class: only-light
:alt: {lesson}
```
```{{image}} {name}-dark.png
:class: only-dark
:alt: {lesson}
```

{about}

```python
import fp16sim as fs

fs.plots.{name}()
```

In a terminal: `fp16sim plot {name} -o {name}.png`. {options} `fs.demos.{name}()` returns the numbers without a picture.

## How the numbers are computed

```python
{numbers}
```

## How they are drawn

```python
{drawing}
```
"""


def _tile(name: str, lesson: str) -> str:
    images = "".join(
        f'<img src="../_images/{name}{suffix}.png" class="only-{theme}" alt="" loading="lazy" width="900" height="600">'
        for suffix, theme in (("", "light"), ("-dark", "dark"))
    )
    return f'<a href="{name}.html">{images}<span>{lesson}</span></a>'


def _picture(name: str) -> str:
    picture, demo = plots.PICTURES[name], getattr(fp16sim.demos, name)
    about = (inspect.getdoc(picture.draw) or "").partition("\n\nParameters\n")[0]
    options = f"It takes {', '.join(f'`{option}`' for option in picture.options)}." if picture.options else ""
    return PICTURE.format(
        name=name,
        lesson=picture.lesson.rstrip("."),
        about=about,
        options=options,
        numbers=_code(demo),
        drawing=_code(picture.draw),
    )


def _code(function: object) -> str:
    """The source of a function, without its docstring, which is shown above it or in the reference."""
    source = inspect.getsource(inspect.unwrap(function))
    node = ast.parse(source).body[0]
    doc = node.body[0]
    lines = source.splitlines()
    if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str):
        del lines[doc.lineno - 1 : doc.end_lineno]
    return "\n".join(lines)


def draw(folder: Path) -> None:
    """The pictures, in light and in dark, for screens."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in plots.PICTURES:
        for theme, suffix in (("light", ""), ("dark", "-dark")):
            plots.write(name, folder / f"{name}{suffix}.png", theme=theme, dpi=120)


# --- writing ------------------------------------------------------------------------------------------------------

WHOLE = ("course", "extra", "gallery", "manual", "pictures", "reference")
"""Folders in which everything is written here, so that what is no longer made is removed."""


def texts() -> dict[str, bytes]:
    """All that is written, but for the pictures of the gallery."""
    made = taken_over() | reference() | gallery()
    made["start.md"] = made["start.md"].replace(b"# fp16sim", b"# Start", 1)
    words = made["glossary.md"].decode().replace("\n### ", "\n## ")  # they stand below the title here
    made["glossary.md"] = words.encode()
    made["project/house.html"] = house_page().encode()
    made["manual/index.md"] = manual_index().encode()
    made["course/index.md"] = course_index(made["course/index.md"].decode()).encode()
    return made


def write(folder: Path = SITE) -> None:
    """Write what is new or has changed, and remove what is no longer made."""
    made = texts()
    for place, content in made.items():
        path = folder / place
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in _unwanted(folder, set(made)):
        path.unlink()
    draw(folder / "gallery")


def _unwanted(folder: Path, made: set[str]) -> Iterator[Path]:
    pictures = {f"gallery/{name}{suffix}.png" for name in plots.PICTURES for suffix in ("", "-dark")}
    for name in WHOLE:
        for path in (folder / name).rglob("*"):
            if path.is_file() and path.relative_to(folder).as_posix() not in made | pictures:
                yield path


if __name__ == "__main__":
    write()
