"""The house: which room may import which, that nothing imports in a circle, and that importing is cheap.

`HOUSE` is the map of the package, from the ground up. It is the one place that says who may import whom: a room imports
only from lines above its own, or from names to its left on its own line. Imports inside functions and those under
TYPE_CHECKING count like all others.
"""

import ast
import graphlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import fp16sim

HOME = Path(fp16sim.__file__).parent

HOUSE = {
    "interruption version wording modes files archives flags": "the ground: choices, sentences, files, five exceptions",
    "overflow": "overflow conventions by name: a table of what standards and libraries do beyond max_finite",
    "formats": "what a format is, and all that follows from its width and precision; names that stand for one",
    "exact": "the slow truth, on ints and Fractions: the definition that everything else is compared with",
    "nans": "NaN in arrays: payloads, and what a signaling one raises",
    "conversion": "anything that a user gives -> an array or an exact value",
    "rounding": "round_to: the one place that rounds; a clear reference, and fast kernels proved equal to it",
    "codes": "encode, decode, fields, classes: the bits of a number",
    "neighbours text cases": "the numbers next to a number; numbers as text; the interesting operands of a format",
    "arithmetic": "add ... fma, and comparisons: exact or to odd, then rounded once",
    "elementary": "exp, log, sin ...: correctly rounded, with certificates",
    "blocks": "blocks that share a scale: MX, NVFP4, and any block of your own",
    "dask_arrays": "rounding and blocks of arrays in chunks, equal to those of the whole array",
    "accumulators": "how a sum is taken: sequential, pairwise, Kahan, exact, tensor cores ...",
    "reductions": "sum, dot, matmul, mean, norm, cumsum, with an accumulator as an argument",
    "hardware": "what matrix units of GPUs do, with evidence: the definition, and how to find out what yours does",
    "arrays": "FloatArray: values, format and mode, under NumPy's own functions",
    "linalg": "LU, Cholesky, QR, eigenvalues, refinement: every operation rounded",
    "namespaces": "the Python array API standard: FloatArrays in functions of SciPy and scikit-learn",
    "__init__": "the public face: what `import fp16sim as fs` shows",
    "explain": "why an operation gives what it gives: records of every step, and their texts",
    "faults": "deliberately wrong rounders: for the grader, and for our own tests",
    "testing": "assertions for low-precision code: bit for bit, or within bounds that are derived",
    "sweeps": "many runs of one function, anywhere, in a table that grows",
    "learn": "the training lab: a network in which every operation is rounded",
    "teach": "grader, quiz, strategies, lessons",
    "report": "the HTML report of a run",
    "trace": "where the digits of a program went: emulated values beside shadows, and the line to blame",
    "demos": "the numbers behind the pictures",
    "papers": "published claims, computed again by sweeps, and judged",
    "bench page": "measurements; the explorer",
    "audit": "what is installed: every answer compared, each fault named by the table of faults",
    "vectors": "operands and right answers for other implementations, and a judge of theirs",
    "plots": "pictures: they draw data and compute nothing",
    "cli": "the command line: it reads options, calls, prints",
    "__main__": "`python -m fp16sim`",
}
"""Line by line from the ground up: rooms, and what is in them."""

INSIDE = {
    "vectors": "making checking __init__",
    "hardware": "model table probes family answers script sentences fit __init__",
    "formats": "format names __init__",
    "explain": "value_text records decoding exact_step rounding_step alternatives document rendering explanation "
    "basic_operations functions number_parts alignment dot_product reductions softmax_steps block_scaling "
    "stored_number layouts __init__",
    "learn": "recorder records shares factors rules scaled_products precision scaling chance data model state observe "
    "run advise table __init__",
    "testing": "given differences messages exactly permitted sums balls kernels bounds explained rows fixtures "
    "__init__ planted",
    "papers": "claims judging sums training reproduction __init__",
    "teach": "course start lessons strategies grading source answers progress advice grade practice variants marks "
    "quiz exercises guessing __init__",
}
"""The packages in a room that has some, in the same order: each imports only from those to its left."""

HEAVY = (
    "matplotlib",
    "hypothesis",
    "rich",
    "ml_dtypes",
    "gmpy2",
    "softfloatpy",
    "scipy",
    "sklearn",
    "pytest",
    "mpmath",
    "dask",
    "distributed",
    "safetensors",
)
LAZY = {
    "matplotlib": "plots",
    "hypothesis": "teach",
    "rich": "cli",
    "pytest": "testing",
    "mpmath": "trace",
    "distributed": "sweeps",
    "safetensors": "learn",
}
"""The room that may import a heavy library; the others may not import any."""


def dotted(path):
    """fp16sim/rounding/kernels/find.py -> rounding.kernels.find; a package by the name of its folder."""
    parts = path.relative_to(HOME).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in sorted(HOME.rglob("*.py"))}
ORDER = " ".join(HOUSE).split()


@cache
def tree_of(module):
    """The syntax tree of a module, for all tests here."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports_of(module):
    """(what, line) of each import, wherever it stands: our own modules by `dotted`, others as "/name"."""
    return tuple(_imports_of(module))


def _imports_of(module):
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (("/" + alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield "/" + (node.module or ""), node.lineno
        elif isinstance(node, ast.ImportFrom):
            stem = [*filter(None, package)][: len(package) - node.level + 1] + (node.module or "").split(".")
            for alias in node.names:
                whole = ".".join(filter(None, [*stem, alias.name]))
                yield whole if whole in MODULES else ".".join(filter(None, stem)), node.lineno


def our_imports(module):
    return [(name, line) for name, line in imports_of(module) if not name.startswith("/")]


def test_a_room_imports_only_from_the_rooms_below_it():
    wrong = []
    for module in MODULES:
        room = module.split(".")[0] or "__init__"
        assert room in ORDER, f"{module} is not in HOUSE: add its room where it belongs"
        for name, line in our_imports(module):
            other = name.split(".")[0] or "__init__"
            if other != room and ORDER.index(other) >= ORDER.index(room):
                wrong.append(f"{module}:{line} imports {other}, which is above")
    assert not wrong


@pytest.mark.parametrize("room", INSIDE)
def test_the_packages_in_a_room_have_an_order_too(room):
    order = INSIDE[room].split()
    for module in MODULES:
        if module.split(".")[0] != room:
            continue
        own = module.split(".")[1] if "." in module else "__init__"
        for name, line in our_imports(module):
            other = name.split(".")[1] if name.startswith(f"{room}.") else own
            assert order.index(other) <= order.index(own), f"{module}:{line} imports {other}, which is to its right"


def test_no_files_import_each_other_in_a_circle():
    graph = {module: {name for name, _ in our_imports(module)} - {module} for module in MODULES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the files


def test_the_map_names_no_room_that_does_not_exist():
    assert {module.split(".")[0] or "__init__" for module in MODULES} == set(ORDER)
    assert len(ORDER) == len(set(ORDER))


def test_the_exact_layer_imports_the_standard_library_and_formats_alone():
    for module in MODULES:
        for name, line in imports_of(module) if module.split(".")[0] == "exact" else ():
            ours = name == "formats" or name.split(".")[0] == "exact"
            standard = name[1:].split(".")[0] in sys.stdlib_module_names
            assert ours or standard, f"{module}:{line} imports {name}"


def test_a_heavy_library_is_imported_in_its_own_room_only():
    wrong = []
    for module in MODULES:
        for name, line in imports_of(module):
            top = name[1:].split(".")[0]
            if name.startswith("/") and top in HEAVY and module.split(".")[0] != LAZY.get(top):
                wrong.append(f"{module}:{line} imports {top}")
    assert not wrong


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
    assert not beyond_numpy & {"asyncio", "unittest", "multiprocessing", "http", "xml", "urllib", "decimal", "signal"}


def test_show_loads_what_it_uses_and_in_a_pipe_nothing_that_draws():
    loaded = loaded_by("from fp16sim.cli import main; main(['show', '0.1'])", parts=3)
    assert {"fp16sim.explain.stored_number", "fp16sim.explain.layouts"} < loaded
    assert not loaded & {"rich", "hashlib", "subprocess", "fp16sim.accumulators", "fp16sim.arrays", "fp16sim.blocks"}


def test_the_exact_layer_runs_where_numpy_is_missing():
    code = (
        "import sys, types, importlib; sys.modules['numpy'] = None; package = types.ModuleType('fp16sim'); "
        f"package.__path__ = [{str(HOME)!r}]; sys.modules['fp16sim'] = package; "
        "exact = importlib.import_module('fp16sim.exact'); print(exact.add('1/3', 1, 'binary16'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1365/1024"


def test_a_module_and_its_public_functions_say_what_they_are():
    assert [module for module in MODULES if not ast.get_docstring(tree_of(module))] == []
    without = [
        f"{module}:{node.lineno} {node.name} has no docstring"
        for module in MODULES
        for node in tree_of(module).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert not without


def test_a_private_name_is_used_in_its_own_file_only():
    wrong = []
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("fp16sim")):
                private = [alias.name for alias in node.names if alias.name[0] == "_" and alias.name[:2] != "__"]
                wrong += [f"{module}:{node.lineno} imports {private}, private to {node.module}"] * bool(private)
    assert not wrong


@pytest.mark.parametrize("package", ["formats", "rounding", "rounding.kernels", "arithmetic"])
def test_the_docstring_of_a_package_names_each_of_its_modules(package):
    text = ast.get_docstring(tree_of(package))
    for module in MODULES:
        if module.startswith(f"{package}."):
            assert f"`{module.removeprefix(f'{package}.').split('.')[0]}`" in text, module


def test_every_public_name_exists_and_stands_once():
    for name in fp16sim.__all__:
        assert hasattr(fp16sim, name), name
    assert len(set(fp16sim.__all__)) == len(fp16sim.__all__)
