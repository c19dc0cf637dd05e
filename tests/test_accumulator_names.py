"""Accumulators by name: one vocabulary, wherever a sum can be given an accumulator."""

import inspect
import re

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators
from fp16sim.accumulators import (
    MACHINES,
    NAMES,
    Accumulator,
    Blas,
    Blocked,
    Exact,
    Fused,
    Kahan,
    Pairwise,
    Sequential,
    TensorCore,
)
from fp16sim.cli import main
from fp16sim.learn import Config, Policy
from fp16sim.learn.data.dataset import Dataset
from fp16sim.learn.run.engine import Engine

from .support import assert_same_codes

pytestmark = pytest.mark.usefixtures("quiet")

MEANING = {  # for operands of binary16, rounded toward zero
    "sequential": Sequential("binary16", "toward_zero"),
    "pairwise": Pairwise("binary16", "toward_zero"),
    "blocked": Blocked("binary16", mode="toward_zero"),
    "kahan": Kahan("binary16", "toward_zero"),
    "fused": Fused("binary16", "toward_zero"),
    "exact": Exact("binary16", "toward_zero"),
    "blas": Blas(),
    "volta": TensorCore("volta"),
    **{name: TensorCore(name) for name in MACHINES if name != "volta"},
    "binary32": Sequential("binary32"),
    "pairwise:fp32": Pairwise("binary32"),
    "kahan:binary32:toward_zero": Kahan("binary32", "toward_zero"),
    "blocked:binary64:to_odd": Blocked("binary64", mode="to_odd"),
    "volta:binary16": TensorCore("volta", output="binary16"),
}
of_names = pytest.mark.parametrize("name", MEANING)
FMT, MODE = fs.BINARY16, "toward_zero"
NOT_EXPLAINED = {
    "blas": "accumulator=Blas is not a loop of rounded operations; use one of Blocked, Exact",
    "cdna1": "its step is 'pairwise', and only aligned, exact and in_halves are explained",
    "cdna2": "its step is 'pairwise', and only aligned, exact and in_halves are explained",
    "cdna3": "its step is 'floored', and only aligned, exact and in_halves are explained",
}


def test_every_name_has_a_meaning_here_and_every_accumulator_has_a_name():
    assert set(NAMES) <= MEANING.keys()
    classes = {cls for cls in vars(accumulators).values() if isinstance(cls, type) and issubclass(cls, Accumulator)}
    assert {type(meaning) for meaning in MEANING.values()} == classes - {Accumulator}


def test_the_docstring_lists_the_names_in_their_order():
    text = inspect.getdoc(accumulators.parse).partition("The names are")[2].partition(".")[0]
    assert tuple(re.findall(r'"(\w+)"', text)) == NAMES


@of_names
def test_a_name_in_any_case_stands_for_its_accumulator(name):
    for text in (name, name.upper(), f" {name.title()} "):
        assert accumulators.parse(text, FMT, MODE) == MEANING[name]


def test_a_stochastic_accumulator_by_name_draws_from_the_random_numbers_of_the_call():
    rng = np.random.default_rng(1)
    assert accumulators.parse("kahan", FMT, "stochastic", rng).rng is rng
    assert accumulators.parse("kahan:binary32:stochastic", FMT, MODE, rng).rng is rng
    assert accumulators.parse("kahan:binary32", FMT, "stochastic", rng) == Kahan("binary32")
    x = np.full(500, 1.0078125)
    by_name, by_default = (fs.sum(x, FMT, "stochastic", accumulator=how, rng=7) for how in ("sequential", None))
    assert by_name == by_default != fs.sum(x, FMT, "stochastic", accumulator="sequential", rng=8)


# --- wherever there is a sum ----------------------------------------------------------------------------------------


def matrices():
    rng = np.random.default_rng(3)
    return [fs.round_to(rng.standard_normal(shape), FMT) for shape in ((6, 40), (40, 3))]


FUNCTIONS = {
    "sum": lambda a, b, **how: fs.sum(a, FMT, MODE, axis=1, **how),
    "cumsum": lambda a, b, **how: fs.cumsum(a, FMT, MODE, axis=1, **how),
    "mean": lambda a, b, **how: fs.mean(a, FMT, MODE, axis=1, **how),
    "norm": lambda a, b, **how: fs.norm(a, FMT, MODE, axis=1, **how),
    "dot": lambda a, b, **how: fs.dot(a, b[:, 0], FMT, MODE, **how),
    "matmul": lambda a, b, **how: fs.matmul(a, b, FMT, MODE, **how),
}
METHODS = {
    "sum": lambda a, b, **how: a.sum(1, **how),
    "cumsum": lambda a, b, **how: a.cumsum(1, **how),
    "mean": lambda a, b, **how: a.mean(1, **how),
    "norm": lambda a, b, **how: a.norm(1, **how),
    "dot": lambda a, b, **how: a.dot(b[:, 0], **how),
    "matmul": lambda a, b, **how: a.matmul(b, **how),
}


@of_names
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_and_a_method_take_the_name_for_the_accumulator(function, name):
    a, b = matrices()
    by_object = FUNCTIONS[function](a, b, accumulator=MEANING[name])
    assert_same_codes(FUNCTIONS[function](a, b, accumulator=name), by_object, FMT, "accumulators by name")
    method = METHODS[function](fs.array(a, FMT, MODE), fs.array(b, FMT, MODE), accumulator=name)
    assert_same_codes(method.values, by_object, FMT, "accumulators by name")


@of_names
def test_the_explanation_of_a_dot_product_takes_the_names_of_loops(name):
    a, b = (x[:, 0].tolist() for x in (matrices()[0].T, matrices()[1]))
    if why_not := NOT_EXPLAINED.get(name):
        with pytest.raises(TypeError, match=why_not):
            fs.explain.dot(a, b, FMT, MODE, accumulator=name)
        return
    why = fs.explain.dot(a, b, FMT, MODE, accumulator=name)
    assert float(why.result.value) == fs.dot(a, b, FMT, MODE, accumulator=MEANING[name])


@of_names
def test_the_command_line_takes_the_names_of_loops(name, capsys):
    code = main(["explain", "dot([1, 2], [3, 4])", "--format", FMT.name, "--mode", MODE, "--accumulator", name.upper()])
    printed = capsys.readouterr()
    if why_not := NOT_EXPLAINED.get(name):
        assert code == 2
        assert why_not in printed.err
    else:
        assert code == 0
        assert type(MEANING[name]).__name__ in printed.out


def one_step(accumulator):
    rng = np.random.default_rng(0)
    data = Dataset("toy", rng.random((8, 3)), np.arange(8) % 2, rng.random((4, 3)), [0, 1, 0, 1])
    policy = Policy("binary16", loss="binary32", state="binary32", accumulator=accumulator)
    run = Engine(Config(policy, layers=(40,), l2=1e-3, clip_norm=1.0, unscale=True), data)
    after = run.step(run.start(), np.arange(8)).after
    return {name: x.values.tolist() for name, x in after.params.items()}


@pytest.mark.parametrize("name", [*MEANING, "Pairwise:Binary32"])
def test_a_policy_trains_with_every_name(name):
    after = one_step(name)
    assert all(np.isfinite(x).all() for values in after.values() for x in values)
    if name in ("sequential", "pairwise", "kahan", "fused"):
        assert (after == one_step("sequential")) == (name == "sequential")


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "tree",
            "accumulator='tree' is unknown; use one of 'sequential', 'pairwise', .*'cdna3', 'binary32', or NAME:",
        ),
        ("kahn", "accumulator='kahn' is unknown; did you mean 'kahan'"),
        ("", "accumulator='' is unknown"),
        ("bfloat16", "is unknown.*such as 'pairwise:binary32'"),
        ("kahan:binary32:to_odd:1", "is unknown"),
        ("kahan:fp17", "accumulator='kahan:fp17': fmt='fp17' is not a known format"),
        ("kahan:", "accumulator='kahan:': fmt='' is not a known format"),
        ("kahan:binary32:up", "accumulator='kahan:binary32:up': mode='up' is unknown"),
        ("exact:binary16", "an exact sum is rounded once, at the end, so it takes no format; use 'exact'"),
        ("blas:binary32", "BLAS always adds in binary32, ties to even, so it takes no format; use 'blas'"),
        ("volta:bfloat16", "'volta:bfloat16': output=bfloat16: tensor cores give binary32 or binary16"),
        ("volta:binary16:to_odd", "tensor cores have no choice of mode; use 'volta:binary16'"),
        ("pairwise:binary16", r"Pairwise\(binary16\) is narrower than fmt=bfloat16.*use Sequential\('bfloat16'\)"),
    ],
)
def test_a_wrong_name_is_refused_with_the_way_out(text, says):
    with pytest.raises(ValueError, match=says):
        fs.sum([1.0], "bfloat16", accumulator=text)
    with pytest.raises(ValueError, match=says):
        Policy("bfloat16", accumulator=text)


def test_a_tensor_core_by_name_refuses_factors_that_are_too_wide():
    assert accumulators.parse("volta", "binary32") == TensorCore("volta")
    with pytest.raises(ValueError, match=r"factors=binary32 .*does not fit in tf32"):
        fs.sum([1.0], "binary32", accumulator="volta")
