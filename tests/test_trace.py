"""Trace: emulated values are FloatArray's, shadows are true, escapes and branches are listed, lines are named."""

import math

import numpy as np
import pytest

import fp16sim as fs

X = np.array([0.1, 1.7, 30.0, 300.0, 1e-4, 65504.0])


def chain(x):
    y = np.exp(-x / 7) + np.sqrt(x) * 0.3
    z = (x - x.mean()) / (y + 1e-3)
    return np.where(z > 0, z, y), x.reshape(2, 3) @ y.reshape(3, 2), np.sum(z), np.tanh(x[1:] - x[:-1])


@pytest.mark.parametrize("mode", ["ties_to_even", "toward_zero", "stochastic"])
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_the_emulated_values_are_those_of_float_array(fmt, mode):
    traced = fs.trace.wrap(chain, fmt, mode, rng=1)(X)
    with np.errstate(all="ignore"):
        plain = chain(fs.array(X, fmt, mode, rng=1))
    for ours, theirs in zip(traced.returned, plain, strict=True):
        np.testing.assert_array_equal(ours.codes, theirs.codes)


def test_the_line_to_blame_has_its_source_and_its_number():
    run = fs.trace.wrap(lambda x: (1 - math.cos(x)) / x**2)(0.03)
    assert run.lines[0].expression == "1 - math.cos(x)"
    assert run.lines[0].cancelled > 10


def test_what_was_changed_for_the_run_is_put_back():
    def scaled(x, factor=0.1):
        return x * factor * 0.7

    before = scaled.__code__, scaled.__defaults__, chain.__globals__["np"]
    fs.trace.wrap(scaled)(1.0)
    assert (scaled.__code__, scaled.__defaults__, chain.__globals__["np"]) == before
    assert type(scaled(1.0)) is float


@pytest.mark.parametrize("function", [np.cumsum, np.var])
def test_a_function_of_a_library_is_blamed_where_it_was_called_and_its_cures_are_tried_there(function):
    x = np.random.default_rng(0).uniform(0, 1, 5000)
    run = fs.trace.wrap(function, "binary16")(x)
    said = str(run)  # cures run it again, from here
    assert run.lines[0].source == 'run = fs.trace.wrap(function, "binary16")(x)'
    assert "cure: add in binary32" in said
