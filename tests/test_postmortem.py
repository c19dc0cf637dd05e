"""The post mortem of a run: step, place and words of each cause of death, on graphs small enough to follow by hand."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Tensor, gradients
from fp16sim.learn.observe.postmortem import _in_backward, _in_forward, _in_sum, _in_update, vanished
from fp16sim.learn.run.engine import Engine

from . import resumable

pytestmark = pytest.mark.usefixtures("quiet")


def tensor(values, name="", wanted=True):
    return Tensor(fs.array(values, "binary16"), name=name, wanted=wanted)


def in_backward(loss, scale=1.0, **wanted):
    return _in_backward(3, loss, lambda observer: gradients(loss, wanted, scale=scale, observer=observer))


# --- the forward pass -----------------------------------------------------------------------------------------------


def test_operands_of_the_results_shape_are_told_where_it_is_first_not_finite():
    x = tensor([1.0, -60000.0, 50000.0, 3.0])
    death = _in_forward(7, x + x)
    assert (death.step, death.tensor, death.layer, death.operation) == (7, "the output of add", "", "add")
    assert death.reason == (
        "add of the forward pass gave 2 infinities and 0 NaN in 4 elements (binary16 ends at 65504), "
        "first from -60000 and -60000"
    )


def test_of_operands_of_another_shape_their_largest_magnitudes_are_told():
    death = _in_forward(1, tensor([[200.0, -300.0]]).matmul(tensor([[200.0], [250.0]])) * 1.0)
    assert death.operation == "matmul"
    assert death.reason.endswith("in 1 elements (binary16 ends at 65504), from operands up to 300 and 250")


def test_an_array_that_is_not_finite_by_itself_is_named_without_operands():
    death = _in_forward(2, tensor([1.0, np.nan], name="images") * 2.0)
    assert death.tensor == "images"
    assert death.reason == "it of the forward pass gave 0 infinities and 1 NaN in 2 elements (binary16 ends at 65504)"


def test_a_forward_pass_that_is_finite_is_no_cause():
    assert _in_forward(1, tensor([1.0]) * 2.0) is None


# --- the backward pass ----------------------------------------------------------------------------------------------


def test_a_vjp_is_told_with_the_cotangent_from_which_it_overflows():
    x = tensor([1.0, 1.0, 1.0], name="weight")
    death = in_backward(x * tensor([1.0, 30000.0, 20000.0], wanted=False), scale=4.0, x=x)
    assert (death.step, death.tensor, death.operation) == (3, "the gradient of weight", "multiply")
    assert death.reason == (
        "the vjp of multiply gave 2 infinities and 0 NaN in 3 elements (binary16 ends at 65504), first from 4"
    )


@pytest.mark.parametrize(("swapped", "argument"), [(False, 1), (True, 2)])
def test_an_argument_without_a_name_is_told_by_its_place(swapped, argument):
    x = tensor([1.0]) * 1.0
    factor = tensor([30000.0], wanted=False)
    death = in_backward(factor * x if swapped else x * factor, scale=4.0, x=x)
    assert death.tensor == f"the gradient of argument {argument} of multiply"


def test_a_loss_scale_that_is_infinite_at_once_is_the_cause():
    x = tensor([1.0], name="x")
    death = in_backward(x * 1.0, scale=1e6, x=x)
    assert death.reason == (
        "the loss scale, with which the walk starts, gave 1 infinities and 0 NaN in 1 elements (binary16 ends at 65504)"
    )


def test_cotangents_that_overflow_in_their_sum_are_told_without_operands():
    x = tensor([1.0], name="x")
    y = x * 1.0
    death = in_backward(y * 40000.0 + y * 30000.0, x=x)
    assert death.reason == (
        "the sum where cotangents meet gave 1 infinities and 0 NaN in 1 elements (binary16 ends at 65504)"
    )


def test_gradients_that_overflow_in_the_last_sum_are_told_by_name():
    x, other = tensor([1.0], name="x"), tensor([1.0], name="other")
    death = in_backward(x * 40000.0 + x * 30000.0 + other, other=other, x=x)
    assert (death.tensor, death.layer, death.operation) == ("the gradient of x", "", "")
    assert death.reason == "gave 1 infinities and 0 NaN in 1 elements (binary16 ends at 65504)"


def test_a_backward_pass_that_is_finite_is_no_cause():
    x = tensor([1.0], name="x")
    assert in_backward(x * 2.0, x=x) is None


# --- the optimizer --------------------------------------------------------------------------------------------------


@pytest.fixture
def engine():
    return Engine(Config("binary16", layers=(2,), batch=16, epsilon=1e-8, loss_scale=1), resumable.DATA)


def ones(progress):
    return {name: fs.array(np.ones(x.shape), "binary16") for name, x in progress.params.items()}


def test_a_step_that_is_not_finite_is_told_with_flag_constants_element_and_gradient(engine):
    progress = engine.start()
    grads = ones(progress)
    grads["layer2.weight"].values[1, 0] = 2.0**-13  # its square is 0, and so is epsilon: 0.1 g / 0
    death = _in_update(5, engine, progress, grads)
    assert (death.step, death.tensor) == (5, "the step of layer2.weight")
    assert (death.layer, death.operation) == ("layer2", "divide")
    assert death.reason == (
        "divide in the optimizer's step raised divide_by_zero (1 times in all); epsilon=1e-08 is 0 in binary16; "
        "the first at element 2, whose gradient is 0.0001221"
    )


def test_a_gradient_that_unscaling_breaks_is_told_before_the_optimizer(engine):
    progress = engine.start()
    grads = ones(progress)
    grads["layer1.bias"].values[1] = np.inf
    death = _in_update(5, engine, progress, grads)
    assert (death.tensor, death.layer, death.operation) == ("the gradient of layer1.bias", "layer1", "unscale")
    assert death.reason.startswith("unscaling it gave 1 infinities and 0 NaN in 2 elements")


def test_steps_that_are_finite_are_no_cause(engine):
    progress = engine.start()
    assert _in_update(5, engine, progress, ones(progress)) is None


def test_else_it_was_the_sum_of_a_parameter_and_its_step():
    params = {"layer1.weight": fs.array([1.0], "binary16"), "layer2.bias": fs.array([np.inf], "binary16")}
    death = _in_sum(9, params)
    assert (death.step, death.tensor, death.layer, death.operation) == (9, "layer2.bias", "layer2", "add")


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
    assert vanished(constants, fs.array([1.0], fmt)) == expected
