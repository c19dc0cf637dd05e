"""The graded heads of attention: right answers are those of the lab, and a student's mistakes are named."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import faults
from fp16sim.learn import Mask, Tensor, attention
from fp16sim.teach import answers, grade
from fp16sim.teach.grading.tasks import TASKS, prepared

from .support import first

FORMATS = ["binary16", "bfloat16"]


def tensor(x, fmt):
    return Tensor(fs.array(x, fmt))


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_head_is_that_of_the_lab_where_its_scale_is_a_power_of_two(fmt):
    rng = np.random.default_rng(1)
    for _ in range(5):
        query, keys, values = (fs.round_to(rng.normal(size=shape), fmt) for shape in (4, (7, 4), (7, 3)))
        seen = np.array([True, *(rng.random(6) < 0.7)])
        found = faults.head(query, keys, values, seen, 0.5, fs.get_format(fmt), fs.Rounding.TIES_TO_EVEN)
        lab = attention(*(tensor(x, fmt) for x in (query[None], keys, values)), Mask(~seen[None]))
        assert found == lab.value.values[0].tolist()


@pytest.mark.parametrize("fmt", FORMATS)
def test_tiles_are_those_of_the_lab(fmt):
    rng = np.random.default_rng(2)
    for tile in (1, 2, 3, 8):
        scores, values = (fs.round_to(2 * rng.normal(size=7), fmt) for _ in range(2))
        found = faults.tiled(scores, values, tile, fs.get_format(fmt), fs.Rounding.TIES_TO_EVEN)
        one = np.ones((1, 1))  # the products of 1 and keys of one number are the scores
        lab = attention(*(tensor(x, fmt) for x in (one, scores[:, None], values[:, None])), form="online", tile=tile)
        assert found == lab.value.item()


E_OF = "fs.exp(fs.subtract(score, max(scores)))"
SCORES = "scores = [dot(scaled, key) for key in keys]"
LATE = "scores = [fs.multiply(dot(query, key), scale) for key in keys]"
WEIGHTED = "[dot(weights, column) for column in zip(*values, strict=True)]"
DIVIDED = "[fs.divide(dot(e, column), total) for column in zip(*values, strict=True)]"

HEADS = {
    "unshifted": (E_OF, "fs.exp(score)"),
    "scaled_late": (SCORES, LATE),
    "empty_nan": ("return values[0]", "return [float('nan')] * len(values[0])"),
    "reciprocal": ("fs.divide(x, total)", "fs.multiply(x, fs.divide(1.0, total))"),
    "backwards": ("add_up(e)", "add_up(e[::-1])"),
    "wide_total": ("add_up(e)", "fs.sum(e, accumulator='sequential:binary32')"),
    "unscaled": ("fs.multiply(x, scale)", "x"),
    "scaled_keys": (SCORES, "scores = [dot(query, [fs.multiply(x, scale) for x in key]) for key in keys]"),
    "divided_late": (WEIGHTED, DIVIDED),
    "no_mask": ("if counts", ""),
    "fused": ("add_up([fs.multiply(x, y) for x, y in zip(a, b, strict=True)])", "fs.dot(a, b, accumulator='fused')"),
}
"""A wrong line for one of the worked solution, by the fault that it is."""

MASKED = """
def my_attention(query, keys, values, seen, scale):
    scaled = [fs.multiply(x, scale) for x in query]
    scores = [dot(scaled, key) for key in keys]
    HIDE
    e = [fs.exp(fs.subtract(score, largest)) for score in scores]
    total = add_up(e)
    weights = [fs.divide(x, total) for x in e]
    LAST
    return [dot(weights, column) for column in zip(*values, strict=True)]
"""
PRODUCT = "scores = [fs.add(x, fs.multiply(1 - counts, fs.round_to(-1e9))) for x, counts in zip(scores, seen)]"
LOWEST = "scores = [x if counts else -65504.0 for x, counts in zip(scores, seen)]"
AFTERWARDS = "weights = [w if counts else 0.0 for w, counts in zip(weights, seen)]"
MASKS = {
    "mask_product": (f"{PRODUCT}; largest = max(scores)", "pass"),
    "mask_lowest": (f"{LOWEST}; largest = max(scores)", "pass"),
    "mask_afterwards": ("largest = max(scores)", AFTERWARDS),
}
"""How a student masks, and what is done to the weights."""

OWN = "e = [fs.exp(fs.subtract(score, new)) for score in own]"
SKIPPED = '        if max(own) == float("-inf"):\n            continue\n'
TILES = {
    "own_largest": (OWN, "e = [fs.exp(fs.subtract(score, max(own))) for score in own]"),
    "not_rescaled": ("factor = fs.exp(fs.subtract(m, new))", "factor = 1.0"),
    "weights_rescaled": ("fs.multiply(weighted, factor)", "weighted"),
    "values_rescaled": ("fs.multiply(total, factor)", "total"),
    "unshifted": ("new = max(m, *own)", "new = 0.0 * max(m if m > -1e9 else 0.0, 0.0)"),
    "reciprocal": ("fs.divide(weighted, total)", "fs.multiply(weighted, fs.divide(1.0, total))"),
    "last_tile": ("range(0, len(scores), tile)", "range(0, len(scores) // tile * tile, tile)"),
}


def function(name, code):
    module = {}
    with np.errstate(all="ignore"):
        exec(code, module)
    return module[name]


def blamed(name, code):
    """What the grader says of a solution with a mistake."""
    task = answers.everything()[name].task

    def quiet(*arguments):
        with np.errstate(all="ignore"):
            return wrong(*arguments)

    wrong = function(name, code)
    report = grade.run(quiet, task)
    assert not report.passed
    return task, report.misconceptions


@pytest.mark.parametrize("fault", first(5, list(HEADS)))
def test_a_mistake_in_a_head_is_named(fault):
    right, wrong = HEADS[fault]
    code = answers.worked("my_attention").code
    assert right in code
    task, found = blamed("my_attention", code.replace(right, wrong))
    assert found == (faults.find(fault, task).misconception,)


@pytest.mark.parametrize("fault", MASKS)
def test_a_mask_that_fails_is_named(fault):
    hide, last = MASKS[fault]
    helpers = answers.worked("my_attention").code.partition("def my_attention")[0]
    empty = "if not any(seen):\n        return [0.0] * len(values[0])\n    "  # else a second mistake
    code = MASKED.replace("HIDE", (empty if fault == "mask_afterwards" else "") + hide).replace("LAST", last)
    task, found = blamed("my_attention", helpers + code)
    assert found == (faults.find(fault, task).misconception,)


@pytest.mark.parametrize("fault", first(2, list(TILES)))
def test_a_mistake_in_tiles_is_named(fault):
    right, wrong = TILES[fault]
    code = answers.worked("my_online").code
    assert right in code
    task, found = blamed("my_online", code.replace(right, wrong))
    assert found == (faults.find(fault, task).misconception,)


def test_a_tile_without_keys_that_is_computed_is_named():
    code = answers.worked("my_online").code
    assert SKIPPED in code
    task, found = blamed("my_online", code.replace(SKIPPED, ""))
    assert faults.find("empty_tile", task).misconception in found


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("task", ["attention", "online_attention"])
def test_every_fault_shows_in_some_case_and_no_two_are_the_same(task, fmt):
    cases = prepared(TASKS[task], fs.get_format(fmt), fs.Rounding.TIES_TO_EVEN, False)
    seen = {}
    for fault in faults.suspects(task):
        key = repr([np.asarray(y).tolist() for y in fault.answer(task, cases.columns, fmt)])
        assert key not in seen or {fault.name, seen[key]} == {"mask_product", "mask_lowest"}, (fault.name, seen[key])
        seen[key] = fault.name
    assert repr([np.asarray(y).tolist() for y in cases.expected]) not in seen
