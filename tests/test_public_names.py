"""The public face: what dir() and the tab key offer, and nothing else."""

import ast
import pickle
import re
import rlcompleter
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import fp16sim as fs

PROMISED_ON_DEMAND = (
    "learn linalg explain plots teach page report demos faults cases bench certify testing audit hardware trace "
    "vectors sweeps dask_arrays papers"
)


def in_a_fresh_interpreter(*lines):
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_dir_lists_the_public_names_and_the_modules_loaded_on_demand_and_nothing_else():
    expected = sorted([*fs.__all__, *PROMISED_ON_DEMAND.split()])
    assert in_a_fresh_interpreter("import fp16sim", "print(*dir(fp16sim))") == expected
    everything = [f"import fp16sim.{fs.ON_DEMAND[name]}" for name in PROMISED_ON_DEMAND.split()]
    assert in_a_fresh_interpreter(*everything, "import fp16sim.cli", "print(*dir(fp16sim))") == expected


@pytest.mark.parametrize(("package", "places"), [(fs, fs.ROOMS), (fs.explain, fs.explain.MODULES)])
def test_type_checkers_see_the_names_that_are_loaded_on_first_use(package, places):
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {(node.module or alias.name, node.module and alias.name) for node in block.body for alias in node.names}
    table = {(module, name) for module, names in places.items() for name in names.split() or [None]}
    assert seen == table
    assert {name or module for module, name in table} <= set(package.__all__)


@pytest.mark.parametrize("package", [fs, fs.explain])
def test_no_name_is_that_of_a_module_beside_it_which_would_take_its_place_once_it_is_loaded(package):
    assert not set(package.HOMES) & {path.stem for path in Path(package.__file__).parent.iterdir()}


def test_importing_the_package_loads_rounding_and_every_other_public_name_is_loaded_on_first_use():
    rooms = {f"fp16sim.{room}" for room in fs.ROOMS}
    pickled = pickle.dumps({name: getattr(fs, name) for name in fs.__all__ if callable(getattr(fs, name))})
    loaded, found, same, left = in_a_fresh_interpreter(
        "import sys, pickle, fp16sim",
        f"print(len({rooms} & set(sys.modules)))",
        "star = {}; exec('from fp16sim import *', star)",
        "print(set(fp16sim.__all__) <= set(star))",
        f"print(all(value is getattr(fp16sim, name) for name, value in pickle.loads({pickled!r}).items()))",
        "print(fp16sim.codes is sys.modules['fp16sim.codes'] and 'codes' in vars(fp16sim))",
    )
    assert (loaded, found, same, left) == ("0", "True", "True", "True")


def offered(text):
    """What a notebook or a Python prompt offers when the tab key is pressed after a text."""
    complete, found = rlcompleter.Completer({"fs": fs}).complete, []
    while (match := complete(text, len(found))) is not None:
        found.append(match.removesuffix("(").removesuffix("()"))
    return found


def test_the_tab_key_offers_every_public_name_and_no_internal_module():
    public = {name for name in dir(fs) if not name.startswith("_")}
    assert {name.removeprefix("fs.") for name in offered("fs.")} == public
    assert offered("fs.lea") == ["fs.learn"]
    assert offered("fs.round") == ["fs.round_to", "fs.round_to_integral"]
    assert offered("fs.rounding") == []


def test_a_module_is_loaded_when_it_is_first_used():
    modules = [f"fp16sim.{module}" for module in fs.ON_DEMAND.values()]
    for use, expected in (("", "False"), (f"[getattr(fs, name) for name in {list(fs.ON_DEMAND)}]", "True")):
        loaded = in_a_fresh_interpreter(
            "import sys, fp16sim as fs", use, f"print(*[name in sys.modules for name in {modules}])"
        )
        assert loaded == [expected] * len(modules)
    assert all(isinstance(getattr(fs, name), ModuleType) and getattr(fs, name).__doc__ for name in fs.ON_DEMAND)


def test_the_docstring_of_the_package_lists_the_modules_loaded_on_demand():
    assert re.findall(r"^    (\w+) {2,}\w", fs.__doc__, re.MULTILINE) == sorted(PROMISED_ON_DEMAND.split())


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fp16sim' has no attribute 'quantise'"):
        _ = fs.quantise


LESSONS = sorted(Path(__file__).parents[1].glob("tutorials/**/*.py"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_name_that_a_lesson_uses_exists(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = re.fullmatch(r"fs((?:\.\w+)+)", ast.unparse(node)) if isinstance(node, ast.Attribute) else None
        found = fs
        for name in names[1].split(".")[1:] if names else ():
            if not isinstance(found, (ModuleType, type)):
                break  # from here on, attributes of a value
            assert hasattr(found, name), f"{path.name}:{node.lineno} uses {names[0]}"
            found = getattr(found, name)
