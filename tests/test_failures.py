"""The gallery of failures, the patterns that name them in a graph, and the first operation in which two graphs part."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.demos import failure, failures
from fp16sim.learn import Config, FunctionModel, Telemetry, Tensor, diagnose, examine, first_difference, train
from fp16sim.learn.observe.findings import PATTERNS, Finding, findings, merged

from .support import first


def tensor(x, fmt="binary16"):
    return Tensor(fs.array(x, fmt))


def patterns(result, **how):
    return [found.pattern for found in findings(result, **how)]


# --- the gallery ----------------------------------------------------------------------------------------------------


QUICK = sorted(failures(), key=lambda case: case.name == "accumulation")  # which takes seconds, and is on its page too


@pytest.mark.parametrize("case", first(len(QUICK) - 1, QUICK), ids=lambda case: case.name)
def test_a_failure_is_named_before_the_cure_and_not_after_it(case):
    before, after = case.before(), case.after()
    assert case.topic in before.topics
    assert case.topic not in after.topics
    assert after.error <= before.error / 8
    assert before.error > 0
    assert all(sentence.endswith(".") for sentence in before.said)


def test_after_the_cure_of_a_wrong_result_the_error_is_that_of_rounding():
    kinds = ("largest error, as a part of the largest result",)
    for case in failures():
        if case.measure in kinds:
            assert case.after().error < 16 * float(fs.get_format(case.fmt).unit_roundoff), case.name


def test_an_unknown_failure_is_refused_with_the_one_that_is_meant():
    assert failure("rotary").topic == "angles"
    with pytest.raises(ValueError, match="name='rotari' is unknown; did you mean 'rotary'"):
        failure("rotari")


# --- patterns in a graph --------------------------------------------------------------------------------------------

BIG, TINY, INF = 300.0, 2.0**-14, math.inf

CASES = {
    "empty row": lambda: tensor([[1.0, 2.0], [-INF, -INF]]).softmax(),
    "mask as number": lambda: tensor([[1.0, 2.0], [-3e4, -65504.0]]).log_softmax(),
    "zero times infinity": lambda: tensor([0.0, 1.0]) * tensor([INF, INF]),
    "no difference": lambda: tensor([INF, 1.0]) - tensor([INF, 1.0]),
    "zero by zero": lambda: tensor([0.0, 1.0]) / tensor([0.0, 1.0]),
    "infinity by infinity": lambda: tensor([INF]) / tensor([INF]),
    "scores": lambda: (tensor([[BIG]]) @ tensor([[BIG]]) * 0.125).softmax(),
    "products": lambda: tensor([[BIG]]) @ tensor([[BIG]]),
    "squares": lambda: tensor([BIG, 1.0]).square(),
    "lost squares": lambda: tensor([TINY, TINY, 1.0]).square(),
    "exp": lambda: tensor([12.0]).exp(),
    "sums": lambda: tensor([6e4, 6e4]).sum(),
    "residual": lambda: tensor([6e4]) + tensor([6e4]),
    "absorbed": lambda: tensor([2048.0, 1.0]) + tensor([0.5, 2.0**-12]),
    "conversion": lambda: tensor([1e6], "binary32").cast(fs.learn.Precision.of("binary16")),
    "angles": lambda: tensor([1.0, 1857.0]).cos(),
    "log-probabilities": lambda: tensor([[8.0, 0.0]], "bfloat16").log_softmax(),
    "one-sided errors": lambda: tensor(np.full((40, 3), 1.0)) @ tensor(np.full((3, 40), 1 + 2.0**-10)),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_found_where_it_is_and_alone(pattern):
    with np.errstate(all="ignore"):
        assert patterns(CASES[pattern](), thorough=True) == [pattern]
        (said,) = (str(found) for found in findings(CASES[pattern](), thorough=True))
    assert "{" not in said


HARMLESS = {
    "a row with one place left": lambda: tensor([[1.0, -INF], [-INF, -2.0]]).softmax(),
    "large scores of one row": lambda: tensor([[-20000.0, 3.0]]).softmax(),
    "an infinity that was given": lambda: tensor([INF, 1.0]) * tensor([2.0, 1.0]),
    "squares just below the end": lambda: tensor([255.0]).square(),
    "a few lost squares": lambda: tensor([TINY, 1.0, 1.0]).square(),
    "one absorbed addend of three": lambda: tensor([2048.0, 1.0, 1.0]) + tensor([0.5, 1.0, 1.0]),
    "an addend of zero": lambda: tensor([2048.0, 1.0]) + tensor([0.0, 0.0]),
    "angles of one turn": lambda: tensor([6.0]).sin(),
    "errors of both signs": lambda: (
        tensor(np.random.default_rng(0).normal(size=(30, 30))) @ tensor(np.random.default_rng(1).normal(size=(30, 30)))
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_computation_has_no_finding(name):
    assert patterns(HARMLESS[name](), thorough=True) == []


def test_products_with_a_parameter_are_no_scores():
    weight = replace(tensor([[BIG]]), name="w")
    with np.errstate(all="ignore"):
        assert patterns((tensor([[BIG]]) @ weight.transpose()).log_softmax()) == ["products"]


def test_counts_values_and_layers_are_those_of_the_operation():
    x = replace(tensor([[BIG, 2.0, -400.0]]), name="x")
    with np.errstate(all="ignore"):
        (found,) = findings(x.square())
    assert (found.count, found.total, found.value, found.fmt) == (2, 3, -400.0, "binary16")
    assert found.operation in found.text


def test_findings_of_one_operation_are_added_up_and_keep_the_largest_value():
    one, other = (Finding("squares", "norm1", "square", "binary16", 1, 4, value) for value in (300.0, -500.0))
    elsewhere = replace(one, layer="norm2")
    both, rest = merged([one, elsewhere, other])
    assert (both.count, both.total, both.value) == (2, 8, -500.0)
    assert rest == elsewhere


def test_examine_and_first_difference_refuse_what_is_no_tensor():
    for function in (examine, lambda x: first_difference(x, x)):
        with pytest.raises(TypeError, match="is not a Tensor, which remembers how it was computed"):
            function(fs.array([1.0], "binary16"))


# --- in a run -------------------------------------------------------------------------------------------------------


def masked(params, x):
    scores = x @ params["layer.weight"]
    keep = fs.array(np.tri(4), "binary16")
    return ((scores + (1 - Tensor(keep, wanted=False)) * -1e9).softmax() * 8).reshape(-1, 4)


@pytest.fixture(scope="module")
def dead():
    """A run that dies of its mask."""
    rng = np.random.default_rng(0)
    data = (rng.normal(size=(8, 4, 3)), rng.integers(0, 4, 32).reshape(8, 4))
    model = FunctionModel(masked, {"layer.weight": (3, 4)})
    loss = lambda output, targets: fs.learn.cross_entropy(output, targets.reshape(-1))  # noqa: E731
    return train(Config("binary16", epochs=1, batch=8), (*data, *data), model=model, loss=loss)


def test_a_run_that_died_of_its_mask_is_told_so(dead):
    assert dead.death is not None
    topics = {advice.topic: advice.text for advice in diagnose(dead)}
    assert "0 times infinity" in topics["mask"]


def test_findings_survive_a_file_and_false_ones_are_refused(dead):
    plain = json.loads(json.dumps(dead.telemetry.to_dict()))
    assert Telemetry.from_dict(plain).findings == dead.telemetry.findings != []
    for wrong in ({"pattern": "gremlins"}, {"count": 0}, {"count": 99999}):
        plain["findings"][0] = {**vars(dead.telemetry.findings[0]), **wrong}
        with pytest.raises(ValueError, match=r"telemetry.findings has Finding\("):
            Telemetry.from_dict(plain)


# --- the first difference -------------------------------------------------------------------------------------------


def network(fmt="binary16", accumulator=None, x=((1.0, 2.0**-11, 2.0**-11),)):
    weight = replace(tensor(np.ones((3, 2)), fmt), name="w")
    return (tensor(x, fmt).matmul(weight, accumulator) * 2.0).tanh()


def test_equal_graphs_have_no_difference_and_signs_of_zero_count():
    assert first_difference(network(), network()) is None
    assert first_difference(tensor([0.0]) * 1.0, tensor([-0.0]) * 1.0).operation == "multiply"
    assert first_difference(tensor([math.nan]) * 1.0, tensor([math.nan]) * 1.0) is None


def test_the_operation_that_sums_in_another_order_is_the_first_difference():
    found = first_difference(network(), network(accumulator=fs.accumulators.Exact()))
    assert (found.operation, found.count, found.total, found.ulps) == ("matmul", 2, 2, 1.0)
    assert found.settings == ("default", "Exact(binary64)")
    assert str(found).startswith("matmul is the first operation whose results differ: 2 of 2 results, by up to 1 ulp")


def test_two_formats_are_named():
    found = first_difference(network(), network("bfloat16", x=((1.0, 2.0**-9, 0.0),)))
    assert found.formats == ("binary16", "bfloat16")
    assert "formats binary16 and bfloat16" in str(found)


@pytest.mark.parametrize("other", [lambda x: x.tanh(), lambda x: x.reshape(1, 1)])
def test_graphs_of_other_operations_are_refused(other):
    with pytest.raises(ValueError, match="not made of the same operations: where one has exp of shape"):
        first_difference(tensor([1.0]).exp(), other(tensor([1.0])))
