"""The post mortem of a run: the data and the words of each cause of death, on graphs small enough to follow by hand."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Death, Policy, Tensor, attention, gradients
from fp16sim.learn.observe.postmortem import (
    in_backward,
    in_forward,
    in_optimizer,
    in_scaling,
    in_unscaling,
    in_update,
    vanished,
)
from fp16sim.learn.records import from_plain
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.state import ARRAYS, SOURCES, Phase

from . import resumable

pytestmark = pytest.mark.usefixtures("quiet")


def tensor(values, name="", wanted=True):
    return Tensor(fs.array(values, "binary16"), name=name, wanted=wanted)


def backward(loss, scale=1.0, **wanted):
    return in_backward(3, lambda observer: gradients(loss, wanted, scale=scale, observer=observer))


def told(death):
    """The parts of a Death that say where it was."""
    assert from_plain(Death, json.loads(json.dumps(asdict(death))), "death") == death
    return death.step, death.phase, death.tensor, death.layer, death.operation


def test_every_phase_has_its_words():
    assert set(ARRAYS) == set(Phase)
    assert set(SOURCES) == set(Phase) - {Phase.SCALING, Phase.BACKWARD}  # which `Death.reason` words by itself


# --- the forward pass -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["naive", "stable", "online"])
def test_scores_that_a_mask_has_set_to_minus_infinity_are_no_cause_of_death(form):
    causal = fs.learn.causal(4)
    for size, operation in ((1000.0, "matmul"), (12.0, "exp" if form == "naive" else "")):
        q = tensor(np.full((4, 1), size), "q")
        y = attention(q, q, tensor(np.ones((4, 1))), causal, form=form).sum()
        death = in_forward(1, y)
        assert (death.operation if death else "") == operation
    q = tensor(np.ones((2, 1)), "q")
    empty = in_forward(1, attention(q, q, q, fs.learn.Mask(np.ones((2, 2), bool)), form=form).sum())
    assert empty.operation == ("softmax" if form == "stable" else "divide")


def test_a_constant_that_is_not_finite_is_called_one():
    death = in_forward(1, tensor([1.0], "x") * tensor([np.nan]))
    assert str(death) == (
        "died at step 1: a constant of the model is not finite: it contains 1 NaN in 1 element (binary16 ends at 65504)"
    )


def test_operands_of_the_results_shape_are_told_where_it_is_first_not_finite():
    x = tensor([1.0, -60000.0, 50000.0, 3.0])
    death = in_forward(7, x + x)
    assert told(death) == (7, Phase.LOSS, "the output of add", "", "add")
    assert death.reason == (
        "add in the loss gave 2 infinities in 4 elements (binary16 ends at 65504), first from -60000 and -60000"
    )
    assert (death.cause.element, death.cause.operands, death.cause.largest_operands) == (1, (-60000, -60000), ())


def test_of_operands_of_another_shape_their_largest_magnitudes_are_told():
    death = in_forward(1, tensor([[200.0, -300.0]]).matmul(tensor([[200.0], [250.0]])) * 1.0)
    assert told(death) == (1, Phase.LOSS, "the output of matmul", "", "matmul")
    assert death.reason.endswith("in 1 element (binary16 ends at 65504), from operands up to 300 and 250")
    assert (death.cause.operands, death.cause.largest_operands) == ((), (300, 250))


def test_an_operation_in_a_layer_belongs_to_the_forward_pass():
    x = replace(tensor([60000.0]) * 2.0, layer="layer1")
    death = in_forward(1, x + 1.0)
    assert told(death) == (1, Phase.FORWARD, "the output of multiply in layer1", "layer1", "multiply")
    assert death.reason.startswith("multiply in the forward pass gave 1 infinity in 1 element")


def test_an_array_that_is_not_finite_by_itself_is_named_without_operands():
    death = in_forward(2, tensor([1.0, np.nan], name="images") * 2.0)
    assert told(death) == (2, Phase.FORWARD, "images", "", "")
    assert death.reason == "it contains 1 NaN in 2 elements (binary16 ends at 65504)"


def test_a_forward_pass_that_is_finite_is_no_cause():
    assert in_forward(1, tensor([1.0]) * 2.0) is None


# --- the backward pass ----------------------------------------------------------------------------------------------


def test_a_vjp_is_told_with_the_cotangent_from_which_it_overflows():
    x = tensor([1.0, 1.0, 1.0], name="weight")
    death = backward(x * tensor([1.0, 30000.0, 20000.0], wanted=False), scale=4.0, x=x)
    assert told(death) == (3, Phase.BACKWARD, "the gradient of weight", "", "multiply")
    assert death.reason == "the vjp of multiply gave 2 infinities in 3 elements (binary16 ends at 65504), first from 4"


@pytest.mark.parametrize(("swapped", "argument"), [(False, 1), (True, 2)])
def test_an_argument_without_a_name_is_told_by_its_place(swapped, argument):
    x = tensor([1.0]) * 1.0
    factor = tensor([30000.0], wanted=False)
    death = backward(factor * x if swapped else x * factor, scale=4.0, x=x)
    assert death.tensor == f"the gradient of argument {argument} of multiply"
    assert death.cause.argument == argument


def test_a_loss_scale_that_is_infinite_at_once_is_the_cause():
    loss = tensor([1.0], name="x") * 1.0
    death = in_scaling(3, loss, 1e6)
    assert told(death) == (3, Phase.SCALING, "the gradient of the loss", "", "")
    assert death.reason == "loss_scale=1e+06 is inf in binary16, which ends at 65504"
    assert death.cause.options == ("loss_scale",)
    assert in_scaling(3, loss, 65504.0) is None


def test_cotangents_that_overflow_in_their_sum_are_told_without_operands():
    x = tensor([1.0], name="x")
    y = x * 1.0
    death = backward(y * 40000.0 + y * 30000.0, x=x)
    assert told(death) == (3, Phase.BACKWARD, "the gradient of the output of multiply", "", "multiply")
    assert death.reason == "the sum of its cotangents gave 1 infinity in 1 element (binary16 ends at 65504)"


def test_gradients_that_overflow_in_the_last_sum_are_told_by_name():
    x, other = tensor([1.0], name="x"), tensor([1.0], name="other")
    death = backward(x * 40000.0 + x * 30000.0 + other, other=other, x=x)
    assert told(death) == (3, Phase.BACKWARD, "the gradient of x", "x", "")
    assert death.reason == "the sum of its cotangents gave 1 infinity in 1 element (binary16 ends at 65504)"


def test_a_backward_pass_that_is_finite_is_no_cause():
    x = tensor([1.0], name="x")
    assert backward(x * 2.0, x=x) is None


def test_a_cotangent_that_an_activation_masks_is_no_cause():
    x = tensor([-1.0], name="x")
    y = x * 1.0
    z = y.relu()
    assert backward(z * 40000.0 + z * 30000.0, x=x) is None


# --- from the gradients to the weights ------------------------------------------------------------------------------


def test_a_gradient_that_overflows_after_the_backward_pass_is_told_before_the_optimizer():
    grads = {"layer1.weight": fs.array([1.0], "binary16"), "layer1.bias": fs.array([1.0, np.inf], "binary16")}
    death = in_unscaling(5, grads)
    assert told(death) == (5, Phase.UNSCALING, "the gradient of layer1.bias", "layer1", "")
    assert death.reason == "conversion to binary16 and unscaling gave 1 infinity in 2 elements (binary16 ends at 65504)"
    assert in_unscaling(5, {}) is None


@pytest.fixture
def optimizing():
    """An engine, gradients that are all 1, and the optimizer as the post mortem gets it."""
    engine = Engine(Config("binary16", layers=(2,), batch=16, epsilon=1e-8, loss_scale=1), resumable.DATA)
    progress = engine.start()
    grads = {name: fs.array(np.ones(x.shape), "binary16") for name, x in progress.params.items()}
    return engine, grads, lambda given: engine.optimizer_steps(progress, given)[0]


def test_a_step_that_is_not_finite_is_told_with_flag_constants_element_and_gradient(optimizing):
    engine, grads, optimize = optimizing
    grads["layer2.weight"].values[1, 0] = 2.0**-13  # its square is 0, and so is epsilon: 0.1 g / 0
    death = in_optimizer(5, grads, optimize, engine.config.optimizer_constants())
    assert told(death) == (5, Phase.OPTIMIZER, "the step of layer2.weight", "layer2", "divide")
    assert (death.cause.flag, death.cause.raised, death.cause.options) == ("divide_by_zero", 1, ("epsilon",))
    assert death.reason == (
        "divide in the optimizer's step raised divide_by_zero (1 times in all); epsilon=1e-08 is 0 in binary16; "
        "first at element 2, whose gradient is 0.00012207"
    )


def test_a_step_that_is_not_finite_although_nothing_raised_a_flag_is_told_by_its_counts():
    steps = {"layer1.bias": fs.array([0.0, np.nan], "binary16")}
    death = in_optimizer(5, {"layer1.bias": fs.array([1.0, 2.0], "binary16")}, lambda given: steps, {})
    assert death.reason == (
        "the optimizer gave 1 NaN in 2 elements (binary16 ends at 65504); first at element 1, whose gradient is 2"
    )


def test_steps_that_are_finite_and_steps_that_were_skipped_are_no_cause(optimizing):
    engine, grads, optimize = optimizing
    assert in_optimizer(5, grads, optimize, engine.config.optimizer_constants()) is None
    assert in_optimizer(5, {}, optimize, engine.config.optimizer_constants()) is None


def test_else_it_was_the_sum_of_a_parameter_and_its_step():
    params = {"layer1.weight": fs.array([1.0], "binary16"), "layer2.bias": fs.array([np.inf], "binary16")}
    death = in_update(9, params)
    assert told(death) == (9, Phase.UPDATE, "layer2.bias", "layer2", "add")
    assert death.reason == "adding the step gave 1 infinity in 1 element (binary16 ends at 65504)"


@pytest.mark.parametrize(
    ("options", "phase", "tensor"),
    [
        ({"loss_scale": 1e6}, Phase.SCALING, "the gradient of the loss"),
        ({"policy": Policy("binary32", gradient="e4m3fn"), "loss_scale": 2.0**20}, Phase.UNSCALING, "the gradient of"),
        ({"optimizer": "sgd", "lr": 1e9}, Phase.OPTIMIZER, "the step of layer"),
        ({"policy": Policy("e5m2", state="binary32"), "optimizer": "sgd", "lr": 1e9}, Phase.UPDATE, "layer"),
    ],
)
def test_a_step_of_an_engine_dies_in_the_phase_that_went_wrong(options, phase, tensor):
    config = Config(**{"policy": "binary16", "layers": (2,), "batch": 16, "loss_scale": 1.0, **options})
    engine = Engine(config, resumable.DATA)
    death = engine.step(engine.start(), np.arange(16)).after.death
    assert (death.step, death.phase) == (1, phase)
    assert death.tensor.startswith(tensor)


@pytest.mark.parametrize(
    ("fmt", "constants", "expected"),
    [
        ("bfloat16", {"beta1": 0.9, "beta2": 0.999}, ["beta2=0.999 is 1 in bfloat16"]),
        ("binary16", {"epsilon": 1e-8, "beta2": 0.999}, ["epsilon=1e-08 is 0 in binary16"]),
        ("binary16", {"momentum": 0.0, "factor": 1.0, "lr": 1e-3}, []),
        ("e4m3fn", {"decay": 0.98, "lr": 1e-4}, ["decay=0.98 is 1 in e4m3fn", "lr=0.0001 is 0 in e4m3fn"]),
    ],
)
def test_constants_are_mentioned_that_became_0_or_1(fmt, constants, expected):
    assert list(map(str, vanished(constants, fs.array([1.0], fmt)))) == expected


def test_a_constant_that_is_a_quotient_of_two_options_names_both():
    engine = Engine(Config("binary16", optimizer="sgd", lr=1e-5, loss_scale=1024), resumable.DATA)
    steps = {"w": fs.array([np.nan], "binary16")}
    death = in_optimizer(1, {"w": fs.array([0.0], "binary16")}, lambda g: steps, engine.config.optimizer_constants())
    assert "lr / loss_scale=9.76563e-09 is 0 in binary16" in death.reason
    assert death.cause.options == ("lr", "loss_scale")
