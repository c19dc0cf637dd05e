"""SciPy and scikit-learn compute in a format: their functions, unchanged, against the same formulas with `fs.*`."""

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache

import pytest

import fp16sim as fs

from . import other_libraries
from .support import count_cases

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("scipy", "sklearn", "array_api_compat")),
    reason="needs SciPy, scikit-learn and array-api-compat",
)
FEWEST = {"scipy": 25, "sklearn": 8, "iterative": 5}

rows = cache(other_libraries.rows)


def test_logsumexp_of_scipy_computes_in_the_format_of_a_floatarray():
    code = "import fp16sim as fs; from scipy.special import logsumexp; print(logsumexp(fs.array([10, 11, 12])).codes)"
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == fs.encode(12.40625)


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", other_libraries.FORMATS)
@pytest.mark.parametrize("library", ["scipy", "sklearn"])
def test_functions_of_other_libraries_give_the_codes_of_the_same_formulas(library, fmt):
    found = rows(library, fmt)
    assert {row["name"]: row["says"] for row in found if row["says"] != "same codes"} == {}
    assert len(found) >= FEWEST[library]
    count_cases(sum(row["numbers"] for row in found), "other libraries")


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", other_libraries.FORMATS)
def test_iterative_methods_stay_in_the_format_and_end_near_the_exact_answer(fmt):
    found = rows("iterative", fmt)
    distances = [float(row["says"].removesuffix(" ulp")) for row in found]
    assert max(distances) <= 16
    assert len(found) >= FEWEST["iterative"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", other_libraries.FORMATS)
def test_further_functions_stay_in_the_format_and_the_page_names_them(fmt):
    found = rows("further", fmt)
    assert {row["name"]: row["says"] for row in found if row["says"] != "in the format"} == {}
    text = other_libraries.PAGE.read_text(encoding="utf-8")
    assert [row["name"] for row in found if f"`{row['name']}`" not in text] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("library", other_libraries.CASES)
def test_the_page_shows_the_table_that_these_tests_make(library):
    text = other_libraries.PAGE.read_text(encoding="utf-8")
    shown = re.search(f"<!-- start of {library} -->\n\n(.*?)\n\n<!-- end of {library} -->", text, re.DOTALL)
    found = {fmt: {row["name"]: row["says"] for row in rows(library, fmt)} for fmt in other_libraries.FORMATS}
    assert shown[1] == other_libraries.table(library, found)
