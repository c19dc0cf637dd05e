"""The names of rules and cases: what is produced, what the types allow and what the docstrings list are the same."""

import inspect
import re
from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from fp16sim import explain
from fp16sim.exact import DRAW_BITS
from fp16sim.explain import records
from fp16sim.explain.basic_operations import operand, operate_on
from fp16sim.explain.layouts.sentences import FLAGS, OVERFLOWS, SPECIAL_CASES
from fp16sim.formats import Format, Rounding

from .support import held_values

TINY = Format("tiny", width=4, precision=2)
OTHERS = (
    replace(TINY, name="tiny_saturating", saturate=True),
    replace(TINY, name="tiny_flushing_inputs", subnormals="flush_inputs"),
    Format("tiny_fn", width=4, precision=2, specials="nan"),
    Format("tiny_unsigned", width=4, precision=2, specials="one_nan", signed=False),
)
OPERATIONS = {"sqrt": 1, "add": 2, "subtract": 2, "multiply": 2, "divide": 2, "fma": 3}
LISTS = {
    "rule": (explain.RoundingStep, records.RoundingRule),
    "case": (explain.RoundingStep, records.RoundingCase),
    "overflow_rule": (explain.RoundingStep, records.OverflowRule),
    "exact rule": (explain.ExactStep, records.ExactRule),
}


@pytest.fixture(scope="module")
def produced():
    """Every name that occurs for all pairs of numbers of a tiny format (some triples for fma), and for one number."""
    found = {name: set() for name in LISTS}
    flags = set()
    values = held_values(TINY)
    for fmt, mode in [*product([TINY], Rounding), *product(OTHERS, [Rounding.TIES_TO_EVEN])]:
        operands = [operand("x", x, fmt, Rounding.TIES_TO_EVEN, None) for x in values]
        whys = [*(explain.rounding(x, fmt, mode) for x in values), explain.add("0x7C01", 1)]  # a signaling NaN
        for name, arity in OPERATIONS.items():
            some = operands if arity < 3 else operands[::4]
            whys += [operate_on(name, given, fmt, mode, 1 << (DRAW_BITS - 1)) for given in product(some, repeat=arity)]
        for why in whys:
            found["exact rule"].add(why.exact.rule)
            flags.update(why.flags)
            for name in ("rule", "case", "overflow_rule"):
                found[name].add(getattr(why.rounding, name))
    found["overflow_rule"].discard(None)
    return found | {"flags": flags}


def documented(record, attribute):
    """The names in quotes in what a docstring says of an attribute."""
    text = re.search(rf"\n{attribute} : .*\n((?:    .*\n)+)", inspect.getdoc(record))[1]
    return re.findall(r'"(\w+)"', text)


@pytest.mark.parametrize("name", LISTS)
def test_the_names_that_occur_are_those_of_the_type_and_of_the_docstring(name, produced):
    record, allowed = LISTS[name]
    listed = documented(record, name.split()[-1])
    assert produced[name] == set(get_args(allowed)) == set(listed)
    assert len(listed) == len(set(listed))


def test_every_special_case_overflow_and_flag_has_its_sentence(produced):
    assert set(SPECIAL_CASES) == set(get_args(records.ExactRule)) - {"digits", "given"}
    assert set(OVERFLOWS) == set(get_args(records.OverflowRule))
    assert set(FLAGS) == produced["flags"]
