"""Defaults that others published: what is not said explicitly is as in the papers and in PyTorch."""

import inspect

import pytest

from fp16sim.learn import adam, adamw, rmsprop, sgd
from fp16sim.learn.scaling import DynamicLossScale, get_loss_scale


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (sgd, {"lr": 0.1, "momentum": 0.0}),
        (rmsprop, {"lr": 1e-3, "decay": 0.9, "epsilon": 1e-8}),
        (adam, {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "bias_correction": True, "weight_decay": 0}),
        (adamw, {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 1e-2}),
        (get_loss_scale, {"interval": 2000}),
        (DynamicLossScale.starting_in, {"scale": 65536, "interval": 2000}),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_the_defaults_are_those_of_the_papers_and_of_gradscaler(optimizer, expected):
    found = {name: p.default for name, p in inspect.signature(optimizer).parameters.items()}
    assert {name: found[name] for name in expected} == expected
