"""The house: imports go one way, the exact layer stands alone, importing is cheap, modules are short."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fp16sim

HOME = Path(fp16sim.__file__).parent
MODULES = sorted(HOME.rglob("*.py"))

# Each room may import from those before it (DESIGN, section 2), and nothing from those after it.
ORDER = [
    "version",
    "modes",
    "wording",
    "files",
    "formats",
    "exact",
    "flags",
    "conversion",
    "rounding",
    "codes",
    "neighbours",
    "text",
    "arithmetic",
    "elementary",
    "accumulators",
    "reductions",
    "arrays",
    "explain",
    "cases",
    "faults",
    "learn",
    "trace",
    "teach",
    "audit",
    "demos",
    "plots",
    "report",
    "page",
    "bench",
    "cli",
    "__main__",
]
HEAVY = ("matplotlib", "hypothesis", "rich", "ml_dtypes", "gmpy2", "softfloatpy", "scipy", "sklearn", "pytest")
LAZY = {"matplotlib": ("plots",), "hypothesis": ("teach",), "rich": ("cli",)}


def room_of(path):
    return path.relative_to(HOME).parts[0].removesuffix(".py")


def imports_of(path):
    """(module, line) of each import: of ours as "fp16sim.room...", relative ones resolved."""
    package = ("fp16sim", *path.relative_to(HOME).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import exact` names rooms; `from .exact import parse` names things in one.
            whole = stem == "fp16sim"
            yield from ((f"{stem}.{alias.name}" if whole else stem, node.lineno) for alias in node.names)


def our_imports(path):
    for name, line in imports_of(path):
        if name.startswith("fp16sim."):
            yield name.split(".")[1], line


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(HOME)))
def test_a_module_imports_only_from_the_rooms_above_it(path):
    room = room_of(path)
    if room == "__init__":
        return
    assert room in ORDER, f"{path.name} is no room of the house: add it to ORDER where it belongs"
    for other, line in our_imports(path):
        if other in ORDER and other != room:
            assert ORDER.index(other) < ORDER.index(room), f"{path.name}:{line} imports {other}, which stands below it"


def test_the_exact_layer_imports_the_standard_library_and_formats_alone():
    for path in (HOME / "exact").glob("*.py"):
        for name, line in imports_of(path):
            ours = name == "fp16sim.formats" or name.startswith("fp16sim.exact")
            assert ours or name.split(".")[0] in sys.stdlib_module_names, f"{path.name}:{line} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(HOME)))
def test_a_heavy_library_is_imported_in_its_own_room_only(path):
    for name, line in imports_of(path):
        top = name.split(".")[0]
        allowed = room_of(path) in LAZY.get(top, ()) if top in HEAVY else True
        assert allowed, f"{path.name}:{line} imports {name}"


def loaded_by(statement, parts=1):
    """The modules that a fresh interpreter has loaded after a statement, by the first parts of their names."""
    code = f"import sys; {statement}; print(*{{'.'.join(name.split('.')[:{parts}]) for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_numpy_and_nothing_heavier():
    beyond_numpy = loaded_by("import fp16sim") - loaded_by("import numpy")
    foreign = {name for name in beyond_numpy if name not in sys.stdlib_module_names} - {"fp16sim"}
    assert not foreign
    assert "numpy.random" not in loaded_by("import fp16sim", parts=2)
    assert not beyond_numpy & {"asyncio", "unittest", "multiprocessing", "http", "xml", "urllib"}


def test_the_exact_layer_runs_where_numpy_is_missing():
    code = (
        "import sys, types, importlib; sys.modules['numpy'] = None; package = types.ModuleType('fp16sim'); "
        f"package.__path__ = [{str(HOME)!r}]; sys.modules['fp16sim'] = package; "
        "exact = importlib.import_module('fp16sim.exact'); print(exact.add('1/3', 1, 'binary16'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1365/1024"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(HOME)))
def test_a_module_and_its_public_functions_say_what_they_are(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), path
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"


def test_every_public_name_exists_and_is_sorted_for_the_reader():
    for name in fp16sim.__all__:
        assert hasattr(fp16sim, name), name
    assert len(set(fp16sim.__all__)) == len(fp16sim.__all__)
